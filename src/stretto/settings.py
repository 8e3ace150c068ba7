"""Settings: `stretto.toml` beside the workspace, then the environment (`STRETTO_...`), which wins."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from stretto.core.domain import PlannerChoice
from stretto.core.errors import BadWorkspace


class TelemetrySettings(BaseModel):
    """Where traces and metrics of runs go, and what they may tell. Without an address, none are sent.

    `endpoint` is that of a collector that takes OTLP over HTTP; `content` says whether goals, arguments, results,
    answers and error texts are told, and `labels` which labels they may carry.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    endpoint: str | None = None
    content: bool = False
    labels: tuple[str, ...] = ()


class Settings(BaseSettings):
    """What holds for every run unless the run says otherwise. Times are in seconds."""

    model_config = SettingsConfigDict(env_prefix="STRETTO_", extra="forbid")

    parallel: int = Field(64, ge=1, description="attempts under way at once, per run")
    timeout: float = Field(300.0, gt=0, description="seconds an attempt may take when nothing else says so")
    fan_out: int = Field(1000, ge=1, description="items of a for_each that sets no bound of its own")
    plan_tasks: int = Field(20_000, ge=1, description="tasks in one plan")
    plan_depth: int = Field(40, ge=3, description="levels of nesting in a plan")
    plan_bytes: int = Field(50 * 1024 * 1024, ge=1, description="size of a plan's file")
    model: str | None = Field(None, description="the model of every role, as in `--model`; several with commas")
    model_planner: str | None = Field(None, description="the model that plans")
    model_worker: str | None = Field(None, description="the model that agents use which name none")
    model_reviewer: str | None = Field(None, description="the model that reviews")
    model_synthesiser: str | None = Field(None, description="the model that writes deliverables")
    model_summariser: str | None = Field(None, description="the model that summarises")
    models: dict[str, Any] = Field(default_factory=dict, description="models as in a workspace, where it names none")
    planner: PlannerChoice = Field("auto", description="who plans goals: auto, model, rules or playbook")
    retries: dict[str, int] = Field(default_factory=dict, description="tries by class of failure")
    fetch_allow: Annotated[list[str], NoDecode] = Field(
        default_factory=list, description="hosts that fetch may ask where the workspace names none"
    )

    telemetry: TelemetrySettings = Field(TelemetrySettings(), description="traces and metrics for OpenTelemetry")

    @field_validator("fetch_allow", mode="before")
    @classmethod
    def _listed(cls, given: object) -> object:
        """In the environment hosts are parted by commas."""
        return [one.strip() for one in given.split(",") if one.strip()] if isinstance(given, str) else given


def read_settings(folder: Path | None) -> Settings:
    """Read the settings for a workspace; raises BadWorkspace with what is wrong."""
    file = folder / "stretto.toml" if folder is not None else None

    class Here(Settings):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return env_settings, TomlConfigSettingsSource(settings_cls, file)

    try:
        return Here()  # type: ignore[call-arg]
    except ValidationError as error:
        said = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()[:5])
        raise BadWorkspace(f"{file or 'the environment'}: settings: {said}") from None
    except (OSError, ValueError) as error:
        raise BadWorkspace(f"{file or 'the environment'}: {error}") from None
