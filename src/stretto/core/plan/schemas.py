"""What JSON Schemas tell before anything runs. Only a certain mismatch counts; a doubt is no finding.

Schemas come from agents and from plans, so nothing about their form is taken for granted.
"""

from stretto.core.domain import Json, Schema
from stretto.core.plan.diagnostics import listed, shown

ANYTHING: Schema = {}
ALL = frozenset({"null", "boolean", "integer", "number", "string", "array", "object"})
"""Every type that JSON has; also what a schema allows that names none."""
POSITIONAL = "arguments"
"""The name under which a task's inputs hold the arguments that are given by position."""
_MOST = 100  # parts of one schema that are looked into


class NoSuchPart(LookupError):
    """The schema says that there is nothing at this place."""


def resolved(schema: Json, root: Json) -> Schema:
    """Follow local `$ref`s; what cannot be followed allows anything."""
    for _ in range(16):
        if not isinstance(schema, dict):
            return ANYTHING
        target = schema.get("$ref")
        if not isinstance(target, str):
            return schema
        here: Json = root
        for step in target.removeprefix("#").strip("/").split("/"):
            here = here.get(step) if isinstance(here, dict) else None
        schema = here
    return ANYTHING


def types(schema: Json, root: Json) -> frozenset[str]:
    """Give the JSON types that a schema allows; `integer` is part of `number`."""
    found: set[str] = set()
    todo = [schema]
    for _ in range(_MOST):  # alternatives may lead back to themselves
        if not todo:
            return frozenset(found)
        here = resolved(todo.pop(), root)
        choices = next((here[word] for word in ("anyOf", "oneOf") if isinstance(here.get(word), list)), None)
        if choices:
            todo += choices
        else:
            found |= _own_types(here)
        if found >= ALL:
            break
    return ALL


def _own_types(schema: Schema) -> frozenset[str]:
    if "const" in schema:
        named = [type_of(schema["const"])]
    elif isinstance(schema.get("enum"), list) and schema["enum"]:
        named = [type_of(one) for one in schema["enum"]]
    else:
        told = schema.get("type")
        named = [told] if isinstance(told, str) else told if isinstance(told, list) else []
    known = frozenset(one for one in named if isinstance(one, str)) & ALL
    if not known:
        return ALL
    return known | {"integer"} if "number" in known else known


def type_of(value: Json) -> str:
    """Give the JSON type of a value."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "integer" if value.is_integer() else "number"
        case str():
            return "string"
        case dict():
            return "object"
    return "array"


def arguments(schema: Json) -> tuple[dict[str, Json], tuple[str, ...], bool]:
    """Give what a skill takes: the schemas of its arguments, which of them it needs, and whether it takes others."""
    whole = resolved(schema, schema)
    properties, required = whole.get("properties"), whole.get("required")
    return (
        properties if isinstance(properties, dict) else {},
        tuple(one for one in required if isinstance(one, str)) if isinstance(required, list | tuple) else (),
        whole.get("additionalProperties") is not False or "patternProperties" in whole,
    )


def element(schema: Schema) -> Schema:
    """Give the schema of a list's elements, with the definitions that it refers to."""
    items = resolved(schema, schema).get("items")
    if not isinstance(items, dict):
        return ANYTHING
    return {**{name: schema[name] for name in ("$defs", "definitions") if name in schema}, **items}


def part(schema: Schema, steps: tuple[str | int, ...]) -> Schema:
    """Give the schema of a part of a value; raises NoSuchPart where the schema rules the part out."""
    here, root = resolved(schema, schema), schema
    for step in steps:
        allowed = types(here, root)
        if isinstance(step, int):
            if "array" not in allowed:
                raise NoSuchPart(f"[{step}] of {_say(allowed)}")
            here = resolved(_item(here, step), root)
            continue
        if "object" not in allowed and not (step.isdigit() and "array" in allowed):
            raise NoSuchPart(f"{shown(step)} of {_say(allowed)}")
        properties = here.get("properties")
        if isinstance(properties, dict) and step in properties:
            here = resolved(properties[step], root)
        elif _closed(here, properties):
            raise NoSuchPart(f"{shown(step)}; it has {listed(properties or ())}")
        else:
            here = resolved(here.get("additionalProperties", ANYTHING), root)
    return {**here, "$defs": root["$defs"]} if "$defs" in root and "$defs" not in here else here


def mismatch(given: Schema, wanted: Schema, wanted_root: Schema) -> str | None:
    """Say why a value of one schema can never fit another, or None when it might."""
    have, want = types(given, given), types(wanted, wanted_root)
    if not have & want:
        return f"{_say(have)} where {_say(want)} is wanted"
    if have == want == {"array"}:
        ours, theirs = resolved(given, given), resolved(wanted, wanted_root)
        if "prefixItems" in ours or "prefixItems" in theirs:
            return None
        have, want = types(ours.get("items", ANYTHING), given), types(theirs.get("items", ANYTHING), wanted_root)
        if not have & want:
            return f"a list of {_say(have)} where a list of {_say(want)} is wanted"
    return None


def misnamed(given: Schema, wanted: Schema, wanted_root: Schema) -> str | None:
    """Say which named types do not meet, or None when some do, or when the schemas name none.

    Where both sides say what they are made of, that decides, and not what they are called.
    """
    have, want = named_types(given, given), named_types(wanted, wanted_root)
    both_open = all("properties" in resolved(one, root) for one, root in ((given, given), (wanted, wanted_root)))
    if not have or not want or have & want or both_open:
        return None
    return f"{' or '.join(sorted(have))} where {' or '.join(sorted(want))} is wanted"


def named_types(schema: Json, root: Json) -> frozenset[str]:
    """Give the names of the types that a schema allows, in lower case; none when a part of it bears no name.

    The name of a type is the `title` of its schema: `{"title": "image"}`.
    """
    found: set[str] = set()
    todo = [schema]
    for _ in range(_MOST):
        if not todo:
            return frozenset(found)
        here = resolved(todo.pop(), root)
        title = here.get("title")
        choices = next((here[word] for word in ("anyOf", "oneOf") if isinstance(here.get(word), list)), None)
        if isinstance(title, str) and title:
            found.add(title.lower())
        elif choices:
            todo += choices
        else:
            return frozenset()
    return frozenset()


def taken_types(schema: Schema) -> list[frozenset[str]]:
    """Give the named types of what a skill takes, an entry for each argument; an empty one where no type is named.

    Arguments that are given by position stand in a list called `arguments`, whose items are `anyOf` the types,
    with an alternative for each argument.
    """
    properties, _, _ = arguments(schema)
    places: list[Json] = []
    for name, one in properties.items():
        items = resolved(resolved(one, schema).get("items", ANYTHING), schema) if name == POSITIONAL else ANYTHING
        choices = items.get("anyOf")
        places += choices if isinstance(choices, list) else [untitled(name, one)]
    return [named_types(one, schema) for one in places]


def untitled(name: str, schema: Json) -> Json:
    """Give an argument's schema without the title that only repeats the argument's name, as generators write it."""
    if isinstance(schema, dict) and schema.get("title") == name.replace("_", " ").title():
        return {key: value for key, value in schema.items() if key != "title"}
    return schema


def _item(schema: Schema, number: int) -> Json:
    first = schema.get("prefixItems")
    if isinstance(first, list) and number < len(first):
        return first[number]
    return schema.get("items", ANYTHING)


def _closed(schema: Schema, properties: Json) -> bool:
    """Whether a schema lists all its properties, as the schemas of typed results do."""
    if not isinstance(properties, dict) or not properties:
        return False
    if any(word in schema for word in ("anyOf", "oneOf", "allOf", "patternProperties", "$dynamicRef", "if")):
        return False
    return schema.get("additionalProperties") in (None, False)


def _say(names: frozenset[str]) -> str:
    return " or ".join(sorted(names - {"integer"} if "number" in names else names)) if names != ALL else "anything"
