"""The nouns of Stretto, as frozen data. Everything here survives a trip through JSON unchanged."""

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any, Literal, TypeAlias

Json: TypeAlias = Any
"""None, bool, int, finite float, str, list or dict with string keys, nested."""

Schema: TypeAlias = dict[str, Any]
"""A JSON Schema, draft 2020-12."""


PERSONAL_LABELS = frozenset({"pii", "phi", "personal", "confidential"})
"""Labels of data that lies beside the chain of events, so that it can be erased."""


class SideEffect(StrEnum):
    """What running a task twice would do to the world."""

    NONE = "none"
    IDEMPOTENT = "idempotent"
    REVERSIBLE = "reversible"
    IRREVERSIBLE = "irreversible"
    UNDECLARED = "undeclared"

    @property
    def repeatable(self) -> bool:
        """Whether an attempt in doubt may simply be performed again."""
        return self in (SideEffect.NONE, SideEffect.IDEMPOTENT)


class TaskStatus(StrEnum):
    """Where a task stands. `completed` means accepted by review."""

    PENDING = "pending"
    RUNNING = "running"
    REVIEWING = "reviewing"
    WAITING = "waiting"
    COMPLETED = "completed"
    FAILED = "failed"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"

    @property
    def final(self) -> bool:
        return self in FINAL


FINAL = frozenset({TaskStatus.COMPLETED, TaskStatus.FAILED, TaskStatus.SKIPPED, TaskStatus.CANCELLED})


class RunStatus(StrEnum):
    """Where a run stands."""

    PLANNING = "planning"
    RUNNING = "running"
    WAITING = "waiting"
    FINISHED = "finished"
    PARTIAL = "partial"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def final(self) -> bool:
        return self in (RunStatus.FINISHED, RunStatus.PARTIAL, RunStatus.FAILED, RunStatus.CANCELLED)


class FailureClass(StrEnum):
    """Why an attempt failed; the ladder chooses what to try next by it."""

    TRANSIENT = "transient"
    RATE_LIMITED = "rate_limited"
    INVALID_OUTPUT = "invalid_output"
    REFUSED = "refused"
    UNAVAILABLE = "unavailable"
    DENIED = "denied"
    OVER_BUDGET = "over_budget"
    TIMED_OUT = "timed_out"
    UNKNOWN = "unknown"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What something cost: money in US dollars, model tokens."""

    money: Decimal = Decimal(0)
    tokens: int = 0

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(money=self.money + other.money, tokens=self.tokens + other.tokens)

    def __str__(self) -> str:
        dollars = f"${self.money.normalize():f}" if self.money else "$0"
        return f"{dollars}, {self.tokens} tokens" if self.tokens else dollars

    def beyond(self, other: "Cost") -> "Cost":
        """Give what this is more than another, nowhere less than nothing."""
        return Cost(money=max(self.money - other.money, Decimal(0)), tokens=max(self.tokens - other.tokens, 0))

    def __sub__(self, other: "Cost") -> "Cost":
        return Cost(money=self.money - other.money, tokens=self.tokens - other.tokens)


FREE = Cost()


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """The tokens that a model read and wrote; `cached` are those of the `input` that its provider had at hand."""

    input: int = 0
    output: int = 0
    cached: int = 0

    @property
    def tokens(self) -> int:
        return self.input + self.output

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            input=self.input + other.input, output=self.output + other.output, cached=self.cached + other.cached
        )


Role: TypeAlias = Literal["planner", "worker", "reviewer", "synthesiser", "summariser", "tool"]
"""What an inner call is made for. All but `worker` and `tool` are coordination, which is counted apart from work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """An inner call, of a model or a tool, before it is made.

    `key` is unique in the piece of work that makes it, and the same on every repetition of it; `what` names the
    model or the skill, `arguments` what it gets (of a model the hash of its prompt). `reserve` is the most that it
    may cost, unless nobody knows what it costs (`bounded` is false): then `reserve` holds its tokens alone. `perimeter`
    are the labels of data that what is called may see (None: all); with `approval` "ask" a
    person is asked before.
    """

    key: str
    role: Role
    what: str
    arguments: Json = None
    effect: SideEffect = SideEffect.NONE
    reserve: Cost = FREE
    bounded: bool = True
    perimeter: tuple[str, ...] | None = None
    approval: Literal["policy", "ask"] = "policy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """What an inner call brought, and what it cost."""

    output: Json = None
    cost: Cost = FREE
    usage: Usage = Usage()


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A piece of work that makes inner calls: a plan being written, an attempt, its review, a synthesis; or summaries,
    which all attempts of a run share.

    `number` is that of the attempt, or the revision of the plan.
    """

    work: Literal["plan", "run", "review", "synthesise", "summarise"]
    task: str = ""
    number: int = 0

    @property
    def name(self) -> str:
        parts = (self.work, self.task, str(self.number))
        return "/".join(part for part in parts if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """What a tool is told to do: the arguments, as a person may have edited them, and the key that names the action.

    The key is the same on every repetition of the call, so that the outside world can tell one from the next.
    """

    key: str
    arguments: Json = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortening:
    """How an argument was made to fit its reader's window: its characters before and after, and what stands for it.

    That is a `summary`, or the `beginning` of what is long in it; `why` says why it is no summary, where one was
    wanted.
    """

    characters: int
    kept: int
    how: Literal["summary", "beginning"] = "beginning"
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What a run, or a task of one, may use at most. None is no limit.

    Dollars, model tokens and attempts (`steps`); `seconds` from the start on, people's waiting included; results sent
    back to be revised (`revisions`).
    """

    money: Decimal | None = None
    tokens: int | None = None
    steps: int | None = None
    seconds: float | None = None
    revisions: int | None = None

    @property
    def limits_cost(self) -> bool:
        return self.money is not None or self.tokens is not None


NO_BUDGET = Budget()


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one attempt may use: seconds, memory in MB, printed output in KB; `attempts` bounds the tries.

    `deadline` is for tasks of a plan alone: the seconds from a task's first start in which it has to be done, all
    attempts, pauses and people included.
    """

    timeout: float | None = None
    attempts: int | None = None
    memory_mb: int | None = None
    output_kb: int | None = None
    deadline: float | None = None


NO_LIMITS = Limits()


Try: TypeAlias = Literal["retry", "revise", "with", "backup", "agent", "ask", "skip", "compensate", "stop", "fail"]
"""What a rung does: again after a pause, again with what was wrong, again with other arguments, the next stand-in,
a named agent, ask a person, leave the task out, give up so that it is undone, stop the run, let the task fail."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One thing to try after a failure, up to `times` failures in a row.

    `pause` is in seconds before the first of them, then twice as long each time. `arguments` are laid over the
    plan's (`with`), `agent` is who does it (`agent`), `who` is asked and gets `within` seconds (`ask`; None: no end).
    """

    do: Try
    times: int = 1
    pause: float = 0.0
    arguments: dict[str, Json] = field(default_factory=dict)
    agent: str = ""
    who: str = ""
    within: float | None = None


Ladder: TypeAlias = dict[str, tuple[Rung, ...]]
"""What to try next, rung after rung, by class of failure; `*` stands for every class that is not named."""


Fallback: TypeAlias = Literal["deny", "fail", "skip", "approve", "answer", "wait"]
"""What holds when nobody answered: it is denied, given up, left out, approved, answered, or stays open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One step of a chain: who is asked (empty: anybody), for how many seconds, and reminded every how many."""

    who: str = ""
    within: float | None = None
    remind: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """Who is asked one after the other, and what holds when all their time is over.

    `value` is what a question is answered with by `answer`. With `only`, nobody but the person who is in charge
    may answer; else whoever answers first does.
    """

    steps: tuple[Ask, ...]
    otherwise: Fallback = "wait"
    value: Json = None
    only: bool = False


Asks: TypeAlias = dict[str, Chain]
"""Chains by kind of request; `default` is for every kind that has none of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """How much of an agent or provider may be asked for in any sixty seconds. None is no limit."""

    requests: int | None = None
    tokens: int | None = None

    def __bool__(self) -> bool:
        return self.requests is not None or self.tokens is not None

    def __str__(self) -> str:
        parts = ((self.requests, "requests"), (self.tokens, "tokens"))
        return ", ".join(f"{most} {what}" for most, what in parts if most is not None) + " a minute"


NO_RATE = Rate()


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """When an agent or provider is given no more work: `failures` of its last `window` attempts failed.

    It is held for `pause` seconds, then one attempt goes through as a probe. If that fails as well, it is held twice
    as long, up to `longest` seconds. With `failures` 0 there is no breaker.
    """

    failures: int = 5
    window: int = 10
    pause: float = 30.0
    longest: float = 600.0


NO_BREAKER = Breaker(failures=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """What several agents draw on, such as a service: attempts at once, rate and breaker hold for all of them together.

    Without a breaker of its own the run's rules hold. `perimeter` are the labels of data that its models may see (None:
    all).
    """

    concurrency: int | None = None
    rate: Rate = NO_RATE
    breaker: Breaker | None = None
    perimeter: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Why an agent or provider is given no work, and until when, in seconds since the epoch.

    `probing` says that its time has come and exactly one attempt may try it: `probe`, once that has started.
    """

    until: float | None
    why: str
    probing: bool = False
    probe: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """An attempt that counts against a rate: when it began, how many tokens it takes, and its name."""

    at: float
    tokens: int = 0
    attempt: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Skill:
    """One thing an agent can do. `inputs` is the schema of an object whose properties are the arguments."""

    name: str
    description: str = ""
    inputs: Schema = field(default_factory=dict)
    output: Schema = field(default_factory=dict)
    effect: SideEffect = SideEffect.UNDECLARED
    evidence: bool = False  # results must cite what they rest on
    labels: tuple[str, ...] = ()  # what its results carry besides the labels of its inputs
    approval: Literal["policy", "ask"] = "policy"
    limits: Limits = NO_LIMITS  # where it says nothing, the agent's hold
    ladder: Ladder = field(default_factory=dict)  # class by class, before the agent's
    undo: str | None = None  # the skill that takes back what this one did
    ask: Asks = field(default_factory=dict)  # who is asked about its tasks, before what the workspace says
    fresh: float | None = None  # seconds that a result of live data holds; older ones are redone in replans and forks


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentCard:
    """What is known of an agent without running it.

    `cost` is the most one attempt may cost, unless that is not `bounded`; `latency` the usual seconds of one;
    `perimeter` names the labels it may see (None: any); `concurrency` how many attempts it takes at once (None: no
    limit of its own);
    `window` how many characters of arguments it reads (None: any), beyond which they are shortened for it;
    `provider` names what it draws on together with others; `rate` holds for it alone, as does `breaker` where it has
    one of its own;
    `previews` and `looks_up` say that it can show a change before making it, and tell after a crash whether a
    keyed action happened.
    """

    name: str
    kind: str = "function"
    description: str = ""
    version: str = ""
    skills: tuple[Skill, ...] = ()
    tools: tuple[str, ...] = ()
    permissions: tuple[str, ...] = ()
    perimeter: tuple[str, ...] | None = None
    cost: Cost = FREE
    latency: float | None = None
    concurrency: int | None = None
    window: int | None = None
    backups: tuple[str, ...] = ()
    limits: Limits = NO_LIMITS
    isolated: bool = False
    previews: bool = False
    looks_up: bool = False
    ladder: Ladder = field(default_factory=dict)
    provider: str = ""
    rate: Rate = NO_RATE
    breaker: Breaker | None = None
    bounded: bool = True


PlannerChoice: TypeAlias = Literal["auto", "model", "rules", "playbook"]
"""Who plans goals: the lightest that can, or only a model, the rules over typed skills, or the playbooks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The settings a run keeps for its whole life: how much at once, how long by default, how often again.

    `breaker` holds for agents and providers without one of their own. The run pauses when `most_failures` of twice as
    many attempts failed (None: never), and when more than the share `stall` of its budget went by without a new result
    (None: never).
    `unbounded` says what becomes of agents whose cost has no bound where a budget limits it: they run `alone`, with all
    that is left reserved for them, or are refused. `planner` says who plans goals, and `unplanned` what becomes of a
    goal that nobody could plan: it is refused, or a person is asked to put it differently. Where a `judge` is required
    and no model can be asked, a person decides about the result; else it is accepted by what the other reviewers say.
    """

    parallel: int = 64
    timeout: float = 300.0
    fan_out: int = 1000
    retries: dict[str, int] = field(default_factory=dict)
    ladder: Ladder = field(default_factory=dict)
    breaker: Breaker = Breaker()
    most_failures: int | None = None
    stall: float | None = 0.5
    unbounded: Literal["alone", "refuse"] = "alone"
    replans: int = 2
    planner: PlannerChoice = "auto"
    unplanned: Literal["refuse", "ask"] = "refuse"
    judge: Literal["optional", "required"] = "optional"


@dataclass(frozen=True, slots=True, kw_only=True)
class ForEach:
    """Fan-out over a list found at run time: `items` is a list or a reference to one.

    `max` bounds how many items there may be, `parallel` how many of them are under way at once.
    """

    items: Json
    max: int | None = None
    allow_failures: bool = False
    parallel: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Join:
    """Start as soon as `take` of the tasks in `of` are completed, whatever becomes of the others.

    The others are cancelled where nobody else needs them, or kept.
    """

    of: tuple[str, ...]
    take: int | Literal["first", "all"] = "all"
    rest: Literal["cancel", "keep"] = "cancel"

    @property
    def number(self) -> int:
        """How many members it takes."""
        match self.take:
            case "first":
                return 1
            case "all":
                return len(self.of)
            case number:
                return number


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat:
    """Do a task in rounds, one after the other, until a condition holds, at most `max` times.

    `pause` are the seconds between two rounds. When the bound is reached and `until` was never true, the task fails
    or keeps the output of its last round (`otherwise`). Without `until` all rounds are run.
    """

    max: int
    until: str | None = None
    pause: float = 0.0
    otherwise: Literal["fail", "keep"] = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Undo:
    """How a task is taken back: by which skill, and with which arguments.

    Without a skill it is the one that the task's own skill names. Without `inputs` it gets those of the task's
    arguments that it takes by name, and the task's output where it takes a `result`.
    """

    skill: str | None = None
    inputs: dict[str, Json] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One step of a plan: which skill, on what, when, and what counts as done.

    `inputs` hold literals and references (`{"ref": "other.output.rows"}`); `after` orders without passing
    data; `agent` pins one agent; `writes` names the context entry that the accepted output becomes; `wait` are the
    seconds between the end of what it waits for and its start. `undo` says how
    it is taken back, where its skill does not; `budget` holds over all its attempts, and items. `undoes` names the
    task that this one takes back: only a run itself plans such a task.
    """

    id: str
    skill: str
    objective: str = ""
    inputs: dict[str, Json] = field(default_factory=dict)
    after: tuple[str, ...] = ()
    agent: str | None = None
    output: Schema | None = None
    criteria: tuple[str, ...] = ()
    effect: SideEffect | None = None
    risk: Literal["low", "medium", "high"] = "low"
    labels: tuple[str, ...] = ()
    limits: Limits = NO_LIMITS
    when: str | None = None
    for_each: ForEach | None = None
    tools: tuple[str, ...] = ()
    permissions: tuple[str, ...] = ()
    writes: str | None = None
    approval: Literal["policy", "ask", "never"] = "policy"
    occurrence: Json = None
    ladder: Ladder = field(default_factory=dict)
    join: Join | None = None
    repeat: Repeat | None = None
    wait: float | None = None
    undo: Undo | None = None
    budget: Budget | None = None
    undoes: str | None = None
    ask: Asks = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class InputSpec:
    """An input that a plan asks of the run: what kind it is, and what is taken when none is given."""

    kind: Literal["value", "file", "files", "folder"] = "value"
    description: str = ""
    default: Json = None
    required: bool = True
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A graph of tasks, the inputs it asks for and what it delivers (a reference, or values holding some)."""

    tasks: tuple[Task, ...] = ()
    inputs: dict[str, InputSpec] = field(default_factory=dict)
    deliver: Json = None
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Playbook:
    """A plan for goals of a kind. `intents` are patterns such as "onboard {customer}"; what stands in braces
    is taken from the goal as the input of that name.
    """

    name: str
    plan: Plan
    intents: tuple[str, ...] = ()
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextSpec:
    """What an entry of the shared context is, and the schema that whatever is written to it must fit."""

    schema: Schema = field(default_factory=dict)
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """Who is there and what holds, as one document; a run names it by hash and keeps it."""

    agents: tuple[AgentCard, ...] = ()
    rules: Rules = field(default_factory=Rules)
    playbooks: tuple[Playbook, ...] = ()
    context: dict[str, ContextSpec] = field(default_factory=dict)  # when not empty, nothing else may be written
    providers: dict[str, Provider] = field(default_factory=dict)
    notify: tuple["NoticeKind", ...] = ()  # the alerts that somebody listens for
    people: tuple[str, ...] = ()  # when not empty, chains name nobody else
    ask: Asks = field(default_factory=dict)


Mode: TypeAlias = Literal["direct", "agent", "chain", "orchestrate"]
"""How a goal is pursued: answered at once, by one agent, by one after the other, or as a graph."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """One way to pursue a goal, with what orchestrating it costs beyond the work itself.

    `seconds` and `cost` are those of the work, `overhead` the seconds of planning, judging, keeping and reviewing.
    """

    mode: Mode
    possible: bool
    why: str = ""
    tasks: int = 0
    seconds: float | None = None
    cost: Cost = FREE
    overhead: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpretation:
    """What a planner made of a goal: what is to be done, when it is done, what was assumed, and why so.

    `repaired` says what was mended by rule in what the planner wrote, each with the code of the defect. `playbook`
    names the one that the plan is from.
    """

    planner: str
    restated: str = ""
    done: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    mode: Mode = "orchestrate"
    estimates: tuple[Estimate, ...] = ()
    repaired: tuple[str, ...] = ()
    playbook: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """Where a statement comes from: a file, a line counted from 1, and what stands there."""

    file: str
    line: int | None = None
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """A file that a task made. `content` is text, or base64 when `encoding` says so."""

    name: str
    media: str = "text/plain"
    encoding: Literal["utf-8", "base64"] = "utf-8"
    content: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What an action brought that was done before, and is not done again."""

    output: Json = None
    artifacts: tuple[Artifact, ...] = ()
    citations: tuple[Citation, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What an action would change: the diff to show, and a mark of the state it was computed from."""

    diff: str = ""
    preimage: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """The agent did it."""

    output: Json = None
    artifacts: tuple[Artifact, ...] = ()
    citations: tuple[Citation, ...] = ()
    cost: Cost = FREE
    gaps: tuple["Gap", ...] = ()  # what a team could not bring, and says so


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The agent did not do it, for a reason of a named class.

    `produced` is the hash of a result that did not fit, so that the same one is known when it comes again.
    """

    failure: FailureClass
    message: str
    cost: Cost = FREE
    retry_after: float | None = None  # seconds, as the other side asked
    produced: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class InputRequired:
    """The agent needs an answer from a person before it can go on.

    A team hands on what one of its own runs asks: the `request` is shown to people as it stands, and the word
    that they give comes back to the team.
    """

    question: str
    cost: Cost = FREE
    request: "Request | None" = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """The reply was lost after the action may have happened."""

    message: str
    cost: Cost = FREE


Outcome: TypeAlias = Completed | Failed | InputRequired | Unknown


Ruling: TypeAlias = Literal["accept", "revise", "hand_over", "escalate"]
"""What a review makes of a result: it counts, its agent is to do better, another agent is, or a person decides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What a reviewer says of one criterion: met or not, how well from 0 to 1, by which words of the result.

    `feedback` says what to do about it.
    """

    criterion: str
    met: bool
    score: float
    quotes: tuple[str, ...] = ()
    feedback: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """A judgement of a result: accepted, or not, with what is wrong and what is to be done about it (`otherwise`).

    `reviewer` is empty where there was nothing for it to judge; `by` is the model that it asked. `notes` say what
    should be known of the review itself, such as that its model could not be asked. `checked` counts the claims that
    were held against their evidence, those of the result, or where a model judged (`by`) its own; `unsupported` are
    those of them that do not stand there.
    """

    accepted: bool
    reviewer: str
    findings: tuple[str, ...] = ()
    otherwise: Literal["revise", "hand_over", "escalate"] = "revise"
    scores: tuple[Score, ...] = ()
    notes: tuple[str, ...] = ()
    by: str = ""
    checked: int = 0
    unsupported: int = 0

    @property
    def verdict(self) -> Ruling:
        return "accept" if self.accepted else self.otherwise

    @property
    def supported(self) -> int:
        """How many of the claims that were looked up stand in their evidence."""
        return self.checked - self.unsupported

    @property
    def name(self) -> str:
        """Who judges, for its track record: a reviewer that asks a model is another one with another model."""
        return f"{self.reviewer} {self.by}" if self.by else self.reviewer


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the policy says to an action, under which rule and why."""

    decision: Literal["allow", "deny", "ask"]
    rule: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Something that waits for a person: an approval, a question, an attempt in doubt, a failure, or a `review` that
    could not decide about a result, which is then shown.

    `binding` is the hash of what was shown: skill, resolved arguments, diff and pre-image. A request of kind
    `goal` asks what the goal means; it has no task, and `choices` when one of several is to be named. One of kind
    `alternatives` asks how to go on where no plan leads around a failed task: its `choices` are all there are. `to`
    names who is asked, by a ladder or by its chain, since a moment and until `due`; `missed` are those who let their
    time pass.
    """

    id: str
    task: str
    attempt: int
    kind: Literal["approval", "question", "doubt", "goal", "failure", "alternatives", "review"]
    question: str
    choices: tuple[str, ...] = ()
    arguments: Json = None
    diff: str = ""
    preimage: str = ""
    binding: str = ""
    asked: float = 0.0
    to: str = ""
    via: str = ""  # the run of a team that asks this, and
    origin: str = ""  # the id that the request has there
    chain: Chain | None = None
    step: int = 0
    since: float = 0.0
    due: float | None = None
    reminded: int = 0
    missed: tuple[tuple[str, float], ...] = ()
    call: str = ""  # the inner call that it is about, and
    tool: str = ""  # what that would call
    result: Json = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What a person said to a request that a team had handed on, for the team's run."""

    request: str
    decision: str
    by: str
    reason: str = ""
    value: Json = None


NoticeKind: TypeAlias = Literal[
    "request", "reminder", "escalated", "breaker", "stalled", "halted", "ended", "compensation"
]
"""What an alert is about: something waits for a person, still waits, or waits for another one by now; a circuit breaker
opened; a run makes no progress, was stopped, has ended; a step was taken back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """An alert to people. `id` is the same on every repetition, so that a receiver can drop doubles.

    `task` is empty when it is about the run as a whole, `to` when it is for nobody in particular; `at` is when it came
    about, in seconds since the epoch.
    """

    id: str
    kind: NoticeKind
    run: str
    text: str
    task: str = ""
    at: float = 0.0
    to: str = ""
    urgent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Something the delivery lacks, and why; `urgent` when somebody should see to it."""

    task: str
    what: str
    why: str
    urgent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """An accepted result that is no part of what is handed over, and why."""

    task: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Contradiction:
    """Two accepted results that say different things about one subject: (task, what it says), in plan order."""

    subject: str
    said: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Footnote:
    """What a mark in a written text stands for: the result of a task, and what that cites."""

    mark: str
    task: str
    citations: tuple[Citation, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What a run hands over. `artifacts` are named (task, name); their content is with the task's result.

    Every accepted result went into it or is named in `waived`. The citations are those of the results it uses. `notes`
    are what should be known of a task's result: (task, note). A text that was written from results marks its
    statements, and `footnotes` say what the marks stand for.
    """

    answer: Json = None
    artifacts: tuple[tuple[str, str], ...] = ()
    citations: tuple[Citation, ...] = ()
    gaps: tuple[Gap, ...] = ()
    waived: tuple[Waiver, ...] = ()
    contradictions: tuple[Contradiction, ...] = ()
    notes: tuple[tuple[str, str], ...] = ()
    footnotes: tuple[Footnote, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rating:
    """How content a person is with what a run delivered, from 1 (not at all) to 5, in figures and in words."""

    by: str
    score: int
    words: str = ""
    at: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One version of a context entry: which task wrote it, when, and which versions it had read."""

    key: str
    version: int
    task: str
    attempt: int
    seq: int
    at: float = 0.0
    reads: dict[str, int] = field(default_factory=dict)
    frozen: bool = False  # its task is to be done anew, or is gone: `output` is what it wrote
    output: Json = None
