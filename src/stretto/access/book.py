"""The access book: keys and sessions in a SQLite file of their own. Any number of processes may share it."""

import contextlib
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from stretto.access.file import AccessFile, Row
from stretto.access.keys import ApiKey, NewKey, Session, read_end, read_name
from stretto.access.roles import Principal, Role, owner_of_machine
from stretto.access.statements import statement
from stretto.access.tokens import UNKNOWN, Kind, Seal, is_sealed, new_token, read_token, seal
from stretto.core.errors import StoreError, Unauthenticated, UsageError

IDLE: Final = 3600.0
"""Seconds after which a session ends that nobody used."""
LASTING: Final = 12 * 3600.0
"""Seconds after which a session ends in any case."""
MOST_SESSIONS: Final = 50
"""Sessions that one key may have open; the one not seen for longest makes room for the next."""
NOTED_EVERY: Final = 60.0
"""Seconds between two notes that a key or session was used."""

_OF_KEY = 8
"""Columns of a key in a row. Its seal, or that of the session that it opened, comes next."""
_OF_SEAL = _OF_KEY + 2
"""Columns of a key and a seal; those of a session come next."""
_ENDED = "this session has ended; sign in again"
_DOORS: Final[Mapping[Kind, tuple[str, str]]] = {
    "stretto": ("get_key", "this is no key of this server; whoever runs it makes one with `stretto keys add`"),
    "session": ("get_session", _ENDED),
}
"""How each kind of token is looked up, and what is said where it is none. Why it is none is nobody's business."""


def access_file(store: Path) -> Path:
    """Give the file with the keys to a store: `access.db` beside it."""
    return store.with_name("access.db")


class AccessBook:
    """Who may come in, and as whom.

    Opening makes the file, readable by its owner alone; raises StoreError when it cannot. Every method reads what holds
    now: a key that another process revoked opens nothing any more. Every method may raise StoreError.
    """

    def __init__(
        self,
        path: Path,
        now: Callable[[], float] = time.time,
        *,
        idle: float = IDLE,
        lasting: float = LASTING,
    ) -> None:
        self._file, self._now, self._idle, self._lasting = AccessFile(path), now, idle, lasting

    async def close(self) -> None:
        """Finish what is being written, and let the file go."""
        await self._file.close()

    async def add_key(
        self, name: str, *, roles: frozenset[Role], workspaces: frozenset[str], expires: float | None = None
    ) -> NewKey:
        """Make a key that is good until `expires`, or for ever; raises UsageError for what cannot be one.

        Roles and workspaces are as `keys.read_roles` and `keys.read_workspaces` give them.
        """
        now, token = self._now(), new_token("stretto")
        if not roles or not workspaces:
            raise UsageError("a key needs a role and a workspace: without both it opens nothing")
        key = ApiKey(
            id=token.id,
            name=read_name(name),
            roles=roles,
            workspaces=workspaces,
            created=now,
            expires=read_end(expires, now),
        )
        kept = seal(token)
        row = (key.id, key.name, _written(roles), _written(workspaces), kept.salt, kept.hash, now, key.expires)
        await self._file.write(lambda connection: connection.execute(statement("add_key"), row))
        return NewKey(key=key, text=token.text)

    async def keys(self) -> Sequence[ApiKey]:
        """Give all keys, the oldest first, also those that open nothing any more."""
        return [self._key(row) for row in self._file.all("list_keys")]

    async def revoke(self, id_: str) -> ApiKey:
        """End a key, and every session that came in with it, at once; once more changes nothing. Raises UsageError."""
        if not id_.isascii():
            raise _no_key(id_)
        moment = self._now()

        def work(connection: sqlite3.Connection) -> Row | None:
            connection.execute(statement("revoke_key"), (moment, id_))
            connection.execute(statement("end_sessions_of_key"), (id_,))
            row: Row | None = connection.execute(statement("get_key"), (id_,)).fetchone()
            return row

        row = await self._file.write(work)
        if row is None:
            raise _no_key(id_)
        return self._key(row)

    def any_keys(self) -> bool:
        """Tell whether a key was ever made. From then on everybody needs one, also when all have been revoked."""
        (found,) = self._file.one("any_key") or (0,)
        return bool(found)

    async def authenticate(self, text: str) -> Principal:
        """Give whose key this is; raises Unauthenticated when it is none, or opens nothing any more."""
        now = self._now()
        key = self._key(self._proven("stretto", text))
        _require_valid(key, now)
        await self._note(key, now)
        return key.principal

    def without_key(self, name: str) -> Principal:
        """Give whoever sits at this machine, as long as no key was ever made; raises Unauthenticated after that.

        That a request comes from this machine is for the server to know.
        """
        if self.any_keys():
            raise Unauthenticated("a key is needed here; whoever runs this server makes one with `stretto keys add`")
        return owner_of_machine(name)

    def current(self, principal: Principal) -> Principal:
        """Give the principal again, for what goes on for long; raises Unauthenticated when its key has ended."""
        if not principal.key:
            return self.without_key(principal.name)
        row = self._file.one("get_key", principal.key)
        if row is None:
            raise Unauthenticated(f"there is no key {principal.key} any more")
        key = self._key(row)
        _require_valid(key, self._now())
        return key.principal

    async def begin_session(self, text: str) -> Session:
        """Begin a session for a browser that shows a key; raises Unauthenticated. Its token is new each time."""
        principal = await self.authenticate(text)
        now, token = self._now(), new_token("session")
        kept, expires = seal(token), now + self._lasting

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(statement("end_stale_sessions"), (now, now - self._idle))
            row = (token.id, principal.key, kept.salt, kept.hash, expires, now)
            connection.execute(statement("add_session"), row)
            connection.execute(statement("end_oldest_sessions"), (principal.key, MOST_SESSIONS))

        await self._file.write(work)
        return Session(id=token.id, principal=principal, expires=expires, token=token.text)

    async def session(self, text: str, *, used: bool = True) -> Session:
        """Give the session of this token; raises Unauthenticated when it is none, or has ended.

        What asks without anybody's doing, such as an open page, says `used=False`: that keeps no session alive.
        """
        now = self._now()
        found, key, seen = self._session(text, now)
        if used:
            await self._note(key, now, found.id, seen)
        return found

    def current_session(self, text: str) -> Session:
        """Give the session of this token again, for what goes on for long; raises Unauthenticated when it has ended."""
        return self._session(text, self._now())[0]

    async def end_session(self, text: str) -> None:
        """End a session; nothing happens when this is the token of none."""
        with contextlib.suppress(Unauthenticated):
            id_ = self._proven("session", text)[_OF_SEAL]
            await self._file.write(lambda connection: connection.execute(statement("end_session"), (id_,)))

    def _session(self, text: str, now: float) -> tuple[Session, ApiKey, float]:
        """Give a session that holds, its key, and when it was last seen."""
        row = self._proven("session", text)
        id_, expires, seen = row[_OF_SEAL:]
        if expires <= now or seen <= now - self._idle:
            raise Unauthenticated(_ENDED)
        key = self._key(row)
        _require_valid(key, now)
        return Session(id=id_, principal=key.principal, expires=expires, token=text), key, seen

    def _proven(self, kind: Kind, text: str) -> Row:
        """Give the row that a token stands for, once it is proven to be the token that was given out."""
        lookup, refusal = _DOORS[kind]
        token = read_token(kind, text)
        if token is None:
            raise Unauthenticated(refusal)
        row = self._file.one(lookup, token.id)
        kept = Seal(salt=row[_OF_KEY], hash=row[_OF_KEY + 1]) if row is not None else UNKNOWN
        if not is_sealed(token, kept) or row is None:
            raise Unauthenticated(refusal)
        return row

    async def _note(self, key: ApiKey, now: float, session: str = "", seen: float = 0.0) -> None:
        """Note now and then that a key, and a session, were used; they count also where that cannot be written."""
        notes: list[tuple[str, Row]] = []
        if key.used is None or key.used <= now - NOTED_EVERY:
            notes.append(("use_key", (now, key.id, now - NOTED_EVERY)))
        pause = min(NOTED_EVERY, self._idle / 4)
        if session and seen <= now - pause:
            notes.append(("see_session", (now, session, now - pause)))
        if notes:
            with contextlib.suppress(StoreError):
                await self._file.write(
                    lambda connection: [connection.execute(statement(name), row) for name, row in notes]
                )

    def _key(self, row: Row) -> ApiKey:
        """Read the columns of a key."""
        id_, name, roles, workspaces, created, expires, used, revoked = row[:_OF_KEY]
        try:
            return ApiKey(
                id=id_,
                name=name,
                roles=msgspec.json.decode(roles, type=frozenset[Role]),
                workspaces=msgspec.json.decode(workspaces, type=frozenset[str]),
                created=created,
                expires=expires,
                used=used,
                revoked=revoked,
            )
        except msgspec.MsgspecError as error:
            raise StoreError(
                f"the key {id_} in {self._file.path} cannot be read: {error}; put a sound copy of the file in its place"
            ) from error


def _require_valid(key: ApiKey, now: float) -> None:
    """Do nothing where a key still opens something; else raise Unauthenticated."""
    match key.standing(now):
        case "revoked":
            raise Unauthenticated(f"the key {key.id} was revoked {_moment(key.revoked)}")
        case "expired":
            raise Unauthenticated(f"the key {key.id} expired {_moment(key.expires)}; whoever gave it can make another")
        case "valid":
            return


def _no_key(id_: str) -> UsageError:
    return UsageError(f"there is no key {id_[:80]!r}; `stretto keys list` shows them")


def _written(words: Iterable[str]) -> str:
    return msgspec.json.encode(sorted(words)).decode()


def _moment(at: float | None) -> str:
    return "" if at is None else f"on {datetime.fromtimestamp(at, UTC):%Y-%m-%d at %H:%M} UTC"
