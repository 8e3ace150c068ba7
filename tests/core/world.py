"""A world to drive the pure core in: random plans, and answers to effects as a random outside might give them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import get_args

import msgspec
from hypothesis import strategies as st

from stretto.codec import Codec
from stretto.core.budget import ceiling
from stretto.core.calls import call_id, call_of, is_doubtful, piece_of
from stretto.core.commands import (
    AddTask,
    AnswerRequest,
    BeginCall,
    ChangeLimits,
    ClarifyGoal,
    ClosePlan,
    Command,
    Continue,
    Deliver,
    EditPlan,
    EndCall,
    FailPlan,
    FireTimer,
    HearOf,
    InterpretGoal,
    Judged,
    LookedUp,
    NoticeSent,
    Pause,
    Recover,
    Replan,
    ReportOutcome,
    ReportReview,
    RetryTask,
    SubmitGoal,
)
from stretto.core.context import Missing, resolve, value_of
from stretto.core.decide import step
from stretto.core.domain import (
    AgentCard,
    Artifact,
    Ask,
    Asks,
    Breaker,
    Budget,
    Call,
    Called,
    Catalogue,
    Chain,
    Citation,
    Completed,
    Cost,
    Delivery,
    Failed,
    FailureClass,
    Fallback,
    ForEach,
    Hold,
    InputRequired,
    Interpretation,
    Join,
    Json,
    Ladder,
    Limits,
    Outcome,
    Piece,
    Plan,
    Preview,
    Provider,
    Rate,
    Repeat,
    Review,
    Rules,
    Rung,
    Score,
    SideEffect,
    Skill,
    Start,
    Task,
    Undo,
    Unknown,
    Usage,
    Verdict,
)
from stretto.core.effects import (
    AskPerson,
    Effect,
    Judge,
    LookUp,
    MakePlan,
    Notify,
    ReviewResult,
    RunTask,
    Synthesise,
    Wait,
    Withdraw,
)
from stretto.core.events import Event, PlanRevised, TasksReopened
from stretto.core.reconcile import changes, reconcile
from stretto.core.state import RunState, gaps

EFFECTS = tuple(SideEffect)

numbers = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**60), 2**60)
values: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | numbers | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


steps = st.builds(
    Ask,
    who=st.sampled_from(["", "ann", "bob"]),
    within=st.floats(1, 9),
    remind=st.none() | st.floats(0.5, 4),
)
chains = st.builds(
    Chain,
    steps=st.lists(steps, min_size=1, max_size=3).map(tuple),
    otherwise=st.sampled_from(get_args(Fallback)),
    value=st.just("so be it"),
    only=st.booleans(),
) | st.just(Chain(steps=(Ask(who="ann", remind=5.0),)))
asks: st.SearchStrategy[Asks] = st.dictionaries(
    st.sampled_from(["approval", "question", "doubt", "goal", "failure", "review", "default"]), chains, max_size=2
)


PROVIDER = "service"
rates = st.sampled_from([Rate(), Rate(requests=1), Rate(requests=3), Rate(tokens=2), Rate(requests=2, tokens=3)])
breakers = st.sampled_from(
    [None, None, Breaker(failures=0), Breaker(failures=1, window=2), Breaker(failures=2, window=3)]
)


def card(
    effect: SideEffect,
    *,
    looks_up: bool,
    concurrency: int | None,
    cost: int,
    rate: Rate = Rate(),  # noqa: B008 - frozen
    breaker: Breaker | None = None,
    provider: str = "",
    bounded: bool = True,
) -> AgentCard:
    """Give an agent with a skill of this effect, and where that can be taken back, one that does so."""
    name, undo = f"do_{effect.value}", f"undo_{effect.value}" if effect is SideEffect.REVERSIBLE else None
    skills = (Skill(name=name, effect=effect, inputs={"type": "object"}, undo=undo),)
    if undo is not None:
        taken = {"type": "object", "properties": {"a": {}, "result": {}}, "additionalProperties": False}
        skills += (Skill(name=undo, effect=SideEffect.IDEMPOTENT, inputs=taken),)
    return AgentCard(
        name=f"agent_{effect.value}",
        rate=rate,
        breaker=breaker,
        provider=provider,
        skills=skills,
        looks_up=looks_up,
        concurrency=concurrency,
        cost=Cost(money=Decimal(cost), tokens=cost),
        bounded=bounded,
    )


def spares(team: tuple[AgentCard, ...]) -> tuple[AgentCard, ...]:
    """Give each agent two stand-ins: one named as its backup, with a skill of its own name, and one with the same."""
    named = [
        replace(
            one,
            name=f"other_{one.name}",
            skills=tuple(replace(skill, name=f"other_{one.name}.{skill.name}") for skill in one.skills),
        )
        for one in team
    ]
    same = [replace(one, name=f"second_{one.name}") for one in team]
    return (*(replace(one, backups=(f"other_{one.name}",)) for one in team), *named, *same)


again = st.builds(
    Rung, do=st.sampled_from(["retry", "revise"]), times=st.integers(1, 3), pause=st.sampled_from([0.0, 0.5])
)
others = st.sampled_from(
    [
        Rung(do="with", arguments={"a": 0}),
        Rung(do="backup"),
        Rung(do="agent", agent="agent_none"),
        Rung(do="ask"),
        Rung(do="ask", who="ann", within=5.0),
    ]
)
ends = st.sampled_from([(), (Rung(do="fail"),), (Rung(do="skip"),), (Rung(do="compensate"),), (Rung(do="stop"),)])
ladders: st.SearchStrategy[Ladder] = st.dictionaries(
    st.sampled_from([*(one.value for one in FailureClass), "*"]),
    st.builds(lambda first, end: (*first, *end), st.lists(again | others, max_size=3), ends),
    max_size=3,
)


@st.composite
def teams(draw: st.DrawFn) -> Catalogue:
    """Draw who is there: one agent for each side effect or more, with rates, breakers and a provider in common."""
    looks, most, cost = draw(st.booleans()), draw(st.none() | st.integers(1, 3)), draw(st.integers(0, 2))
    unbounded = draw(st.none() | st.sampled_from(EFFECTS))
    agents = tuple(
        card(
            effect,
            looks_up=looks,
            concurrency=most,
            cost=cost,
            rate=draw(rates),
            breaker=draw(breakers),
            provider=draw(st.sampled_from(["", "", PROVIDER])),
            bounded=effect is not unbounded,
        )
        for effect in EFFECTS
    )
    someone = AgentCard(name="someone", kind="person", skills=(Skill(name="do_by_hand", effect=SideEffect.NONE),))
    limits = Provider(concurrency=draw(st.none() | st.integers(1, 2)), rate=draw(rates), breaker=draw(breakers))
    return Catalogue(
        agents=(*(spares(agents) if draw(st.booleans()) else agents), someone),
        rules=Rules(
            parallel=draw(st.integers(1, 6)),
            fan_out=5,
            ladder=draw(st.just({}) | ladders),
            most_failures=draw(st.sampled_from([None, None, 3])),
            unbounded=draw(st.sampled_from(["alone", "alone", "refuse"])),
            stall=draw(st.sampled_from([None, 0.5])),
        ),
        ask=draw(asks),
        providers={PROVIDER: limits} if draw(st.booleans()) else {},
    )


catalogues = teams()
task_budgets = st.none() | st.builds(
    Budget,
    steps=st.none() | st.integers(1, 5),
    tokens=st.none() | st.integers(0, 6),
    seconds=st.none() | st.floats(0.5, 60),
    revisions=st.none() | st.integers(0, 2),
)


def fan_outs(items: list[Json]) -> st.SearchStrategy[ForEach]:
    return st.builds(
        ForEach, items=st.just(items), allow_failures=st.booleans(), parallel=st.none() | st.integers(1, 2)
    )


repeats = st.builds(
    Repeat,
    max=st.integers(1, 4),
    until=st.sampled_from([None, "output == 1", "round > 1"]),
    pause=st.sampled_from([0.0, 0.0, 4.0]),
    otherwise=st.sampled_from(["fail", "keep"]),
)


@st.composite
def joins(draw: st.DrawFn, earlier: list[str]) -> Join:
    """Draw a join of some earlier tasks."""
    of = draw(st.lists(st.sampled_from(earlier), unique=True, min_size=1, max_size=3))
    take = draw(st.sampled_from(["first", "all"]) | st.integers(1, len(of)))
    return Join(of=tuple(of), take=take, rest=draw(st.sampled_from(["cancel", "cancel", "keep"])))


@st.composite
def plans(draw: st.DrawFn, most: int = 8) -> Plan:
    """Draw a plan without defects: references lead to earlier tasks only."""
    count = draw(st.integers(1, most))
    tasks: list[Task] = []
    writers: list[str] = []
    for number in range(count):
        earlier = [task.id for task in tasks]
        inputs: dict[str, Json] = {}
        for name in draw(st.lists(st.sampled_from("abc"), unique=True, max_size=3)):
            if earlier and draw(st.booleans()):
                ref: dict[str, Json] = {"ref": f"{draw(st.sampled_from(earlier))}.output"}
                inputs[name] = {**ref, "default": None} if draw(st.booleans()) else ref
            else:
                inputs[name] = draw(values.filter(lambda value: not isinstance(value, dict)))
        after = draw(st.lists(st.sampled_from(earlier), unique=True, max_size=2)) if earlier else []
        if writers and draw(st.booleans()):
            inputs["shared"] = {"ref": "context.shared", "default": None}
            after += [writers[0]]
        writes = draw(st.sampled_from([None, f"k{number}", "shared"]))
        if writes == "shared":  # those who write one entry do so in turn; who reads it may well be late
            after += writers[-1:]
            writers.append(f"t{number}")
        effect = draw(st.sampled_from(EFFECTS))
        spread = draw(st.sampled_from([None, None, None, [], [1], [1, 1, 2]]))
        join = draw(joins(earlier)) if earlier and draw(st.integers(0, 2)) == 0 else None
        if join is not None and draw(st.booleans()):
            inputs["joined"] = {"ref": "joined"}
        repeat = draw(repeats) if spread is None and draw(st.integers(0, 3)) == 0 else None
        if repeat is not None:
            inputs["previous"] = draw(st.sampled_from([1, {"ref": "previous", "default": None}, {"ref": "round"}]))
        own_undo = Undo(skill="undo_reversible", inputs={"a": {"ref": f"t{number}.output"}, "b": 1})
        tasks.append(
            Task(
                id=f"t{number}",
                skill=draw(st.sampled_from([*[f"do_{effect.value}"] * 5, "do_by_hand"])),
                inputs=inputs,
                after=tuple(dict.fromkeys(after)),
                for_each=None if spread is None else draw(fan_outs(spread)),
                join=join,
                repeat=repeat,
                wait=draw(st.sampled_from([None, None, None, 2.0, 500.0])),
                limits=Limits(
                    attempts=draw(st.none() | st.integers(1, 3)),
                    deadline=draw(st.sampled_from([None, None, None, 1.0, 20.0])),
                ),
                writes=writes,
                occurrence=number,
                approval=draw(st.sampled_from(["policy", "policy", "ask"])),
                ladder=draw(st.just({}) | ladders),
                undo=draw(st.sampled_from([None, None, own_undo])) if effect is not SideEffect.NONE else None,
                budget=draw(st.none() | task_budgets),
                ask=draw(st.just({}) | asks),
            )
        )
    deliver = {"ref": f"{draw(st.sampled_from(tasks)).id}.output"} if draw(st.booleans()) else None
    return Plan(tasks=tuple(draw(st.permutations(tasks))), deliver=deliver)


@st.composite
def edited(draw: st.DrawFn, plan: Plan) -> Plan:
    """Draw a change of a plan: another task, one less, one changed, one renamed, or nothing at all."""
    tasks = list(plan.tasks)
    change = draw(st.sampled_from(["nothing", "add", "remove", "change", "rename", "renew"]))
    if change == "renew":
        return draw(plans())
    if change == "add":
        earlier = draw(st.sampled_from(tasks)).id
        effect = draw(st.sampled_from(EFFECTS))
        number = draw(st.integers(100, 109))
        if all(task.id != f"t{number}" for task in tasks):
            inputs: dict[str, Json] = {"a": {"ref": f"{earlier}.output"}}
            tasks.append(Task(id=f"t{number}", skill=f"do_{effect.value}", inputs=inputs, occurrence=number))
        return replace(plan, tasks=tuple(tasks))
    if change == "nothing" or len(tasks) < 2:
        return plan
    chosen = draw(st.sampled_from(tasks))
    if change == "remove":
        return replace(plan, tasks=tuple(task for task in tasks if task is not chosen), deliver=None)
    if change == "change":
        other = replace(chosen, inputs={**chosen.inputs, "d": draw(st.integers(0, 3))})
        return replace(plan, tasks=tuple(other if task is chosen else task for task in tasks))
    return _renamed(plan, chosen.id, f"r{draw(st.integers(0, 9))}_{chosen.id}"[:20])


def _renamed(plan: Plan, old: str, new: str) -> Plan:
    def named(value: Json) -> Json:
        if isinstance(value, dict) and str(value.get("ref", "")) == f"{old}.output":
            return {**value, "ref": f"{new}.output"}
        return {key: named(inner) for key, inner in value.items()} if isinstance(value, dict) else value

    tasks = (
        replace(
            task,
            id=new if task.id == old else task.id,
            inputs=named(task.inputs),
            after=tuple(new if name == old else name for name in task.after),
        )
        for task in plan.tasks
    )
    return replace(plan, tasks=tuple(tasks), deliver=named(plan.deliver))


def planned(state: RunState) -> Plan:
    """Give the plan of a run as it is now."""
    tasks = [state.tasks[state.ids[n]] for n in range(len(state.ids))]
    return Plan(tasks=tuple(one.task for one in tasks if one.parent is None), deliver=state.deliver)


@dataclass
class World:
    """Keeps a run, everything said to it, and the work a running loop believes to be under way."""

    draw: st.DrawFn
    state: RunState = field(default_factory=RunState)
    events: list[Event] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)
    under_way: dict[str, Effect] = field(default_factory=dict)
    now: float = 1000.0
    honest: bool = False  # whether agents cost no more than they may
    steady: bool = False  # whether most things go well
    plan: Plan = field(default_factory=Plan)
    questions: int = 0  # what the planner asks before it plans
    streamed: bool = False
    calling: tuple[str, ...] = ("none", "none", "begin", "end", "end")  # what work does: a call begins, or ends
    unsaid: list[Command] | None = None  # what the planner has still to say of a plan that comes as a stream

    def say(self, command: Command) -> Sequence[Event]:
        """Decide on a command, and keep what is under way as a running loop would."""
        self.now += self.draw(st.sampled_from([0.0, 0.25, 3.0]))
        command = replace(command, at=self.now)
        before = self.state
        events, self.state = step(before, command)
        self.commands.append(command)
        self.events += events
        for change in changes(before, self.state, events):
            if isinstance(change, Withdraw):
                del self.under_way[change.key]
            else:
                assert change.key not in self.under_way
                self.under_way[change.key] = change
        return events

    def submit(self, plan: Plan, catalogue: Catalogue, budget: Budget, deadline: float | None) -> None:
        self.plan, handed_over = plan, self.draw(st.booleans())
        self.questions = 0 if handed_over else self.draw(st.integers(0, 2))
        self.streamed = not handed_over and self.draw(st.booleans())
        self.say(
            SubmitGoal(
                run="run", goal="a goal", catalogue=catalogue, plan=plan if handed_over else None, budget=budget,
                streamed=self.streamed, deadline=None if deadline is None else self.now + deadline,
            )
        )  # fmt: skip

    def wishing(self) -> Command:
        """Give what a person might want of the run at any moment, sensible or not."""
        state, revision = self.state, self.state.revision
        match self.draw(st.sampled_from(["retry", "retry", "edit", "replan", "recover", "limits"])):
            case "retry":
                ids = sorted(state.tasks) or ["t0"]
                id_, again = self.draw(st.sampled_from(ids)), self.draw(st.booleans())
                return RetryTask(actor="person:p", revision=revision, task=id_, again=again, feedback="mind it")
            case "edit":
                plan = self.draw(edited(planned(state))) if state.tasks else self.draw(plans())
                inputs: dict[str, Json] = {"found": self.draw(st.integers(0, 2))}
                return EditPlan(
                    actor="person:p", revision=revision, tasks=plan.tasks, deliver=plan.deliver, inputs=inputs
                )
            case "replan":
                return Replan(actor="person:p", revision=revision, words="more")
            case "recover":
                return Recover()
        return ChangeLimits(budget=Budget(steps=200))

    def answers(self, effect: Effect) -> list[Command]:
        """Give what the outside reports for an effect; nothing where it takes a person who is away."""
        match effect:
            case MakePlan():
                calls = self._calls_of(Piece(work="plan", number=effect.revision))
                return calls or self._planned(effect)
            case Judge():
                return [self._judged(effect)]
            case RunTask():
                if calls := self._calls_of(Piece(work="run", task=effect.task, number=effect.attempt)):
                    return calls
                return [ReportOutcome(task=effect.task, attempt=effect.attempt, outcome=self._outcome(effect))]
            case LookUp():
                found = self.draw(st.sampled_from([None, Completed(output=1), Unknown(message="no idea")]))
                return [LookedUp(task=effect.task, attempt=effect.attempt, outcome=found)]
            case ReviewResult():
                if calls := self._calls_of(Piece(work="review", task=effect.task, number=effect.attempt)):
                    return calls
                accepted = self.draw(st.sampled_from([True, True, True, False]))
                findings = () if accepted else ("not good",)
                otherwise = self.draw(st.sampled_from(["revise", "revise", "hand_over", "escalate"]))
                mark = self.draw(st.sampled_from([None, 0.2, 0.8]))
                scores = () if mark is None else (Score(criterion="good", met=accepted, score=mark),)
                review = Review(
                    accepted=accepted,
                    reviewer="r",
                    findings=findings,
                    otherwise=otherwise,  # type: ignore[arg-type]
                    scores=scores,
                )
                return [ReportReview(task=effect.task, attempt=effect.attempt, review=review)]
            case AskPerson():
                request = self.state.requests[effect.request]
                words = {
                    "approval": ["approve", "deny", "edit", "done"],
                    "question": ["answer", "fail", "done"],
                    "doubt": ["done", "retry", "fail"],
                    "goal": ["answer", "answer", "answer", "deny"],
                    "failure": ["retry", "retry", "done", "skip", "fail"],
                    "alternatives": ["answer"],
                    "review": ["approve", "retry", "done", "skip", "fail"],
                }
                name = request.to if self.draw(st.booleans()) else self.draw(st.sampled_from(["ann", "p"]))
                by = f"person:{name or 'p'}"
                if request.kind == "alternatives":
                    value = self.draw(st.sampled_from(request.choices))
                    return [AnswerRequest(actor=by, request=request.id, decision="answer", value=value)]
                word = self.draw(st.sampled_from(words[request.kind]))
                said: Json = {"edited": self.draw(st.integers(0, 9))} if word == "edit" else "word"
                return [AnswerRequest(actor=by, request=request.id, decision=word, value=said)]
            case Wait():
                self.now = max(self.now, effect.until)
                return [FireTimer(timer=effect.timer)]
            case Notify():
                failed = (("mail", "no answer"),) if self.draw(st.integers(0, 2)) == 0 else ()
                self.now = max(self.now, effect.until)
                return [NoticeSent(notice=effect.notice, attempt=effect.attempt, errors=failed)]
            case Synthesise():
                if calls := self._calls_of(Piece(work="synthesise", number=effect.revision)):
                    return calls
                return [Deliver(delivery=Delivery(answer=1, gaps=gaps(self.state)))]

    def _calls_of(self, of: Piece) -> list[Command]:
        """Give what becomes of the inner calls of a piece of work: some begin, some end; none, to go on without."""
        kind = self.draw(st.sampled_from(self.calling))
        if kind == "none":
            return []
        if kind == "end":
            return self._ended_call(of)
        effect = self.draw(st.sampled_from(EFFECTS)) if of.work == "run" else SideEffect.NONE
        call = Call(
            key=self.draw(st.sampled_from("ab")),
            role=self.draw(st.sampled_from(["worker", "tool", "summariser", "planner"])),
            what=f"call_{effect.value}",
            arguments={"n": self.draw(st.integers(0, 1))},
            effect=effect,
            reserve=Cost(money=Decimal(most := self.draw(st.integers(0, 2))), tokens=most),
            bounded=self.draw(st.integers(0, 9)) < 9,
        )
        known = call_of(self.state, of, call_id(call))
        if known is not None and known.tries > 3:
            return []
        verdict = self.draw(st.sampled_from(["allow", "allow", "allow", "allow", "deny", "ask"]))
        command = BeginCall(
            of=of,
            call=call,
            verdict=Verdict(decision=verdict, rule="test", reason="because"),
            tries=known.tries if known is not None else 0,
        )
        if not is_doubtful(self.state, of, call):
            return [command]
        return [
            self.draw(
                st.sampled_from([command, replace(command, never=True), replace(command, found=Called(output="found"))])
            )
        ]

    def _ended_call(self, of: Piece) -> list[Command]:
        """Give how one of the open calls of a piece of work ends."""
        if of.work == "run":
            open_ = list(self.state.tasks[of.task].calling)
        else:
            open_ = [name.rpartition("/")[2] for name in self.state.calling if piece_of(name) == of]
        if not open_:
            return []
        id_ = self.draw(st.sampled_from(sorted(open_)))
        known = call_of(self.state, of, id_)
        assert known is not None
        spent = self.draw(st.integers(0, 3))
        cost = Cost(money=Decimal(spent), tokens=spent)
        if self.honest:
            cost = Cost(money=min(cost.money, known.reserved.money), tokens=min(spent, known.reserved.tokens))
        outcomes: list[Called | Failed | InputRequired | Unknown] = [
            Called(output=self.draw(values), cost=cost, usage=Usage(input=spent, output=1)),
            Called(output=1, cost=cost),
            Failed(failure=self.draw(st.sampled_from(list(FailureClass))), message="no", cost=cost),
            InputRequired(question="which?", cost=cost),
            Unknown(message="lost", cost=cost),
        ]
        outcome = self.draw(st.sampled_from(outcomes))
        return [EndCall(of=of, call=id_, tries=known.tries, outcome=outcome, usage=Usage(input=spent))]

    def meddling(self) -> Command:
        """Give what somebody else may say at any time."""
        said = self.draw(st.sampled_from(["pause", "continue", "hear", "hear", "healed"]))
        if said == "pause":
            return Pause(actor="person:p", reason="wait")
        if said == "continue":
            return Continue(actor="person:p")
        names = [one.name for one in self.state.catalogue.agents] or [""]
        key = self.draw(st.sampled_from([*names, f"provider:{PROVIDER}"]))
        upto = self.draw(st.integers(1, 20))
        start = Start(at=self.now - self.draw(st.integers(0, 70)), tokens=1, attempt=f"other/{upto}")
        until = self.now + self.draw(st.integers(-5, 90))
        return HearOf(
            agent=key,
            upto=upto,
            starts=(start,),
            hold=None if said == "healed" else Hold(until=until, why="heard so"),
            tripped=self.draw(st.integers(0, 3)),
            healed=said == "healed",
            run="other",
        )

    def _planned(self, effect: MakePlan) -> list[Command]:
        """Give what a planner says: a question about the goal, or what it makes of it and the plan."""
        if effect.round < self.questions:
            question = f"which way, {effect.round}?"
            return [
                ClarifyGoal(revision=effect.revision, round=effect.round, question=question, choices=("left", "right"))
            ]
        if effect.revision > 1:
            if self.draw(st.integers(0, 4)) == 0:
                return [FailPlan(revision=effect.revision, reason="there is no other way")]
            self.plan = self.draw(edited(self.plan))
        meant = Interpretation(planner="test", restated="a goal", reasons=tuple(map(str, self.state.clarified)))
        adds: list[Command] = [AddTask(revision=effect.revision, task=task) for task in self.plan.tasks]
        said = [
            InterpretGoal(revision=effect.revision, interpretation=meant, inputs={"found": 1}),
            *adds,
            ClosePlan(revision=effect.revision, deliver=self.plan.deliver),
        ]
        return self._next_of_a_stream(effect, said) if self.streamed and self.state.draft is None else said

    def _next_of_a_stream(self, effect: MakePlan, said: list[Command]) -> list[Command]:
        """Give some more of a plan that comes as a stream, which may break off or turn out to be none."""
        if self.unsaid is None:
            end = self.draw(st.sampled_from(["close", "close", "break", "defect"]))
            if end == "break":
                said = [
                    *said[: self.draw(st.integers(1, len(said)))],
                    FailPlan(revision=effect.revision, reason="gone", anew=self.draw(st.booleans())),
                ]
            elif end == "defect":
                said[-1] = ClosePlan(revision=effect.revision, deliver={"ref": "nobody.output"})
            self.unsaid = said
        count = self.draw(st.integers(1, max(1, len(self.unsaid))))
        part, self.unsaid = self.unsaid[:count], self.unsaid[count:]
        return part

    def _judged(self, effect: Judge) -> Judged:
        one = self.state.tasks[effect.task]
        answer = Judged(task=effect.task, attempt=effect.attempt, agent=effect.agent)
        if one.task.undoes is None and self.draw(st.integers(0, 99 if self.steady else 19)) == 0:
            return replace(answer, skip="its condition is false")
        if one.task.repeat is not None and one.number is None:
            return replace(answer, rounds=one.children or 0, again=self.draw(st.sampled_from([True, True, False])))
        if one.task.for_each is not None and one.number is None:
            return replace(answer, items=tuple(value_of(self.state, one.task.for_each.items, one)))
        try:
            arguments = resolve(self.state, one)
        except Missing as error:
            return replace(answer, refusal=str(error))
        kind = self.draw(st.sampled_from([*["allow"] * (20 if self.steady else 3), "deny", "ask"]))
        if one.task.approval == "ask" and kind == "allow":
            kind = "ask"
        preview = self.draw(st.sampled_from([None, Preview(diff="+x", preimage="p")]))
        if one.approved is not None and kind == "ask":
            preview = None
        verdict = Verdict(decision=kind, rule="test", reason="because")  # type: ignore[arg-type]
        return replace(answer, verdict=verdict, arguments=arguments, preview=preview)

    def _outcome(self, effect: RunTask) -> Outcome:
        kind = self.draw(st.sampled_from([*["done"] * (12 if self.steady else 3), "failed", "asks", "unknown"]))
        if self.state.roster.agents[effect.agent].kind == "person":
            kind = "asks"
        most = ceiling(self.state, self.state.tasks[effect.task]) if self.honest else Budget(money=Decimal(2), tokens=2)
        promised = self.state.tasks[effect.task].promised  # open calls count as having cost that
        spent = self.draw(st.integers(0, 2 if most.tokens is None else max(most.tokens - promised.tokens, 0)))
        paid = min(Decimal(spent), Decimal(2) if most.money is None else max(most.money - promised.money, Decimal(0)))
        cost = Cost(money=paid, tokens=spent)
        if kind == "failed":
            failure = self.draw(st.sampled_from([one for one in FailureClass if one is not FailureClass.UNKNOWN]))
            return Failed(failure=failure, message="it failed", cost=cost)
        if kind == "asks":
            return InputRequired(question="which?", cost=cost)
        if kind == "unknown":
            return Unknown(message="lost", cost=cost)
        return Completed(
            output=self.draw(values),
            artifacts=(Artifact(name="a.txt", content="x"),) if self.draw(st.booleans()) else (),
            citations=(Citation(file="f", line=1, text="x"),) if self.draw(st.booleans()) else (),
            cost=cost,
        )


def through_json(events: Sequence[Event]) -> list[Event]:
    """Write events as a journal does, and read them again."""
    codec = Codec()
    read = []
    for event in events:
        one = codec.encode(event)
        beside = {mark: body for mark, _, body in one.contents} | dict(one.documents)
        stored = json.loads(json.dumps(one.payload.decode()))
        read.append(codec.decode(one.type, one.version, stored.encode(), event.at, lambda mark, _, b=beside: b[mark]))
    return read


def still_finished(done: set[str], event: Event) -> set[str]:
    """Give which of the tasks that have ended still count as such after a fact, by their names then."""
    match event:
        case TasksReopened():
            opened = set(event.tasks)
            parents = {id_.partition("[")[0] for id_ in opened if "[" in id_}  # fan-outs that go on
            return {id_ for id_ in done if id_ not in opened | parents and id_.partition("[")[0] not in opened}
        case PlanRevised():
            names = {old: new for new, old in event.carried.items()}
            return {names[whole] + id_.removeprefix(whole) for id_ in done if (whole := id_.partition("[")[0]) in names}
        case _:
            return done


def due(state: RunState) -> dict[str, Effect]:
    """Give everything a state calls for, by key."""
    return {effect.key: effect for effect in reconcile(state)}


def plain(state: RunState) -> object:
    """Give a state as plain values, to compare two."""
    return msgspec.structs.asdict(state)
