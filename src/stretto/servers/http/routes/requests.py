"""What waits for a person, and what they say to it."""

from typing import Annotated

from fastapi import Query
from starlette.responses import Response

from stretto.answering import words_for
from stretto.servers.http.asking import At, Here, router, run_told
from stretto.servers.http.bodies import Answering
from stretto.servers.http.rendering import Answer
from stretto.views import request_view

routes = router("requests")


@routes.get("/inbox", summary="What waits for a person, in all runs")
async def inbox(
    here: Here, limit: Annotated[int, Query(ge=1, le=1000, description="How many at most.")] = 200
) -> Response:
    """Give what waits, longest first, each with its run and the decisions that it takes; `total` is how much waits."""
    found = await here.desk.inbox(here.who)
    told = [
        {"run_id": one.run, "goal": one.goal, **request_view(one.request), "decisions": words_for(one.request)}
        for one in found[:limit]
    ]
    return Answer({"requests": told, "total": len(found)})


@routes.get("/runs/{run}/requests", summary="What waits for a person in a run")
async def requests(run: str, here: Here, at: At = None) -> Response:
    """Give what a run asks, longest waiting first, each with the decisions that it takes."""
    state = await here.desk.run(here.who, run, at)
    asked = sorted(state.requests.values(), key=lambda one: (one.asked, one.id))
    return Answer({"requests": [{**request_view(one), "decisions": words_for(one)} for one in asked]})


@routes.post("/runs/{run}/requests/{request:path}", summary="Decide")
async def answer(run: str, request: str, body: Answering, here: Here) -> Response:
    """Say a person's word on what a run asks: it binds to exactly what the request shows."""
    state = await here.desk.answer(
        here.who, run, request, body.decision, value=body.value, reason=body.reason, as_name=body.as_name
    )
    return run_told(here.kept, state)
