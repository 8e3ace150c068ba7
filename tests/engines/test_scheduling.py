"""Joins, rounds, waits, deadlines and learned durations, with real functions, processes and a real store."""

import asyncio
import contextlib
import json
import sqlite3
import sys
import time
from pathlib import Path
from typing import Any

from stretto import Agent, AgentFailure, Assignment, Orchestrator, agent, irreversible, plan, pure, ref, task
from stretto.core.domain import Plan
from stretto.core.events import AttemptStarted
from stretto.views import Run
from tests import forked

LONG = 30.0
"""Seconds that no test waits for."""

LEARNED = 0.7
"""Seconds that what is quick does not take, on a busy machine either."""


@pure
async def fetch(place: str, seconds: float = 0.0) -> str:
    """Fetch something from a place."""
    await asyncio.sleep(seconds)
    if place == "nowhere":
        raise AgentFailure("there is no such place")
    return place


@pure
def together(parts: list[Any]) -> list[Any]:
    """Put parts together."""
    return parts


@pure
def add_one(number: int) -> int:
    """Add one."""
    return number + 1


@agent()
async def book(place: str, seconds: float = 0.0) -> str:
    """Book a place; nobody says what doing it twice would do."""
    await asyncio.sleep(seconds)
    return f"booked {place}"


def run(*tasks: Any, store: Path | None = None, deliver: Any = None, agents: Any = (), **options: Any) -> Run:
    async def go() -> Run:
        team = Orchestrator([fetch, together, add_one, book, *agents], store=store)
        made = tasks[0] if isinstance(tasks[0], Plan) else plan(*tasks, deliver=deliver)
        return await asyncio.wait_for(team.run("do it", plan=made, **options), 20)

    return asyncio.run(go())


def told(run: Run) -> dict[str, dict[str, Any]]:
    return {one["id"]: one for one in json.loads(json.dumps(run.as_json()))["tasks"]}


def joining(take: Any, *places: tuple[str, float], rest: str = "cancel") -> list[Any]:
    members = [task(place, fetch, place=place, seconds=seconds) for place, seconds in places]
    of = [place for place, _ in places]
    return [*members, task("all", together, join={"of": of, "take": take, "rest": rest}, parts=ref("joined"))]


def test_the_first_wins_and_the_others_are_withdrawn(tmp_path: Path) -> None:
    begun = time.monotonic()
    done = run(*joining("first", ("slow", LONG), ("quick", 0.0)), deliver=ref("all"), store=tmp_path / "runs.db")
    assert time.monotonic() - begun < LONG / 2
    assert (done.status, done.answer, done.gaps) == ("finished", ["quick"], ())
    assert told(done)["all"]["took"] == ["quick"]
    assert told(done)["slow"]["status"] == "skipped"
    assert told(done)["slow"]["reason"] == "not needed: 'all' took 'quick'"


def test_a_quorum_takes_results_in_the_order_they_came_and_makes_up_for_a_loss() -> None:
    done = run(*joining(2, ("later", 0.2), ("nowhere", 0.0), ("sooner", 0.0)), deliver=ref("all"))
    assert (done.status, done.answer, done.gaps) == ("finished", ["sooner", "later"], ())


def test_a_join_falls_as_soon_as_too_few_are_left_and_says_who_failed() -> None:
    begun = time.monotonic()
    members = joining("all", ("nowhere", 0.0), ("slow", 1.0))
    done = run(*members, task("next", together, parts=[ref("all")]))
    assert time.monotonic() - begun < LONG / 2
    assert done.status == "partial"
    assert told(done)["all"]["reason"] == "it needs 2 of 'nowhere', 'slow': 'nowhere' failed"
    assert told(done)["next"]["status"] == "skipped"
    assert {gap.task for gap in done.gaps} == {"nowhere", "all", "next"}


def test_what_only_served_a_member_is_dropped_with_it_and_what_others_need_is_not() -> None:
    done = run(
        task("base", fetch, place="base", seconds=0.3),
        task("only", fetch, place="only", seconds=LONG),
        task("slow", together, parts=[ref("only"), ref("base")]),
        task("quick", fetch, place="quick"),
        task("end", together, join={"of": ["slow", "quick"], "take": "first"}, parts=ref("joined")),
        task("too", together, parts=[ref("base")]),
        deliver=[ref("end"), ref("too")],
    )
    assert done.answer == [["quick"], ["base"]]
    statuses = {id_: one["status"] for id_, one in told(done).items()}
    assert statuses == {
        "base": "completed", "only": "skipped", "slow": "skipped", "quick": "completed", "end": "completed",
        "too": "completed",
    }  # fmt: skip


def test_work_with_side_effects_under_way_is_let_finish_and_what_is_delivered_too() -> None:
    done = run(
        task("effect", book, place="x", seconds=0.2),
        task("asked", fetch, place="asked", seconds=0.2),
        task("quick", fetch, place="quick", seconds=0.05),
        task("end", together, join={"of": ["effect", "asked", "quick"], "take": 1}, parts=ref("joined")),
        deliver=[ref("end"), ref("asked")],
    )
    assert (done.status, done.answer) == ("finished", [["quick"], "asked"])
    assert told(done)["effect"]["status"] == "completed"


def test_kept_members_go_on_and_a_soft_reference_to_one_does_not_wait() -> None:
    done = run(
        task("quick", fetch, place="quick"),
        task("slow", fetch, place="slow", seconds=0.2),
        task(
            "end",
            together,
            join={"of": ["quick", "slow"], "take": "first", "rest": "keep"},
            parts=[ref("slow", default="not there yet"), ref("joined[0]")],
        ),
        deliver=ref("end"),
    )
    assert (done.status, done.answer) == ("finished", ["not there yet", "quick"])
    assert told(done)["slow"]["status"] == "completed"
    assert done.as_json()["waived"] == [{"task": "slow", "why": "'end' had what it takes before"}]


def test_a_fan_out_may_join_and_keeps_to_its_bound() -> None:
    under_way, most = 0, 0

    @pure
    async def count(item: str) -> str:
        """Count how many run at once."""
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.02)
        under_way -= 1
        return item

    items = ["a", "b", "c", "d", "e", "f", "g"]
    done = run(
        task("list", together, parts=items),
        task("each", count, join={"of": ["list"]}, for_each=ref("joined[0]"), parallel=3, item=ref("item")),
        deliver=ref("each"),
        agents=[count],
    )
    assert (done.answer, most) == (items, 3)


def test_rounds_go_on_from_each_other_until_the_condition_holds() -> None:
    grow = task("grow", add_one, repeat={"max": 9, "until": "output >= limit.output[0] && round > 0"},
                number=ref("previous", default=0))  # fmt: skip
    done = run(task("limit", together, parts=[3]), grow, task("end", together, parts=[ref("grow")]), deliver=ref("end"))
    assert (done.status, done.answer) == ("finished", [3])
    assert told(done)["grow"]["rounds"] == 3
    assert [id_ for id_ in told(done) if id_.startswith("grow[")] == ["grow[0]", "grow[1]", "grow[2]"]


def test_a_bound_that_is_reached_fails_or_keeps_and_without_a_condition_all_rounds_run() -> None:
    def rounds(**spec: Any) -> Run:
        return run(task("n", add_one, repeat={"max": 3, **spec}, number=ref("previous", default=0)), deliver=ref("n"))

    failed = rounds(until="output > 9")
    assert failed.status == "partial"
    assert (told(failed)["n"]["failure"], failed.gaps[0].why) == (
        "invalid_output",
        "3 rounds, and `until` was never true: output > 9",
    )
    kept = rounds(until="output > 9", otherwise="keep")
    assert (kept.status, kept.answer, kept.gaps) == ("finished", 3, ())
    assert told(kept)["n"]["reason"] == "3 rounds, and `until` was never true: output > 9"
    assert (rounds().answer, rounds().status) == (3, "finished")


def test_rounds_that_go_in_circles_are_seen_and_different_results_are_progress() -> None:
    turns = iter("abcdefgh")

    @pure
    def swap(word: str) -> str:
        """Swap ping and pong."""
        return {"ping": "pong"}.get(word, "ping")

    @pure
    def other() -> str:
        """Give something else each time."""
        return next(turns)

    ping = task("ping", swap, repeat={"max": 50, "until": "false"}, word=ref("previous", default="ping"))
    lost = run(ping, agents=[swap])
    assert [gap.why for gap in lost.gaps] == ["no progress: round 2 repeats round 0"]
    won = run(task("other", other, repeat={"max": 50, "until": 'output == "e"'}), deliver=ref("other"), agents=[other])
    assert (won.status, won.answer) == ("finished", "e")


def test_a_condition_that_cannot_be_answered_fails_the_task_with_its_reason() -> None:
    lost = run(task("n", add_one, repeat={"max": 3, "until": "output.score > 1"}, number=1))
    assert "cannot tell whether to go on" in lost.gaps[0].why
    assert told(lost)["n"]["failure"] == "refused"


def test_a_round_that_fails_fails_the_task_and_names_it_once() -> None:
    lost = run(task("f", fetch, repeat={"max": 3}, place="nowhere"))
    assert told(lost)["f"]["reason"] == "round 0: there is no such place"
    assert [gap.task for gap in lost.gaps] == ["f[0]"]


def test_each_round_of_a_keyed_action_has_a_key_of_its_own() -> None:
    keys: list[str] = []

    @irreversible
    def send(text: str, work: Assignment) -> str:
        """Send a letter."""
        keys.append(work.key)
        return text

    done = run(task("s", send, repeat={"max": 3, "pause": 0.01}, text="x"), agents=[send], approve="all")
    assert done.status == "finished"
    assert len(set(keys)) == len(keys) == 3


def test_a_deadline_covers_attempts_pauses_items_and_rounds() -> None:
    for late in (
        task("late", fetch, deadline=0.1, place="x", seconds=LONG),
        task("late", fetch, deadline=0.1, repeat={"max": 9, "pause": LONG}, place="x"),
        task("late", fetch, deadline=0.1, for_each=[0.0, LONG], place="x", seconds=ref("item")),
    ):
        lost = run(late)
        assert told(lost)["late"]["failure"] == "timed_out"
        assert any("not done within 0.1 s" in gap.why for gap in lost.gaps)


def test_a_deadline_covers_people_and_leaves_in_doubt_what_may_have_happened() -> None:
    @pure
    def ask(work: Assignment) -> str:
        """Ask somebody."""
        return work.ask("which one?")

    begun = time.monotonic()
    waits = run(task("q", ask, deadline=0.1), agents=[ask], wait=True)
    assert told(waits)["q"]["failure"] == "timed_out"
    assert waits.requests == ()
    standing = run(task("q", ask, deadline=3600.0), agents=[ask])
    assert (standing.status, len(standing.requests)) == ("waiting", 1)
    assert time.monotonic() - begun < LONG / 2
    doubt = run(task("b", book, deadline=0.1, place="x", seconds=LONG))
    assert (doubt.status, doubt.requests[0]["kind"]) == ("waiting", "doubt")
    assert "not done within 0.1 s" in doubt.requests[0]["question"]


WAITING = """
import asyncio, sys
from pathlib import Path
from stretto import Orchestrator, plan, pure, task

@pure
def note(name: str) -> str:
    with Path(sys.argv[2]).open("a") as file:
        file.write(name + "\\n")
    return name

async def main():
    team = Orchestrator([note], store=sys.argv[1])
    wait = float(sys.argv[3])
    rounds = {"max": 2, "pause": wait}
    made = plan(task("a", note, name="a"), task("b", note, after=["a"], wait=wait, name="b"),
                task("c", note, repeat=rounds, name="c"))
    run = await (team.resume("last", wait=True) if len(sys.argv) > 4 else team.run("wait", plan=made))
    print(run.status)

asyncio.run(main())
"""


def kinds_in(store: Path) -> set[tuple[str, int]]:
    """Count the facts of a store by their type."""
    if not store.exists():
        return set()
    with contextlib.closing(sqlite3.connect(store, timeout=10)) as database:
        if not database.execute("SELECT 1 FROM sqlite_schema WHERE name = 'events'").fetchone():
            return set()
        return set(database.execute("SELECT type, count(*) FROM events GROUP BY type"))


def test_a_wait_goes_on_where_it_was_after_the_process_was_killed(tmp_path: Path) -> None:
    script, store, notes = tmp_path / "waiting.py", tmp_path / "runs.db", tmp_path / "notes"
    script.write_text(WAITING)
    notes.touch()
    command = [sys.executable, str(script), str(store), str(notes), "4"]
    first = forked.Popen(command)
    end = time.monotonic() + 30
    while not {("TaskCompleted", 2), ("RoundPaused", 1)} <= kinds_in(store):
        assert time.monotonic() < end, "nothing was done"
        assert first.poll() is None
    killed = time.time()
    first.close()

    async def state() -> Any:
        async with Orchestrator(store=store).journal() as journal:
            known = (await journal.runs())[0].run
            return [one.event for one in await journal.read(known)]

    due = {one.task: one.at + 4.0 for one in asyncio.run(state()) if isinstance(one, AttemptStarted)}
    assert min(due.values()) - killed < 5
    again = forked.run([*command, "again"])
    assert again.stdout == "finished\n", again.stderr
    events = [one for one in asyncio.run(state()) if isinstance(one, AttemptStarted)]
    assert sorted(notes.read_text().split()) == ["a", "b", "c", "c"]
    late = {one.task: one.at for one in events}
    assert due["a"] <= late["b"]
    assert due["c[0]"] <= late["c[1]"]
    assert sorted(one.task for one in events) == ["a", "b", "c[0]", "c[1]"]


def test_durations_are_learned_from_run_to_run_and_set_priorities(tmp_path: Path) -> None:
    @pure
    async def slow(n: int) -> int:
        """Take its time, once."""
        await asyncio.sleep(0 if taken else LEARNED)
        taken.append(n)
        return n

    store, taken = tmp_path / "runs.db", list[int]()
    first = run(
        task("f", fetch, place="x"), task("s", "snail.slow", n=1), store=store, agents=[Agent([slow], name="snail")]
    )
    assert first.as_json()["expected_seconds"] == {}
    again = plan(*(task(f"f{n}", fetch, place="x") for n in range(5)), task("s", "snail.slow", n=1))
    second = run(again, store=store, agents=[Agent([slow], name="snail")])
    expected = second.as_json()["expected_seconds"]
    assert expected["snail/snail.slow"] >= LEARNED > expected["fetch/fetch"]
    assert second.state.ranked[0] == "s"
    assert "elsewhere/x" not in expected
