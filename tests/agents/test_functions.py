"""Functions as agents: what is read from hints, docstrings and declarations, and what is refused."""

import functools
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NotRequired, Optional, TypedDict

import pytest
from pydantic import BaseModel, Field

from stretto import Orchestrator, idempotent, irreversible, plan, pure, reversible, task
from stretto.agents.function import FunctionAgent
from stretto.core.domain import AgentCard, Completed, FailureClass, Outcome, Preview, Skill
from stretto.core.errors import BadAgent
from stretto.declare import agent, declared
from stretto.ports import Assignment


@dataclass
class Point:
    x: int
    y: float = 1.0


class Row(TypedDict):
    name: str
    size: NotRequired[int]


class Node(BaseModel):
    at: Point
    kind: Literal["leaf", "branch"] = "leaf"
    below: list["Node"] = []
    note: Optional[str] = None  # noqa: UP045 - as people write it


def card_of(function: Callable[..., Any]) -> AgentCard:
    return FunctionAgent([function]).card


def skill_of(function: Callable[..., Any]) -> Skill:
    return card_of(function).skills[0]


async def call(function: Callable[..., Any], **arguments: Any) -> Outcome:
    given = Assignment(
        run="r", task="t", attempt=1, skill=skill_of(function).name, objective="o", arguments=arguments, key="k"
    )
    return await FunctionAgent([function]).run(given)


def test_a_skill_has_the_name_the_first_paragraph_and_the_schemas_of_its_function() -> None:
    def weigh(rows: list[Row], node: Node, unit: str = "kg", *, exact: bool = False) -> dict[str, float]:
        """Weigh
        them all.

        And more.
        """
        return {}

    skill = skill_of(weigh)
    assert (skill.name, skill.description) == ("weigh", "Weigh them all.")
    assert skill.inputs["required"] == ["rows", "node"]
    assert skill.inputs["additionalProperties"] is False
    assert set(skill.inputs["properties"]) == {"rows", "node", "unit", "exact"}
    assert skill.inputs["$defs"]["Row"]["required"] == ["name"]
    assert skill.inputs["$defs"]["Node"]["properties"]["kind"]["enum"] == ["leaf", "branch"]
    assert skill.output == {"type": "object", "additionalProperties": {"type": "number"}}
    assert skill.effect == "undeclared"


def test_hints_that_are_there_take_part_and_those_that_are_not_take_anything() -> None:
    def loose(a, b: Annotated[int, Field(ge=1, description="how many")] = 2, **more):  # type: ignore[no-untyped-def]
        return a

    inputs = skill_of(loose).inputs
    assert inputs["properties"]["b"] == {"type": "integer", "minimum": 1, "description": "how many"}
    assert inputs["additionalProperties"] is True
    assert inputs["required"] == ["a"]
    assert skill_of(loose).output == {}


async def test_the_assignment_is_handed_over_and_is_no_argument() -> None:
    def plain(a: int, work: Assignment) -> str:
        return f"{work.task} {a}"

    def either(work: Assignment | None = None) -> str:
        return work.task if work else "nothing"

    assert set(skill_of(plain).inputs["properties"]) == {"a"}
    assert await call(plain, a=1) == Completed(output="t 1")
    assert await call(either) == Completed(output="t")


async def test_values_arrive_as_the_hints_say_and_leave_as_plain_json() -> None:
    def move(point: Point, by: Row) -> Point:
        assert isinstance(point, Point)
        return Point(x=point.x + by.get("size", 0))

    async def move_later(node: Node) -> list[Node]:
        return [node]

    assert await call(move, point={"x": 1}, by={"name": "n", "size": 4}) == Completed(output={"x": 5, "y": 1.0})
    moved = await call(move_later, node={"at": {"x": 1}, "below": [{"at": {"x": 2}}]})
    assert isinstance(moved, Completed)
    assert moved.output[0]["below"][0]["at"] == {"x": 2, "y": 1.0}


async def test_everything_that_can_be_called_with_names_can_serve() -> None:
    class Thing:
        def method(self, a: int) -> int:
            return a + 1

        async def later(self, a: int) -> int:
            return a + 2

        @staticmethod
        def fixed(a: int) -> int:
            return a + 3

        def __call__(self, a: int) -> int:
            return a + 4

    def wrapping(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def inner(**more: Any) -> Any:
            return function(**more)

        return inner

    @wrapping
    async def wrapped(a: int) -> int:
        return a + 5

    thing = Thing()
    named = agent(name="named")(Thing())
    partial = agent(name="partly")(functools.partial(thing.method))
    for function, gives in (
        (thing.method, 2),
        (thing.later, 3),
        (Thing.fixed, 4),
        (named, 5),
        (wrapped, 6),
        (partial, 2),
        (agent(name="short")(lambda a: a), 1),
    ):
        assert await call(function, a=1) == Completed(output=gives)


async def test_a_function_cannot_change_the_arguments_that_others_share() -> None:
    @pure
    def source() -> list[int]:
        return [1]

    @pure
    def spoil(rows):  # type: ignore[no-untyped-def]
        rows.append(2)
        return rows

    @pure
    async def spoil_too(rows: Any, work: Assignment) -> Any:
        work.arguments["rows"].append(9)
        rows.clear()
        return rows

    @pure
    def look(rows: list[int]) -> list[int]:
        return rows

    team = Orchestrator([source, spoil, spoil_too, look], parallel=1)
    rows = {"ref": "source.output"}
    run = await team.run(
        "share",
        plan=plan(
            task("source", source),
            task("spoil", spoil, rows=rows),
            task("spoil_too", spoil_too, rows=rows),
            task("look", look, rows=rows, after=["spoil", "spoil_too"]),
            deliver={"ref": "look.output"},
        ),
    )
    assert run.answer == [1]


def test_declarations_reach_the_card() -> None:
    def shown() -> str:
        return "diff"

    @reversible(approval="ask", preview=shown, lookup=shown, timeout=9, cost="$0.02", tokens=5, labels=["pii"])
    @agent(name="write", description="Writes it.", tools=["disk"], permissions=["w"], perimeter=["pii"], backups=["b"])
    @agent(concurrency=2, latency=0.5, attempts=3, memory_mb=100, output_kb=10, evidence=True)
    def write_it() -> None: ...

    card = card_of(write_it)
    skill = card.skills[0]
    assert (skill.name, skill.description, skill.effect, skill.approval) == ("write", "Writes it.", "reversible", "ask")
    assert (skill.labels, skill.evidence) == (("pii",), True)
    assert (card.tools, card.permissions, card.perimeter, card.backups) == (("disk",), ("w",), ("pii",), ("b",))
    assert (card.concurrency, card.latency, card.previews, card.looks_up) == (2, 0.5, True, True)
    assert (card.limits.timeout, card.limits.attempts, card.limits.memory_mb, card.limits.output_kb) == (9, 3, 100, 10)
    assert str(card.cost) == "$0.02, 5 tokens"


def test_the_four_short_forms_declare_the_effect_with_and_without_parentheses() -> None:
    def work() -> None: ...

    for mark, effect in (
        (pure, "none"),
        (idempotent, "idempotent"),
        (reversible, "reversible"),
        (irreversible, "irreversible"),
    ):
        assert declared(mark(work)).effect == effect
        assert declared(mark(timeout=5)(work)).limits.timeout == 5


async def test_a_preview_takes_what_it_needs_of_the_arguments() -> None:
    def show(a: int, work: Assignment) -> Preview:
        return Preview(diff=f"+{a} {work.task}", preimage="p")

    @irreversible(preview=show)
    def change(a: int, b: int) -> None: ...

    given = Assignment(run="r", task="t", attempt=1, skill="change", objective="", arguments={"a": 1, "b": 2}, key="k")
    assert await FunctionAgent([change]).preview(given) == Preview(diff="+1 t", preimage="p")


async def test_each_skill_of_an_agent_keeps_its_own_time_limit() -> None:
    import asyncio

    @pure
    async def unlimited(work: Assignment) -> int:
        assert work.limits.timeout == 300  # the run's, not another skill's
        return 1

    @pure(timeout=0.05)
    async def quick() -> int:
        await asyncio.sleep(30)
        return 1

    @pure(timeout=20)
    async def slow() -> int:
        await asyncio.sleep(0.3)
        return 1

    team = Orchestrator([FunctionAgent([unlimited, quick, slow], name="many")], retries={FailureClass.TIMED_OUT: 0})
    run = await team.run("x", plan=plan(task("u", "many.unlimited"), task("q", "many.quick"), task("s", "many.slow")))
    assert run.answer == {"u": 1, "s": 1}
    assert [gap.why for gap in run.gaps] == ["no answer within 0.05 s"]
    longer = await team.run("x", plan=plan(task("s", "many.slow", timeout=0.1)))
    assert longer.gaps[0].why == "no answer within 0.1 s"


def unknown_name(a: "Nowhere") -> None: ...  # type: ignore[name-defined]  # noqa: F821


def by_position(a: int, /) -> None: ...


def any_number(*many: int) -> None: ...


def callback(run: Callable[[int], int]) -> None: ...


def stream() -> Iterator[int]:
    yield 1


async def stream_later() -> AsyncIterator[int]:
    yield 1


class Holder:
    def method(self, a: int) -> int:
        return a


def two_assignments(one: Assignment, other: Assignment) -> None: ...


def odd_result() -> functools.partial[int]: ...  # type: ignore[empty-body]


@pytest.mark.parametrize(
    ("function", "says"),
    [
        (unknown_name, "name 'Nowhere' is not defined; import the names they use"),
        (by_position, "'a' can only be given by position; make it a plain parameter"),
        (any_number, "'many' can only be given by position"),
        (callback, "parameter 'run' has the hint .*, which JSON cannot carry; use text, numbers"),
        (odd_result, "the result has the hint .*, which JSON cannot carry"),
        (stream, "it yields, and an agent gives one result; collect what it yields in a list"),
        (stream_later, "it yields"),
        (Holder.method, "hand over `thing.method`"),
        (Holder, "Holder is a class; hand over functions"),
        (two_assignments, "'one' and 'other' are both the Assignment; keep one"),
        (lambda a: a, r"write it with def, or use @agent\(name=...\)"),
        (Holder(), "an agent is made of functions"),
        ("text", "an agent is made of functions, not of str"),
        (print, "can only be given by position"),
    ],
)
def test_a_function_that_cannot_serve_is_refused_with_the_mend(function: Any, says: str) -> None:
    with pytest.raises(BadAgent, match=says):
        FunctionAgent([function])


def test_two_skills_of_one_name_and_no_skill_at_all_are_refused() -> None:
    with pytest.raises(BadAgent, match="have one name; rename one"):
        FunctionAgent([any_skill, any_skill], name="x")
    with pytest.raises(BadAgent, match="needs at least one function"):
        FunctionAgent([])
    with pytest.raises(BadAgent, match="two agents are called 'any_skill'"):
        Orchestrator([any_skill, any_skill])


def any_skill() -> None: ...


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"timeout": -1}, "timeout is a number above 0, not -1"),
        ({"timeout": float("nan")}, "timeout is a number above 0"),
        ({"timeout": True}, "timeout is a number above 0"),
        ({"timeout": "5"}, "timeout is a number above 0, not '5'"),
        ({"memory_mb": 0.5}, "memory_mb is a whole number above 0"),
        ({"output_kb": 0}, "output_kb is a whole number"),
        ({"attempts": 0}, "attempts is a whole number"),
        ({"concurrency": 0}, "concurrency is a whole number"),
        ({"latency": 0}, "latency is a number"),
        ({"effect": "maybe"}, "there is no side effect 'maybe'; known: none, idempotent"),
        ({"cost": "much"}, "a cost is an amount of dollars"),
        ({"cost": -1}, "a cost is a finite amount"),
        ({"tokens": -1}, "tokens is a whole number, 0 or more"),
        ({"labels": "pii"}, r"labels is a list of names like \('pii',\)"),
        ({"backups": [1]}, "backups is a list of names"),
        ({"preview": "show"}, "preview is a function"),
        ({"lookup": 3}, "lookup is a function"),
        ({"name": "two words"}, "a skill is named with letters"),
        ({"name": 3}, "name is text"),
        ({"approval": "never"}, "approval is 'policy' or 'ask'"),
    ],
)
def test_a_declaration_that_makes_no_sense_is_refused(given: dict[str, Any], says: str) -> None:
    with pytest.raises(BadAgent, match=says):
        agent(**given)(any_skill)
