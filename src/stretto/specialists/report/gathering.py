"""Puts results of any form into one document: texts become paragraphs, rows tables, figures a table, places sources."""

from collections.abc import Iterable, Mapping
from typing import Any

from stretto.specialists.report.document import Cell, Citation, Document, Section, Table

MOST_ROWS = 200
MOST_COLUMNS = 12
MOST_SECTIONS = 200
MOST_SOURCES = 500
DEEPEST = 5
_SAID = ("summary", "answer", "conclusion")
_LONG = 80
MOST_FIGURES = 5
MOST_TEXTS = 5


def gather(results: Mapping[str, Any], title: str) -> Document:
    """Give one document with a section for each result, in their order, under the names they have.

    The summary is what results call their summary or answer; `{file, line, text}` become sources, cited where
    they stood. What is left out of a long table is said under it.
    """
    writer = _Writer()
    for name, value in results.items():
        writer.section(_heading(name), value, 2)
    return Document(
        title=title,
        summary="\n\n".join(_summaries(results)),
        sections=tuple(writer.sections),
        sources=tuple(writer.sources),
        made=f"Put together from {len(results)} results, in the order they were asked for.",
        gaps=tuple(writer.gaps),
    )


class _Writer:
    def __init__(self) -> None:
        self.sections: list[Section] = []
        self.sources: list[Citation] = []
        self.gaps: list[str] = []
        self._numbers: dict[Citation, int] = {}

    def section(self, heading: str, value: Any, level: int) -> None:
        """Write a value under a heading; what is nested goes under headings of its own."""
        if len(self.sections) >= MOST_SECTIONS:
            if not self.gaps or "sections" not in self.gaps[-1]:
                self.gaps.append(f"More than {MOST_SECTIONS} sections; the others are not in this report.")
            return
        table: Table | None = None
        text, below = "", list[tuple[str, Any]]()
        cites: tuple[int, ...] = ()
        if isinstance(value, Mapping) and _is_table(value):
            table = self._table([str(one) for one in value["columns"]], value["rows"])
            rest = {name: one for name, one in value.items() if name not in ("columns", "rows")}
            text, cites, below = self._mapping(rest)
        elif isinstance(value, Mapping):
            text, cites, below = self._mapping(value)
        elif isinstance(value, list | tuple) and value and all(isinstance(one, Mapping) for one in value):
            places = [one for one in value if _is_place(one)]
            if len(places) == len(value):
                cites = self._cited(places)
            else:
                table = self._records(value)
                cites = self._cited(_places_in(value))
        elif isinstance(value, list | tuple):
            text = "\n".join(f"- {_cell(one)}" for one in value[:MOST_ROWS])
            text += f"\n- … {len(value) - MOST_ROWS} more" if len(value) > MOST_ROWS else ""
        else:
            text = "" if value is None else str(value)
        if not (table or text or cites or below):
            text = "Nothing."
        self.sections.append(Section(heading=heading, text=text, table=table, cites=cites, level=level))
        for name, inner in below:
            if level < DEEPEST:
                self.section(_heading(name), inner, level + 1)

    def _mapping(self, value: Mapping[str, Any]) -> tuple[str, tuple[int, ...], list[tuple[str, Any]]]:
        """Give the text of a mapping, its sources, and what is left to go below."""
        if _is_place(value):
            return "", self._cited([value]), []
        lines, below = [], []
        cites: tuple[int, ...] = ()
        for name, inner in value.items():
            if isinstance(inner, Mapping) and _is_place(inner):
                cites += self._cited([inner])
            elif (
                isinstance(inner, list | tuple)
                and inner
                and all(isinstance(x, Mapping) and _is_place(x) for x in inner)
            ):
                cites += self._cited(inner)
            elif isinstance(inner, Mapping | list | tuple):
                below += [(name, inner)] if inner else []
            elif isinstance(inner, str) and len(inner) > _LONG:
                lines.append(f"\n{inner}\n")
            elif inner is not None:
                lines.append(f"- {_heading(name)}: {_cell(inner)}")
        return "\n".join(lines).strip(), cites, below

    def _records(self, rows: Iterable[Mapping[str, Any]]) -> Table:
        records = list(rows)
        columns = [
            name
            for name in dict.fromkeys(name for one in records for name in one)
            if not any(isinstance(one.get(name), list | tuple) for one in records if _places_in([one]))
        ][:MOST_COLUMNS]
        return self._table(columns or ["value"], [[one.get(name) for name in columns] for one in records])

    def _table(self, columns: list[str], rows: Iterable[Any]) -> Table:
        every = [list(one) if isinstance(one, list | tuple) else [one] for one in rows]
        cells = [
            tuple(_cell(one) for one in (*row, *[None] * len(columns))[: len(columns)]) for row in every[:MOST_ROWS]
        ]
        numeric = tuple(
            number
            for number in range(len(columns))
            if cells
            and all(isinstance(row[number], int | float | None) for row in cells)
            and any(row[number] is not None for row in cells)
        )
        more = f"the first {MOST_ROWS} of {len(every)} rows" if len(every) > MOST_ROWS else ""
        return Table(columns=tuple(columns), rows=tuple(cells), numeric=numeric, caption=more)

    def _cited(self, places: Iterable[Mapping[str, Any]]) -> tuple[int, ...]:
        numbers = []
        for one in places:
            line = one.get("line")
            source = Citation(
                file=str(one["file"]),
                line=line if isinstance(line, int) and line > 0 else None,
                text=str(one.get("text", "")),
            )
            if source not in self._numbers:
                if len(self.sources) >= MOST_SOURCES:
                    continue
                self.sources.append(source)
                self._numbers[source] = len(self.sources)
            numbers.append(self._numbers[source])
        return tuple(dict.fromkeys(numbers))


def _summaries(results: Mapping[str, Any]) -> list[str]:
    found = []
    for heading, value in results.items():
        if isinstance(value, Mapping):
            said = next((value[name] for name in _SAID if isinstance(value.get(name), str) and value[name]), None)
            said = said or _told(value)
            figures = [f"{_heading(name)} {_cell(one)}" for name, one in value.items() if isinstance(one, int | float)]
            if not said and figures:
                said = f"{_heading(heading)}: {', '.join(figures[:MOST_FIGURES])}."
            found += [said] if said else []
        elif isinstance(value, str | int | float) and len(str(value)) <= _LONG:
            found.append(f"{_heading(heading)}: {_cell(value)}")
    return found


def _told(value: Mapping[str, Any]) -> str:
    """Give the first texts of a result that is a list of them: sentences, passages."""
    for inner in value.values():
        if (
            isinstance(inner, list | tuple)
            and inner
            and all(isinstance(one, Mapping) and "text" in one for one in inner)
        ):
            return " ".join(str(one["text"]) for one in inner[:MOST_TEXTS])
    return ""


def _is_table(value: Mapping[str, Any]) -> bool:
    columns, rows = value.get("columns"), value.get("rows")
    return (
        isinstance(columns, list | tuple)
        and bool(columns)
        and all(isinstance(one, str) for one in columns)
        and isinstance(rows, list | tuple)
        and all(isinstance(one, list | tuple) for one in rows)
    )


def _is_place(value: Mapping[str, Any]) -> bool:
    return isinstance(value.get("file"), str) and "line" in value and value.keys() <= {"file", "line", "text", "page"}


def _places_in(rows: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = []
    for one in rows:
        for inner in one.values():
            many = inner if isinstance(inner, list | tuple) else [inner]
            found += [place for place in many if isinstance(place, Mapping) and _is_place(place)]
    return found


def _cell(value: Any) -> Cell:
    if value is None or (isinstance(value, str | int | float) and not isinstance(value, bool)):
        return value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_cell(inner)}" for name, inner in list(value.items())[:MOST_COLUMNS])
    return ", ".join(str(_cell(one)) for one in list(value)[:MOST_COLUMNS])


def _heading(name: str) -> str:
    plain = str(name).replace("_", " ").strip()
    return plain[:1].upper() + plain[1:] if plain else "Result"
