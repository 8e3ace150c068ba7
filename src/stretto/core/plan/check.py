"""The checker: a plan is looked over like a program, before anything of it runs. Linear in its size."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from difflib import get_close_matches
from itertools import pairwise

from stretto.core.canonical import digest
from stretto.core.domain import Budget, Catalogue, InputSpec, Json, Plan, Schema, SideEffect, Task
from stretto.core.plan.diagnostics import Diagnostic, diagnose
from stretto.core.plan.graph import Graph, ancestors_among, circles, downstream, graph_of
from stretto.core.plan.references import (
    Need,
    Reference,
    find,
    is_reference,
    named_in_condition,
    parse,
    places,
    reads,
)
from stretto.core.plan.schemas import ANYTHING, NoSuchPart, mismatch, part, resolved, type_of
from stretto.core.routing import Roster, roster

_NONE_BUDGET = Budget()
_NEAR = 0.6


def check(
    plan: Plan, catalogue: Catalogue, *, budget: Budget = _NONE_BUDGET, seconds: float | None = None
) -> list[Diagnostic]:
    """Give every defect found, in the order of the plan. Errors keep it from running; the rest is advice.

    `seconds` is the time until the deadline. Shape defects are found earlier, by `read_plan`.
    """
    agents = roster(catalogue)
    graph = graph_of(plan.tasks)
    found: list[Diagnostic] = []
    outputs = {task.id: _output(task, agents) for task in plan.tasks}
    for task in plan.tasks:
        found += _links(task, plan, graph)
        found += check_task(task, agents)
        found += _arguments(task, plan, agents, outputs)
    for circle in circles(graph):
        found.append(
            diagnose(
                "cycle",
                f"tasks.{circle[0]}",
                f"these wait for each other: {' → '.join([*circle, circle[0]])}",
                "Remove one of the references or `after` entries on the way.",
            )
        )
    found += _deliverable(plan, graph, found, outputs)
    found += _writers(graph)
    found += _context(graph)
    found += _equal_effects(plan, agents)
    found += _perimeters(plan, graph, agents)
    found += _cost(plan, agents, budget)
    found += _time(graph, agents, seconds)
    found += _advice(plan, graph, agents)
    return found


def check_task(task: Task, agents: Roster) -> list[Diagnostic]:
    """Give the defects of a task by itself: skill, agent, tools, permissions, approval."""
    place = f"tasks.{task.id}"
    candidates = agents.candidates(task)
    if task.skill and task.skill not in agents.by_skill:
        known = sorted(agents.by_skill)
        return [
            diagnose(
                "unknown-skill",
                f"{place}.skill",
                f"no agent has the skill {task.skill!r}",
                _or_near(task.skill, known),
            )
        ]
    if task.agent and task.skill and not candidates:
        known = list(agents.by_skill.get(task.skill, ()))
        return [
            diagnose(
                "unknown-agent",
                f"{place}.agent",
                f"there is no agent {task.agent!r} with {task.skill!r}",
                _or_near(task.agent, known),
            )
        ]
    found = []
    for kind, wanted in (("tool", task.tools), ("permission", task.permissions)):
        for name in wanted:
            if not any(name in getattr(agents.agents[one], f"{kind}s") for one in candidates):
                found.append(
                    diagnose(
                        f"missing-{kind}",
                        f"{place}.{kind}s",
                        f"no agent with {task.skill!r} has the {kind} {name!r}",
                        f"Give it to {' or '.join(candidates) or 'an agent'}, or take it from the task.",
                    )
                )
    if task.approval == "never" and any(agents.effect(task, name) is SideEffect.IRREVERSIBLE for name in candidates):
        found.append(
            diagnose(
                "irreversible-without-approval",
                f"{place}.approval",
                "the task cannot be undone and asks nobody",
                "Remove `approval: never`; whoever starts the run can approve beforehand with --approve all.",
            )
        )
    if task.when is not None and (problem := condition_problem(task.when)):
        found.append(diagnose("bad-condition", f"{place}.when", problem, "See docs/plans.md on conditions."))
    return found


def condition_problem(condition: str) -> str | None:
    """Say why a condition is refused unseen: too long, or too many loops inside each other."""
    if not condition.strip():
        return "the condition is empty"
    if len(condition) > 1000:
        return f"the condition has {len(condition)} characters; the limit is 1000"
    loops = sum(condition.count(f".{word}(") for word in ("map", "filter", "all", "exists", "exists_one"))
    return f"the condition has {loops} loops; the limit is 2" if loops > 2 else None


def _links(task: Task, plan: Plan, graph: Graph) -> Iterator[Diagnostic]:
    place = f"tasks.{task.id}"
    named = [(f"{place}.after", name) for name in task.after]
    if task.when is not None:
        named += [(f"{place}.when", name) for name in sorted(named_in_condition(task.when))]
    for where, raw in places(task):
        try:
            reference = parse(raw)
        except ValueError as error:
            yield diagnose("bad-reference", f"{place}.{where}", str(error), "See docs/plans.md on references.")
            continue
        if reference.root == "task":
            named.append((f"{place}.{where}", reference.name))
        elif reference.root == "inputs" and reference.name not in plan.inputs:
            yield diagnose(
                "undeclared-reference",
                f"{place}.{where}",
                f"the plan declares no input {reference.name!r}",
                _or_near(reference.name, list(plan.inputs), f"Declare it under `inputs:` as {reference.name}."),
            )
        elif reference.root == "item" and (task.for_each is None or where.startswith("for_each")):
            yield diagnose(
                "undeclared-reference",
                f"{place}.{where}",
                "`item` stands for nothing here",
                "Give the task a `for_each`, or refer to something else.",
            )
    for where, name in named:
        if name == task.id:
            yield diagnose(
                "self-reference",
                where,
                f"{task.id!r} refers to itself",
                "Refer to an earlier task, or drop it.",
            )
        elif name not in graph.tasks:
            yield diagnose("dangling-reference", where, f"there is no task {name!r}", _or_near(name, list(graph.tasks)))


def _arguments(task: Task, plan: Plan, agents: Roster, outputs: dict[str, Schema]) -> Iterator[Diagnostic]:
    candidates = agents.candidates(task)
    if not candidates:
        return
    place = f"tasks.{task.id}.inputs"
    schema = agents.skill(task, candidates[0]).inputs
    properties = schema.get("properties", {}) if isinstance(schema, dict) else {}
    for name in schema.get("required", ()) if isinstance(schema, dict) else ():
        if name not in task.inputs:
            yield diagnose(
                "missing-input",
                place,
                f"{task.skill!r} needs {name!r}",
                f"Add `{name}: ...` under `inputs:`.",
            )
    for name, value in task.inputs.items():
        where = f"{place}.{name}"
        if name not in properties:
            if schema.get("additionalProperties") is False:
                yield diagnose(
                    "unknown-input",
                    where,
                    f"{task.skill!r} takes no {name!r}",
                    _or_near(name, list(properties)),
                )
            continue
        yield from _fits(value, properties[name], schema, where, task, plan, outputs)


def _fits(
    value: Json, wanted: Schema, root: Schema, where: str, task: Task, plan: Plan, outputs: dict[str, Schema]
) -> Iterator[Diagnostic]:
    given: Schema
    if is_reference(value):
        try:
            reference = parse(value)
            given = _schema_of(reference, task, plan, outputs)
        except ValueError:
            return
        except NoSuchPart as error:
            yield diagnose(
                "unknown-output",
                where,
                f"{value['ref']!r} leads to no part that is declared: {error}",
                "Refer to a part that the output has.",
            )
            return
        if not reference.hard and mismatch({"type": type_of(reference.default)}, wanted, root) is None:
            return
    elif isinstance(value, dict) and value.keys() == {"literal"}:
        given = {"type": type_of(value["literal"])}
    else:
        given = {"type": type_of(value)}
        if isinstance(value, list) and value and not any(True for _ in find(value, "")):
            given["items"] = {"type": sorted({type_of(one) for one in value})}
    problem = mismatch(given, resolved(wanted, root), root)
    if problem:
        yield diagnose("type-mismatch", where, f"gets {problem}", "Refer to another part, or convert it in between.")


def _schema_of(reference: Reference, task: Task, plan: Plan, outputs: dict[str, Schema]) -> Schema:
    if reference.root == "task":
        return part(outputs.get(reference.name, ANYTHING), reference.steps)
    if reference.root == "inputs":
        kinds: dict[str, Schema] = {
            "file": {"type": "string"},
            "folder": {"type": "string"},
            "files": {"type": "array", "items": {"type": "string"}},
        }
        return part(kinds.get(plan.inputs.get(reference.name, InputSpec()).kind, ANYTHING), reference.steps)
    if reference.root == "item" and task.for_each is not None and is_reference(task.for_each.items):
        try:
            whole = _schema_of(parse(task.for_each.items), task, plan, outputs)
        except (ValueError, NoSuchPart):
            return ANYTHING
        return part(whole, (0, *reference.steps))
    return ANYTHING


def _output(task: Task, agents: Roster) -> Schema:
    candidates = agents.candidates(task)
    one = task.output or (agents.skill(task, candidates[0]).output if candidates else ANYTHING)
    if task.for_each is None:
        return one
    many: Schema = {"type": "array", "items": {key: value for key, value in one.items() if key != "$defs"}}
    return {**many, "$defs": one["$defs"]} if "$defs" in one else many


def _deliverable(
    plan: Plan, graph: Graph, found: Sequence[Diagnostic], outputs: dict[str, Schema]
) -> Iterator[Diagnostic]:
    fatal = {"unknown-skill", "unknown-agent", "dangling-reference", "self-reference"}
    broken = {one.path.split(".")[1] for one in found if one.code in fatal and one.path.startswith("tasks.")}
    broken |= set(graph.tasks) - set(graph.order)
    dead = downstream(graph, broken, Need.ORDER)
    for where, raw in find(plan.deliver, "deliver"):
        try:
            reference = parse(raw)
        except ValueError as error:
            yield diagnose("bad-reference", where, str(error), "See docs/plans.md on references.")
            continue
        if reference.root == "item":
            yield diagnose("undeclared-reference", where, "`item` stands for nothing here", "Refer to a task's output.")
        elif reference.root == "inputs" and reference.name not in plan.inputs:
            yield diagnose(
                "undeclared-reference",
                where,
                f"the plan declares no input {reference.name!r}",
                _or_near(reference.name, list(plan.inputs)),
            )
        elif reference.root == "task" and reference.name not in graph.tasks:
            yield diagnose(
                "dangling-reference",
                where,
                f"there is no task {reference.name!r}",
                _or_near(reference.name, list(graph.tasks)),
            )
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
                    f"{raw['ref']!r} leads to no part that is declared: {error}",
                    "Refer to a part that the output has.",
                )


def _writers(graph: Graph) -> Iterator[Diagnostic]:
    by_key: dict[str, list[str]] = {}
    for id_ in graph.order:
        if (key := graph.tasks[id_].writes) is not None:
            by_key.setdefault(key, []).append(id_)
    shared = {key: ids for key, ids in by_key.items() if len(ids) > 1}
    every = [id_ for ids in shared.values() for id_ in ids]
    above = ancestors_among(graph, every) if every else {}
    bit = {id_: 1 << number for number, id_ in enumerate(every)}
    for key, ids in shared.items():
        # In a topological order all writers are ordered exactly when each comes after the one before.
        for first, second in pairwise(ids):
            if not above[second] & bit[first]:
                yield diagnose(
                    "unordered-writers",
                    f"tasks.{second}.writes",
                    f"{first!r} and {second!r} both write {key!r} and neither waits for the other",
                    f"Add `after: [{first}]` to {second}, or write two entries.",
                )


def _context(graph: Graph) -> Iterator[Diagnostic]:
    readers = [(id_, key) for id_ in graph.order for key in sorted(reads(graph.tasks[id_]))]
    if not readers:
        return
    writers = [id_ for id_ in graph.order if graph.tasks[id_].writes is not None]
    above = ancestors_among(graph, writers)
    for id_, key in readers:
        if not any(above[id_] >> number & 1 and graph.tasks[one].writes == key for number, one in enumerate(writers)):
            yield diagnose(
                "undeclared-reference",
                f"tasks.{id_}.inputs",
                f"nothing writes context {key!r} before this task",
                f"Give an earlier task `writes: {key}` and list it under `after:`.",
            )


def _equal_effects(plan: Plan, agents: Roster) -> Iterator[Diagnostic]:
    seen: dict[str, str] = {}
    for task in plan.tasks:
        candidates = agents.candidates(task)
        if not candidates or agents.effect(task, candidates[0]) in (SideEffect.NONE, SideEffect.UNDECLARED):
            continue
        items = task.for_each.items if task.for_each else None
        try:
            key = digest([task.skill, task.inputs, items, task.occurrence])
        except ValueError:
            continue
        if key in seen:
            yield diagnose(
                "equal-effects",
                f"tasks.{task.id}",
                f"does the same as {seen[key]!r}, with the same arguments",
                "Remove one; if it is meant to happen twice, give each its own `occurrence:`.",
            )
        seen.setdefault(key, task.id)


def _perimeters(plan: Plan, graph: Graph, agents: Roster) -> Iterator[Diagnostic]:
    labelled = (
        any(spec.labels for spec in plan.inputs.values())
        or any(task.labels for task in plan.tasks)
        or any(skill.labels for card in agents.agents.values() for skill in card.skills)
    )
    if not labelled:
        return
    carried: dict[str, frozenset[str]] = {}
    for id_ in graph.order:
        task = graph.tasks[id_]
        incoming = set(task.labels)
        for name in graph.before[id_]:
            incoming |= carried[name]
        for _, raw in places(task):
            try:
                reference = parse(raw)
            except ValueError:
                continue
            if reference.root == "inputs" and reference.name in plan.inputs:
                incoming |= set(plan.inputs[reference.name].labels)
        candidates = agents.candidates(task)
        for name in candidates:
            perimeter = agents.agents[name].perimeter
            outside = incoming - set(perimeter) if perimeter is not None else set()
            if outside:
                yield diagnose(
                    "perimeter",
                    f"tasks.{id_}",
                    f"data labelled {', '.join(sorted(outside))} would reach {name!r}",
                    f"Use another agent, redact before, or add the label to the perimeter of {name!r}.",
                )
                break
        added = {label for name in candidates for label in agents.skill(task, name).labels}
        carried[id_] = frozenset(incoming | added)


def _cost(plan: Plan, agents: Roster, budget: Budget) -> Iterator[Diagnostic]:
    if budget.steps is not None and len(plan.tasks) > budget.steps:
        yield diagnose(
            "over-budget",
            "tasks",
            f"{len(plan.tasks)} tasks, and the budget allows {budget.steps} attempts",
            "Raise the budget or remove tasks.",
        )
    money, tokens = Decimal(0), 0
    for task in plan.tasks:
        costs = [agents.agents[name].cost for name in agents.candidates(task)]
        if costs and task.when is None and task.for_each is None:
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


def _time(graph: Graph, agents: Roster, seconds: float | None) -> Iterator[Diagnostic]:
    if seconds is None:
        return
    done: dict[str, float] = {}
    for id_ in graph.order:
        latencies = [agents.agents[name].latency or 0.0 for name in agents.candidates(graph.tasks[id_])]
        begin = max((done[name] for name in graph.before[id_]), default=0.0)
        done[id_] = begin + min(latencies, default=0.0)
    longest = max(done.values(), default=0.0)
    if longest > seconds:
        yield diagnose(
            "late",
            "tasks",
            f"the longest chain takes {longest:g} s and {seconds:g} s are left",
            "Give it more time, or expect a partial delivery.",
        )


def _advice(plan: Plan, graph: Graph, agents: Roster) -> Iterator[Diagnostic]:
    delivered = set()
    for _, raw in find(plan.deliver, "deliver"):
        try:
            delivered.add(parse(raw).name)
        except ValueError:
            continue
    for task in plan.tasks if plan.deliver is not None else ():
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
    skills = sorted({task.skill for task in plan.tasks})
    alone = [one for one in skills if len(able := agents.by_skill.get(one, ())) == 1 and not _backed(able[0], agents)]
    if alone:
        named = ", ".join(alone[:12]) + (", ..." if len(alone) > 12 else "")
        mend = "Register a second agent with the skill where the work must not wait for one."
        yield diagnose("no-backup", "tasks", f"only one agent each has the skill {named}", mend)


def _backed(name: str, agents: Roster) -> bool:
    return bool(agents.agents[name].backups)


def _or_near(name: str, known: list[str], otherwise: str = "") -> str:
    close = nearest(name, known)
    if close:
        return f"Did you mean {close!r}?"
    if otherwise:
        return otherwise
    listed = ", ".join(known[:12]) + (", ..." if len(known) > 12 else "")
    return f"Known: {listed}." if listed else "There is none at all."


def nearest(name: str, known: list[str]) -> str | None:
    """Give the known name closest to a slip of the pen, or None; only the first 2,000 are looked at."""
    wanted = _plain(name)
    for one in known:
        if _plain(one) == wanted:
            return one
    close = get_close_matches(name, known[:2000], 1, _NEAR)
    return close[0] if close else None


def _plain(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())
