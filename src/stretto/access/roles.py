"""Who may do what: roles grant permissions, and whoever has none of them may nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Protocol

from stretto.core.errors import Forbidden


class Permission(StrEnum):
    """What somebody may do."""

    VIEW = "view"
    """See runs, with everything in them, and agents."""
    OPERATE = "operate"
    """Begin runs, and pause, resume, retry, edit, fork and cancel them."""
    DECIDE = "decide"
    """Approve, deny, and answer what runs ask."""
    RATE = "rate"
    """Say how content one is with what a run delivered."""
    ADMINISTER = "administer"
    """Change what holds for all runs: keys, breakers, the workspace."""


class Role(StrEnum):
    """What a key is given. Operator and approver are not nested: who starts work need not be who approves it."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    APPROVER = "approver"
    ADMIN = "admin"


GRANTS: Final[Mapping[Role, frozenset[Permission]]] = MappingProxyType(
    {
        Role.VIEWER: frozenset({Permission.VIEW}),
        Role.OPERATOR: frozenset({Permission.VIEW, Permission.OPERATE, Permission.RATE}),
        Role.APPROVER: frozenset({Permission.VIEW, Permission.DECIDE, Permission.RATE}),
        Role.ADMIN: frozenset(Permission),
    }
)
EVERYWHERE: Final = frozenset({"*"})
"""The scope of a principal whom every workspace is open to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Somebody who deals with the server: a person or a program, known by a key or, on this machine, by nothing."""

    name: str
    roles: frozenset[Role]
    workspaces: frozenset[str]
    """Names or absolute folders of workspaces, or `EVERYWHERE`."""
    key: str = ""
    """The id of the key by which it is known; empty for whoever sits at this machine."""

    @property
    def actor(self) -> str:
        """Who this is in the journal."""
        return f"person:{self.name}"

    @property
    def permissions(self) -> frozenset[Permission]:
        """Everything that the roles grant together."""
        return frozenset().union(*(GRANTS[role] for role in self.roles))

    def may(self, permission: Permission) -> bool:
        """Tell whether one of the roles grants this."""
        return any(permission in GRANTS[role] for role in self.roles)

    def reaches(self, *names: str) -> bool:
        """Tell whether a workspace, by any of the names it goes by (its own, and its folder), is open to this one."""
        return self.workspaces >= EVERYWHERE or not self.workspaces.isdisjoint(names)


class Credential(Protocol):
    """What somebody came with: a key, a session, or being at this machine. It may end at any time."""

    def principal(self) -> Principal:
        """Give who it stands for now; raises Unauthenticated where it is revoked, expired or ended."""
        ...


def owner_of_machine(name: str) -> Principal:
    """Give whoever runs Stretto on this machine without keys: their own files are theirs, and so is all else."""
    return Principal(name=name, roles=frozenset({Role.ADMIN}), workspaces=EVERYWHERE)


def require(principal: Principal, permission: Permission) -> None:
    """Do nothing where the principal has this permission; else raise Forbidden."""
    if principal.may(permission):
        return
    wanted = " or ".join(role for role, granted in GRANTS.items() if permission in granted)
    has = ", ".join(sorted(principal.roles)) or "none"
    raise Forbidden(
        f"{principal.name} may not {permission} here (roles: {has}); it takes a key with the role {wanted}, "
        "which an administrator of this server can make"
    )


def require_reach(principal: Principal, *names: str) -> None:
    """Do nothing where the workspace, by any of its names, is open to the principal; else raise Forbidden."""
    if not principal.reaches(*names):
        raise Forbidden(
            f"{principal.name}'s key is not for this workspace; "
            "an administrator of this server can make one with `stretto keys add --workspace`"
        )
