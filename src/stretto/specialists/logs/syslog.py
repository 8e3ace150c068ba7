"""Syslog lines of every common shape to a header and a message; noise is left after the header alone."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from .clock import Clock
from .pam import read_pam
from .records import Record
from .services import (
    read_dovecot,
    read_ftpd,
    read_kerberos,
    read_login,
    read_postfix,
    read_proftpd,
    read_pureftpd,
    read_vsftpd,
)
from .sshd import read_dropbear, read_sshd

_MESSAGE_LIMIT = 4096  # daemons write less; it keeps a hostile message from costing much

_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_TIME = r"(\d\d:\d\d:\d\d)(?:\.\d+)?"
_PRI = r"(?:<\d{1,3}>)?"
# The facility that some write before the program or the host, then the host (some leave it out) and the tag.
_FACILITY = r"(?:<\w+\.\w+> )?"
_REST = (
    rf"{_FACILITY}(?:([^\s:\[]+) +)?(?:(?:auth|authpriv|daemon|user|kern|mail|cron|syslog|local\d|ftp)\.\w+ )?"
    r"([^\s:\[(]+)(?:\(([\w.-]*)\))?(?:\[(\d+)\])?:? ?(.*)"
)
_YEARLESS = re.compile(rf"{_PRI}({_MONTH} [ \d]?\d \d\d:\d\d:\d\d)(?:\.\d+)? {_REST}")
_YEAR_LAST = re.compile(rf"{_PRI}({_MONTH}) +(\d\d?),? (\d{{4}}) {_TIME}:? {_REST}")
_YEAR_FIRST = re.compile(rf"{_PRI}(\d{{4}}) ({_MONTH}) +(\d\d?) {_TIME}:? {_REST}")
_ISO_STAMP = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z| ?[+-]\d\d:?\d\d| UTC)?"
_ISO = re.compile(rf"{_PRI}(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) )?({_ISO_STAMP}) {_REST}")
_RFC5424 = re.compile(
    rf"{_PRI}1 ({_ISO_STAMP}|-) (\S+) (\S+) (\S+) \S+ "
    r"(?:-|(?:\[(?:[^\]\"\\]|\\.|\"(?:[^\"\\]|\\.)*\")*\])+)(?: \ufeff?(.*))?$"
)
_ZONES = frozenset({"", "Z"})
_ZONE = re.compile(r"[+-]\d\d:?\d\d$")
_PREFIXES = frozenset({"pam_", "PAM ", "mess", ""})
_LAST_REPEATED = re.compile(r"last message repeated (\d+) times?")
_REPEATED = re.compile(r"message repeated (\d+) times: \[ ?(.*)")


class Header(NamedTuple):
    """A syslog line taken apart; `module` is the PAM module of the old tag `sshd(pam_unix)`."""

    format: str
    host: str
    program: str
    module: str
    pid: str
    message: str


def read_header(line: str, clock: Clock) -> Header | None:
    """The header and message of a syslog line, the clock set to its time; None if it is no syslog line."""
    if (found := _YEARLESS.match(line)) is not None:
        stamp, host, program, module, pid, message = found.groups()
        if clock.read_yearless(stamp if len(stamp) == 15 else f"{stamp[:4]} {stamp[4:]}"):
            return Header("syslog", host or "", program, module or "", pid or "", message)
    return _read_dated_header(line, clock)


def _read_dated_header(line: str, clock: Clock) -> Header | None:
    if found := _RFC5424.match(line):
        stamp, host, program, pid, message = found.groups()
        if stamp == "-" or clock.read_iso(stamp):
            return Header("syslog RFC 5424", host, program, "", pid if pid != "-" else "", message or "")
    if found := _ISO.match(line):
        stamp, host, program, module, pid, message = found.groups()
        known = clock.read_iso(stamp)
    elif found := _YEAR_FIRST.match(line):
        year, month, day, time, host, program, module, pid, message = found.groups()
        known = clock.read_dated(year, month, day, time)
    elif found := _YEAR_LAST.match(line):
        month, day, year, time, host, program, module, pid, message = found.groups()
        known = clock.read_dated(year, month, day, time)
    else:
        return None
    return Header("syslog with year", host or "", program, module or "", pid or "", message) if known else None


def quiet_line(line: str, clock: Clock) -> tuple[str, str] | None:
    """The format and host of a line that is syslog for certain and tells nothing of logins, the clock set to its time.

    None says no more than that the line needs a closer look; this is the fast way round most lines of most logs.
    """
    if line[10:11] == "T" and line[4:5] == "-":
        end = line.find(" ")
        zone = line[19:end].lstrip(".0123456789")
        known = zone in _ZONES or _ZONE.match(zone) is not None
        if not known or not clock.read_dated(line[:4], line[5:7], line[8:10], line[11:19], zone.strip("Z")):
            return None
        kind, rest = "syslog with year", line[end + 1 :]
    elif line[9:10] == ":" == line[12:13] and line[15:16] == " " and line[3:4] == " " and line[6:7] == " ":
        if not clock.read_yearless(line[:15]):
            return None
        kind, rest = "syslog", line[16:]
    else:
        return None
    parts = rest.split(" ", 2)
    if len(parts) != 3 or parts[1][-1:] != ":" or parts[0][-1:] == ":":
        return None
    if _may_tell(parts[1].partition("[")[0]):
        return None
    if parts[2][:4] in _PREFIXES and not parts[2].startswith("pam_unix(cron:"):
        return None
    return kind, parts[0]


@lru_cache(maxsize=4096)
def _may_tell(program: str) -> bool:
    return "(" in program or program.startswith("nginx") or reader_of(program.rstrip(":")) is not None


def read_message(program: str, module: str, message: str) -> Record | None:
    """The record that a program's message tells of, if any."""
    if module or message.startswith(("pam_", "PAM ")):
        return read_pam(_base(program), module, message[:_MESSAGE_LIMIT])
    reader = reader_of(program)
    return reader(message[:_MESSAGE_LIMIT]) if reader is not None else None


def repeats_last(program: str, message: str) -> int:
    """How often `last message repeated N times` says the host's last message came again; 0 if it does not."""
    if program != "last" or not (found := _LAST_REPEATED.match(f"last {message}")):
        return 0
    return int(found[1][:9])


def repeated(message: str) -> tuple[int, str]:
    """The count and the inner message of `message repeated N times: [ ... ]`; once and itself otherwise."""
    if message.startswith("message repeated ") and (found := _REPEATED.match(message)):
        return int(found[1][:9]), found[2].rstrip().removesuffix("]")
    return 1, message


@lru_cache(maxsize=4096)
def reader_of(program: str) -> Callable[[str], Record | None] | None:
    """The rules for a program's messages, None for a program that has no say in logins."""
    name = _base(program)
    if name.startswith("sshd"):
        return read_sshd
    for start, reader in _READERS:
        if name.startswith(start):
            return reader
    return None


_READERS: tuple[tuple[str, Callable[[str], Record | None]], ...] = (
    ("vsftpd", read_vsftpd),
    ("proftpd", read_proftpd),
    ("pure-ftpd", read_pureftpd),
    ("ftpd", read_ftpd),
    ("wu-ftpd", read_ftpd),
    ("wu.ftpd", read_ftpd),
    ("klogind", read_kerberos),
    ("eklogind", read_kerberos),
    ("kshd", read_kerberos),
    ("login", read_login),
    ("dropbear", read_dropbear),
    ("dovecot", read_dovecot),
    ("postfix/", read_postfix),
)


def _base(program: str) -> str:
    name = program.lower().rstrip("]")
    if name.startswith("/"):
        name = name.rsplit("/", 1)[1]
    return name.removeprefix("in.")
