"""Hardens a host configuration: proposes changes with their reasons, applies them once, takes them back."""

import difflib
from dataclasses import dataclass
from pathlib import Path

import blocking
import ledger
import settings

from stretto import AgentFailure, Assignment, pure, reversible
from stretto.core.domain import Preview
from stretto.specialists.logs import Analysis

SSHD, FTPD = "etc/ssh/sshd_config", "etc/vsftpd.conf"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One file as it is and as it shall be; `before` is null for a new file."""

    file: str
    before: str | None
    after: str
    reasons: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What to change and why; `blocked` are the sources shut out, `spared` those left alone, with the reason."""

    changes: list[Change]
    diff: str
    blocked: list[str]
    spared: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """A change that was made: its number takes it back."""

    number: int
    files: list[str]
    state: str


@pure
def propose(analysis: Analysis, host: str) -> Proposal:
    """Propose a block list and safer settings against what was found. Changes nothing."""
    folder = Path(host)
    blocked, spared = blocking.choose(analysis)
    wanted: dict[str, tuple[str, list[str]]] = {}
    for name, listed, reasons in blocking.files(folder, blocked):
        wanted[name] = (listed, reasons)
    attacked_root = any("root" in source.users for source in analysis.sources)
    if analysis.bursts and (text := ledger.read(folder, SSHD)) is not None:
        wanted[SSHD] = settings.sshd(text, root_attacked=attacked_root)
    if analysis.anonymous and (text := ledger.read(folder, FTPD)) is not None:
        wanted[FTPD] = settings.ftpd(text, logins=len(analysis.anonymous))
    changes = [
        Change(file=name, before=ledger.read(folder, name), after=text, reasons=reasons)
        for name, (text, reasons) in sorted(wanted.items())
        if ledger.read(folder, name) != text
    ]
    return Proposal(changes=changes, diff=_diff(changes), blocked=sorted(blocked), spared=spared)


def show(changes: list[Change], host: str) -> Preview:
    """Show the diff against the files as they are now, bound to exactly this state of them."""
    now = {change.file: ledger.read(Path(host), change.file) for change in changes}
    return Preview(diff=_diff(changes), preimage=ledger.mark_of(now))


def find_applied(changes: list[Change], host: str, work: Assignment) -> Applied | None:
    """Tell whether the change of this key was made; one that was begun is finished."""
    if ledger.find(Path(host), work.key) is None:
        return None
    return _apply(changes, host, work.key)


def find_taken_back(host: str, work: Assignment) -> Applied | None:
    """Tell whether this key took a change back; one that was begun is finished."""
    for entry in ledger.entries(Path(host)):
        if entry.by == work.key:
            return _taken_back(Path(host), entry, work.key)
    return None


def take_back(host: str, result: Applied, work: Assignment) -> Applied:
    """Restore the host configuration as it was before the change that was just made."""
    return find_taken_back(host, work) or _taken_back(Path(host), _entry(Path(host), str(result.number)), work.key)


@reversible(approval="ask", preview=show, lookup=find_applied, undo=take_back, timeout=120)
def apply(changes: list[Change], host: str, work: Assignment) -> Applied:
    """Change the host configuration as proposed, once; it can be taken back by its number."""
    return _apply(changes, host, work.key)


def show_rollback(host: str, change: str = "last") -> Preview:
    """Show what taking back would change."""
    entry = _entry(Path(host), change)
    back = [
        Change(file=name, before=text, after=entry.before.get(name) or "", reasons=[])
        for name, text in entry.after.items()
    ]
    now = {name: ledger.read(Path(host), name) for name in entry.after}
    return Preview(diff=_diff(back), preimage=ledger.mark_of(now))


@reversible(approval="ask", preview=show_rollback, lookup=find_taken_back)
def rollback(host: str, work: Assignment, change: str = "last") -> Applied:
    """Restore the host configuration as it was before a change: its number, or `last`."""
    return _taken_back(Path(host), _entry(Path(host), change), work.key)


def _apply(changes: list[Change], host: str, key: str) -> Applied:
    before = {change.file: change.before for change in changes}
    after: dict[str, str | None] = {change.file: change.after for change in changes}
    try:
        entry = ledger.apply_once(Path(host), key, before, after)
    except ledger.Refused as error:
        raise AgentFailure(str(error)) from None
    return Applied(number=entry.number, files=sorted(entry.after), state=entry.state)


def _taken_back(host: Path, entry: ledger.Entry, key: str) -> Applied:
    try:
        entry = ledger.take_back(host, entry, key)
    except ledger.Refused as error:
        raise AgentFailure(str(error)) from None
    return Applied(number=entry.number, files=sorted(entry.after), state=entry.state)


def _entry(host: Path, change: str) -> ledger.Entry:
    made = [one for one in ledger.entries(host) if one.state in ("begun", "applied")]
    for one in reversed(made):
        if change in ("last", str(one.number)):
            return one
    known = ", ".join(str(one.number) for one in made) or "none"
    raise AgentFailure(f"there is no change {change!r} to take back; made and standing: {known}")


def _diff(changes: list[Change]) -> str:
    parts = []
    for change in changes:
        before = (change.before or "").splitlines(keepends=True)
        after = change.after.splitlines(keepends=True)
        old = f"a/{change.file}" if change.before is not None else "/dev/null"
        for line in difflib.unified_diff(before, after, old, f"b/{change.file}"):
            parts.append(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n")
    return "".join(parts)
