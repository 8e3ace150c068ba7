"""Who refers to what: every reference and condition of a plan leads to something that will be there."""

from collections.abc import Iterator

from stretto.core.domain import Json, Plan, Schema, Task
from stretto.core.plan.conditions import LONGEST, OF_A_ROUND, looks_at
from stretto.core.plan.diagnostics import Diagnostic, diagnose, listed, shown
from stretto.core.plan.graph import Graph, downstream
from stretto.core.plan.names import Names
from stretto.core.plan.references import Need, Reference, find, is_reference, parse, places, referring
from stretto.core.plan.scheduling import root_defects
from stretto.core.plan.schemas import NoSuchPart, part

_SEEN = "TASK.output, inputs.NAME and item"


class Links:
    """What a plan's references may lead to, and the names that slips are compared with."""

    def __init__(self, plan: Plan, graph: Graph) -> None:
        self.plan, self.graph = plan, graph
        self._tasks, self._inputs = Names(graph.tasks.keys), Names(plan.inputs.keys)

    def dangling(self, where: str, name: str) -> Diagnostic:
        """A reference to a task that is not there."""
        return diagnose("dangling-reference", where, f"there is no task {shown(name)}", self._tasks.mend(name))

    def undeclared_input(self, where: str, name: str) -> Diagnostic:
        """A reference to an input that the plan does not ask for."""
        mend = self._inputs.mend(name, f"Declare it under `inputs:` as {shown(name)}.")
        return diagnose("undeclared-reference", where, f"the plan declares no input {shown(name)}", mend)

    def leads_somewhere(self, reference: Reference) -> bool:
        """Whether a reference names a task or an input of this plan."""
        return reference.name in (
            self.graph.tasks if reference.root == "task" else self.plan.inputs
        ) or reference.root in ("item", "joined", "previous", "round")


def link_defects(task: Task, links: Links) -> Iterator[Diagnostic]:
    """Give what is wrong with the references of a task, its condition's included."""
    place = f"tasks.{task.id}"
    named = [(f"{place}.after", name) for name in task.after]
    named += [(f"{place}.join.of", name) for name in (task.join.of if task.join is not None else ())]
    for where, raw in places(task):
        here = f"{place}.{where}"
        if not is_reference(raw):
            if _meant_as_reference(raw, links):
                yield _half_reference(here, raw)
            continue
        try:
            reference = parse(raw)
        except ValueError as error:
            yield diagnose("bad-reference", here, str(error), "See docs/plans.md on references.")
            continue
        if isinstance(reference.default, dict | list) and any(True for _ in find(reference.default, "")):
            yield _default_refers(here)
        if reference.root == "task":
            named.append((here, reference.name))
        elif reference.root == "inputs" and reference.name not in links.plan.inputs:
            yield links.undeclared_input(here, reference.name)
        elif reference.root == "item" and (task.for_each is None or where.startswith("for_each")):
            yield _no_item(here, "Give the task a `for_each`, or refer to something else.")
        else:
            yield from root_defects(task, reference.root, hard=reference.hard, where=here)
    if task.when is not None and len(task.when) <= LONGEST:
        yield from _condition(task, f"{place}.when", task.when, links, named)
    if task.repeat is not None and task.repeat.until is not None:
        yield from _condition(task, f"{place}.repeat.until", task.repeat.until, links, named, OF_A_ROUND)
    for where, name in named:
        if name == task.id:
            mend = "Refer to an earlier task, or drop it."
            yield diagnose("self-reference", where, f"{task.id!r} refers to itself", mend)
        elif name not in links.graph.tasks:
            yield links.dangling(where, name)


def deliverable_defects(links: Links, hopeless: set[str], outputs: dict[str, Schema]) -> Iterator[Diagnostic]:
    """Give what is wrong with what the plan delivers; `hopeless` names the tasks that can never complete."""
    dead = downstream(links.graph, hopeless, Need.ORDER)
    for where, raw in referring(links.plan.deliver, "deliver"):
        if not is_reference(raw):
            if _meant_as_reference(raw, links):
                yield _half_reference(where, raw)
            continue
        try:
            reference = parse(raw)
        except ValueError as error:
            yield diagnose("bad-reference", where, str(error), "See docs/plans.md on references.")
            continue
        if isinstance(reference.default, dict | list) and any(True for _ in find(reference.default, "")):
            yield _default_refers(where)
        if reference.root in ("item", "joined", "previous", "round"):
            yield _stands_for_nothing(where, reference.root, "Refer to a task's output.")
        elif reference.root == "inputs" and reference.name not in links.plan.inputs:
            yield links.undeclared_input(where, reference.name)
        elif reference.root == "task" and reference.name not in links.graph.tasks:
            yield links.dangling(where, reference.name)
        elif reference.root == "task" and reference.name in dead and reference.hard:
            yield diagnose(
                "unreachable-deliverable",
                where,
                f"{reference.name!r} can never complete",
                "Mend the errors on the way to it.",
            )
        elif reference.root == "task":
            try:
                part(outputs[reference.name], reference.steps)
            except NoSuchPart as error:
                yield diagnose(
                    "unknown-output",
                    where,
                    f"{shown(raw['ref'])} leads to no part that is declared: {error}",
                    "Refer to a part that the output has.",
                )


def cycle_defect(circle: list[str]) -> Diagnostic:
    """Say which tasks wait for each other."""
    most = 10
    way = [*circle, circle[0]] if len(circle) <= most else [*circle[:most], f"… ({len(circle)} tasks)", circle[0]]
    return diagnose(
        "cycle",
        f"tasks.{circle[0]}",
        f"these wait for each other: {' → '.join(way)}",
        "Remove one of the references or `after` entries on the way.",
    )


def _condition(
    task: Task,
    where: str,
    condition: str,
    links: Links,
    named: list[tuple[str, str]],
    own: frozenset[str] = frozenset(),
) -> Iterator[Diagnostic]:
    """Give what is wrong with what a condition looks at; `own` are the names that stand for something only here."""
    guarded = "has(" in condition  # has(inputs.x) may ask for what is not there
    for root, name in sorted(looks_at(condition)):
        if name in own and root in ("task", "name"):
            continue
        if root == "task":
            named.append((where, name))
        elif root == "inputs" and name not in links.plan.inputs and not guarded:
            yield links.undeclared_input(where, name)
        elif root == "item" and task.for_each is None:
            yield _no_item(where, "Give the task a `for_each`, or look at something else.")
        elif root == "name":
            known = name in links.graph.tasks
            yield diagnose(
                "undeclared-reference",
                where,
                f"the condition looks at {shown(name)}, which stands for nothing here",
                f"Write {name}.output." if known else f"It sees {'output, round, ' if own else ''}{_SEEN}.",
            )


def _meant_as_reference(raw: dict[str, Json], links: Links) -> bool:
    """Whether a mapping is a reference of this plan but for fields that no reference has."""
    if not isinstance(raw["ref"], str):
        return False
    try:
        return links.leads_somewhere(parse({"ref": raw["ref"]}))
    except ValueError:
        return False


def _half_reference(where: str, raw: dict[str, Json]) -> Diagnostic:
    return diagnose(
        "bad-reference",
        where,
        f"a reference has `ref` and `default`, not {listed(sorted(raw.keys() - {'ref', 'default'}), 5)}",
        "Remove it; for a mapping that only looks like a reference write `literal: {...}`.",
    )


def _default_refers(where: str) -> Diagnostic:
    return diagnose(
        "bad-reference",
        where,
        "the default holds a reference, and defaults are taken as they stand",
        "Use a plain value as the default.",
    )


def _no_item(where: str, mend: str) -> Diagnostic:
    return _stands_for_nothing(where, "item", mend)


def _stands_for_nothing(where: str, root: str, mend: str) -> Diagnostic:
    return diagnose("undeclared-reference", where, f"`{root}` stands for nothing here", mend)
