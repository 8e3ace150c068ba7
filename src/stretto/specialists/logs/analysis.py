"""One file from bytes to findings, in one pass; its law: memory does not grow with the file."""

from __future__ import annotations

import os
import re
from collections import Counter
from dataclasses import replace

from .clock import Clock
from .joining import Joiner
from .jsonlines import read_json
from .model import DEFAULTS, Analysis, LogFile, Options
from .reading import empty, line_blocks, unknown_format
from .records import Accepted, Anonymous, Closing, Connection, Failure, Place, Record, Session, Summary
from .services import read_vsftpd
from .syslog import Header, quiet_line, read_header, read_message, reader_of, repeated, repeats_last
from .tally import Tally
from .web import read_access, read_error, read_error_message

_VSFTPD = re.compile(r"\w{3} (\w{3}) +(\d\d?) (\d\d:\d\d:\d\d) (\d{4}) (\[pid (\d+)\] .*)")
_HOSTS_LIMIT = 10_000


def analyse_file(path: str | os.PathLike[str], options: Options = DEFAULTS) -> Analysis:
    """Analyse one log, plain or gzipped, in one pass. Raises UnreadableLog."""
    reader = _FileReader(os.fspath(path), options)
    for lines in line_blocks(path):
        reader.read(lines)
    return reader.finish()


class _FileReader:
    """Reads the lines of one file, each by the first format that fits."""

    def __init__(self, file: str, options: Options) -> None:
        self._file = file
        self._clock = Clock()
        self._tally = Tally(file, options)
        self._joiner = Joiner(file, self._tally.event)
        self._formats: Counter[str] = Counter()
        self._quiet = dict.fromkeys(("syslog", "syslog with year"), 0)
        self._web = False
        self._lines = self._blank = self._recognised = 0
        self._last_of_host: dict[str, tuple[Record, Header] | None] = {}

    def read(self, lines: list[str]) -> None:
        """Read the next lines."""
        number, clock, hosts = self._lines, self._clock, self._last_of_host
        for line in lines:
            number += 1
            if (quiet := quiet_line(line, clock)) is not None:
                kind, host = quiet
                self._quiet[kind] += 1
                if host in hosts:
                    del hosts[host]
            elif self._web and (records := read_access(line, clock)) is not None:
                self._plain("nginx access", "nginx", records, number, line)
            elif (header := read_header(line, clock)) is not None:
                self._formats[header.format] += 1
                self._syslog(header, number, line)
            elif line and not line.isspace():
                self._other(line, number)
            else:
                self._blank += 1
        self._lines = number

    def finish(self) -> Analysis:
        """The analysis of the whole file."""
        if self._lines == self._blank:
            raise empty(self._file)
        self._formats.update({kind: count for kind, count in self._quiet.items() if count})
        if not self._formats:
            raise unknown_format(self._file, self._lines)
        self._joiner.settle()
        clock = self._clock
        return self._tally.finish(
            LogFile(
                path=self._file,
                format=", ".join(name for name, _ in self._formats.most_common()),
                lines=self._lines,
                recognised=self._formats.total(),
                first=clock.first,
                last=clock.last,
            )
        )

    def _syslog(self, header: Header, number: int, line: str) -> None:
        host, program, message = header.host, header.program, header.message
        record = None
        if program == "last" and (again := repeats_last(program, message)):
            self._again(header, again, number, line)
            return
        if header.module or reader_of(program) is not None or message.startswith(("pam_", "message repeated")):
            count, inner = repeated(message)
            record = read_message(program, header.module, inner)
            if record is not None:
                self._take(_times(record, count), self._place(header, number, line))
        elif program.startswith("nginx"):
            self._nginx(header, number, line)
        if record is not None:
            if len(self._last_of_host) > _HOSTS_LIMIT:
                self._last_of_host.clear()
            self._last_of_host[host] = (record, header)
        elif host in self._last_of_host:
            del self._last_of_host[host]

    def _again(self, header: Header, again: int, number: int, line: str) -> None:
        held = self._last_of_host.get(header.host)
        if held is not None and isinstance(held[0], Failure | Connection):
            record, earlier = held
            self._take(_times(record, again), self._place(earlier, number, line))

    def _nginx(self, header: Header, number: int, line: str) -> None:
        records = read_access(header.message, Clock())
        if records is None:
            error = read_error_message(header.message.partition(": ")[2].partition(" ")[2])
            records = (error,) if error is not None else ()
        for record in records:
            self._take(record, self._place(header, number, line)._replace(program="nginx", pid=""))

    def _other(self, line: str, number: int) -> None:
        clock = self._clock
        if line.startswith("{"):
            self._json(line, number)
        elif (records := read_access(line, clock)) is not None:
            self._web = True  # most likely the next line is one too
            self._plain("nginx access", "nginx", records, number, line)
        elif (found := _VSFTPD.match(line)) is not None:
            month, day, time, year, message, pid = found.groups()
            if clock.read_dated(year, month, day, time):
                record = read_vsftpd(message[:8192])
                self._plain("vsftpd", "vsftpd", (record,) if record is not None else (), number, line, pid)
        elif (records := read_error(line, clock)) is not None:
            self._plain("nginx error", "nginx", records, number, line)

    def _json(self, line: str, number: int) -> None:
        found = read_json(line, self._clock)
        if found is None:
            return
        if found.header is not None:
            self._formats[found.header.format] += 1
            self._syslog(found.header, number, line)
        else:
            self._plain("JSON lines", "json", found.records, number, line)

    def _plain(
        self, kind: str, program: str, records: tuple[Record, ...], number: int, line: str, pid: str = ""
    ) -> None:
        self._formats[kind] += 1
        for record in records:
            self._take(record, Place("", program, pid, self._clock.t, self._clock.at, number, line))

    def _place(self, header: Header, number: int, line: str) -> Place:
        return Place(header.host, header.program, header.pid, self._clock.t, self._clock.at, number, line)

    def _take(self, record: Record, place: Place) -> None:
        match record:
            case Failure():
                self._joiner.failure(record, place)
            case Closing():
                self._joiner.closing(record, place)
            case Summary():
                self._joiner.summary(record, place)
            case Accepted() | Session():
                self._joiner.login(record, place)
            case Connection():
                self._tally.connection(record, place)
            case Anonymous():
                self._tally.anonymous(record, place, self._joiner.line(place))


def _times(record: Record, count: int) -> Record:
    """The record told `count` times over; what is told of a whole process is told once."""
    if count != 1 and isinstance(record, Failure | Connection):
        return replace(record, count=record.count * count)
    return record
