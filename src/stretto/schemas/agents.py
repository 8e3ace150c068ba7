"""The schema of an agent's front matter: the part of its Markdown file between the lines `---`."""

from stretto.agent_files import FIELDS, LIMITS, OF_SKILLS
from stretto.core.domain import Schema, SideEffect
from stretto.schemas.parts import (
    COMMON,
    FLAG,
    LENGTH,
    NAMES,
    TERMS,
    TEXT,
    TYPES,
    document,
    either,
    listed,
    mapping,
    maybe,
    one_of,
    part,
    told,
    whole,
)

NAME: Schema = {"type": "string", "pattern": r"^[A-Za-z_][\w-]*(\.[A-Za-z_][\w-]*)*$"}


def agent_schema() -> Schema:
    """Give the schema of an agent's front matter."""
    body = mapping(FIELDS, {**_card(), **_of_skills()})
    body["type"] = ["object", "null"]
    definitions = {**COMMON, "type": _type(), "skill": _skill()}
    return document("Stretto agent", "The front matter of an agent's Markdown file.", body, definitions)


def _card() -> dict[str, Schema]:
    return {
        "name": told(maybe(NAME), "what it is called; the file's name when it is missing"),
        "model": told(maybe(NAMES), "the model it asks, or several, the first choice first"),
        "skills": told(maybe(listed(either(NAME, part("skill")), minItems=1)), "what it can do, where that is several"),
        "tools": told(maybe(NAMES), "skills of other agents, and functions of the Python file beside it"),
        "limits": told(maybe(mapping(LIMITS, _limits())), "what one attempt may use"),
        "temperature": told({"type": ["number", "null"], "minimum": 0, "maximum": 2}, "of the model"),
        "max_tokens": told(maybe(whole()), "the longest answer"),
        "perimeter": told(maybe(NAMES), "the labels of data that it may see"),
        "permissions": told(maybe(NAMES), "what it is allowed"),
        "latency": told(maybe(LENGTH), "how long it usually takes"),
        "window": told(maybe(whole()), "tokens that fit into its model"),
        "backups": told(maybe(NAMES), "agents that take its place"),
        **TERMS,
    }


def _limits() -> dict[str, Schema]:
    count = maybe(whole())
    return {
        "turns": told(count, "turns of the model"),
        "tool_calls": told(count, "calls of tools"),
        "tokens": told({"type": ["integer", "string", "null"], "minimum": 1}, "tokens read and written, like 50k"),
        "cost": told({"type": ["number", "string", "null"]}, "dollars, like $0.05"),
        "timeout": told(maybe(LENGTH), "of one attempt"),
        "attempts": told(count, "tries at most"),
    }


def _of_skills() -> dict[str, Schema]:
    return {
        "description": told(maybe(TEXT), "what it does, in a sentence"),
        "inputs": told(
            either({"type": "null"}, TEXT, listed(TEXT), {"type": "object"}),
            "its arguments: names, types by name like {question: string}, or a JSON Schema",
        ),
        "output": told(maybe(part("type")), "its result: a type, [type], types by field, or a JSON Schema"),
        "effect": told(maybe(one_of(*SideEffect)), "what it does to the world"),
        "evidence": told(FLAG, "whether it has to cite where everything comes from"),
        "approval": told(one_of("policy", "ask"), "whether a person is asked before"),
        "fresh": told(maybe(LENGTH), "how long a result of live data holds"),
        "labels": told(maybe(NAMES), "labels of its results"),
        "ladder": told(maybe(part("ladder")), "what to try next when it fails"),
        "ask": told(maybe(part("asks")), "who is asked, until when, and what silence comes to"),
    }


def _skill() -> Schema:
    own = {"name": told(NAME, "what it is called"), "timeout": told(maybe(LENGTH), "of one attempt")}
    return mapping(("name", "timeout", *OF_SKILLS), {**_of_skills(), **own}, "name")


def _type() -> Schema:
    return either(one_of(*TYPES), listed(part("type"), minItems=1, maxItems=1), {"type": "object"})
