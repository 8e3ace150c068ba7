"""What a statement may do: read the tables at hand, call harmless functions, and be done in time; nothing else."""

import sqlite3
import time
from collections.abc import Collection
from importlib.resources import files

_STEPS = 5_000
_LONGEST_CELL = 4 << 20
_LIMITS = (
    (sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST_CELL),
    (sqlite3.SQLITE_LIMIT_EXPR_DEPTH, 200),
    (sqlite3.SQLITE_LIMIT_COMPOUND_SELECT, 50),
    (sqlite3.SQLITE_LIMIT_VDBE_OP, 500_000),
    (sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1_000),
    (sqlite3.SQLITE_LIMIT_ATTACHED, 0),
    (sqlite3.SQLITE_LIMIT_WORKER_THREADS, 0),
    (sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH, 1),
)
_FUNCTIONS = frozenset((files(__package__) / "functions.txt").read_text(encoding="ascii").split())
_TABLE_FUNCTIONS = frozenset({"json_each", "json_tree"})
_INSTEAD = {"total": "; use coalesce(sum(x), 0.0), which adds decimals exactly"}
_WHAT = {
    sqlite3.SQLITE_ATTACH: "ATTACH",
    sqlite3.SQLITE_DETACH: "DETACH",
    sqlite3.SQLITE_PRAGMA: "PRAGMA",
    sqlite3.SQLITE_INSERT: "INSERT",
    sqlite3.SQLITE_UPDATE: "UPDATE",
    sqlite3.SQLITE_DELETE: "DELETE",
    sqlite3.SQLITE_TRANSACTION: "a transaction",
    sqlite3.SQLITE_SAVEPOINT: "a savepoint",
}


class Guard:
    """Stands before one connection from `lock` on; `refused` says what the last statement was denied, if anything."""

    def __init__(self, store: sqlite3.Connection, readable: Collection[tuple[str, str]]) -> None:
        self._store = store
        self._readable = {(schema.lower(), table.lower()) for schema, table in readable}
        self._deadline = 0.0
        self.refused = ""
        self.late = False

    def lock(self) -> None:
        """Set limits, and from now on allow reading only."""
        for function in _TABLE_FUNCTIONS:
            self._store.execute(f"SELECT 1 FROM {function}('[]')")  # noqa: S608 - made known while that is allowed
        for limit, value in _LIMITS:
            self._store.setlimit(limit, value)
        self._store.set_authorizer(self._authorise)
        self._store.set_progress_handler(self._overdue, _STEPS)

    def begin(self, seconds: float) -> None:
        """Give the next statement so much time."""
        self._deadline = time.monotonic() + seconds
        self.refused, self.late = "", False

    def _overdue(self) -> bool:
        self.late = time.monotonic() > self._deadline
        return self.late

    def _authorise(
        self, action: int, first: str | None, second: str | None, schema: str | None, inner: str | None
    ) -> int:
        match action:
            case sqlite3.SQLITE_SELECT | sqlite3.SQLITE_RECURSIVE:
                return sqlite3.SQLITE_OK
            case sqlite3.SQLITE_READ if self._may_read(first or "", second or "", schema or ""):
                return sqlite3.SQLITE_OK
            case sqlite3.SQLITE_READ:
                self.refused = f"{first} cannot be read: it is none of the tables"
            case sqlite3.SQLITE_FUNCTION if (second or "").lower() in _FUNCTIONS:
                return sqlite3.SQLITE_OK
            case sqlite3.SQLITE_FUNCTION:
                self.refused = f"the function {second} is not allowed{_INSTEAD.get((second or '').lower(), '')}"
            case sqlite3.SQLITE_UPDATE if (first or "").startswith("sqlite_"):  # how a module makes its table known
                self.refused = "virtual tables cannot be read"
            case _:
                self.refused = (
                    f"{_WHAT.get(action, 'changing the database')} is not allowed: data is read, never changed"
                )
        return sqlite3.SQLITE_DENY

    def _may_read(self, table: str, column: str, schema: str) -> bool:
        name = table.lower()
        if not column and not schema:  # its rows are counted; a common table expression is told of in this way only
            return not name.startswith("sqlite_")
        return (schema.lower(), name) in self._readable or name in _TABLE_FUNCTIONS
