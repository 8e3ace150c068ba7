"""Everything that pages do, in one table: which permission it takes, and what it is at the desk.

The desk checks the permission; the table says it, so that a page can leave out what its visitor may not do, and a test
can walk all of it with every role.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Concatenate, Final, Generic, ParamSpec, TypeVar

from stretto.access.roles import Permission, Principal
from stretto.desk import Desk

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Action(Generic[P, T]):
    """Something a page does: for whom it is, and what it is at the desk."""

    name: str
    permission: Permission
    does: Callable[Concatenate[Desk, Principal, P], Awaitable[T]]


RUNS: Final = Action("list runs", Permission.VIEW, Desk.runs)
COUNTS: Final = Action("count runs", Permission.VIEW, Desk.counts)
RUN: Final = Action("see a run", Permission.VIEW, Desk.run)
RECORDED: Final = Action("see all that happened in a run", Permission.VIEW, Desk.recorded)
EVENTS: Final = Action("list events", Permission.VIEW, Desk.events)
ARTIFACT: Final = Action("read an artifact", Permission.VIEW, Desk.artifact)
INBOX: Final = Action("see what waits for people", Permission.VIEW, Desk.inbox)
AUDIT: Final = Action("audit a run", Permission.VIEW, Desk.audit)
PLANS: Final = Action("see the plans on offer", Permission.VIEW, Desk.plans)
UPLOAD: Final = Action("hand in a file", Permission.OPERATE, Desk.upload)
PROPOSE: Final = Action("see a plan first", Permission.OPERATE, Desk.propose)
SUBMIT: Final = Action("start a run", Permission.OPERATE, Desk.submit)
PAUSE: Final = Action("pause a run", Permission.OPERATE, Desk.pause)
RESUME: Final = Action("resume a run", Permission.OPERATE, Desk.resume)
CANCEL: Final = Action("cancel a run", Permission.OPERATE, Desk.cancel)
RETRY: Final = Action("retry a task", Permission.OPERATE, Desk.retry)
EDIT: Final = Action("edit a plan", Permission.OPERATE, Desk.edit)
REPLAN: Final = Action("plan anew", Permission.OPERATE, Desk.replan)
FORK: Final = Action("fork a run", Permission.OPERATE, Desk.fork)
ANSWER: Final = Action("answer a request", Permission.DECIDE, Desk.answer)

ACTIONS: Final[Mapping[str, Action[..., Any]]] = MappingProxyType(
    {
        action.name: action
        for action in (
            RUNS, COUNTS, RUN, RECORDED, EVENTS, ARTIFACT, INBOX, AUDIT, PLANS, UPLOAD, PROPOSE, SUBMIT, PAUSE, RESUME,
            CANCEL, RETRY, EDIT, REPLAN, FORK, ANSWER,
        )
    }
)  # fmt: skip
"""All actions by name."""
