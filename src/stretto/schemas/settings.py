"""The schema of `stretto.toml`."""

from stretto.core.domain import Schema
from stretto.schemas.parts import DIALECT
from stretto.settings import Settings


def settings_schema() -> Schema:
    """Give the schema of a workspace's settings, made of the class that reads them."""
    found: Schema = Settings.model_json_schema(mode="validation")
    told = {"title": "Stretto settings", "description": "What holds for every run unless the run says otherwise."}
    return {"$schema": DIALECT, **found, **told}
