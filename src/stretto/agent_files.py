"""Agents of kind `model` as people write them: a Markdown file, whose front matter is the card and the body the prompt.

What stands at the top of the front matter holds for every skill that does not say it itself. The same fields in Python
are read by the same reader (`described`).
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from stretto.amounts import budget_of, seconds_of
from stretto.core.domain import Asks, Json, Ladder, Limits, Schema, SideEffect, Skill
from stretto.core.errors import BadAgent, BadWorkspace, UsageError
from stretto.core.limits import OF_AGENTS
from stretto.core.plan.asking import BadChain, place_of, read_asks
from stretto.core.plan.diagnostics import shown
from stretto.core.plan.ladders import read_ladder
from stretto.core.plan.names import Names
from stretto.declare import declared
from stretto.documents import Document, Unreadable, parse_document, read_text

T = TypeVar("T")

LARGEST = 1_000_000
"""Bytes of an agent's file at most: a prompt is read by a model, every turn."""

TURNS, TOOL_CALLS, TOKENS = 12, 40, 50_000
"""What an attempt may use where its limits do not say it."""

_FENCE = re.compile(r"^---[ \t]*$", re.MULTILINE)
_NAME = re.compile(r"[A-Za-z_][\w-]*(\.[A-Za-z_][\w-]*)*")
_PLACE = re.compile(r"\{(\{)?([A-Za-z_][A-Za-z0-9_]*)\}(?(1)\})")
TYPES = ("string", "integer", "number", "boolean", "object", "array", "null")
_SHAPING = frozenset({"$ref", "anyOf", "oneOf", "allOf", "enum", "const", "properties"})
"""Keywords that make a mapping a JSON Schema, as a `type` does."""
_VOCABULARY = _SHAPING | {
    "type", "title", "description", "default", "examples", "deprecated", "format", "items", "prefixItems", "contains",
    "minItems", "maxItems", "uniqueItems", "minContains", "maxContains", "required", "additionalProperties",
    "patternProperties", "propertyNames", "minProperties", "maxProperties", "dependentRequired", "dependentSchemas",
    "unevaluatedItems", "unevaluatedProperties", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum",
    "multipleOf", "minLength", "maxLength", "pattern", "contentEncoding", "contentMediaType", "contentSchema",
    "not", "if", "then", "else", "readOnly", "writeOnly",
}  # fmt: skip
OF_SKILLS = ("description", "inputs", "output", "effect", "evidence", "approval", "fresh", "labels", "ladder", "ask")
ON_CARDS = ("perimeter", "permissions", "latency", "window", "backups", *OF_AGENTS)
LIMITS = ("turns", "tool_calls", "tokens", "cost", "timeout", "attempts")
FIELDS = ("name", "model", "skills", "tools", "limits", "temperature", "max_tokens", *OF_SKILLS, *ON_CARDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What one attempt of an agent may use: turns of the model, calls of tools, tokens, and dollars (None: any)."""

    turns: int = TURNS
    tool_calls: int = TOOL_CALLS
    tokens: int = TOKENS
    money: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelAgentSpec:
    """An agent of kind `model`, as described.

    `models` are names, first choice first; none means those of the role `worker`. `tools` are skills of other agents,
    or names of `functions`. `card` holds further parts of its card; `document` knows where everything stands.
    """

    name: str
    description: str
    prompt: str
    skills: tuple[Skill, ...]
    models: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    functions: tuple[Callable[..., Any], ...] = ()
    allowance: Allowance = Allowance()
    temperature: float | None = None
    max_tokens: int | None = None
    card: dict[str, Any] = field(default_factory=dict)
    document: Document = field(compare=False)
    file: Path | None = None

    def called(self, name: str) -> "ModelAgentSpec":
        """Give the same agent under another name; its skills are called after it."""

        def renamed(skill: str) -> str:
            head, dot, rest = skill.partition(".")
            return f"{name}{dot}{rest}" if head == self.name else skill

        skills = tuple(replace(one, name=renamed(one.name)) for one in self.skills)
        return replace(self, name=name, skills=skills)

    def bad(self, path: str, message: str) -> UsageError:
        """Give the error that a part of the description is, with its place."""
        return _error(self.document, self.file, path, message)


def read_agent_file(path: Path) -> ModelAgentSpec:
    """Read an agent's Markdown file; raises BadWorkspace with file, line and column."""
    try:
        text = read_text(path, largest=LARGEST).replace("\r\n", "\n")
        front, prompt, line = _parted(text, str(path))
        document = parse_document(front, str(path))
    except Unreadable as error:
        raise BadWorkspace(str(error.diagnostic)) from None
    return _Reader(document, path).spec(prompt, line, path.stem)


def described(name: str, prompt: str, fields: Mapping[str, Any]) -> ModelAgentSpec:
    """Read an agent that is described in Python, by the fields that a file's front matter has.

    Among its `tools` may be functions. Raises BadAgent.
    """
    tools = fields.get("tools") or ()
    functions = tuple(one for one in tools if callable(one)) if isinstance(tools, Sequence) else ()
    named = [one if isinstance(one, str) else name_of(one) for one in tools] if functions else tools
    value = {"name": name, **fields, **({"tools": named} if named else {})}
    document = Document(name=f"the agent {name!r}", value=value)
    return _Reader(document, None, functions).spec(prompt, 1, name)


def name_of(function: Callable[..., Any]) -> str:
    """Give the name that a function has as a tool."""
    return declared(function).name or str(getattr(function, "__name__", ""))


def places_in(prompt: str) -> list[tuple[str, int]]:
    """Give the inputs that a prompt names, as `{name}`, each with its position; doubled braces are braces."""
    return [(found[2], found.start()) for found in _PLACE.finditer(prompt) if not found[1]]


def filled(prompt: str, value_of: Callable[[str], str]) -> str:
    """Give a prompt with the inputs that it names."""
    return _PLACE.sub(lambda found: f"{{{found[2]}}}" if found[1] else value_of(found[2]), prompt)


def _parted(text: str, name: str) -> tuple[str, str, int]:
    """Give the front matter with every line in its place, the body, and the line at which that begins."""
    opening = _FENCE.match(text)
    if opening is None:
        return "", text.strip(), text[: len(text) - len(text.lstrip())].count("\n") + 1
    closing = _FENCE.search(text, opening.end())
    if closing is None:
        raise BadWorkspace(f"{name}:1:1: the front matter does not end; close it with a line `---`")
    body = text[closing.end() :]
    before = len(text) - len(body.lstrip())
    return text[opening.end() : closing.start()], body.strip(), text.count("\n", 0, before) + 1


class _Reader:
    """Reads one description, with the place of whatever is wrong."""

    def __init__(self, document: Document, file: Path | None, functions: tuple[Callable[..., Any], ...] = ()) -> None:
        self._document, self._file, self._functions = document, file, functions

    def spec(self, prompt: str, line: int, stem: str) -> ModelAgentSpec:
        body = {} if self._document.value is None else self._document.value
        if not isinstance(body, dict):
            self._refuse("", "the front matter is a mapping, like `description: Writes reports.`")
        self._known(body, "", FIELDS, "an agent")
        name = self._name(body.get("name") or stem, "name")
        if not prompt:
            place = self._document.name if self._file is None else f"{self._document.name}:{line}:1"
            raise self._kind(f"{place}: it has no prompt; write below the front matter what the model is to do")
        description = self._text(body, "", "description") or _first_sentence(prompt)
        skills = self._skills({**body, "description": description}, name)
        self._require_places(prompt, line, skills)
        limits = self._mapping(body.get("limits") or {}, "limits")
        self._known(limits, "limits", LIMITS, "the limits of an agent")
        return ModelAgentSpec(
            name=name,
            description=description,
            prompt=prompt,
            skills=skills,
            models=self._names(body.get("model") or (), "model"),
            tools=self._tools(body),
            functions=self._functions,
            allowance=self._allowance(limits),
            temperature=self._temperature(body.get("temperature")),
            max_tokens=self._whole(body, "", "max_tokens"),
            card=self._card(body, limits),
            document=self._document,
            file=self._file,
        )

    # ---- skills

    def _skills(self, body: dict[str, Json], agent: str) -> tuple[Skill, ...]:
        listed = body.get("skills")
        if listed is None:
            return (self._skill(body, "", agent),)
        if not isinstance(listed, list) or not listed:
            self._refuse("skills", "`skills` is a list, each with a name: [{name: draft, inputs: {facts: [string]}}]")
        shared = {field: body[field] for field in OF_SKILLS if field in body and field not in ("description", "ladder")}
        found = []
        for number, raw in enumerate(listed):
            path = f"skills[{number}]"
            one = self._mapping({"name": raw} if isinstance(raw, str) else raw, path)
            self._known(one, path, ("name", "timeout", *OF_SKILLS), "a skill")
            name = self._name(one.get("name"), f"{path}.name")
            whole = {**shared, **one}
            found.append(self._skill(whole, path, name if "." in name else f"{agent}.{name}"))
        for number, one_skill in enumerate(found):
            if one_skill.name in [other.name for other in found[:number]]:
                self._refuse(f"skills[{number}]", f"two skills are called {one_skill.name!r}; rename one")
        return tuple(found)

    def _skill(self, raw: dict[str, Json], path: str, name: str) -> Skill:
        at = f"{path}." if path else ""
        effect = raw.get("effect")
        if effect is not None and effect not in list(SideEffect):
            mend = Names(lambda: list(SideEffect)).mend(str(effect))
            self._refuse(f"{at}effect", f"there is no side effect {shown(effect)}. {mend}")
        if raw.get("approval", "policy") not in ("policy", "ask"):
            self._refuse(f"{at}approval", f"approval is policy or ask, not {shown(raw['approval'])}")
        if not isinstance(raw.get("evidence", False), bool):
            self._refuse(f"{at}evidence", f"evidence is true or false, not {shown(raw['evidence'])}")
        return Skill(
            name=name,
            description=self._text(raw, path, "description"),
            inputs=self._inputs(raw.get("inputs"), f"{at}inputs"),
            output=self._schema(raw.get("output"), f"{at}output"),
            effect=SideEffect(effect) if effect is not None else SideEffect.NONE,
            evidence=bool(raw.get("evidence", False)),
            approval="ask" if raw.get("approval") == "ask" else "policy",
            fresh=self._seconds(raw.get("fresh"), f"{at}fresh"),
            labels=self._names(raw.get("labels") or (), f"{at}labels"),
            limits=Limits(timeout=self._seconds(raw["timeout"], f"{at}timeout")) if raw.get("timeout") else Limits(),
            ladder=self._ladder(raw.get("ladder"), f"{at}ladder") if path else {},
            ask=self._asks(raw.get("ask"), f"{at}ask"),
        )

    def _inputs(self, raw: Json, path: str) -> Schema:
        """Read `{question: string}`, a list of names, or a whole JSON Schema of an object."""
        if isinstance(raw, list):
            raw = dict.fromkeys(self._names(raw, path), None)
        whole = self._mapping(raw or {}, path, "a mapping from inputs to their types, like {question: string}")
        if whole.get("type") == "object" and isinstance(whole.get("properties"), dict):
            return self._sound(whole, path)
        properties = {name: self._schema(one, f"{path}.{name}") for name, one in whole.items()}
        required = [name for name, one in properties.items() if "default" not in one]
        return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}

    def _schema(self, raw: Json, path: str) -> Schema:
        """Read a type, `[type]` for a list of it, a mapping from fields to types, or a whole JSON Schema."""
        match raw:
            case str():
                if raw not in TYPES:
                    self._refuse(path, f"there is no type {shown(raw)}. {Names(lambda: list(TYPES)).mend(raw)}")
                return {"type": raw}
            case [one]:
                return {"type": "array", "items": self._schema(one, f"{path}[0]")}
            case dict() if _is_schema(raw):
                return self._sound(raw, path)
            case dict():
                fields = {name: self._schema(one, f"{path}.{name}") for name, one in raw.items()}
                return {
                    "type": "object",
                    "properties": fields,
                    "required": [name for name, one in fields.items() if "default" not in one],
                    "additionalProperties": False,
                }
            case _ if raw is not None:
                self._refuse(path, f"write a type like string, [string] for a list, or a JSON Schema; not {shown(raw)}")
        return {}

    def _sound(self, schema: Schema, path: str) -> Schema:
        if problem := _problem_of(schema):
            self._refuse(path, f"this is no JSON Schema: {problem}")
        return schema

    def _require_places(self, prompt: str, line: int, skills: Sequence[Skill]) -> None:
        """Make sure that the prompt names nothing but what every skill takes."""
        takes = [set(skill.inputs.get("properties", {})) for skill in skills]
        for found in _PLACE.finditer(prompt):
            name, before = found[2], prompt[: found.start()]
            place = f"{self._document.name}:{line + before.count(chr(10))}:{found.start() - before.rfind(chr(10))}"
            if found[1]:
                if name in set.union(*takes):
                    raise self._kind(f"{place}: doubled braces are braces; write {{{name}}} for the input")
                continue
            for skill, known in zip(skills, takes, strict=True):
                if name not in known:
                    mend = Names(lambda known=known: sorted(known)).mend(name, "Declare it under `inputs:`.")  # type: ignore[misc]
                    raise self._kind(
                        f"{place}: the prompt names {{{name}}}, which {skill.name!r} does not take. {mend} "
                        f"For the braces themselves write {{{{{name}}}}}."
                    )

    # ---- the rest of the card

    def _tools(self, body: dict[str, Json]) -> tuple[str, ...]:
        names = self._names(body.get("tools") or (), "tools")
        for number, name in enumerate(names):
            if name in names[:number]:
                self._refuse(f"tools[{number}]", f"the tool {name!r} is there twice; remove one")
        return names

    def _allowance(self, limits: dict[str, Json]) -> Allowance:
        money = None
        if limits.get("cost") is not None:
            cost = limits["cost"]
            try:
                budget = budget_of(cost if isinstance(cost, str) else f"${cost}")
            except UsageError as error:
                self._refuse("limits.cost", str(error))
            money = budget.money
            if money is None or budget.tokens or budget.steps or budget.seconds or budget.revisions:
                self._refuse("limits.cost", f"cost is an amount of dollars like $0.05, not {shown(cost)}")
        return Allowance(
            turns=self._whole(limits, "limits", "turns") or TURNS,
            tool_calls=self._whole(limits, "limits", "tool_calls") or TOOL_CALLS,
            tokens=self._tokens(limits.get("tokens")),
            money=money,
        )

    def _tokens(self, raw: Json) -> int:
        """Read 50000, or `50k`."""
        if isinstance(raw, str):
            try:
                budget = budget_of(raw if "token" in raw else f"{raw} tokens")
            except UsageError as error:
                self._refuse("limits.tokens", str(error))
            raw = budget.tokens
        return self._whole({"tokens": raw}, "limits", "tokens") or TOKENS

    def _card(self, body: dict[str, Json], limits: dict[str, Json]) -> dict[str, Any]:
        found: dict[str, Any] = {
            "limits": Limits(
                timeout=self._seconds(limits.get("timeout"), "limits.timeout"),
                attempts=self._whole(limits, "limits", "attempts"),
            ),
            "permissions": self._names(body.get("permissions") or (), "permissions"),
            "backups": self._names(body.get("backups") or (), "backups"),
            "ladder": self._ladder(body.get("ladder"), "ladder"),
            "window": self._whole(body, "", "window"),
            "latency": self._seconds(body.get("latency"), "latency"),
        }
        if body.get("perimeter") is not None:
            found["perimeter"] = self._names(body["perimeter"], "perimeter")
        for name, reader in OF_AGENTS.items():
            if name in body:
                try:
                    found[name] = reader(body[name])
                except UsageError as error:
                    self._refuse(name, str(error))
        return found

    def _ladder(self, raw: Json, path: str) -> Ladder:
        if raw is None:
            return {}
        ladder, wrong = read_ladder(raw, path)
        if wrong:
            self._refuse(wrong[0].path, f"{wrong[0].message}. {wrong[0].mend}")
        return ladder

    def _asks(self, raw: Json, path: str) -> Asks:
        try:
            return read_asks(raw) if raw else {}
        except BadChain as error:
            self._refuse(place_of(error, path), str(error))

    # ---- plain values

    def _name(self, raw: Json, path: str) -> str:
        if not isinstance(raw, str) or not _NAME.fullmatch(raw):
            self._refuse(path, f"a name is made of letters, digits, dots and dashes, not {shown(raw)}")
        return raw

    def _names(self, raw: Json, path: str) -> tuple[str, ...]:
        names = [raw] if isinstance(raw, str) else raw
        if not isinstance(names, list | tuple) or not all(isinstance(one, str) and one.strip() for one in names):
            self._refuse(path, f"{path} is a list of names, not {shown(raw)}")
        return tuple(names)

    def _text(self, body: dict[str, Json], path: str, name: str) -> str:
        value = body.get(name) or ""
        if not isinstance(value, str):
            self._refuse(f"{path}.{name}" if path else name, f"{name} is text, not {shown(value)}")
        return " ".join(value.split())

    def _whole(self, body: dict[str, Json], path: str, name: str) -> int | None:
        value = body.get(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value <= 0):
            self._refuse(f"{path}.{name}" if path else name, f"{name} is a whole number above 0, not {shown(value)}")
        return value

    def _seconds(self, raw: Json, path: str) -> float | None:
        if raw is None:
            return None
        try:
            seconds = seconds_of(raw) if isinstance(raw, str) else raw
        except UsageError as error:
            self._refuse(path, str(error))
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds < math.inf:
            self._refuse(path, f"{path} is a length of time like 90 or 2m, not {shown(raw)}")
        return float(seconds)

    def _temperature(self, raw: Json) -> float | None:
        if raw is not None and (isinstance(raw, bool) or not isinstance(raw, int | float) or not 0 <= raw <= 2):
            self._refuse("temperature", f"temperature is a number from 0 to 2, not {shown(raw)}")
        return None if raw is None else float(raw)

    def _mapping(self, raw: Json, path: str, form: str = "a mapping") -> dict[str, Json]:
        if not isinstance(raw, dict):
            self._refuse(path, f"this is {form}; not {shown(raw)}")
        return raw

    def _known(self, body: Mapping[str, Json], path: str, known: Sequence[str], what: str) -> None:
        for name in body:
            if name not in known:
                mend = Names(lambda: list(known)).mend(str(name))
                self._refuse(f"{path}.{name}" if path else str(name), f"{what} has no field {shown(name)}. {mend}")

    @property
    def _kind(self) -> type[UsageError]:
        return BadAgent if self._file is None else BadWorkspace

    def _refuse(self, path: str, message: str) -> NoReturn:
        raise _error(self._document, self._file, path, message)


def _error(document: Document, file: Path | None, path: str, message: str) -> UsageError:
    if file is None:
        return BadAgent(f"{document.name}: {path}: {message}" if path else f"{document.name}: {message}")
    where = document.where(path)
    return BadWorkspace(f"{where if where != document.name else f'{document.name}:1:1'}: {message}")


def _is_schema(raw: dict[str, Json]) -> bool:
    """Whether a mapping is meant as a JSON Schema, and not as one from fields to types.

    What can be read as fields, such as `{items: [string], enum: string}`, is one only if all its keywords are known
    and it is sound.
    """
    kind = raw.get("type")
    typed = kind in TYPES if isinstance(kind, str) else isinstance(kind, list)
    if raw and not typed and not _SHAPING & set(raw):
        return False
    known = {one for one in raw if one[:1] != "$"} <= _VOCABULARY
    return not _may_be_fields(raw) or (known and _problem_of(raw) is None)


def _problem_of(schema: Schema) -> str | None:
    from stretto.validation import JsonSchemas  # loads jsonschema: only for those who need it

    return JsonSchemas().problem_of(schema)


def _may_be_fields(raw: dict[str, Json]) -> bool:
    """Whether every value of a mapping can be a type."""
    return all(one in TYPES if isinstance(one, str) else isinstance(one, list | dict) for one in raw.values())


def _first_sentence(prompt: str) -> str:
    text = " ".join(prompt.lstrip("# ").split("\n\n")[0].split())
    end = re.search(r"[.!?](?=\s|$)", text)
    return text[: end.end()] if end else text[:200]
