"""Several analyses as one; its law: totals are summed, findings stay with the file they were found in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import chain

from .model import Analysis, InvalidUser, Line, Source
from .totals import TOP_USERS

_LINES = 20


def merge(analyses: Sequence[Analysis]) -> Analysis:
    """Several files as one: sources and invalid users summed, findings listed file by file.

    Raises ValueError when there is nothing to merge.
    """
    if not analyses:
        raise ValueError("nothing to merge: give at least one analysis")
    if len(analyses) == 1:
        return analyses[0]
    return Analysis(
        files=tuple(file for each in analyses for file in each.files),
        attempts=sum(each.attempts for each in analyses),
        sources=_sources([source for each in analyses for source in each.sources]),
        bursts=tuple(found for each in analyses for found in each.bursts),
        invalid_users=_invalid_users([user for each in analyses for user in each.invalid_users]),
        breaches=tuple(found for each in analyses for found in each.breaches),
        floods=tuple(found for each in analyses for found in each.floods),
        anonymous=tuple(found for each in analyses for found in each.anonymous),
        notes=tuple(note for each in analyses for note in each.notes),
    )


def _sources(parts: Sequence[Source]) -> tuple[Source, ...]:
    groups: dict[str, list[Source]] = {}
    for part in parts:
        groups.setdefault(part.source, []).append(part)
    merged = []
    for name, group in groups.items():
        lines, more = _sample(group)
        merged.append(
            Source(
                source=name,
                attempts=sum(part.attempts for part in group),
                users=_interleaved([part.users for part in group], TOP_USERS),
                first=min(part.first for part in group),
                last=max(part.last for part in group),
                lines=lines,
                more_lines=more,
            )
        )
    return tuple(sorted(merged, key=lambda source: (-source.attempts, source.source)))


def _invalid_users(parts: Sequence[InvalidUser]) -> tuple[InvalidUser, ...]:
    groups: dict[str, list[InvalidUser]] = {}
    for part in parts:
        groups.setdefault(part.user, []).append(part)
    merged = []
    for name, group in groups.items():
        lines, more = _sample(group)
        sources = _interleaved([part.sources for part in group], None)
        merged.append(
            InvalidUser(
                user=name,
                attempts=sum(part.attempts for part in group),
                sources=sources[:_LINES],
                more_sources=sum(part.more_sources for part in group) + len(sources[_LINES:]),
                first=min(part.first for part in group),
                last=max(part.last for part in group),
                lines=lines,
                more_lines=more,
            )
        )
    return tuple(sorted(merged, key=lambda user: (-user.attempts, user.user)))


def _sample(group: Sequence[Source] | Sequence[InvalidUser]) -> tuple[tuple[Line, ...], int]:
    lines = tuple(chain.from_iterable(part.lines for part in group))
    size = max(_LINES, max(len(part.lines) for part in group))
    return lines[:size], sum(part.more_lines for part in group) + len(lines[size:])


def _interleaved(lists: Sequence[tuple[str, ...]], limit: int | None) -> tuple[str, ...]:
    """Names by the best rank they have in any list, since the counts behind the ranks are gone."""
    ranks: Counter[str] = Counter()
    for names in lists:
        for rank, name in enumerate(names):
            ranks[name] = min(ranks.get(name, rank), rank)
    return tuple(sorted(ranks, key=lambda name: (ranks[name], name))[:limit])
