"""SQL lies in files of its own language: one statement per file, in the folder `sql` of the room that says it."""

from collections.abc import Callable
from functools import cache
from importlib.resources import files


def statements_of(room: str) -> Callable[[str], str]:
    """Give the reader of a room's SQL: it gives the text of `sql/NAME.sql` by its name, read once."""

    @cache
    def statement(name: str) -> str:
        return (files(room) / "sql" / f"{name}.sql").read_text(encoding="utf-8")

    return statement
