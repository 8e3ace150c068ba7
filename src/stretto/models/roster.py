"""The models of a workspace by what they are for. See `stretto.models.prompt.Models`."""

import os
from collections.abc import Mapping, Sequence

from stretto.core.domain import Role
from stretto.models.definition import Definition, ModelsSpec, chosen, resolve
from stretto.models.local import LocalModel
from stretto.models.prompt import Model
from stretto.models.provider import ProviderModel
from stretto.models.reference import LOCAL


class ModelRoster:
    """Gives models by role and name. The same definition is always the same model, so its limits hold for all of it."""

    def __init__(self, places: Sequence[ModelsSpec] = (), environment: Mapping[str, str] = os.environ) -> None:
        self.spec = chosen(places)
        self._environment = environment
        self._made: dict[Definition, ProviderModel] = {}
        self.asked_for: dict[Definition, None] = {}
        """What somebody, such as an agent, has asked for by name."""

    def of(self, role: Role) -> tuple[Model, ...]:
        names = self.spec.roles.get(role, ()) if role != "tool" else ()
        return self._models(names, role)

    def named(self, name: str) -> tuple[Model, ...]:
        self.asked_for |= dict.fromkeys(self._resolved((name,), ""))
        return self._models((name,), "")

    def definitions(self, role: str) -> tuple[Definition, ...]:
        """Give what serves a role, first choice first."""
        return self._resolved(self.spec.roles.get(role, ()), role)

    def model(self, definition: Definition) -> ProviderModel:
        """Give the model of a definition."""
        if definition not in self._made:
            make = LocalModel if definition.model.provider == LOCAL else ProviderModel
            self._made[definition] = make(definition, self._environment)
        return self._made[definition]

    async def close(self) -> None:
        """Close the connections of the running loop; they are closed with the loop as well."""
        for model in self._made.values():
            await model.close()

    def _models(self, names: Sequence[str], place: str) -> tuple[Model, ...]:
        return tuple(self.model(one) for one in self._resolved(names, place))

    def _resolved(self, names: Sequence[str], place: str) -> tuple[Definition, ...]:
        return tuple(dict.fromkeys(one for name in names for one in resolve(self.spec, name, place)))


NO_MODELS = ModelRoster()
"""Nobody to ask."""
