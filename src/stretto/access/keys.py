"""API keys and sessions, as they are known to people: everything but the secrets."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from stretto.access.roles import EVERYWHERE, Principal, Role
from stretto.access.tokens import csrf_token, is_csrf_token
from stretto.core.errors import UsageError
from stretto.views import moment

LONGEST_LIFE = 36525 * 86400.0
"""Seconds that a key may live at most: a hundred years."""
LONGEST_SCOPE = 500
"""Letters of the name or folder of a workspace."""
MOST_SCOPES = 100
"""Workspaces that one key may be for, when it is not for all."""

_NAME = re.compile(r"\w[\w.@+-]{0,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key: whose it is, what it is good for, and its history. Moments are seconds since the epoch."""

    id: str
    name: str
    roles: frozenset[Role]
    workspaces: frozenset[str]
    created: float
    expires: float | None = None
    used: float | None = None
    """When it was last seen, give or take a minute."""
    revoked: float | None = None

    def standing(self, now: float) -> Literal["valid", "expired", "revoked"]:
        """Say how it stands at a moment."""
        if self.revoked is not None:
            return "revoked"
        return "expired" if self.expires is not None and self.expires <= now else "valid"

    @property
    def principal(self) -> Principal:
        """Who comes in with it."""
        return Principal(name=self.name, roles=self.roles, workspaces=self.workspaces, key=self.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """A key just made. `text` is the only time that it can be seen."""

    key: ApiKey
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A browser that came in with a key. It ends at `expires`, or sooner when it is idle or its key ends."""

    id: str
    principal: Principal
    expires: float
    token: str = field(repr=False)
    """What the browser keeps in a cookie that no script reads."""

    def csrf_token(self) -> str:
        """Give a token for the forms of this session, another each time."""
        return csrf_token(self.token)

    def accepts(self, csrf: str) -> bool:
        """Tell whether a form came from a page of this session."""
        return is_csrf_token(self.token, csrf)


def key_view(key: ApiKey, now: float) -> dict[str, object]:
    """Give a key as JSON, without what opens anything."""
    return {
        "id": key.id,
        "name": key.name,
        "roles": sorted(key.roles),
        "workspaces": sorted(key.workspaces),
        "created": moment(key.created),
        "expires": moment(key.expires),
        "used": moment(key.used),
        "revoked": moment(key.revoked),
        "standing": key.standing(now),
    }


def read_name(text: str) -> str:
    """Read the name that a key is for, in the one way Unicode writes it; raises UsageError.

    It becomes the actor `person:NAME`, so that it holds nothing that could be read as more than a name.
    """
    name = unicodedata.normalize("NFC", text)
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{text[:80]!r} cannot be the name of a key: it has 1 to 64 letters, digits and . _ - @ +, and begins with "
            "a letter, digit or _; take the name by which the workspace knows the person"
        )
    return name


def read_roles(words: Iterable[str]) -> frozenset[Role]:
    """Read roles by their names; raises UsageError when there is none, or one that is none."""
    known, given = [role.value for role in Role], list(words)
    for word in given:
        if word not in known:
            raise UsageError(f"there is no role {word!r}; roles are {', '.join(known)}")
    if not given:
        raise UsageError(f"a key needs a role: give one or more of {', '.join(known)} with --role")
    return frozenset(map(Role, given))


def read_workspaces(words: Iterable[str]) -> frozenset[str]:
    """Read what a key is for: `all` or `*`, or names and folders of workspaces; raises UsageError.

    What has a separator in it, or is `.` or `..`, is a folder and becomes absolute; all else is a name.
    """
    given = frozenset(_scope(word) for word in words)
    if not given:
        raise UsageError("a key is for some workspace: give its name, or `all`")
    if given > EVERYWHERE:
        raise UsageError("a key is for all workspaces or for some: leave out `all`, or the others")
    if len(given) > MOST_SCOPES:
        raise UsageError(f"a key is for {MOST_SCOPES} workspaces at most, or for `all`; these are {len(given)}")
    return given


def read_end(at: float | None, now: float) -> float | None:
    """Read when a key ends, in seconds since the epoch, or that it never does; raises UsageError."""
    if at is not None and not now < at <= now + LONGEST_LIFE:
        raise UsageError("a key ends in the future, and within a hundred years; leave the end out for one that stays")
    return at


def _scope(word: str) -> str:
    if word in ("all", "*"):
        return "*"
    if not word.strip() or not word.isprintable() or len(word) > LONGEST_SCOPE:
        raise UsageError(f"{word[:60]!r} is no name of a workspace; give its `name`, its folder, or `all`")
    if "/" not in word and word not in (".", ".."):
        return word
    try:
        folder = Path(word).expanduser().resolve()
    except RuntimeError:
        raise UsageError(f"nobody is called {word.partition('/')[0][1:]!r} here; give the folder in full") from None
    if not folder.is_dir() or not str(folder).isprintable():
        raise UsageError(f"there is no folder {folder}; give the name or the folder of a workspace, or `all`")
    return str(folder)
