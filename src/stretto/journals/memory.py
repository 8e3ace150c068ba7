"""The journal in memory, for scripts that need no store and for tests; it forgets everything with the process."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence

from stretto.codec import Codec
from stretto.core.audit import GENESIS, Envelope, seal
from stretto.core.commands import Command
from stretto.core.errors import LostOwnership, Overtaken, OwnedElsewhere
from stretto.core.events import Event
from stretto.core.learning import Learned, merged
from stretto.core.trust import TrackRecord, with_those
from stretto.ports import (
    NEWEST,
    NOTHING_LEARNED,
    NOTHING_TRIED,
    Beside,
    Lease,
    Measured,
    Note,
    Recorded,
    RunQuery,
    RunSummary,
)


class MemoryJournal:
    """See `stretto.ports.Journal`. Events go through bytes here too, so nothing works only in memory."""

    def __init__(self, codec: Codec | None = None) -> None:
        self._codec = codec or Codec()
        self._events: defaultdict[str, list[Envelope]] = defaultdict(list)
        self._bodies: dict[str, bytes] = {}
        self._summaries: dict[str, RunSummary] = {}
        self._leases: dict[str, tuple[int, bool]] = {}
        self._inbox: list[tuple[str, Note]] = []
        self._posted = 0
        self._durations: dict[str, Learned] = {}
        self._records: dict[str, TrackRecord] = {}
        self._texts: dict[str, str] = {}
        self._measures: dict[str, Measured] = {}

    async def claim(self, run: str) -> Lease:
        fence, held = self._leases.get(run, (0, False))
        if held:
            raise OwnedElsewhere(run, "another part of this process")
        self._leases[run] = (fence + 1, True)
        return Lease(run=run, fence=fence + 1)

    async def renew(self, lease: Lease) -> None:
        if self._leases.get(lease.run) != (lease.fence, True):
            raise LostOwnership(f"run {lease.run} was taken over")

    async def release(self, lease: Lease) -> None:
        if self._leases.get(lease.run) == (lease.fence, True):
            self._leases[lease.run] = (lease.fence, False)

    async def append(
        self,
        lease: Lease,
        after: int,
        facts: Sequence[tuple[str, Event]],
        summary: RunSummary,
        beside: Sequence[Beside] = (),
        learned: Mapping[str, Learned] = NOTHING_LEARNED,
        tried: Mapping[str, TrackRecord] = NOTHING_TRIED,
    ) -> None:
        if self._leases.get(lease.run, (0, False))[0] != lease.fence:
            raise LostOwnership(f"run {lease.run} was taken over")
        chain = self._events[lease.run]
        if len(chain) != after:
            raise LostOwnership(f"run {lease.run} has {len(chain)} events, not {after}: somebody else appended")
        for other in beside:
            if len(self._events[other.stream]) != other.after:
                raise Overtaken(f"{other.stream} has moved on")
        added = [(lease.run, self._sealed(lease.run, facts))]
        added += [(other.stream, self._sealed(other.stream, other.facts)) for other in beside]
        for stream, envelopes in added:
            self._events[stream].extend(envelopes)
        self._summaries[lease.run] = summary
        if facts:
            self._measures.pop(lease.run, None)
        self._durations = merged(self._durations, learned)
        self._records = with_those(self._records, tried)

    def _sealed(self, stream: str, facts: Sequence[tuple[str, Event]]) -> list[Envelope]:
        chain = self._events[stream]
        added: list[Envelope] = []
        for actor, event in facts:
            one = self._codec.encode(event)
            previous = (added or chain)[-1].hash if added or chain else GENESIS
            added.append(
                seal(
                    run=stream,
                    seq=len(chain) + len(added) + 1,
                    at=event.at,
                    actor=actor,
                    kind=one.type,
                    version=one.version,
                    payload=one.payload,
                    previous=previous,
                )
            )
            self._bodies.update({mark: body for mark, _, body in one.contents} | dict(one.documents))
        return added

    async def durations(self) -> Mapping[str, Learned]:
        return self._durations

    async def records(self) -> Mapping[str, TrackRecord]:
        return self._records

    async def summary(self, key: str) -> str | None:
        return self._texts.get(key)

    async def keep_summary(self, key: str, text: str) -> None:
        self._texts[key] = text

    async def heads(self, streams: Sequence[str]) -> Sequence[int]:
        return [len(self._events[stream]) if stream in self._events else 0 for stream in streams]

    async def read(self, run: str, after: int = 0) -> Sequence[Recorded]:
        return [
            Recorded(
                seq=one.seq,
                actor=one.actor,
                event=self._codec.decode(
                    one.type, one.version, one.payload, one.at, lambda mark, _: self._bodies[mark]
                ),
            )
            for one in self._events[run][after:]
        ]

    async def envelopes(self, run: str) -> Sequence[Envelope]:
        return list(self._events[run])

    async def runs(self, query: RunQuery = NEWEST) -> Sequence[RunSummary]:
        found = sorted(self._like(query), key=_age, reverse=True)
        wanted = [one for one in found if not query.statuses or one.status in query.statuses]
        return [one for one in wanted if query.before is None or _age(one) < query.before][: query.limit]

    async def counts(self, query: RunQuery = NEWEST) -> Mapping[str, int]:
        return Counter(one.status for one in self._like(query))

    def _like(self, query: RunQuery) -> Iterator[RunSummary]:
        for one in self._summaries.values():
            told = (one.goal.casefold(), one.run.casefold())
            if (
                one.run.startswith(query.begins)
                and (query.workspace is None or one.workspace == query.workspace)
                and (query.since is None or one.started >= query.since)
                and (query.until is None or one.started < query.until)
                and not (query.asking and (one.ended is not None or one.asks == 0))
                and (query.teams or not self._is_of_team(one.run))
                and all(any(word in text for text in told) for word in query.words)
            ):
                yield one

    def _is_of_team(self, run: str) -> bool:
        above, dot, _ = run.partition(".")
        return bool(dot) and above in self._summaries

    async def due(self, moment: float, *, skip: Collection[str] = (), limit: int = 100) -> Sequence[RunSummary]:
        noted = {run for run, _ in self._inbox}
        found = [
            one
            for one in self._summaries.values()
            if one.ended is None and (one.run in noted or (one.wake is not None and one.wake <= moment))
            if one.run not in skip and not self._leases.get(one.run, (0, False))[1]
        ]
        return sorted(found, key=lambda one: (one.run not in noted, one.wake or 0.0, one.run))[:limit]

    async def post(self, run: str, command: Command) -> None:
        self._posted += 1
        self._inbox.append((run, Note(id=self._posted, command=command)))

    async def inbox(self, run: str) -> Sequence[Note]:
        return [note for name, note in self._inbox if name == run]

    async def clear(self, notes: Sequence[Note]) -> None:
        done = {note.id for note in notes}
        self._inbox = [(run, note) for run, note in self._inbox if note.id not in done]

    async def unmeasured(self, edition: int, *, skip: Collection[str] = (), limit: int = 100) -> Sequence[str]:
        known = {run for run, one in self._measures.items() if one.edition == edition}
        found = [one for one in self._summaries.values() if one.ended is not None and one.run not in known]
        ordered = sorted(found, key=lambda one: (one.ended, one.run))
        return [one.run for one in ordered if one.run not in skip][:limit]

    async def keep_measures(self, rows: Sequence[Measured]) -> None:
        self._measures.update({one.run: one for one in rows if len(self._events[one.run]) == one.upto})

    async def measured(
        self, edition: int, *, workspace: str | None = None, since: float | None = None, until: float | None = None
    ) -> Sequence[Measured]:
        found = [
            one
            for one in self._measures.values()
            if one.edition == edition and workspace in (None, one.workspace)
            if (since is None or one.ended >= since) and (until is None or one.ended < until)
        ]
        return sorted(found, key=lambda one: (one.ended, one.run))

    async def owner(self, run: str) -> str | None:
        return "this process" if self._leases.get(run, (0, False))[1] else None

    async def close(self) -> None:
        return None


def _age(one: RunSummary) -> tuple[float, str]:
    return one.started, one.run
