"""The composition root: the only place that names concrete classes. `Orchestrator` is what users hold."""

from stretto.bootstrap.facade import Orchestrator
from stretto.bootstrap.hiring import SPECIALISTS, specialist, specialists
from stretto.bootstrap.opening import open_workspace
from stretto.bootstrap.reloading import Reloading
from stretto.bootstrap.serving import Service, serving
from stretto.bootstrap.stores import open_access, open_store, user
from stretto.bootstrap.words import cancel, fork, grant, leave_word
from stretto.lookup import find_run, new_run_id, parent_of

__all__ = [
    "SPECIALISTS",
    "Orchestrator",
    "Reloading",
    "Service",
    "cancel",
    "find_run",
    "fork",
    "grant",
    "leave_word",
    "new_run_id",
    "open_access",
    "open_store",
    "open_workspace",
    "parent_of",
    "serving",
    "specialist",
    "specialists",
    "user",
]
