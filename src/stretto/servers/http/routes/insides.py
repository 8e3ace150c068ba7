"""What is inside a run: plan, tasks, context, timeline, audit."""

from itertools import islice
from typing import Annotated, Any

from fastapi import Query
from starlette.responses import Response

from stretto.core.domain import TaskStatus
from stretto.core.timeline import timeline
from stretto.servers.http.asking import LAST_NUMBER, At, Here, require_task, router, told
from stretto.servers.http.problems import Problem
from stretto.servers.http.rendering import Answer
from stretto.views import context_view, entry_value, envelope_view, plan_view, task_view, timeline_view

routes = router("insides of runs")


@routes.get("/runs/{run}/plan", summary="The plan, as it was run")
async def plan(run: str, here: Here, at: At = None) -> Response:
    """Give the plan's tasks with what they wait for, what is delivered, and what the check found."""
    state = await here.desk.run(here.who, run, at)
    return told(here.kept, state, "plan", lambda: plan_view(state))


@routes.get("/runs/{run}/tasks", summary="List the tasks")
async def tasks(
    run: str,
    here: Here,
    at: At = None,
    statuses: Annotated[
        list[TaskStatus] | None,
        Query(alias="status", max_length=20, description="Only tasks that stand so. Repeatable."),
    ] = None,
    limit: Annotated[int, Query(ge=1, le=500, description="How many at most.")] = 100,
    cursor: Annotated[int, Query(ge=0, le=LAST_NUMBER, description="The `next` of the page before.")] = 0,
) -> Response:
    """Give a page of tasks in the order of the plan; `next` is the cursor of the next page, null on the last one."""
    state = await here.desk.run(here.who, run, at)
    wanted = frozenset(statuses or TaskStatus)

    def make() -> dict[str, Any]:
        found = (place for place in range(cursor, len(state.ids)) if state.tasks[state.ids[place]].status in wanted)
        places = list(islice(found, limit + 1))
        page = [task_view(state, state.ids[place]) for place in places[:limit]]
        return {"tasks": page, "next": places[limit] if len(places) > limit else None}

    return told(here.kept, state, f"tasks {cursor} {limit} {sorted(wanted)}", make)


@routes.get("/runs/{run}/tasks/{task}", summary="Everything of one task")
async def task(
    run: str,
    task: str,
    here: Here,
    at: At = None,
    whole: Annotated[bool, Query(description="Also values of more than some thousand characters, uncut.")] = False,
) -> Response:
    """Give a task's inputs, attempts, result, reviews, verdicts, requests, calls, and why this agent did it."""
    require_task(await here.desk.run(here.who, run, at), task)
    return Answer(await here.desk.task(here.who, run, task, at=at, whole=whole))


@routes.get("/runs/{run}/context", summary="The shared context")
async def context(run: str, here: Here, at: At = None) -> Response:
    """Give every version of every entry: who wrote it, from what, who read it, and how it begins."""
    state = await here.desk.run(here.who, run, at)
    return told(here.kept, state, "context", lambda: {"entries": context_view(state)})


@routes.get("/runs/{run}/context/{entry:path}", summary="One context entry, whole")
async def entry(run: str, entry: str, here: Here, at: At = None) -> Response:
    """Give the value of an entry: `KEY@VERSION`, or `KEY` for its newest version."""
    state = await here.desk.run(here.who, run, at)
    try:
        return Answer({"entry": entry, "value": entry_value(state, entry)})
    except LookupError as error:
        raise Problem(status=404, code="not_found", message=str(error.args[0])) from None


@routes.get("/runs/{run}/timeline", summary="When what ran")
async def times(run: str, here: Here) -> Response:
    """Give the attempts and the waits for people as stretches of time, the gaps, and how quick handoffs were."""
    state = await here.desk.run(here.who, run)
    recorded = (await here.desk.recorded(here.who, run))[: state.seq]
    return told(here.kept, state, "timeline", lambda: timeline_view(timeline(one.event for one in recorded)))


@routes.get("/runs/{run}/decisions", summary="Every decision, with its reason and outcome")
async def decisions(run: str, here: Here) -> Response:
    """Give what policies and people decided, why, and what came of it, oldest first."""
    return Answer({"decisions": await here.desk.decisions(here.who, run)})


@routes.get("/runs/{run}/audit", summary="The record, with its chain of hashes")
async def audit(
    run: str,
    here: Here,
    after: Annotated[
        int, Query(ge=0, le=LAST_NUMBER, description="The number of the last event of the page before.")
    ] = 0,
    limit: Annotated[int, Query(ge=1, le=5000, description="How many at most.")] = 1000,
) -> Response:
    """Give events as they are stored, and whether the whole run's chain holds (`broken_at` is null when it does).

    Each hash is the SHA-256 of: the hash before, run, number, moment, actor, type, version and the payload's length,
    each followed by a line feed; then the payload.
    """
    envelopes, broken = await here.desk.audit(here.who, run)
    page = envelopes[after : after + limit]
    more = after + limit < len(envelopes)
    return Answer(
        {
            "run_id": run,
            "holds": broken is None,
            "broken_at": broken,
            "head": envelopes[-1].hash if envelopes else None,
            "events": [envelope_view(one) for one in page],
            "next": page[-1].seq if more else None,
        }
    )
