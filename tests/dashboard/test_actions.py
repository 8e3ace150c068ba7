"""Everything that a page does asks for a permission, and who lacks it is refused at the desk."""

import ast
import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from stretto import dashboard
from stretto.access.roles import EVERYWHERE, GRANTS, Permission, Principal, Role
from stretto.core.errors import Forbidden, StrettoError, Unauthenticated
from stretto.dashboard import actions
from stretto.dashboard.actions import ACTIONS, RUNS, Action
from stretto.dashboard.visitor import Visitor, visitor_of
from stretto.desk import Desk
from stretto.ports import RunQuery
from tests.desk.office import office, somebody, workspace

GIVEN: Mapping[str, Any] = {
    "run": "no-such-run", "query": RunQuery(), "goal": "Post hello", "name": "a.txt", "content": b"x", "task": "post",
    "request": "r", "decision": "approve", "text": "again",
}  # fmt: skip
"""Arguments that let an action begin; what comes after the permission may well refuse them."""


class Known:
    """A credential that stands for one principal until it is revoked."""

    def __init__(self, principal: Principal) -> None:
        self._principal: Principal | None = principal

    def revoke(self) -> None:
        self._principal = None

    def principal(self) -> Principal:
        if self._principal is None:
            raise Unauthenticated("the key was revoked")
        return self._principal


def arguments(action: Action[..., Any]) -> dict[str, Any]:
    wanted = list(inspect.signature(action.does).parameters.values())[2:]
    return {
        one.name: GIVEN.get(one.name, "x")
        for one in wanted
        if one.default is inspect.Parameter.empty and one.kind is not inspect.Parameter.VAR_KEYWORD
    }


@pytest.mark.parametrize("role", Role)
async def test_every_role_may_do_what_it_grants_and_nothing_else(role: Role, tmp_path: Path) -> None:
    async with office(workspace(tmp_path / "office")) as service:
        visitor = Visitor(service.desk, Known(somebody(role)))
        for action in ACTIONS.values():
            forbidden = False
            try:
                await visitor.do(action, **arguments(action))
            except Forbidden as error:
                forbidden = "may not" in str(error)
            except StrettoError:
                pass
            assert forbidden is (action.permission not in GRANTS[role]), action.name
            assert visitor.may(action.permission) is not forbidden


async def test_a_key_for_another_workspace_may_nothing(tmp_path: Path) -> None:
    async with office(workspace(tmp_path / "office")) as service:
        stranger = Visitor(service.desk, Known(somebody(*Role, workspaces=frozenset({"elsewhere"}))))
        for action in ACTIONS.values():
            with pytest.raises(Forbidden, match="not for this workspace"):
                await stranger.do(action, **arguments(action))


async def test_a_key_revoked_while_the_page_is_open_ends_it_at_the_next_action(tmp_path: Path) -> None:
    async with office(workspace(tmp_path / "office")) as service:
        key = Known(somebody(Role.ADMIN))
        visitor = Visitor(service.desk, key)
        await visitor.do(RUNS, RunQuery())
        key.revoke()
        with pytest.raises(Unauthenticated):
            await visitor.do(RUNS, RunQuery())


async def test_a_request_that_no_guard_has_seen_is_from_nobody(tmp_path: Path) -> None:
    async with office(workspace(tmp_path / "office")) as service:
        with pytest.raises(Unauthenticated):
            visitor_of({"type": "http"}, service.desk)


def test_the_table_holds_every_action_of_the_module() -> None:
    made = {one.name for one in vars(actions).values() if isinstance(one, Action)}
    assert made == set(ACTIONS)


def test_pages_reach_the_desk_through_the_table_alone() -> None:
    """No module of the dashboard but the table calls a method of the desk."""
    methods = {name for name in vars(Desk) if not name.startswith("_")} - {"team"}
    for file in Path(dashboard.__path__[0]).glob("*.py"):
        if file.name in ("actions.py", "visitor.py"):
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Attribute) and node.attr in methods and isinstance(node.value, ast.Attribute):
                assert node.value.attr not in ("desk", "_desk"), f"{file.name}:{node.lineno} calls desk.{node.attr}"


def test_a_principal_without_roles_may_nothing() -> None:
    nobody = Principal(name="nobody", roles=frozenset(), workspaces=EVERYWHERE)
    assert not any(nobody.may(permission) for permission in Permission)
