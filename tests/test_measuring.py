"""Ended runs are measured when somebody looks, once, and added up by workflow, agent and week."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from stretto import Assignment, Orchestrator, agent, plan, pure, ref, task
from stretto.core.commands import Deliver, RateRun, RetryTask
from stretto.core.domain import Catalogue, Completed, Cost, Delivery, Task
from stretto.core.errors import StoreError
from stretto.core.events import Event
from stretto.core.measures import EDITION, AgentSkill, Measures
from stretto.journals.memory import MemoryJournal
from stretto.journals.sqlite import SqliteJournal
from stretto.measuring import Row, bring_up_to_date, numbers, numbers_view, week_of
from stretto.orchestrator import summary
from stretto.ports import Journal, Recorded
from tests.core.story import Story
from tests.core.story import agent as card

WEEK = 7 * 86_400.0


@pure
async def find(question: str) -> list[str]:
    """Find facts."""
    return [question]


@agent(effect="none", cost="$1")
async def write(facts: list[str], work: Assignment) -> str:
    """Write them up."""
    work.spend("0.25")
    return " ".join(facts)


JOB = replace(
    plan(task("find", find, question="?"), task("write", write, facts=ref("find")), deliver=ref("write")), name="report"
)


def over(run: str, at: float = 0.0, money: str = "0", **goal: Any) -> Story:
    """Tell a run that ends at a moment."""
    told = Story(Catalogue(agents=(card(version="1"),)), Task(id="t", skill="work"), **goal)
    told.begin("t")
    told.now += at
    told.end("t", Completed(output=1, cost=Cost(money=Decimal(money))))
    told.review("t")
    told.say(Deliver(delivery=Delivery()))
    told.events[0] = replace(told.events[0], run=run)  # type: ignore[call-arg]
    told.state = msgspec.structs.replace(told.state, run=run)
    return told


async def keep(journal: Journal, told: Story, after: int = 0) -> None:
    """Append what a story tells after an event."""
    lease = await journal.claim(told.state.run)
    facts: list[tuple[str, Event]] = [("test", event) for event in told.events[after:]]
    await journal.append(lease, after, facts, summary(told.state))
    await journal.release(lease)


async def rows(journal: Journal, **wanted: Any) -> dict[str, Measures]:
    found = await numbers(journal, **wanted)
    return {str(getattr(one.key, "title", one.key)): one.measures for one in found.rows}


async def test_runs_are_measured_once_and_anew_after_another_event() -> None:
    journal = MemoryJournal()
    told = over("r")
    await keep(journal, told)
    assert (await numbers(journal)).rows == (), "nobody has looked yet"
    assert (await bring_up_to_date(journal)).measured == 1
    assert (await bring_up_to_date(journal)).measured == 0
    assert (await numbers(journal)).total.measures.runs == 1
    before = len(told.events)
    told.say(RateRun(actor="person:ann", score=2))
    await keep(journal, told, before)
    assert (await numbers(journal)).total.measures.runs == 0
    assert (await bring_up_to_date(journal)).measured == 1
    assert (await numbers(journal)).total.measures.satisfaction == 2.0


async def test_a_run_that_goes_on_again_does_not_count_until_it_has_ended_again() -> None:
    journal, told = MemoryJournal(), over("r")
    await keep(journal, told)
    await bring_up_to_date(journal)
    before = len(told.events)
    told.say(RetryTask(actor="person:ann", revision=1, task="t", again=True, feedback="no"))
    await keep(journal, told, before)
    assert (await bring_up_to_date(journal)).measured == 0
    assert (await numbers(journal)).total.measures.runs == 0


async def test_no_more_than_so_many_runs_are_measured_at_a_time_the_oldest_first() -> None:
    journal = MemoryJournal()
    for number in (3, 1, 2):
        await keep(journal, over(f"r{number}", at=float(number)))
    assert (await bring_up_to_date(journal, limit=2)).measured == 2
    assert [one.run for one in await journal.measured(EDITION)] == ["r1", "r2"]
    assert (await bring_up_to_date(journal, limit=2)).measured == 1


async def test_a_run_that_cannot_be_read_is_named_and_keeps_no_other_from_being_counted() -> None:
    class Torn(MemoryJournal):
        async def read(self, run: str, after: int = 0) -> Sequence[Recorded]:
            if run == "bad":
                raise StoreError("its content was erased")
            return await super().read(run, after)

    journal = Torn()
    for name, at in (("bad", 1.0), ("good", 2.0)):
        await keep(journal, over(name, at=at))
    found = await bring_up_to_date(journal, limit=1)
    assert (found.measured, found.unreadable) == (1, ("bad",))
    assert (await numbers(journal)).total.measures.runs == 1


async def test_numbers_are_those_of_a_workspace_and_of_a_time() -> None:
    journal = MemoryJournal()
    for number, folder in enumerate(("/srv/a", "/srv/a", "/srv/b")):
        await keep(journal, over(f"r{number}", at=number * 100.0, workspace=folder))
    await bring_up_to_date(journal)
    assert {name: one.runs for name, one in (await rows(journal)).items()} == {
        "a/planned goal": 2,
        "b/planned goal": 1,
    }
    assert (await numbers(journal, "/srv/a")).total.measures.runs == 2
    assert (await numbers(journal, since=1100.0)).total.measures.runs == 2
    assert (await numbers(journal, since=1100.0, until=1200.0)).total.measures.runs == 1


async def test_teams_runs_count_for_their_agents_and_are_no_runs() -> None:
    journal = MemoryJournal()
    await keep(journal, over("r"))
    await keep(journal, over("r.t", parent="r"))
    assert (await bring_up_to_date(journal)).measured == 2
    found = await numbers(journal, by="agent")
    assert found.total.measures.runs == 1
    (one,) = found.rows
    assert one.key == AgentSkill("worker", "1", "work")
    assert (one.measures.runs, one.measures.accepted) == (1, 2)


async def test_cost_falls_when_the_latest_week_is_cheaper_than_those_before() -> None:
    journal = MemoryJournal()
    for week, money in enumerate(("3", "2")):
        await keep(journal, over(f"r{week}", at=week * WEEK, money=money))
    await bring_up_to_date(journal)
    found = await numbers(journal, by="week")
    assert [(one.key, one.measures.cost_per_run) for one in found.rows] == [
        (week_of(1000.0), 3.0),
        (week_of(1000.0 + WEEK), 2.0),
    ]
    assert [verdict(one, "cost") for one in (*found.rows, found.total)] == ["no data", "met", "met"]
    await keep(journal, over("dear", at=2 * WEEK, money="9"))
    await bring_up_to_date(journal)
    assert verdict((await numbers(journal)).rows[0], "cost") == "missed"


def verdict(row: Row, name: str) -> str:
    from stretto.core.targets import TARGETS

    return next(one for one in TARGETS if one.name == name).verdict(row.measures, row.weeks)


@pytest.mark.parametrize(
    ("measures", "said"),
    [
        (Measures(), {"completion": "no data", "handoff": "no data", "errors": "no data", "satisfaction": "no target"}),
        (Measures(runs=100, unaided=99), {"completion": "met"}),
        (Measures(runs=100, unaided=98), {"completion": "missed"}),
        (Measures(accepted=1000, wrong=9), {"errors": "met"}),
        (Measures(accepted=100, wrong=1), {"errors": "missed"}),
        (Measures(checked=1000, unsupported=4), {"hallucinations": "met"}),
        (Measures(checked=1000, unsupported=5), {"hallucinations": "missed"}),
    ],
)
def test_a_target_is_met_beyond_its_bound_alone(measures: Measures, said: dict[str, str]) -> None:
    row = Row(key="all", measures=measures, weeks={})
    assert {name: verdict(row, name) for name in said} == said


@pytest.mark.parametrize(
    ("day", "week"), [("2026-01-01", "2026-W01"), ("2027-01-03", "2026-W53"), ("2024-12-30", "2025-W01")]
)
def test_weeks_are_those_of_iso_8601(day: str, week: str) -> None:
    from datetime import UTC, datetime

    assert week_of(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()) == week


async def test_a_real_run_is_measured_in_a_real_store(tmp_path: Path) -> None:
    team = Orchestrator([find, write], store=tmp_path / "runs.db")
    run = await team.run("report", plan=JOB)
    assert (await team.rate(run.run_id, 5, "thank you")).rating == 5.0
    journal = SqliteJournal(tmp_path / "runs.db")
    try:
        assert (await bring_up_to_date(journal)).measured == 1
        found = numbers_view(await numbers(journal, by="agent"))
    finally:
        await journal.close()
    total = found["total"]
    assert total["numbers"]["completion"] == {"value": 1.0, "verdict": "met"}
    assert total["numbers"]["satisfaction"]["value"] == 5.0
    assert total["counts"]["money"] == 0.25
    assert [(one["agent"], one["skill"], one["counts"]["attempts"]) for one in found["rows"]] == [
        ("find", "find", 1),
        ("write", "write", 1),
    ]
    assert found["rows"][1]["counts"]["handoffs"]["count"] == 1


async def test_a_team_and_a_fork_are_counted_as_they_are(tmp_path: Path) -> None:
    store = tmp_path / "runs.db"
    inner = Orchestrator([find]).as_agent("research", plans={"look": replace(JOB, tasks=JOB.tasks[:1], deliver=None)})
    outer = {
        "tasks": {"t": {"skill": "research.look"}, "u": {"skill": "find", "inputs": {"question": "?"}, "after": ["t"]}}
    }
    team = Orchestrator([inner, find], store=store)
    run = await team.run("ask around", plan={**outer, "name": "ask"})
    assert run.status == "finished", run.gaps
    fork = await team.fork(run.run_id, "u")
    assert fork.status == "finished"
    journal = SqliteJournal(store)
    try:
        await bring_up_to_date(journal)
        total = (await numbers(journal)).total.measures
        assert (total.runs, total.unaided) == (2, 1), "the team's run is none, and a person forked"
        found = {one.key.agent: one.measures for one in (await numbers(journal, by="agent")).rows}  # type: ignore[union-attr]
    finally:
        await journal.close()
    assert found["research"].attempts == 1, "what was done before the fork is its parent's"
    assert found["find"].attempts == 3
    assert found["find"].runs == 2
