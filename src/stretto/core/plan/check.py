"""The checker: a plan is looked over like a program, before anything of it runs. Near linear in its size.

Structure is an error, a doubt about types a warning. `links` looks at who waits for whom, `arguments` at what
skills are given, `governance` at effects, writers and labels, `outlook` at cost and time.
"""

from collections.abc import Iterator

from stretto.core.canonical import canonical
from stretto.core.domain import Budget, Catalogue, Plan, SideEffect, Task
from stretto.core.plan.arguments import argument_defects, outputs_of
from stretto.core.plan.asking import ask_defects
from stretto.core.plan.conditions import condition_problem
from stretto.core.plan.criteria import criteria_defects
from stretto.core.plan.delivering import written_defects
from stretto.core.plan.diagnostics import Diagnostic, Findings, diagnose, shown
from stretto.core.plan.governance import (
    equal_effects,
    misfitting_context,
    perimeter_defects,
    racing_reads,
    undeclared_context,
    unordered_writers,
    unwritten_context,
)
from stretto.core.plan.graph import circles, graph_of
from stretto.core.plan.ladders import ladder_defects, stand_in_defects
from stretto.core.plan.links import Links, cycle_defect, deliverable_defects, link_defects
from stretto.core.plan.names import Names
from stretto.core.plan.outlook import advice, cost_defects, lateness, least
from stretto.core.plan.scheduling import form_defects
from stretto.core.plan.shape import ID_MEND, id_problem
from stretto.core.plan.undoing import undo_defects
from stretto.core.routing import Roster, roster

__all__ = ["CONDITION_MEND", "check", "check_task", "condition_problem"]

CONDITION_MEND = "See docs/plans.md on conditions."

_NONE_BUDGET = Budget()
_HOPELESS = frozenset({"unknown-skill", "unknown-agent", "dangling-reference", "self-reference"})


def check(
    plan: Plan, catalogue: Catalogue, *, budget: Budget = _NONE_BUDGET, seconds: float | None = None
) -> list[Diagnostic]:
    """Give the defects found, in the order of the plan. Errors keep it from running; the rest is advice.

    `seconds` is the time until the deadline. Shape defects are found earlier, by `read_plan`; those that a plan
    made in Python may have as well are found here.
    """
    agents = roster(catalogue)
    graph = graph_of(plan.tasks)
    links = Links(plan, graph)
    skills = Names(lambda: sorted(agents.by_skill))
    outputs = outputs_of(plan, agents)
    findings = Findings()
    hopeless = set(graph.tasks) - set(graph.order)
    findings.add(_identity(plan))
    for task in plan.tasks:
        for found in (
            *link_defects(task, links),
            *_task_defects(task, agents, skills),
            *argument_defects(task, plan, agents, outputs),
        ):
            if found.code in _HOPELESS:
                hopeless.add(task.id)
            findings.add([found])
        findings.add(ladder_defects(task, agents) if task.ladder else ())
        findings.add(criteria_defects(task))
    for task in plan.tasks:
        findings.add(undo_defects(task, plan, links, agents, skills, outputs))
    findings.add(cycle_defect(circle) for circle in circles(graph))
    findings.add(written_defects(plan.deliver))
    findings.add(deliverable_defects(links, hopeless, outputs))
    findings.add(ask_defects(plan, catalogue, agents))
    findings.add(unordered_writers(graph))
    findings.add(unwritten_context(graph))
    findings.add(undeclared_context(plan, catalogue.context))
    findings.add(misfitting_context(plan, outputs, catalogue.context))
    findings.add(racing_reads(graph))
    findings.add(equal_effects(plan, agents))
    findings.add(perimeter_defects(plan, graph, agents))
    findings.add(cost_defects(plan, graph, agents, budget, catalogue.rules))
    findings.add(lateness(plan, graph, agents, least(seconds, budget.seconds)))
    findings.add(stand_in_defects(plan.tasks, agents))
    findings.add(advice(plan, graph, agents))
    return findings.all()


def check_task(task: Task, agents: Roster) -> list[Diagnostic]:
    """Give the defects of a task by itself: skill, agent, tools, permissions, approval."""
    return list(_task_defects(task, agents, Names(lambda: sorted(agents.by_skill))))


def _task_defects(task: Task, agents: Roster, skills: Names) -> Iterator[Diagnostic]:
    place = f"tasks.{task.id}"
    candidates = agents.candidates(task)
    if not task.skill:
        yield diagnose("missing-field", place, f"task {shown(task.id)} names no skill", "Add `skill: NAME`.")
    elif task.skill not in agents.by_skill:
        yield diagnose(
            "unknown-skill", f"{place}.skill", f"no agent has the skill {shown(task.skill)}", skills.mend(task.skill)
        )
    elif task.agent and not candidates:
        yield diagnose(
            "unknown-agent",
            f"{place}.agent",
            f"there is no agent {shown(task.agent)} with {task.skill!r}",
            Names(lambda: agents.by_skill[task.skill]).mend(task.agent),
        )
    for kind, wanted in (("tool", task.tools), ("permission", task.permissions)) if candidates else ():
        for name in wanted:
            if not any(name in getattr(agents.agents[one], f"{kind}s") for one in candidates):
                yield diagnose(
                    f"missing-{kind}",
                    f"{place}.{kind}s",
                    f"no agent with {task.skill!r} has the {kind} {shown(name)}",
                    f"Give it to {' or '.join(candidates)}, or take it from the task.",
                )
    if task.approval == "never" and any(agents.effect(task, name) is SideEffect.IRREVERSIBLE for name in candidates):
        yield diagnose(
            "irreversible-without-approval",
            f"{place}.approval",
            "the task cannot be undone and asks nobody",
            "Remove `approval: never`; whoever starts the run can approve beforehand with --approve all.",
        )
    if task.when is not None and (problem := condition_problem(task.when)):
        yield diagnose("bad-condition", f"{place}.when", problem, CONDITION_MEND)
    yield from form_defects(task)


def _identity(plan: Plan) -> Iterator[Diagnostic]:
    """What reading a document makes sure of, and Python does not: ids, and values that a journal can keep."""
    seen: set[str] = set()
    for task in plan.tasks:
        if (problem := id_problem(task.id)) is not None:
            yield diagnose("bad-id", f"tasks.{task.id}", problem, ID_MEND)
        elif task.id in seen:
            yield diagnose(
                "duplicate-id", f"tasks.{task.id}", f"the id {task.id!r} is taken", "Give each task an id of its own."
            )
        seen.add(task.id)
        items = task.for_each.items if task.for_each is not None else None
        for name, value in (
            ("inputs", task.inputs),
            ("for_each", items),
            ("output", task.output),
            ("occurrence", task.occurrence),
        ):
            if value and (problem := _unkeepable(value)):
                yield diagnose("bad-value", f"tasks.{task.id}.{name}", problem, "Use plain values.")
    if problem := _unkeepable(plan.deliver):
        yield diagnose("bad-value", "deliver", problem, "Use plain values.")


def _unkeepable(value: object) -> str | None:
    try:
        canonical(value)
    except ValueError as error:
        return str(error)
    return None
