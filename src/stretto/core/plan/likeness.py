"""Likeness of tasks by content: two with one signature do the same to the same, whatever they are called.

A signature is made of what decides a result: the skill, the inputs with every reference replaced by the signature of
what it leads to, agent, condition, fan-out, join, rounds, what is asked of the output, side effect and declared
occurrence. Names, wording, order without data, waits, limits, budgets, ladders, undoings, chains and approvals do not
count.
"""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, assert_never

import msgspec

from stretto.core.canonical import digest
from stretto.core.domain import Json, Task
from stretto.core.plan.conditions import looks_at
from stretto.core.plan.graph import Graph, ancestors_among, graph_of
from stretto.core.plan.references import NoDefault, Reference, is_reference, parse, reads

_APART = frozenset(
    {
        "id", "objective", "inputs", "after", "when", "for_each", "limits", "risk", "approval", "agent", "ladder",
        "ask", "budget", "wait", "undo", "undoes", "join", "repeat",
    }
)  # fmt: skip
_CONTENT = tuple(one.name for one in fields(Task) if one.name not in _APART)


def signatures(tasks: Sequence[Task], inputs: Mapping[str, Json]) -> dict[str, str]:
    """Give the signature of each task; those on a circle, which never run, have none. Near linear in the plan."""
    graph = graph_of(tasks)
    writers = _writers_before(graph)
    found: dict[str, str] = {}
    for id_ in graph.order:
        found[id_] = _signature(graph.tasks[id_], inputs, found, writers.get(id_, {}))
    return found


def _signature(
    task: Task, inputs: Mapping[str, Json], known: Mapping[str, str], writers: Mapping[str, Sequence[str]]
) -> str:
    joined = None if task.join is None else [task.join.take, sorted(known.get(name, "") for name in task.join.of)]
    rounds = None if task.repeat is None else [task.repeat.max, task.repeat.until, task.repeat.otherwise]

    def stands_for(reference: Reference) -> Json:
        match reference.root:
            case "task":
                content: Json = known.get(reference.name, "")
            case "inputs":
                content = inputs.get(reference.name)
            case "context":
                content = [reference.name, *(known.get(name, "") for name in writers.get(reference.name, ()))]
            case "joined":
                content = joined
            case "item" | "previous" | "round":
                content = reference.root
            case _:
                assert_never(reference.root)
        otherwise = [] if reference.default is NoDefault else [reference.default]
        return ["ref", reference.root, content, list(reference.steps), otherwise]

    plain: dict[str, Any] = {name: msgspec.to_builtins(getattr(task, name)) for name in _CONTENT}
    spread = None if task.for_each is None else msgspec.to_builtins(task.for_each)
    if spread is not None:
        spread["items"] = _resolved(spread["items"], stands_for)
    looked_at = sorted(
        (kind, known.get(name, "") if kind == "task" else digest(inputs.get(name)) if kind == "inputs" else name)
        for kind, name in (looks_at(task.when) if task.when else ())
    )
    when = [_without_names(task.when), *map(list, looked_at)] if task.when else None
    return digest([plain, task.agent, when, spread, joined, rounds, _resolved(task.inputs, stands_for)])


def _without_names(when: str) -> str:
    """Give a condition with the tasks it names numbered, in the order in which it names them first."""
    names = sorted((name for kind, name in looks_at(when) if kind == "task"), key=when.find)
    for number, name in enumerate(names):
        when = when.replace(f"{name}.output", f"${number}.output").replace(f'"{name}"', f"${number}")
    return when


def _resolved(value: Json, stands_for: Any) -> Json:
    if is_reference(value):
        try:
            return stands_for(parse(value))
        except ValueError:
            return value
    if isinstance(value, dict):
        if value.keys() == {"literal"}:
            return value
        return {key: _resolved(inner, stands_for) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_resolved(inner, stands_for) for inner in value]
    return value


def _writers_before(graph: Graph) -> dict[str, dict[str, list[str]]]:
    """Give, for each task that reads context entries, the tasks before it that write them."""
    readers = {id_: found for id_, task in graph.tasks.items() if (found := reads(task))}
    found_writers: dict[str, dict[str, list[str]]] = {}
    for key in sorted({key for found in readers.values() for key in found}):
        writers = [id_ for id_ in graph.order if graph.tasks[id_].writes == key]
        before = ancestors_among(graph, writers)
        for id_, found in readers.items():
            if key in found:
                bits = before.get(id_, 0)
                found_writers.setdefault(id_, {})[key] = [one for n, one in enumerate(writers) if bits >> n & 1]
    return found_writers
