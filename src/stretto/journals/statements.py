"""The SQL of the journal, one statement per file."""

from functools import cache
from importlib.resources import files


@cache
def statement(name: str) -> str:
    """Give the text of `sql/NAME.sql`."""
    return (files("stretto.journals") / "sql" / f"{name}.sql").read_text(encoding="utf-8")
