"""Joins, repetitions and waits on paper: what is wrong with them, and what follows for cost and time."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from stretto.core.domain import Join, Plan, Repeat, Task
from stretto.core.plan.conditions import condition_problem
from stretto.core.plan.diagnostics import Diagnostic, diagnose, shown
from stretto.core.plan.graph import Graph
from stretto.core.plan.references import Need, named_in

UNTIL_MEND = "`until` is a condition that sees output, round, inputs.NAME and TASK.output; see docs/plans.md."


def form_defects(task: Task) -> Iterator[Diagnostic]:
    """Give what is wrong with the join, the repetition and the waits of a task by itself."""
    place = f"tasks.{task.id}"
    if task.join is not None:
        yield from _join_defects(task.join, f"{place}.join")
    if task.repeat is not None:
        yield from _repeat_defects(task.repeat, f"{place}.repeat")
        if task.for_each is not None:
            yield diagnose(
                "bad-value",
                f"{place}.repeat",
                "a task has `for_each` or `repeat`, not both",
                "Repeat in a task of its own, and let this one take its result.",
            )
    many = task.for_each
    for name, value, least in (
        ("wait", task.wait, "above 0"),
        ("limits.deadline", task.limits.deadline, "above 0"),
        ("for_each.parallel", many.parallel if many is not None else None, "of 1 or more"),
    ):
        if value is not None and not 0 < value < 1e9:
            yield diagnose("bad-value", f"{place}.{name}", f"{name} is {shown(value)}", f"Give a number {least}.")


def _join_defects(join: Join, place: str) -> Iterator[Diagnostic]:
    twice = next((name for name, times in Counter(join.of).items() if times > 1), None)
    if not join.of:
        yield diagnose("bad-value", f"{place}.of", "the join has no members", "Name the tasks under `of:`.")
    elif twice is not None:
        yield diagnose("bad-value", f"{place}.of", f"{shown(twice)} is named twice", "Name each member once.")
    elif isinstance(join.take, bool) or not 1 <= join.number <= len(join.of):
        members = "member" if len(join.of) == 1 else "members"
        yield diagnose(
            "bad-value",
            f"{place}.take",
            f"take is {shown(join.take)}, and the join has {len(join.of)} {members}",
            f"Give `first`, `all` or a number from 1 to {len(join.of)}.",
        )


def _repeat_defects(repeat: Repeat, place: str) -> Iterator[Diagnostic]:
    if not 1 <= repeat.max < 1e9:
        yield diagnose("bad-value", f"{place}.max", f"max is {shown(repeat.max)}", "Give a whole number above 0.")
    if not 0 <= repeat.pause < 1e9:
        yield diagnose("bad-value", f"{place}.pause", f"pause is {shown(repeat.pause)}", "Give seconds, 0 or more.")
    if repeat.until is not None and (problem := condition_problem(repeat.until)):
        yield diagnose("bad-condition", f"{place}.until", problem, UNTIL_MEND)


def root_defects(task: Task, root: str, *, hard: bool, where: str) -> Iterator[Diagnostic]:
    """Give what is wrong with a reference to `joined`, `previous` or `round`."""
    if root == "joined" and task.join is None:
        yield _stands_for_nothing(where, root, "Give the task a `join`, or refer to something else.")
    elif root in ("previous", "round") and task.repeat is None:
        yield _stands_for_nothing(where, root, "Give the task a `repeat`, or refer to something else.")
    elif root == "previous" and hard:
        yield diagnose(
            "bad-reference",
            where,
            "the first round has no round before it",
            "Add `default: ...`, which the first round takes.",
        )


def _stands_for_nothing(where: str, root: str, mend: str) -> Diagnostic:
    return diagnose("undeclared-reference", where, f"`{root}` stands for nothing here", mend)


def needed(task: Task, before: Mapping[str, Need], ends: Mapping[str, Any]) -> list[str]:
    """Give the tasks that hold one back, by when each of them ends: a join waits for the first that it can take."""
    held = [name for name, need in before.items() if need is not Need.MEMBER]
    if task.join is None:
        return held
    members = [name for name in dict.fromkeys(task.join.of) if name in before]
    members.sort(key=lambda name: ends[name])
    return [*held, *members[: task.join.number]]


def begin(task: Task, before: Mapping[str, Need], ends: Mapping[str, float]) -> float:
    """Give the seconds until a task can begin at the earliest, its own wait included."""
    return max((ends[name] for name in needed(task, before, ends)), default=0.0) + (task.wait or 0.0)


def rounds_at_least(task: Task) -> int:
    """Give how many rounds a task runs at the least: one where a condition may end it."""
    return task.repeat.max if task.repeat is not None and task.repeat.until is None else 1


def spare(plan: Plan, graph: Graph) -> set[str]:
    """Give the tasks that may never be needed: members that a join may not take, and what only serves them."""
    if not any(task.join is not None for task in plan.tasks):
        return set()
    delivered = named_in(plan.deliver)
    found: set[str] = set()
    for id_ in reversed(graph.order):
        later = graph.after[id_]
        if later and id_ not in delivered and all(one in found or _may_leave(graph, one, id_) for one in later):
            found.add(id_)
    return found


def _may_leave(graph: Graph, later: str, member: str) -> bool:
    join = graph.tasks[later].join
    partial = join is not None and join.rest == "cancel" and join.number < len(join.of)
    return partial and graph.before[later][member] is Need.MEMBER
