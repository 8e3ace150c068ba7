"""Spans are a pure fold: their times are those of the timeline, their ids follow from what they are."""

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from stretto.core.domain import (
    AgentCard,
    Budget,
    Catalogue,
    Delivery,
    FailureClass,
    InputSpec,
    Piece,
    Request,
    Review,
    RunStatus,
    Score,
    Skill,
    Task,
    Usage,
    Verdict,
)
from stretto.core.errors import UsageError
from stretto.core.events import (
    AttemptCompleted,
    AttemptFailed,
    AttemptStarted,
    CallBegun,
    CallEnded,
    CallRefused,
    Event,
    PersonAnswered,
    PersonAsked,
    PlanClosed,
    ResultRejected,
    ResultReviewed,
    RunEnded,
    RunForked,
    RunSubmitted,
    TaskAdded,
    TaskCompleted,
    TasksReopened,
)
from stretto.core.evolve import evolve
from stretto.core.state import RunState
from stretto.core.timeline import timeline
from stretto.telemetry import names
from stretto.telemetry.disclosure import Disclosure
from stretto.telemetry.identity import remote, root_id, span_id, trace_id
from stretto.telemetry.measures import measured
from stretto.telemetry.runs import Runs
from stretto.telemetry.shape import Span
from tests.core.world import World, catalogues, plans

ALLOW = Verdict(decision="allow", rule="test")
QUIET = Disclosure()
CATALOGUE = Catalogue(agents=(AgentCard(name="ann", skills=(Skill(name="s"),)),))
RUN = "20260101-spans"


def begun(*tasks: Task, at: float = 0.0, **more: object) -> list[Event]:
    first = RunSubmitted(run=RUN, goal="g", inputs={}, catalogue=CATALOGUE, at=at, **more)  # type: ignore[arg-type]
    added = [TaskAdded(task=task, at=at + 1) for task in tasks or (Task(id="a", skill="s"),)]
    return [first, *added, PlanClosed(revision=1, at=at + 1)]


def started(at: float, number: int = 1, task: str = "a") -> AttemptStarted:
    return AttemptStarted(
        task=task, attempt=number, agent="ann", key=f"{task}{number}", arguments="", verdict=ALLOW, at=at
    )


def ended(at: float, status: RunStatus = RunStatus.FINISHED) -> RunEnded:
    return RunEnded(status=status, delivery=Delivery(), at=at)


def spans_of(events: Sequence[Event], disclosure: Disclosure = QUIET, cuts: Sequence[int] = ()) -> list[Span]:
    """Give the spans of a run that was committed in pieces."""
    runs, state, found = Runs(disclosure), RunState(), []
    for first, last in pairwise([0, *cuts, len(events)]):
        for event in events[first:last]:
            state = evolve(state, event)
        found += runs.take(state, events[first:last])
    return found


def by_name(spans: Sequence[Span]) -> dict[str, Span]:
    return {span.name: span for span in spans}


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_any_run_has_the_spans_that_its_timeline_shows_however_it_is_cut(data: st.DataObject) -> None:
    world = World(data.draw)
    world.submit(data.draw(plans()), data.draw(catalogues), Budget(), None)
    for _ in range(data.draw(st.integers(0, 60))):
        if not world.under_way:
            break
        effect = data.draw(st.sampled_from(sorted(world.under_way.values(), key=lambda one: one.key)))
        for command in world.answers(effect):
            world.say(command)
    events = world.events
    whole = spans_of(events)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(events)), max_size=4)))
    assert sorted(spans_of(events, cuts=cuts), key=lambda one: one.id) == sorted(whole, key=lambda one: one.id)
    assert len({one.id for one in whole}) == len(whole)
    attempts = [(one.attributes[names.TASK], one.begin, one.end) for one in whole if one.what == names.INVOKE_AGENT]
    line = timeline(events)
    closed = [one for one in line.stretches if one.kind == "attempt" and one.ending != "open"]
    told = {(one.task, one.begin, one.end) for one in closed}
    assert set(attempts) <= told
    if isinstance(events[-1], RunEnded):
        assert sorted(attempts) == sorted((one.task, one.begin, one.end) for one in closed)
        ids = {one.id for one in whole}
        assert all(one.parent is None or one.parent in ids for one in whole)
        handed = {(one.task, one.seconds) for one in line.handoffs}
        assert handed == {
            (one.attributes[names.TASK], one.attributes[names.HANDOFF])
            for one in whole
            if names.HANDOFF in one.attributes
        }


def test_a_run_is_a_workflow_with_its_plan_and_attempts_below() -> None:
    spans = spans_of([*begun(), started(2), AttemptCompleted(task="a", attempt=1, at=4), *accepted(4.5), ended(5)])
    names_of = {span.name: span for span in spans}
    root = names_of["invoke_workflow"]
    assert (root.parent, root.begin, root.end) == (None, 0.0, 5.0)
    assert (root.id, root.trace) == (root_id(RUN), trace_id(RUN))
    assert {span.name for span in spans if span.parent == root.id} == {"plan", "invoke_agent ann"}
    assert (names_of["plan"].begin, names_of["plan"].end) == (0.0, 1.0)
    assert (names_of["invoke_agent ann"].begin, names_of["invoke_agent ann"].end) == (2.0, 4.0)


def accepted(at: float) -> list[Event]:
    return [TaskCompleted(task="a", reviewer="schema+person:ann", at=at)]


def test_a_retry_is_a_sibling_that_is_linked_to_the_attempt_before() -> None:
    failed = AttemptFailed(task="a", attempt=1, failure=FailureClass.TRANSIENT, message="m", at=3)
    again = [started(4, 2), AttemptCompleted(task="a", attempt=2, at=5), *accepted(5)]
    one, two = (span for span in spans_of([*begun(), started(2), failed, *again, ended(6)]) if span.links or span.error)
    assert (one.error, one.parent) == ("transient", two.parent)
    assert [(link.span, link.what) for link in two.links] == [(one.id, "retry_of")]


def test_reviews_are_events_on_the_attempt_they_judge() -> None:
    scored = Review(
        accepted=False, reviewer="model", scores=(Score(criterion="c", met=False, score=0.25),), findings=("no",)
    )
    reviews = [
        ResultReviewed(task="a", attempt=1, reviews=(Review(accepted=True, reviewer="schema"), scored), at=4.5),
        ResultRejected(task="a", attempt=1, reviewer="model", findings=("no",), at=4.5),
    ]
    spans = spans_of([*begun(), started(2), AttemptCompleted(task="a", attempt=1, at=4), *reviews, ended(9)])
    attempt = by_name(spans)["invoke_agent ann"]
    assert (attempt.end, attempt.error) == (4.0, "invalid_output")
    assert [(mark.name, mark.at) for mark in attempt.marks] == [(names.EVALUATION, 4.5)] * 2
    assert attempt.marks[1].attributes == {
        names.EVALUATION_NAME: "model",
        names.EVALUATION_LABEL: "rejected",
        names.EVALUATION_SCORE: 0.25,
    }


def test_of_a_person_who_judged_only_that_it_was_one_is_told() -> None:
    spans = spans_of([*begun(), started(2), AttemptCompleted(task="a", attempt=1, at=4), *accepted(4.5), ended(5)])
    marks = by_name(spans)["invoke_agent ann"].marks
    assert [mark.attributes[names.EVALUATION_NAME] for mark in marks] == ["schema+person"]


def test_inner_calls_are_below_their_attempt_with_model_and_tokens() -> None:
    of = Piece(work="run", task="a", number=1)
    chat = {"of": of, "call": "c1"}
    calls: list[Event] = [
        CallBegun(**chat, key="k", role="worker", what="google:gemini-x", action="x", verdict=ALLOW, at=2.5),  # type: ignore[arg-type]
        CallEnded(**chat, output={"text": "hi"}, usage=Usage(input=7, output=3), at=3.0),  # type: ignore[arg-type]
        CallRefused(
            of=of, call="c2", key="t", role="tool", what="pay", failure=FailureClass.DENIED, verdict=ALLOW,
            message="no", at=3.5,
        ),
    ]  # fmt: skip
    events = [*begun(), started(2), *calls, AttemptCompleted(task="a", attempt=1, at=4), *accepted(4), ended(5)]
    found = by_name(spans_of(events))
    attempt, model, tool = found["invoke_agent ann"], found["chat gemini-x"], found["execute_tool pay"]
    assert (model.parent, tool.parent) == (attempt.id, attempt.id)
    assert (model.kind, tool.kind) == ("client", "internal")
    assert model.attributes[names.PROVIDER] == "gcp.gemini"
    assert model.attributes[names.REQUEST_MODEL] == "gemini-x"
    tokens = [names.INPUT_TOKENS, names.OUTPUT_TOKENS]
    for span in (model, attempt, found["invoke_workflow"]):
        assert [span.attributes[name] for name in tokens] == [7, 3]
    assert (tool.begin, tool.end, tool.error) == (3.5, 3.5, "denied")
    of_model = {(one.metric, one.attributes.get(names.TOKEN_TYPE)): one.value for one in measured(model)}
    assert of_model == {
        (names.OPERATION_DURATION, None): 0.5,
        (names.TOKEN_USAGE, "input"): 7,
        (names.TOKEN_USAGE, "output"): 3,
    }


def test_waits_for_people_are_spans_of_their_own_however_many_there_are() -> None:
    def asked(id_: str, at: float) -> PersonAsked:
        return PersonAsked(request=Request(id=id_, task="a", attempt=1, kind="approval", question="?"), at=at)

    def answered(id_: str, at: float, decision: str) -> PersonAnswered:
        return PersonAnswered(request=id_, task="a", decision=decision, by="ann", at=at)  # type: ignore[arg-type]

    events = [*begun(), started(1.5), asked("q1", 2), asked("q2", 3), answered("q1", 4, "deny")]
    spans = spans_of([*events, answered("q2", 7, "approve"), ended(9)])
    waits = [span for span in spans if span.what == names.WAIT]
    told = [(span.name, span.begin, span.end, span.attributes[names.DECISION]) for span in waits]
    assert told == [("wait approval", 2.0, 4.0, "deny"), ("wait approval", 3.0, 7.0, "approve")]


def test_a_run_that_is_opened_again_has_a_span_for_each_time() -> None:
    reopened = TasksReopened(revision=1, task="a", tasks=("a",), by="person:ann", at=20)
    failed = AttemptFailed(task="a", attempt=1, failure=FailureClass.ERROR, message="m", at=3)
    again = [started(21, 2), AttemptCompleted(task="a", attempt=2, at=22), *accepted(22)]
    spans = spans_of([*begun(), started(2), failed, ended(5, RunStatus.FAILED), reopened, *again, ended(30)])
    first, second = (span for span in spans if span.what == names.INVOKE_WORKFLOW)
    assert [(one.begin, one.end, one.error) for one in (first, second)] == [(0.0, 5.0, "failed"), (20.0, 30.0, "")]
    assert second.parent == first.id
    assert [span.parent for span in spans if span.attributes.get(names.ATTEMPT) == 2] == [second.id]


def test_a_fork_is_a_trace_of_its_own_that_is_linked_to_its_parent() -> None:
    fork = "20260101-fork"
    begin = [*begun(), started(2), AttemptCompleted(task="a", attempt=1, at=3), *accepted(3)]
    forked = RunForked(parent=RUN, fork_at=len(begin), root=RUN, at=50)
    runs, state = Runs(QUIET), RunState()
    for event in [*begin, forked]:
        state = evolve(state, event)
    state = evolve(state, forked)
    state = replace(state, run=fork, seq=len(begin) + 1)
    list(runs.recall(state, [*begin, forked]))
    last = ended(60)
    (root,) = runs.take(replace(evolve(state, last), run=fork), [last])
    assert (root.trace, root.begin, root.end) == (trace_id(fork), 50.0, 60.0)
    assert [(link.trace, link.span) for link in root.links] == [(trace_id(RUN), root_id(RUN))]


def test_what_ended_just_before_a_run_is_taken_over_is_told_again_to_the_bit() -> None:
    events = [*begun(), started(2), AttemptCompleted(task="a", attempt=1, at=200), *accepted(201)]
    lived, state = Runs(QUIET), RunState()
    for event in events:
        state = evolve(state, event)
    told = list(lived.take(state, events))
    after = Runs(QUIET)
    assert list(after.recall(state, events)) == [span for span in told if span.end >= 201 - 60]
    assert [span.name for span in told] == ["plan", "invoke_agent ann"]
    assert list(lived.recall(state, events)) == [], "who saw it all needs not be told"


def test_what_could_not_be_taken_in_leaves_no_wrong_span() -> None:
    runs, state = Runs(QUIET), RunState()
    events = [*begun(), started(2)]
    for event in events:
        state = evolve(state, event)
    list(runs.take(state, events))
    for event in (AttemptCompleted(task="a", attempt=1, at=3), *accepted(3)):
        state = evolve(state, event)  # nobody was told
    last = ended(9)
    found = list(runs.take(evolve(state, last), [last]))
    assert [span.name for span in found] == ["invoke_workflow"]


LABELLED = {"x": InputSpec(labels=("pii",)), "y": InputSpec()}


@pytest.mark.parametrize(
    ("labels", "told"), [((), False), (("phi",), False), (("pii",), True)], ids=["none", "another", "it"]
)
def test_content_is_told_only_without_labels_or_with_those_that_are_allowed(
    labels: tuple[str, ...], told: bool
) -> None:
    first = RunSubmitted(
        run=RUN, goal="for Bob", inputs={"x": "Bob", "y": "plain"}, catalogue=CATALOGUE, specs=LABELLED, at=0.0
    )
    task = Task(id="a", skill="s", inputs={"who": {"ref": "inputs.x"}})
    events = [first, TaskAdded(task=task), PlanClosed(revision=1, at=1.0), started(2)]
    events += [AttemptCompleted(task="a", attempt=1, output="Bob!", at=4), *accepted(4)]
    events.append(RunEnded(status=RunStatus.FINISHED, delivery=Delivery(answer="Bob!"), at=5.0))
    spans = spans_of(events, Disclosure(content=True, labels=frozenset(labels)), cuts=[3, 4, 5, 6])
    text = repr(spans)
    assert ("Bob" in text) is told
    assert "plain" in text
    root, attempt = by_name(spans)["invoke_workflow"], by_name(spans)["invoke_agent ann"]
    if told:
        assert names.WITHHELD not in root.attributes
        assert names.OUTPUT_MESSAGES in attempt.attributes
    else:
        assert root.attributes[names.WITHHELD] == (
            names.INPUT_MESSAGES,
            names.OUTPUT_MESSAGES,
            f"{names.RUN_INPUTS}.x",
        )
        assert root.attributes[names.WITHHELD_LABELS] == ("pii",)
        assert names.OUTPUT_MESSAGES in attempt.attributes[names.WITHHELD]  # type: ignore[operator]


def test_content_is_not_told_unless_asked_for() -> None:
    first = RunSubmitted(run=RUN, goal="SECRET", inputs={"x": "SECRET"}, catalogue=CATALOGUE, at=0.0)
    failed = AttemptFailed(task="a", attempt=1, failure=FailureClass.ERROR, message="SECRET", at=3.0)
    task = Task(id="a", skill="s", objective="SECRET", inputs={"v": "SECRET"})
    asked = Request(id="q", task="a", attempt=1, kind="question", question="SECRET", arguments="SECRET")
    events: list[Event] = [first, TaskAdded(task=task), PlanClosed(revision=1), started(2), failed]
    events += [PersonAsked(request=asked, at=4.0)]
    events += [PersonAnswered(request="q", task="a", decision="answer", by="ann", value="SECRET", at=5.0)]
    events += [started(6, 2), AttemptCompleted(task="a", attempt=2, output="SECRET", at=7.0), *accepted(7)]
    events.append(RunEnded(status=RunStatus.FINISHED, delivery=Delivery(answer="SECRET"), at=8.0))
    spans = spans_of(events)
    assert len(spans) == 5
    assert "SECRET" not in repr(spans)
    assert "SECRET" in repr(spans_of(events, Disclosure(content=True)))


def test_ids_follow_from_what_they_name_alone() -> None:
    assert trace_id("r") == 0x4E6176FDA086EC48787DF3028C345CC2  # as any process of any release names it
    assert span_id("r", "attempt", "a", 1, 2.5) == 0x5B02D22442E96712
    assert span_id("r", "attempt", "a", 1, 2.5) != span_id("r", "attempt", "a", 2, 2.5)


def test_a_traceparent_is_read_as_its_standard_says() -> None:
    assert remote("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01") == (
        0x0AF7651916CD43DD8448EB211C80319C,
        0xB7AD6B7169203331,
    )
    for wrong in (
        "",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
    ):
        with pytest.raises(UsageError, match="no traceparent"):
            remote(wrong)
