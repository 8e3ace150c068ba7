"""Undoing through the public interface: what is taken back, in which order, with what, and what is not."""

import asyncio
from collections.abc import Awaitable
from pathlib import Path
from typing import Any, TypeVar

import pytest

from stretto import Agent, Assignment, Orchestrator, agent, irreversible, plan, pure, ref, reversible, task
from stretto.bootstrap import leave_word
from stretto.core.commands import AnswerRequest, Cancel, Command
from stretto.core.domain import Plan, Task
from stretto.core.errors import BadPlan
from stretto.core.state import RunState
from stretto.views import Run

T = TypeVar("T")
world: list[str] = []
broken: dict[str, int] = {}


def go(work: Awaitable[T]) -> T:
    async def bounded() -> T:
        async with asyncio.timeout(30):
            return await work

    return asyncio.run(bounded())


@pytest.fixture(autouse=True)
def fresh() -> None:
    world.clear()
    broken.clear()


def cancel(name: str, result: dict[str, Any]) -> str:
    """Cancel a booking."""
    if broken.get(name, 0) > 0:
        broken[name] -= 1
        raise ConnectionError("the line is busy")
    world.append(f"cancel {name} {result['number']}")
    return "cancelled"


@reversible(undo=cancel)
def book(name: str, after: Any = None) -> dict[str, Any]:
    """Book a place."""
    world.append(f"book {name}")
    return {"number": f"{name}-1", "ref": "looks like a reference"}


@pure
def fail(of: Any = None) -> str:
    """Fail."""
    raise ValueError("no")


@pure
def read(of: Any = None) -> str:
    """Read something."""
    return f"read {of}"


@irreversible
def pay(of: Any) -> str:
    """Pay."""
    world.append("pay")
    return "paid"


TEAM = [book, fail, read, pay]


def team(tmp_path: Path | None = None, **more: Any) -> Orchestrator:
    return Orchestrator(TEAM, store=None if tmp_path is None else tmp_path / "runs.db", retries={"error": 0}, **more)


def gaps(run: Run) -> dict[str, str]:
    return {gap.task: gap.why for gap in run.gaps}


def test_what_was_booked_for_a_denied_payment_is_undone_in_reverse_with_what_it_got_and_gave(tmp_path: Path) -> None:
    job = plan(
        task("flight", book, name="flight"),
        task("hotel", book, name="hotel", after=["flight"]),
        task("pay", pay, of=[ref("flight"), ref("hotel")]),
        deliver=ref("pay"),
    )
    run = go(team(tmp_path).run("a trip", plan=job, approve="none"))
    assert world == ["book flight", "book hotel", "cancel hotel hotel-1", "cancel flight flight-1"]
    assert gaps(run)["hotel"] == gaps(run)["flight"] == "undone because 'pay' was denied"
    assert run.status == "failed", "nothing stands"
    assert not any(gap.urgent for gap in run.gaps)
    told = run.as_json()
    assert {one["task"]: one["why"] for one in told["waived"]} == {
        "flight": "undone",
        "hotel": "undone",
        "undo-hotel": "it only took back what 'hotel' did",
        "undo-flight": "it only took back what 'flight' did",
    }
    by_id = {one["id"]: one for one in told["tasks"]}
    assert by_id["hotel"]["undone"]
    assert (by_id["hotel"]["undo"], by_id["undo-hotel"]["undoes"]) == ("undo-hotel", "hotel")


def test_branches_on_which_nothing_failed_keep_what_they_did() -> None:
    job = plan(
        task("kept", book, name="kept"),
        task("used", read, of=ref("kept")),
        task("lost", book, name="lost"),
        task("fail", fail, of=ref("lost")),
        deliver={"kept": ref("used"), "lost": ref("lost")},
    )
    run = go(team().run("go", plan=job))
    assert [one for one in world if one.startswith("cancel")] == ["cancel lost lost-1"]
    assert run.status == "partial"
    assert run.answer["kept"].startswith("read")
    assert run.answer["lost"] is None, "what was undone is not delivered"


def test_undoing_follows_the_whole_chain_but_not_what_could_do_without() -> None:
    job = plan(
        task("first", book, name="first"),
        task("between", read, of=ref("first")),
        task("last", fail, of=ref("between")),
        task("soft", book, name="soft"),
        task("report", fail, of=ref("soft", default=None)),
    )
    run = go(team().run("go", plan=job))
    assert [one for one in world if one.startswith("cancel")] == ["cancel first first-1"]
    assert gaps(run)["first"] == "undone because 'last' failed"


def test_the_items_of_a_fan_out_are_undone_each() -> None:
    job = plan(
        task("rooms", book, for_each=["a", "b", "a"], name=ref("item")),
        task("fail", fail, of=ref("rooms")),
        deliver=ref("rooms"),
    )
    run = go(team(parallel=1).run("go", plan=job))
    assert world[3:] == ["cancel a a-1", "cancel b b-1", "cancel a a-1"]
    assert {"rooms[0]", "rooms[1]", "rooms[2]"} <= gaps(run).keys()
    assert run.answer is None


def test_a_fan_out_that_fails_takes_its_done_items_back_and_one_that_may_lose_some_does_not() -> None:
    @reversible(undo=cancel)
    def book_some(name: str) -> dict[str, Any]:
        """Book, but not b."""
        if name == "b":
            raise ValueError("b is full")
        world.append(f"book {name}")
        return {"number": name}

    def job(*, tolerant: bool) -> Plan:
        return plan(task("rooms", book_some, for_each=["a", "b"], name=ref("item"), allow_failures=tolerant))

    go(Orchestrator([book_some], retries={"error": 0}).run("go", plan=job(tolerant=True)))
    assert "cancel a a" not in world
    go(Orchestrator([book_some], retries={"error": 0}).run("go", plan=job(tolerant=False)))
    assert "cancel a a" in world


def test_a_task_says_itself_how_it_is_taken_back_and_refers_to_its_own_output() -> None:
    @pure
    def undo_it(number: str, who: str, item: str = "") -> str:
        """Undo by number."""
        world.append(f"undone {number} for {who} {item}".strip())
        return number

    @agent(effect="reversible")
    def make(name: str) -> dict[str, Any]:
        """Make something."""
        return {"number": f"n-{name}"}

    job = {
        "inputs": ["who"],
        "tasks": {
            "make": {
                "skill": "make",
                "for_each": ["x", "y"],
                "inputs": {"name": {"ref": "item"}},
                "undo": {
                    "skill": "undo_it",
                    "inputs": {
                        "number": {"ref": "make.output.number"},
                        "who": {"ref": "inputs.who"},
                        "item": {"ref": "item"},
                    },
                },
            },
            "fail": {"skill": "fail", "after": ["make"]},
        },
    }
    everybody = Orchestrator([make, undo_it, fail], parallel=1, retries={"error": 0})
    go(everybody.run("go", plan=job, inputs={"who": "ann"}))
    assert world == ["undone n-y for ann y", "undone n-x for ann x"]


def test_a_failing_undoing_is_tried_again_then_a_person_is_asked_and_the_next_is_undone_all_the_same() -> None:
    said: list[str] = []

    class Ann:
        async def ask(self, state: RunState, request: str) -> Command | None:
            said.append(state.requests[request].question)
            return AnswerRequest(actor="person:ann", request=request, decision="fail", reason="it is closed")

    def never(name: str) -> None:
        raise ValueError("closed")

    @agent(attempts=2)
    def stubborn(name: str) -> None:
        """Undo in vain."""
        world.append("tried")
        raise ValueError("closed")

    @reversible(undo=stubborn)
    def sign(name: str) -> str:
        """Sign."""
        return name

    job = plan(
        task("flight", book, name="flight"),
        task("sign", sign, name="deed", after=["flight"]),
        task("fail", fail, of=ref("sign")),
    )
    run = go(Orchestrator([*TEAM, sign], retries={"error": 0}).run("go", plan=job, people=Ann()))
    assert world == ["book flight", "tried", "tried", "cancel flight flight-1"]
    assert "'sign' could not be undone after 2 attempts: ValueError: closed" in said[0]
    urgent = [gap for gap in run.gaps if gap.urgent]
    assert [(gap.task, gap.why) for gap in urgent] == [("undo-sign", "given up by ann: it is closed")]


def test_an_undoing_that_was_refused_by_a_lost_line_is_tried_again_by_itself() -> None:
    broken["flight"] = 1
    job = plan(task("flight", book, name="flight"), task("fail", fail, of=ref("flight")))
    run = go(team().run("go", plan=job))
    assert world == ["book flight", "cancel flight flight-1"]
    assert gaps(run)["flight"] == "undone because 'fail' failed"


def test_cancelling_with_undo_takes_back_what_is_done_once_somebody_goes_on(tmp_path: Path) -> None:
    job = plan(task("flight", book, name="flight"), task("pay", pay, of=ref("flight")), deliver=ref("flight"))
    everybody = team(tmp_path)

    async def story() -> Run:
        waiting = await everybody.run("go", plan=job)
        assert waiting.status == "waiting"
        async with everybody.journal() as journal:
            state = await leave_word(journal, waiting.run_id, Cancel(actor="person:ann", undo=True))
        assert list(state.undoing) == ["undo-flight"]
        assert not state.requests, "nobody is asked any more"
        return await everybody.resume(waiting.run_id)

    run = go(story())
    assert run.status == "cancelled"
    assert world == ["book flight", "cancel flight flight-1"]
    assert gaps(run)["flight"] == "undone because the run was cancelled by ann"
    assert run.answer is None


def test_a_deadline_undoes_and_does_not_end_the_undoing() -> None:
    @pure
    async def dawdle(of: Any) -> str:
        """Take for ever."""
        await asyncio.Event().wait()
        return ""

    job = plan(task("flight", book, name="flight"), task("slow", dawdle, of=ref("flight")))
    run = go(Orchestrator([book, dawdle]).run("go", plan=job, budget="0.3s"))
    assert world == ["book flight", "cancel flight flight-1"]
    assert gaps(run)["slow"] == "the 0.3 s of the budget are over"
    assert gaps(run)["flight"] == "undone because 'slow' was cancelled"


def test_undoing_counts_in_no_step_budget_and_asks_nobody() -> None:
    def give_back(result: str) -> str:
        """Give back."""
        world.append(f"gave back {result}")
        return result

    @irreversible(undo=give_back)
    def take(name: str) -> str:
        """Take."""
        return name

    job = plan(task("take", take, name="x"), task("fail", fail, of=ref("take")))
    run = go(Orchestrator([take, fail], retries={"error": 0}).run("go", plan=job, approve="all", budget="2 steps"))
    assert world == ["gave back x"]
    assert run.as_json()["cost"]["steps"] == 2
    assert run.status == "failed"


def test_context_that_was_undone_is_marked_and_its_artifacts_are_not_handed_over() -> None:
    def unfile(result: str) -> None:
        """Take it out again."""

    @reversible(undo=unfile)
    def file_(text: str, work: Assignment) -> str:
        """File something."""
        work.attach("paper.txt", text)
        return text

    job = plan(task("file", file_, text="x", writes="paper"), task("fail", fail, of=ref("file")))
    run = go(Orchestrator([file_, fail], retries={"error": 0}).run("go", plan=job))
    (entry,) = run.as_json()["context"]
    assert entry["undone"]
    assert run.artifacts == ()


def test_methods_and_named_agents_have_their_undoing_beside_them() -> None:
    class Shop:
        def __init__(self) -> None:
            self.sold: list[str] = []

        def unsell(self, name: str) -> None:
            """Take back."""
            self.sold.remove(name)

        @reversible(undo=unsell)
        def sell(self, name: str) -> str:
            """Sell."""
            self.sold.append(name)
            return name

    shop = Shop()
    counter = Agent([shop.sell], name="counter")
    assert [one.name for one in counter.card.skills] == ["counter.sell", "counter.unsell"]
    assert counter.card.skills[0].undo == "counter.unsell"
    assert counter.card.skills[1].effect.value == "idempotent"
    job = plan(task("sell", "counter.sell", name="tea"), task("fail", fail, of=ref("sell")))
    go(Orchestrator([counter, fail], retries={"error": 0}).run("go", plan=job))
    assert shop.sold == []


def test_no_plan_of_somebody_may_pass_a_task_off_as_an_undoing() -> None:
    forged = Plan(tasks=(Task(id="a", skill="pay", inputs={"of": 1}, undoes="b"),))
    with pytest.raises(BadPlan, match="only a run itself plans a task that takes another back"):
        go(team().run("go", plan=forged))
    with pytest.raises(BadPlan, match="a task has no field 'undoes'"):
        go(team().run("go", plan={"tasks": {"a": {"skill": "pay", "inputs": {"of": 1}, "undoes": "b"}}}))
