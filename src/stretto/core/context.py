"""What a task gets to see: exactly the values its references name, and which versions those are."""

from typing import Any, assert_never

from stretto.core.canonical import digest
from stretto.core.domain import Json, Piece, Schema, SideEffect, TaskStatus
from stretto.core.plan.references import NoDefault, Reference, inputs_read, named_in, substitute, walk
from stretto.core.plan.references import reads as entries_read
from stretto.core.plan.schemas import element
from stretto.core.state import RunState, TaskState, accepted, child_id, written

_BEGUN = (TaskStatus.RUNNING, TaskStatus.COMPLETED)


class Missing(LookupError):
    """A value that a task needs is not there; the message names the reference and why."""


def resolve(state: RunState, one: TaskState) -> dict[str, Json]:
    """Give the arguments of a task as they are now; raises Missing."""
    if one.edited is not None:
        return one.edited
    given = {name: value_of(state, value, one) for name, value in one.task.inputs.items() if name not in one.overlay}
    return given | one.overlay


def versions_read(state: RunState, one: TaskState) -> dict[str, int]:
    """Give the versions of the context entries that a task reads."""
    if not state.context or one.edited is not None:
        return {}
    return {key: state.context[key][-1].version for key in entries_read(one.task) if key in state.context}


def context_schema(state: RunState, one: TaskState) -> Schema | None:
    """Give the schema of the context entry that a task writes, where the workspace declares one.

    Each item of a fan-out writes one element of it.
    """
    spec = state.catalogue.context.get(one.task.writes) if one.task.writes is not None else None
    if spec is None:
        return None
    return spec.schema if one.task.for_each is None else element(spec.schema)


def criteria_of(state: RunState, one: TaskState) -> tuple[str, ...]:
    """Give the criteria of a task; where its result alone is delivered, also those by which a model's plan is done."""
    made = state.interpretation
    if made is None or made.planner != "model" or not made.done or one.parent is not None:
        return one.task.criteria
    delivered = named_in(state.deliver) == {one.task.id}
    return tuple(dict.fromkeys((*one.task.criteria, *made.done))) if delivered else one.task.criteria


def stale_reads(state: RunState, one: TaskState) -> dict[str, tuple[int, int]]:
    """Give the entries that were written anew since a task's attempt read them: (version read, version now)."""
    return {
        key: (version, now) for key, version in one.reads.items() if (now := state.context[key][-1].version) > version
    }


def value_of(state: RunState, value: Json, one: TaskState | None = None) -> Json:
    """Give a value with its references resolved, seen from a task; raises Missing."""

    def look(reference: Reference) -> Json:
        try:
            return walk(_root(state, reference, one), reference.steps)
        except LookupError as error:
            if reference.default is not NoDefault:
                return reference.default
            raise Missing(f"{reference.root} {reference.name!r}: {error.args[0]}") from None

    return substitute(value, look)


def _root(state: RunState, reference: Reference, one: TaskState | None) -> Json:
    match reference.root:
        case "task":
            if one is not None and reference.name == one.task.id and one.result is not None:
                return one.result.output  # its undoing looks back at it
            return accepted(state, reference.name)
        case "inputs":
            if reference.name not in state.inputs:
                raise LookupError("the run was not given this input")
            return state.inputs[reference.name]
        case "item":
            if one is None or one.number is None:
                raise LookupError("there is no item here")
            return one.item
        case "joined":
            return _joined(state, one)
        case "previous" | "round":
            if one is None or one.number is None or one.task.repeat is None:
                raise LookupError("this is no round of a repetition")
            if reference.root == "round":
                return one.number
            if one.number == 0:
                raise LookupError("this is the first round")
            return accepted(state, child_id(str(one.parent), one.number - 1))
        case "context":
            versions = state.context.get(reference.name)
            if not versions:
                raise LookupError("nothing has written this entry")
            begun = one is not None and one.status in _BEGUN
            pinned = one.reads.get(reference.name) if one is not None and begun else None
            return written(state, versions[(pinned or len(versions)) - 1])
        case _:
            assert_never(reference.root)


def _joined(state: RunState, one: TaskState | None) -> list[Json]:
    """Give the outputs that the join of a task took, in the order they were accepted."""
    whole = state.tasks[one.parent] if one is not None and one.parent is not None else one
    if whole is None or whole.joining is None:
        raise LookupError("the task joins no others")
    taken = whole.joining.taken
    return [accepted(state, taken[number]) for number in range(len(taken))]


def visible(state: RunState, one: TaskState) -> dict[str, Any]:
    """Give what a condition may look at: inputs, the outputs of the tasks it waits for, its item."""
    outputs: dict[str, Any] = {}
    for name in one.needs:
        try:
            outputs[name] = {"output": accepted(state, name)}
        except LookupError:
            continue
    return {**outputs, "tasks": outputs, "inputs": state.inputs, "item": one.item}


def action_key(state: RunState, one: TaskState, arguments: Json) -> str:
    """Name an action for the outside world: root run, skill, resolved arguments, declared occurrence and answers.

    Wording and position do not count, so replans and forks meet the same key again. What is done again on purpose after
    it was completed, or because it was taken back, is an occurrence of its own.
    """
    again = one.again
    while (key := _key(state, one, arguments, again)) in state.undone:
        again += 1
    return key


def _key(state: RunState, one: TaskState, arguments: Json, again: int) -> str:
    occurrence: list[Json] = [one.task.occurrence, len(one.answers), *([again] if again else ())]
    if one.number is not None:
        occurrence += [digest(one.item), one.same_before]
    return digest([state.root or state.run, one.task.skill, arguments, occurrence])[:40]


def binding(skill: str, arguments: Json, diff: str = "", preimage: str = "") -> str:
    """Give what an approval is bound to: anything else than this asks anew."""
    return digest([skill, arguments, diff, preimage])


def labels(state: RunState, one: TaskState) -> frozenset[str]:
    """Give the labels of everything a task reads, its own included."""
    found = set(one.task.labels)
    for name in one.needs:
        if name in state.tasks:
            found |= state.tasks[name].labels
    if one.number and one.task.repeat is not None:  # it may read the round before
        found |= state.tasks[child_id(str(one.parent), one.number - 1)].labels
    specs = state.specs
    for name in inputs_read(one.task) if any(spec.labels for spec in specs.values()) else ():
        found.update(specs[name].labels if name in specs else ())
    return frozenset(found)


def labels_of_piece(state: RunState, of: Piece) -> frozenset[str]:
    """Give the labels of what a piece of work sees: the task's data, the inputs of a plan, all that was accepted."""
    if of.task in state.tasks:
        one = state.tasks[of.task]
        added = state.roster.skill(one.task, one.agent).labels if one.agent else ()
        return labels(state, one) | frozenset(added)
    found = {label for spec in state.specs.values() for label in spec.labels}
    for one in state.tasks.values():
        found |= one.labels
    return frozenset(found)


def effect_of(state: RunState, one: TaskState, agent: str) -> SideEffect:
    """Give what doing this task twice would do, by task and skill."""
    return state.roster.effect(one.task, agent)
