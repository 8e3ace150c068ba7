"""Agents that are people: running a skill puts a question before somebody, and the answer is the result."""

from collections.abc import Sequence
from typing import Any

from stretto.core.domain import AgentCard, Ask, Asks, Chain, InputRequired, Json, Outcome, Preview, Schema, SideEffect
from stretto.core.domain import Skill as SkillCard
from stretto.core.errors import BadAgent
from stretto.core.plan.asking import BadChain, place_of, read_asks
from stretto.core.plan.diagnostics import shown
from stretto.ports import Assignment
from stretto.validation import JsonSchemas

FIELDS = ("name", "description", "inputs", "output", "labels", "evidence", "who", "ask")


class PersonAgent:
    """See `stretto.ports.Agent`. Asking changes nothing, so after a crash it is simply asked again.

    The loop waits durably, takes the answer as the result, has it reviewed like any, and asks again with what the
    review found. A denial is a refusal.
    """

    def __init__(self, name: str, skills: Sequence[SkillCard], description: str = "") -> None:
        self.card = AgentCard(name=name, kind="person", description=description, skills=tuple(skills))

    async def run(self, assignment: Assignment) -> Outcome:
        skill = next((one for one in self.card.skills if one.name == assignment.skill), None)
        described = skill.description if skill is not None else ""
        question = assignment.objective or described or assignment.skill
        if assignment.feedback:
            question = f"{question} (sent back: {'; '.join(assignment.feedback)})"
        return InputRequired(question=question)

    async def preview(self, assignment: Assignment) -> Preview:
        return Preview()

    async def look_up(self, assignment: Assignment) -> Outcome | None:
        return None


def person(name: str, skills: Sequence[dict[str, Any]], description: str = "") -> PersonAgent:
    """Give somebody as an agent: `person("legal", [{"name": "sign", "who": "ann"}])` has the skill `legal.sign`.

    A skill has a `name`, and may have a `description`, `inputs` (a JSON Schema or a type for each argument),
    `output` (likewise for the result), `labels`, `evidence`, and `who` is asked, or a whole chain as `ask`. Raises
    BadAgent.
    """
    if not isinstance(name, str) or not name:
        raise BadAgent(f"a person needs a name, not {shown(name)}; add `name: NAME`")
    if not isinstance(skills, list | tuple) or not skills:
        raise BadAgent(f"{name} needs skills, each with a name; add `skills: [{{name: sign_off}}]`")
    found = [_skill(name, one) for one in skills]
    if len({one.name for one in found}) < len(found):
        raise BadAgent(f"two skills of {name!r} have one name; rename one")
    return PersonAgent(name, found, description)


def _skill(agent: str, raw: Any) -> SkillCard:
    if not isinstance(raw, dict) or not isinstance(raw.get("name"), str) or not raw["name"]:
        raise BadAgent(f"a skill of {agent} is a mapping with a `name`, not {shown(raw)}")
    where = f"the skill {raw['name']!r} of {agent}"
    if unknown := next((name for name in raw if name not in FIELDS), None):
        raise BadAgent(f"{where} has no field {shown(unknown)}; known: {', '.join(FIELDS)}")
    labels = raw.get("labels") or ()
    if not isinstance(labels, list | tuple) or not all(isinstance(one, str) for one in labels):
        raise BadAgent(f"{where}: labels are a list of names, not {shown(labels)}")
    return SkillCard(
        name=raw["name"] if "." in raw["name"] else f"{agent}.{raw['name']}",
        description=str(raw.get("description") or ""),
        inputs=_arguments(raw.get("inputs"), where),
        output=_schema(raw.get("output"), f"{where}: output"),
        effect=SideEffect.NONE,
        evidence=raw.get("evidence") is True,
        labels=tuple(labels),
        ask=_asks(raw, where),
    )


def _arguments(raw: Json, where: str) -> Schema:
    if raw is None:
        return {"type": "object", "additionalProperties": True}
    if not isinstance(raw, dict):
        raise BadAgent(f"{where}: inputs are a mapping from arguments to their types, not {shown(raw)}")
    properties = {name: _schema(one, f"{where}: inputs.{name}") for name, one in raw.items()}
    required = [name for name, one in properties.items() if "default" not in one]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _schema(raw: Json, where: str) -> Schema:
    schema = {} if raw is None else {"type": raw} if isinstance(raw, str) else raw
    if not isinstance(schema, dict):
        raise BadAgent(f"{where} is a JSON Schema like {{type: string}}, not {shown(raw)}")
    if problem := JsonSchemas().problem_of(schema):
        raise BadAgent(f"{where} is no JSON Schema: {problem}")
    return schema


def _asks(raw: dict[str, Any], where: str) -> Asks:
    who, ask = raw.get("who"), raw.get("ask")
    if who is not None and ask is not None:
        raise BadAgent(f"{where}: say `who` or `ask`, not both")
    if who is not None and not isinstance(who, str):
        raise BadAgent(f"{where}: who is a name, not {shown(who)}")
    try:
        return {"default": Chain(steps=(Ask(who=who),))} if who else read_asks(ask) if ask is not None else {}
    except BadChain as error:
        raise BadAgent(f"{where}: {place_of(error, 'ask')}: {error}") from None
