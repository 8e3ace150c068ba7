"""Stretto, an orchestrator agent: a goal in, a checked plan, specialists side by side, one deliverable out.

Importing this does nothing; each name is loaded when it is first used.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stretto.bootstrap import Orchestrator as Orchestrator
    from stretto.building import plan as plan
    from stretto.building import ref as ref
    from stretto.building import task as task
    from stretto.declare import agent as agent
    from stretto.declare import idempotent as idempotent
    from stretto.declare import irreversible as irreversible
    from stretto.declare import pure as pure
    from stretto.declare import reversible as reversible
    from stretto.ports import AgentFailure as AgentFailure
    from stretto.ports import Assignment as Assignment

__version__ = "0.1.0"

_PLACES = {
    "Agent": "stretto.agents.function",
    "AgentFailure": "stretto.ports",
    "Assignment": "stretto.ports",
    "Orchestrator": "stretto.bootstrap",
    "agent": "stretto.declare",
    "idempotent": "stretto.declare",
    "irreversible": "stretto.declare",
    "plan": "stretto.building",
    "pure": "stretto.declare",
    "ref": "stretto.building",
    "reversible": "stretto.declare",
    "task": "stretto.building",
}
__all__ = list(_PLACES)


def __dir__() -> list[str]:
    return sorted({*globals(), *_PLACES})


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'stretto' has no attribute {name!r}")
    from importlib import import_module

    module = import_module(_PLACES[name])
    return getattr(module, "FunctionAgent" if name == "Agent" else name)
