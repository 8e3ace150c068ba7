"""What may be asked of a run. Each carries when (`at`), who (`actor`) and what it answers; late ones are moot."""

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from stretto.core.domain import (
    FREE,
    Budget,
    Call,
    Called,
    Catalogue,
    Cost,
    Delivery,
    Failed,
    FailureClass,
    Hold,
    InputRequired,
    InputSpec,
    Interpretation,
    Json,
    Kept,
    Outcome,
    Piece,
    Plan,
    Preview,
    Review,
    Shortening,
    Start,
    Task,
    Unknown,
    Usage,
    Verdict,
)
from stretto.core.plan.diagnostics import Diagnostic


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """Seconds since the epoch, stamped by the shell; the actor is `system`, `agent:NAME`, `person:NAME`..."""

    at: float = 0.0
    actor: str = "system"


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitGoal(Base):
    """Begin a run. `deadline` is a moment, not a length."""

    run: str
    goal: str
    inputs: dict[str, Json] = field(default_factory=dict)
    catalogue: Catalogue
    plan: Plan | None = None
    budget: Budget = field(default_factory=Budget)
    deadline: float | None = None
    workspace: str = ""
    specs: dict[str, InputSpec] = field(default_factory=dict)  # of the inputs, when no plan says it
    parent: str = ""  # the run whose task this run is
    expected: dict[str, float] = field(default_factory=dict)  # "agent/skill": seconds, learned from earlier runs
    streamed: bool = False  # the plan comes as a stream, from outside
    lineage: tuple[str, ...] = ()  # runs that stood for the same task before, in the run above's own lineage
    kept: dict[str, Kept] = field(default_factory=dict)  # by key: what those did
    begun: tuple[str, ...] = ()  # keys of actions that those began, with no known end
    undone: tuple[str, ...] = ()  # keys of actions that those took back
    traceparent: str = ""  # the span of whoever begins it, as W3C Trace Context writes it
    edition: str = ""  # of the workspace, where one is kept (see `stretto.editions`)
    asked: str = ""  # the hash of the order as it was given, where it may be given again


@dataclass(frozen=True, slots=True, kw_only=True)
class InterpretGoal(Base):
    """What the planner makes of the goal, and the inputs that it read out of its words."""

    revision: int
    interpretation: Interpretation
    inputs: dict[str, Json] = field(default_factory=dict)
    specs: dict[str, InputSpec] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClarifyGoal(Base):
    """The goal can be meant in ways that differ dearly: a person is asked before any task is planned."""

    revision: int
    round: int
    question: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AddTask(Base):
    """One task of the plan being written, in its revision."""

    revision: int
    task: Task


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosePlan(Base):
    """The plan is written to its end: what it delivers is known, and it can be checked as a whole."""

    revision: int
    deliver: Json = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FailPlan(Base):
    """No plan could be made, or none that could be closed; the diagnostics say what is wrong with it.

    With `anew`, what is unfinished of it is planned anew, as far as the run's rules allow that.
    """

    revision: int
    reason: str
    diagnostics: tuple[Diagnostic, ...] = ()
    anew: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged(Base):
    """What was found about a ready task: exactly one of skip, items, rounds, refusal, or a verdict on its arguments.

    `rounds` are those that a task to be repeated had when it was judged, and `again` says whether there is to be
    another one.
    """

    task: str
    attempt: int
    agent: str
    skip: str | None = None
    items: tuple[Json, ...] | None = None
    rounds: int | None = None
    again: bool = True
    refusal: str | None = None
    failure: FailureClass = FailureClass.REFUSED  # of a refusal
    verdict: Verdict | None = None
    arguments: Json = None
    preview: Preview | None = None
    revision: int | None = None  # of the plan that it was judged by


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportOutcome(Base):
    """How an attempt ended."""

    task: str
    attempt: int
    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportReview(Base):
    """What the reviewers say to an attempt's result: the `review` that decides, after those `earlier` that accepted."""

    task: str
    attempt: int
    review: Review
    earlier: tuple[Review, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportShortened(Base):
    """What an attempt was given was made to fit its agent's window, argument by argument."""

    task: str
    attempt: int
    arguments: dict[str, Shortening]


@dataclass(frozen=True, slots=True, kw_only=True)
class BeginCall(Base):
    """An inner call is to be made, judged by the policies; `tries` counts how often it was begun, or refused, before.

    `besides` is what the attempt has spent by itself so far. Of a call in doubt, `found` is what it was found to have
    brought, `never` says that it did not happen, and `doubt` why nobody can tell.
    """

    of: Piece
    call: Call
    verdict: Verdict
    tries: int = 0
    besides: Cost = FREE
    found: Called | None = None
    never: bool = False
    doubt: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndCall(Base):
    """How an inner call ended that was begun so many times; `usage` is that of one that brought nothing.

    InputRequired: it was not made, for a person has to be asked first. Unknown: its end was not heard.
    """

    of: Piece
    call: str
    tries: int
    outcome: Called | Failed | InputRequired | Unknown
    usage: Usage = Usage()


@dataclass(frozen=True, slots=True, kw_only=True)
class Recover(Base):
    """A new owner has loaded the run: attempts that were under way are now in doubt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LookedUp(Base):
    """What the agent knows of a keyed action in doubt: its outcome, or None when it never happened."""

    task: str
    attempt: int
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FireTimer(Base):
    """The moment a timer waited for has come."""

    timer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerRequest(Base):
    """A person's word on an open request."""

    request: str
    decision: Literal["approve", "deny", "edit", "answer", "done", "retry", "fail", "skip"]
    reason: str = ""
    value: Json = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeLimits(Base):
    """Give the run another budget or deadline; None leaves what holds."""

    budget: Budget | None = None
    deadline: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeEdition(Base):
    """Go on with another edition of the workspace; `reason` says why the run cannot keep its own."""

    edition: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel(Base):
    """Stop the run; what is finished stays, or with `undo` is taken back first where it can be.

    Attempts under way have `grace` seconds to end by themselves.
    """

    reason: str = ""
    grace: float = 0.0
    undo: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryTask(Base):
    """Do a task once more, with all that fell because of it; a completed one, and what it led to, only `again`."""

    revision: int
    task: str
    agent: str | None = None
    feedback: str = ""
    again: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EditPlan(Base):
    """Put another plan, and other inputs, in the place of those of a revision; what is unchanged keeps its result.

    With `refresh`, what failed and results that are older than their skill's `fresh` are redone too.
    """

    revision: int
    tasks: tuple[Task, ...]
    deliver: Json = None
    inputs: dict[str, Json] = field(default_factory=dict)
    specs: dict[str, InputSpec] | None = None
    refresh: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Replan(Base):
    """Have the unfinished part of a revision planned anew; `words` are added to the goal."""

    revision: int
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause(Base):
    """Begin nothing new; what is under way ends and is kept."""

    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Continue(Base):
    """Go on with a paused run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RateRun(Base):
    """Say how content one is with what an ended run delivered, from 1 (not at all) to 5."""

    score: int
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HearOf(Base):
    """What other runs have learned of an agent or provider, as far as the fact `upto` in its stream.

    `starts` count against its rate; `hold` is the newest they know of (`tripped`: by the breaker, opened so many times
    in a row), `healed` that the last probe of `run` went well.
    """

    agent: str
    upto: int
    starts: tuple[Start, ...] = ()
    hold: Hold | None = None
    tripped: int = 0
    healed: bool = False
    run: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeSent(Base):
    """An alert was sent; `errors` are the channels it did not get through, each with why."""

    notice: str
    attempt: int
    errors: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliver(Base):
    """The deliverable, composed."""

    delivery: Delivery


Command: TypeAlias = (
    SubmitGoal
    | InterpretGoal
    | ClarifyGoal
    | AddTask
    | ClosePlan
    | FailPlan
    | Judged
    | ReportOutcome
    | ReportReview
    | ReportShortened
    | BeginCall
    | EndCall
    | Recover
    | LookedUp
    | FireTimer
    | AnswerRequest
    | ChangeLimits
    | ChangeEdition
    | Cancel
    | Pause
    | Continue
    | HearOf
    | NoticeSent
    | RetryTask
    | EditPlan
    | Replan
    | RateRun
    | Deliver
)
