"""The desk: everything that people and programs may see and ask of the runs of a workspace, over a server.

Whoever comes says who they are; each method says what they must be allowed to, and nothing gets past it. What is asked
is in the journal before a method returns; it is done by the worker that the server has, or by any other of the store.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from stretto import words
from stretto.access.roles import Permission, Principal, require, require_reach
from stretto.answering import answer_of, answered, is_word_of, why_settled
from stretto.chronicle import chronicle
from stretto.core.audit import Envelope, broken_link
from stretto.core.canonical import canonical, digest
from stretto.core.commands import Command, Continue, Pause, RateRun, Replan, RetryTask, SubmitGoal
from stretto.core.domain import Artifact, Json, PlannerChoice, Request, RunStatus
from stretto.core.errors import Conflict, OwnedElsewhere, UnknownRun, UsageError
from stretto.core.events import Event, RunSubmitted
from stretto.core.state import RunState
from stretto.decisions import decisions
from stretto.desk.confining import Confines, keep_upload, require_plan_name
from stretto.desk.following import Followed, Following
from stretto.desk.knowing import States, Streams
from stretto.desk.offering import Offer, offers_of
from stretto.desk.team import Team
from stretto.details import task_details
from stretto.edits import edit_of
from stretto.lookup import new_run_id
from stretto.measuring import By, bring_up_to_date, numbers, numbers_view
from stretto.orchestrator import Conductor, House
from stretto.planners.proposal import Proposal
from stretto.ports import Recorded, RunQuery, RunSummary
from stretto.results import arguments_schema
from stretto.travel import moment_of
from stretto.views import artifacts_of
from stretto.words import GRACE
from stretto.workforce import workforce

UPLOADS = "uploads"
LARGEST_UPLOAD = 32 * 1024 * 1024
"""Bytes of a file that may be handed in."""
MEASURED_AT_ONCE = 200
"""Runs that are measured before numbers are given; whoever asks waits a second or two at the most."""

MOST_OPEN = 1000
"""Runs that have not ended of which it is told how much work they have for agents: the newest."""

UNFINISHED = frozenset(status.value for status in RunStatus if not status.final)

_LOOKS, _PAUSE = 100, 0.05
"""How often, and after how many seconds, it is looked whether something has come about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Some of the runs that were looked for; `more` is where the next page begins, None at the end."""

    runs: Sequence[RunSummary]
    more: tuple[float, str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Something that waits for a person, and the run that asks."""

    run: str
    goal: str
    request: Request
    state: RunState


class Desk:
    """The runs of one workspace in one store.

    `house` is one without agents and people, `team` gives the team for new runs, `nudge` is called when there is
    something to do, and `files` is where what was handed in is kept. Every method raises Forbidden for somebody who may
    not, UnknownRun for a run that is not of this workspace, and UsageError for what cannot be.
    """

    def __init__(
        self, house: House, team: Callable[[], Team], following: Following, *, nudge: Callable[[], None], files: Path
    ) -> None:
        self._house, self._journal = house, house.journal
        self._team, self._following, self._nudge = team, following, nudge
        self._files = files / UPLOADS
        self._asking, self._open = States(self._journal), States(self._journal)
        self._streams = Streams(self._journal)
        self._measuring = asyncio.Lock()

    @property
    def team(self) -> Team:
        """The team that new runs begin with."""
        return self._team()

    # ---- looking

    async def runs(self, who: Principal, query: RunQuery) -> Page:
        """Give the runs that are looked for, newest first."""
        self._require(who, Permission.VIEW)
        found = list(await self._journal.runs(replace(self._here(query), limit=query.limit + 1)))
        page = found[: query.limit]
        more = (page[-1].started, page[-1].run) if len(found) > len(page) else None
        return Page(runs=page, more=more)

    async def counts(self, who: Principal, query: RunQuery) -> Mapping[str, int]:
        """Give how many runs are looked for, by status."""
        self._require(who, Permission.VIEW)
        return await self._journal.counts(self._here(query))

    async def run(self, who: Principal, run: str, at: str | int | None = None) -> RunState:
        """Give a run as it is, or as it was at a point: an event's number, a moment, or just before a task began."""
        one = await self._found(who, run)
        return (await self._at(one, at))[0]

    async def recorded(self, who: Principal, run: str) -> Sequence[Recorded]:
        """Give everything that happened in a run; not to be changed."""
        return (await self._found(who, run)).recorded

    async def events(self, who: Principal, run: str, after: int = 0, limit: int = 1000) -> list[dict[str, Any]]:
        """List what happened in a run after an event: number, moment, actor, type, and a line of text."""
        return chronicle((await self._found(who, run)).recorded[max(0, after) : max(0, after) + limit])

    async def task(
        self, who: Principal, run: str, task: str, *, at: str | int | None = None, whole: bool = False
    ) -> dict[str, Any]:
        """Give everything of a task (see `stretto.details`), as it is, or as it was at a point of the run."""
        one = await self._found(who, run)
        state, recorded = await self._at(one, at)
        return await asyncio.to_thread(task_details, state, recorded, task, whole=whole)

    @asynccontextmanager
    async def watching(self, who: Principal, run: str) -> AsyncIterator[Followed]:
        """Watch a run go on; see `Followed.after`. Nothing ever waits for whoever watches."""
        await self._found(who, run)
        async with self._following.watching(run) as followed:
            yield followed

    async def artifact(self, who: Principal, run: str, task: str, name: str) -> Artifact:
        """Give a file of an accepted result, by the names that the run knows it by."""
        one = await self._found(who, run)
        for id_, artifact in artifacts_of(one.state):
            if (id_, artifact.name) == (task, name):
                return artifact
        raise UnknownRun(f"run {run} has no artifact {name!r} of task {task!r}")

    async def inbox(self, who: Principal) -> list[Asked]:
        """Give what waits for a person in all runs, what has waited longest first."""
        self._require(who, Permission.VIEW)
        found = await self._journal.runs(self._here(RunQuery(asking=True, teams=False, limit=1000)))
        known = await self._asking.of([one.run for one in found])
        asked = [
            Asked(run=run, goal=state.goal, request=request, state=state)
            for run, state in known.items()
            for request in state.requests.values()
            if not state.status.final
        ]
        return sorted(asked, key=lambda one: (one.request.asked, one.request.id))

    async def agents(self, who: Principal) -> list[dict[str, Any]]:
        """Give the agents of the team and how they are (see `stretto.workforce`)."""
        self._require(who, Permission.VIEW)
        found = await self._journal.runs(self._here(RunQuery(statuses=UNFINISHED, limit=MOST_OPEN)))
        runs = await self._open.of([one.run for one in found])
        catalogue = self.team.catalogue
        told = await self._streams.of(catalogue)
        return workforce(
            catalogue, told, [one for one in runs.values() if not one.status.final], self._house.clock.now()
        )

    async def numbers(
        self, who: Principal, *, since: float | None = None, until: float | None = None, by: By = "workflow"
    ) -> dict[str, Any]:
        """Give the numbers of the runs that ended between two moments (see `stretto.measuring.numbers_view`).

        At most `MEASURED_AT_ONCE` runs are measured for it now; `complete` says whether that was all, `unreadable`
        names those that cannot be.
        """
        self._require(who, Permission.VIEW)
        async with self._measuring:
            progress = await bring_up_to_date(self._journal, MEASURED_AT_ONCE)
        found = await numbers(self._journal, self.team.place, since, until, by)
        told = {"complete": progress.measured < MEASURED_AT_ONCE, "unreadable": list(progress.unreadable)}
        return {**numbers_view(found), **told}

    async def decisions(self, who: Principal, run: str) -> list[dict[str, Any]]:
        """Give every decision of a run; see `stretto.decisions`."""
        one = await self._found(who, run)
        return await asyncio.to_thread(decisions, one.state, one.recorded[: one.seq])

    async def audit(self, who: Principal, run: str) -> tuple[Sequence[Envelope], int | None]:
        """Give a run's events as stored, and the number of the first that does not fit the chain; None when all do."""
        await self._found(who, run)
        envelopes = await self._journal.envelopes(run)
        return envelopes, await asyncio.to_thread(broken_link, envelopes)

    async def plans(self, who: Principal) -> Sequence[Offer]:
        """Give the plans and playbooks of the workspace that a run can begin with."""
        self._require(who, Permission.VIEW)
        return await asyncio.to_thread(offers_of, self.team)

    # ---- operating

    async def upload(self, who: Principal, name: str, content: bytes) -> str:
        """Keep a file that somebody hands in, and give its path, as inputs name it."""
        self._require(who, Permission.OPERATE)
        if len(content) > LARGEST_UPLOAD:
            raise UsageError(f"{name!r} has {len(content):,} bytes; a file may have {LARGEST_UPLOAD:,}")
        return str(await asyncio.to_thread(keep_upload, self._files, name, content))

    async def propose(
        self,
        who: Principal,
        goal: str,
        *,
        inputs: dict[str, Json] | None = None,
        answers: Sequence[tuple[str, str]] = (),
        planner: PlannerChoice | None = None,
    ) -> Proposal:
        """Say how a goal would be pursued, and run nothing."""
        self._require(who, Permission.OPERATE)
        self._confines.require(None, inputs or {})  # before anything looks at what it names
        self._confines.require(None, [text for _, text in answers])
        self._confines.require_order(self.team.order(goal, actor=who.actor, plan=None, inputs=inputs))
        return await self.team.plan(goal, inputs=inputs, answers=answers, planner=planner)

    async def submit(
        self,
        who: Principal,
        goal: str,
        *,
        plan: dict[str, Any] | str | None = None,
        inputs: dict[str, Json] | None = None,
        budget: str | None = None,
        deadline: str | float | None = None,
        planner: PlannerChoice | None = None,
        key: str = "",
    ) -> tuple[RunState, bool]:
        """Begin a run, and give it with whether it is new; it is in the journal when this returns.

        `plan` is the name of one of the workspace's plans, or a whole one; `inputs` may name files of the workspace and
        files handed in. With a `key`, the same order of the same person is one run, however often it comes. Raises
        BadPlan, Forbidden for files elsewhere, and Conflict for another order under the same key.
        """
        self._require(who, Permission.OPERATE)
        require_plan_name(plan)
        self._confines.require(None, inputs or {})  # before anything looks at what it names
        team = self.team
        run = _run_of(team.place, who.name, key) if key else new_run_id()
        order = team.order(
            goal,
            actor=who.actor,
            plan=plan,
            inputs=inputs,
            budget=budget,
            deadline=deadline,
            run_id=run,
            planner=planner,
        )
        self._confines.require_order(order)
        if key:
            order = replace(order, asked=digest([goal, plan, inputs, budget, deadline, planner]))
        facts: list[Recorded] = []
        house = replace(self._house, followers=(*self._house.followers, lambda state, told: facts.extend(told)))
        for _ in range(_LOOKS):
            if key and (await self._journal.heads([run]))[0]:
                return _same(order, await self._following.run(run)), False
            conductor = Conductor(house, judging=False)
            try:
                await conductor.begin(run, [order])
            except OwnedElsewhere:  # the same order came twice at once
                await asyncio.sleep(_PAUSE)
                continue
            await conductor.leave()
            self._nudge()
            if facts and facts[0].seq == 1:  # else another was quicker, and has left the run by now
                return conductor.state, True
        raise Conflict(f"run {run} is being begun by another; ask again in a moment")

    async def pause(self, who: Principal, run: str, reason: str = "") -> RunState:
        """Have a run begin nothing new; what is under way ends and is kept."""
        await self._found(who, run, Permission.OPERATE)
        return await self._word(run, Pause(actor=who.actor, reason=reason))

    async def resume(
        self, who: Principal, run: str, *, budget: str | None = None, deadline: str | float | None = None
    ) -> RunState:
        """Go on with a paused run, with another budget or deadline where one is given."""
        one = await self._found(who, run, Permission.OPERATE)
        if one.state.parent:
            raise UsageError(f"run {run} is a team's work for run {one.state.parent}; resume that one")
        if budget is not None or deadline is not None:
            await self._word(run, self.team.limits(actor=who.actor, budget=budget, deadline=deadline))
        return await self._word(run, Continue(actor=who.actor))

    async def cancel(
        self, who: Principal, run: str, *, reason: str = "", grace: float = GRACE, undo: bool = False
    ) -> RunState:
        """Stop a run; what is finished stays, or with `undo` is taken back first where it can be."""
        await self._found(who, run, Permission.OPERATE)
        if not 0 <= grace <= 3600:
            raise UsageError(f"grace is a number of seconds from 0 to 3600, not {grace!r}")
        state = await words.cancel(self._house, run, actor=who.actor, reason=reason, grace=grace, undo=undo)
        self._nudge()
        return state

    async def retry(
        self, who: Principal, run: str, task: str, *, agent: str | None = None, feedback: str = "", again: bool = False
    ) -> RunState:
        """Do a task once more, with all that fell because of it; a completed one only `again`."""

        def wish(state: RunState) -> Command:
            return RetryTask(
                actor=who.actor, revision=state.revision, task=task, agent=agent, feedback=feedback, again=again
            )

        return await self._granted(who, run, wish)

    async def edit(
        self,
        who: Principal,
        run: str,
        *,
        plan: dict[str, Any] | str | None = None,
        values: Mapping[str, Json] | None = None,
        remove: Sequence[str] = (),
        inputs: dict[str, Json] | None = None,
    ) -> RunState:
        """Put another plan in place, or change the one there is; finished tasks left unchanged keep their results."""
        await self._found(who, run, Permission.OPERATE)
        require_plan_name(plan)
        chosen = self.team.read_plan(plan) if plan is not None else None
        self._confines.require(chosen, [dict(values or {}), inputs or {}])

        def wish(state: RunState) -> Command:
            return edit_of(state, chosen, values=values or {}, remove=remove, inputs=inputs or {}, actor=who.actor)

        return await self._granted(who, run, wish)

    async def replan(self, who: Principal, run: str, text: str = "") -> RunState:
        """Have the unfinished part of a run planned anew, with more words to its goal."""

        def wish(state: RunState) -> Command:
            self._confines.require_words(text)
            return Replan(actor=who.actor, revision=state.revision, words=text.strip())

        return await self._granted(who, run, wish)

    async def fork(
        self,
        who: Principal,
        run: str,
        at: str | None = None,
        *,
        plan: dict[str, Any] | str | None = None,
        inputs: dict[str, Json] | None = None,
    ) -> RunState:
        """Begin another run where this one was at a point; what it did to the world is not done again."""
        await self._found(who, run, Permission.OPERATE)
        require_plan_name(plan)
        chosen = self.team.read_plan(plan) if plan is not None else None
        self._confines.require(chosen, inputs or {})
        forked = await words.fork(self._house, run, at, actor=who.actor, plan=chosen, inputs=inputs or {})
        self._nudge()
        return (await self._following.run(forked)).state

    # ---- deciding

    async def answer(
        self,
        who: Principal,
        run: str,
        request: str,
        decision: str,
        *,
        value: Json = None,
        reason: str = "",
        as_name: str = "",
    ) -> RunState:
        """Say a person's word on what a run asks; see `stretto.answering`.

        Who may administer may say it for somebody else (`as_name`), which the record tells. Arguments to go on with
        have to fit the skill's schema. Raises Conflict where somebody else has decided, or it is asked no longer.
        """
        one = await self._found(who, run, Permission.DECIDE)
        actor = who.actor
        if as_name and as_name != who.name:
            require(who, Permission.ADMINISTER)
            actor = f"person:{as_name} (typed by {who.name})"
        if request not in one.state.requests and (why := why_settled(_events(one), request)):
            raise Conflict(f"{why}; your word changed nothing")
        if decision in ("answer", "edit"):  # agents and planners work with it
            self._confines.require(None, value)
        command = answer_of(one.state, request, decision, actor=actor, value=value, reason=reason)
        if decision == "edit":
            self._require_fitting(one.state, one.state.requests[request], value)
        await self._word(run, command)
        for _ in range(_LOOKS):
            one = await self._following.run(run)
            if request not in one.state.requests:
                break
            await asyncio.sleep(_PAUSE)
        said = answered(_events(one), request)
        if request not in one.state.requests and (said is None or not is_word_of(said, command)):
            raise Conflict(f"{why_settled(_events(one), request)}; your word came too late and changed nothing")
        return one.state

    # ---- at delivery

    async def rate(self, who: Principal, run: str, score: int, text: str = "") -> RunState:
        """Say how content one is with what a run delivered, from 1 to 5; for who begins runs or decides about them."""
        await self._found(who, run, Permission.RATE)
        return await words.grant(self._house, run, lambda _: RateRun(actor=who.actor, score=score, words=text.strip()))

    # ---- what the methods share

    def _require(self, who: Principal, permission: Permission) -> None:
        workspace = self.team.workspace
        require_reach(who, *((workspace.name, str(workspace.folder)) if workspace else ("",)))
        require(who, permission)

    def _here(self, query: RunQuery) -> RunQuery:
        return replace(query, workspace=self.team.place)

    async def _found(self, who: Principal, run: str, permission: Permission = Permission.VIEW) -> Followed:
        self._require(who, permission)
        one = root = await self._following.run(run)
        while root.state.parent:  # a team's work belongs to whom the team works for
            root = await self._following.run(root.state.parent)
        if not one.state.run or root.state.workspace != self.team.place:
            raise UnknownRun(f"there is no run {run!r} here")
        return one

    def _require_fitting(self, state: RunState, request: Request, arguments: Json) -> None:
        """Raise UsageError where arguments that somebody edited do not fit the schema of what they are for."""
        if problems := self._house.schemas.problems(arguments, arguments_schema(state, request)):
            raise UsageError(f"these arguments do not fit: {'; '.join(problems)}")

    async def _at(self, one: Followed, at: str | int | None) -> tuple[RunState, Sequence[Recorded]]:
        """Give a run as it was at a point, with the events that lead there; as it is without a point."""
        if at is None:
            return one.state, one.recorded[: one.seq]
        events = _events(one)
        number = moment_of(events, str(at))
        return await asyncio.to_thread(one.past.at, events, number), one.recorded[:number]

    async def _word(self, run: str, command: Command) -> RunState:
        state = await words.leave_word(self._house, run, command)
        self._nudge()
        return state

    async def _granted(self, who: Principal, run: str, wish: Callable[[RunState], Command]) -> RunState:
        await self._found(who, run, Permission.OPERATE)
        state = await words.grant(self._house, run, wish)
        self._nudge()
        return state

    @property
    def _confines(self) -> Confines:
        workspace, here = self.team.workspace, Path.cwd()
        home = workspace.folder if workspace else here
        return Confines(roots=(home.resolve(), self._files.resolve()), bases=(home, here))


def _run_of(place: str, name: str, key: str) -> str:
    """Name the run of an order by who gives it under which key, so that it is one run however often it comes."""
    return f"order-{hashlib.sha256(canonical([place, name, key])).hexdigest()[:20]}"


def _events(one: Followed) -> list[Event]:
    return [recorded.event for recorded in one.recorded]


def _same(order: SubmitGoal, known: Followed) -> RunState:
    """Give the run that an order has begun already; raises Conflict where it was another order."""
    begun = known.recorded[0].event
    if not isinstance(begun, RunSubmitted) or begun.asked != order.asked:
        raise Conflict(f"this key has begun the run {known.state.run} with another order; take another key")
    return known.state
