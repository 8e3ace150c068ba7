"""Plans that come a part at a time: what starts early, what waits, what is told when the stream is broken."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from stretto import Orchestrator, agent, idempotent, irreversible, plan, pure, ref, task
from stretto.core.domain import Task
from stretto.core.errors import UsageError
from stretto.core.events import AttemptStarted, PlanClosed
from stretto.views import Run
from tests.engines.test_runs import go, statuses

seen: dict[str, asyncio.Event] = {}


@pure
async def find(topic: str) -> list[str]:
    """Find texts, and let others know that it began."""
    seen.setdefault(topic, asyncio.Event()).set()
    return [topic]


@pure
async def write(texts: list[str]) -> str:
    """Write."""
    return " ".join(texts)


@idempotent
async def publish(text: str) -> str:
    """Publish."""
    return text


@irreversible
async def mail(text: str) -> str:
    """Mail."""
    return text


@agent(effect="none", perimeter=["public"])
async def outside(topic: Any) -> str:
    """Ask somebody outside."""
    return str(topic)


@agent(effect="none", cost="$5")
async def dear(topic: str) -> str:
    """Cost much."""
    return topic


TEAM = Orchestrator([find, write, publish, mail, outside, dear])


def stepped(*parts: Any, until: str = "first") -> AsyncIterator[Any]:
    """Give parts; the last only when the task about a topic has begun, so that it must have begun early."""

    async def stream() -> AsyncIterator[Any]:
        seen[until] = asyncio.Event()
        for part in parts[:-1]:
            yield part
        async with asyncio.timeout(10):
            await seen[until].wait()
        yield parts[-1]

    return stream()


def order(*parts: Any, team: Orchestrator = TEAM, **more: Any) -> tuple[Run, list[str]]:
    """Run a stream whose last part waits until `first` is begun; give the tasks that began before the plan ended."""
    events: list[Any] = []
    watching = Orchestrator(list(team.registry), budget=team.budget, listeners=[lambda _, fresh: events.extend(fresh)])
    run = go(watching.run("go", plan=stepped(*parts), approve="all", **more))
    closed = next((n for n, one in enumerate(events) if isinstance(one, PlanClosed)), len(events))
    return run, [one.task for one in events[:closed] if isinstance(one, AttemptStarted)]


FIRST = task("a", find, topic="first")


def test_tasks_start_and_results_flow_while_the_plan_is_still_being_written() -> None:
    run, early = order(FIRST, task("b", write, texts=ref("a")), {"deliver": {"ref": "b.output"}})
    assert (run.status, run.answer) == ("finished", "first")
    assert early[0] == "a"


@pytest.mark.parametrize(
    "held",
    [
        task("x", publish, text="it changes something"),
        task("x", mail, text="it cannot be undone"),
        task("x", find, topic=["not", "a", "text"]),
        task("x", find, topic=ref("inputs.never")),
        task("x", find, topic="x", after=["nobody"]),
        task("x", find, topc="x"),
        task("x", "nobody", topic="x"),
        task("x", find, topic="x", approval="ask"),
        task("x", outside, topic="x", labels=["secret"]),
        Task(id="x", skill="find", inputs={"topic": "x"}, tools=("browser",)),
    ],
    ids=lambda one: f"{one.skill} {one.inputs}",
)
def test_what_could_harm_or_does_not_pass_its_own_check_waits_for_the_end_of_the_plan(held: Task) -> None:
    _, early = order(held, FIRST, {"deliver": {"ref": "a.output"}})
    assert early == ["a"]


def test_what_the_budget_does_not_hold_waits_for_the_end_of_the_plan() -> None:
    run, early = order(task("x", dear, topic="x"), FIRST, {"deliver": {"ref": "a.output"}}, budget="$1")
    assert early == ["a"]
    assert "over-budget" in run.gaps[0].why


def test_an_argument_is_held_against_what_the_task_before_it_brings() -> None:
    run, early = order(
        task("n", write, texts=["x"]), task("x", write, texts=ref("n")), FIRST, {"deliver": {"ref": "a.output"}}
    )
    assert sorted(early) == ["a", "n"], "a text does not fit where a list is taken"
    assert statuses(run)["x"] == "failed"


def test_inputs_are_declared_by_the_stream_and_given_with_the_run() -> None:
    parts = [
        {"inputs": {"topic": "value", "most": {"default": 3}}},
        {"id": "a", "skill": "find", "inputs": {"topic": {"ref": "inputs.topic"}}},
        {"deliver": [{"ref": "a.output"}, {"ref": "inputs.most"}]},
    ]
    run = go(TEAM.run("go", plan=parts, inputs={"topic": "given"}))
    assert (run.status, run.answer) == ("finished", [["given"], 3])
    lacking = go(TEAM.run("go", plan=parts))
    assert "the plan needs the input 'topic'" in lacking.gaps[0].why
    extra = go(TEAM.run("go", plan=[FIRST], inputs={"nobody": 1}))
    assert "nobody names no input of the plan" in extra.gaps[0].why


def blocking() -> Iterator[Task]:
    yield FIRST
    yield task("b", write, texts=ref("a"))


def raising() -> Iterator[Task]:
    yield FIRST
    yield task("m", mail, text="never")
    raise OSError("the line is dead")


def test_a_generator_that_may_block_is_read_beside_the_loop_and_no_deliver_delivers_what_nobody_used() -> None:
    run = go(TEAM.run("go", plan=blocking()))
    assert (run.status, run.answer) == ("finished", "first")


def test_when_the_writer_breaks_off_what_is_done_is_delivered_and_nothing_held_back_happens() -> None:
    run = go(TEAM.run("go", plan=raising(), approve="all"))
    assert (run.status, run.answer) == ("partial", ["first"])
    assert [gap.what for gap in run.gaps] == ["the plan", "mail"]
    assert run.gaps[0].why == "its writer broke off after 2 tasks: OSError: the line is dead"
    assert statuses(run) == {"a": "completed", "m": "cancelled"}


@pytest.mark.parametrize(
    ("part", "says"),
    [
        (5, "part 2 of the plan: error: a part of a plan is a mapping, this is 5 [not-a-plan]"),
        ({}, "this is neither a task, nor inputs, nor what is delivered"),
        ({"tasks": {}}, "this is neither a task, nor inputs, nor what is delivered"),
        ({"id": "b", "skil": "find"}, "part 2 of the plan (skil): error: a task has no field 'skil'"),
        ({"id": "b", "skill": 3}, "part 2 of the plan (skill): error: skill is a number, not text"),
        ({"id": "a", "skill": "find"}, "the id 'a' is taken at part 1 of the plan [duplicate-id]"),
        ({"id": "b", "skill": "nobody"}, "part 2 of the plan (tasks.b.skill): error: no agent has the skill 'nobody'"),
        ({"id": "b", "skill": "find", "inputs": {"topic": "x"}, "when": "1 +"}, "[bad-condition]"),
        ({"id": "b", "skill": "find", "inputs": {"topic": {"ref": "c.output"}}}, "there is no task 'c'"),
        ({"id": "b", "skill": "find", "inputs": {"topic": float("nan")}}, "is nothing that JSON can say"),
        ({"inputs": {"a.b": "value"}}, "part 2 of the plan (inputs.a.b): error: 'a.b' cannot be referred to"),
        ({"deliver": {"ref": "nobody.output"}}, "part 2 of the plan (deliver): error: there is no task 'nobody'"),
        (Task(id="b", skill="find", inputs=[1]), "part 2 of the plan: error:"),  # type: ignore[arg-type]
    ],
    ids=str,
)
def test_a_part_that_is_wrong_is_told_with_its_number_and_the_rest_is_done(part: Any, says: str) -> None:
    run = go(TEAM.run("go", plan=[FIRST, part]))
    assert (run.status, run.answer) == ("partial", ["first"])
    (first, *_) = run.as_json()["plan"]["diagnostics"]
    assert says in f"{first['where']}: {first['severity']}: {first['message']} [{first['code']}]"
    assert run.gaps[0].what == "the plan"


def test_one_slip_does_not_look_like_many() -> None:
    broken = {"id": "b", "skil": "find"}
    run = go(TEAM.run("go", plan=[FIRST, broken, task("c", write, texts=ref("b")), {"deliver": ref("c")}]))
    assert len(run.state.diagnostics) == 1


def test_what_harms_nobody_is_finished_after_the_stream_broke_off_also_what_waited_for_it() -> None:
    def stream() -> Iterator[Task]:
        yield task("b", write, texts=ref("a"))
        yield task("held", publish, text=ref("b"))
        yield task("behind", write, texts=ref("held", default=[]))
        yield FIRST
        raise OSError("gone")

    run = go(TEAM.run("go", plan=stream()))
    assert statuses(run) == {"b": "completed", "held": "cancelled", "behind": "cancelled", "a": "completed"}
    assert (run.status, run.answer) == ("partial", "first")


def test_an_empty_stream_is_no_plan() -> None:
    run = go(TEAM.run("go", plan=iter([])))
    assert (run.status, run.gaps[0].why) == ("failed", "the plan has no task")


def dying(store: Path, *parts: Any) -> str:
    """Begin a run whose process dies when the parts are given and the first task is done; give its id."""

    async def stream() -> AsyncIterator[Any]:
        for part in parts:
            yield part
        await asyncio.Event().wait()

    async def drive() -> str:
        done = asyncio.Event()

        def listen(state: Any, _: Any) -> None:
            if state.completed:
                done.set()

        team = Orchestrator([find, write, publish, mail], store=store, listeners=[listen])
        running = asyncio.create_task(team.run("go", plan=stream(), run_id="20300101-stream"))
        async with asyncio.timeout(10):
            await done.wait()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        return "20300101-stream"

    return asyncio.run(drive())


def test_a_stream_that_is_gone_can_be_handed_over_again_whole(tmp_path: Path) -> None:
    parts = [{"inputs": {"t": {"default": "x"}}}, FIRST, task("b", publish, text=ref("inputs.t"))]
    run = dying(tmp_path / "runs.db", *parts)
    team = Orchestrator([find, write, publish, mail], store=tmp_path / "runs.db")
    ended = go(team.resume(run, plan=[*parts, task("c", write, texts=ref("a")), {"deliver": [ref("c"), ref("b")]}]))
    assert (ended.status, ended.answer) == ("finished", ["first", "x"])
    assert ended.state.tasks["a"].attempt == 1, "what is done is not done again"
    with pytest.raises(UsageError, match="is complete; resume the run without one"):
        go(team.resume(run, plan=parts))


def test_a_stream_that_is_gone_and_not_handed_over_again_leaves_what_was_adopted(tmp_path: Path) -> None:
    run = dying(tmp_path / "runs.db", FIRST, task("b", publish, text="x"))
    ended = go(Orchestrator([find, publish], store=tmp_path / "runs.db").resume(run))
    assert (ended.status, ended.answer, statuses(ended)["b"]) == ("partial", ["first"], "cancelled")
    assert "the plan came as a stream" in ended.gaps[0].why


@pytest.mark.parametrize(
    ("again", "says"),
    [
        ([task("a", find, topic="other")], "task 'a' is not the one that this run has adopted already: inputs differ"),
        ([task("z", find, topic="z")], "task 'a' was adopted by this run, and the plan has it no more"),
    ],
)
def test_another_stream_than_the_one_that_was_begun_is_told(again: list[Task], says: str, tmp_path: Path) -> None:
    run = dying(tmp_path / "runs.db", FIRST)
    ended = go(Orchestrator([find], store=tmp_path / "runs.db").resume(run, plan=again))
    assert ended.status == "partial"
    assert says in "".join(map(str, ended.state.diagnostics))


def test_a_run_with_a_plan_of_its_own_takes_no_stream(tmp_path: Path) -> None:
    team = Orchestrator([find], store=tmp_path / "runs.db")
    run = go(team.run("go", plan=plan(FIRST)))
    with pytest.raises(UsageError, match="a run keeps its plan"):
        go(team.resume(run.run_id, plan=[FIRST]))


def test_more_tasks_than_a_plan_may_have_end_the_reading() -> None:
    team = Orchestrator([find])
    team.settings.plan_tasks = 3
    run = go(team.run("go", plan=(task(f"t{n}", find, topic="x") for n in range(10))))
    assert "more than 3 tasks" in run.gaps[0].why
