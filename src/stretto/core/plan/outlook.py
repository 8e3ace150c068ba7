"""What a plan will cost and how long it takes at the least, and what might be done better."""

from collections.abc import Iterator
from decimal import Decimal

from stretto.core.domain import FREE, NO_BUDGET, AgentCard, Budget, Cost, Plan, Rules, SideEffect, Task
from stretto.core.plan.delivering import values_of
from stretto.core.plan.diagnostics import Diagnostic, diagnose, listed, shown
from stretto.core.plan.graph import Graph
from stretto.core.plan.references import find, parse
from stretto.core.plan.scheduling import begin, rounds_at_least, spare
from stretto.core.routing import Roster


def cost_defects(plan: Plan, graph: Graph, agents: Roster, budget: Budget, rules: Rules) -> Iterator[Diagnostic]:
    """Hold what the plan must reserve against the budgets; what may be skipped or repeated does not count."""
    for task in plan.tasks:
        yield from _of_task(task, agents, budget, rules)
    unsure = spare(plan, graph)
    sure = [task for task in plan.tasks if task.when is None and task.for_each is None and task.id not in unsure]
    if budget.steps is not None and len(sure) > budget.steps:
        yield diagnose(
            "over-budget",
            "tasks",
            f"{len(sure)} tasks, and the budget allows {budget.steps} attempts",
            "Raise the budget or remove tasks.",
        )
    money, tokens = Decimal(0), 0
    for task in sure:
        costs = [_least_cost(agents.agents[name]) for name in agents.candidates(task)]
        if costs:
            money += min(one.money for one in costs)
            tokens += min(one.tokens for one in costs)
    if budget.money is not None and money > budget.money:
        yield diagnose(
            "over-budget",
            "tasks",
            f"the plan reserves ${money} and the budget is ${budget.money}",
            "Raise the budget, or use cheaper agents.",
        )
    if budget.tokens is not None and tokens > budget.tokens:
        yield diagnose(
            "over-budget",
            "tasks",
            f"the plan reserves {tokens} tokens and the budget is {budget.tokens}",
            "Raise the budget, or use cheaper agents.",
        )


def _of_task(task: Task, agents: Roster, budget: Budget, rules: Rules) -> Iterator[Diagnostic]:
    """Hold what one attempt, or each item of a list, must reserve against the task's own budget, and find what has no
    bound.
    """
    own, able = task.budget or NO_BUDGET, [agents.agents[name] for name in agents.candidates(task)]
    limited = able and (own.limits_cost or budget.limits_cost)
    loose = [card.name for card in able if not card.bounded] if limited else []
    if loose and len(loose) == len(able) and rules.unbounded == "refuse":
        message = f"what {listed(loose)} costs has no bound, and the rules refuse such agents under a budget"
        mend = "Declare what an attempt costs at most, use another agent, or set the rule `unbounded: alone`."
        yield diagnose("over-budget", f"tasks.{task.id}", message, mend)
    elif loose:
        mend = "Declare what an attempt costs at most, with @agent(cost=...)."
        message = f"what {listed(loose)} costs has no bound: each attempt runs alone, with all that is left reserved"
        yield diagnose("unbounded-cost", f"tasks.{task.id}", message, mend)
    sure = task.for_each is not None and not task.for_each.allow_failures
    items = task.for_each.items if task.for_each is not None and sure else [None]
    many = len(items) if isinstance(items, list | tuple) else 1
    place, mend = f"tasks.{task.id}.budget", "Raise the task's budget, or use a cheaper agent."
    if own.steps is not None and many > own.steps:
        yield diagnose("over-budget", place, f"it takes {many} attempts, and its budget allows {own.steps}", mend)
    money = min((_least_cost(card).money for card in able), default=Decimal(0)) * many
    tokens = min((_least_cost(card).tokens for card in able), default=0) * many
    if own.money is not None and money > own.money:
        yield diagnose("over-budget", place, f"it reserves ${money} and its budget is ${own.money}", mend)
    if own.tokens is not None and tokens > own.tokens:
        yield diagnose("over-budget", place, f"it reserves {tokens} tokens and its budget is {own.tokens}", mend)


def _least_cost(card: AgentCard) -> Cost:
    return card.cost if card.bounded else FREE


def least(one: float | None, other: float | None) -> float | None:
    """Give the shorter of two lengths of time; None is no limit."""
    return min((given for given in (one, other) if given is not None), default=None)


def lateness(plan: Plan, graph: Graph, agents: Roster, seconds: float | None) -> Iterator[Diagnostic]:
    """Hold the longest chain, by declared durations and waits, against the time that is left."""
    if seconds is None:
        return
    unsure = spare(plan, graph)
    done: dict[str, float] = {}
    for id_ in graph.order:
        task = graph.tasks[id_]
        latencies = [agents.agents[name].latency or 0.0 for name in agents.candidates(task)]
        done[id_] = begin(task, graph.before[id_], done) + min(latencies, default=0.0) * rounds_at_least(task)
    longest = max((end for id_, end in done.items() if id_ not in unsure), default=0.0)
    if longest > seconds:
        yield diagnose(
            "late",
            "tasks",
            f"the longest chain takes {longest:g} s and {seconds:g} s are left",
            "Give it more time, or expect a partial delivery.",
        )


def advice(plan: Plan, graph: Graph, agents: Roster) -> Iterator[Diagnostic]:
    """Say which results nobody uses, and which skills hang on one agent."""
    delivered = set()
    for _, raw in find(plan.deliver, "deliver"):
        try:
            delivered.add(parse(raw).name)
        except ValueError:
            continue
    for task in plan.tasks if values_of(plan.deliver) is not None else ():
        candidates = agents.candidates(task)
        if (
            task.id not in delivered
            and not graph.after[task.id]
            and task.writes is None
            and candidates
            and agents.effect(task, candidates[0]) is SideEffect.NONE
        ):
            yield diagnose(
                "unused-result",
                f"tasks.{task.id}",
                "nothing uses the result of this task",
                "Deliver it, refer to it, or remove the task.",
            )
    first: dict[str, Task] = {}
    for task in plan.tasks:
        first.setdefault(task.skill, task)
    for skill, task in first.items():
        able = agents.by_skill.get(skill, ())
        if len(able) == 1 and not agents.stand_ins(task, able):
            mend = "Register a second agent with the skill, or name `backups`, where the work must not wait for one."
            message = f"only the agent {shown(able[0])} has the skill {shown(skill)}"
            yield diagnose("no-backup", f"tasks.{task.id}.skill", message, mend)
