"""Runs: begin one, find them, look at one."""

from typing import Annotated

from fastapi import APIRouter, Header
from starlette.responses import Response

from stretto.servers.http.asking import TheDesk, Who
from stretto.servers.http.bodies import NewRun
from stretto.servers.http.rendering import Answer
from stretto.views import Run

router = APIRouter(tags=["runs"])


@router.post("/runs", status_code=201, summary="Begin a run")
async def begin(
    body: NewRun,
    desk: TheDesk,
    who: Who,
    key: Annotated[str, Header(alias="Idempotency-Key", max_length=200)] = "",
) -> Response:
    """Begin a run; it is in the journal when this is answered."""
    state, new = await desk.submit(
        who,
        body.goal,
        plan=body.plan,
        inputs=body.inputs,
        budget=body.budget,
        deadline=body.deadline,
        planner=body.planner,
        key=key,
    )
    where = {"Location": f"/api/runs/{state.run}"}
    return Answer({"run_id": state.run, "status": Run(state=state).status, "new": new}, 201 if new else 200, where)


@router.get("/runs/{run}", summary="Look at a run")
async def look(run: str, desk: TheDesk, who: Who) -> Response:
    """Give a run as it is."""
    return Answer(Run(state=await desk.run(who, run)).as_json())
