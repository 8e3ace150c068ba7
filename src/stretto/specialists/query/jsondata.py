"""JSON and JSON Lines to relations: an object is a row, objects in it are columns with dotted names, lists are JSON."""

import json
import re
from collections.abc import Callable, Iterator
from functools import partial
from json.decoder import JSONDecodeError
from pathlib import Path
from typing import Any, NoReturn

from stretto.textfiles import Encoding, NotText, encoding_of

from .model import Column, Options, UnreadableData, Value
from .relation import Relation, Row, distinct_names, refuse_many_columns, row_number, table_name

_DEEPEST = 8
_SPACE = re.compile(r"[ \t\r\n]*")
_LARGEST = 1 << 63

Found = tuple[int, int, Any]
"""The line where a record begins, its place among the records of that line, and the record."""


def json_relations(file: str, options: Options) -> list[Relation]:
    """Read the tables of a JSON or JSON Lines file. Raises UnreadableData with the line.

    A list of objects is a table; an object with lists of objects in it is a table for each of them, and one for what
    it holds besides.
    """
    encoding = _encoding(file)
    if _is_lines(file, encoding):
        records = partial(_line_records, file, encoding)
        return [_relation(table_name(file), file, "JSON Lines", records, encoding)]
    size = Path(file).stat().st_size
    if size > options.document_bytes:
        limit = options.document_bytes >> 20
        raise UnreadableData(f"{file}: larger than {limit} MB; turn it to JSON Lines, one record a line (jq -c '.[]')")
    document = _Document(file, Path(file).read_text(encoding=encoding.name, errors=encoding.errors))
    return [
        _relation(f"{table_name(file)}{suffix}", file, "JSON", records, encoding)
        for suffix, records in document.tables().items()
    ]


def _encoding(file: str) -> Encoding:
    with Path(file).open("rb") as stream:
        try:
            return encoding_of(stream)
        except NotText as error:
            raise UnreadableData(f"{file}: {error}; give a CSV, JSON, SQLite or Parquet file") from None


def _is_lines(file: str, encoding: Encoding) -> bool:
    """Whether the first line that is not blank is a whole JSON value, and another one follows."""
    if file.lower().endswith((".jsonl", ".ndjson")):
        return True
    with Path(file).open(encoding=encoding.name, errors=encoding.errors, newline="\n") as stream:
        filled = (line for line in stream if line.strip())
        try:
            json.loads(next(filled, ""))
        except (ValueError, RecursionError):
            return False
        return next(filled, None) is not None


def _line_records(file: str, encoding: Encoding) -> Iterator[Found]:
    with Path(file).open(encoding=encoding.name, errors=encoding.errors, newline="\n") as stream:
        for number, line in enumerate(stream, start=1):
            if line.strip():
                try:
                    yield number, 0, _DECODER.decode(line)
                except (ValueError, RecursionError) as error:
                    raise UnreadableData(_say(file, number, error)) from None


class _Document:
    """One JSON value, walked record by record so that their lines are known and one is in memory at a time."""

    def __init__(self, file: str, text: str) -> None:
        self._file = file
        self._text = text

    def tables(self) -> dict[str, Callable[[], Iterator[Found]]]:
        """Give the records of each table, by what its name has besides the file's."""
        start = self._blank(0)
        first = self._text[start : start + 1]
        if not first:
            raise UnreadableData(f"{self._file}: the file is empty; give one with at least one record")
        if first == "[":
            return {"": lambda: self._elements(start)}
        if first != "{":
            return {"": lambda: iter([(1, 0, self._value(start)[0])])}
        lists, rest = self._members(start)
        tables: dict[str, Callable[[], Iterator[Found]]] = {}
        for key, at in lists.items():
            tables[f"_{re.sub(r'[^0-9A-Za-z]+', '_', key).strip('_')}"] = partial(self._elements, at)
        if rest or not tables:
            tables = {"": lambda: iter([(self._line(start), 0, rest)])} | tables
        return tables

    def _members(self, start: int) -> tuple[dict[str, int], dict[str, Any]]:
        """Give where an object's lists of objects begin, and its other members."""
        lists: dict[str, int] = {}
        rest: dict[str, Any] = {}
        at = self._blank(start + 1)
        if self._text[at : at + 1] != "}":
            while True:
                key, at = self._value(at)
                at = self._expect(":", self._blank(at))
                value, end = self._value(at)
                if isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
                    lists[str(key)] = at
                else:
                    rest[str(key)] = value
                at = self._blank(end)
                if self._text[at : at + 1] == "}":
                    break
                at = self._expect(",", at)
        self._refuse_more(at + 1)
        return lists, rest

    def _elements(self, start: int) -> Iterator[Found]:
        at, line, before, ordinal = self._blank(start + 1), self._line(start), start, 0
        if self._text[at : at + 1] == "]":
            return
        while True:
            if breaks := self._text.count("\n", before, at):
                line, ordinal = line + breaks, 0
            before = at
            value, at = self._value(at)
            yield line, ordinal, value
            ordinal += 1
            at = self._blank(at)
            if self._text[at : at + 1] == "]":
                break
            at = self._expect(",", at)
        if start == self._blank(0):
            self._refuse_more(at + 1)

    def _value(self, at: int) -> tuple[Any, int]:
        try:
            return _DECODER.raw_decode(self._text, at)
        except JSONDecodeError as error:
            raise UnreadableData(_say(self._file, self._line(error.pos), error)) from None
        except (ValueError, RecursionError) as error:
            raise UnreadableData(_say(self._file, self._line(at), error)) from None

    def _expect(self, sign: str, at: int) -> int:
        if self._text[at : at + 1] != sign:
            met = repr(self._text[at : at + 10]) if at < len(self._text) else "its end"
            raise UnreadableData(f"{self._file}:{self._line(at)}: a {sign!r} is missing before {met}; mend the JSON")
        return self._blank(at + 1)

    def _refuse_more(self, at: int) -> None:
        end = self._blank(at)
        if end < len(self._text):
            raise UnreadableData(f"{self._file}:{self._line(end)}: more text after the end of the JSON; leave it out")

    def _blank(self, at: int) -> int:
        match = _SPACE.match(self._text, at)
        return match.end() if match else at

    def _line(self, at: int) -> int:
        return self._text.count("\n", 0, at) + 1


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(parse_constant=_no_number)


def _say(file: str, line: int, error: Exception) -> str:
    said = error.msg if isinstance(error, JSONDecodeError) else str(error)
    if isinstance(error, RecursionError):
        said = "it is nested too deeply"
    return f"{file}:{line}: not JSON: {said}; mend the line"


def _relation(name: str, file: str, kind: str, records: Callable[[], Iterator[Found]], encoding: Encoding) -> Relation:
    """Find the columns of a table in a first pass over its records."""
    types: dict[str, set[str]] = {}
    for _, _, record in records():
        for key, value in flattened(record):
            types.setdefault(key, set()).add(_type(value))
        refuse_many_columns(file, len(types))
    keys = list(types)
    columns = [
        Column(name=column, type=_common(types[key])) for key, column in zip(keys, distinct_names(keys), strict=True)
    ]
    return Relation(
        name=name,
        file=file,
        format=kind,
        columns=tuple(columns),
        rows=lambda: _rows(records(), keys),
        traced=True,
        notes=(encoding.note,) if encoding.note else (),
    )


def flattened(record: Any) -> Iterator[tuple[str, Value | bool]]:
    """Give the columns of one record; what is no object is a column named `value`, a list has `value1`, `value2`..."""
    if isinstance(record, dict):
        yield from _members(record, "", 1)
    elif isinstance(record, list):
        for place, value in enumerate(record, start=1):
            yield f"value{place}", _plain(value)
    else:
        yield "value", _plain(record)


def _members(record: dict[str, Any], prefix: str, depth: int) -> Iterator[tuple[str, Value | bool]]:
    for key, value in record.items():
        if isinstance(value, dict) and value and depth < _DEEPEST:
            yield from _members(value, f"{prefix}{key}.", depth + 1)
        else:
            yield f"{prefix}{key}", _plain(value)


class _JsonText(str):
    """A list or object, as JSON text."""

    __slots__ = ()


def _plain(value: Any) -> Value | bool:
    if isinstance(value, list | dict):
        return _JsonText(json.dumps(value, ensure_ascii=False, separators=(",", ":")))
    if isinstance(value, int) and not -_LARGEST <= value < _LARGEST:
        return str(value)
    if isinstance(value, float) and value - value != 0:
        return str(value)
    if isinstance(value, str) and not value.isascii():
        return value.encode("utf-8", "replace").decode()  # half a surrogate pair is not text
    return value  # type: ignore[no-any-return]


def _type(value: Value | bool) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "decimal"
        case _JsonText():
            return "json"
        case _:
            return "text"


def _common(types: set[str]) -> str:
    kinds = types - {"null"}
    if kinds == {"integer", "decimal"}:
        return "decimal"
    if len(kinds) == 1:
        return kinds.pop()
    return "mixed" if kinds else "null"


def _rows(records: Iterator[Found], keys: list[str]) -> Iterator[Row]:
    for line, ordinal, record in records:
        values = dict(flattened(record))
        yield row_number(line, ordinal), [_stored(values.get(key)) for key in keys]


def _stored(value: Value | bool) -> Value:
    if isinstance(value, bool):
        return int(value)
    return str(value) if isinstance(value, _JsonText) else value
