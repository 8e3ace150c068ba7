"""Roles grant permissions, one table says which, and nothing else opens anything."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stretto.access.roles import (
    EVERYWHERE,
    Permission,
    Principal,
    Role,
    owner_of_machine,
    require,
    require_reach,
)
from stretto.core.errors import Forbidden

PAGE = (Path(__file__).parents[2] / "docs" / "access.md").read_text(encoding="utf-8")
ROLES = st.frozensets(st.sampled_from(Role))
NAMES = st.frozensets(st.text("ab/é ", min_size=1, max_size=6), max_size=4)
EXPECTED = {
    "viewer": {"view"},
    "operator": {"view", "operate", "rate"},
    "approver": {"view", "decide", "rate"},
    "admin": {"view", "operate", "decide", "rate", "administer"},
}


def principal(roles: frozenset[Role], workspaces: frozenset[str] = EVERYWHERE) -> Principal:
    return Principal(name="ann", roles=roles, workspaces=workspaces, key="k")


@given(ROLES, st.sampled_from(Permission))
def test_a_principal_may_what_one_of_its_roles_grants_and_nothing_else(
    roles: frozenset[Role], permission: Permission
) -> None:
    one = principal(roles)
    assert one.may(permission) is any(permission.value in EXPECTED[role.value] for role in roles)
    assert one.may(permission) is (permission in one.permissions)


@given(ROLES, ROLES)
def test_another_role_takes_nothing_away(some: frozenset[Role], more: frozenset[Role]) -> None:
    assert principal(some).permissions | principal(more).permissions == principal(some | more).permissions


def test_who_starts_work_need_not_be_who_approves_it() -> None:
    starts, approves = principal(frozenset({Role.OPERATOR})), principal(frozenset({Role.APPROVER}))
    assert not starts.may(Permission.DECIDE)
    assert not approves.may(Permission.OPERATE)


@given(ROLES, st.sampled_from(Permission))
def test_what_one_may_not_is_refused_with_the_roles_that_may(roles: frozenset[Role], permission: Permission) -> None:
    one = principal(roles)
    if one.may(permission):
        require(one, permission)
        return
    with pytest.raises(Forbidden) as refused:
        require(one, permission)
    told = str(refused.value).partition("with the role ")[2].partition(",")[0].split(" or ")
    assert set(told) == {role for role, granted in EXPECTED.items() if permission.value in granted}
    assert f"may not {permission}" in str(refused.value)


@given(NAMES, NAMES)
def test_a_key_reaches_the_workspaces_it_names_and_no_other(scope: frozenset[str], called: frozenset[str]) -> None:
    one = principal(frozenset({Role.ADMIN}), scope)
    assert one.reaches(*called) is bool(scope & called)
    if not scope & called:
        with pytest.raises(Forbidden, match="not for this workspace"):
            require_reach(one, *called)


@given(NAMES)
def test_a_key_for_all_workspaces_reaches_each(called: frozenset[str]) -> None:
    one = principal(frozenset({Role.VIEWER}))
    assert one.reaches(*called)
    require_reach(one, *called)


def test_a_principal_without_roles_and_scope_opens_nothing() -> None:
    nobody = principal(frozenset(), frozenset())
    assert not nobody.permissions
    assert not nobody.reaches("", "a", "*")


def test_whoever_sits_at_the_machine_may_everything() -> None:
    owner = owner_of_machine("ann")
    assert owner.permissions == frozenset(Permission)
    assert owner.reaches("anything")
    assert (owner.actor, owner.key) == ("person:ann", "")


def test_the_page_shows_the_table_as_it_is() -> None:
    head, *rows = re.findall(r"^\| (.+) \|$", PAGE.partition("## Roles")[2].partition("\n## ")[0], re.M)
    names = [cell.strip() for cell in head.split("|")][1:]
    shown = {}
    for row in rows:
        role, *marks = [cell.strip().strip("`") for cell in row.split("|")]
        if role in set(Role):
            shown[role] = {name for name, mark in zip(names, marks, strict=True) if mark == "yes"}
    assert names == [permission.value for permission in Permission]
    assert shown == EXPECTED
