"""Where a run stands: a fold over its events, in persistent maps, so that a step costs the same in any plan.

Sets of tasks are integers: bit n stands for the task at position n of the plan, or of rank n among those that are
ready. Setting, clearing and taking the lowest bit cost next to nothing, and two states compare by value. The two
states are msgspec structs: they are replaced several times per fact, ten times faster than dataclasses.
Frozen values form no cycles, so the collector of cycles is spared them (`gc=False`).
"""

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from immutables import Map
from msgspec import Struct, field

from stretto.core.breaker import Tally
from stretto.core.domain import (
    FREE,
    Artifact,
    Budget,
    Catalogue,
    Citation,
    Cost,
    Delivery,
    Entry,
    FailureClass,
    Gap,
    Hold,
    InputSpec,
    Interpretation,
    Json,
    Kept,
    Notice,
    Plan,
    Rating,
    Request,
    Review,
    Role,
    RunStatus,
    Shortening,
    SideEffect,
    Task,
    TaskStatus,
    Try,
    Usage,
    Word,
)
from stretto.core.plan.diagnostics import Diagnostic
from stretto.core.plan.references import Need, named_in
from stretto.core.rates import Window
from stretto.core.routing import Roster, lane
from stretto.core.stall import Pulse

Bits: TypeAlias = int

LOST = (TaskStatus.FAILED, TaskStatus.SKIPPED)
WAIT, LIMIT = "wait", "limit"
"""Timers of tasks: `wait/TASK`, when it or its next round may start, and `limit/TASK`, when it has to be done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What an attempt brought; it counts once the review accepts it."""

    output: Json = None
    artifacts: tuple[Artifact, ...] = ()
    citations: tuple[Citation, ...] = ()
    gaps: tuple[Gap, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Climb:
    """One rung that a task has climbed: after which attempt of whom, what was tried next, and by whom.

    `begun` tells the failure of an attempt from that of a task that could not start.
    """

    attempt: int
    failure: FailureClass
    by: str
    do: Try
    begun: bool = True
    agent: str = ""
    why: str = ""
    at: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """A notice on its way: which attempt at sending it is due, when, and through which channels (None: all)."""

    notice: Notice
    attempt: int = 1
    until: float = 0.0
    channels: tuple[str, ...] | None = None


class Joining(Struct, frozen=True, kw_only=True, gc=False):
    """How far a join is: the members that it took, in the order they were accepted, and those still open."""

    wanted: int
    taken: Map[int, str] = field(default_factory=Map)
    open: Map[str, None] = field(default_factory=Map)

    @property
    def met(self) -> bool:
        return len(self.taken) >= self.wanted

    @property
    def lost(self) -> bool:
        """Whether too few members can still complete."""
        return len(self.taken) + len(self.open) < self.wanted


class Rounds(Struct, frozen=True, kw_only=True, gc=False):
    """What the rounds of a repeated task were: by arguments and output, the first round that was so."""

    arguments: str = ""  # the hash of the arguments that the latest round got
    seen: Map[str, int] = field(default_factory=Map)
    repeats: int | None = None  # the earlier round that the latest one repeats exactly


class PlanDraft(Struct, frozen=True, kw_only=True, gc=False):
    """A plan that is being made beside the running one: why, at whose word, and its tasks so far by place."""

    why: str
    by: str
    tasks: Map[int, Task] = field(default_factory=Map)
    ids: Map[str, None] = field(default_factory=Map)
    inputs: dict[str, Json] = field(default_factory=dict)
    specs: dict[str, InputSpec] = field(default_factory=dict)


class CallState(Struct, frozen=True, kw_only=True, gc=False):
    """One inner call, and what came of it. `number` is that of the attempt, or of the revision, that had it last.

    `due` may be made now, `asked` waits for a person; `lost` is one whose end nobody heard. `tries` counts how often it
    was begun or refused, `action` names it for the outside world.
    """

    key: str
    role: Role
    what: str
    number: int
    status: Literal["due", "asked", "open", "lost", "done", "failed", "refused"] = "due"
    effect: SideEffect = SideEffect.NONE
    tries: int = 0
    action: str = ""
    reserved: Cost = FREE
    cost: Cost = FREE
    usage: Usage = Usage()
    output: Json = None
    failure: FailureClass | None = None
    message: str = ""
    approved: bool = False
    denied: bool = False  # by a person: it stays so
    edited: dict[str, Json] | None = None  # the arguments that a person put in the place of its own
    by: str = ""  # the person who said so, or did it

    @property
    def in_doubt(self) -> bool:
        """Whether it may have happened, and must not happen twice."""
        return self.status == "lost" and not self.effect.repeatable


class Meter(Struct, frozen=True, kw_only=True, gc=False):
    """How many inner calls came to an end, and what they used."""

    calls: int = 0
    usage: Usage = Usage()
    cost: Cost = FREE

    def __add__(self, more: "Meter") -> "Meter":
        cost = self.cost if more.cost == FREE else self.cost + more.cost
        return Meter(calls=self.calls + more.calls, usage=self.usage + more.usage, cost=cost)


class Meters(Struct, frozen=True, kw_only=True, gc=False):
    """What inner calls used: by model, by tool, by what they were made for, and by the agent that made them."""

    models: Map[str, Meter] = field(default_factory=Map)
    tools: Map[str, Meter] = field(default_factory=Map)
    roles: Map[str, Meter] = field(default_factory=Map)
    agents: Map[str, Meter] = field(default_factory=Map)


class TaskState(Struct, frozen=True, kw_only=True, gc=False):
    """One task, or one item of a fan-out or round of a repetition (`parent` set), and how far it is.

    `attempt` counts the attempts begun; `round` the answers had from people, and the rungs climbed before a start;
    `approved` is the binding a person agreed to; `edited` are arguments a person put in the place of the plan's.
    `tries` counts failures by class and agent; `turn` is the agent that the ladder gives the task to. `undo` names the
    task that takes it back, `undone` says that this happened.
    """

    task: Task
    position: int
    rank: int | None = None  # its place by priority, once the whole plan is known
    needs: Map[str, Need]
    blockers: int
    status: TaskStatus = TaskStatus.PENDING
    ready: bool = False
    parent: str | None = None
    item: Json = None
    number: int | None = None
    same_before: int = 0  # equal items earlier in the list
    children: int | None = None
    children_open: int = 0
    attempt: int = 0
    tries: Map[str, int] = field(default_factory=Map)
    setback: str = ""  # what became of the last attempt that failed
    round: int = 0
    agent: str | None = None
    key: str | None = None
    reads: dict[str, int] = field(default_factory=dict)  # versions of context entries, as the attempt got them
    stale: dict[str, tuple[int, int]] = field(default_factory=dict)  # entries that changed after they were read
    reserved: Cost = FREE
    cost: Cost = FREE
    last: Cost = FREE  # what the attempt cost that brought the result
    result: Result | None = None
    failure: FailureClass | None = None
    reason: str = ""
    wanted: bool = False
    labels: frozenset[str] = frozenset()  # what its result carries, known once it has one
    feedback: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()
    edited: dict[str, Json] | None = None
    approved: str | None = None
    request: str | None = None
    word: Word | None = None  # what a person said to what the team's run asked
    taken_by: str | None = None  # the person who did it in the place of the agent
    retry_at: float | None = None
    in_doubt: bool = False
    told: Cost = FREE  # what an attempt in doubt is known to have cost
    doubt: tuple[FailureClass, str] | None = None  # what an attempt in doubt said itself
    climbed: tuple[Climb, ...] = ()
    turn: str = ""
    handed: Cost = FREE  # what it had cost when the ladder gave it to that agent
    overlay: dict[str, Json] = field(default_factory=dict)  # arguments that the ladder lays over the plan's
    rejected: frozenset[str] = frozenset()  # hashes of results that did not do, with the actions that brought them
    shortened: dict[str, Shortening] = field(default_factory=dict)  # arguments, as the latest attempt got them
    reviews: tuple[Review, ...] = ()  # what was said of the latest result, where there was more to say than yes or no
    marks: tuple[float, ...] = ()  # the scores of the results of the agent that has its turn
    excused: bool = False  # left out, and those that only wait for it go on
    answer_by: float | None = None  # when the person asked about a failure is no longer waited for
    since: int = 0  # attempts that were before the task was opened again
    again: int = 0  # how often it was done again on purpose, after it had been completed
    started: float | None = None
    ended: float | None = None
    joining: Joining | None = None
    rounds: Rounds | None = None
    ending: int | None = None  # the number of the fact that ended it
    undo: str | None = None
    undone: bool = False
    because: str = ""  # why it is undone
    overspent: Cost = FREE  # what its attempts cost beyond what was reserved for them
    calls: Map[str, CallState] = field(default_factory=Map)  # inner calls of its attempts
    calling: Map[str, None] = field(default_factory=Map)  # those that are open
    promised: Cost = FREE  # the part of the reservation that the open ones may take
    called: Cost = FREE  # what those of the attempt have cost
    recalls: int = 0  # the first attempt whose calls without a side effect are not made again
    meter: Meter = field(default_factory=Meter)


class Account(Struct, frozen=True, kw_only=True, gc=False):
    """What a task with a budget has used of it, over all its attempts and items."""

    spent: Cost = FREE
    reserved: Cost = FREE
    steps: int = 0
    revisions: int = 0


class RunState(Struct, frozen=True, kw_only=True, gc=False):
    """One run. An empty one is the state before its first event."""

    run: str = ""
    seq: int = 0
    at: float = 0.0
    status: RunStatus = RunStatus.PLANNING
    goal: str = ""
    inputs: dict[str, Json] = field(default_factory=dict)
    workspace: str = ""
    edition: str = ""  # of the workspace
    edition_note: str = ""  # why it is not the one that the run began with
    parent: str = ""  # the run whose task this run is
    catalogue: Catalogue = field(default_factory=Catalogue)
    roster: Roster = field(default_factory=lambda: Roster(agents=Map(), by_skill=Map()))
    given: Plan | None = None
    streamed: bool = False
    specs: dict[str, InputSpec] = field(default_factory=dict)
    interpretation: Interpretation | None = None
    unclear: str | None = None  # the open request about the goal itself
    clarified: tuple[tuple[str, str], ...] = ()  # questions about the goal, and what people said
    budget: Budget = field(default_factory=Budget)
    deadline: float | None = None
    deadline_passed: bool = False
    started: float = 0.0
    ended: float | None = None
    revision: int = 1
    plan_open: bool = True
    refused: str | None = None
    diagnostics: tuple[Diagnostic, ...] = ()
    deliver: Json = None
    tasks: Map[str, TaskState] = field(default_factory=Map)
    ids: Map[int, str] = field(default_factory=Map)
    dependents: Map[str, Map[int, None]] = field(default_factory=Map)  # positions of those that wait for a task
    ready: Map[str, Bits] = field(default_factory=Map)  # by queue: ranks, or the numbers of a fan-out's items
    ranked: Map[int, str] = field(default_factory=Map)  # the tasks by rank, once the whole plan is known
    held: Bits = 0  # ready, but not before the whole plan is known
    active: Map[str, None] = field(default_factory=Map)  # tasks with work under way or somebody to wait for
    busy: Map[str, int] = field(default_factory=Map)  # attempts under way, by agent
    under_way: int = 0
    steps: int = 0
    open_tasks: int = 0
    completed: int = 0
    spent: Cost = FREE
    reserved: Cost = FREE
    revisions: int = 0
    spent_by: Map[str, Cost] = field(default_factory=Map)  # by agent
    accounts: Map[str, Account] = field(default_factory=Map)  # of the tasks that have a budget
    undos: int = 0  # tasks that were added to take others back
    undoing: Map[str, None] = field(default_factory=Map)  # the open tasks that take others back
    requests: Map[str, Request] = field(default_factory=Map)
    keys: Map[str, str] = field(default_factory=Map)  # action key to task
    context: Map[str, tuple[Entry, ...]] = field(default_factory=Map)
    cancelled: str | None = None
    stopped: str | None = None  # why a task's ladder ended the run
    paused: str | None = None  # why nothing new begins
    holds: Map[str, Hold] = field(default_factory=Map)  # by agent, or `provider:NAME`; so are the next three
    tallies: Map[str, Tally] = field(default_factory=Map)  # of those whose last attempts did not all go well
    windows: Map[str, Window] = field(default_factory=Map)  # of those with a rate
    heard: Map[str, int] = field(default_factory=Map)  # how far what other runs learned is known
    drawn: Map[str, int] = field(default_factory=Map)  # attempts under way, by provider
    pulse: Pulse = field(default_factory=Pulse)
    notices: Map[str, Alert] = field(default_factory=Map)  # alerts that are still to be sent
    unheard: Map[str, tuple[tuple[str, str], ...]] = field(default_factory=Map)  # alerts given up: channel and error
    cancelling: float | None = None  # until when attempts under way may end by themselves
    cancelling_by: str = ""
    cancelling_undo: bool = False
    draft: PlanDraft | None = None
    replans: int = 0  # new plans begun without anybody's word
    offered: str | None = None  # the open request about how to go on
    root: str = ""  # the run that this one, or its parents, were forked from
    forked_from: str = ""
    lineage: tuple[str, ...] = ()  # the runs that it descends from, the first one first
    kept: Map[str, Kept] = field(default_factory=Map)  # by key: what was done before, and is not done again
    begun: Map[str, None] = field(default_factory=Map)  # keys of actions that another run began, with no known end
    undone: Map[str, None] = field(default_factory=Map)  # keys of actions that were taken back
    used: Map[str, int] = field(default_factory=Map)  # attempts of tasks that are gone, by id
    delivery: Delivery | None = None
    ratings: Map[str, Rating] = field(default_factory=Map)  # the newest of each person
    expected: dict[str, float] = field(default_factory=dict)  # "agent/skill": seconds, learned from earlier runs
    timers: Map[str, float] = field(default_factory=Map)  # moments that tasks wait for
    abreast: Map[str, int] = field(default_factory=Map)  # items under way, by fan-out that bounds them
    calls: Map[str, CallState] = field(default_factory=Map)  # of the run's own inner calls, by piece of work and call
    calling: Map[str, None] = field(default_factory=Map)  # those that are open
    coordination: Meter = field(default_factory=Meter)  # what planning, reviewing, summarising and composing took
    meters: Meters = field(default_factory=Meters)
    overspent: Cost = FREE  # what calls of the run itself cost beyond what was reserved for them

    @property
    def planning(self) -> bool:
        over = (
            self.refused is not None
            or self.deadline_passed
            or self.stopped is not None
            or self.cancelled is not None
            or self.status.final
        )
        open_ = self.plan_open or self.draft is not None
        return bool(self.run) and open_ and not over and self.cancelling is None

    @property
    def halted(self) -> bool:
        """Whether nothing new may begin, and no clock of anybody runs: the run is paused, or being cancelled."""
        return self.paused is not None or self.cancelling is not None

    @property
    def planned(self) -> int:
        """How many tasks and items there are, those not counted that take others back."""
        return len(self.ids) - self.undos

    @property
    def until(self) -> float | None:
        """The moment the run ends at the latest: its deadline, or when the seconds of its budget are over."""
        if self.budget.seconds is None:
            return self.deadline
        over = self.started + self.budget.seconds
        return over if self.deadline is None else min(over, self.deadline)

    @property
    def settled(self) -> bool:
        """Whether nothing is left but to compose the deliverable."""
        over = bool(self.run) and not self.planning and not self.status.final and self.cancelling is None
        return over and self.open_tasks == 0 and self.offered is None

    @property
    def standing(self) -> RunStatus:
        """The status as people see it: `waiting` when nothing moves until somebody answers."""
        if self.paused is not None and not self.status.final:
            return RunStatus.WAITING
        if (self.unclear or self.offered) is not None and not self.under_way and not any(self.ready.values()):
            return RunStatus.WAITING
        if self.status is not RunStatus.RUNNING or not self.requests or self.under_way:
            return self.status
        return RunStatus.RUNNING if any(self.ready.values()) else RunStatus.WAITING


def bits_of(number: Bits) -> list[int]:
    """Give the positions in a set, lowest first."""
    found = []
    while number:
        low = number & -number
        found.append(low.bit_length() - 1)
        number ^= low
    return found


def accepted(state: RunState, id_: str) -> Json:
    """Give the accepted output of a completed task: of a fan-out the list of its items', of rounds that of the last.

    Raises LookupError when the task has none, or when what it did was undone.
    """
    task = state.tasks.get(id_)
    if task is None or task.status is not TaskStatus.COMPLETED:
        raise LookupError(f"task {id_!r} has no accepted result")
    if is_undone(state, id_):
        raise LookupError(f"what task {id_!r} did was undone")
    return brought(state, id_, standing=True)


def brought(state: RunState, id_: str, *, standing: bool = False) -> Json:
    """Give what a completed task brought, also when it was undone; of a fan-out, with `standing`, what was not."""
    task = state.tasks[id_]
    if task.children is None:
        return task.result.output if task.result else None
    if task.rounds is not None:
        return accepted(state, child_id(id_, task.children - 1))
    items = (state.tasks[child_id(id_, number)] for number in range(task.children))
    return [
        item.result.output
        for item in items
        if item.status is TaskStatus.COMPLETED and item.result is not None and not (standing and item.undone)
    ]


def is_undone(state: RunState, id_: str) -> bool:
    """Whether what a task did was taken back; of a fan-out, what all its completed items did."""
    task = state.tasks[id_]
    if not task.children or not state.undos:
        return task.undone
    items = [state.tasks[child_id(id_, number)] for number in range(task.children)]
    done = [item for item in items if item.status is TaskStatus.COMPLETED]
    return bool(done) and all(item.undone for item in done)


def is_broken(state: RunState, id_: str) -> bool:
    """Whether what a task did, or any of its items or rounds, was taken back."""
    task = state.tasks[id_]
    return task.undone or any(state.tasks[child_id(id_, number)].undone for number in range(task.children or 0))


def written(state: RunState, entry: Entry) -> Json:
    """Give the value of one version of a context entry; raises LookupError when there is none."""
    return entry.output if entry.frozen else brought(state, entry.task)


def child_id(parent: str, number: int) -> str:
    """Name the n-th item of a fan-out, or the n-th round of a repeated task, counted from 0."""
    return f"{parent}[{number}]"


def team_run(run: str, task: str, turn: str = "") -> str:
    """Name the run that a team makes of a task: `RUN.task`, of a fan-out's item `RUN.task.0`.

    A team that took over from another has a run of its own: `RUN.task-by-NAME`.
    """
    by = f"-by-{turn.replace('.', '-')}" if turn else ""
    return f"{run}.{task.replace('[', '.').replace(']', '')}{by}"


def gaps(state: RunState) -> tuple[Gap, ...]:
    """Name everything that the plan wanted and the run did not bring, with the reason."""
    found = []
    if state.refused is not None:
        found.append(Gap(task="", what="the plan", why=state.refused))
    made_up_for = _made_up_for(state)
    for position in range(len(state.ids)):
        one = state.tasks[state.ids[position]]
        if (one.parent or state.ids[position]) in made_up_for:
            continue
        if one.children is not None and one.failure is not None and not _fell_by_itself(state, state.ids[position]):
            continue  # its items say why
        if one.status is TaskStatus.COMPLETED and one.result is not None and one.result.gaps and not one.undone:
            found += [replace(gap, task=f"{state.ids[position]}.{gap.task}") for gap in one.result.gaps]
        missing = one.status in (TaskStatus.FAILED, TaskStatus.CANCELLED) or (
            one.status is TaskStatus.SKIPPED and not one.wanted
        )
        if missing or one.undone:
            what = one.task.objective or one.task.skill
            if one.parent is not None and isinstance(one.item, str | int | float):
                what = f"{what} ({one.item})"
            why = f"undone because {one.because}" if one.undone else one.reason or str(one.status)
            urgent = missing and one.task.undoes is not None
            found.append(Gap(task=state.ids[position], what=what, why=why, urgent=urgent))
    return tuple(found)


def _made_up_for(state: RunState) -> set[str]:
    """Give the tasks whose loss a join made up for with other members, and those that only served them.

    They are no gaps: the plan asked for enough of them, not for each. What a join keeps is wanted for itself.
    """
    found: set[str] = set()
    met = [one for one in state.tasks.values() if one.joining is not None and one.joining.met and one.parent is None]
    stack = [name for one in met if one.task.join is not None for name in one.task.join.of]
    delivered = named_in(state.deliver) if stack else set()
    while stack:
        id_ = stack.pop()
        one = state.tasks.get(id_)
        if one is None or id_ in found or id_ in delivered or one.status not in LOST:
            continue
        later = [state.tasks[state.ids[position]] for position in state.dependents.get(id_, ())]
        if all(other.task.id in found or _did_without(other, id_) for other in later):
            found.add(id_)
            stack += [name for name, need in one.needs.items() if need is not Need.ORDER]
    return found


def _did_without(join: TaskState, id_: str) -> bool:
    """Whether a task joined others in the place of a member."""
    if join.joining is None or join.task.join is None or join.task.join.rest == "keep":
        return False
    return join.joining.met and join.needs[id_] is Need.MEMBER


def _fell_by_itself(state: RunState, id_: str) -> bool:
    """Whether a repeated task failed although each of its rounds was accepted."""
    one = state.tasks[id_]
    if one.rounds is None or not one.children:
        return False
    return state.tasks[child_id(id_, one.children - 1)].status is TaskStatus.COMPLETED


def queue_of(one: TaskState) -> tuple[str, int]:
    """Give the queue that a ready task waits in, and its place there, the lowest first.

    Tasks of one lane wait in the order of their ranks; the items of a fan-out have a queue of their own.
    """
    own = lane(one.task, one.turn)
    if one.parent is not None and one.number is not None:
        return f"{own}\n{one.parent}", one.number
    return own, one.position if one.rank is None else one.rank


def candidates_for(state: RunState, one: TaskState) -> tuple[str, ...]:
    """Give the agents that may do a task now: the one that the ladder gives it to, else all that can."""
    return (one.turn,) if one.turn else state.roster.candidates(one.task)


def head_of(state: RunState, queue: str, bits: Bits) -> tuple[int, str]:
    """Give the rank and the id of the first task in a queue."""
    first = (bits & -bits).bit_length() - 1
    _, _, parent = queue.partition("\n")
    if not parent:
        return first, state.ranked[first] if state.ranked else state.ids[first]
    whole = state.tasks[parent]
    return whole.position if whole.rank is None else whole.rank, child_id(parent, first)
