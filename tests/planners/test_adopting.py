"""Tasks of a model's answer, taken into the plan: what is adopted is always sound by itself, and never changes."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from stretto import Orchestrator
from stretto.core.domain import Budget, InputSpec, Plan, Task
from stretto.core.plan.check import check
from stretto.core.plan.diagnostics import errors
from stretto.core.plan.references import needs
from stretto.core.plan.shape import DEFAULT_SIZE
from stretto.planners.model.adopting import Adoption
from stretto.planners.model.answers import Answer
from stretto.planners.model.scanning import Scanner

from .modelling import CREW, call, out

CATALOGUE = Orchestrator(CREW).catalogue
SPECS = {"topic": InputSpec()}
IDS = st.sampled_from(["a", "b", "c", "d", "e", "nobody", "1", "step 2"])
TEXTS = st.one_of(
    IDS.map(out),
    IDS.map(lambda name: f"{{{{{name}.output}}}}"),
    IDS.map(lambda name: {"ref": name}),
    st.just({"ref": "inputs.topic"}),
    st.just(["plain"]),
    st.lists(IDS.map(lambda name: {"ref": f"{name}.output[0]"}), max_size=2),
    st.just("about {{a.output}}"),
)
TASKS = st.one_of(
    st.builds(
        lambda id_, topic: call(id_, "find", topic=topic), IDS, st.sampled_from(["x", {"ref": "inputs.topic"}, 3])
    ),
    st.builds(lambda id_, texts: call(id_, "write", texts=texts), IDS, TEXTS),
    st.builds(
        lambda id_, texts, after: call(id_, "wirte", texts=texts, _after=after), IDS, TEXTS, st.lists(IDS, max_size=2)
    ),
    st.builds(lambda id_, text: call(id_, "mail", to="ann", text=text), IDS, TEXTS),
    st.builds(lambda id_: {"id": id_, "skill": "nobody"}, IDS),
    st.just({"skill": "find"}),
    st.just("no task"),
)
ANSWERS = st.lists(st.tuples(st.lists(TASKS, max_size=6), st.one_of(st.none(), TEXTS)), min_size=1, max_size=3)


def adoption(*known: Task, budget: Budget | None = None) -> Adoption:
    limit = budget or Budget()
    return Adoption(
        known=known,
        catalogue=CATALOGUE,
        specs=SPECS,
        check=lambda plan: check(plan, CATALOGUE, budget=limit),
        size=DEFAULT_SIZE,
        budget=limit,
    )


def read(plan: Adoption, tasks: list[Any], deliver: Any = None, told: frozenset[str] = frozenset()) -> Answer:
    """Take an answer in whole, and hold every step against the law."""
    answer, scanner = Answer(plan, told), Scanner()
    for piece in [*scanner.feed(json.dumps({"tasks": tasks, "deliver": deliver})), *scanner.close()]:
        before = dict(plan.adopted)
        for task in answer.take(piece):
            assert task.id not in before
        assert_sound(plan, before)
    return answer


def assert_sound(plan: Adoption, before: dict[str, Task]) -> None:
    assert before.items() <= plan.adopted.items(), "what is adopted never changes"
    assert all(needs(task).keys() <= plan.adopted.keys() for task in plan.adopted.values())
    assert not errors(check(Plan(tasks=tuple(plan.adopted.values()), inputs=SPECS), CATALOGUE))


@given(ANSWERS)
def test_whatever_models_write_the_adopted_set_is_sound_by_itself(answers: list[tuple[list[Any], Any]]) -> None:
    plan = adoption()
    for tasks, deliver in answers:
        answer = read(plan, tasks, deliver, frozenset(plan.adopted))
        before = dict(plan.adopted)
        ending = answer.end()
        assert_sound(plan, before)
        assert {one.id for one in ending.tasks} == plan.adopted.keys() - before.keys()
        if not ending.found and plan.adopted:
            assert not errors(check(plan.whole((), ending.deliver), CATALOGUE))


@given(st.lists(TASKS, max_size=8))
def test_an_answer_that_is_read_again_after_a_crash_brings_the_same_tasks(tasks: list[Any]) -> None:
    first = adoption()
    read(first, tasks).end()
    second = adoption(*first.adopted.values())
    read(second, tasks).end()
    assert list(second.adopted.values()) == list(first.adopted.values())


def test_a_known_task_keeps_its_id_and_another_of_its_name_gets_one_of_its_own() -> None:
    plan = adoption(
        Task(id="a", skill="find", inputs={"topic": "x"}), Task(id="b", skill="find", inputs={"topic": "y"})
    )
    read(plan, [call("a", "find", topic="y"), call("c", "write", texts=out("a"))])
    assert plan.adopted["b"].inputs == {"topic": "y"}, "it is the one that the run knows as b"
    assert plan.adopted["c"].inputs == {"texts": out("b")}
    read(plan, [call("a", "find", topic="z")])
    assert plan.adopted["a_2"].inputs == {"topic": "z"}
    plan.recall()
    assert plan.adopted["a"].inputs == {"topic": "x"}


def test_what_a_budget_does_not_hold_is_held_back() -> None:
    from decimal import Decimal

    plan = adoption(budget=Budget(money=Decimal(6)))
    answer = read(plan, [call("a", "dear", topic="x"), call("b", "dear", topic="y"), call("c", "find", topic="z")])
    assert set(plan.adopted) == {"a", "c"}
    assert [one.code for one in answer.end().found] == ["over-budget"]
