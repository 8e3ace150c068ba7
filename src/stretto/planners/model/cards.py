"""Skills in as few words as a planner needs: what each takes, gives and does, and what is to be minded about it.

    query.query(sql, files: [text], limit?: int) -> Table{columns: [Column], rows: [[any]]}: Run a SELECT. [$0.01; 2 s]

Words of cards come from whoever wrote the agent: they are put on one line, and cut.
"""

from collections.abc import Iterator, Mapping, Sequence

from stretto.core.domain import AgentCard, Json, Schema, SideEffect, Skill
from stretto.core.plan.schemas import ANYTHING, arguments, resolved, untitled

_WORDS = {"string": "text", "integer": "int", "boolean": "bool", "object": "{}", "array": "[any]"}
_FIELDS = 12
_CHOICES = 8
_DESCRIPTION = 160


def cards(skills: Mapping[str, tuple[Skill, tuple[AgentCard, ...]]]) -> list[str]:
    """Give a line for each skill, with the agents that have it; the fields of a named type are told once."""
    told: set[tuple[str, ...]] = set()
    return [card(skill, agents, told) for skill, agents in skills.values()]


def card(skill: Skill, agents: Sequence[AgentCard], told: set[tuple[str, ...]] | None = None) -> str:
    """Give the line of a skill. `told` are the named types whose fields were told before, and takes in its own."""
    types = _Types(set() if told is None else told)
    says = one_line(skill.description or agents[0].description, _DESCRIPTION)
    minded = "; ".join(_minded(skill, agents))
    taken, output = types.taken(skill.inputs), types.of(skill.output, skill.output)
    line = f"{skill.name}({taken})" + (f" -> {output}" if output != "any" else "")
    return f"{line}{f': {says}' if says else ''}{f' [{minded}]' if minded else ''}"


class _Types:
    """Says in a word or two what schemas describe; the name of a type goes before its fields."""

    def __init__(self, told: set[tuple[str, ...]]) -> None:
        self._told = told

    def taken(self, inputs: Schema) -> str:
        """Give the arguments of a skill; those that may be left out have a question mark."""
        properties, required, others = arguments(inputs)
        said = [
            _field(name, name in required, self.of(untitled(name, properties[name]), inputs))
            for name in _ordered(properties, required)
        ]
        return ", ".join([*said, *(["..."] if others and not properties else [])])

    def of(self, schema: Json, root: Schema, depth: int = 1) -> str:
        """Give the word for a schema; `depth` are the levels of fields that are told."""
        here = resolved(schema, root)
        choices = next((here[word] for word in ("anyOf", "oneOf") if isinstance(here.get(word), list)), None)
        if choices:
            return "|".join(dict.fromkeys(self.of(one, root, depth) for one in choices[:_CHOICES]))
        if isinstance(here.get("enum"), list):
            return "|".join(one_line(str(one), 40) for one in here["enum"][:_CHOICES])
        if "const" in here:
            return one_line(str(here["const"]), 40)
        title, types = here.get("title"), here.get("type")
        name = one_line(title, 40) if isinstance(title, str) else ""
        said = (self._one(one, here, root, depth, name) for one in (types if isinstance(types, list) else [types]))
        return "|".join(one for one in said if one) or name or "any"

    def _one(self, type_: Json, here: Schema, root: Schema, depth: int, name: str) -> str:
        if type_ == "array":
            return f"[{self.of(here.get('items', ANYTHING), root, depth)}]"
        fields = here.get("properties")
        if type_ != "object" or not isinstance(fields, dict) or not fields or not depth:
            return name or _WORDS.get(str(type_), "") or (type_ if isinstance(type_, str) else "")
        required = [one for one in here.get("required") or () if isinstance(one, str)]
        names = _ordered(fields, required)
        if (mark := (name, *names)) in self._told and name:
            return name
        self._told.add(mark)
        said = [
            _field(field, field in required, self.of(untitled(field, fields[field]), root, depth - 1))
            for field in names[:_FIELDS]
        ]
        more = [f"{len(fields) - _FIELDS} more"] if len(fields) > _FIELDS else []
        return f"{name}{{{', '.join([*said, *more])}}}"


def _ordered(fields: Mapping[str, Json], required: Sequence[str]) -> list[str]:
    """Give the names of fields: those required, in their order, then the others. A journal keeps no other order."""
    return [*(one for one in dict.fromkeys(required) if one in fields), *sorted(fields.keys() - set(required))]


def _field(name: str, required: bool, type_: str) -> str:
    """Say what a field is; of a text only its name."""
    return f"{one_line(name, 60)}{'' if required else '?'}" + (f": {type_}" if type_ != "text" else "")


def _minded(skill: Skill, agents: Sequence[AgentCard]) -> Iterator[str]:
    if skill.effect is SideEffect.UNDECLARED:
        yield "may change something"
    elif skill.effect is not SideEffect.NONE:
        yield f"side effect: {skill.effect}"
    if skill.approval == "ask" or skill.effect is SideEffect.IRREVERSIBLE:
        yield "asks a person"
    first = agents[0]
    if first.kind == "person":
        yield "done by a person"
    if first.cost.money or first.cost.tokens:
        yield f"at most {first.cost}"
    if first.latency is not None:
        yield f"{first.latency:g} s"
    if first.perimeter is not None:
        yield f"may see only {', '.join(first.perimeter) or 'what has no label'}"
    if skill.labels:
        yield f"gives {', '.join(skill.labels)}"
    if len(agents) > 1:
        yield f"agents: {', '.join(one.name for one in agents[:4])}"


def one_line(text: str, most: int) -> str:
    """Give a text on one line, cut where it is long; nothing in it can look like another line of the prompt."""
    plain = " ".join("".join(one if one.isprintable() else " " for one in text).split())
    return plain if len(plain) <= most else f"{plain[: most - 1]}…"
