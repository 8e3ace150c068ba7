"""Ladders: each class of failure with each rung, who stands in, what a person decides, and what never happens."""

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stretto.codec import Codec
from stretto.core.commands import (
    AddTask,
    AnswerRequest,
    ClosePlan,
    Command,
    FireTimer,
    Judged,
    ReportOutcome,
    ReportReview,
    SubmitGoal,
)
from stretto.core.context import resolve
from stretto.core.decide import step
from stretto.core.domain import (
    NO_BREAKER,
    AgentCard,
    Catalogue,
    Completed,
    Failed,
    FailureClass,
    ForEach,
    Json,
    Ladder,
    Limits,
    Outcome,
    Review,
    Rules,
    Rung,
    SideEffect,
    Skill,
    Task,
    TaskStatus,
    Try,
    Verdict,
)
from stretto.core.effects import AskPerson, Judge, RunTask, Synthesise, Wait
from stretto.core.events import AttemptStarted, Event, PersonAnswered, RetryScheduled
from stretto.core.ladder import DEFAULT, MAY_HAVE_HAPPENED, pause_before
from stretto.core.reconcile import judgements, reconcile
from stretto.core.state import RunState, TaskState
from tests.core.test_laws import EXAMPLES, begun, driven
from tests.core.world import due

ALLOW = Verdict(decision="allow", rule="test")
DENY = Verdict(decision="deny", rule="test", reason="not for you")
ASK = Verdict(decision="ask", rule="test", reason="see to it")
Failures = list(FailureClass)


def agent(name: str, effect: SideEffect = SideEffect.NONE, *, skill: str = "work", **card: object) -> AgentCard:
    return AgentCard(name=name, skills=(Skill(name=skill, effect=effect),), **card)  # type: ignore[arg-type]


class Stage:
    """A run with its plan closed, whose outside says what a test wants it to say. Time passes when a pause is due.

    No breaker takes an agent away: how often each fails is what these tests are about.
    """

    def __init__(self, *tasks: Task, agents: Sequence[AgentCard], rules: Rules | None = None) -> None:
        self.state, self.now = RunState(), 1000.0
        self.events: list[Event] = []
        catalogue = Catalogue(agents=tuple(agents), rules=replace(rules or Rules(), breaker=NO_BREAKER))
        self.say(SubmitGoal(run="run", goal="a goal", catalogue=catalogue))
        for task in tasks:
            self.say(AddTask(revision=1, task=task))
        self.say(ClosePlan(revision=1))
        assert self.state.refused is None, self.state.refused

    def say(self, command: Command) -> Sequence[Event]:
        events, self.state = step(self.state, replace(command, at=self.now))
        self.events += events
        return events

    def one(self, id_: str = "a") -> TaskState:
        return self.state.tasks[id_]

    def begin(self, id_: str = "a", verdict: Verdict = ALLOW) -> None:
        """Let the pause before an attempt pass, and begin it."""
        at = self.one(id_).retry_at
        if at is not None:
            self.now = max(self.now, at)
            self.say(FireTimer(timer=f"retry/{id_}"))
        found = next(effect for effect in judgements(self.state) if effect.task == id_)
        arguments = resolve(self.state, self.one(id_))
        self.say(
            Judged(task=id_, attempt=found.attempt, agent=found.agent, verdict=verdict, arguments=arguments)
        )  # fmt: skip

    def end(self, outcome: Outcome, id_: str = "a") -> Sequence[Event]:
        """Begin an attempt and report its outcome."""
        self.begin(id_)
        assert self.one(id_).status is TaskStatus.RUNNING
        return self.say(ReportOutcome(task=id_, attempt=self.one(id_).attempt, outcome=outcome))

    def fail(self, failure: FailureClass = FailureClass.ERROR, id_: str = "a", times: int = 1) -> None:
        for _ in range(times):
            self.end(Failed(failure=failure, message="it broke"), id_)

    def reject(self, output: Json, id_: str = "a") -> None:
        self.end(Completed(output=output), id_)
        review = Review(accepted=False, reviewer="r", findings=("too short",))
        self.say(ReportReview(task=id_, attempt=self.one(id_).attempt, review=review))

    def succeed(self, id_: str = "a", output: Json = "done") -> None:
        self.end(Completed(output=output), id_)
        review = Review(accepted=True, reviewer="r")
        self.say(ReportReview(task=id_, attempt=self.one(id_).attempt, review=review))

    def answer(self, word: str, value: Json = None) -> Sequence[Event]:
        request = next(iter(self.state.requests))
        return self.say(AnswerRequest(actor="person:ann", request=request, decision=word, value=value))  # type: ignore[arg-type]

    def next_agent(self, id_: str = "a") -> str:
        at = self.one(id_).retry_at
        if at is not None:
            self.now = max(self.now, at)
            self.say(FireTimer(timer=f"retry/{id_}"))
        return next(effect.agent for effect in judgements(self.state) if effect.task == id_)

    @property
    def tried(self) -> list[tuple[str, str]]:
        """What was done after each failure of the first task, and by whom."""
        return [(step.do, step.agent) for step in self.one().climbed]


def rungs(*steps: Rung | Try) -> tuple[Rung, ...]:
    return tuple(one if isinstance(one, Rung) else Rung(do=one) for one in steps)


RUNGS = {
    "retry": Rung(do="retry", pause=3.0),
    "revise": Rung(do="revise"),
    "with": Rung(do="with", arguments={"heat": 0}),
    "backup": Rung(do="backup"),
    "agent": Rung(do="agent", agent="c"),
    "ask": Rung(do="ask", who="ann"),
    "skip": Rung(do="skip"),
    "compensate": Rung(do="compensate"),
    "stop": Rung(do="stop"),
    "fail": Rung(do="fail"),
}


@pytest.mark.parametrize(
    "effect", [SideEffect.NONE, SideEffect.IDEMPOTENT, SideEffect.IRREVERSIBLE, SideEffect.UNDECLARED]
)
@pytest.mark.parametrize("do", RUNGS)
@pytest.mark.parametrize("failure", Failures)
def test_each_class_climbs_each_rung_unless_that_could_do_it_twice(
    failure: FailureClass, do: Try, effect: SideEffect
) -> None:
    stage = Stage(
        Task(id="a", skill="work", inputs={"heat": 1}, ladder={failure.value: (RUNGS[do],)}),
        Task(id="needs", skill="work", inputs={"x": {"ref": "a.output"}}),
        Task(id="waits", skill="work", inputs={"y": 1}, after=("a",)),
        Task(id="falls_with", skill="work", inputs={"z": 1}, after=("needs",)),
        Task(id="open", skill="work", inputs={"o": 1}),
        agents=[agent("a", effect), agent("b", effect), agent("c", effect)],
    )
    stage.fail(failure)
    one = stage.one()
    if do in ("retry", "revise", "with", "backup", "agent") and failure in MAY_HAVE_HAPPENED and not effect.repeatable:
        assert (one.status, one.failure, one.climbed) == (TaskStatus.FAILED, failure, ())
        return
    match do:
        case "retry":
            assert one.retry_at is not None
            assert 3.0 <= one.retry_at - stage.now <= 3.75
            assert one.feedback == ()
        case "revise":
            assert one.feedback == ("it broke",)
        case "with":
            assert resolve(stage.state, one) == {"heat": 0}
        case "backup" | "agent":
            assert stage.next_agent() == one.turn == {"backup": "b", "agent": "c"}[do]
        case "ask":
            (request,) = stage.state.requests.values()
            assert (request.kind, request.to, request.arguments) == ("failure", "ann", {"heat": 1})
            assert f"{failure.value}: it broke" in request.question
        case "skip":
            assert (one.status, one.wanted) == (TaskStatus.SKIPPED, False)
            assert stage.one("needs").status is TaskStatus.SKIPPED
            assert stage.one("waits").ready
            assert stage.one("falls_with").ready, "what only waits for what fell goes on as well"
        case "compensate" | "fail":
            assert (one.status, one.failure) == (TaskStatus.FAILED, failure)
            assert stage.one("open").ready
        case "stop":
            assert stage.one("open").status is TaskStatus.CANCELLED
            assert stage.one("open").reason == "the run was stopped when 'a' failed: it broke"
            assert [type(effect) for effect in reconcile(stage.state)] == [Synthesise]
    if do in ("retry", "revise", "with", "backup", "agent"):
        stage.fail(failure, times=2 if do == "backup" else 1)
        assert stage.one().status is TaskStatus.FAILED, "behind the last rung the task fails"
        assert stage.one().attempt == (3 if do == "backup" else 2)


@pytest.mark.parametrize("failure", Failures)
def test_without_a_ladder_each_class_has_its_number_of_tries_then_the_backup_with_as_many(
    failure: FailureClass,
) -> None:
    stage = Stage(Task(id="a", skill="work"), agents=[agent("a", backups=("b",)), agent("b")])
    again = sum(rung.times for rung in DEFAULT[failure.value] if rung.do != "backup")
    passes_on = Rung(do="backup") in DEFAULT[failure.value]
    turns = ["a", "b"] if passes_on else ["a"]
    for name in turns:
        for _ in range(again + 1):
            stage.begin()
            assert stage.one().agent == name
            outcome = Failed(failure=failure, message="it broke")
            stage.say(ReportOutcome(task="a", attempt=stage.one().attempt, outcome=outcome))
    assert stage.one().status is TaskStatus.FAILED
    assert stage.one().attempt == len(turns) * (again + 1)


def test_pauses_double_keep_their_jitter_and_never_fall_short_of_what_the_other_side_asks() -> None:
    rung = Rung(do="retry", times=9, pause=2.0)
    waits = [pause_before(rung, earlier, name="run/a", attempt=1 + earlier) for earlier in range(9)]
    assert all(2.0 * 2**n <= wait <= 2.5 * 2**n for n, wait in enumerate(waits[:5]))
    assert max(waits) <= 75.0
    assert waits == [pause_before(rung, earlier, name="run/a", attempt=1 + earlier) for earlier in range(9)]
    assert pause_before(rung, 0, name="run/a", attempt=1, retry_after=30.0) == 30.0
    assert pause_before(Rung(do="retry", pause=300.0), 0, name="run/a", attempt=1) >= 300.0


def test_the_nearer_ladder_wins_class_by_class() -> None:
    skill = Skill(
        name="work",
        effect=SideEffect.NONE,
        ladder={"refused": rungs("stop"), "error": rungs(Rung(do="retry", times=2))},
    )
    card = AgentCard(name="a", skills=(skill,), ladder={"refused": rungs("ask"), "timed_out": rungs("ask"), "*": ()})
    rules = Rules(ladder={"transient": rungs("skip"), "timed_out": rungs("stop")})
    task = Task(id="a", skill="work", ladder={"refused": rungs("skip")})
    climbed = {}
    for failure in Failures:
        stage = Stage(task, agents=[card], rules=rules)
        stage.fail(failure)
        climbed[failure.value] = [step.do for step in stage.one().climbed]
    assert climbed == {
        **{one.value: [] for one in Failures},
        "refused": ["skip"],
        "error": ["retry"],
        "timed_out": ["ask"],
    }


def test_retries_change_the_numbers_of_the_default_and_a_ladder_goes_before_them() -> None:
    rules = Rules(retries={"error": 3, "transient": 0}, ladder={"refused": rungs("skip")})
    stage = Stage(Task(id="a", skill="work"), agents=[agent("a")], rules=rules)
    stage.fail(times=4)
    assert stage.one().status is TaskStatus.FAILED
    stage = Stage(Task(id="a", skill="work"), agents=[agent("a")], rules=rules)
    stage.fail(FailureClass.TRANSIENT)
    assert stage.one().status is TaskStatus.FAILED


def test_backups_come_in_their_order_then_others_with_the_skill_and_nobody_twice() -> None:
    team = [
        agent("a", skill="a.work", backups=("renamed", "strange", "gone")),
        agent("second", skill="a.work"),
        agent("renamed", skill="renamed.work", backups=("bare",)),
        agent("strange", skill="strange.other"),
        agent("bare", skill="work"),
    ]
    stage = Stage(Task(id="a", skill="a.work"), agents=team)
    for _ in range(4):
        stage.fail(FailureClass.REFUSED)
    assert stage.tried == [("backup", "renamed"), ("backup", "bare"), ("backup", "second")]
    assert stage.one().status is TaskStatus.FAILED


def test_where_the_plan_names_the_agent_only_its_backups_stand_in() -> None:
    team = [agent("a", backups=("c",)), agent("b"), agent("c")]
    stage = Stage(Task(id="a", skill="work", agent="a"), agents=team)
    stage.fail(FailureClass.REFUSED, times=2)
    assert stage.tried == [("backup", "c")]


def test_a_backup_that_may_not_is_passed_over_and_the_failure_says_so() -> None:
    stage = Stage(Task(id="a", skill="work"), agents=[agent("a"), agent("b"), agent("c")])
    stage.fail(FailureClass.REFUSED)
    stage.begin(verdict=DENY)
    assert stage.next_agent() == "c"
    stage.begin(verdict=DENY)
    one = stage.one()
    assert (one.status, one.failure, one.attempt) == (TaskStatus.FAILED, FailureClass.REFUSED, 1)
    assert one.reason == "it broke; 'b' cannot take over: not for you; 'c' cannot take over: not for you"


def test_what_was_approved_for_one_agent_is_asked_anew_for_its_stand_in() -> None:
    deed = SideEffect.IRREVERSIBLE
    stage = Stage(Task(id="a", skill="work"), agents=[agent("a", deed), agent("b", deed)])
    stage.begin(verdict=ASK)
    stage.answer("approve")
    stage.begin(verdict=ASK)
    stage.say(ReportOutcome(task="a", attempt=1, outcome=Failed(failure=FailureClass.REFUSED, message="no")))
    assert stage.next_agent() == "b"
    stage.begin(verdict=ASK)
    assert stage.one().status is TaskStatus.WAITING
    stage.answer("approve")
    stage.begin(verdict=ASK)
    assert (stage.one().status, stage.one().agent) == (TaskStatus.RUNNING, "b")


def test_a_persons_denial_is_climbed_to_an_end_only() -> None:
    for ladder, status in (
        ({"*": rungs(Rung(do="retry", times=9), "backup", "ask")}, TaskStatus.FAILED),
        ({"denied": rungs("ask", "skip")}, TaskStatus.SKIPPED),
    ):
        stage = Stage(Task(id="a", skill="work", ladder=ladder), agents=[agent("a"), agent("b")])
        stage.begin(verdict=ASK)
        stage.answer("deny")
        assert stage.one().status is status


def test_a_task_that_cannot_start_climbs_as_well() -> None:
    ladder: Ladder = {"denied": rungs(Rung(do="retry", times=2, pause=5.0), "ask")}
    stage = Stage(Task(id="a", skill="work", ladder=ladder), agents=[agent("a")])
    for _ in range(3):
        stage.begin(verdict=DENY)
    assert stage.tried == [("retry", ""), ("retry", ""), ("ask", "")]
    stage.answer("retry")
    stage.begin(verdict=DENY)
    assert stage.one().status is TaskStatus.FAILED
    assert stage.one().attempt == 0


def test_arguments_of_a_ladder_stay_with_the_agent_they_are_meant_for() -> None:
    ladder: Ladder = {"error": rungs(Rung(do="with", arguments={"heat": 0}, times=2), "backup")}
    stage = Stage(Task(id="a", skill="work", inputs={"heat": 1}, ladder=ladder), agents=[agent("a"), agent("b")])
    keys = []
    for _ in range(5):
        stage.begin()
        keys.append((stage.one().agent, resolve(stage.state, stage.one()), stage.one().key))
        stage.say(
            ReportOutcome(
                task="a", attempt=stage.one().attempt, outcome=Failed(failure=FailureClass.ERROR, message="x")
            )
        )
    assert [(name, given["heat"]) for name, given, _ in keys] == [("a", 1), ("a", 0), ("a", 0), ("b", 1), ("b", 0)]
    assert keys[0][2] == keys[3][2] != keys[1][2] == keys[2][2], "one action has one key, whoever does it"


def test_a_task_keeps_its_limit_of_attempts_and_an_agent_its_own() -> None:
    ladder: Ladder = {"*": rungs(Rung(do="retry", times=9), "backup", "skip")}
    task = Task(id="a", skill="work", ladder=ladder, limits=Limits(attempts=3))
    stage = Stage(task, agents=[agent("a"), agent("b")])
    stage.fail(times=3)
    assert stage.one().status is TaskStatus.SKIPPED
    limited = agent("a", limits=Limits(attempts=2))
    stage = Stage(replace(task, limits=Limits()), agents=[limited, agent("b", limits=Limits(attempts=1))])
    stage.fail(times=3)
    assert stage.tried == [("retry", ""), ("backup", "b"), ("skip", "")]


@pytest.mark.parametrize(
    ("word", "value", "status"),
    [
        ("retry", None, TaskStatus.PENDING),
        ("done", None, TaskStatus.COMPLETED),
        ("done", "by hand", TaskStatus.REVIEWING),
        ("skip", None, TaskStatus.SKIPPED),
        ("fail", None, TaskStatus.FAILED),
    ],
)
def test_a_person_decides_about_a_failure(word: str, value: Json, status: TaskStatus) -> None:
    ladder: Ladder = {"error": rungs("ask", Rung(do="retry", times=5))}
    stage = Stage(Task(id="a", skill="work", ladder=ladder), agents=[agent("a", SideEffect.IRREVERSIBLE), agent("b")])
    stage.fail()
    assert [type(one) for one in reconcile(stage.state)] == [AskPerson]
    stage.answer(word, value)
    one = stage.one()
    assert one.status is status
    if word == "retry":
        stage.begin()
        assert stage.one().attempt == 2, "a person may have it done again, no ladder may"
    if word == "fail":
        assert (one.failure, one.reason) == (FailureClass.ERROR, "it broke; given up by ann")
    if value is not None:
        assert one.result is not None
        assert one.result.output == value


def test_a_person_is_asked_about_a_task_whose_arguments_are_not_there_and_is_shown_none() -> None:
    needs = Task(
        id="b", skill="work", inputs={"x": {"ref": "a.output.rows"}}, ladder={"refused": rungs("ask")}
    )  # fmt: skip
    stage = Stage(Task(id="a", skill="work"), needs, agents=[agent("a")])
    stage.succeed(output={"lines": 3})
    stage.say(Judged(task="b", attempt=1, agent="a", refusal="task 'a': there is no 'rows' in dict"))
    (request,) = stage.state.requests.values()
    assert (request.kind, request.task, request.arguments) == ("failure", "b", None)
    assert "there is no 'rows' in dict" in request.question
    stage.answer("done", "by hand")
    assert stage.one("b").status is TaskStatus.REVIEWING


def test_who_does_not_answer_in_time_is_passed_and_late_words_are_moot() -> None:
    ladder: Ladder = {"error": rungs(Rung(do="ask", who="ann", within=60.0), Rung(do="ask", who="bob"))}
    stage = Stage(Task(id="a", skill="work", ladder=ladder), agents=[agent("a")])
    stage.fail()
    (first,) = stage.state.requests.values()
    assert {type(one) for one in reconcile(stage.state)} == {AskPerson, Wait}
    assert stage.say(FireTimer(timer="failure/a")) == [], "not yet"
    stage.now += 60
    stage.say(FireTimer(timer="failure/a"))
    (second,) = stage.state.requests.values()
    assert (first.to, second.to) == ("ann", "bob")
    assert second.id != first.id
    assert "nobody answered in time" in second.question
    assert stage.say(AnswerRequest(request=first.id, decision="retry")) == []
    assert stage.say(FireTimer(timer="failure/a")) == []
    assert [type(one) for one in reconcile(stage.state)] == [AskPerson], "the second has no end to the waiting"


def test_a_revision_that_changes_nothing_ends_the_revisions() -> None:
    ladder: Ladder = {"invalid_output": rungs(Rung(do="revise", times=5), "with", "ask")}
    ladder["invalid_output"] = rungs(Rung(do="revise", times=5), Rung(do="with", arguments={"x": 1}), "ask")
    stage = Stage(Task(id="a", skill="work", ladder=ladder), agents=[agent("a")])
    stage.reject("one")
    stage.reject("two")
    assert stage.tried == [("revise", "a"), ("revise", "a")]
    stage.reject("one")
    assert stage.tried[-1] == ("with", "a")
    assert "no progress" in stage.one().climbed[-1].why
    stage.reject("one")
    assert stage.tried[-1] == ("ask", ""), "the rungs that were passed over do not come back"


def test_a_function_that_brings_the_same_misfit_again_ends_the_revisions_as_well() -> None:
    ladder: Ladder = {"invalid_output": rungs(Rung(do="revise", times=5), "skip")}
    for marks, status in (("xyx", TaskStatus.SKIPPED), ("xyz", TaskStatus.PENDING), (("", "", ""), TaskStatus.PENDING)):
        stage = Stage(Task(id="a", skill="work", ladder=ladder), agents=[agent("a")])
        for produced in marks:
            stage.end(Failed(failure=FailureClass.INVALID_OUTPUT, message="no fit", produced=produced))
        assert stage.one().status is status


def test_equal_failures_and_equal_results_elsewhere_are_work_and_no_loop() -> None:
    ladder: Ladder = {
        "transient": rungs(Rung(do="retry", times=20)),
        "invalid_output": rungs(Rung(do="retry", times=20)),
    }
    stage = Stage(Task(id="a", skill="work", ladder=ladder), agents=[agent("a")])
    stage.fail(FailureClass.TRANSIENT, times=15)
    for _ in range(15):
        stage.reject("not yet")  # a poll: the same until it is there
    stage.succeed()
    assert stage.one().status is TaskStatus.COMPLETED


def test_a_thousand_items_of_equal_results_are_each_accepted() -> None:
    task = Task(id="a", skill="work", for_each=ForEach(items=[0] * 1000), inputs={"x": {"ref": "item"}})
    stage = Stage(task, agents=[agent("a")], rules=Rules(parallel=1000))
    (spread,) = judgements(stage.state)
    stage.say(Judged(task="a", attempt=1, agent=spread.agent, items=(0,) * 1000))
    for number in range(1000):
        stage.succeed(f"a[{number}]", output="same")
    assert stage.one().status is TaskStatus.COMPLETED


def test_items_that_are_left_out_leave_their_gap_and_the_others_their_results() -> None:
    for lost, status in ((1, TaskStatus.COMPLETED), (3, TaskStatus.SKIPPED)):
        task = Task(
            id="a",
            skill="work",
            for_each=ForEach(items=[1, 2, 3]),
            inputs={"x": {"ref": "item"}},
            ladder={"refused": rungs("skip")},
        )
        after = Task(id="b", skill="work", after=("a",))
        stage = Stage(task, after, agents=[agent("a")])
        stage.say(Judged(task="a", attempt=1, agent="a", items=(1, 2, 3)))
        for number in range(3):
            if number < lost:
                stage.fail(FailureClass.REFUSED, f"a[{number}]")
            else:
                stage.succeed(f"a[{number}]")
        assert stage.one().status is status
        assert stage.one("b").ready


def test_an_agent_that_is_held_to_one_task_keeps_its_queue_apart() -> None:
    team = [agent("a", concurrency=1), agent("b", concurrency=1)]
    stage = Stage(Task(id="a", skill="work"), Task(id="z", skill="work", inputs={"n": 2}), agents=team)
    stage.fail(FailureClass.REFUSED)
    assert {(one.task, one.agent) for one in judgements(stage.state)} == {("z", "a")}
    stage.say(FireTimer(timer="retry/a"))
    assert {(one.task, one.agent) for one in judgements(stage.state)} == {("a", "b"), ("z", "a")}


def test_a_late_judgement_for_an_agent_that_was_passed_over_is_moot() -> None:
    stage = Stage(Task(id="a", skill="work"), agents=[agent("a"), agent("b"), agent("c")])
    stage.fail(FailureClass.REFUSED)
    stage.next_agent()
    before: Judge = judgements(stage.state)[0]
    stage.begin(verdict=DENY)
    stage.next_agent()
    after: Judge = judgements(stage.state)[0]
    assert (before.agent, after.agent) == ("b", "c")
    assert before.key != after.key
    assert stage.say(Judged(task="a", attempt=2, agent="b", verdict=ALLOW, arguments={})) == []


def test_journals_from_before_ladders_are_read() -> None:
    codec = Codec()
    event = codec.decode(
        "RetryScheduled", 1, json.dumps({"task": "a", "attempt": 1, "until": 5.0, "rung": "error"}).encode(), 1.0, _none
    )
    assert event == RetryScheduled(at=1.0, task="a", attempt=1, until=5.0, rung="error")
    for kind, body in (
        ("TaskAdded", {"task": {"id": "a", "skill": "work"}}),
        ("AttemptFailed", {"task": "a", "attempt": 1, "failure": "error", "message": "x"}),
        ("ResultRejected", {"task": "a", "attempt": 1, "reviewer": "r", "findings": []}),
        ("TaskSkipped", {"task": "a", "reason": "x", "because": "", "wanted": False}),
        ("PersonAsked", {"request": {"id": "r", "task": "a", "attempt": 1, "kind": "doubt", "question": "?"}}),
    ):
        assert type(codec.decode(kind, 1, json.dumps(body).encode(), 1.0, _none)).__name__ == kind


def _none(mark: str, shared: bool) -> bytes:
    raise AssertionError(mark)


# ---- laws


@EXAMPLES
@given(st.data())
def test_what_must_not_happen_twice_is_done_again_only_by_a_persons_word(data: st.DataObject) -> None:
    world = begun(data)
    driven(world, meddle=False)
    grave = {"do_reversible", "do_irreversible", "do_undeclared"}
    doubtful: set[str] = set()
    for event in world.events:
        kind = type(event).__name__
        id_ = getattr(event, "task", "")
        if kind == "ResultRejected" or (kind == "AttemptFailed" and event.failure in MAY_HAVE_HAPPENED):  # type: ignore[union-attr]
            by = world.state.roster.agents[agent_of(world.events, event)]
            undoing = world.state.tasks[id_].task.undoes is not None  # these are idempotent here
            if not undoing and any(skill.effect.value in {name[3:] for name in grave} for skill in by.skills):
                doubtful.add(id_)
        elif isinstance(event, PersonAnswered):
            doubtful.discard(id_)
        elif isinstance(event, AttemptStarted):
            assert id_ not in doubtful


def agent_of(events: Sequence[Event], failed: Event) -> str:
    """Name the agent of the attempt that an event is about."""
    started = [
        one
        for one in events
        if isinstance(one, AttemptStarted) and (one.task, one.attempt) == (failed.task, failed.attempt)  # type: ignore[union-attr]
    ]
    return started[-1].agent if started else "agent_none"


@EXAMPLES
@given(st.data())
def test_nobody_gets_a_second_turn_at_a_task_and_ladders_come_to_an_end(data: st.DataObject) -> None:
    world = begun(data)
    driven(world)
    for one in world.state.tasks.values():
        turns = [step.agent for step in one.climbed if step.do in ("backup", "agent")]
        assert len(turns) == len(set(turns))
        assert not {step.by for step in one.climbed[:1]} & set(turns)


@EXAMPLES
@given(st.data())
def test_a_stopped_run_ends_at_once_with_what_is_done_but_for_what_is_being_taken_back(data: st.DataObject) -> None:
    world = begun(data)
    driven(world)
    if world.state.stopped is not None:
        stopped = next(n for n, event in enumerate(world.events) if type(event).__name__ == "RunStopped")
        after = world.events[stopped + 1 :]
        begun_later = {event.task for event in after if isinstance(event, AttemptStarted)}
        undoings = {id_ for id_, one in world.state.tasks.items() if one.task.undoes is not None}
        assert begun_later <= undoings
        assert type(after[-1]).__name__ == "RunEnded"
        assert len(after) == 1 or undoings
        assert not due(world.state)


@EXAMPLES
@given(st.lists(st.integers(0, 4), min_size=200, max_size=400), st.data())
def test_with_failures_of_every_class_on_a_fifth_of_the_calls_nothing_hangs(
    luck: list[int], data: st.DataObject
) -> None:
    ladder = data.draw(st.sampled_from([{}, {"*": rungs(Rung(do="retry", times=2), "backup", "ask")}]))
    tasks = [
        Task(id=f"t{n}", skill="work", inputs={"n": n}, after=(f"t{n - 10}",) if n >= 10 else ()) for n in range(30)
    ]
    team = [agent("a"), agent("b"), agent("c", backups=("a",))]
    stage = Stage(*tasks, agents=team, rules=Rules(ladder=ladder, parallel=8))
    calls = iter(luck)
    for _ in range(5000):
        effects = reconcile(stage.state)
        if any(isinstance(effect, Synthesise) for effect in effects):
            return
        effect = (
            next(one for one in effects if not isinstance(one, Wait))
            if any(not isinstance(one, Wait) for one in effects)
            else effects[0]
        )
        match effect:
            case Judge():
                arguments = resolve(stage.state, stage.one(effect.task))
                stage.say(
                    Judged(
                        task=effect.task,
                        attempt=effect.attempt,
                        agent=effect.agent,
                        verdict=ALLOW,
                        arguments=arguments,
                    )
                )
            case RunTask():
                bad = next(calls, 1) == 0
                failure = Failures[len(stage.events) % len(Failures)]
                outcome: Outcome = Failed(failure=failure, message="bad luck") if bad else Completed(output=1)
                stage.say(ReportOutcome(task=effect.task, attempt=effect.attempt, outcome=outcome))
            case Wait():
                stage.now = max(stage.now, effect.until)
                stage.say(FireTimer(timer=effect.timer))
            case AskPerson():
                stage.answer("retry")
            case _:
                review = Review(accepted=True, reviewer="r")
                stage.say(ReportReview(task=effect.task, attempt=effect.attempt, review=review))  # type: ignore[union-attr]
    raise AssertionError("it hangs")
