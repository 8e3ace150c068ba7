"""What every route needs of a request: the desk, who asks, and answers that stay true."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Request

from stretto.access.roles import Credential, Principal
from stretto.core.errors import UsageError
from stretto.core.state import RunState
from stretto.desk import Desk
from stretto.servers.http.bodies import LAST_MOMENT, StrictRoute
from stretto.servers.http.problems import Problem
from stretto.servers.http.rendering import Answer, Kept
from stretto.servers.http.streams import Streams
from stretto.views import Run, artifacts_of

LAST_NUMBER = 2**53
"""The greatest number that every reader of JSON knows."""


def router(subject: str) -> APIRouter:
    """Give a place for the routes of a subject."""
    return APIRouter(tags=[subject], route_class=StrictRoute)


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks, at which desk, with the answers and streams that all who ask share."""

    who: Principal
    credential: Credential
    desk: Desk
    kept: Kept
    streams: Streams


async def _asking(request: Request) -> Asking:
    state, app = request.scope["state"], request.app.state
    return Asking(state["principal"], state["credential"], app.desk, app.kept, app.streams)


Here = Annotated[Asking, Depends(_asking)]
At = Annotated[
    str | None,
    Query(
        max_length=500,
        description="As it was: after the event of this number, at a moment, or just before this task began.",
    ),
]


def address_of(run: str) -> str:
    """Give where a run is to be found."""
    return f"/api/runs/{quote(run, safe='')}"


def artifact_address(run: str, task: str, name: str) -> str:
    """Give where a file that a run made is to be found; a name with a line break does not fit into a path."""
    home, called = f"{address_of(run)}/artifacts/{quote(task, safe='')}", quote(name, safe="")
    return f"{home}?name={called}" if "\n" in name else f"{home}/{called}"


def told(kept: Kept, state: RunState, what: str, make: Callable[[], Any], status: int = 200) -> Answer:
    """Answer with what is said of a run at an event: the same for everybody who asks."""
    return Answer(kept.get((state.run, state.seq, what), make), status)


def run_told(kept: Kept, state: RunState, status: int = 200) -> Answer:
    """Answer with a run as it is, or was: all but its tasks, plan and context, which have routes of their own."""

    def make() -> dict[str, Any]:
        files = {(task, one.name): artifact_address(state.run, task, one.name) for task, one in artifacts_of(state)}
        return {**Run(state=state).head(files), "seq": state.seq}

    answer = told(kept, state, "run", make, status)
    if status == 201:
        answer.headers["Location"] = address_of(state.run)
    return answer


def require_task(state: RunState, task: str) -> None:
    """Raise Problem where a run has no such task."""
    if task not in state.tasks:
        raise Problem(
            status=404,
            code="not_found",
            message=f"run {state.run} has no task {task[:200]!r}",
            mend=f"{address_of(state.run)}/tasks lists them",
        )


def moment_in(text: str | None, where: str) -> float | None:
    """Read a moment out of a query: ISO 8601, or seconds since the epoch; raises UsageError."""
    if text is None:
        return None
    try:
        at = float(text) if text.replace(".", "", 1).isdecimal() else datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError, OSError):
        at = math.inf
    if not 0 <= at <= LAST_MOMENT:
        raise UsageError(f"{where}: {text!r} is no moment; write it like 2030-12-31T18:00:00Z")
    return at
