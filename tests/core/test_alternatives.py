"""Where chains of people and streams meet control: alternatives with a chain, cancelling, reopening, forks."""

from dataclasses import replace

from stretto.core.chains import RETRY, STOP
from stretto.core.commands import (
    AddTask,
    AnswerRequest,
    Cancel,
    ClosePlan,
    Command,
    FireTimer,
    Judged,
    ReportOutcome,
    ReportReview,
    RetryTask,
    SubmitGoal,
)
from stretto.core.decide import step
from stretto.core.domain import (
    AgentCard,
    Ask,
    Asks,
    Catalogue,
    Chain,
    Completed,
    Failed,
    FailureClass,
    InputRequired,
    Plan,
    Request,
    Review,
    RunStatus,
    SideEffect,
    Skill,
    Task,
    TaskStatus,
    Verdict,
)
from stretto.core.effects import Wait
from stretto.core.events import Event, RunForked
from stretto.core.evolve import evolve
from stretto.core.reconcile import reconcile
from stretto.core.state import RunState

ALLOW = Verdict(decision="allow", rule="test")
ASK = Verdict(decision="ask", rule="test", reason="somebody must say so")
ANN = Ask(who="ann", within=60.0)
TASKS = (Task(id="a", skill="do"), Task(id="b", skill="do", inputs={"x": 1}))


class Stage:
    """A run of two tasks, with a clock that is set by hand."""

    def __init__(self, ask: Asks, *, streamed: bool = False, given: bool = True, others: tuple[str, ...] = ()) -> None:
        skill = Skill(name="do", effect=SideEffect.NONE, inputs={"type": "object"})
        like = replace(skill, name="do_alike", inputs={"type": "object", "properties": {"x": {}}})
        cards = (AgentCard(name="doer", skills=(skill,)), *(AgentCard(name=one, skills=(like,)) for one in others))
        catalogue = Catalogue(agents=cards, ask=ask)
        plan = Plan(tasks=TASKS) if given and not streamed else None
        self.state, self.now = RunState(), 0.0
        self.say(SubmitGoal(run="r", goal="g", catalogue=catalogue, plan=plan, streamed=streamed))
        self.say(*(AddTask(revision=1, task=task) for task in TASKS))
        if not streamed:
            self.say(ClosePlan(revision=1))

    def say(self, *commands: Command) -> list[Event]:
        said: list[Event] = []
        for command in commands:
            events, self.state = step(self.state, replace(command, at=self.now))
            said += events
        return said

    def names(self, *commands: Command) -> list[str]:
        return [type(event).__name__ for event in self.say(*commands)]

    def judged(self, id_: str, verdict: Verdict = ALLOW) -> None:
        attempt = self.state.tasks[id_].attempt + 1
        self.say(Judged(task=id_, attempt=attempt, agent="doer", verdict=verdict, arguments={}))

    def lose(self, id_: str) -> None:
        """Have everybody who could do a task be gone for good."""
        while not self.state.tasks[id_].status.final:
            for effect in reconcile(self.state):
                if isinstance(effect, Wait) and effect.timer == f"retry/{id_}":
                    self.now = max(self.now, effect.until)
                    self.say(FireTimer(timer=effect.timer))
            self.judged(id_)
            attempt = self.state.tasks[id_].attempt
            gone = Failed(failure=FailureClass.UNAVAILABLE, message="gone")
            self.say(ReportOutcome(task=id_, attempt=attempt, outcome=gone))

    def done(self, id_: str) -> None:
        self.judged(id_)
        attempt = self.state.tasks[id_].attempt
        self.say(ReportOutcome(task=id_, attempt=attempt, outcome=Completed(output=id_)))
        self.say(ReportReview(task=id_, attempt=attempt, review=Review(accepted=True, reviewer="r")))

    def timers(self) -> list[Wait]:
        return [one for one in reconcile(self.state) if isinstance(one, Wait) and one.timer.startswith("ask/")]

    def silence(self) -> list[str]:
        """Let the time of whoever is asked pass."""
        (timer,) = self.timers()
        self.now = max(self.now, timer.until)
        return self.names(FireTimer(timer=timer.timer))

    @property
    def request(self) -> Request:
        (request,) = self.state.requests.values()
        return request


def test_alternatives_go_to_the_chain_for_them_and_silence_goes_on_without_the_task() -> None:
    stage = Stage({"alternatives": Chain(steps=(ANN, Ask(who="bob", within=5.0)), otherwise="skip")})
    stage.lose("a")
    assert (stage.request.kind, stage.request.to) == ("alternatives", "ann")
    assert stage.silence() == ["RequestEscalated"]
    assert stage.request.to == "bob"
    assert stage.silence() == ["RequestExpired", "PersonAnswered"]
    stage.done("b")
    assert stage.state.settled
    assert stage.state.tasks["a"].status is TaskStatus.FAILED


def test_silence_may_come_to_any_of_the_choices() -> None:
    stage = Stage({"alternatives": Chain(steps=(ANN,), otherwise="answer", value="retry")})
    stage.lose("a")
    assert stage.silence() == ["RequestExpired", "PersonAnswered", "TasksReopened"]
    assert stage.state.tasks["a"].ready


def test_a_default_answer_that_is_no_choice_leaves_the_alternatives_open() -> None:
    stage = Stage({"default": Chain(steps=(ANN,), otherwise="answer", value="yes, please")})
    stage.lose("a")
    assert stage.silence() == ["RequestExpired"]
    assert stage.request.kind == "alternatives"
    assert stage.timers() == []


def test_only_who_is_in_charge_chooses_where_the_chain_says_so() -> None:
    stage = Stage({"alternatives": Chain(steps=(ANN,), only=True)})
    stage.lose("a")
    word = AnswerRequest(actor="person:eve", request=stage.request.id, decision="answer", value="stop")
    assert stage.say(word) == []
    assert "RunEnded" in stage.names(replace(word, actor="person:ann"))
    assert stage.state.status is RunStatus.CANCELLED


def test_nobodys_time_runs_out_while_a_run_is_being_cancelled_and_a_reopened_one_asks_anew() -> None:
    stage = Stage({"approval": Chain(steps=(ANN,), otherwise="deny")})
    stage.judged("a", ASK)
    stage.judged("b")
    (timer,) = stage.timers()
    assert stage.names(Cancel(grace=100.0)) == ["RunCancelling"]
    assert stage.timers() == []
    attempt = stage.state.tasks["b"].attempt
    stage.now = 70.0
    stage.say(ReportOutcome(task="b", attempt=attempt, outcome=Completed(output=1)))
    stage.say(ReportReview(task="b", attempt=attempt, review=Review(accepted=True, reviewer="r")))
    assert stage.state.status is RunStatus.CANCELLED
    assert stage.say(FireTimer(timer=timer.timer)) == []
    stage.say(RetryTask(revision=1, task="a"))
    stage.judged("a", ASK)
    assert stage.request.due == 130.0


def test_a_stream_that_is_refused_is_finished_as_it_stands_and_not_planned_anew() -> None:
    stage = Stage({}, streamed=True)
    stage.done("a")
    said = stage.names(ClosePlan(revision=1, deliver={"ref": "nowhere.output"}))
    assert said == ["PlanRefused"]
    assert stage.state.tasks["b"].ready
    stage.lose("b")
    assert not stage.state.requests, "nobody is asked how to go on with a plan that never was"
    assert stage.state.settled


def test_those_whom_a_fork_asks_have_all_of_their_time_anew() -> None:
    stage = Stage({"approval": Chain(steps=(ANN,), otherwise="deny")})
    stage.judged("a", ASK)
    state = evolve(stage.state, RunForked(at=1000.0, parent="r", fork_at=stage.state.seq, root="r"))
    (request,) = state.requests.values()
    assert (request.to, request.due) == ("ann", 1060.0)


def test_what_a_team_asks_about_its_own_alternatives_is_answered_for_the_team_and_stops_nothing_here() -> None:
    stage = Stage({})
    stage.judged("a")
    asked = Request(id="q", task="x", attempt=1, kind="alternatives", question="How?", choices=(RETRY, STOP), via="r.a")
    stage.say(ReportOutcome(task="a", attempt=1, outcome=InputRequired(question="How?", request=asked)))
    assert stage.request.origin == "q"
    word = AnswerRequest(actor="person:ann", request=stage.request.id, decision="answer", value="stop")
    assert stage.say(replace(word, value="dance")) == [], "that is none of the choices"
    assert stage.names(word) == ["PersonAnswered"]
    one = stage.state.tasks["a"]
    assert one.word is not None
    assert (one.word.request, one.word.value, one.ready) == ("q", STOP, True)
    assert stage.state.status is RunStatus.RUNNING


def test_what_a_person_chooses_is_done_and_the_request_is_closed() -> None:
    for value, told in (
        ("retry", ["PersonAnswered", "TasksReopened"]),
        ("go on", ["PersonAnswered"]),
        ("hand it to second", ["PersonAnswered", "PlanRevised"]),
    ):
        stage = Stage({}, others=("second",))
        stage.lose("a")
        choice = next(one for one in stage.request.choices if one.startswith(value))
        word = AnswerRequest(actor="person:ann", request=stage.request.id, decision="answer", value=choice)
        assert stage.names(word) == told
        assert not stage.state.requests
    assert stage.state.tasks["a"].task.agent == "second"
    assert stage.state.tasks["a"].ready
