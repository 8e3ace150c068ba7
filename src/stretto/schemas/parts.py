"""What schemas are made of: plain values, lengths of time, budgets, ladders, chains of people."""

from collections.abc import Iterable, Mapping
from typing import Any

from stretto.core.domain import Breaker, Json, Rate, Schema
from stretto.core.plan.asking import CHAIN, KINDS, STEP, WORDS
from stretto.core.plan.ladders import CLASSES, EXTRAS, MOST_RUNGS, MOST_TIMES, RUNGS

DIALECT = "https://json-schema.org/draft/2020-12/schema"
TYPES = ("string", "integer", "number", "boolean", "object", "array", "null")
"""The types of JSON Schema."""

LENGTH_PATTERN = r"^\s*([0-9]{1,9}(\.[0-9]{1,9})?\s*[smhd]?\s*){1,9}$"
VARIABLE_PATTERN = "^[A-Za-z_][A-Za-z0-9_]*$"


def document(title: str, description: str, body: Schema, definitions: Mapping[str, Schema]) -> Schema:
    """Give a whole schema with the parts that it refers to."""
    return {"$schema": DIALECT, "title": title, "description": description, **body, "$defs": dict(definitions)}


def mapping(known: Iterable[str], parts: Mapping[str, Schema], *required: str, **more: Json) -> Schema:
    """Give a mapping with the fields that its reader knows, and no other; one that has no part here may be anything."""
    properties = {name: parts.get(name, {}) for name in known}
    found: Schema = {"type": "object", "properties": properties, "additionalProperties": False, **more}
    return {**found, "required": list(required)} if required else found


def named(values: Schema, **more: Json) -> Schema:
    """Give a mapping from names to values of one form."""
    return {"type": "object", "additionalProperties": values, **more}


def told(part: Schema, description: str) -> Schema:
    """Give a part with what it is for."""
    return {**part, "description": description}


def either(*parts: Schema) -> Schema:
    """Give what is one of several forms."""
    return {"anyOf": list(parts)}


def maybe(part: Schema) -> Schema:
    """Give a part that may also be left empty."""
    kind = part.get("type")
    if isinstance(kind, str) and "enum" not in part:
        return {**part, "type": [kind, "null"]}
    return either(part, NOTHING)


def listed(items: Schema, **more: Json) -> Schema:
    """Give a list of things of one form."""
    return {"type": "array", "items": items, **more}


def one_of(*values: Json) -> Schema:
    """Give one of several values."""
    return {"enum": list(values)}


def part(name: str) -> Schema:
    """Refer to a definition."""
    return {"$ref": f"#/$defs/{name}"}


def whole(most: int | None = None) -> Schema:
    """Give a whole number above 0."""
    return {"type": "integer", "minimum": 1, **({"maximum": most} if most is not None else {})}


NOTHING: Schema = {"type": "null"}
TEXT: Schema = {"type": "string"}
SOME_TEXT: Schema = {"type": "string", "minLength": 1}
FLAG: Schema = {"type": "boolean"}
ANYTHING: Schema = {}
NAMES = either(TEXT, listed(TEXT))
LENGTH = either({"type": "number", "exclusiveMinimum": 0}, {"type": "string", "pattern": LENGTH_PATTERN})
BUDGET: Schema = {"type": ["string", "number"], "examples": ["$1, 200 steps", "100k tokens", "10m"]}
VARIABLE: Schema = {"type": "string", "pattern": VARIABLE_PATTERN}
OFF = one_of("off", False)


def _rate() -> Schema:
    counts = maybe(whole())
    written: Schema = {"type": "string", "examples": ["60/min", "60 requests/min, 90000 tokens/min"]}
    return either(written, mapping(Rate.__dataclass_fields__, {"requests": counts, "tokens": counts}))


def _breaker() -> Schema:
    seconds: Schema = {"type": "number", "exclusiveMinimum": 0}
    parts = {
        "failures": told({"type": "integer", "minimum": 0}, "failed attempts that open it; 0 is for none"),
        "window": told(whole(10_000), "of how many attempts"),
        "pause": told(seconds, "seconds until one attempt goes through as a probe"),
        "longest": told(seconds, "seconds of a pause at most, which doubles with each failed probe"),
    }
    return either(OFF, mapping(Breaker.__dataclass_fields__, parts))


def _rung() -> Schema:
    pause = either({"type": "number", "minimum": 0}, {"type": "string", "pattern": LENGTH_PATTERN})
    times = whole(MOST_TIMES)
    values: dict[str, Schema] = {
        "retry": maybe(times),
        "revise": maybe(times),
        "with": told({"type": "object", "minProperties": 1}, "the arguments to try instead"),
        "agent": SOME_TEXT,
        "ask": maybe(SOME_TEXT),
    }
    extras = {"pause": maybe(pause), "times": maybe(times), "within": maybe(LENGTH)}
    words = one_of(*(do for do in RUNGS if do not in ("with", "agent")))
    forms = (mapping((do, *EXTRAS.get(do, ())), {do: values.get(do, NOTHING), **extras}, do) for do in RUNGS)
    return either(words, *forms)


def _ladder() -> Schema:
    rungs = either(NOTHING, part("rung"), listed(part("rung"), maxItems=MOST_RUNGS))
    return mapping(CLASSES, dict.fromkeys(CLASSES, rungs))


def _chain() -> Schema:
    length = maybe(LENGTH)
    who = {
        "who": told(maybe(TEXT), "who is asked; anybody when it is missing"),
        "within": told(length, "until when"),
        "remind": told(length, "how often to remind"),
    }
    step = either(SOME_TEXT, mapping(STEP, who, minProperties=1))
    last = either(
        one_of(*WORDS),
        mapping(("answer",), {"answer": ANYTHING}, "answer"),
        mapping(("only",), {"only": FLAG}, "only"),
    )
    steps = either(step, listed(either(step, last), minItems=1))
    parts = {"steps": steps, "otherwise": one_of(*WORDS), "value": ANYTHING, "only": FLAG}
    return either(steps, mapping(CHAIN, parts, "steps"))


def _asks() -> Schema:
    return either(part("chain"), mapping(KINDS, dict.fromkeys(KINDS, part("chain"))))


COMMON: dict[str, Schema] = {
    "rate": _rate(),
    "breaker": _breaker(),
    "rung": _rung(),
    "ladder": _ladder(),
    "chain": _chain(),
    "asks": _asks(),
}
"""What several kinds of files refer to."""

TERMS: dict[str, Any] = {
    "provider": told(SOME_TEXT, "the name of what several agents draw on, under `providers`"),
    "rate": told(part("rate"), "how many requests and tokens a minute"),
    "breaker": told(part("breaker"), "when it is given no more work for a while, or `off`"),
    "concurrency": told(whole(), "attempts at once"),
}
"""What may be said of an agent as a whole; see `stretto.core.limits.OF_AGENTS`."""

ON_ENTRIES: dict[str, Schema] = {
    "backups": told(maybe(NAMES), "agents that take its place"),
    "ladder": told(maybe(part("ladder")), "what to try next when it fails, by class of failure"),
    **TERMS,
}
"""What a workspace may say of an agent of any kind."""
