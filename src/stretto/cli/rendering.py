"""Any JSON result as text for people: what it says first, then its parts, lists of like things as tables."""

from collections.abc import Iterator

from stretto.cli.text import clean, one_line
from stretto.core.domain import Json

WIDEST_CELL = 60
WIDEST_TABLE = 140
MOST_ROWS = 200


def rendered(body: dict[str, Json]) -> str:
    """Give the result of a call as text; empty when there is none."""
    lines = list(_parts(body["output"], "")) if body["status"] == "completed" else []
    for one in body["artifacts"]:
        if one["path"]:
            lines.append(f"file: {one_line(one['path'])}")
    return "".join(f"{line}\n" for line in lines)


def as_text(value: Json) -> str:
    """Give any JSON value as text."""
    return "\n".join(_parts(value, ""))


def _parts(value: Json, indent: str) -> Iterator[str]:
    match value:
        case dict():
            yield from _mapping(value, indent)
        case list():
            yield from _listing(value, indent)
        case str():
            yield from (f"{indent}{line}".rstrip() for line in clean(value).split("\n"))
        case _:
            yield f"{indent}{_cell(value)}"


def _mapping(value: dict[str, Json], indent: str) -> Iterator[str]:
    text = value.get("text")
    if isinstance(text, str) and text:
        yield from _parts(text, indent)
        if len(value) > 1:
            yield ""
    for name, inner in _rows_named(value).items():
        if name == "text" or inner in (None, "", [], {}):
            continue
        if isinstance(inner, dict | list) or (isinstance(inner, str) and "\n" in inner):
            yield f"{indent}{one_line(name)}:"
            yield from _parts(inner, indent + "  ")
        else:
            yield f"{indent}{one_line(name)}: {_cell(inner)}"


def _rows_named(value: dict[str, Json]) -> dict[str, Json]:
    """Give a table that has its columns' names apart, as query results have, as a list of mappings."""
    columns = value.get("columns")
    under = next((name for name in ("rows", "sample") if isinstance(value.get(name), list)), "")
    if not isinstance(columns, list) or not columns or not under:
        return value
    names = [one.get("name") if isinstance(one, dict) else one for one in columns]
    if not all(isinstance(name, str) for name in names) or len(set(names)) < len(names):
        return value
    rows = value[under]
    if not all(isinstance(row, list) and len(row) == len(names) for row in rows):
        return value
    return {**value, under: [dict(zip(names, row, strict=True)) for row in rows]}


def _listing(values: list[Json], indent: str) -> Iterator[str]:
    rows = values[:MOST_ROWS]
    table = _table(rows)
    if table is not None:
        yield from (f"{indent}{line}".rstrip() for line in table)
    else:
        for one in rows:
            lines = list(_parts(one, ""))
            yield f"{indent}- {lines[0] if lines else ''}".rstrip()
            yield from (f"{indent}  {line}".rstrip() for line in lines[1:] if line)
    if len(values) > len(rows):
        yield f"{indent}… {len(values) - len(rows)} more; --json has all"


def _table(rows: list[Json]) -> list[str] | None:
    """Give like flat mappings as a table, or None when they are not, or would not fit."""
    if not rows or not all(isinstance(one, dict) for one in rows):
        return None
    names = list(rows[0])
    if any(list(one) != names or any(isinstance(inner, dict | list) for inner in one.values()) for one in rows):
        return None
    names = [name for name in names if any(one[name] not in (None, "") for one in rows)]
    cells = [[one_line(name) for name in names], *([_cell(one[name]) for name in names] for one in rows)]
    widths = [max(len(row[place]) for row in cells) for place in range(len(names))]
    if max(widths, default=0) > WIDEST_CELL or sum(widths) + 2 * len(widths) > WIDEST_TABLE:
        return None
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in cells]


def _cell(value: Json) -> str:
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:.12g}"
    return one_line(str(value))
