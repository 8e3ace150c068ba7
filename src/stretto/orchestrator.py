"""The shell of the loop for one run: advance (decide, commit, reconcile), perform (do the work), begin (recover).

State changes only after a commit; an effect is performed only while it is due.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from stretto.calls import LOOKS, Exchange
from stretto.core.budget import ceiling, ends, share, task_ends
from stretto.core.chains import WITHOUT
from stretto.core.commands import (
    AnswerRequest,
    BeginCall,
    Command,
    Deliver,
    EndCall,
    FireTimer,
    Judged,
    LookedUp,
    NoticeSent,
    Recover,
    ReportOutcome,
    ReportReview,
    ReportShortened,
    SubmitGoal,
)
from stretto.core.context import (
    Missing,
    context_schema,
    criteria_of,
    labels,
    labels_of_piece,
    resolve,
    value_of,
    visible,
)
from stretto.core.decide import step
from stretto.core.domain import (
    Failed,
    FailureClass,
    Limits,
    Outcome,
    Piece,
    Preview,
    Review,
    TaskStatus,
    Unknown,
)
from stretto.core.effects import (
    AskPerson,
    Change,
    Effect,
    Judge,
    LookUp,
    MakePlan,
    Notify,
    ReviewResult,
    RunTask,
    Synthesise,
    Wait,
)
from stretto.core.errors import LostOwnership, Overtaken
from stretto.core.events import AttemptCompleted, Event
from stretto.core.evolve import evolve
from stretto.core.learning import Lessons, expected
from stretto.core.policy import DEFAULT, Policy, judge
from stretto.core.reconcile import changes, judged_before, judgements, of_task, reconcile
from stretto.core.state import Result, RunState, TaskState, accepted, child_id
from stretto.core.trust import Trials
from stretto.core.wake import wake
from stretto.ports import (
    Assignment,
    Clock,
    Conditions,
    Dispatch,
    Emit,
    Follower,
    Historian,
    Journal,
    Lease,
    Listener,
    Note,
    Notifier,
    People,
    Planner,
    Product,
    Recorded,
    Reviewer,
    RunSummary,
    Schemas,
    Summariser,
    Synthesiser,
)
from stretto.registry import Registry
from stretto.sharing import Sharing
from stretto.summaries import Summaries

LEAST_SECONDS = 0.001
"""What an attempt has at the least, so that one that begins when the time is just over ends by its timeout."""


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """Everything a run needs from outside the core."""

    journal: Journal
    registry: Registry
    planner: Planner
    reviewers: tuple[Reviewer, ...]
    synthesiser: Synthesiser
    conditions: Conditions
    schemas: Schemas
    clock: Clock
    people: People
    policies: tuple[Policy, ...] = DEFAULT
    listeners: tuple[Listener, ...] = ()
    followers: tuple[Follower, ...] = ()
    historians: tuple[Historian, ...] = ()
    notifiers: tuple[Notifier, ...] = ()
    dispatch: Dispatch | None = None
    summariser: Summariser | None = None


class Conductor:
    """Drives one run through the loop. See `stretto.ports.Performer`."""

    def __init__(self, house: House, *, judging: bool = True) -> None:
        self._house, self._judging = house, judging
        self._lease: Lease | None = None
        self._sharing = Sharing(house.journal, house.clock)
        self._lessons, self._trials = Lessons(), Trials()
        self._at_work: dict[str, Assignment] = {}
        self._summaries: Summaries | None = None
        self._calls = Exchange(lambda: self.state, house.policies, house.clock)
        self.state = RunState()

    async def begin(self, run: str, first: Sequence[Command] = ()) -> tuple[RunState, Sequence[Effect]]:
        """Take the run over and load it; `first` are the commands to begin with, else it recovers.

        Where nothing comes of them, the run's line is written anew: an older release may have left it.
        """
        self._lease, self._summaries = await self._house.journal.claim(run), None
        try:
            state = RunState()
            before = [recorded.event for recorded in await self._house.journal.read(run)]
            for event in before:
                state = evolve(state, event)
                self._lessons.take(event)
                self._trials.take(event)
            self._lessons.interrupted()
            self.state = state
            for listener in self._house.listeners if state.run else ():
                listener(state, ())
            for historian in self._house.historians if state.run else ():
                historian.recall(state, before)
            commands = [await self._expecting(one) for one in first] or [Recover()]
            begun = next((one for one in commands if isinstance(one, SubmitGoal)), None)
            run_, catalogue = (begun.run, begun.catalogue) if begun is not None else (state.run, state.catalogue)
            await self.advance([*commands, *await self._sharing.join(run_, catalogue, state.heard)])
            if state.run and self.state.seq == state.seq:
                await self._house.journal.append(self._lease, state.seq, (), summary(state))
        except BaseException:
            await self.leave()
            raise
        return self.state, reconcile(self.state)

    async def advance(self, commands: Sequence[Command]) -> tuple[RunState, Sequence[Change]]:
        """Decide on commands and on what can be judged at once, commit all of it, and give what changed."""
        heard = self._sharing.news()
        while True:
            try:
                return await self._commit([*heard, *commands])
            except Overtaken:
                await self._sharing.listen()
                heard += self._sharing.news()

    async def _commit(self, commands: Sequence[Command]) -> tuple[RunState, Sequence[Change]]:
        if self._lease is None:
            raise LostOwnership("the run was given back")
        before = state = self.state
        facts: list[tuple[str, Event]] = []
        answered: set[str] = set()
        calls: list[tuple[Command, Sequence[Event]]] = []
        queue = [*commands, *self._calls.parked()]
        while queue:
            reviewable: list[str] = []
            for command in queue:
                stamped = replace(command, at=max(self._house.clock.now(), state.at))
                events, state = step(state, stamped)
                facts += [(stamped.actor, event) for event in events]
                if isinstance(command, BeginCall | EndCall):
                    calls.append((command, events))
                reviewable += [event.task for event in events if isinstance(event, AttemptCompleted)]
            queue = list(self._answers(state, reviewable, answered)) if self._judging else []
        if facts:
            beside = self._sharing.tell(before, facts)
            said = [event for _, event in facts]
            taught, tried = self._lessons.with_end(said), self._trials.with_end(said)
            await self._house.journal.append(self._lease, before.seq, facts, summary(state), beside, taught, tried)
            self._sharing.was_told(beside)
            for event in said:
                self._lessons.take(event)
                self._trials.take(event)
        self.state = state
        self._calls.heard(state, calls)
        if state.cancelling is not None:
            for assignment in self._at_work.values():
                assignment.stopping.set()
        events_only = [event for _, event in facts]
        for listener in self._house.listeners if facts else ():
            listener(state, events_only)
        for historian in self._house.historians if facts else ():
            historian(state, events_only)
        if facts and self._house.followers:
            told = [Recorded(seq=before.seq + n, actor=actor, event=event) for n, (actor, event) in enumerate(facts, 1)]
            for follower in self._house.followers:
                follower(state, told)
        return state, changes(before, state, events_only)

    async def _expecting(self, command: Command) -> Command:
        """Give a goal the durations that earlier runs of this store taught."""
        if not isinstance(command, SubmitGoal) or command.expected:
            return command
        known = await self._house.journal.durations()
        return replace(command, expected=expected(known, command.catalogue.agents))

    async def perform(self, effect: Effect, emit: Emit) -> Command | None:
        """Do one piece of work if it is still due, and give the command that reports it."""
        match effect:
            case RunTask():
                return await self._run(effect, emit)
            case ReviewResult():
                return await self._review(effect, emit)
            case Judge():
                return await self._judge_with_preview(effect)
            case Wait():
                await self._house.clock.until(effect.until)
                return FireTimer(timer=effect.timer)
            case MakePlan():
                caller = self._calls.caller(Piece(work="plan", number=effect.revision), emit)
                async for part in self._house.planner.plan(self.state, caller):
                    await emit(part)
            case AskPerson():
                return await self._ask(effect)
            case LookUp():
                return await self._look_up(effect)
            case Synthesise():
                caller = self._calls.caller(Piece(work="synthesise", number=effect.revision), emit)
                delivery = await self._house.synthesiser.compose(self.state, caller)
                return Deliver(delivery=delivery)
            case Notify():
                return await self._notify(effect)
        return None

    def is_call(self, effect: Effect) -> bool:
        """Whether a piece of work is the call of an agent that is no team: its members' calls are the work."""
        if not isinstance(effect, RunTask | LookUp):
            return False
        card = self.state.roster.agents.get(effect.agent)
        return card is None or card.kind != "team"

    async def collect(self) -> Sequence[Note]:
        """Give what others have left for the run, and listen to what other runs tell of its agents."""
        await self._sharing.listen()
        return await self._house.journal.inbox(self.state.run) if self.state.run else ()

    async def clear(self, notes: Sequence[Note]) -> None:
        """Forget notes that were carried out."""
        await self._house.journal.clear(notes)

    async def keep(self) -> None:
        """Renew the lease."""
        if self._lease is not None:
            await self._house.journal.renew(self._lease)

    async def leave(self) -> None:
        """Give the run back."""
        if self._lease is not None:
            await self._house.journal.release(self._lease)
            self._lease = None

    # ---- judging

    def _answers(self, state: RunState, reviewable: Sequence[str], answered: set[str]) -> Iterator[Command]:
        """Give the commands that need no work to be done: plain judgements and reviews."""
        for id_ in reviewable:
            one = state.tasks[id_]
            if one.status is TaskStatus.REVIEWING:
                reviews = self._glance(state, one)
                if reviews is not None:
                    yield _reported(id_, one.attempt, reviews)
        for effect in judgements(state):
            if effect.key not in answered:
                answered.add(effect.key)
                judged = self._judge(state, effect)
                if judged is not None:
                    yield judged

    def _judge(self, state: RunState, effect: Judge, preview: Preview | None = None) -> Judged | None:
        """Judge a ready task; None when a preview has to be made first."""
        one = state.tasks[effect.task]
        answer = _judged(effect)
        spread = one.task.for_each is not None and one.number is None
        repeated = one.task.repeat is not None
        if repeated and one.children is not None:
            return self._judge_round(state, one, answer)
        try:
            condition = None if spread and "item" in (one.task.when or "") else one.task.when
            if repeated and one.number is not None:
                condition = None  # it was judged before the first round
            if condition is not None and not self._house.conditions.holds(condition, visible(state, one)):
                return replace(answer, skip=f"its condition is false: {condition}")
            if spread and one.task.for_each is not None:
                items = value_of(state, one.task.for_each.items, one)
                if not isinstance(items, list):
                    return replace(answer, refusal=f"for_each needs a list and got {type(items).__name__}")
                return replace(answer, items=tuple(items))
            if repeated and one.number is None:
                return replace(answer, rounds=0)
            arguments = resolve(state, one)
        except (Missing, ValueError) as error:
            return replace(answer, refusal=f"cannot start: {error}")
        schema = state.roster.skill(one.task, effect.agent).inputs
        if problems := self._house.schemas.problems(arguments, schema):
            return replace(answer, refusal=f"its arguments do not fit: {'; '.join(problems)}")
        verdict = judge(state, effect, self._house.policies)
        if verdict.decision == "ask" and preview is None and state.roster.agents[effect.agent].previews:
            return None
        return replace(answer, verdict=verdict, arguments=arguments, preview=preview)

    def _judge_round(self, state: RunState, one: TaskState, answer: Judged) -> Judged:
        """Judge whether a repeated task is done, by what its latest round brought."""
        until, rounds = one.task.repeat.until if one.task.repeat is not None else None, one.children or 0
        try:
            output = accepted(state, child_id(answer.task, rounds - 1))
            values = {**visible(state, one), "output": output, "round": rounds - 1}
            done = until is not None and self._house.conditions.holds(until, values)
        except (LookupError, ValueError) as error:
            return replace(answer, refusal=f"cannot tell whether to go on: {error}")
        return replace(answer, rounds=rounds, again=not done)

    async def _judge_with_preview(self, effect: Judge) -> Command | None:
        one = self.state.tasks.get(effect.task)
        if one is None or not one.ready or one.attempt + 1 != effect.attempt or judged_before(one) != effect.round:
            return None
        agent = self._house.registry.get(effect.agent)
        answer = _judged(effect)
        if agent is None:
            gone = FailureClass.UNAVAILABLE
            return replace(answer, refusal=f"the agent {effect.agent!r} is not here any more", failure=gone)
        assignment = self._assignment(one, effect.task, effect.attempt, effect.agent)
        try:
            async with asyncio.timeout(self._limits(one, effect.agent).timeout):
                preview = await agent.preview(assignment)
        except Exception as error:
            return replace(answer, refusal=f"cannot show what it would change: {error or type(error).__name__}")
        return self._judge(self.state, effect, preview)

    # ---- running

    async def _run(self, effect: RunTask, emit: Emit) -> Command | None:
        one = self.state.tasks[effect.task]
        if of_task(self.state, effect.task) != effect:
            return None
        outcome = await self._outcome(one, effect, emit)
        return ReportOutcome(actor=f"agent:{effect.agent}", task=effect.task, attempt=effect.attempt, outcome=outcome)

    async def _outcome(self, one: TaskState, effect: RunTask, emit: Emit) -> Outcome:
        agent = self._house.registry.get(effect.agent)
        if agent is None:
            message = f"the agent {effect.agent!r} is not in this workspace any more"
            return Failed(failure=FailureClass.UNAVAILABLE, message=message)
        assignment = self._assignment(one, effect.task, effect.attempt, effect.agent)
        assignment.limits = limits = self._limits(one, effect.agent)
        assignment.ceiling, assignment.share = ceiling(self.state, one), share(self.state, effect.task)
        assignment.until = ends(self.state, one)
        if agent.card.window is not None:
            await self._fit(assignment, agent.card.window, emit)
        caller = self._calls.caller(Piece(work="run", task=effect.task, number=effect.attempt), emit, assignment)
        assignment.toolbox = caller
        self._at_work[effect.key] = assignment
        if self.state.cancelling is not None:
            assignment.stopping.set()
        try:
            async with asyncio.timeout(limits.timeout):
                return await agent.run(assignment)
        except asyncio.CancelledError:
            assignment.stopping.set()  # a thread cannot be killed, but it can look
            raise
        except TimeoutError:
            message = f"no answer within {limits.timeout:g} s"
            if self.state.roster.effect(one.task, effect.agent).repeatable:
                return Failed(failure=FailureClass.TIMED_OUT, message=message, cost=assignment.spent)
            return Unknown(message=message, cost=assignment.spent)
        except Exception as error:
            return Failed(failure=FailureClass.ERROR, message=f"{type(error).__name__}: {error}", cost=assignment.spent)
        finally:
            caller.close()
            self._at_work.pop(effect.key, None)

    async def _fit(self, assignment: Assignment, window: int, emit: Emit) -> None:
        """Make the arguments of an attempt fit its agent's window, and note how."""
        whole = assignment.arguments
        if self._summaries is None:
            of = Piece(work="summarise")
            self._summaries = Summaries(self._house.summariser, self._house.journal, self._calls.caller(of, emit))
        assignment.arguments, how = await self._summaries.fitted(whole, window, assignment.labels)
        assignment.shortened = {name: whole[name] for name in how}
        if how:
            await emit(ReportShortened(task=assignment.task, attempt=assignment.attempt, arguments=how))

    async def _look_up(self, effect: LookUp) -> Command | None:
        if of_task(self.state, effect.task) != effect:
            return None
        one, agent = self.state.tasks[effect.task], self._house.registry.get(effect.agent)
        answer = LookedUp(actor=f"agent:{effect.agent}", task=effect.task, attempt=effect.attempt)
        if agent is None:
            return replace(answer, outcome=Unknown(message=f"the agent {effect.agent!r} is not here any more"))
        assignment = self._assignment(one, effect.task, effect.attempt, effect.agent)
        failed = ""
        for pause in LOOKS:
            await self._house.clock.until(self._house.clock.now() + pause)
            try:
                async with asyncio.timeout(self._limits(one, effect.agent).timeout):
                    return replace(answer, outcome=await agent.look_up(assignment))
            except Exception as error:
                failed = str(error) or type(error).__name__
                if type(error) is LookupError:  # it cannot tell, and never will
                    break
        return replace(answer, outcome=Unknown(message=f"looking it up failed: {failed}"))

    def _assignment(self, one: TaskState, id_: str, attempt: int, agent: str) -> Assignment:
        skill = self.state.roster.skill(one.task, agent)
        return Assignment(
            run=self.state.run,
            task=id_,
            attempt=attempt,
            skill=skill.name,
            objective=one.task.objective,
            arguments=resolve(self.state, one),
            key=one.key or "",
            feedback=one.feedback,
            criteria=one.task.criteria,
            output=one.task.output or skill.output or context_schema(self.state, one) or {},
            answers=one.answers,
            labels=labels(self.state, one),
            word=one.word,
            charged=one.cost - one.handed,
            turn=one.turn,
            lineage=self.state.lineage,
        )

    def _limits(self, one: TaskState, agent: str) -> Limits:
        """Give the limits of an attempt; what nobody limits has the time that the run's rules give.

        No attempt has more time than is left to the run and to the budget of its task; what undoes has its own.
        """
        limits = self.state.roster.limits(one.task, agent)
        timeout = limits.timeout or self.state.catalogue.rules.timeout
        ends = [self.state.until if one.task.undoes is None else None, task_ends(self.state, one)]
        left = [end - self._house.clock.now() for end in ends if end is not None]
        return replace(limits, timeout=max(min([timeout, *left]), LEAST_SECONDS))

    # ---- alerting

    async def _notify(self, effect: Notify) -> Command | None:
        await self._house.clock.until(effect.until)
        alert, dispatch = self.state.notices.get(effect.notice), self._house.dispatch
        if alert is None or alert.attempt != effect.attempt:
            return None
        channels = [one for one in self._house.notifiers if alert.channels is None or one.name in alert.channels]
        answer = NoticeSent(notice=effect.notice, attempt=effect.attempt)
        if dispatch is None or not channels:
            return replace(answer, errors=(("none", "this process has no channel for alerts"),))
        sent = await asyncio.gather(*(dispatch([one], alert.notice) for one in channels))
        failed = [(one.name, str(error)) for one, errors in zip(channels, sent, strict=True) for error in errors]
        return replace(answer, errors=tuple(failed))

    # ---- asking

    async def _ask(self, effect: AskPerson) -> Command | None:
        answer = await self._house.people.ask(self.state, effect.request)
        request = self.state.requests.get(effect.request)
        if answer is None and request is not None and request.kind == "alternatives" and request.chain is None:
            why = "nobody here could be asked"  # the run ends with what it has; it can be retried or edited later
            return AnswerRequest(actor="system", request=request.id, decision="answer", value=WITHOUT, reason=why)
        return answer

    # ---- reviewing

    def _product(self, state: RunState, one: TaskState) -> Product:
        skill = state.roster.skill(one.task, str(one.agent))
        return Product(
            task=one.task,
            schema=one.task.output or skill.output,
            entry=context_schema(state, one),
            evidence=skill.evidence,
            result=one.result or Result(),
            criteria=criteria_of(state, one),
            judge_required=state.catalogue.rules.judge == "required",
        )

    def _glance(self, state: RunState, one: TaskState) -> list[Review] | None:
        """Give what the reviewers say at once, up to the one that rejects; None when one of them has to read."""
        product = self._product(state, one)
        reviews: list[Review] = []
        for reviewer in self._house.reviewers:
            review = reviewer.glance(product)
            if review is None:
                return None
            reviews.append(review)
            if not review.accepted:
                break
        return reviews

    async def _review(self, effect: ReviewResult, emit: Emit) -> Command | None:
        if of_task(self.state, effect.task) != effect:
            return None
        one = self.state.tasks[effect.task]
        of = Piece(work="review", task=effect.task, number=effect.attempt)
        product = replace(
            self._product(self.state, one),
            arguments=resolve(self.state, one),
            labels=labels_of_piece(self.state, of),
        )
        caller = self._calls.caller(of, emit)
        reviews: list[Review] = []
        for reviewer in self._house.reviewers:
            reviews.append(reviewer.glance(product) or await reviewer.review(product, caller))
            if not reviews[-1].accepted:
                break
        return _reported(effect.task, effect.attempt, reviews)


def _reported(task: str, attempt: int, reviews: Sequence[Review]) -> ReportReview:
    """Give the command that reports the reviews of a result: the last rejects it, or all accept it together."""
    earlier, review = (
        tuple(reviews),
        Review(accepted=True, reviewer="+".join(one.reviewer for one in reviews if one.reviewer)),
    )
    if reviews and not reviews[-1].accepted:
        earlier, review = tuple(reviews[:-1]), reviews[-1]
    return ReportReview(actor=f"reviewer:{review.reviewer}", task=task, attempt=attempt, review=review, earlier=earlier)


def _judged(effect: Judge) -> Judged:
    return Judged(
        actor="policy", task=effect.task, attempt=effect.attempt, agent=effect.agent, revision=effect.revision
    )


def summary(state: RunState) -> RunSummary:
    """Give the line of a run for lists."""
    missing = len(state.delivery.gaps) if state.delivery is not None else 0
    return RunSummary(
        run=state.run,
        goal=state.goal,
        status=state.standing.value,
        workspace=state.workspace,
        started=state.started,
        ended=state.ended,
        cost=state.spent,
        gaps=missing,
        tasks=state.planned,
        completed=state.completed,
        wake=wake(state),
        asks=len(state.requests),
    )


async def load(journal: Journal, run: str) -> RunState:
    """Give the state of a run as its journal tells it; empty for an unknown run."""
    state = RunState()
    for recorded in await journal.read(run):
        state = evolve(state, recorded.event)
    return state
