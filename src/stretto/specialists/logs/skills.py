"""Analyses logs: failed logins by source, brute force, invalid users, breaches and floods, with line numbers."""

from collections.abc import Iterable
from typing import TypeAlias

from stretto.core.domain import FailureClass
from stretto.declare import pure
from stretto.ports import AgentFailure, Assignment
from stretto.specialists.logs import Analysis, Options, UnreadableLog, analyse_file
from stretto.specialists.logs import merge as merge_analyses
from stretto.specialists.logs.model import AnonymousLogin, Breach, Burst, Flood, InvalidUser, Line, Source

_Finding: TypeAlias = Breach | Burst | Source | InvalidUser | Flood | AnonymousLogin

MOST_CITED = 2000
CITED_PER_FINDING = 5


@pure(isolated=True, evidence=True, labels=["pii"], timeout=3600, memory_mb=2048)
def analyse(path: str, work: Assignment, threshold: int = 5, window_seconds: int = 600) -> Analysis:
    """Analyse one log file for attacks: syslog, sshd and PAM, ftpd, nginx, JSON lines.

    `threshold` failed logins from one source within `window_seconds` are a brute-force window. The file may be
    larger than memory. What was counted is cited line by line.
    """
    try:
        found = analyse_file(path, Options(threshold=threshold, window_seconds=window_seconds))
    except UnreadableLog as error:
        raise AgentFailure(str(error), FailureClass.REFUSED) from None
    work.cite(path)  # also a quiet log has been read
    for line in _cited(found):
        work.cite(line.file, line.line, line.text)
    return found


@pure(labels=["pii"])
def merge(analyses: list[Analysis]) -> Analysis:
    """Put the analyses of several logs together: sources are summed, findings keep their file."""
    if not analyses:
        raise AgentFailure("there is no analysis to merge: no log could be read", FailureClass.REFUSED)
    return merge_analyses(analyses)


def _cited(found: Analysis) -> Iterable[Line]:
    """Give the lines that the findings rest on, each once: the gravest findings first."""
    findings: tuple[_Finding, ...] = (
        *found.breaches, *found.bursts, *found.sources, *found.invalid_users, *found.floods, *found.anonymous,
    )  # fmt: skip
    seen: dict[tuple[str, int], Line] = {}
    for finding in findings:
        for line in finding.lines[:CITED_PER_FINDING]:
            seen.setdefault((line.file, line.line), line)
        if len(seen) >= MOST_CITED:
            break
    return list(seen.values())[:MOST_CITED]
