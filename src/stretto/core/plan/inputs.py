"""Of which JSON types the inputs of a plan may be, by those who take them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from stretto.core.domain import Json, Plan, Schema, Task
from stretto.core.plan.references import Reference, is_reference, parse
from stretto.core.plan.schemas import ALL, ANYTHING, arguments, resolved, type_of, types
from stretto.core.routing import Roster


@dataclass(frozen=True, slots=True)
class Wanted:
    """The JSON types that a value may have, and its elements where it is a list."""

    types: frozenset[str] = ALL
    items: frozenset[str] = ALL

    def narrowed(self, other: "Wanted") -> "Wanted":
        """Give what both allow; where they allow nothing in common, what this one does."""
        return Wanted(self.types & other.types or self.types, self.items & other.items or self.items)

    def widened(self, other: "Wanted") -> "Wanted":
        """Give what one of both allows."""
        return Wanted(self.types | other.types, self.items | other.items)


LIST = Wanted(types=frozenset({"array"}))


def wanted(plan: Plan, agents: Roster) -> dict[str, Wanted]:
    """Give what each input may be: what the arguments and fan-outs that take it whole allow.

    Where none of them says so, it is what its default is; without one, anything.
    """
    found = {name: Wanted() for name in plan.inputs}
    for task in plan.tasks:
        for name, one in _taken(task, agents):
            if name in found:
                found[name] = found[name].narrowed(one)
    for name, spec in plan.inputs.items():
        if found[name] == Wanted() and spec.default is not None:
            found[name] = Wanted(types=types({"type": _wide(spec.default)}, ANYTHING))
    return found


def wanted_by_name(plans: Iterable[Plan], agents: Roster) -> dict[str, Wanted]:
    """Give what an input of a name may be where no plan is chosen yet: what one of the plans or skills takes."""
    found: dict[str, Wanted] = {}
    skills = [skill.inputs for card in agents.agents.values() for skill in card.skills]
    taken = [
        *(one for plan in plans for one in wanted(plan, agents).items()),
        *(
            (name, Wanted(types(one, schema), _items(one, schema)))
            for schema in skills
            for name, one in arguments(schema)[0].items()
        ),
    ]
    for name, one in taken:
        found[name] = found[name].widened(one) if name in found else one
    return found


def _taken(task: Task, agents: Roster) -> Iterator[tuple[str, Wanted]]:
    """Give the inputs that a task takes whole, or an element at a time, and what it allows."""
    spread = _whole(task.for_each.items) if task.for_each is not None else None
    fans_out = spread.name if spread is not None and spread.root == "inputs" else None
    if fans_out is not None:
        yield fans_out, LIST
    candidates = agents.candidates(task)
    if not candidates:
        return
    schema = agents.skill(task, candidates[0]).inputs
    properties, _, _ = arguments(schema)
    for name, value in task.inputs.items():
        reference = _whole(value)
        if reference is None or name not in properties:
            continue
        allowed = types(properties[name], schema)
        if reference.root == "inputs":
            yield reference.name, Wanted(allowed, _items(properties[name], schema))
        elif reference.root == "item" and fans_out is not None:
            yield fans_out, Wanted(LIST.types, allowed)


def _whole(value: Json) -> Reference | None:
    """Give the reference that a value is, if it stands for a whole and not for a part."""
    if not is_reference(value):
        return None
    try:
        reference = parse(value)
    except ValueError:
        return None
    return None if reference.steps else reference


def _items(schema: Json, root: Schema) -> frozenset[str]:
    here = resolved(schema, root)
    return types(here.get("items", ANYTHING), root)


def _wide(value: Json) -> str:
    found = type_of(value)
    return "number" if found == "integer" else found
