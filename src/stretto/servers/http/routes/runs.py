"""Runs: begin one, find them, look at one."""

import base64
import binascii
import math
from typing import Annotated

import msgspec
from fastapi import Header, Query
from starlette.responses import Response

from stretto.core.domain import RunStatus
from stretto.core.errors import UsageError
from stretto.planners.proposal import proposal_view
from stretto.ports import RunQuery
from stretto.servers.http.asking import At, Here, moment_in, router, run_told
from stretto.servers.http.bodies import NewRun, Proposing
from stretto.servers.http.rendering import Answer
from stretto.views import summary_view

routes = router("runs")

MOST_WORDS = 20
Words = Annotated[str, Query(alias="q", max_length=500, description="Words that stand in the goal or the id.")]
Statuses = Annotated[
    list[RunStatus] | None, Query(alias="status", max_length=20, description="Only runs that stand so. Repeatable.")
]
Since = Annotated[str | None, Query(max_length=40, description="Begun at this moment or later.")]
Until = Annotated[str | None, Query(max_length=40, description="Begun before this moment.")]
Asking = Annotated[bool, Query(description="Only runs in which something waits for a person.")]
Teams = Annotated[bool, Query(description="Also the runs that teams made of tasks of others.")]


@routes.post("/runs", status_code=201, summary="Begin a run", responses={200: {"description": "Known by its key"}})
async def begin(
    body: NewRun,
    here: Here,
    key: Annotated[
        str, Header(alias="Idempotency-Key", max_length=200, description="The same order under it is one run.")
    ] = "",
) -> Response:
    """Begin a run, which is in the journal when this is answered; 200 where the key has begun it before."""
    state, new = await here.desk.submit(
        here.who,
        body.goal,
        plan=body.plan,
        inputs=body.inputs,
        budget=body.budget,
        deadline=body.deadline,
        planner=body.planner,
        key=key,
    )
    return run_told(here.kept, state, 201 if new else 200)


@routes.get("/runs", summary="Find runs, newest first")
async def find(
    here: Here,
    words: Words = "",
    statuses: Statuses = None,
    since: Since = None,
    until: Until = None,
    asking: Asking = False,
    teams: Teams = False,
    limit: Annotated[int, Query(ge=1, le=200, description="How many at most.")] = 50,
    cursor: Annotated[str, Query(max_length=500, description="The `next` of the page before.")] = "",
) -> Response:
    """Give a page of runs; `next` is the cursor of the page after it, null on the last one."""
    query = _query(words, statuses, since, until, asking=asking, teams=teams, limit=limit, cursor=cursor)
    page = await here.desk.runs(here.who, query)
    found = [summary_view(one) for one in page.runs]
    return Answer({"runs": found, "next": _cursor(page.more) if page.more is not None else None})


@routes.get("/runs/counts", summary="Count runs by status")
async def count(
    here: Here,
    words: Words = "",
    since: Since = None,
    until: Until = None,
    asking: Asking = False,
    teams: Teams = False,
) -> Response:
    """Give how many of the runs that are looked for stand how; statuses without any are left out."""
    query = _query(words, None, since, until, asking=asking, teams=teams)
    return Answer({"counts": dict(await here.desk.counts(here.who, query))})


@routes.get("/runs/{run}", summary="Look at a run")
async def look(run: str, here: Here, at: At = None) -> Response:
    """Give a run as it is, or was: everything but its tasks, plan and context, which have routes of their own."""
    return run_told(here.kept, await here.desk.run(here.who, run, at))


@routes.post("/plan", summary="See how a goal would be pursued")
async def propose(body: Proposing, here: Here) -> Response:
    """Plan a goal and run nothing: a plan, a question, or what is missing. A model that plans is asked, and costs."""
    proposal = await here.desk.propose(
        here.who, body.goal, inputs=body.inputs, answers=list(body.answers.items()), planner=body.planner
    )
    plan = proposal.plan
    found = here.desk.team.check(plan) if plan is not None and plan.tasks else proposal.found
    return Answer(proposal_view(body.goal, proposal, found))


def _query(
    words: str,
    statuses: list[RunStatus] | None,
    since: str | None,
    until: str | None,
    *,
    asking: bool,
    teams: bool,
    limit: int = 1,
    cursor: str = "",
) -> RunQuery:
    wanted = words.split()
    if len(wanted) > MOST_WORDS:
        raise UsageError(f"q: {len(wanted)} words; give {MOST_WORDS} at most")
    return RunQuery(
        words=tuple(wanted),
        statuses=frozenset(one.value for one in statuses or ()),
        since=moment_in(since, "since"),
        until=moment_in(until, "until"),
        asking=asking,
        teams=teams,
        limit=limit,
        before=_place(cursor) if cursor else None,
    )


def _cursor(place: tuple[float, str]) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=")


def _place(cursor: str) -> tuple[float, str]:
    """Read a cursor; raises UsageError for what is none."""
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        started, run = msgspec.json.decode(text, type=tuple[float, str])
    except (binascii.Error, ValueError, msgspec.MsgspecError):
        raise UsageError("cursor: this is none that was given out; take the `next` of the page before") from None
    if not math.isfinite(started):
        raise UsageError("cursor: this is none that was given out; take the `next` of the page before")
    return started, run
