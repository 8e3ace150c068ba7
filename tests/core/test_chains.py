"""Chains of people in the pure core: reminders, the next person, what silence comes to, who may answer."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stretto.core.commands import (
    AddTask,
    AnswerRequest,
    ClarifyGoal,
    ClosePlan,
    Command,
    FireTimer,
    Judged,
    Recover,
    ReportOutcome,
    ReportReview,
    SubmitGoal,
)
from stretto.core.decide import step
from stretto.core.domain import (
    AgentCard,
    Ask,
    Catalogue,
    Chain,
    Fallback,
    InputRequired,
    Request,
    Review,
    SideEffect,
    Skill,
    Task,
    TaskStatus,
    Unknown,
    Verdict,
)
from stretto.core.effects import Wait
from stretto.core.events import (
    AttemptStarted,
    Event,
    PersonAnswered,
    PersonAsked,
    PersonReminded,
    RequestEscalated,
    RequestExpired,
)
from stretto.core.reconcile import reconcile
from stretto.core.state import RunState
from tests.core.test_laws import EXAMPLES, begun, driven

HOUR = 3600.0
TWO = Chain(steps=(Ask(who="ann", within=2 * HOUR, remind=HOUR), Ask(who="bob", within=24 * HOUR)), otherwise="deny")


class Talk:
    """A run with one task, a clock that is set by hand, and everything that was said."""

    def __init__(self, ask: dict[str, Chain], *, effect: SideEffect = SideEffect.REVERSIBLE, task: Task | None = None):
        skill = Skill(name="do", effect=effect)
        people = Skill(name="sign", effect=SideEffect.NONE)
        cards = (AgentCard(name="doer", skills=(skill,)), AgentCard(name="legal", kind="person", skills=(people,)))
        self.state, self.now, self.events = RunState(), 0.0, list[Event]()
        self.say(SubmitGoal(run="r", goal="g", catalogue=Catalogue(agents=cards, ask=ask)))
        self.task = task or Task(id="t", skill="do")

    def say(self, command: Command) -> Sequence[Event]:
        from dataclasses import replace

        events, self.state = step(self.state, replace(command, at=self.now))
        self.events += events
        return events

    def planned(self) -> "Talk":
        self.say(AddTask(revision=1, task=self.task))
        self.say(ClosePlan(revision=1))
        return self

    def asked(self, attempt: int = 1) -> "Talk":
        """Let the task be judged so that a person has to approve it."""
        verdict = Verdict(decision="ask", rule="approval", reason="somebody must say so")
        self.say(Judged(task="t", attempt=attempt, agent="doer", verdict=verdict, arguments={}))
        return self

    def running(self, agent: str = "doer") -> "Talk":
        self.say(Judged(task="t", attempt=self.one.attempt + 1, agent=agent, arguments={}, verdict=ALLOW))
        return self

    def over(self, seconds: float) -> Sequence[Event]:
        """Let time pass, and fire what falls due on the way, as a clock would."""
        until, begin = self.now + seconds, len(self.events)
        while (due := [one for one in reconcile(self.state) if isinstance(one, Wait) and one.until <= until]) != []:
            timer = min(due, key=lambda one: one.until)
            self.now = max(self.now, timer.until)
            assert self.say(FireTimer(timer=timer.timer)), "a timer that is due does something"
        self.now = until
        return self.events[begin:]

    @property
    def one(self):  # type: ignore[no-untyped-def]
        return self.state.tasks["t"]

    @property
    def request(self):  # type: ignore[no-untyped-def]
        return next(iter(self.state.requests.values()), None)


ALLOW = Verdict(decision="allow", rule="test")


def kinds(events: Sequence[Event]) -> list[str]:
    return [type(event).__name__ for event in events]


def test_the_first_is_reminded_then_the_next_is_asked_and_at_last_what_the_chain_says_holds() -> None:
    talk = Talk({"approval": TWO}).planned().asked()
    assert (talk.request.to, talk.request.due) == ("ann", 2 * HOUR)
    assert kinds(talk.over(1.5 * HOUR)) == ["PersonReminded"]
    assert kinds(talk.over(HOUR)) == ["RequestEscalated"]
    assert (talk.request.to, talk.request.due, talk.request.step) == ("bob", 26 * HOUR, 1)
    ended = talk.over(24 * HOUR)
    assert kinds(ended)[:2] == ["RequestExpired", "PersonAnswered"]
    assert talk.one.status is TaskStatus.FAILED
    assert talk.one.reason == (
        "denied by system:chain: nobody answered: ann by 1970-01-01 02:00:00 UTC, bob by 1970-01-02 02:00:00 UTC"
    )


def test_a_chain_that_ran_out_while_nobody_drove_the_run_goes_on_in_order_and_the_next_gets_all_of_their_time() -> None:
    talk = Talk({"approval": TWO}).planned().asked()
    talk.now = 100 * HOUR
    events = talk.say(Recover())
    assert kinds(events) == ["RequestEscalated"]
    assert (talk.request.to, talk.request.due) == ("bob", 124 * HOUR)
    talk.now = 500 * HOUR
    assert kinds(talk.say(Recover()))[0] == "RequestExpired"
    assert talk.one.reason.startswith("denied by system:chain")


def test_reminders_that_were_missed_are_given_once() -> None:
    talk = Talk({"default": Chain(steps=(Ask(who="ann", remind=HOUR),))}).planned().asked()
    first = next(one for one in reconcile(talk.state) if isinstance(one, Wait))
    talk.now = 5.5 * HOUR
    (event,) = talk.say(FireTimer(timer=first.timer))
    assert isinstance(event, PersonReminded)
    assert event.reminded == 5
    assert [one.until for one in reconcile(talk.state) if isinstance(one, Wait)] == [6 * HOUR]


def test_a_timer_that_is_early_late_or_doubled_does_nothing() -> None:
    talk = Talk({"approval": TWO}).planned().asked()
    name = talk.request.id
    assert talk.say(FireTimer(timer=f"ask/{name}/0/due")) == []
    assert talk.say(FireTimer(timer=f"ask/{name}/1/due")) == []
    assert talk.say(FireTimer(timer="ask/nobody/0/due")) == []
    talk.over(2 * HOUR)
    talk.now = 50 * HOUR
    assert talk.say(FireTimer(timer=f"ask/{name}/0/due")) == [], "ann's time is over already"


@pytest.mark.parametrize(
    ("kind", "otherwise", "status"),
    [
        ("approval", "deny", TaskStatus.FAILED),
        ("approval", "fail", TaskStatus.FAILED),
        ("approval", "approve", TaskStatus.PENDING),
        ("approval", "wait", TaskStatus.WAITING),
        ("approval", "skip", TaskStatus.FAILED),
        ("question", "skip", TaskStatus.SKIPPED),
        ("question", "answer", TaskStatus.PENDING),
        ("question", "deny", TaskStatus.FAILED),
        ("question", "fail", TaskStatus.FAILED),
        ("question", "approve", TaskStatus.WAITING),
        ("doubt", "fail", TaskStatus.FAILED),
        ("doubt", "deny", TaskStatus.FAILED),
        ("doubt", "approve", TaskStatus.UNKNOWN),
        ("doubt", "skip", TaskStatus.UNKNOWN),
    ],
)
def test_what_silence_comes_to(kind: str, otherwise: Fallback, status: TaskStatus) -> None:
    talk = Talk({"default": Chain(steps=(Ask(within=1),), otherwise=otherwise, value="blue")}).planned()
    if kind == "approval":
        talk.asked()
    else:
        talk.running()
        lost = InputRequired(question="which?") if kind == "question" else Unknown(message="lost")
        talk.say(ReportOutcome(task="t", attempt=1, outcome=lost))
    events = talk.over(1)
    assert isinstance(events[0], RequestExpired)
    assert talk.one.status is status
    if otherwise == "answer":
        assert talk.one.answers == ("blue",)
    if status in (TaskStatus.WAITING, TaskStatus.UNKNOWN):
        assert talk.request is not None
        assert not [one for one in reconcile(talk.state) if isinstance(one, Wait)], "nothing falls due any more"


def test_silence_never_approves_what_cannot_be_undone() -> None:
    chain = Chain(steps=(Ask(who="ann", within=1),), otherwise="approve")
    talk = Talk({"approval": chain}, effect=SideEffect.IRREVERSIBLE).planned().asked()
    talk.over(1)
    assert talk.one.status is TaskStatus.FAILED


def test_a_question_about_the_goal_has_its_chain_too() -> None:
    talk = Talk({"goal": Chain(steps=(Ask(who="ann", within=1),), otherwise="answer", value="left")})
    talk.say(ClarifyGoal(revision=1, round=0, question="which way?"))
    assert talk.request.to == "ann"
    talk.over(1)
    assert talk.state.clarified == (("which way?", "left"),)


def test_the_chain_of_the_task_goes_before_the_skills_and_that_before_the_workspaces() -> None:
    near = Chain(steps=(Ask(who="carl"),))
    task = Task(id="t", skill="do", ask={"approval": near})
    assert Talk({"approval": TWO}, task=task).planned().asked().request.to == "carl"
    other = Task(id="t", skill="do", ask={"question": near})
    assert Talk({"approval": TWO}, task=other).planned().asked().request.to == "ann"


def test_anybody_may_answer_unless_the_chain_is_for_those_in_charge_only() -> None:
    talk = Talk({"approval": TWO}).planned().asked()
    assert talk.say(AnswerRequest(actor="person:bob", request=talk.request.id, decision="approve"))
    only = Chain(steps=TWO.steps, otherwise="deny", only=True)
    talk = Talk({"approval": only}).planned().asked()
    assert talk.say(AnswerRequest(actor="person:bob", request=talk.request.id, decision="approve")) == []
    talk.over(2 * HOUR)
    assert talk.say(AnswerRequest(actor="person:ann", request=talk.request.id, decision="approve")) == []
    assert talk.say(AnswerRequest(actor="person:bob (typed by root)", request=talk.request.id, decision="approve"))


def test_whoever_takes_a_task_over_brings_a_result_that_is_reviewed_like_any() -> None:
    talk = Talk({}).planned().asked()
    talk.say(AnswerRequest(actor="person:ann", request=talk.request.id, decision="done", value="by hand"))
    assert (talk.one.status, talk.one.attempt, talk.one.agent, talk.one.taken_by) == (
        TaskStatus.REVIEWING, 1, "doer", "ann",
    )  # fmt: skip
    talk.say(ReportReview(task="t", attempt=1, review=Review(accepted=False, reviewer="r", findings=("no",))))
    assert (talk.one.ready, talk.one.feedback) == (True, ("no",))
    talk.asked(attempt=2)
    assert talk.request.question.endswith("(the result of ann was sent back: no)")
    talk.say(AnswerRequest(actor="person:ann", request=talk.request.id, decision="done", value="better"))
    talk.say(ReportReview(task="t", attempt=2, review=Review(accepted=True, reviewer="r")))
    assert (talk.one.status, talk.one.result.output) == (TaskStatus.COMPLETED, "better")
    assert not [one for one in talk.events if isinstance(one, AttemptStarted)], "no agent has done anything"


def test_the_answer_of_a_person_who_is_the_agent_is_the_result_and_a_denial_is_a_refusal() -> None:
    talk = Talk({}, task=Task(id="t", skill="sign", inputs={"matter": "lease"})).planned().running("legal")
    talk.say(ReportOutcome(task="t", attempt=1, outcome=InputRequired(question="sign?")))
    assert talk.request.arguments == {"matter": "lease"}
    (answered, *_) = talk.say(
        AnswerRequest(actor="person:ann", request=talk.request.id, decision="answer", value={"signed": True})
    )
    assert isinstance(answered, PersonAnswered)
    assert (answered.decision, talk.one.result.output) == ("done", {"signed": True})
    talk.say(ReportReview(task="t", attempt=1, review=Review(accepted=False, reviewer="r", findings=("no date",))))
    talk.running("legal")
    talk.say(ReportOutcome(task="t", attempt=2, outcome=InputRequired(question="sign? no date")))
    talk.say(AnswerRequest(actor="person:ann", request=talk.request.id, decision="deny", reason="not mine"))
    assert (talk.one.failure, talk.one.reason) == ("refused", "denied by ann: not mine")


def test_a_request_that_ends_without_a_chain_stays_open_and_nothing_more_falls_due() -> None:
    talk = Talk({}).planned().running()
    asked = Request(id="q", task="x", attempt=1, kind="question", question="which?", via="r.t", due=60.0)
    talk.say(ReportOutcome(task="t", attempt=1, outcome=InputRequired(question="which?", request=asked)))
    assert kinds(talk.over(61)) == ["RequestExpired"]
    assert talk.request.origin == "q"
    assert not [one for one in reconcile(talk.state) if isinstance(one, Wait)]
    talk.say(AnswerRequest(actor="person:ann", request=talk.request.id, decision="answer", value="left"))
    assert talk.one.word.value == "left"


# ---- laws


@EXAMPLES
@given(st.data())
def test_every_request_goes_through_its_chain_in_order_and_nobody_is_passed_over_early(data: st.DataObject) -> None:
    world = begun(data)
    driven(world)
    open_: dict[str, tuple[int, float | None]] = {}
    chains: dict[str, Chain | None] = {}
    for event in world.events:
        if isinstance(event, PersonAsked):
            open_[event.request.id] = (event.request.step, event.request.due)
            chains[event.request.id] = event.request.chain
        elif isinstance(event, RequestEscalated | RequestExpired):
            step_, due = open_[event.request]
            assert due is not None
            assert event.at >= due
            chain = chains[event.request]
            assert chain is not None
            if isinstance(event, RequestEscalated):
                assert event.step == step_ + 1 < len(chain.steps)
                open_[event.request] = (event.step, event.due)
            else:
                assert step_ == len(chain.steps) - 1
                open_[event.request] = (len(chain.steps), None)


@EXAMPLES
@given(st.data())
def test_a_chain_for_those_in_charge_hears_nobody_else_and_silence_approves_nothing_grave(data: st.DataObject) -> None:
    world = begun(data)
    driven(world)
    state = RunState()
    for event in world.events:
        if isinstance(event, PersonAnswered):
            request = state.requests[event.request]
            if request.chain is not None and request.chain.only and request.to and event.by != "system:chain":
                assert event.by == request.to
            if event.by == "system:chain" and event.decision == "approve":
                assert state.tasks[event.task].task.skill != "do_irreversible"
        from stretto.core.evolve import evolve

        state = evolve(state, event)
