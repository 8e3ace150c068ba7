"""Values held against JSON Schemas, with the validators kept."""

from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from stretto.core.canonical import canonical
from stretto.core.domain import Json, Schema
from stretto.core.plan.diagnostics import listed

MOST = 5


class JsonSchemas:
    """See `stretto.ports.Schemas`."""

    def __init__(self) -> None:
        self._known: dict[bytes, Any] = {}
        self._by_identity: dict[int, tuple[Schema, Any]] = {}

    def problems(self, value: Json, schema: Schema) -> list[str]:
        if not schema:
            return []
        found = []
        for error in self._validator(schema).iter_errors(value):
            place = error.json_path.removeprefix("$").lstrip(".")
            message = error.message if len(error.message) < 300 else error.message[:300] + "…"
            if error.validator == "additionalProperties" and (known := error.schema.get("properties")):
                message += f"; known: {listed(known)}"
            found.append(f"{place}: {message}" if place else message)
            if len(found) == MOST:
                break
        return found

    def problem_of(self, schema: Schema) -> str | None:
        """Say why a schema itself is none."""
        try:
            Draft202012Validator.check_schema(schema)
        except SchemaError as error:
            return f"{error.json_path}: {error.message}"
        return None

    def _validator(self, schema: Schema) -> Any:
        # Catalogues are frozen: the same object is the same schema. It is kept, so its id stays its own.
        held = self._by_identity.get(id(schema))
        if held is not None and held[0] is schema:
            return held[1]
        mark = canonical(schema)
        if mark not in self._known:
            self._known[mark] = Draft202012Validator(schema)
        self._by_identity[id(schema)] = (schema, self._known[mark])
        return self._known[mark]
