"""The composition root: the only place that names concrete classes. `Orchestrator` is what users hold.

Each name is loaded when it is first used: who only looks at a store does not pay for planners and specialists.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stretto.bootstrap.facade import Orchestrator as Orchestrator
    from stretto.bootstrap.hiring import SPECIALISTS as SPECIALISTS
    from stretto.bootstrap.hiring import specialist as specialist
    from stretto.bootstrap.hiring import specialists as specialists
    from stretto.bootstrap.opening import open_workspace as open_workspace
    from stretto.bootstrap.reloading import Reloading as Reloading
    from stretto.bootstrap.service import Service as Service
    from stretto.bootstrap.service import serving as serving
    from stretto.bootstrap.stores import open_access as open_access
    from stretto.bootstrap.stores import open_store as open_store
    from stretto.bootstrap.stores import user as user
    from stretto.bootstrap.words import cancel as cancel
    from stretto.bootstrap.words import fork as fork
    from stretto.bootstrap.words import grant as grant
    from stretto.bootstrap.words import leave_word as leave_word
    from stretto.lookup import find_run as find_run
    from stretto.lookup import new_run_id as new_run_id
    from stretto.lookup import parent_of as parent_of

_PLACES = {
    "SPECIALISTS": "stretto.bootstrap.hiring",
    "Orchestrator": "stretto.bootstrap.facade",
    "Reloading": "stretto.bootstrap.reloading",
    "Service": "stretto.bootstrap.service",
    "cancel": "stretto.bootstrap.words",
    "find_run": "stretto.lookup",
    "fork": "stretto.bootstrap.words",
    "grant": "stretto.bootstrap.words",
    "leave_word": "stretto.bootstrap.words",
    "new_run_id": "stretto.lookup",
    "open_access": "stretto.bootstrap.stores",
    "open_store": "stretto.bootstrap.stores",
    "open_workspace": "stretto.bootstrap.opening",
    "parent_of": "stretto.lookup",
    "serving": "stretto.bootstrap.service",
    "specialist": "stretto.bootstrap.hiring",
    "specialists": "stretto.bootstrap.hiring",
    "user": "stretto.bootstrap.stores",
}
__all__ = list(_PLACES)


def __dir__() -> list[str]:
    return sorted({*globals(), *_PLACES})


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'stretto.bootstrap' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_PLACES[name]), name)
