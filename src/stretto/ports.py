"""The seams of the house: what the loop asks of journals, engines, agents, planners, reviewers, notifiers, clocks."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import Any, Protocol, TypeAlias

from stretto.core.audit import Envelope
from stretto.core.commands import AddTask, ClarifyGoal, ClosePlan, Command, FailPlan, InterpretGoal
from stretto.core.domain import (
    FREE,
    NO_BUDGET,
    Action,
    AgentCard,
    Artifact,
    Budget,
    Call,
    Called,
    Citation,
    Cost,
    Delivery,
    FailureClass,
    Json,
    Limits,
    Notice,
    Outcome,
    Preview,
    Review,
    Schema,
    SideEffect,
    Task,
    Usage,
    Word,
)
from stretto.core.effects import Change, Effect
from stretto.core.errors import NotifierError
from stretto.core.events import Event
from stretto.core.learning import Learned
from stretto.core.policy import Policy
from stretto.core.state import Result, RunState
from stretto.core.trust import TrackRecord

NOTHING_USED = Usage()


class AgentFailure(Exception):
    """Raised by an agent to fail in a named class, with a message for people.

    Where an inner call fails, `cost` and `usage` are what it took all the same.
    """

    def __init__(
        self,
        message: str,
        failure: FailureClass = FailureClass.REFUSED,
        *,
        retry_after: float | None = None,
        cost: Cost = FREE,
        usage: Usage = NOTHING_USED,
    ) -> None:
        super().__init__(message)
        self.failure, self.retry_after = failure, retry_after
        self.cost, self.usage = cost, usage


class OverBudget(AgentFailure):
    """Raised by `Assignment.spend` when an attempt would spend more than was reserved for it; nothing is counted then.

    An agent that does not catch it fails as `over_budget`.
    """

    def __init__(self, message: str) -> None:
        mend = "to go on, declare a higher cost, or give a larger budget"
        super().__init__(f"{message}; {mend}", FailureClass.OVER_BUDGET)


class InputNeeded(Exception):
    """Raised by an agent that needs a person's answer; it is called again with the answer at hand."""


class Stopping:
    """Tells an agent that its run is being stopped: to be looked at from any thread, or awaited on a loop.

    Whoever ends in time has its result kept; whoever does not is cut off at the end of the grace.
    """

    __slots__ = ("_is_set", "_waiting")

    def __init__(self) -> None:
        self._is_set = False
        self._waiting: list[tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]] = []

    def __bool__(self) -> bool:
        return self._is_set

    def is_set(self) -> bool:
        """Whether to stop."""
        return self._is_set

    def set(self) -> None:
        """Say that it is time to stop; from any thread."""
        self._is_set = True
        waiting, self._waiting = self._waiting, []
        for loop, future in waiting:
            with contextlib.suppress(RuntimeError):  # a loop that has ended waits for nothing
                loop.call_soon_threadsafe(_settle, future)

    async def wait(self) -> None:
        """Return when it is time to stop."""
        if not self._is_set:
            loop = asyncio.get_running_loop()
            future: asyncio.Future[None] = loop.create_future()
            self._waiting.append((loop, future))
            if self._is_set:
                _settle(future)
            await future


def _settle(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)


class Caller(Protocol):
    """Makes the inner calls of one piece of work: a plan being written, an attempt, a review, a synthesis."""

    async def call(self, call: Call, do: Callable[[], Awaitable[Called]]) -> Called:
        """Make a call, or give what it brought before: one that finished is never made again.

        It is judged and its cost is reserved before, and what it brought is durable when this returns. Raises
        AgentFailure as `do` does, with class `denied` where the policy forbids it and `over_budget` where there is no
        room for it; InputNeeded where a person has to approve of it first.
        """
        ...


Deed: TypeAlias = Callable[[Action], Awaitable[Called]]
Finder: TypeAlias = Callable[[Action], Awaitable[Called | None]]


class Toolbox(Caller, Protocol):
    """Makes the inner calls of an attempt: of models, and of tools that may change the world."""

    async def use(self, call: Call, do: Deed, look_up: Finder | None = None) -> Called:
        """Make a call of a tool, as `call` does; `do` gets the arguments as they were approved, and the action's key.

        Where a call that must not be made twice is in doubt, `look_up` says what it brought, gives None when it never
        happened, and raises LookupError when nobody can tell. Without it, or when it cannot tell, a person is asked.
        """
        ...

    async def function(
        self,
        work: "Assignment",
        key: str,
        function: Callable[..., Any],
        given: tuple[tuple[Any, ...], dict[str, Any]],
        reserve: Cost,
        effect: SideEffect | str | None,
    ) -> Json:
        """Make a call of a function; see `Assignment.call`."""
        ...

    def wait_for(self, coming: Coroutine[Any, Any, Json]) -> Json:
        """Give what comes of something on the loop of the attempt, from another thread; raises RuntimeError on it."""
        ...


@dataclass(slots=True, kw_only=True)
class Assignment:
    """One attempt at one task, as the agent sees it, and what it notes down besides its result.

    `key` names the action for the outside world and is the same on every repetition; `feedback` says what was
    wrong with the attempt before; `criteria` say what counts as done, and `output` is the schema that the result has to
    fit, empty for any; `answers` are what people said to this task's questions. `shortened` are the
    arguments that did not fit the agent's window: `whole(name)` gives them as they are. `labels` are those of the
    data it reads; `word` is what a person said to a request that a team had handed on;
    `charged` is what the task has cost so far, and `turn` the agent's name, where it took over from another. `ceiling`
    is the most that the attempt may spend; None is no bound. `share` is what the run leaves to that of a team, up to
    the moment `until`, and `lineage` are the runs that this one descends from.
    `stopping` is set when the run is being cancelled: what ends soon by itself has its result kept. `toolbox` makes its
    inner calls.
    """

    run: str
    task: str
    attempt: int
    skill: str
    objective: str
    arguments: dict[str, Json]
    key: str
    feedback: tuple[str, ...] = ()
    criteria: tuple[str, ...] = ()
    output: Schema = field(default_factory=dict)
    answers: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
    ceiling: Budget = NO_BUDGET
    shortened: dict[str, Json] = field(default_factory=dict)
    labels: frozenset[str] = frozenset()
    word: Word | None = None
    charged: Cost = FREE
    turn: str = ""
    share: Budget = NO_BUDGET
    until: float | None = None
    lineage: tuple[str, ...] = ()
    citations: list[Citation] = field(default_factory=list)
    artifacts: list[Artifact] = field(default_factory=list)
    spent: Cost = FREE
    notes: list[str] = field(default_factory=list)
    stopping: Stopping = field(default_factory=Stopping, repr=False, compare=False)
    toolbox: Toolbox | None = field(default=None, repr=False, compare=False)

    async def call(
        self,
        key: str,
        function: Callable[..., Any],
        /,
        *args: Any,
        cost: str | float | Decimal = 0,
        tokens: int = 0,
        effect: SideEffect | str | None = None,
        **kwargs: Any,
    ) -> Json:
        """Call a function as an inner call: it is judged and reserved before, journalled when it ends, and never made
        again once it has. After a crash its result is given, and the function is not called.

        `key` names the call in this task: the same key with the same arguments is the same call. `cost` (dollars) and
        `tokens` are the most that it may cost; it counts as having cost that, unless the function reports its spending
        on an Assignment that it takes, which also holds the key of the action. `effect` is what the function declares
        (`@pure`, `@irreversible`...) if nothing is said here; what nobody declares is never simply made again.
        A plain function runs in a thread. Arguments and result have to be JSON values.

        Raises what the function raises; AgentFailure with class `denied` when a policy or a person forbids it, and
        `over_budget` when the attempt has no room for it; ValueError for arguments that cannot be given.
        """
        reserve = _amount(cost, tokens)
        return await self._calls().function(self, key, function, (args, kwargs), reserve, effect)

    def call_now(
        self,
        key: str,
        function: Callable[..., Any],
        /,
        *args: Any,
        cost: str | float | Decimal = 0,
        tokens: int = 0,
        effect: SideEffect | str | None = None,
        **kwargs: Any,
    ) -> Json:
        """Do what `call` does, from a plain function: it returns when the call has ended."""
        calls, reserve = self._calls(), _amount(cost, tokens)
        return calls.wait_for(calls.function(self, key, function, (args, kwargs), reserve, effect))

    def _calls(self) -> Toolbox:
        if self.toolbox is None:
            raise RuntimeError(
                "inner calls are for agents at work in a run; previews, look-ups and isolated functions make none"
            )
        return self.toolbox

    def cite(self, file: str, line: int | None = None, text: str = "") -> None:
        """Note what the result rests on; the review looks it up."""
        self.citations.append(Citation(file=file, line=line, text=text))

    def attach(self, name: str, content: str, media: str = "text/plain") -> None:
        """Hand in a text file beside the result."""
        self.artifacts.append(Artifact(name=name, media=media, content=content))

    def whole(self, name: str) -> Json:
        """Give an argument as it is, however large; raises KeyError for one that there is not."""
        return self.shortened[name] if name in self.shortened else self.arguments[name]

    def spend(self, money: str | float | Decimal = 0, tokens: int = 0) -> None:
        """Report dollars and tokens that this attempt spends; they add up. Say it before they are gone.

        Raises OverBudget when it would be more than was reserved for the attempt, and ValueError for what is no amount:
        nothing spent comes back by saying so.
        """
        more = Cost(money=Decimal(str(money)), tokens=tokens)
        if not (more.money.is_finite() and more.money >= 0 and tokens >= 0):
            raise ValueError(f"it reports a cost that is none: ${money}, {tokens} tokens")
        spent = self.spent + more
        if self.ceiling.money is not None and spent.money > self.ceiling.money:
            raise OverBudget(f"the attempt would have cost ${spent.money}, and it may cost ${self.ceiling.money}")
        if self.ceiling.tokens is not None and spent.tokens > self.ceiling.tokens:
            most = self.ceiling.tokens
            raise OverBudget(f"the attempt would have taken {spent.tokens} tokens, and it may take {most}")
        self.spent = spent

    def ask(self, question: str) -> str:
        """Give a person's answer; ends the attempt until there is one, so ask before doing anything."""
        if self.answers:
            return self.answers[-1]
        raise InputNeeded(question)


def _amount(money: str | float | Decimal, tokens: int) -> Cost:
    """Read the most that a call may cost; raises ValueError for what is no amount."""
    try:
        most = Cost(money=Decimal(str(money).removeprefix("$")), tokens=tokens)
    except InvalidOperation:
        raise ValueError(f"a call's cost is an amount of dollars like '$0.01', not {money!r}") from None
    whole = isinstance(tokens, int) and not isinstance(tokens, bool)
    if not (whole and most.money.is_finite() and most.money >= 0 and tokens >= 0):
        raise ValueError(f"a call's cost is an amount of dollars and a number of tokens, not {money!r} and {tokens!r}")
    return most


class Agent(Protocol):
    """A specialist. Its failures are outcomes: none of these raises except when the call itself is broken."""

    @property
    def card(self) -> AgentCard: ...

    async def run(self, assignment: Assignment) -> Outcome:
        """Do it. May be cancelled at any moment, and is then not heard any more."""
        ...

    async def preview(self, assignment: Assignment) -> Preview:
        """Show what it would change, changing nothing."""
        ...

    async def look_up(self, assignment: Assignment) -> Outcome | None:
        """Tell whether the action of this key happened: its outcome, or None when it never did."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a team is to pursue as a run of its own, for a task of another run (`parent`).

    The run of this id is begun, or gone on with where it stands; `plan` names one of the team's ways, None has
    the goal planned. `labels` are those of the inputs, `budget` is what the whole may spend, and `share` what it may
    spend from now on, until the moment `deadline`. `lineage` are the runs that stood for the task in the runs that the
    parent descends from: what they did is not done again. When `stopping` is set, the run is cancelled with the grace
    that the parent has.
    """

    run: str
    parent: str
    goal: str
    plan: str | None = None
    inputs: dict[str, Json] = field(default_factory=dict)
    labels: frozenset[str] = frozenset()
    budget: Budget = field(default_factory=Budget)
    share: Budget = NO_BUDGET
    deadline: float | None = None
    lineage: tuple[str, ...] = ()
    again: bool = False  # what failed in it is tried once more
    word: Word | None = None
    stopping: Stopping = field(default_factory=Stopping, repr=False, compare=False)


class Starter(Protocol):
    """Starts the runs of a team, in the journal of the run that asks for them."""

    async def pursue(self, order: Order) -> RunState:
        """Drive a run to its end, or until nothing in it can move without a person. Raises StrettoError."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The right to append to a run, until somebody takes a higher fence."""

    run: str
    fence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """One line about a run, kept beside its events so that lists are quick.

    `wake` is the earliest moment at which the run has something to do on its own (see `stretto.core.wake`), `asks` how
    much waits for a person; None where an older release did not write it down.
    """

    run: str
    goal: str
    status: str
    workspace: str = ""
    started: float = 0.0
    ended: float | None = None
    cost: Cost = FREE
    gaps: int = 0
    tasks: int = 0
    completed: int = 0
    wake: float | None = None
    asks: int | None = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunQuery:
    """Which runs are looked for, newest first.

    `begins` is how the id begins, `words` stand in the goal or the id, in any case and order; `statuses` are those
    that count, none for any; `since` and `until` (not included) bound when it started; `asking` are those that have not
    ended and in which something waits for a person, as far as is known. Without `teams`, the runs that teams made of
    tasks of others are left out. `before` is the (started, run) of the last one seen: what comes next.
    """

    begins: str = ""
    words: tuple[str, ...] = ()
    statuses: frozenset[str] = frozenset()
    workspace: str | None = None
    since: float | None = None
    until: float | None = None
    asking: bool = False
    teams: bool = True
    before: tuple[float, str] | None = None
    limit: int = 100

    def __post_init__(self) -> None:
        object.__setattr__(self, "words", tuple(word.casefold() for word in self.words))


NEWEST = RunQuery()


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """An event with its place in the journal."""

    seq: int
    actor: str
    event: Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A command left in a run's inbox."""

    id: int
    command: Command


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What a run that ended amounts to after its event number `upto`, as bytes: a view, never a source.

    `edition` is that of the definitions by which it was measured.
    """

    run: str
    upto: int
    edition: int
    workspace: str
    ended: float
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """Facts for a stream beside the run, such as `@agent/NAME`, after event number `after` of it."""

    stream: str
    after: int
    facts: Sequence[tuple[str, Event]]


NOTHING_LEARNED: Mapping[str, Learned] = MappingProxyType({})
NOTHING_TRIED: Mapping[str, TrackRecord] = MappingProxyType({})


class Journal(Protocol):
    """The only truth: events by run, append-only, with the leases and inboxes that keep one writer per run.

    Streams beside the runs hold what all runs of a store know of an agent or provider. They have no owner and are not
    listed; everything else that goes by a run goes by a stream as well.
    """

    async def claim(self, run: str) -> Lease:
        """Take the run; raises OwnedElsewhere while another living process has it."""
        ...

    async def renew(self, lease: Lease) -> None:
        """Keep the run; raises LostOwnership when somebody else has taken it."""
        ...

    async def release(self, lease: Lease) -> None:
        """Give the run back; nothing happens when it is lost already."""
        ...

    async def append(
        self,
        lease: Lease,
        after: int,
        facts: Sequence[tuple[str, Event]],
        summary: RunSummary,
        beside: Sequence[Beside] = (),
        learned: Mapping[str, Learned] = NOTHING_LEARNED,
        tried: Mapping[str, TrackRecord] = NOTHING_TRIED,
    ) -> None:
        """Append all or nothing after event number `after`, durably; raises LostOwnership.

        Each fact comes with its actor. When this returns, the facts survive any crash. Without facts only the
        run's line is written anew. Those for streams `beside` the run are part of the same all or nothing; raises
        Overtaken where a stream has moved on. `learned` is what the run taught about durations, given with its end,
        and kept with what earlier runs taught; `tried` is how right its reviewers were, given and kept alike.
        """
        ...

    async def durations(self) -> Mapping[str, Learned]:
        """Give what the runs that ended have taught about durations, by "agent/skill"."""
        ...

    async def records(self) -> Mapping[str, TrackRecord]:
        """Give how right each reviewer was in the runs that ended, as far as is known."""
        ...

    async def summary(self, key: str) -> str | None:
        """Give the summary that is kept under a key, which names content, length and who made it; None without one."""
        ...

    async def keep_summary(self, key: str, text: str) -> None:
        """Keep a summary for all runs of the store."""
        ...

    async def heads(self, streams: Sequence[str]) -> Sequence[int]:
        """Give the number of the last event of each stream, 0 where there is none."""
        ...

    async def read(self, run: str, after: int = 0) -> Sequence[Recorded]:
        """Give the events of a run after a number; none for an unknown run."""
        ...

    async def envelopes(self, run: str) -> Sequence[Envelope]:
        """Give a run's events as stored, for the audit."""
        ...

    async def runs(self, query: RunQuery = NEWEST) -> Sequence[RunSummary]:
        """Give the runs that are looked for, newest first."""
        ...

    async def counts(self, query: RunQuery = NEWEST) -> Mapping[str, int]:
        """Give how many runs are looked for, by status; `statuses`, `before` and `limit` of the query do not matter."""
        ...

    async def due(self, moment: float, *, skip: Collection[str] = (), limit: int = 100) -> Sequence[RunSummary]:
        """Give runs that nobody owns and that have something to do: by this moment, or because of a note left for them.

        Those with a note come first, for somebody waits; then those that have been due longest.
        """
        ...

    async def post(self, run: str, command: Command) -> None:
        """Leave a command for the run's owner."""
        ...

    async def inbox(self, run: str) -> Sequence[Note]:
        """Give the commands left for a run, oldest first."""
        ...

    async def clear(self, notes: Sequence[Note]) -> None:
        """Forget commands that were carried out."""
        ...

    async def unmeasured(self, edition: int, *, skip: Collection[str] = (), limit: int = 100) -> Sequence[str]:
        """Give the runs that have ended and were not measured since, in this edition; those first that ended first."""
        ...

    async def keep_measures(self, rows: Sequence[Measured]) -> None:
        """Keep what runs amount to, until they have another event; nothing of those that have one by now."""
        ...

    async def measured(
        self, edition: int, *, workspace: str | None = None, since: float | None = None, until: float | None = None
    ) -> Sequence[Measured]:
        """Give what is kept, in an edition, of runs that ended `since` a moment and before `until`; in that order."""
        ...

    async def owner(self, run: str) -> str | None:
        """Say which living process has the run, if any."""
        ...

    async def close(self) -> None: ...


PlanPart: TypeAlias = InterpretGoal | ClarifyGoal | AddTask | ClosePlan | FailPlan


class Planner(Protocol):
    """Writes plans. Tasks come one by one, so that they can start while the rest is being written."""

    def plan(self, state: RunState, caller: Caller) -> AsyncIterator[PlanPart]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """A result before its reviewers: what was asked for, and what came.

    `entry` is the schema of the context entry that the result becomes, if one is declared. `criteria` are those of the
    task, and what the whole run is done by where the task's result alone is what it delivers. Where a result is read
    (`Reviewer.review`), `arguments` are what it was made from, and `labels` those of all that is read.
    """

    task: Task
    schema: Schema
    entry: Schema | None = None
    evidence: bool
    result: Result
    criteria: tuple[str, ...] = ()
    judge_required: bool = False
    arguments: dict[str, Json] = field(default_factory=dict)
    labels: frozenset[str] = frozenset()


class Reviewer(Protocol):
    """Judges results."""

    @property
    def name(self) -> str: ...

    def glance(self, product: Product) -> Review | None:
        """Judge from memory alone, at once; None when it takes reading."""
        ...

    async def review(self, product: Product, caller: Caller) -> Review: ...


class Synthesiser(Protocol):
    """Composes the deliverable from the accepted results."""

    async def compose(self, state: RunState, caller: Caller) -> Delivery: ...


class Summariser(Protocol):
    """Gives long texts in few words, for readers with small windows."""

    @property
    def name(self) -> str:
        """Who makes them: the summaries of another are others."""
        ...

    async def summary(self, text: str, most: int, caller: Caller, labels: frozenset[str]) -> str | None:
        """Give a text in at most `most` characters; None where nobody is there to do it, or it is too little room.

        Raises AgentFailure where it could not be done.
        """
        ...


class Conditions(Protocol):
    """Evaluates `when`."""

    def holds(self, condition: str, values: Mapping[str, Any]) -> bool:
        """Whether the condition is true of these values; raises ValueError with what is wrong with it."""
        ...

    def problem(self, condition: str) -> str | None:
        """Say what is wrong with a condition, unseen; None when it can be read."""
        ...


class Schemas(Protocol):
    """Holds values against JSON Schemas."""

    def problems(self, value: Json, schema: Schema) -> list[str]:
        """Say where a value does not fit, at most a handful of times."""
        ...


class Clock(Protocol):
    """Time, so that tests can make it pass."""

    def now(self) -> float:
        """Seconds since the epoch."""
        ...

    async def until(self, moment: float) -> None:
        """Return at a moment, or soon after."""
        ...


class People(Protocol):
    """Puts open requests before whoever is at this process; answers may as well come through the inbox."""

    async def ask(self, state: RunState, request: str) -> Command | None:
        """Give the answer, or None when nobody here can give one."""
        ...


class Notifier(Protocol):
    """Tells people what they should know when nobody looks at the screen."""

    @property
    def name(self) -> str:
        """Which channel this is, as errors name it; without secrets."""
        ...

    async def send(self, notice: Notice) -> None:
        """Send it now, without trying again; raises NotifierError with what went wrong.

        After a crash it is called again with the same notice: at least once, told by the notice's id.
        """
        ...


Dispatch: TypeAlias = Callable[[Sequence[Notifier], Notice], Awaitable[Sequence[NotifierError]]]
"""Sends a notice through all of some notifiers, and gives the errors of those that failed; it raises none."""

Emit: TypeAlias = Callable[[Command], Awaitable[None]]
Listener: TypeAlias = Callable[[RunState, Sequence[Event]], None]
"""Is told of every commit: the state after it and its events; of a run that is taken over first where it stands, with
no events. It must be quick, and do nothing but note."""

Follower: TypeAlias = Callable[[RunState, Sequence[Recorded]], None]
"""Is told of every commit as a Listener is, with numbers and actors, and of nothing else."""


class Historian(Protocol):
    """A listener that knows a run from its beginning, and goes with it into the runs of its teams."""

    def recall(self, state: RunState, before: Sequence[Event]) -> None:
        """Take in all that happened in a run that is taken over, and where it stands now. As quick as a listener."""
        ...

    def __call__(self, state: RunState, events: Sequence[Event]) -> None:
        """Take in a commit, as a listener does."""
        ...


class Performer(Protocol):
    """The shell of the loop, as an engine sees it."""

    async def begin(self, run: str, first: Sequence[Command] = ()) -> tuple[RunState, Sequence[Effect]]:
        """Take the run over, beginning with some commands: its state, and everything that is due."""
        ...

    async def advance(self, commands: Sequence[Command]) -> tuple[RunState, Sequence[Change]]:
        """Decide, commit, and give what changed; raises LostOwnership."""
        ...

    async def perform(self, effect: Effect, emit: Emit) -> Command | None:
        """Do one piece of work; more than one command goes through `emit`."""
        ...

    def is_call(self, effect: Effect) -> bool:
        """Whether a piece of work is the call of an agent, which takes a place; a team's members take their own."""
        ...

    async def collect(self) -> Sequence[Note]:
        """Give what others have left for the run."""
        ...

    async def clear(self, notes: Sequence[Note]) -> None:
        """Forget those that were carried out."""
        ...

    async def keep(self) -> None:
        """Renew the lease; raises LostOwnership."""
        ...

    async def leave(self) -> None:
        """Give the run back."""
        ...


class Engine(Protocol):
    """Performs effects, at least once, somewhere, until the run ends."""

    async def drive(
        self, run: str, performer: Performer, *, first: Sequence[Command] = (), wait: bool = True
    ) -> RunState:
        """Drive a run to its end; without `wait` only until nothing moves, for now, without a person.

        What others left in the inbox before the drive began is carried out in any case.
        """
        ...


class Office(Protocol):
    """Where a team can be hired for a run."""

    def starter(
        self,
        journal: Journal,
        people: People,
        policies: tuple[Policy, ...],
        engine: Engine,
        historians: tuple[Historian, ...] = (),
    ) -> Starter:
        """Give who starts the team's runs: in this journal, on this engine, with these people, policies, historians."""
        ...
