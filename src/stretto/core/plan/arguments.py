"""What skills are given: required arguments are there, unknown ones are not, and types may fit.

That an argument is missing is certain; that a type does not fit is only as sure as the schemas are.
"""

from collections.abc import Iterator, Mapping

from stretto.core.domain import InputSpec, Json, Plan, Schema, Task
from stretto.core.plan.diagnostics import Diagnostic, diagnose, shown, under
from stretto.core.plan.names import Names
from stretto.core.plan.references import Reference, find, is_reference, parse
from stretto.core.plan.schemas import (
    ANYTHING,
    POSITIONAL,
    NoSuchPart,
    arguments,
    mismatch,
    misnamed,
    part,
    resolved,
    type_of,
    untitled,
)
from stretto.core.routing import Roster

_LIST: Schema = {"type": "array"}
_KINDS: dict[str, Schema] = {
    "file": {"type": "string"},
    "folder": {"type": "string"},
    "files": {"type": "array", "items": {"type": "string"}},
}


def outputs_of(plan: Plan, agents: Roster) -> dict[str, Schema]:
    """Give the schema of every task's output; a fan-out gives a list."""
    return {task.id: output_of(task, agents) for task in plan.tasks}


def argument_defects(task: Task, plan: Plan, agents: Roster, outputs: Mapping[str, Schema]) -> Iterator[Diagnostic]:
    """Hold the inputs of a task against what its skill takes."""
    place = f"tasks.{task.id}"
    candidates = agents.candidates(task)
    if task.for_each is not None:
        yield from _fits(task.for_each.items, _LIST, _LIST, f"{place}.for_each", task, plan, outputs)
    if not candidates:
        return
    schema = agents.skill(task, candidates[0]).inputs
    properties, required, others = arguments(schema)
    for name in required:
        if name not in task.inputs:
            yield diagnose(
                "missing-input",
                f"{place}.inputs",
                f"{task.skill!r} needs {name!r}",
                f"Add `{name}: ...` under `inputs:`.",
            )
    names: Names | None = None
    for name, value in task.inputs.items():
        where = under(f"{place}.inputs", name)
        if name in properties:
            yield from _fits(value, untitled(name, properties[name]), schema, where, task, plan, outputs)
        elif others:
            further = resolved(schema, schema).get("additionalProperties", ANYTHING)
            yield from _fits(value, further, schema, where, task, plan, outputs)
        else:
            names = names or Names(properties.keys)
            yield diagnose("unknown-input", where, f"{task.skill!r} takes no {shown(name)}", names.mend(name))


def by_name(inputs: dict[str, Json], schema: Schema) -> dict[str, Json]:
    """Give arguments by position the names that the skill has for them, in its order, as far as it has names."""
    properties, _, _ = arguments(schema)
    values = inputs.get(POSITIONAL)
    if not isinstance(values, list) or not properties or POSITIONAL in properties:
        return inputs
    free = [name for name in properties if name not in inputs]
    named = dict(zip(free, values, strict=False))
    rest = values[len(named) :]
    kept = {name: value for name, value in inputs.items() if name != POSITIONAL}
    return {**named, **kept, **({POSITIONAL: rest} if rest else {})}


def _fits(
    value: Json, wanted: Schema, root: Schema, where: str, task: Task, plan: Plan, outputs: Mapping[str, Schema]
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
                f"{shown(value['ref'])} leads to no part that is declared: {error}",
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
            given["items"] = {"type": sorted({_plain_type(one) for one in value})}
        elif isinstance(value, list):
            items = resolved(resolved(wanted, root).get("items", ANYTHING), root)
            for number, one in enumerate(value):
                if is_reference(one):
                    yield from _fits(one, items, root, under(where, number), task, plan, outputs)
    if problem := mismatch(given, wanted, root) or misnamed(given, wanted, root):
        yield diagnose("type-mismatch", where, f"gets {problem}", "Refer to another part, or convert it in between.")


def _plain_type(value: Json) -> str:
    return type_of(value["literal"]) if isinstance(value, dict) and value.keys() == {"literal"} else type_of(value)


def _schema_of(reference: Reference, task: Task, plan: Plan, outputs: Mapping[str, Schema]) -> Schema:
    if reference.root == "task":
        return part(outputs.get(reference.name, ANYTHING), reference.steps)
    if reference.root == "inputs":
        kind = plan.inputs.get(reference.name, InputSpec()).kind
        return part(_KINDS.get(kind, ANYTHING), reference.steps)
    if reference.root == "joined" and task.join is not None:
        members = [outputs.get(name, ANYTHING) for name in task.join.of]
        return part({"type": "array", **_alike(members)}, reference.steps)
    if reference.root == "previous" and task.repeat is not None:
        return part(outputs.get(task.id, ANYTHING), reference.steps)
    if reference.root == "round":
        return {"type": "integer"}
    if reference.root == "item" and task.for_each is not None and is_reference(task.for_each.items):
        try:
            list_of = parse(task.for_each.items)
            whole = ANYTHING if list_of.root == "item" else _schema_of(list_of, task, plan, outputs)
        except (ValueError, NoSuchPart):
            return ANYTHING
        return part(whole, (0, *reference.steps))
    return ANYTHING


def _alike(schemas: list[Schema]) -> Schema:
    """Say what the elements of a list are like, where all are alike."""
    first = schemas[0] if schemas else ANYTHING
    if any(one != first for one in schemas):
        return {}
    items = {"items": {key: value for key, value in first.items() if key != "$defs"}}
    return {**items, "$defs": first["$defs"]} if "$defs" in first else items


def output_of(task: Task, agents: Roster) -> Schema:
    """Give the schema of a task's output; a fan-out gives a list."""
    candidates = agents.candidates(task)
    one = task.output or (agents.skill(task, candidates[0]).output if candidates else ANYTHING)
    if task.for_each is None:
        return one
    many: Schema = {"type": "array", "items": {key: value for key, value in one.items() if key != "$defs"}}
    return {**many, "$defs": one["$defs"]} if "$defs" in one else many
