"""Whole runs through the public interface: order, limits, deadlines, budgets, people, doubt, gaps."""

import asyncio
import time
from collections.abc import Awaitable
from pathlib import Path
from typing import Any, TypeVar

import pytest

from stretto import Assignment, Orchestrator, agent, irreversible, plan, pure, ref, task
from stretto.bootstrap import leave_word
from stretto.core.audit import broken_link
from stretto.core.commands import AnswerRequest, Cancel
from stretto.core.domain import Completed, InputSpec, Plan, Preview, Task
from stretto.core.errors import BadPlan, UnknownRun, UsageError
from stretto.views import Run

T = TypeVar("T")
SECONDS = 30.0


def go(work: Awaitable[T]) -> T:
    async def bounded() -> T:
        async with asyncio.timeout(SECONDS):
            return await work

    return asyncio.run(bounded())


def statuses(run: Run) -> dict[str, str]:
    return {one["id"]: one["status"] for one in run.as_json()["tasks"]}


@pure
async def echo(value: Any) -> Any:
    """Give back what came."""
    return value


@pure
async def fail(message: str) -> str:
    """Fail."""
    raise ValueError(message)


# ---- graphs


def test_results_flow_along_references_and_the_deliverable_is_what_the_plan_names() -> None:
    job = plan(
        task("a", echo, value={"rows": [{"n": 1}, {"n": 2}]}),
        task("b", echo, value=ref("a.output.rows[1].n")),
        task("c", echo, value=[ref("b"), {"deep": ref("a.output.rows")}, ref("inputs.x")]),
        deliver={"c": ref("c"), "fixed": 7},
        inputs=["x"],
    )
    run = go(Orchestrator([echo]).run("go", plan=job, inputs={"x": "given"}))
    assert run.status == "finished"
    assert run.answer == {"c": [2, {"deep": [{"n": 1}, {"n": 2}]}, "given"], "fixed": 7}
    assert run.gaps == ()


def test_a_failed_branch_takes_down_only_what_depends_on_it() -> None:
    job = plan(
        task("bad", fail, message="broken"),
        task("after_bad", echo, value=ref("bad")),
        task("ordered", echo, value=1, after=["bad"]),
        task("good", echo, value=1),
        task("soft", echo, value=ref("bad", default="nothing came")),
        deliver={"good": ref("good"), "soft": ref("soft"), "lost": ref("after_bad")},
    )
    run = go(Orchestrator([echo, fail]).run("go", plan=job))
    assert run.status == "partial"
    assert statuses(run) == {
        "bad": "failed", "after_bad": "skipped", "ordered": "skipped", "good": "completed", "soft": "completed",
    }  # fmt: skip
    assert run.answer == {"good": 1, "soft": "nothing came", "lost": None}
    assert {gap.task for gap in run.gaps} == {"bad", "after_bad", "ordered"}
    assert "broken" in next(gap.why for gap in run.gaps if gap.task == "bad")


def test_when_nothing_could_be_done_the_run_has_failed_and_says_why() -> None:
    run = go(Orchestrator([fail]).run("go", plan=plan(task("bad", fail, message="no luck"))))
    assert run.status == "failed"
    assert run.answer is None
    assert "no luck" in run.gaps[0].why


def test_a_false_condition_skips_without_leaving_a_gap() -> None:
    job = plan(
        task("n", echo, value=3),
        task("many", echo, value="many", when="n.output > 5"),
        task("few", echo, value="few", when="n.output <= 5"),
        task("after_many", echo, value=ref("many")),
        task("ordered", echo, value="still", after=["many"]),
        deliver={"few": ref("few"), "ordered": ref("ordered")},
    )
    run = go(Orchestrator([echo]).run("go", plan=job))
    assert run.status == "finished"
    assert statuses(run)["many"] == "skipped"
    assert statuses(run)["after_many"] == "skipped"
    assert run.answer == {"few": "few", "ordered": "still"}


def test_fan_out_works_on_each_item_and_keeps_their_order() -> None:
    @pure
    async def slow_first(n: int) -> int:
        """The first ones take longest."""
        await asyncio.sleep(0.02 * (4 - n))
        return n * n

    job = plan(
        task("list", echo, value=[1, 2, 3, 4]),
        task("squares", slow_first, for_each=ref("list"), n=ref("item")),
        task("odd", echo, for_each=ref("list"), value=ref("item"), when="item % 2 == 1"),
        deliver=[ref("squares"), ref("odd")],
    )
    run = go(Orchestrator([echo, slow_first]).run("go", plan=job))
    assert run.answer == [[1, 4, 9, 16], [1, 3]]


def test_a_fan_out_over_nothing_is_complete_and_empty() -> None:
    job = plan(task("none", echo, for_each=[], value=ref("item")), deliver=ref("none"))
    run = go(Orchestrator([echo]).run("go", plan=job))
    assert (run.status, run.answer) == ("finished", [])


def test_a_fan_out_that_allows_failures_goes_on_with_the_rest_and_names_the_gap() -> None:
    @pure
    def picky(n: int) -> int:
        """Refuse two."""
        if n == 2:
            raise RuntimeError("not two")
        return n

    job = plan(
        task("some", picky, for_each=[1, 2, 3], allow_failures=True, n=ref("item")),
        task("all", picky, for_each=[1, 2, 3], n=ref("item")),
        deliver={"some": ref("some"), "all": ref("all", default=None)},
    )
    run = go(Orchestrator([picky]).run("go", plan=job))
    assert run.status == "partial"
    assert run.answer == {"some": [1, 3], "all": None}
    assert {gap.task for gap in run.gaps} >= {"some[1]", "all[1]"}


def test_a_fan_out_beyond_its_bound_is_refused_before_it_begins() -> None:
    job = plan(task("many", echo, for_each=list(range(11)), most=10, value=ref("item")))
    run = go(Orchestrator([echo]).run("go", plan=job))
    assert run.status == "failed"
    assert "11 items; the bound is 10" in run.gaps[0].why


def test_context_entries_are_versioned_and_read_by_those_that_come_after() -> None:
    job = plan(
        task("first", echo, value="old", writes="note"),
        task("second", echo, value="new", writes="note", after=["first"]),
        task("reader", echo, value=ref("context.note"), after=["second"]),
        deliver=ref("reader"),
    )
    run = go(Orchestrator([echo]).run("go", plan=job))
    assert run.answer == "new"
    assert [(one.version, one.task) for one in run.state.context["note"]] == [(1, "first"), (2, "second")]


# ---- limits


def test_no_more_attempts_are_under_way_than_the_run_and_the_agent_allow() -> None:
    now, most = 0, 0

    @agent(effect="none", concurrency=3)
    async def busy(n: int) -> int:
        """Count who is here."""
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.005)
        now -= 1
        return n

    job = plan(task("all", busy, for_each=list(range(20)), n=ref("item")))
    assert go(Orchestrator([busy], parallel=10).run("go", plan=job)).status == "finished"
    assert most == 3
    most = 0
    assert go(Orchestrator([busy], parallel=2).run("go", plan=job)).status == "finished"
    assert most == 2


def test_what_can_run_side_by_side_does_without_any_barrier() -> None:
    here = asyncio.Event()

    @pure
    async def wait_for_other() -> str:
        """Only ends once the second task of the other chain has begun."""
        await here.wait()
        return "waited"

    @pure
    async def second(value: str) -> str:
        """Second in its chain."""
        here.set()
        return value

    job = plan(task("slow", wait_for_other), task("a", echo, value="x"), task("b", second, value=ref("a")))
    assert go(Orchestrator([echo, second, wait_for_other]).run("go", plan=job)).status == "finished"


def test_at_the_deadline_the_run_ends_with_what_there_is() -> None:
    @pure
    async def never() -> str:
        """Never end."""
        await asyncio.Event().wait()
        return ""

    job = plan(
        task("quick", echo, value=1), task("never", never), deliver={"quick": ref("quick"), "never": ref("never")}
    )
    began = time.monotonic()
    run = go(Orchestrator([echo, never]).run("go", plan=job, deadline="1s"))
    assert run.status == "partial"
    assert run.answer["quick"] == 1
    assert run.gaps[0].why == "the deadline passed"
    assert time.monotonic() - began < 10


def test_a_budget_of_steps_is_never_crossed_by_parallel_work() -> None:
    started = 0

    @pure
    async def count() -> int:
        """Count."""
        nonlocal started
        started += 1
        return started

    job = plan(task("all", count, for_each=list(range(50))))
    run = go(Orchestrator([count], budget="7 steps").run("go", plan=job))
    assert started == 7
    assert run.cost.money == 0
    assert run.status == "partial"
    assert any("7 attempts of the budget are used" in gap.why for gap in run.gaps)


def test_money_is_reserved_before_and_settled_after() -> None:
    spent = 0

    @agent(effect="none", cost="$0.40")
    async def dear(work: Assignment) -> int:
        """Cost less than feared."""
        nonlocal spent
        work.spend("0.10")
        await asyncio.sleep(0)
        spent += 1
        return spent

    job = plan(task("all", dear, for_each=list(range(20)), allow_failures=True))
    run = go(Orchestrator([dear], budget="$1").run("go", plan=job))
    # While $0.40 are reserved for each, two run at once; at $0.70 spent another could cross the limit.
    assert spent == 7
    assert str(run.cost) == "$0.7"
    assert run.status == "partial"


def test_a_plan_that_cannot_fit_its_budget_is_refused_before_anything_runs() -> None:
    @agent(effect="none", cost="$3")
    async def dear() -> int:
        """Cost a lot."""
        raise AssertionError("never called")

    with pytest.raises(BadPlan, match="over-budget"):
        go(Orchestrator([dear], budget="$2").run("go", plan=plan(task("a", dear))))


# ---- people


def world() -> tuple[list[str], Any]:
    done: list[str] = []

    @irreversible
    async def send(to: str) -> str:
        """Send it."""
        done.append(to)
        return f"sent to {to}"

    return done, send


def test_what_cannot_be_undone_waits_and_an_answer_from_elsewhere_lets_it_go_on(tmp_path: Path) -> None:
    done, send = world()
    team = Orchestrator([send], store=tmp_path / "runs.db")
    job = plan(task("send", send, to="ann"), deliver=ref("send"))

    async def work() -> Run:
        waiting = await team.run("go", plan=job)
        assert waiting.status == "waiting"
        assert done == []
        asked = waiting.requests[0]
        assert asked["arguments"] == {"to": "ann"}
        async with team.journal() as journal:
            answer = AnswerRequest(actor="person:kim", request=asked["request"], decision="approve")
            await leave_word(journal, waiting.run_id, answer)
            await leave_word(journal, waiting.run_id, answer)  # said twice, heard once
        return await team.resume(waiting.run_id)

    run = go(work())
    assert (run.status, run.answer, done) == ("finished", "sent to ann", ["ann"])


def test_a_denied_action_does_not_happen_and_its_reason_is_named(tmp_path: Path) -> None:
    done, send = world()
    run = go(Orchestrator([send]).run("go", plan=plan(task("send", send, to="ann")), approve="none"))
    assert run.status == "failed"
    assert done == []
    assert "--approve none" in run.gaps[0].why


def test_edited_arguments_are_what_happens(tmp_path: Path) -> None:
    done, send = world()
    team = Orchestrator([send], store=tmp_path / "runs.db")

    async def work() -> Run:
        waiting = await team.run("go", plan=plan(task("send", send, to="ann"), deliver=ref("send")))
        async with team.journal() as journal:
            edit = AnswerRequest(
                actor="person:kim", request=waiting.requests[0]["request"], decision="edit", value={"to": "bob"}
            )
            await leave_word(journal, waiting.run_id, edit)
        return await team.resume(waiting.run_id)

    assert (go(work()).status, done) == ("finished", ["bob"])


def test_an_approval_binds_to_the_state_it_was_given_for(tmp_path: Path) -> None:
    written: list[str] = []
    file = tmp_path / "file"
    file.write_text("one")

    def show(text: str) -> Preview:
        """Show the change."""
        return Preview(diff=f"-{file.read_text()}\n+{text}", preimage=file.read_text())

    @irreversible(preview=show)
    async def write(text: str) -> str:
        """Write it."""
        written.append(text)
        return text

    team = Orchestrator([write], store=tmp_path / "runs.db")

    async def approve(run: Run) -> None:
        async with team.journal() as journal:
            request = run.requests[0]["request"]
            await leave_word(
                journal, run.run_id, AnswerRequest(actor="person:kim", request=request, decision="approve")
            )

    async def work() -> Run:
        first = await team.run("go", plan=plan(task("write", write, text="new")))
        assert first.requests[0]["diff"] == "-one\n+new"
        await approve(first)
        file.write_text("two")  # somebody else changes it in between
        second = await team.resume(first.run_id)
        assert second.status == "waiting"
        assert written == []
        assert second.requests[0]["diff"] == "-two\n+new"
        assert "has changed" in second.requests[0]["question"]
        await approve(second)
        return await team.resume(first.run_id)

    assert (go(work()).status, written) == ("finished", ["new"])


def test_an_agent_can_ask_and_is_called_again_with_the_answer(tmp_path: Path) -> None:
    keys: list[str] = []

    @pure
    async def greet(work: Assignment) -> str:
        """Greet."""
        keys.append(work.key)
        return f"hello {work.ask('whom shall I greet?')}"

    team = Orchestrator([greet], store=tmp_path / "runs.db")

    async def work() -> Run:
        waiting = await team.run("go", plan=plan(task("greet", greet), deliver=ref("greet")))
        assert waiting.requests[0]["question"] == "whom shall I greet?"
        async with team.journal() as journal:
            answer = AnswerRequest(
                actor="person:kim", request=waiting.requests[0]["request"], decision="answer", value="you"
            )
            await leave_word(journal, waiting.run_id, answer)
        return await team.resume(waiting.run_id)

    assert go(work()).answer == "hello you"
    assert len(set(keys)) == 2  # performed again after an answer, it is another action


# ---- doubt


def test_a_lost_reply_is_asked_about_and_never_repeated_in_silence(tmp_path: Path) -> None:
    calls = 0

    @agent(timeout=0.1)
    async def undeclared() -> str:
        """Do something; the reply never comes."""
        nonlocal calls
        calls += 1
        await asyncio.Event().wait()
        return ""

    team = Orchestrator([undeclared], store=tmp_path / "runs.db")

    async def work() -> Run:
        doubt = await team.run("go", plan=plan(task("do", undeclared), deliver=ref("do")))
        assert doubt.status == "waiting"
        assert statuses(doubt) == {"do": "unknown"}
        assert doubt.requests[0]["kind"] == "doubt"
        async with team.journal() as journal:
            word = AnswerRequest(
                actor="person:kim", request=doubt.requests[0]["request"], decision="done", value="it is done"
            )
            await leave_word(journal, doubt.run_id, word)
        return await team.resume(doubt.run_id)

    run = go(work())
    assert (run.status, run.answer, calls) == ("finished", "it is done", 1)


def test_an_action_in_doubt_is_looked_up_where_the_agent_can(tmp_path: Path) -> None:
    calls, looked = 0, []

    def look(work: Assignment) -> Completed:
        """Tell that it happened."""
        looked.append(work.key)
        return Completed(output="it had happened")

    @agent(effect="reversible", timeout=0.1, lookup=look)
    async def act(work: Assignment) -> str:
        """Act, and lose the reply."""
        nonlocal calls
        calls += 1
        await asyncio.Event().wait()
        return work.key

    run = go(Orchestrator([act]).run("go", plan=plan(task("act", act), deliver=ref("act"))))
    assert (run.status, run.answer, calls, len(looked)) == ("finished", "it had happened", 1, 1)


def test_two_equal_effects_that_nothing_declares_as_two_are_refused() -> None:
    done, send = world()
    equal = plan(task("one", send, to="ann"), task("two", send, to="ann"))
    with pytest.raises(BadPlan, match="equal-effects"):
        go(Orchestrator([send]).run("go", plan=equal))
    hidden = plan(
        task("one", send, to="ann"), task("who", echo, value="ann"), task("two", send, to=ref("who"), after=["one"])
    )
    run = go(Orchestrator([send, echo]).run("go", plan=hidden, approve="all"))
    assert done == ["ann"]
    assert "the same action as task 'one'" in run.gaps[0].why
    done.clear()
    twice = plan(task("one", send, to="ann"), task("two", send, to="ann", occurrence="again"))
    assert go(Orchestrator([send]).run("go", plan=twice, approve="all")).status == "finished"
    assert done == ["ann", "ann"]


# ---- control


def test_a_run_is_cancelled_from_elsewhere_and_its_work_stops(tmp_path: Path) -> None:
    stopped = asyncio.Event()
    begun = asyncio.Event()

    @pure
    async def long() -> str:
        """Take long."""
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()
        return ""

    team = Orchestrator([long], store=tmp_path / "runs.db")

    async def work() -> Run:
        running = asyncio.create_task(team.run("go", plan=plan(task("long", long)), run_id="r1", wait=True))
        await begun.wait()
        async with team.journal() as journal:
            await leave_word(journal, "r1", Cancel(actor="person:kim", reason="enough"))
        run = await running
        assert stopped.is_set()
        return run

    run = go(work())
    assert run.status == "cancelled"
    assert "cancelled by person:kim" in run.gaps[0].why


def test_an_ended_run_is_given_again_and_an_unknown_one_refused(tmp_path: Path) -> None:
    calls = 0

    @pure
    async def once() -> int:
        """Count calls."""
        nonlocal calls
        calls += 1
        return calls

    team = Orchestrator([once], store=tmp_path / "runs.db")

    async def work() -> None:
        first = await team.run("go", plan=plan(task("a", once), deliver=ref("a")))
        again = await team.resume(first.run_id)
        assert (again.answer, calls) == (1, 1)
        assert again.state.seq == first.state.seq
        with pytest.raises(UnknownRun, match="no run 'zzz'"):
            await team.resume("zzz")

    go(work())


def test_two_runs_in_one_store_know_nothing_of_each_other(tmp_path: Path) -> None:
    team = Orchestrator([echo], store=tmp_path / "runs.db")
    job = plan(task("a", echo, value=ref("inputs.x"), writes="k"), deliver=ref("a"), inputs=["x"])

    async def work() -> list[Run]:
        return await asyncio.gather(*(team.run("go", plan=job, inputs={"x": n}) for n in range(12)))

    runs = go(work())
    assert [run.answer for run in runs] == list(range(12))

    async def chains() -> list[int | None]:
        async with team.journal() as journal:
            return [broken_link(await journal.envelopes(run.run_id)) for run in runs]

    assert go(chains()) == [None] * 12


# ---- bad input


@pytest.mark.parametrize("goal", ["", "   \n"])
def test_an_empty_goal_is_refused_before_anything_is_stored(tmp_path: Path, goal: str) -> None:
    with pytest.raises(UsageError, match="goal is empty"):
        go(Orchestrator([echo], store=tmp_path / "runs.db").run(goal, plan=plan(task("a", echo, value=1))))
    assert not (tmp_path / "runs.db").exists()


def test_a_goal_in_any_language_is_kept_as_it_is(tmp_path: Path) -> None:
    goal = "分析这些日志 وأبلغ عن الاختراقات 🔥"
    run = go(
        Orchestrator([echo], store=tmp_path / "r.db").run(
            goal, plan=plan(task("a", echo, value=goal), deliver=ref("a"))
        )
    )
    assert run.answer == goal
    assert run.as_json()["goal"] == goal


def test_missing_and_unknown_inputs_are_named() -> None:
    job = Plan(tasks=(Task(id="a", skill="echo", inputs={"value": {"ref": "inputs.x"}}),), inputs={"x": InputSpec()})
    with pytest.raises(UsageError, match="y names no input of the plan; it has x"):
        go(Orchestrator([echo]).run("go", plan=job, inputs={"y": 1}))
    with pytest.raises(UsageError, match="the plan needs the input 'x'"):
        go(Orchestrator([echo]).run("go", plan=job, inputs={}))


def test_arguments_that_do_not_fit_their_schema_are_refused_when_they_are_known() -> None:
    @pure
    async def strict(n: int) -> int:
        """Take a number."""
        return n

    job = plan(task("text", echo, value="no number"), task("strict", strict, n=ref("text")))
    run = go(Orchestrator([echo, strict]).run("go", plan=job))
    assert run.status == "partial"
    assert "its arguments do not fit: n: 'no number' is not of type 'integer'" in run.gaps[0].why
