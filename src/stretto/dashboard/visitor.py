"""Whoever looks at a page, known by what they came with, which is asked anew at each thing they do."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, ParamSpec, TypeVar, cast

from stretto.access.roles import Credential, Permission, Principal
from stretto.core.errors import Unauthenticated
from stretto.dashboard.actions import Action
from stretto.desk import Desk, Followed

P = ParamSpec("P")
T = TypeVar("T")


class Visitor:
    """A credential before a desk. A page outlives the request that it came with, so nothing is taken for granted."""

    def __init__(self, desk: Desk, credential: Credential) -> None:
        self._desk, self._credential = desk, credential

    @property
    def desk(self) -> Desk:
        """The desk, for what its team has on offer; what runs are and do goes through `do` and `watching`."""
        return self._desk

    def who(self) -> Principal:
        """Give who this is now; raises Unauthenticated where the credential has ended."""
        return self._credential.principal()

    def may(self, permission: Permission) -> bool:
        """Tell whether there is any use in showing what takes a permission; the desk checks it all the same."""
        return self.who().may(permission)

    async def do(self, action: Action[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do something at the desk. Raises Unauthenticated, Forbidden, and what the desk raises."""
        return await action.does(self._desk, self.who(), *args, **kwargs)

    @asynccontextmanager
    async def watching(self, run: str) -> AsyncIterator[Followed]:
        """Watch a run go on; see `Desk.watching`."""
        async with self._desk.watching(self.who(), run) as followed:
            yield followed


def visitor_of(scope: Mapping[str, Any], desk: Desk) -> Visitor:
    """Give whoever sent a request, by the credential that the guard left in its scope.

    Raises Unauthenticated where there is none: a page without a guard in front of it is open to nobody.
    """
    credential = scope.get("state", {}).get("credential")
    if credential is None:
        raise Unauthenticated("this page is open to nobody: nothing in front of it says who asks")
    return Visitor(desk, cast(Credential, credential))
