"""What is asked of a run that goes on. Each is in the journal when it is answered, and done soon after."""

from starlette.responses import Response

from stretto.servers.http.asking import Here, router, run_told
from stretto.servers.http.bodies import Cancelling, Editing, Forking, Pausing, Rating, Replanning, Resuming, Retrying

routes = router("control")


@routes.post("/runs/{run}/pause", summary="Pause a run")
async def pause(run: str, here: Here, body: Pausing | None = None) -> Response:
    """Have a run begin nothing new; what is under way ends and is kept."""
    return run_told(here.kept, await here.desk.pause(here.who, run, body.reason if body is not None else ""))


@routes.post("/runs/{run}/resume", summary="Go on with a run")
async def resume(run: str, here: Here, body: Resuming | None = None) -> Response:
    """Go on with a paused run, with another budget or deadline where one is given."""
    given = body or Resuming()
    return run_told(here.kept, await here.desk.resume(here.who, run, budget=given.budget, deadline=given.deadline))


@routes.post("/runs/{run}/cancel", summary="Stop a run")
async def cancel(run: str, here: Here, body: Cancelling | None = None) -> Response:
    """Stop a run; what is finished stays, or with `undo` is taken back first where it can be."""
    given = body or Cancelling()
    return run_told(
        here.kept, await here.desk.cancel(here.who, run, reason=given.reason, grace=given.grace, undo=given.undo)
    )


@routes.post("/runs/{run}/retry", summary="Do a task once more")
async def retry(run: str, body: Retrying, here: Here) -> Response:
    """Do a task once more, with all that fell because of it; a completed one only `again`."""
    state = await here.desk.retry(here.who, run, body.task, agent=body.agent, feedback=body.feedback, again=body.again)
    return run_told(here.kept, state)


@routes.post("/runs/{run}/edit", summary="Change the plan")
async def edit(run: str, body: Editing, here: Here) -> Response:
    """Put another plan in place, or change the one there is; finished tasks left unchanged keep their results."""
    state = await here.desk.edit(
        here.who, run, plan=body.plan, values=body.values, remove=body.remove, inputs=body.inputs
    )
    return run_told(here.kept, state)


@routes.post("/runs/{run}/replan", summary="Plan the rest anew")
async def replan(run: str, here: Here, body: Replanning | None = None) -> Response:
    """Have the unfinished part of a run planned anew, with more words to its goal."""
    return run_told(here.kept, await here.desk.replan(here.who, run, body.words if body is not None else ""))


@routes.post("/runs/{run}/rating", summary="Rate what was delivered")
async def rate(run: str, body: Rating, here: Here) -> Response:
    """Say how content you are with what a run delivered; the newest word of each person counts."""
    return run_told(here.kept, await here.desk.rate(here.who, run, body.score, body.words))


@routes.post("/runs/{run}/fork", status_code=201, summary="Fork a run")
async def fork(run: str, here: Here, body: Forking | None = None) -> Response:
    """Begin another run where this one was at a point; what it did to the world is not done again."""
    given = body or Forking()
    at = None if given.at is None else str(given.at)
    return run_told(here.kept, await here.desk.fork(here.who, run, at, plan=given.plan, inputs=given.inputs), 201)
