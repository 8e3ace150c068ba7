"""What every journal must do, as tests: subclass `JournalContract`, say how to open one, and let pytest find it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from stretto.core.audit import broken_link
from stretto.core.commands import AnswerRequest, Cancel, ChangeLimits, Command
from stretto.core.domain import Budget, Catalogue, Cost, Task
from stretto.core.errors import LostOwnership, Overtaken, OwnedElsewhere
from stretto.core.events import AttemptCompleted, Event, RateUsed, RunRated, RunSubmitted, TaskAdded, TaskCompleted
from stretto.core.learning import Learned
from stretto.core.trust import TrackRecord
from stretto.ports import Beside, Journal, Measured, RunQuery, RunSummary

T = TypeVar("T")
Fact = tuple[str, Event]


class JournalContract:
    """Subclass it as `TestMyJournal` and implement `open`."""

    def open(self, folder: Path) -> Journal:
        """Give a journal in a folder; the same folder again gives the same journal's content again."""
        raise NotImplementedError

    def use(self, folder: Path, work: Callable[[Journal], Awaitable[T]]) -> T:
        """Run a piece of work against a journal that is closed afterwards."""

        async def with_journal() -> T:
            journal = self.open(folder)
            try:
                return await work(journal)
            finally:
                await journal.close()

        return asyncio.run(with_journal())

    def test_what_is_appended_is_read_back_in_order(self, tmp_path: Path) -> None:
        async def work(journal: Journal) -> None:
            lease = await journal.claim("r")
            facts = story("r")
            await journal.append(lease, 0, facts[:2], line("r"))
            await journal.append(lease, 2, facts[2:], line("r"))
            read = await journal.read("r")
            assert [one.event for one in read] == [event for _, event in facts]
            assert [one.seq for one in read] == [1, 2, 3, 4]
            assert [one.actor for one in read] == [actor for actor, _ in facts]
            assert [one.seq for one in await journal.read("r", 3)] == [4]

        self.use(tmp_path, work)

    def test_an_unknown_run_has_no_events(self, tmp_path: Path) -> None:
        async def work(journal: Journal) -> None:
            assert list(await journal.read("nothing")) == []
            assert list(await journal.runs()) == []
            assert await journal.owner("nothing") is None

        self.use(tmp_path, work)

    def test_what_runs_taught_is_merged_with_their_ends_and_kept(self, tmp_path: Path) -> None:
        async def first(journal: Journal) -> None:
            assert dict(await journal.durations()) == {}
            lease = await journal.claim("r")
            await journal.append(lease, 0, story("r")[:1], line("r"))
            learned = {"a/x": Learned(count=1, seconds=2.0), "b/x": Learned(count=3, seconds=1.0)}
            await journal.append(lease, 1, story("r")[1:], line("r"), learned=learned)
            again = {"a/x": Learned(count=3, seconds=6.0)}
            await refused(LostOwnership, journal.append(lease, 1, story("r")[1:], line("r"), learned=again))
            lease = await journal.claim("s")
            await journal.append(lease, 0, story("s"), line("s"), learned=again)
            known = {"a/x": Learned(count=4, seconds=5.0), "b/x": Learned(count=3, seconds=1.0)}
            assert dict(await journal.durations()) == known

        self.use(tmp_path, first)

    def test_how_right_reviewers_were_is_added_up_with_the_ends_of_runs_and_kept(self, tmp_path: Path) -> None:
        async def first(journal: Journal) -> None:
            assert dict(await journal.records()) == {}
            lease = await journal.claim("r")
            await journal.append(lease, 0, story("r")[:1], line("r"))
            tried = {"judge m": TrackRecord(hits=2, misses=1), "schema": TrackRecord(passes=1)}
            await journal.append(lease, 1, story("r")[1:], line("r"), tried=tried)
            more = {"judge m": TrackRecord(hits=1, false_alarms=3)}
            await refused(LostOwnership, journal.append(lease, 1, story("r")[1:], line("r"), tried=more))
            lease = await journal.claim("s")
            await journal.append(lease, 0, story("s"), line("s"), tried=more)

        async def later(journal: Journal) -> None:
            known = {
                "judge m": TrackRecord(hits=3, misses=1, false_alarms=3),
                "schema": TrackRecord(passes=1),
            }
            assert dict(await journal.records()) == known

        async def both(journal: Journal) -> None:
            await first(journal)
            await later(journal)

        self.use(tmp_path, both)

    def test_content_of_any_size_comes_back_whole(self, tmp_path: Path) -> None:
        async def work(journal: Journal) -> None:
            lease = await journal.claim("r")
            big = {"text": "ä€😀" * 50_000, "list": list(range(1000)), "deep": [[[{"a": None}]]], "n": 2**70}
            event = AttemptCompleted(at=1.0, task="t", attempt=1, output=big)
            await journal.append(lease, 0, [("agent:a", event)], line("r"))
            assert (await journal.read("r"))[0].event == event
            assert max(len(one.payload) for one in await journal.envelopes("r")) < 9000

        self.use(tmp_path, work)

    def test_an_append_at_the_wrong_place_is_refused_and_leaves_nothing(self, tmp_path: Path) -> None:
        async def work(journal: Journal) -> None:
            lease = await journal.claim("r")
            facts = story("r")
            await journal.append(lease, 0, facts[:1], line("r"))
            for after in (0, 2, 7):
                await refused(LostOwnership, journal.append(lease, after, facts[1:], line("r")))
            assert len(await journal.read("r")) == 1

        self.use(tmp_path, work)

    def test_a_decision_that_cannot_be_written_leaves_none_of_its_facts(self, tmp_path: Path) -> None:
        async def work(journal: Journal) -> None:
            lease = await journal.claim("r")
            good = story("r")
            bad: Fact = ("agent:a", AttemptCompleted(at=1.0, task="t", attempt=1, output=float("nan")))
            await refused(ValueError, journal.append(lease, 0, [*good, bad], line("r")))
            assert list(await journal.read("r")) == []
            await journal.append(lease, 0, good, line("r"))
            assert len(await journal.read("r")) == len(good)

        self.use(tmp_path, work)

    def test_a_run_has_one_owner_at_a_time(self, tmp_path: Path) -> None:
        async def work(journal: Journal) -> None:
            lease = await journal.claim("r")
            await refused(OwnedElsewhere, journal.claim("r"))
            assert await journal.owner("r")
            await journal.claim("another")
            await journal.release(lease)
            assert await journal.owner("r") is None
            newer = await journal.claim("r")
            assert newer.fence > lease.fence

        self.use(tmp_path, work)

    def test_a_former_owner_can_neither_append_nor_renew(self, tmp_path: Path) -> None:
        async def work(journal: Journal) -> None:
            old = await journal.claim("r")
            await journal.release(old)
            new = await journal.claim("r")
            await refused(LostOwnership, journal.append(old, 0, story("r"), line("r")))
            await refused(LostOwnership, journal.renew(old))
            await journal.release(old)  # an old lease gives nothing back
            await journal.renew(new)
            await journal.append(new, 0, story("r"), line("r"))

        self.use(tmp_path, work)

    def test_many_writers_at_once_keep_every_chain_whole(self, tmp_path: Path) -> None:
        async def work(journal: Journal) -> None:
            async def write(run: str) -> None:
                lease = await journal.claim(run)
                for number in range(20):
                    event = TaskCompleted(at=float(number), task=f"t{number}")
                    await journal.append(lease, number, [("system", event)], line(run))

            runs = [f"r{number}" for number in range(20)]
            await asyncio.gather(*(write(run) for run in runs))
            for run in runs:
                assert len(await journal.read(run)) == 20
                assert broken_link(await journal.envelopes(run)) is None

        self.use(tmp_path, work)

    def test_the_chain_proves_itself_and_shows_tampering(self, tmp_path: Path) -> None:
        async def work(journal: Journal) -> None:
            lease = await journal.claim("r")
            await journal.append(lease, 0, story("r"), line("r"))
            whole = list(await journal.envelopes("r"))
            assert broken_link(whole) is None
            assert broken_link([whole[0], *whole[2:]]) == whole[2].seq
            forged = replace(whole[1], actor="somebody else")
            assert broken_link([whole[0], forged, *whole[2:]]) == 2

        self.use(tmp_path, work)

    def test_commands_left_in_the_inbox_wait_for_the_owner_in_order(self, tmp_path: Path) -> None:
        async def work(journal: Journal) -> None:
            left: list[Command] = [
                AnswerRequest(at=1.0, actor="person:a", request="q", decision="edit", value={"x": [1, "ü"]}),
                ChangeLimits(budget=Budget(steps=3), deadline=9.0),
                Cancel(actor="person:b", reason="enough"),
            ]
            for command in left:
                await journal.post("r", command)
            await journal.post("other", Cancel())
            notes = await journal.inbox("r")
            assert [note.command for note in notes] == left
            await journal.clear(notes[:2])
            assert [note.command for note in await journal.inbox("r")] == left[2:]
            assert len(await journal.inbox("other")) == 1

        self.use(tmp_path, work)

    def test_facts_beside_a_run_are_appended_with_it_and_chained_for_themselves(self, tmp_path: Path) -> None:
        async def work(journal: Journal) -> None:
            one, two = await journal.claim("r1"), await journal.claim("r2")
            used = [("system", RateUsed(at=2.0, agent="a", run="r1", attempt="t/1", tokens=7))]
            await journal.append(one, 0, story("r1"), line("r1"), [Beside(stream="@agent/a", after=0, facts=used)])
            stale = Beside(stream="@agent/a", after=0, facts=used)
            await refused(Overtaken, journal.append(two, 0, story("r2"), line("r2"), [stale]))
            assert list(await journal.read("r2")) == []
            await journal.append(two, 0, story("r2"), line("r2"), [replace(stale, after=1)])
            assert [one.event for one in await journal.read("@agent/a")] == [used[0][1]] * 2
            assert broken_link(await journal.envelopes("@agent/a")) is None
            assert list(await journal.heads(["@agent/a", "@agent/b"])) == [2, 0]
            assert {one.run for one in await journal.runs()} == {"r1", "r2"}

        self.use(tmp_path, work)

    def test_runs_are_listed_newest_first_and_found_by_how_they_begin(self, tmp_path: Path) -> None:
        async def work(journal: Journal) -> None:
            for number, run in enumerate(("aa1", "aa2", "bb1")):
                lease = await journal.claim(run)
                summary = line(run, started=float(number), cost=Cost(tokens=number))
                await journal.append(lease, 0, story(run), summary)
            assert [one.run for one in await journal.runs()] == ["bb1", "aa2", "aa1"]
            assert [one.run for one in await journal.runs(RunQuery(begins="aa"))] == ["aa2", "aa1"]
            assert [one.run for one in await journal.runs(RunQuery(limit=1))] == ["bb1"]
            assert (await journal.runs(RunQuery(begins="aa2")))[0].cost == Cost(tokens=1)
            assert list(await journal.runs(RunQuery(begins="%"))) == []
            lease = await journal.claim("aa2.task.0")
            await journal.append(lease, 0, story("aa2.task.0"), line("aa2.task.0", started=9.0))
            assert [one.run for one in await journal.runs(RunQuery(limit=2))] == ["aa2.task.0", "bb1"]
            assert [one.run for one in await journal.runs(RunQuery(limit=2, teams=False))] == ["bb1", "aa2"]

        self.use(tmp_path, work)

    def test_runs_are_found_by_words_status_workspace_and_start_page_by_page_and_counted(self, tmp_path: Path) -> None:
        async def work(journal: Journal) -> None:
            told = [("a", "Straße sperren", "finished", "/one"), ("b", "ask about 100%", "waiting", "/two")]
            told += [("c", "Ask ABOUT streets", "waiting", "/one"), ("d", "about nothing", "failed", "/one")]
            for number, (run, goal, status, workspace) in enumerate(told):
                lease = await journal.claim(run)
                more = {"asks": 1} if run == "b" else {"asks": 1, "ended": 9.0} if run == "d" else {}
                summary = line(run, started=float(number // 2), goal=goal, status=status, workspace=workspace, **more)
                await journal.append(lease, 0, story(run), summary)

            async def found(**wanted: Any) -> str:
                return "".join(one.run for one in await journal.runs(RunQuery(**wanted)))

            assert await found() == "dcba"
            assert await found(words=("about", "ASK")) == "cb"
            assert await found(words=("strasse",)) == "a"
            assert await found(words=("100%",)) == "b"
            assert await found(words=("_",)) == ""
            assert await found(words=('"',)) == ""
            assert await found(statuses=frozenset({"waiting", "failed"})) == "dcb"
            assert await found(workspace="/one") == "dca"
            assert await found(asking=True) == "b"
            assert await found(since=1.0) == "dc"
            assert await found(until=1.0) == "ba"
            assert await found(limit=2) == "dc"
            assert await found(limit=2, before=(1.0, "c")) == "ba"
            assert await found(before=(1.0, "d"), workspace="/one") == "ca"
            assert await journal.counts() == {"finished": 1, "waiting": 2, "failed": 1}
            assert await journal.counts(RunQuery(workspace="/one", limit=1)) == {
                "finished": 1,
                "waiting": 1,
                "failed": 1,
            }

        self.use(tmp_path, work)

    def test_due_are_the_runs_whose_moment_has_come_and_that_nobody_owns(self, tmp_path: Path) -> None:
        async def work(journal: Journal) -> None:
            wakes = {"late": 9.0, "past": 3.0, "now": 5.0, "people": None, "ended": 1.0, "owned": 1.0}
            for run, wake in wakes.items():
                lease = await journal.claim(run)
                ended = 2.0 if run == "ended" else None
                await journal.append(lease, 0, story(run), replace(line(run), wake=wake, ended=ended))
                if run != "owned":
                    await journal.release(lease)
            assert [one.run for one in await journal.due(5.0)] == ["past", "now"]
            assert [one.wake for one in await journal.due(5.0)] == [3.0, 5.0]
            assert [one.run for one in await journal.due(2.0)] == []
            assert [one.run for one in await journal.due(5.0, skip={"past"})] == ["now"]
            assert [one.run for one in await journal.due(5.0, limit=1)] == ["past"]
            for run in ("people", "now", "ended", "owned", "never begun"):
                await journal.post(run, Cancel())
            assert [one.run for one in await journal.due(4.0)] == ["people", "now", "past"]

        self.use(tmp_path, work)

    def test_the_line_of_a_run_is_written_anew_with_every_append_even_without_facts(self, tmp_path: Path) -> None:
        async def work(journal: Journal) -> None:
            lease = await journal.claim("r")
            await journal.append(lease, 0, story("r"), replace(line("r"), wake=4.0))
            await journal.append(lease, 4, (), replace(line("r"), wake=None))
            assert [one.wake for one in await journal.runs()] == [None]
            assert len(await journal.read("r")) == 4
            await refused(LostOwnership, journal.append(lease, 3, (), replace(line("r"), wake=4.0)))

        self.use(tmp_path, work)

    def test_runs_that_ended_are_measured_once_until_they_have_another_event(self, tmp_path: Path) -> None:
        async def work(journal: Journal) -> None:
            leases = {}
            for run, ended in (("late", 9.0), ("early", 3.0), ("open", None), ("bad", 1.0)):
                leases[run] = await journal.claim(run)
                await journal.append(leases[run], 0, story(run), replace(line(run), ended=ended))
            assert list(await journal.unmeasured(1)) == ["bad", "early", "late"]
            assert list(await journal.unmeasured(1, limit=1, skip=["bad"])) == ["early"]
            early, late = row("early", ended=3.0), row("late", ended=9.0)
            await journal.keep_measures([late, early])
            assert list(await journal.measured(1)) == [early, late]
            assert list(await journal.unmeasured(1)) == ["bad"]
            await journal.append(leases["late"], 4, (), replace(line("late"), ended=9.0))
            assert list(await journal.measured(1)) == [early, late], "nothing happened in it"
            rated = [("person:p", RunRated(at=9.5, by="p", score=5))]
            await journal.append(leases["late"], 4, rated, replace(line("late"), ended=9.0))
            assert list(await journal.measured(1)) == [early]
            assert list(await journal.unmeasured(1)) == ["bad", "late"]

        self.use(tmp_path, work)

    def test_measures_of_what_has_changed_meanwhile_are_not_kept(self, tmp_path: Path) -> None:
        async def work(journal: Journal) -> None:
            await journal.append(await journal.claim("r"), 0, story("r"), replace(line("r"), ended=2.0))
            await journal.keep_measures([replace(row("r", ended=2.0), upto=3), row("never begun", ended=2.0)])
            assert list(await journal.measured(1)) == []
            await journal.keep_measures([])
            assert list(await journal.unmeasured(1)) == ["r"]

        self.use(tmp_path, work)

    def test_measures_are_found_by_edition_workspace_and_when_the_run_ended(self, tmp_path: Path) -> None:
        async def work(journal: Journal) -> None:
            rows = [row(f"r{at}", ended=float(at), workspace="/a" if at < 3 else "/b") for at in (1, 2, 3)]
            for one in rows:
                await journal.append(
                    await journal.claim(one.run), 0, story(one.run), replace(line(one.run), ended=one.ended)
                )
            await journal.keep_measures(rows)
            assert list(await journal.measured(1, since=2.0)) == rows[1:]
            assert list(await journal.measured(1, until=2.0)) == rows[:1]
            assert list(await journal.measured(1, workspace="/a", since=2.0, until=9.0)) == rows[1:2]
            assert list(await journal.measured(2)) == []
            assert len(await journal.unmeasured(2)) == 3
            newer = replace(rows[0], edition=2, body=b"other")
            await journal.keep_measures([newer])
            assert list(await journal.measured(2)) == [newer]
            assert list(await journal.measured(1)) == rows[1:]

        self.use(tmp_path, work)


def story(run: str) -> list[Fact]:
    """Give a few facts as a run begins with."""
    catalogue = Catalogue()
    return [
        ("person:p", RunSubmitted(at=1.0, run=run, goal="Gutes Ziel 目标", inputs={"a": 1}, catalogue=catalogue)),
        ("planner:p", TaskAdded(at=1.5, task=Task(id="t", skill="s", inputs={"x": {"ref": "inputs.a"}}))),
        ("agent:a", AttemptCompleted(at=2.0, task="t", attempt=1, output={"rows": [1, 2.5, None, True, "x"]})),
        ("reviewer:r", TaskCompleted(at=2.0, task="t", reviewer="r")),
    ]


def line(run: str, *, started: float = 1.0, goal: str = "goal", status: str = "running", **more: Any) -> RunSummary:
    """Give the line of a run for lists."""
    return RunSummary(run=run, goal=goal, status=status, started=started, **more)


def row(run: str, *, ended: float, workspace: str = "") -> Measured:
    """Give what a run that has had the facts of `story` amounts to."""
    return Measured(run=run, upto=4, edition=1, workspace=workspace, ended=ended, body=run.encode())


async def refused(kind: type[Exception], attempt: Awaitable[object]) -> None:
    """Await something that must raise."""
    try:
        await attempt
    except kind:
        return
    raise AssertionError(f"it should have raised {kind.__name__}")
