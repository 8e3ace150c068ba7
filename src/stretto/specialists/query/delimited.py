"""CSV and TSV to a relation, in two passes: the first finds layout and types, the second reads the rows."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from stretto.textfiles import Encoding, NotText, encoding_of

from .inference import MISSING, Inference, converted
from .model import Column, UnreadableData
from .relation import Relation, Row, distinct_names, refuse_many_columns, row_number, table_name

_DELIMITERS = ",;\t|"
_NAMED = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_SAMPLE = 256 * 1024
_SAMPLE_RECORDS = 500
_BATCH = 2_000
_MOST_NAMED = 5
_LONG_RECORD = 100
_SEPARATOR_LINE = re.compile(r"sep=(.)", re.IGNORECASE)
_YEAR = re.compile(r"(?:19|20)[0-9]{2}")

Record = tuple[int, list[str]]


def delimited_relation(file: str) -> Relation:
    """Read the layout of a CSV or TSV file. Raises UnreadableData with the line."""
    dialect = _dialect_of(file)
    names, kinds, notes = _survey(dialect)
    columns = tuple(Column(name=name, type=kind) for name, kind in zip(names, kinds, strict=True))
    return Relation(
        name=table_name(file),
        file=file,
        format="TSV" if dialect.delimiter == "\t" else "CSV",
        columns=columns,
        rows=lambda: _rows(dialect, kinds, has_header=dialect.has_header),
        traced=True,
        notes=tuple(notes),
    )


@dataclass(slots=True, kw_only=True)
class _Dialect:
    """How a file is written."""

    file: str
    encoding: Encoding
    delimiter: str
    skip_blank: bool
    skip_first_line: bool
    has_header: bool = True
    preamble: int = 0

    def records(self) -> Iterator[Record]:
        """Give the records of the table, each with the line where it begins. Raises UnreadableData."""
        return islice(self._all_records(), self.preamble, None)

    def _all_records(self) -> Iterator[Record]:
        """Give the records that are not empty."""
        stream = Path(self.file).open(encoding=self.encoding.name, errors=self.encoding.errors, newline="\n")  # noqa: SIM115
        with stream:
            before = 0
            if self.skip_first_line:
                stream.readline()
                before = 1
            reader = csv.reader(stream, delimiter=self.delimiter, skipinitialspace=self.skip_blank)
            line = before + 1
            try:
                for fields in reader:
                    if fields:
                        yield line, fields
                    line = before + reader.line_num + 1
            except csv.Error as error:
                raise UnreadableData(_csv_error(self.file, line, str(error))) from None


def _csv_error(file: str, line: int, said: str) -> str:
    if "field limit" in said or "field larger" in said:
        return f"{file}:{line}: a field of more than 128 KB; is a quotation mark left open there?"
    if "new-line character" in said:
        return f"{file}:{line}: lines end with a bare carriage return; turn them to line feeds (tr '\\r' '\\n')"
    return f"{file}:{line}: {said}; mend the line"


def _dialect_of(file: str) -> _Dialect:
    with Path(file).open("rb") as stream:
        try:
            encoding = encoding_of(stream)
        except NotText as error:
            raise UnreadableData(f"{file}: {error}; give a CSV, JSON, SQLite or Parquet file") from None
    with Path(file).open(encoding=encoding.name, errors=encoding.errors, newline="\n") as text:
        sample = text.read(_SAMPLE)
    if not sample.strip():
        raise UnreadableData(f"{file}: the file is empty; give one with at least a header")
    if len(sample) == _SAMPLE:
        sample = sample[: sample.rfind("\n") + 1] or sample
    first, _, rest = sample.partition("\n")
    named = _SEPARATOR_LINE.fullmatch(first.strip("\r\ufeff "))
    delimiter = named[1] if named else _sniffed(sample)
    return _Dialect(
        file=file,
        encoding=encoding,
        delimiter=delimiter,
        skip_blank=f'{delimiter} "' in sample and f'{delimiter}"' not in sample,
        skip_first_line=named is not None and bool(rest),
    )


def _sniffed(sample: str) -> str:
    """Give the delimiter by which most records have the same number of fields; a comma when none parts them."""
    best, delimiter = (0.0, 0), ","
    for sign in _DELIMITERS:
        try:
            records = list(islice(csv.reader(io.StringIO(sample, newline="\n"), delimiter=sign), _SAMPLE_RECORDS))
        except csv.Error:
            continue
        widths = Counter(len(record) for record in records if record)
        width, count = max(widths.items(), key=lambda item: (item[1], item[0]), default=(1, 0))
        share = round(count / max(1, widths.total()), 2)
        if width > 1 and share >= 0.5 and (share, width) > best:
            best, delimiter = (share, width), sign
    return delimiter


def _survey(dialect: _Dialect) -> tuple[list[str], list[str], list[str]]:
    """Give the names and types of the columns and what a reader should know; settles whether there is a header."""
    dialect.preamble = _preamble([len(fields) for _, fields in islice(dialect.records(), _SAMPLE_RECORDS)])
    records = dialect.records()
    first = next(records, None)
    if first is None:
        raise UnreadableData(f"{dialect.file}: it holds no record; give a file with at least a header")
    head = [cell.strip() for cell in first[1]]
    refuse_many_columns(dialect.file, len(head))
    columns, misfits, early = [Inference() for _ in head], _Misfits(len(head)), list[list[str]]()
    for batch in _batches(records):
        misfits.look(batch)
        if not early:
            early = [fields for _, fields in batch]
        for column, values in zip(columns, _turned(batch, len(head)), strict=True):
            column.see(values)
    dialect.has_header = _is_header(head, columns, early)
    if not dialect.has_header:
        for column, cell in zip(columns, head, strict=True):
            column.see([cell])
    names = distinct_names(head if dialect.has_header else [""] * len(head))
    notes = [f"{name}: {note}" for name, column in zip(names, columns, strict=True) for note in column.notes]
    if dialect.delimiter not in ",\t":
        notes.insert(0, f"fields are parted by {_NAMED.get(dialect.delimiter, repr(dialect.delimiter))}")
    if not dialect.has_header:
        notes.insert(0, "there is no header: the first line holds values")
    if dialect.preamble:
        notes.insert(0, f"the first {dialect.preamble} lines were left out: they stand above the table")
    if dialect.encoding.note:
        notes.insert(0, dialect.encoding.note)
    return names, [column.kind for column in columns], [*notes, *misfits.notes()]


def _preamble(widths: Sequence[int]) -> int:
    """Give the number of titles above a table: single fields at the beginning, where most records have several."""
    usual = Counter(widths).most_common(1)[0][0] if widths else 1
    if usual == 1 or 2 * widths.count(usual) < len(widths):
        return 0
    return next(place for place, width in enumerate(widths) if width > 1)


def _is_header(head: Sequence[str], columns: Sequence[Inference], early: Sequence[Sequence[str]]) -> bool:
    """Whether the first record names the columns: it differs in type from what is below it, or nothing speaks against.

    Years in ascending order are names, not values.
    """
    years = [cell for cell in head if _YEAR.fullmatch(cell)]
    if len(years) > 1 and years == sorted(set(years)):
        head = ["year" if cell in years else cell for cell in head]
    elif len({cell.casefold() for cell in head if cell}) < sum(map(bool, head)):
        return False
    for_it = against = 0
    for place, (cell, column) in enumerate(zip(head, columns, strict=True)):
        if column.kind != "text":
            alone = Inference()
            alone.see([cell])
            fits = cell.lower() not in MISSING and alone.kind in (column.kind, "integer", "date")
            for_it, against = for_it + (not fits), against + fits
        elif cell and any(place < len(fields) and fields[place].strip() == cell for fields in early):
            against += 1
        else:
            alone = Inference()
            alone.see([cell])
            against += alone.kind != "text"
    return for_it > against or not against


class _Misfits:
    """Records with another number of fields than the first, and records that run over very many lines."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._named: list[str] = []
        self._count = 0
        self._long: list[str] = []
        self._last: Record = (0, [])

    def look(self, batch: Sequence[Record]) -> None:
        """Look some records over."""
        for line, fields in batch:
            count = len(fields)
            if count != self._width and (count < self._width or any(map(str.strip, fields[self._width :]))):
                self._count += 1
                if len(self._named) < _MOST_NAMED:
                    rest = "the rest was left out" if count > self._width else "the missing ones are null"
                    self._named.append(f"line {line}: {count} fields under {self._width} columns; {rest}")
            if line - self._last[0] > _LONG_RECORD:
                self._look_at_last()
            self._last = line, fields

    def _look_at_last(self) -> None:
        line, fields = self._last
        if any(cell.count("\n") > _LONG_RECORD for cell in fields) and len(self._long) < _MOST_NAMED:
            self._long.append(f"line {line}: a field of more than {_LONG_RECORD} lines; is a quotation mark left open?")

    def notes(self) -> list[str]:
        """Tell of them, the first few by line."""
        self._look_at_last()
        more = self._count - len(self._named)
        return [*self._named, *([f"{more} more lines of uneven length"] if more else []), *self._long]


def _rows(dialect: _Dialect, kinds: Sequence[str], *, has_header: bool) -> Iterator[Row]:
    records = dialect.records()
    if has_header:
        next(records, None)
    for batch in _batches(records):
        turned = _turned(batch, len(kinds))
        columns = [converted(values, kind) for values, kind in zip(turned, kinds, strict=True)]
        for (line, _), values in zip(batch, zip(*columns, strict=True), strict=True):
            yield row_number(line), values


def _batches(records: Iterator[Record]) -> Iterator[list[Record]]:
    while batch := list(islice(records, _BATCH)):
        yield batch


def _turned(batch: Sequence[Record], width: int) -> list[tuple[str, ...]]:
    """Give the columns of some records: short ones are filled up, what is too much is left out."""
    even = [fields if len(fields) == width else (fields + [""] * width)[:width] for _, fields in batch]
    return list(zip(*even, strict=True))
