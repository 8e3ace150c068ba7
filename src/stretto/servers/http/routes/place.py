"""The workspace: what it has on offer, who works in it, and who asks."""

from fastapi import Request
from starlette.responses import Response

from stretto.servers.http.asking import TheDesk, Who, router
from stretto.servers.http.rendering import Answer

routes = router("workspace")


@routes.get("/workspace", summary="What the workspace has on offer")
async def workspace(desk: TheDesk, who: Who) -> Response:
    """Give its name, its goal, its plans and playbooks, and the people whom it knows by name."""
    return Answer(await desk.offer(who))


@routes.get("/workspace/plans/{name}", summary="A plan of the workspace")
async def plan(name: str, desk: TheDesk, who: Who) -> Response:
    """Give a plan as it is written down, with the inputs that it asks for."""
    return Answer(await desk.plan(who, name))


@routes.get("/agents", summary="Who works here, and how they are")
async def agents(desk: TheDesk, who: Who) -> Response:
    """Give each agent with its skills, its health, and the load on it."""
    return Answer({"agents": await desk.agents(who)})


@routes.get("/session", summary="Who asks")
async def session(request: Request, who: Who) -> Response:
    """Give whom the server takes you for. A browser with a session gets its token for what changes something."""
    came = request.scope["state"].get("session")
    token = {"csrf_token": came.csrf_token()} if came is not None else {}
    return Answer(
        {
            "name": who.name,
            "roles": sorted(who.roles),
            "permissions": sorted(who.permissions),
            "workspaces": sorted(who.workspaces),
            **token,
        }
    )
