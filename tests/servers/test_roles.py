"""Every route with every role: a route that is in no table is a defect."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute
from starlette.routing import Mount

from stretto.access.roles import Role
from stretto.servers.http.routes import ROUTERS
from tests.desk.office import workspace
from tests.servers.house import ROLES, House, house, key, says

VIEWERS = {"viewer", "operator", "approver", "admin"}
OPERATORS = {"operator", "admin"}
DECIDERS = {"approver", "admin"}
WORKERS = OPERATORS | DECIDERS

TABLE: dict[tuple[str, str], tuple[set[str], Any]] = {
    ("POST", "/runs"): (OPERATORS, {"goal": "say hello"}),
    ("GET", "/runs"): (VIEWERS, None),
    ("GET", "/runs/counts"): (VIEWERS, None),
    ("GET", "/runs/{run}"): (VIEWERS, None),
    ("POST", "/plan"): (OPERATORS, {"goal": "say hello"}),
    ("GET", "/runs/{run}/events"): (VIEWERS, None),
    ("GET", "/runs/{run}/events/stream"): (VIEWERS, None),
    ("GET", "/runs/{run}/plan"): (VIEWERS, None),
    ("GET", "/runs/{run}/tasks"): (VIEWERS, None),
    ("GET", "/runs/{run}/tasks/{task}"): (VIEWERS, None),
    ("GET", "/runs/{run}/context"): (VIEWERS, None),
    ("GET", "/runs/{run}/context/{entry:path}"): (VIEWERS, None),
    ("GET", "/runs/{run}/timeline"): (VIEWERS, None),
    ("GET", "/runs/{run}/decisions"): (VIEWERS, None),
    ("GET", "/runs/{run}/audit"): (VIEWERS, None),
    ("GET", "/inbox"): (VIEWERS, None),
    ("GET", "/runs/{run}/requests"): (VIEWERS, None),
    ("POST", "/runs/{run}/requests/{request:path}"): (DECIDERS, {"decision": "approve"}),
    ("POST", "/runs/{run}/pause"): (OPERATORS, {}),
    ("POST", "/runs/{run}/resume"): (OPERATORS, {}),
    ("POST", "/runs/{run}/cancel"): (OPERATORS, {}),
    ("POST", "/runs/{run}/retry"): (OPERATORS, {"task": "loud"}),
    ("POST", "/runs/{run}/edit"): (OPERATORS, {"remove": ["post"]}),
    ("POST", "/runs/{run}/replan"): (OPERATORS, {}),
    ("POST", "/runs/{run}/rating"): (WORKERS, {"score": 5}),
    ("POST", "/runs/{run}/fork"): (OPERATORS, {}),
    ("GET", "/runs/{run}/artifacts"): (VIEWERS, None),
    ("GET", "/runs/{run}/artifacts/{task}/{name:path}"): (VIEWERS, None),
    ("GET", "/runs/{run}/artifacts/{task}"): (VIEWERS, None),
    ("POST", "/files"): (OPERATORS, b"content"),
    ("GET", "/workspace"): (VIEWERS, None),
    ("GET", "/workspace/plans/{name}"): (VIEWERS, None),
    ("GET", "/agents"): (VIEWERS, None),
    ("GET", "/numbers"): (VIEWERS, None),
    ("GET", "/session"): (VIEWERS, None),
    ("GET", "/openapi.json"): (VIEWERS, None),
}
ANYBODY = {("GET", "/health"), ("GET", "/ready"), ("GET", "/login"), ("POST", "/login"), ("GET", "/login/style.css")}
"""What is there for whoever is not known yet."""
SIGNED_IN = {("GET", "/logout"), ("POST", "/logout")}


def routes_of(app: Any) -> Iterator[tuple[str, str]]:
    for route in app.routes:
        if (included := getattr(route, "original_router", None)) is not None:
            yield from routes_of(included)
        elif not isinstance(route, Mount):
            for method in route.methods - {"HEAD"}:
                yield method, route.path


def app_of(here: House) -> Any:
    """Give the app behind the guard, as it is served."""
    return here.guard.app


async def asked(
    here: House, client: httpx.AsyncClient, method: str, path: str, body: Any, run: str, request: str
) -> httpx.Response:
    """Ask for a route with what it takes."""
    given = {"run": run, "request:path": request, "task": "loud", "entry:path": "x", "name:path": "x", "name": "post"}
    for name, value in given.items():
        path = path.replace("{" + name + "}", value)
    params = {"name": "x.txt"} if path == "/files" or path.endswith("/artifacts/loud") else {}
    sent: dict[str, Any] = {"content": body} if isinstance(body, bytes) else {} if body is None else {"json": body}
    if not path.endswith("/stream"):
        return await client.request(method, f"/api{path}", params=params, **sent)
    async with client.stream(method, f"/api{path}", params=params) as answer:
        if answer.status_code != 200:
            await answer.aread()
        return answer


async def test_every_route_is_in_the_table_and_every_row_is_a_route(tmp_path: Path) -> None:
    async with house(tmp_path / "w") as here:
        app = app_of(here)
        (api,) = [route.app for route in app.routes if isinstance(route, Mount)]
        assert set(routes_of(api)) == TABLE.keys()
        assert set(routes_of(app)) == ANYBODY | SIGNED_IN
    assert sum(isinstance(one, APIRoute) for router in ROUTERS for one in router.routes) == len(TABLE) - 1


async def test_what_only_looks_is_open_to_those_who_may_and_to_nobody_else(tmp_path: Path) -> None:
    async with house(tmp_path / "w") as here:
        for (method, path), (allowed, body) in TABLE.items():
            if method == "GET":
                await refused_and_allowed(here, method, path, body, allowed)


@pytest.mark.parametrize(("method", "path"), sorted(one for one in TABLE if one[0] != "GET"))
async def test_what_does_something_is_open_to_those_who_may_and_to_nobody_else(
    tmp_path: Path, method: str, path: str
) -> None:
    allowed, body = TABLE[method, path]
    async with house(tmp_path / "w") as here:
        await refused_and_allowed(here, method, path, body, allowed)


async def refused_and_allowed(here: House, method: str, path: str, body: Any, allowed: set[str]) -> None:
    run, request = await here.asking()
    head = (await here.viewer.get(f"/api/runs/{run}")).json()["seq"]
    says(await asked(here, here.nobody, method, path, body, run, request), 401, "unauthenticated")
    for role in sorted(set(ROLES) - allowed):
        answer = await asked(here, here.clients[role], method, path, body, run, request)
        assert says(answer, 403, "forbidden")["message"].startswith(f"{role} may not")
    assert (await here.viewer.get(f"/api/runs/{run}")).json()["seq"] == head, "what was refused changed the run"
    for role in sorted(allowed):
        answer = await asked(here, here.clients[role], method, path, body, run, request)
        assert answer.status_code not in (401, 403, 405, 500), answer.text


async def test_the_key_of_another_workspace_opens_nothing(tmp_path: Path) -> None:
    async with house(tmp_path / "w") as here:
        run, request = await here.asking()
        other = await key(here.book, "eve", Role.ADMIN, workspaces=frozenset({"elsewhere"}))
        async with httpx.AsyncClient(base_url=here.url, headers={"Authorization": f"Bearer {other}"}) as eve:
            for (method, path), (_, body) in TABLE.items():
                if path in ("/session", "/openapi.json"):
                    continue
                says(await asked(here, eve, method, path, body, run, request), 403, "forbidden")


async def test_runs_of_another_workspace_in_the_same_store_are_unknown(tmp_path: Path) -> None:
    store = tmp_path / "runs.db"
    async with house(tmp_path / "one", store=store) as one, house(tmp_path / "two", store=store) as two:
        run, request = await one.asking()
        assert (await two.viewer.get("/api/runs")).json()["runs"] == []
        assert (await two.viewer.get("/api/inbox")).json()["total"] == 0
        for (method, path), (_, body) in TABLE.items():
            if "{run}" in path:
                says(await asked(two, two.admin, method, path, body, run, request), 404, "not_found")


async def test_a_key_that_is_revoked_opens_nothing_from_then_on(tmp_path: Path) -> None:
    async with house(tmp_path / "w") as here:
        assert (await here.viewer.get("/api/runs")).status_code == 200
        await here.book.revoke(here.keys["viewer"].split("_")[1])
        error = says(await here.viewer.get("/api/runs"), 401, "unauthenticated")
        assert "revoked" in error["message"]


async def test_without_keys_whoever_sits_at_this_machine_may_everything_until_there_is_one(tmp_path: Path) -> None:
    async with house(tmp_path / "w", keys=False) as here:
        assert (await here.nobody.get("/api/session")).json()["roles"] == ["admin"]
        proxied = await here.nobody.get("/api/session", headers={"X-Forwarded-For": "203.0.113.7"})
        says(proxied, 401, "unauthenticated")
        await key(here.book, "ann", Role.VIEWER)
        says(await here.nobody.get("/api/session"), 401, "unauthenticated")


def test_the_workspace_of_these_tests_has_what_the_table_asks_for(tmp_path: Path) -> None:
    assert "loud" in (workspace(tmp_path / "w") / "plans" / "post.yaml").read_text()
