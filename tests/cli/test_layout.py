"""The picture of a run fits any terminal, and leaves nothing out that matters."""

from collections import Counter
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from immutables import Map
from msgspec.structs import replace

from stretto.cli.view.layout import arrange, layout
from stretto.cli.view.lines import ASCII, UNICODE, fit, foreign, pad, plain_text, width_of
from stretto.cli.view.tables import plan_table, record
from stretto.core.domain import (
    AgentCard,
    Budget,
    Catalogue,
    Cost,
    FailureClass,
    ForEach,
    Plan,
    Request,
    RunStatus,
    Skill,
    Task,
    TaskStatus,
    Verdict,
)
from stretto.core.events import (
    AttemptFailed,
    AttemptStarted,
    PlanClosed,
    RetryScheduled,
    RunSubmitted,
    TaskAdded,
    TaskCompleted,
    TaskExpanded,
    TaskFailed,
)
from stretto.core.evolve import evolve
from stretto.core.plan.forecast import forecast
from stretto.core.plan.graph import graph_of
from stretto.core.routing import roster
from stretto.core.state import RunState
from stretto.telling.rows import Kind, outline, rows_of
from stretto.telling.words import money, span, tokens
from tests.core.world import World, catalogues, plans

NOW = 1_800_000_000.0
QUICK = settings(max_examples=60, suppress_health_check=list(HealthCheck))
hostile = st.text(max_size=40) | st.sampled_from(
    [
        "\x1b[2J\x1b]0;evil\x07",
        "日本語のタスク名前",
        "משימה בעברית 12",
        "a" + "\u0301" * 50,
        "\u202ereversed",
        "👨‍👩‍👧 family",
        "a\tb\nc\rd",
    ]
)


@st.composite
def states(draw: st.DrawFn, most: int = 40) -> RunState:
    """Draw a run with tasks in any condition, under names as bad as may be."""
    state = evolve(
        RunState(), RunSubmitted(run="20260101-abc", goal=draw(hostile), inputs={}, catalogue=Catalogue(), at=NOW)
    )
    names: list[str] = []
    for number in range(draw(st.integers(0, most))):
        after = tuple(draw(st.lists(st.sampled_from(names), max_size=3, unique=True))) if names else ()
        names.append(f"t{number}{draw(st.sampled_from(['', '_long' * 9, '作業']))}")
        spread = ForEach(items=[]) if draw(st.integers(0, 5)) == 0 else None
        task = Task(id=names[-1], skill="s", objective=draw(hostile), after=after, for_each=spread)
        state = evolve(state, TaskAdded(task=task, at=NOW))
        if spread is not None and draw(st.booleans()):
            state = evolve(state, TaskExpanded(task=task.id, items=tuple(range(draw(st.integers(0, 12)))), at=NOW))
    for position in range(len(state.ids)):
        state = _put(draw, state, state.ids[position])
    return replace(
        state, status=draw(st.sampled_from(RunStatus)), budget=draw(st.sampled_from([Budget(), Budget(steps=3)]))
    )


def _put(draw: st.DrawFn, state: RunState, id_: str) -> RunState:
    one = state.tasks[id_]
    if one.children is not None:
        return state
    status = draw(st.sampled_from(TaskStatus))
    begun = None if status is TaskStatus.PENDING else NOW + draw(st.floats(0, 1e7))
    request = f"r{one.position}" if status in (TaskStatus.WAITING, TaskStatus.UNKNOWN) else None
    one = replace(
        one,
        status=status,
        agent=draw(st.sampled_from([None, "agent", "代理人" * 9])),
        started=begun,
        ended=None if begun is None or not status.final else begun + 3,
        request=request,
        reason=draw(hostile),
        attempt=draw(st.integers(0, 3)),
        retry_at=draw(st.none() | st.just(NOW + 9)) if status is TaskStatus.PENDING else None,
    )
    state = replace(state, tasks=state.tasks.set(id_, one))
    if request is not None:
        asked = Request(id=request, task=id_, attempt=1, kind="approval", question=draw(hostile))
        state = replace(state, requests=state.requests.set(request, asked))
    return state


@QUICK
@given(states(), st.integers(1, 220), st.integers(1, 60), st.sampled_from([UNICODE, ASCII]))
def test_a_picture_is_never_wider_nor_taller_than_asked_for(
    state: RunState, width: int, height: int, signs: object
) -> None:
    lines = layout(state, NOW, width, height, signs=signs, place=" -w 'some folder'", alert="nobody drives it")  # type: ignore[arg-type]
    assert len(lines) <= height
    assert all(width_of(line) <= width for line in lines)
    assert all(text.translate(dict.fromkeys(range(0x200C, 0x2010))).isprintable() for line in lines for text, _ in line)
    assert lines == layout(state, NOW, width, height, signs=signs, place=" -w 'some folder'", alert="nobody drives it")  # type: ignore[arg-type]


@QUICK
@given(states(), st.integers(0, 60))
def test_every_task_is_shown_or_counted(state: RunState, room: int) -> None:
    rows = rows_of(state, NOW)
    arranged = arrange(rows, room)
    shown = {row.id for row in arranged.rows}
    counted_there = Counter(row.kind.value for row in rows if row.id not in shown and row.parent in shown)
    seen = Counter(row.kind.value for row in arranged.rows) + Counter(arranged.ended) + Counter(arranged.open)
    assert seen + counted_there == Counter(row.kind.value for row in rows)
    assert {row.id for row in rows} == set(state.tasks)
    fans = {row.id: row for row in arranged.rows if row.counts is not None}
    for id_, fan in fans.items():
        assert Counter(fan.counts) == Counter(row.kind.value for row in rows if row.parent == id_)
    assert len(arranged.rows) + bool(arranged.ended) + bool(arranged.open) <= max(room, 2)


@QUICK
@given(states(most=60), st.integers(8, 40))
def test_who_waits_for_a_person_is_shown_before_anything_else(state: RunState, room: int) -> None:
    rows = rows_of(state, NOW)
    asking = [row.id for row in rows if row.kind is Kind.ASKING]
    shown = [row.id for row in arrange(rows, room).rows]
    assert len([id_ for id_ in asking if id_ in shown]) >= min(len(asking), room - 2)


@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_states_as_the_loop_makes_them_can_be_drawn_at_every_moment(data: st.DataObject) -> None:
    world = World(data.draw)
    world.submit(data.draw(plans()), data.draw(catalogues), Budget(), None)
    for _ in range(data.draw(st.integers(0, 60))):
        if not world.under_way:
            break
        effect = data.draw(st.sampled_from(sorted(world.under_way.values(), key=lambda one: one.key)))
        for command in world.answers(effect):
            world.say(command)
        lines = layout(world.state, world.now, 80, 24)
        assert 0 < len(lines) <= 24
        assert all(width_of(line) <= 80 for line in lines)
        assert all(width_of(line) <= 60 for line in record(world.state, world.now, 60))


@QUICK
@given(st.dictionaries(st.sampled_from("abcdefgh"), st.lists(st.sampled_from("abcdefghx"), max_size=3)))
def test_an_outline_names_every_task_once_and_after_those_it_waits_for(before: dict[str, list[str]]) -> None:
    order = [id_ for id_, _ in outline(before)]
    assert sorted(order) == sorted(before)
    round_about = {id_ for id_, depth in outline(before) if depth == 0 and set(before[id_]) & set(before) - {id_}}
    for id_, depth in outline(before):
        if id_ not in round_about:
            known = [name for name in before[id_] if name in before and name != id_]
            assert all(order.index(name) < order.index(id_) for name in known)
            assert all(dict(outline(before))[name] < depth for name in known)


@QUICK
@given(st.text(), st.integers(0, 40))
def test_text_from_outside_fits_and_does_nothing_to_a_terminal(text: str, width: int) -> None:
    tame = foreign(text)
    assert tame.replace("\u200e", "").isprintable()
    assert width_of(((fit(tame, width), ""),)) <= width
    assert width_of(((pad(tame, width), ""),)) == width


def test_right_to_left_names_end_with_a_mark_that_keeps_the_columns_in_place() -> None:
    assert foreign("משימה 12") == "משימה 12\u200e"
    assert fit(foreign("משימה ארוכה מאוד"), 8).endswith("\u200e…")
    assert foreign("plain") == "plain"


def _run(tasks: list[Task]) -> RunState:
    known = Catalogue(agents=(AgentCard(name="worker", skills=(Skill(name="s"),)),))
    state = evolve(RunState(), RunSubmitted(run="r1", goal="the goal", inputs={}, catalogue=known, at=NOW))
    for task in tasks:
        state = evolve(state, TaskAdded(task=task, at=NOW))
    return evolve(state, PlanClosed(revision=1, at=NOW))


def _start(state: RunState, id_: str, attempt: int = 1) -> RunState:
    allow = Verdict(decision="allow", rule="test")
    return evolve(
        state,
        AttemptStarted(
            task=id_, attempt=attempt, agent="worker", key=f"{id_}{attempt}", arguments="", verdict=allow, at=NOW
        ),
    )


def test_a_fan_out_is_one_line_that_counts_its_items() -> None:
    state = _run([Task(id="analyse", skill="s", for_each=ForEach(items=[]))])
    state = evolve(state, TaskExpanded(task="analyse", items=("/logs/a.log", "/logs/b.log", "/logs/c.log"), at=NOW))
    state = _start(state, "analyse[1]")
    text = plain_text(layout(state, NOW + 65, 80, 24))
    assert "▸ analyse[3]" in text
    assert "1 running, 2 ready" in text
    assert "1:05  b.log" in text
    assert "a.log" not in text


def test_a_failed_attempt_is_shown_with_its_reason_until_the_next_one() -> None:
    state = _start(_run([Task(id="fetch", skill="s")]), "fetch")
    state = evolve(
        state, AttemptFailed(task="fetch", attempt=1, failure=FailureClass.TRANSIENT, message="reset by peer", at=NOW)
    )
    state = evolve(state, RetryScheduled(task="fetch", attempt=1, until=NOW + 4, rung="transient", at=NOW))
    assert "↻ fetch  worker  1 s  attempt 2 in 3.0 s after transient: reset by peer" in plain_text(
        layout(state, NOW + 1, 90, 24)
    )
    state = _start(state, "fetch", 2)
    assert "attempt 2 after transient: reset by peer" in plain_text(layout(state, NOW + 4, 90, 24))


def test_two_hundred_tasks_keep_what_runs_and_what_comes_next_in_view() -> None:
    tasks = [Task(id=f"t{n:03}", skill="s", after=(f"t{n - 1:03}",) if n % 10 else ()) for n in range(200)]
    state = _run(tasks)
    for n in range(0, 50, 10):
        state = _start(state, f"t{n:03}")
    text = plain_text(layout(state, NOW, 80, 24))
    assert all(f"▸ t{n:03}" in text for n in range(0, 50, 10))
    assert "waits for t000" in text
    assert text.splitlines()[-1].startswith("… more: ")


def test_every_kind_has_a_sign_of_its_own() -> None:
    for signs in (UNICODE, ASCII):
        assert len({getattr(signs, kind.name.lower()) for kind in Kind}) == len(Kind)


@pytest.mark.parametrize("width", [40, 60, 80])
def test_the_command_that_answers_is_never_cut(width: int) -> None:
    state = _run([Task(id="apply", skill="s")])
    asked = Request(id="q", task="apply", attempt=1, kind="approval", question="really?")
    state = replace(state, requests=Map({"q": asked}))
    text = plain_text(layout(state, NOW, width, 24, place=" -w examples/it-operations"))
    assert "stretto approve r1 apply -w examples/it-operations" in " ".join(text.split())


def test_a_plan_is_drawn_with_its_critical_path() -> None:
    plan = Plan(tasks=(Task(id="a", skill="s"), Task(id="b", skill="s", after=("a",)), Task(id="c", skill="s")))
    text = plain_text(plan_table(plan, roster(Catalogue()), None))
    assert "● a" in text
    assert "●   b" in text
    assert "◦ c" in text
    assert "critical path: a → b" in text
    assert "up to 2 side by side" in text


def test_the_head_holds_cost_steps_and_time_against_their_limits() -> None:
    state = replace(
        _start(_run([Task(id="a", skill="s")]), "a"),
        budget=Budget(money=Decimal(2), steps=50),
        spent=Cost(money=Decimal("0.42")),
        deadline=NOW + 600,
    )
    text = plain_text(layout(state, NOW + 12, 120, 24))
    assert "running 12 s" in text
    assert "0/1 done  1 running" in text
    assert "$0.42 of $2  1 of 50 steps  9:48 left" in text
    assert "past its deadline" in plain_text(layout(state, NOW + 601, 120, 24))


def test_an_ended_run_that_does_not_fit_names_what_failed_and_counts_what_is_done() -> None:
    state = _run([Task(id=f"t{n}", skill="s") for n in range(60)])
    for n in range(60):
        end = TaskFailed(task=f"t{n}", failure=FailureClass.ERROR, message="broken", at=NOW + 1)
        state = evolve(_start(state, f"t{n}"), end if n == 30 else TaskCompleted(task=f"t{n}", at=NOW + 1))
    text = plain_text(layout(state, NOW + 2, 80, 20))
    assert "✓ 59 done" in text
    assert "✗ t30  worker  1.0 s  error: broken" in text
    assert "t29" not in text


def test_a_forecast_follows_the_longest_declared_times() -> None:
    slow = AgentCard(name="slow", skills=(Skill(name="s"),), latency=10.0, cost=Cost(money=Decimal("0.25")))
    quick = AgentCard(name="quick", skills=(Skill(name="q"),), latency=1.0)
    agents = roster(Catalogue(agents=(slow, quick)))
    tasks = (
        Task(id="a", skill="q"),
        Task(id="b", skill="q", after=("a",)),
        Task(id="c", skill="q", after=("b",)),
        Task(id="d", skill="s"),
        Task(id="e", skill="q", after=("c", "d")),
    )
    ahead = forecast(Plan(tasks=tasks), graph_of(tasks), agents)
    assert (ahead.path, ahead.seconds, ahead.undeclared) == (("d", "e"), 11.0, 0)
    assert ahead.cost.money == Decimal("0.25")
    assert ahead.abreast == 2


def test_amounts_are_short_and_true() -> None:
    assert [span(one) for one in (0.04, 9.96, 59.6, 187, 7500, 277_200)] == [
        "0.0 s",
        "10 s",
        "1:00",
        "3:07",
        "2h05",
        "3d05h",
    ]
    assert [money(Decimal(one)) for one in ("0", "2", "0.42", "0.00123", "12.5")] == [
        "$0",
        "$2",
        "$0.42",
        "$0.0012",
        "$12.50",
    ]
    assert [tokens(one) for one in (950, 1200, 45_000, 3_400_000)] == ["950 tok", "1.2k tok", "45k tok", "3.4M tok"]


def test_a_question_about_the_goal_is_shown_with_its_choices_before_there_is_any_task() -> None:
    state = evolve(RunState(), RunSubmitted(run="r1", goal="tidy up", inputs={}, catalogue=Catalogue(), at=NOW))
    asked = Request(id="q", task="", attempt=0, kind="goal", question="Which one?", choices=("attic", "cellar"))
    text = plain_text(layout(replace(state, requests=Map({"q": asked})), NOW, 80, 24))
    assert "1 waiting for you" in text
    assert "? the goal: Which one? (1 attic, 2 cellar)" in text
    assert "stretto answer r1 'YOUR ANSWER'" in text
