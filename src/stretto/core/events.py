"""The facts of a run, append-only. A field marked `content` may be stored beside the chain by reference."""

from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from stretto.core.domain import (
    FREE,
    Artifact,
    Budget,
    Catalogue,
    Citation,
    Cost,
    Delivery,
    FailureClass,
    Fallback,
    Gap,
    InputSpec,
    Interpretation,
    Json,
    Kept,
    Piece,
    Plan,
    Request,
    Review,
    Role,
    RunStatus,
    Shortening,
    SideEffect,
    Start,
    Task,
    Try,
    Usage,
    Verdict,
)
from stretto.core.plan.diagnostics import Diagnostic


def content(*, personal: bool = False, **options: Any) -> Any:
    """Mark a field that can be large; one that is `personal` always lies beside the chain, unless it is empty."""
    return field(metadata={"content": True, "personal": personal}, **options)


def shared(**options: Any) -> Any:
    """Mark a field whose value many runs have in common: stored once per hash."""
    return field(metadata={"shared": True}, **options)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """When it became so, in seconds since the epoch; stored in the envelope, not in the payload."""

    at: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSubmitted(Fact):
    """A run begins. One that a team makes of a task of a fork has the runs that stood for that task in the `lineage` of
    the fork, the first one first, and what they did: `kept` by key, `begun` where the end is not known, `undone`
    where it was taken back.
    """

    run: str
    goal: str = content(personal=True)
    inputs: dict[str, Json] = content(personal=True)
    catalogue: Catalogue = shared()
    plan: Plan | None = content(default=None)
    budget: Budget = field(default_factory=Budget)
    deadline: float | None = None
    workspace: str = ""
    specs: dict[str, InputSpec] = field(default_factory=dict)
    parent: str = ""
    expected: dict[str, float] = field(default_factory=dict)  # "agent/skill": seconds, learned from earlier runs
    streamed: bool = False
    lineage: tuple[str, ...] = ()
    kept: dict[str, Kept] = content(personal=True, default_factory=dict)
    begun: tuple[str, ...] = ()
    undone: tuple[str, ...] = ()
    traceparent: str = ""  # the span of whoever began it, as W3C Trace Context writes it
    edition: str = ""
    asked: str = ""  # the hash of the order as it was given, where it may be given again


@dataclass(frozen=True, slots=True, kw_only=True)
class EditionChanged(Fact):
    """The run goes on with another edition of its workspace than the one it had."""

    edition: str
    before: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GoalInterpreted(Fact):
    """What the goal was taken to mean; `inputs` were read out of its words."""

    revision: int
    interpretation: Interpretation = content()
    inputs: dict[str, Json] = content(personal=True, default_factory=dict)
    specs: dict[str, InputSpec] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskAdded(Fact):
    task: Task = content()


@dataclass(frozen=True, slots=True, kw_only=True)
class CompensationPlanned(Fact):
    """What `task` did is to be taken back, by one more task; `because` says why, after "undone because"."""

    task: str
    undo: Task = content()
    because: str = ""
    personal: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanClosed(Fact):
    revision: int
    deliver: Json = None
    diagnostics: tuple[Diagnostic, ...] = content(default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRefused(Fact):
    """There is no plan to go on with. What is finished stays; with `finish` what harms nobody is still done."""

    revision: int
    reason: str
    diagnostics: tuple[Diagnostic, ...] = content(default=())
    finish: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskJudged(Fact):
    """A verdict that is not a plain leave to start."""

    task: str
    attempt: int
    agent: str
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskExpanded(Fact):
    task: str
    items: tuple[Json, ...] = content()


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundOpened(Fact):
    """The next round of a repeated task may start; rounds are numbered from 0."""

    task: str
    round: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundJudged(Fact):
    """Whether a repeated task's `until` held after a round."""

    task: str
    round: int
    done: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundPaused(Fact):
    """The next round of a repeated task waits for a moment."""

    task: str
    round: int
    until: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RepeatStopped(Fact):
    """No further round is run although `until` was never true, and the output of the last one is kept."""

    task: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitEnded(Fact):
    """The moment that a task waited for, to start or to go on with its next round, has come."""

    task: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskOverdue(Fact):
    """A task was not done by its deadline."""

    task: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptStarted(Fact):
    """The intent: from here on the action of this key may have happened. `reads` are context versions."""

    task: str
    attempt: int
    agent: str
    key: str
    arguments: str  # hash of the resolved arguments
    verdict: Verdict
    reserved: Cost = FREE
    reads: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptCompleted(Fact):
    task: str
    attempt: int
    output: Json = content(default=None)
    artifacts: tuple[Artifact, ...] = content(default=())
    citations: tuple[Citation, ...] = content(default=())
    cost: Cost = FREE
    personal: bool = False
    gaps: tuple[Gap, ...] = content(default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptFailed(Fact):
    task: str
    attempt: int
    failure: FailureClass
    message: str = content()
    cost: Cost = FREE
    produced: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptSuspended(Fact):
    """The attempt ended without a result: it asks a person, or nobody knows whether it happened."""

    task: str
    attempt: int
    unknown: bool
    message: str = content()
    cost: Cost = FREE


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptDoubted(Fact):
    """Its reply was lost, it failed half way, or its owner died: the agent is asked whether the action happened.

    `failure` and `message` are what the attempt itself said, if it said anything.
    """

    task: str
    attempt: int
    cost: Cost = FREE
    failure: FailureClass | None = None
    message: str = content(default="")


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptForgotten(Fact):
    """The action in doubt never happened: the attempt counts for nothing."""

    task: str
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptLost(Fact):
    """Its owner died: it is begun anew. Nobody knows what it spent, so it counts as having cost what was reserved."""

    task: str
    attempt: int
    cost: Cost = FREE


@dataclass(frozen=True, slots=True, kw_only=True)
class CallBegun(Fact):
    """The intent of an inner call: from here on its action, of the key `action`, may have happened.

    `call` names it in its piece of work, by its key, what it calls and with which arguments. A repetition names the
    same one.
    """

    of: Piece
    call: str
    key: str
    role: Role
    what: str
    action: str
    verdict: Verdict
    effect: SideEffect = SideEffect.NONE
    reserved: Cost = FREE
    arguments: Json = content(default=None)
    personal: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEnded(Fact):
    """What an inner call brought. It is not made again."""

    of: Piece
    call: str
    output: Json = content(default=None)
    cost: Cost = FREE
    usage: Usage = Usage()
    personal: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFailed(Fact):
    of: Piece
    call: str
    failure: FailureClass
    message: str = content()
    cost: Cost = FREE
    usage: Usage = Usage()
    personal: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRefused(Fact):
    """An inner call was not made: a policy or a person forbids it, or there is no room for it in a budget."""

    of: Piece
    call: str
    key: str
    role: Role
    what: str
    failure: FailureClass
    verdict: Verdict
    message: str = content()
    personal: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CallJudged(Fact):
    """A person has to approve of an inner call before it is made."""

    of: Piece
    call: str
    key: str
    role: Role
    what: str
    effect: SideEffect
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class CallForgotten(Fact):
    """An inner call came to nothing, for a person has to be asked first: it counts as never made."""

    of: Piece
    call: str
    cost: Cost = FREE
    usage: Usage = Usage()


@dataclass(frozen=True, slots=True, kw_only=True)
class CallLost(Fact):
    """Nobody heard the end of an inner call. It counts as having cost what was reserved, where a budget limits that.

    One that must not be made twice is in doubt from now on.
    """

    of: Piece
    call: str
    cost: Cost = FREE


@dataclass(frozen=True, slots=True, kw_only=True)
class ArgumentsShortened(Fact):
    """What an attempt was given was made to fit its agent's window; the whole stays one call away."""

    task: str
    attempt: int
    arguments: dict[str, Shortening]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultReviewed(Fact):
    """What each reviewer said of a result, where one gave scores, looked up claims, or had something to note; the last
    one decided.
    """

    task: str
    attempt: int
    reviews: tuple[Review, ...] = content(default=())
    personal: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultRejected(Fact):
    task: str
    attempt: int
    reviewer: str
    findings: tuple[str, ...] = content(default=())
    produced: str = ""  # hash of what was rejected


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadStale(Fact):
    """Context entries that the attempt had read were written anew meanwhile: (version read, version now) by key.

    `redone` says that its result is dropped and the task done again; else the result stands, and this says so.
    """

    task: str
    attempt: int
    entries: dict[str, tuple[int, int]]
    redone: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RungClimbed(Fact):
    """What is tried next after a failure of an agent (`by`), and who is to do it (`agent`; empty: whoever can).

    `failures` is the place on the ladder: the failures of this class so far, those of rungs passed over included.
    """

    task: str
    attempt: int
    failure: FailureClass
    by: str
    do: Try
    failures: int
    begun: bool = True  # whether the failure is that of an attempt
    agent: str = ""
    arguments: dict[str, Json] = content(default_factory=dict)
    within: float | None = None
    why: str = content(default="")


@dataclass(frozen=True, slots=True, kw_only=True)
class NobodyAnswered(Fact):
    """The time that a person had to say what becomes of a failure is over."""

    request: str
    task: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStopped(Fact):
    """A task's ladder ends the run: what is open is cancelled, what is done is delivered."""

    task: str
    reason: str = content()


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryScheduled(Fact):
    task: str
    attempt: int
    until: float
    rung: str
    feedback: tuple[str, ...] = content(default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryDue(Fact):
    task: str
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskCompleted(Fact):
    """Accepted by review; a fan-out is complete when its items are."""

    task: str
    reviewer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFailed(Fact):
    task: str
    failure: FailureClass
    message: str = content()


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSkipped(Fact):
    """`wanted` tells a skip that the plan foresaw (its condition) from one that leaves a gap.

    `excused` tells a gap that tasks which only wait for this one go on without.
    """

    task: str
    reason: str
    because: str = ""
    wanted: bool = False
    excused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonAsked(Fact):
    request: Request = content()


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonAnswered(Fact):
    request: str
    task: str
    decision: Literal["approve", "deny", "edit", "answer", "done", "retry", "fail", "skip"]
    by: str
    reason: str = content(personal=True, default="")
    value: Json = content(personal=True, default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonReminded(Fact):
    """Who is in charge of a request was reminded of it, so many times by now."""

    request: str
    task: str
    to: str
    reminded: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestEscalated(Fact):
    """Somebody's time to answer is over; the next of the chain is asked, until `due`."""

    request: str
    task: str
    to: str
    step: int
    due: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestExpired(Fact):
    """Nobody of the chain has answered: what it says for that case holds from now on."""

    request: str
    task: str
    otherwise: Fallback
    reason: str = content()


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitsChanged(Fact):
    budget: Budget | None = None
    deadline: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadlinePassed(Fact):
    deadline: float
    reason: str = "the deadline passed"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunCancelled(Fact):
    """`undo` says that what was done is taken back before the run ends."""

    by: str
    reason: str = ""
    undo: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentHeld(Fact):
    """An agent or provider (`provider:NAME`) gets no work until then: its rate is used up, or it `asked` for a pause.

    `run` names the run that learned it, where it was another one; so it does in the facts of breakers.
    """

    agent: str
    until: float
    why: str
    asked: bool = False
    run: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerOpened(Fact):
    """An agent or provider failed too often; `times` counts how often in a row its breaker has opened."""

    agent: str
    until: float
    why: str
    times: int = 1
    run: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldEnded(Fact):
    """The time of a hold is over; where the breaker held, one attempt may probe."""

    agent: str
    probing: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerClosed(Fact):
    """The probe went well."""

    agent: str
    run: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RateUsed(Fact):
    """In the stream of an agent or provider: an attempt of a run counts against its rate; said again, it is settled."""

    agent: str
    run: str
    attempt: str
    tokens: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard(Fact):
    """What other runs used of a rate, as far as the fact `upto` of the stream."""

    agent: str
    upto: int
    starts: tuple[Start, ...] = content(default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPaused(Fact):
    """Nothing new begins. `alarm` says that the run paused by itself, because nothing came of going on."""

    by: str
    reason: str
    alarm: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RunContinued(Fact):
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeTried(Fact):
    """An alert went out, but for the channels in `errors`; they are tried again at `until`, or given up (None)."""

    notice: str
    attempt: int
    errors: tuple[tuple[str, str], ...] = ()
    until: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunCancelling(Fact):
    """No attempt begins any more; those under way have until then to end by themselves."""

    by: str
    until: float
    reason: str = ""
    undo: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TasksReopened(Fact):
    """These are to be done once more; a new revision of the same plan. `again` says that `task` had been completed.

    A fan-out that is not named itself goes on with those of its items that are.
    """

    revision: int
    task: str
    tasks: tuple[str, ...]
    by: str
    agent: str | None = None
    feedback: str = content(default="")
    again: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionBegun(Fact):
    """A new plan is being made beside the running one; `words` are added to the goal."""

    revision: int
    why: str
    by: str
    words: str = content(personal=True, default="")


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskDrafted(Fact):
    """A task of the plan that is being made beside the running one."""

    revision: int
    task: Task = content()


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionRefused(Fact):
    """The new plan came to nothing; the old one stays."""

    revision: int
    reason: str
    diagnostics: tuple[Diagnostic, ...] = content(default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRevised(Fact):
    """Another plan is in place. `carried` names, for each task that stays as it stands, the task it was before."""

    revision: int
    by: str
    tasks: tuple[Task, ...] = content()
    deliver: Json = None
    diagnostics: tuple[Diagnostic, ...] = content(default=())
    carried: dict[str, str] = field(default_factory=dict)
    inputs: dict[str, Json] = content(personal=True, default_factory=dict)
    specs: dict[str, InputSpec] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultReused(Fact):
    """The action of this key was done before: its result is taken, nothing is done."""

    task: str
    agent: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunForked(Fact):
    """From here on this run goes its own way; what came before was copied from its parent, up to event `fork_at`.

    `kept` are results, by key, of actions that the parent did later; `begun` are keys of those whose end is not known,
    `undone` of those that it took back.
    `lineage` are the runs that it descends from, the first one first.
    """

    parent: str
    fork_at: int
    root: str
    kept: dict[str, Kept] = content(personal=True, default_factory=dict)
    begun: tuple[str, ...] = ()
    undone: tuple[str, ...] = ()
    lineage: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnded(Fact):
    status: RunStatus
    delivery: Delivery = content()
    personal: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRated(Fact):
    """A person says how content they are with what an ended run delivered, from 1 to 5; their newest word counts."""

    by: str
    score: int
    words: str = content(personal=True, default="")


Event: TypeAlias = (
    RunSubmitted
    | GoalInterpreted
    | TaskAdded
    | CompensationPlanned
    | PlanClosed
    | PlanRefused
    | TaskJudged
    | TaskExpanded
    | RoundOpened
    | RoundJudged
    | RoundPaused
    | RepeatStopped
    | WaitEnded
    | TaskOverdue
    | AttemptStarted
    | AttemptCompleted
    | AttemptFailed
    | AttemptSuspended
    | AttemptDoubted
    | AttemptForgotten
    | AttemptLost
    | CallBegun
    | CallEnded
    | CallFailed
    | CallRefused
    | CallJudged
    | CallForgotten
    | CallLost
    | ArgumentsShortened
    | ResultReviewed
    | ResultRejected
    | ReadStale
    | RungClimbed
    | NobodyAnswered
    | RetryScheduled
    | RetryDue
    | TaskCompleted
    | TaskFailed
    | TaskSkipped
    | PersonAsked
    | PersonAnswered
    | PersonReminded
    | RequestEscalated
    | RequestExpired
    | LimitsChanged
    | EditionChanged
    | DeadlinePassed
    | RunStopped
    | RunCancelled
    | AgentHeld
    | BreakerOpened
    | HoldEnded
    | BreakerClosed
    | RateUsed
    | Heard
    | RunPaused
    | RunContinued
    | NoticeTried
    | RunCancelling
    | TasksReopened
    | RevisionBegun
    | TaskDrafted
    | RevisionRefused
    | PlanRevised
    | ResultReused
    | RunForked
    | RunEnded
    | RunRated
)
