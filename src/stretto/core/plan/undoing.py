"""How tasks are taken back is checked like a task: the skill, its arguments, their types, what they refer to."""

from collections import ChainMap
from collections.abc import Iterator
from dataclasses import replace

from stretto.core.domain import Plan, Schema, SideEffect, Task, Undo
from stretto.core.plan.arguments import argument_defects, output_of
from stretto.core.plan.diagnostics import Diagnostic, diagnose, shown
from stretto.core.plan.links import Links, link_defects
from stretto.core.plan.names import Names
from stretto.core.plan.references import named
from stretto.core.plan.schemas import arguments
from stretto.core.routing import Roster

RESULT = "result"
"""The argument by which an undoing gets what the task brought."""


def undo_defects(
    task: Task, plan: Plan, links: Links, agents: Roster, skills: Names, outputs: dict[str, Schema]
) -> Iterator[Diagnostic]:
    """Give what is wrong with how a task is taken back, or that nothing does so."""
    place = f"tasks.{task.id}"
    if task.undoes is not None:
        mend = "Say with `undo:` on the other task how it is taken back."
        yield diagnose("bad-value", place, "only a run itself plans a task that takes another back", mend)
    able = agents.candidates(task)
    if not able:
        return
    own, skill = task.undo or Undo(), agents.skill(task, able[0])
    name = own.skill or skill.undo
    if name is None and task.undo is not None:
        mend = "Add `skill: NAME` under `undo:`."
        yield diagnose("missing-field", f"{place}.undo", f"{task.skill!r} names no skill that takes it back", mend)
    elif name is None and agents.effect(task, able[0]) is SideEffect.REVERSIBLE:
        mend = "Name what takes it back: @reversible(undo=...) on the function, or `undo:` on the task."
        yield diagnose("no-undo", place, "it can be taken back, and nothing says how", mend)
    elif name is not None and name not in agents.by_skill:
        message = f"no agent has the skill {shown(name)}, which takes it back"
        yield diagnose("unknown-skill", f"{place}.undo", message, skills.mend(name))
    elif name is not None:
        undoing = _undoing(task, own, name, agents)
        seen = ChainMap({task.id: output_of(replace(task, for_each=None), agents)}, outputs)
        before, after = f"{place}.inputs", f"{place}.undo.inputs" if own.inputs is not None else f"{place}.undo"
        for found in (
            *(one for one in link_defects(undoing, links) if one.code != "self-reference"),
            *_too_late(undoing, links),
            *argument_defects(undoing, plan, agents, seen),
        ):
            if found.path.startswith(before):
                yield replace(found, path=f"{after}{found.path[len(before) :]}")


def _undoing(task: Task, own: Undo, name: str, agents: Roster) -> Task:
    """Give the task that would take another back, as the plan knows it."""
    able = agents.by_skill[name]
    mine = next((one for one in agents.candidates(task) if one in able), None)
    undoing = Task(id=task.id, skill=name, agent=mine, for_each=task.for_each)
    if own.inputs is not None:
        return replace(undoing, inputs=own.inputs)
    properties, _, _ = arguments(agents.skill(undoing, mine or able[0]).inputs)
    given = {key: value for key, value in task.inputs.items() if key in properties}
    return replace(
        undoing, inputs={**given, **({RESULT: {"ref": f"{task.id}.output"}} if RESULT in properties else {})}
    )


def _too_late(undoing: Task, links: Links) -> Iterator[Diagnostic]:
    """Give the results it takes that the task itself does not wait for: they may not be there."""
    wanted = named(undoing, "task") & links.graph.tasks.keys() - {undoing.id}
    above, stack = set[str](), [undoing.id] if wanted else []
    while stack:
        for name in links.graph.before[stack.pop()]:
            if name not in above:
                above.add(name)
                stack.append(name)
    for name in sorted(wanted - above):
        message = f"its undoing takes the result of {name!r}, which the task does not wait for"
        mend = f"Add `after: [{name}]` to the task."
        yield diagnose("dangling-reference", f"tasks.{undoing.id}.inputs", message, mend)
