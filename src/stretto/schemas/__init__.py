"""JSON Schemas (draft 2020-12) of the files that people write, for editors.

They are made of the tables that the readers use. What a reader takes, its schema takes; a field that it does not know,
the schema does not know either. References between parts, names of skills and the like are for the readers alone.
"""

from collections.abc import Callable
from typing import TypeAlias

from stretto.core.domain import Schema
from stretto.schemas.agents import agent_schema
from stretto.schemas.plans import plan_schema, playbook_schema
from stretto.schemas.settings import settings_schema
from stretto.schemas.workspaces import workspace_schema

Maker: TypeAlias = Callable[[], Schema]

SCHEMAS: dict[str, Maker] = {
    "workspace": workspace_schema,
    "plan": plan_schema,
    "playbook": playbook_schema,
    "agent": agent_schema,
    "settings": settings_schema,
}
"""What makes the schema of each kind of file."""

__all__ = ["SCHEMAS"]
