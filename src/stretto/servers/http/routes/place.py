"""The workspace: what it has on offer, who works in it, and who asks."""

from typing import Annotated

from fastapi import Query, Request
from starlette.responses import Response

from stretto.core.errors import UnknownRun, UsageError
from stretto.core.plan.writing import write_plan
from stretto.measuring import By
from stretto.servers.http.asking import Here, moment_in, router
from stretto.servers.http.rendering import Answer

routes = router("workspace")


@routes.get("/workspace", summary="What the workspace has on offer")
async def workspace(here: Here) -> Response:
    """Give its name, what it is for, its own goal, its plans and playbooks, and the people whom it knows by name."""
    offers = await here.desk.plans(here.who)
    known = here.desk.team.workspace
    return Answer(
        {
            "name": known.name if known else "",
            "description": known.description if known else "",
            "goal": known.goal if known else "",
            "people": sorted(known.people) if known else [],
            "offers": [
                {
                    "name": one.name,
                    "kind": one.kind,
                    "description": one.description,
                    "default": one.default,
                    "problem": one.why or None,
                }
                for one in offers
            ],
        }
    )


@routes.get("/workspace/plans/{name}", summary="A plan or playbook of the workspace")
async def plan(name: str, here: Here) -> Response:
    """Give a plan as it is written down, with the inputs that it asks for."""
    found = {one.name: one for one in reversed(await here.desk.plans(here.who))}.get(name)
    if found is None:
        raise UnknownRun(f"there is no plan or playbook {name[:200]!r} here; GET /api/workspace lists them")
    if found.plan is None:
        raise UsageError(found.why)
    return Answer(write_plan(found.plan))


@routes.get("/agents", summary="Who works here, and how they are")
async def agents(here: Here) -> Response:
    """Give each agent with its skills, its health, and the load on it."""
    return Answer({"agents": await here.desk.agents(here.who)})


@routes.get("/numbers", summary="What ended runs amount to, against what is targeted")
async def numbers(
    here: Here,
    since: Annotated[str | None, Query(max_length=40, description="Ended at this moment or later.")] = None,
    until: Annotated[str | None, Query(max_length=40, description="Ended before this moment.")] = None,
    by: Annotated[By, Query(description="What there is a row for.")] = "workflow",
) -> Response:
    """Give the numbers that docs/numbers.md defines, in all and row by row, each with its verdict and by week."""
    found = await here.desk.numbers(here.who, since=moment_in(since, "since"), until=moment_in(until, "until"), by=by)
    return Answer(found)


@routes.get("/session", summary="Who asks")
async def session(request: Request, here: Here) -> Response:
    """Give whom the server takes you for. A browser with a session gets its token for what changes something."""
    came = request.scope["state"].get("session")
    token = {"csrf_token": came.csrf_token()} if came is not None else {}
    return Answer(
        {
            "name": here.who.name,
            "roles": sorted(here.who.roles),
            "permissions": sorted(here.who.permissions),
            "workspaces": sorted(here.who.workspaces),
            **token,
        }
    )
