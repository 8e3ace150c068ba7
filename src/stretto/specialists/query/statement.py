"""SQL as text: what is refused before it is prepared, and whether its rows can be traced to lines."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from .model import RefusedStatement

_TOKEN = re.compile(
    r"""(?P<blank>\s+|--[^\n]*|/\*.*?(?:\*/|\Z))
      | (?P<text>[xX]?'(?:[^']|'')*')
      | (?P<quoted>"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\])
      | (?P<word>[^\W\d][\w$]*)
      | (?P<number>[0-9][\w.]*)
      | (?P<sign>.)""",
    re.VERBOSE | re.DOTALL,
)
_AGGREGATES = frozenset({
    "avg", "count", "group_concat", "json_group_array", "json_group_object", "max", "min", "string_agg", "sum", "total",
})  # fmt: skip
_GATHERING = frozenset({
    "distinct", "except", "group", "having", "intersect", "join", "natural", "over", "union", "values", "with", "all",
})  # fmt: skip
_ROW_NUMBERS = ("rowid", "_rowid_", "oid")


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a statement: its kind, its text, and where it begins."""

    kind: str
    text: str
    at: int

    @property
    def word(self) -> str:
        """The word in lower case; nothing for what is none."""
        return self.text.lower() if self.kind == "word" else ""


def quoted(name: str) -> str:
    """Give a name as SQL has it, whatever is in it."""
    return '"' + name.replace('"', '""') + '"'


def checked(sql: str, longest: int) -> str:
    """Give a statement without its closing semicolon. Raises RefusedStatement unless it is one SELECT or WITH."""
    if len(sql) > longest:
        raise RefusedStatement(f"the statement has {len(sql)} characters; {longest} are the most")
    if "\0" in sql:
        raise RefusedStatement("the statement holds a NUL character; leave it out")
    tokens = list(_tokens(sql))
    while tokens and tokens[-1].text == ";":
        tokens.pop()
    if not tokens:
        raise RefusedStatement("there is no statement; give one SELECT")
    extra = next((token for token in tokens if token.text == ";"), None)
    if extra is not None:
        raise RefusedStatement(f"more than one statement (a semicolon at character {extra.at + 1}); give one SELECT")
    if tokens[0].word not in ("select", "with"):
        raise RefusedStatement(
            f"only SELECT and WITH can be run, not {tokens[0].text[:30]!r}: data is read, never changed"
        )
    return sql[: tokens[-1].at + len(tokens[-1].text)]


def traceable(sql: str) -> tuple[str, int] | None:
    """Give the only table a plain SELECT reads, and where its FROM begins; None when rows are put together.

    A SELECT is plain when it neither groups, joins, unites nor aggregates, so that each row of it is one of the table.
    """
    tokens = list(_outermost(list(_tokens(sql))))
    start = next((place for place, token in enumerate(tokens) if token.word == "from"), None)
    if start is None or any(token.word in _GATHERING for token in tokens) or len(tokens) < start + 2:
        return None
    for token, following in pairwise(tokens):
        if token.word in _AGGREGATES and following.text == "(":
            return None
    table, after = tokens[start + 1], tokens[start + 2].text if len(tokens) > start + 2 else ""
    if table.kind not in ("word", "quoted") or after in (".", "(", ","):
        return None
    return _bare(table), tokens[start].at


def with_row_number(sql: str, at: int, columns: Sequence[str]) -> str | None:
    """Give a plain SELECT with the number of each row as its last column; None when all names for that are taken."""
    name = row_number_name(columns)
    return None if name is None else f"{sql[:at]}, {name} {sql[at:]}"


def row_number_name(columns: Sequence[str]) -> str | None:
    """Give a name by which SQLite knows the number of a row and that no column has (sqlite.org/rowidtable.html)."""
    taken = {column.lower() for column in columns}
    return next((name for name in _ROW_NUMBERS if name not in taken), None)


def _tokens(sql: str) -> Iterator[Token]:
    for match in _TOKEN.finditer(sql):
        if match.lastgroup != "blank":
            yield Token(str(match.lastgroup), match[0], match.start())


def _outermost(tokens: Sequence[Token]) -> Iterator[Token]:
    """Leave out what stands in subqueries; the brackets of functions stay."""
    inside = depth = 0
    for token, following in zip(tokens, [*tokens[1:], Token("sign", "", 0)], strict=True):
        if token.text == "(":
            depth += 1
            if not inside and following.word in ("select", "with"):
                inside = depth
        if not inside:
            yield token
        if token.text == ")":
            if inside == depth:
                inside = 0
            depth -= 1


def _bare(token: Token) -> str:
    if token.kind == "word":
        return token.text
    close = token.text[-1]
    return token.text[1:-1].replace(close * 2, close) if close != "]" else token.text[1:-1]
