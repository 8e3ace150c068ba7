"""Writes the incident report: what was found, what was done about it, and the lines that prove it."""

from dataclasses import dataclass
from pathlib import Path

import hardening

from stretto import pure
from stretto.specialists.logs import Analysis
from stretto.specialists.logs.model import Line
from stretto.specialists.report import Chart, Citation, Code, Document, Fact, Section, Table

TOP = 20
CITED = 3


class _Sources:
    """The lines cited so far, numbered from 1 as the report shows them."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, int], int] = {}
        self.list: list[Citation] = []

    def cite(self, lines: tuple[Line, ...]) -> tuple[int, ...]:
        numbers = []
        for line in lines[:CITED]:
            place = (line.file, line.line)
            if place not in self._numbers:
                self.list.append(Citation(file=Path(line.file).name, line=line.line, text=line.text))
                self._numbers[place] = len(self.list)
            numbers.append(self._numbers[place])
        return tuple(numbers)


@dataclass(frozen=True)
class Incident:
    """What happened: the report as a document, and in a few sentences."""

    document: Document
    summary: str


@pure
def compose(
    analysis: Analysis, proposal: hardening.Proposal, applied: hardening.Applied | None, logs: list[str]
) -> Incident:
    """Compose the incident report as a document, and a summary in a few sentences."""
    sources = _Sources()
    read = {one.path for one in analysis.files}
    unread = [Path(one).name for one in logs if one not in read]
    sections = [
        *_breaches(analysis, sources),
        *_attackers(analysis, sources),
        *_bursts(analysis, sources),
        *_users(analysis, sources),
        *_floods(analysis, sources),
        *_fix(proposal, applied),
        *_files(analysis),
    ]
    summary = _summary(analysis, proposal, applied)
    certain = sum(one.certain for one in analysis.breaches)
    document = Document(
        title="Incident report",
        summary=summary,
        facts=(
            Fact(label="Failed logins", value=f"{analysis.attempts:,}", tone="warn" if analysis.attempts else "good"),
            Fact(label="Sources", value=f"{len(analysis.sources):,}"),
            Fact(
                label="Brute-force windows", value=str(len(analysis.bursts)), tone="warn" if analysis.bursts else "good"
            ),
            Fact(label="Breaches", value=str(certain), tone="bad" if certain else "good"),
            Fact(label="Floods", value=str(len(analysis.floods)), tone="warn" if analysis.floods else "good"),
            Fact(
                label="Fix", value=_fixed(proposal, applied), tone="good" if applied or not proposal.changes else "warn"
            ),
        ),
        sections=tuple(sections),
        sources=tuple(sources.list),
        gaps=tuple(f"{name} could not be read as a log; its content is not in this report" for name in unread),
        made="Counted from the logs by rule; every finding names its lines.",
    )
    return Incident(document=document, summary=summary)


def _summary(analysis: Analysis, proposal: hardening.Proposal, applied: hardening.Applied | None) -> str:
    lines = sum(one.lines for one in analysis.files)
    names = ", ".join(Path(one.path).name for one in analysis.files)
    said = [
        (
            f"{_many(lines, 'line')} of {names} tell of {_many(analysis.attempts, 'failed login')} "
            f"from {_many(len(analysis.sources), 'source')}."
        )
    ]
    if analysis.sources:
        worst = analysis.sources[0]
        said.append(f"Most came from {worst.source} ({worst.attempts:,}).")
    said.append(
        f"There were {_many(len(analysis.bursts), 'brute-force window')}, {_many(len(analysis.floods), 'flood')} "
        f"and {_many(len(analysis.invalid_users), 'name')} of users that do not exist."
    )
    certain = [one for one in analysis.breaches if one.certain]
    if certain:
        who = ", ".join(f"{one.user} from {one.source}" for one in certain[:5])
        said.append(f"BREACH: {_many(len(certain), 'login')} succeeded after a burst of failures: {who}.")
    possible = len(analysis.breaches) - len(certain)
    if possible:
        said.append(f"{_many(possible, 'further login')} may be a breach: the record names no source.")
    if not analysis.breaches:
        said.append("No login is known to have succeeded after a burst.")
    if applied is not None:
        said.append(
            f"The fix was applied as change {applied.number} to {', '.join(applied.files)}; it can be rolled back."
        )
    elif proposal.changes:
        said.append(
            f"A fix is proposed ({_many(len(proposal.changes), 'file')}, "
            f"{_many(len(proposal.blocked), 'source')} to block), "
            "but not applied."
        )
    else:
        said.append("The host configuration needs no change.")
    return " ".join(said)


def _fixed(proposal: hardening.Proposal, applied: hardening.Applied | None) -> str:
    if applied is not None:
        return f"change {applied.number}"
    return "not applied" if proposal.changes else "not needed"


def _breaches(analysis: Analysis, sources: _Sources) -> list[Section]:
    if not analysis.breaches:
        return [Section(heading="Breaches", text="No login is known to have succeeded after a burst of failures.")]
    shown = analysis.breaches[:TOP]
    return [
        Section(
            heading="Breaches",
            text="Logins that succeeded after many failures. Where the record of the login names no source, it is "
            "only possible, and the sources that had tried that user are listed.",
            table=Table(
                columns=("Source", "User", "At", "Failures before", "Certain"),
                rows=tuple(
                    (
                        one.source if one.certain else ", ".join(one.candidates[:3]) or one.source,
                        one.user,
                        _when(one.at),
                        one.failures,
                        "yes" if one.certain else "possible",
                    )
                    for one in shown
                ),
                numeric=(3,),
                cites=tuple(sources.cite(one.lines[-CITED:]) for one in shown),
                caption=_more(len(shown), len(analysis.breaches), "breaches"),
            ),
        )
    ]


def _attackers(analysis: Analysis, sources: _Sources) -> list[Section]:
    if not analysis.sources:
        return []
    shown = analysis.sources[:TOP]
    return [
        Section(
            heading="Sources of failed logins",
            text="An attempt is one failed login; records that tell of the same attempt count once.",
            chart=Chart(
                kind="bar",
                title="Failed logins by source",
                labels=tuple(one.source for one in analysis.sources),
                values=tuple(float(one.attempts) for one in analysis.sources),
                unit="failed logins",
            ),
            table=Table(
                columns=("Source", "Failed logins", "Users tried", "First", "Last"),
                rows=tuple(
                    (one.source, one.attempts, ", ".join(one.users[:5]), _when(one.first), _when(one.last))
                    for one in shown
                ),
                numeric=(1,),
                cites=tuple(sources.cite(one.lines) for one in shown),
                caption=_more(len(shown), len(analysis.sources), "sources"),
            ),
        )
    ]


def _bursts(analysis: Analysis, sources: _Sources) -> list[Section]:
    if not analysis.bursts:
        return []
    shown = analysis.bursts[: 2 * TOP]
    return [
        Section(
            heading="Brute-force windows",
            text="Times in which one source failed at least five times within ten minutes.",
            table=Table(
                columns=("Source", "From", "To", "Failed logins"),
                rows=tuple((one.source, _when(one.start), _when(one.end), one.attempts) for one in shown),
                numeric=(3,),
                cites=tuple(sources.cite(one.lines) for one in shown),
                caption=_more(len(shown), len(analysis.bursts), "windows"),
            ),
        )
    ]


def _users(analysis: Analysis, sources: _Sources) -> list[Section]:
    if not analysis.invalid_users:
        return []
    shown = analysis.invalid_users[:TOP]
    return [
        Section(
            heading="Users that do not exist",
            table=Table(
                columns=("User", "Attempts", "Sources"),
                rows=tuple((one.user, one.attempts, ", ".join(one.sources[:3])) for one in shown),
                numeric=(1,),
                cites=tuple(sources.cite(one.lines) for one in shown),
                caption=_more(len(shown), len(analysis.invalid_users), "names"),
            ),
        )
    ]


def _floods(analysis: Analysis, sources: _Sources) -> list[Section]:
    sections = []
    if analysis.floods:
        shown = analysis.floods[:TOP]
        sections.append(
            Section(
                heading="Floods",
                text="Times in which one source connected at least twenty times within a minute.",
                table=Table(
                    columns=("Source", "Service", "From", "To", "Connections"),
                    rows=tuple(
                        (one.source, one.service, _when(one.start), _when(one.end), one.connections) for one in shown
                    ),
                    numeric=(4,),
                    cites=tuple(sources.cite(one.lines) for one in shown),
                    caption=_more(len(shown), len(analysis.floods), "floods"),
                ),
            )
        )
    if analysis.anonymous:
        shown_logins = analysis.anonymous[:TOP]
        sections.append(
            Section(
                heading="Anonymous FTP logins",
                table=Table(
                    columns=("Source", "At"),
                    rows=tuple((one.source, _when(one.at)) for one in shown_logins),
                    cites=tuple(sources.cite(one.lines) for one in shown_logins),
                    caption=_more(len(shown_logins), len(analysis.anonymous), "logins"),
                ),
            )
        )
    return sections


def _fix(proposal: hardening.Proposal, applied: hardening.Applied | None) -> list[Section]:
    if not proposal.changes:
        return [Section(heading="Fix", text="The host configuration needs no change against what was found.")]
    told = "Applied after approval." if applied is not None else "Proposed, and not applied."
    reasons = "\n".join(f"- {change.file}: {reason}" for change in proposal.changes for reason in change.reasons)
    spared = "\n".join(f"- {source}: {why}" for source, why in list(proposal.spared.items())[:TOP])
    text = f"{told}\n\n{reasons}" + (f"\n\nNot blocked, though they attacked:\n\n{spared}" if spared else "")
    if applied is not None:
        text += f'\n\nTo take it back: stretto run --plan rollback --input change={applied.number} "Take back the fix"'
    return [Section(heading="Fix", text=text, code=Code(language="diff", text=proposal.diff))]


def _files(analysis: Analysis) -> list[Section]:
    table = Table(
        columns=("Log", "Format", "Lines", "Understood", "First", "Last"),
        rows=tuple(
            (Path(one.path).name, one.format, one.lines, one.recognised, _when(one.first or ""), _when(one.last or ""))
            for one in analysis.files
        ),
        numeric=(2, 3),
    )
    return [Section(heading="What was read", text="\n".join(f"- {note}" for note in analysis.notes), table=table)]


def _when(at: str) -> str:
    return at.replace("T", " ")


def _many(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _more(shown: int, of: int, what: str) -> str:
    return f"The first {shown} of {of} {what}." if of > shown else ""
