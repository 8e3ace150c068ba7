"""The server's app: the API under /api, how it is, and room for pages."""

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from stretto.desk import Desk
from stretto.servers.http import problems
from stretto.servers.http.rendering import Answer, Kept
from stretto.servers.http.routes import ROUTERS
from stretto.servers.http.signing import Signing
from stretto.servers.http.streams import Streams

Ready: TypeAlias = Callable[[], Awaitable[str]]
"""Says why the server is not ready; empty when it is."""

ABOUT = """Runs of one workspace: begin them, look at them, decide what they ask, and follow them live.

Every answer that is an error has the form `{"error": {"code", "message", "mend"?, "where"?, "diagnostics"?}}`.
A key goes in `Authorization: Bearer KEY`."""


def create_app(desk: Desk, *, signing: Signing, ready: Ready, streams: Streams, version: str) -> FastAPI:
    """Give the app that serves a desk. Nothing in it says who may come in: a `Guard` belongs before it."""
    app = FastAPI(title="Stretto", openapi_url=None, docs_url=None, redoc_url=None)
    problems.install(app)

    @app.get("/health")
    async def health() -> Response:
        return Answer({"status": "ok"})

    @app.get("/ready")
    async def is_ready(request: Request) -> Response:
        why = await ready()
        if why:
            problems.log.warning("not ready: %s", why)
        return Answer({"status": "unready"}, 503) if why else Answer({"status": "ready"})

    app.include_router(signing.router())
    app.mount("/api", create_api(desk, streams=streams, version=version))
    return app


def create_api(desk: Desk, *, streams: Streams, version: str) -> FastAPI:
    """Give the API alone, with its paths as they are below /api."""
    api = FastAPI(
        title="Stretto",
        version=version,
        description=ABOUT,
        openapi_url="/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    api.state.desk, api.state.kept, api.state.streams = desk, Kept(), streams
    problems.install(api)
    for router in ROUTERS:
        api.include_router(router)
    return api
