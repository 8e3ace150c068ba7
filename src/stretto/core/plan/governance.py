"""What tasks do to each other and to the world: no lost writes, no effect twice, no label where it must not go.

Sets of tasks and labels are integers, one bit each: unions over thousands of tasks stay cheap.
"""

from collections.abc import Collection, Iterator, Mapping
from itertools import islice, pairwise

from stretto.core.canonical import digest
from stretto.core.domain import ContextSpec, Plan, Schema, SideEffect, Task
from stretto.core.plan.diagnostics import Diagnostic, diagnose, listed, shown
from stretto.core.plan.graph import Graph, ancestors_among, descendants_among
from stretto.core.plan.references import is_reference, named, parse, places, reads
from stretto.core.plan.schemas import mismatch
from stretto.core.routing import Roster


def unordered_writers(graph: Graph) -> Iterator[Diagnostic]:
    """Give the tasks that write one context entry though neither waits for the other."""
    by_key = _writers(graph)
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
                    f"{first!r} and {second!r} both write {shown(key)} and neither waits for the other",
                    f"Add `after: [{first}]` to {second}, or write two entries.",
                )


def unwritten_context(graph: Graph) -> Iterator[Diagnostic]:
    """Give the tasks that read a context entry before anything has surely written it."""
    by_key = _writers(graph)
    if not any(reads(task) for task in graph.tasks.values()):
        return
    writers = [id_ for ids in by_key.values() for id_ in ids]
    above = ancestors_among(graph, writers)
    bit = {id_: 1 << number for number, id_ in enumerate(writers)}
    of_key = {key: sum(bit[id_] for id_ in ids) for key, ids in by_key.items()}
    for id_ in graph.order:
        for where, key in _context_read(graph.tasks[id_]):
            if not above[id_] & of_key.get(key, 0):
                yield diagnose(
                    "undeclared-reference",
                    f"tasks.{id_}.{where}",
                    f"nothing writes context {shown(key)} before this task",
                    f"Give an earlier task `writes: {key}` and list it under `after:`.",
                )


def undeclared_context(plan: Plan, declared: Collection[str]) -> Iterator[Diagnostic]:
    """Give the writes to context entries that a workspace with a schema for its context does not name."""
    for task in plan.tasks if declared else ():
        if task.writes is not None and task.writes not in declared:
            yield diagnose(
                "undeclared-reference",
                f"tasks.{task.id}.writes",
                f"the workspace declares no context entry {shown(task.writes)}; it has {listed(declared)}",
                "Add it under `context:` in workspace.yaml, or write another.",
            )


def misfitting_context(
    plan: Plan, outputs: Mapping[str, Schema], declared: Mapping[str, ContextSpec]
) -> Iterator[Diagnostic]:
    """Give the writes whose results can never be what the workspace declares the context entry to be."""
    for task in plan.tasks if declared else ():
        spec = declared.get(task.writes) if task.writes is not None else None
        if spec is not None and (problem := mismatch(outputs[task.id], spec.schema, spec.schema)):
            yield diagnose(
                "type-mismatch",
                f"tasks.{task.id}.writes",
                f"the context entry {shown(task.writes)} gets {problem}",
                "Change its schema under `context:` in workspace.yaml, or write another entry.",
            )


def racing_reads(graph: Graph) -> Iterator[Diagnostic]:
    """Give the tasks that read a context entry which another, in no order with them, writes anew."""
    by_key = {key: ids for key, ids in _writers(graph).items() if len(ids) > 1}
    readers = {
        id_: keys
        for id_ in graph.order
        if (keys := [(where, key) for where, key in _context_read(graph.tasks[id_]) if key in by_key])
    }
    if not readers:
        return
    writers = list(dict.fromkeys(id_ for ids in by_key.values() for id_ in ids))
    above, below = ancestors_among(graph, writers), descendants_among(graph, writers)
    bit = {id_: 1 << number for number, id_ in enumerate(writers)}
    of_key = {key: sum(bit[id_] for id_ in ids) for key, ids in by_key.items()}
    for id_, keys in readers.items():
        for where, key in keys:
            if racing := of_key[key] & ~(above[id_] | below[id_] | bit.get(id_, 0)):
                writer = writers[(racing & -racing).bit_length() - 1]
                yield diagnose(
                    "racing-read",
                    f"tasks.{id_}.{where}",
                    f"may read {shown(key)} before or after {writer!r} writes it anew",
                    f"Add `after: [{writer}]` here, or `after: [{id_}]` there.",
                )


def equal_effects(plan: Plan, agents: Roster) -> Iterator[Diagnostic]:
    """Give the tasks whose side effect another one has as well, with nothing declaring them as two."""
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


def perimeter_defects(plan: Plan, graph: Graph, agents: Roster) -> Iterator[Diagnostic]:
    """Follow the labels through the plan, and give the tasks where one reaches an agent that may not see it."""
    bits = _Labels()
    given = {name: bits.of(spec.labels) for name, spec in plan.inputs.items()}
    added = {(card.name, skill.name): bits.of(skill.labels) for card in agents.agents.values() for skill in card.skills}
    if not any(given.values()) and not any(added.values()) and not any(task.labels for task in plan.tasks):
        return
    own = {task.id: bits.of(task.labels) for task in plan.tasks}
    seen_by = {
        name: None if card.perimeter is None else bits.of(card.perimeter) for name, card in agents.agents.items()
    }
    carried: dict[str, int] = {}
    for id_ in graph.order:
        task = graph.tasks[id_]
        incoming = own[id_]
        for name in graph.before[id_]:
            incoming |= carried[name]
        for name in named(task, "inputs") if given else ():
            incoming |= given.get(name, 0)
        candidates = agents.candidates(task)
        for name in candidates if task.repeat is not None and named(task, "previous") else ():
            incoming |= added[name, task.skill]
        for name in candidates:
            perimeter = seen_by[name]
            if perimeter is not None and (outside := incoming & ~perimeter):
                yield diagnose(
                    "perimeter",
                    f"tasks.{id_}",
                    f"data labelled {listed(sorted(islice(bits.names(outside), 13)))} would reach {name!r}",
                    f"Use another agent, redact before, or add the label to the perimeter of {name!r}.",
                )
                break
        for name in candidates:
            incoming |= added[name, task.skill]
        carried[id_] = incoming


class _Labels:
    """Labels as bits, in the order they were met."""

    def __init__(self) -> None:
        self._bits: dict[str, int] = {}

    def of(self, labels: tuple[str, ...]) -> int:
        found = 0
        for one in labels:
            found |= self._bits.setdefault(one, 1 << len(self._bits))
        return found

    def names(self, labels: int) -> Iterator[str]:
        for name, bit in self._bits.items():
            if labels & bit:
                yield name


def _writers(graph: Graph) -> dict[str, list[str]]:
    by_key: dict[str, list[str]] = {}
    for id_ in graph.order:
        if (key := graph.tasks[id_].writes) is not None:
            by_key.setdefault(key, []).append(id_)
    return by_key


def _context_read(task: Task) -> Iterator[tuple[str, str]]:
    for where, raw in places(task) if reads(task) else ():
        try:
            reference = parse(raw) if is_reference(raw) else None
        except ValueError:
            continue
        if reference is not None and reference.root == "context":
            yield where, reference.name
