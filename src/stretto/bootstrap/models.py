"""Which models serve: as given, else as the environment says, the workspace, the settings file."""

from stretto.core.errors import UsageError
from stretto.models.definition import DEFAULT, NO_MODELS, ROLES, BadModel, ModelsGiven, ModelsSpec, models_of
from stretto.models.roster import ModelRoster
from stretto.settings import Settings
from stretto.workspace import Workspace


def roster_of(workspace: Workspace | None, settings: Settings, given: ModelsGiven | None = None) -> ModelRoster:
    """Give the models of a workspace; raises UsageError with the place of what is wrong."""
    places = (
        models_of(given) if given else NO_MODELS,
        _of_environment(settings),
        workspace.models if workspace else NO_MODELS,
        _of_file(settings),
    )
    return ModelRoster(places)


def _of_environment(settings: Settings) -> ModelsSpec:
    roles: dict[str, tuple[str, ...]] = {}
    for role in (DEFAULT, *ROLES):
        text = settings.model if role == DEFAULT else getattr(settings, f"model_{role}")
        names = [one.strip() for one in (text or "").split(",") if one.strip()]
        if names:
            variable = "STRETTO_MODEL" if role == DEFAULT else f"STRETTO_MODEL_{role.upper()}"
            try:
                roles |= models_of({role: names}).roles
            except BadModel as error:
                raise UsageError(f"{variable}: {error.problem}") from None
    return ModelsSpec(roles=roles)


def _of_file(settings: Settings) -> ModelsSpec:
    try:
        return models_of(settings.models)
    except BadModel as error:
        raise UsageError(f"stretto.toml: {error}") from None
