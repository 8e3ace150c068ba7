"""What JSON Schemas tell before anything runs. Only a certain mismatch counts; a doubt is no finding."""

from stretto.core.domain import Json, Schema

ANYTHING: Schema = {}
_ALL = frozenset({"null", "boolean", "integer", "number", "string", "array", "object"})


class NoSuchPart(LookupError):
    """The schema says that there is nothing at this place."""


def resolved(schema: Json, root: Schema) -> Schema:
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


def types(schema: Json, root: Schema) -> frozenset[str]:
    """Give the JSON types that a schema allows; `integer` is part of `number`."""
    schema = resolved(schema, root)
    for word in ("anyOf", "oneOf"):
        if isinstance(schema.get(word), list):
            return frozenset().union(*(types(one, root) for one in schema[word])) or _ALL
    if "const" in schema:
        return frozenset({type_of(schema["const"])})
    if isinstance(schema.get("enum"), list):
        return frozenset(type_of(one) for one in schema["enum"])
    named = schema.get("type")
    found = frozenset([named] if isinstance(named, str) else named if isinstance(named, list) else _ALL)
    return found | {"integer"} if "number" in found else found


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
            return "number"
        case str():
            return "string"
        case dict():
            return "object"
    return "array"


def part(schema: Schema, steps: tuple[str | int, ...]) -> Schema:
    """Give the schema of a part of a value; raises NoSuchPart where the schema rules the part out."""
    here, root = resolved(schema, schema), schema
    for step in steps:
        allowed = types(here, root)
        if isinstance(step, int):
            if "array" not in allowed:
                raise NoSuchPart(f"[{step}] of {_say(allowed)}")
            here = resolved(here.get("items", ANYTHING), root)
            continue
        if "object" not in allowed:
            raise NoSuchPart(f"{step!r} of {_say(allowed)}")
        properties = here.get("properties")
        if isinstance(properties, dict) and step in properties:
            here = resolved(properties[step], root)
        elif isinstance(properties, dict) and properties and here.get("additionalProperties") in (None, False):
            raise NoSuchPart(f"{step!r}; it has {', '.join(map(str, properties))}")
        else:
            here = resolved(here.get("additionalProperties", ANYTHING), root)
    return {**here, "$defs": root["$defs"]} if "$defs" in root and "$defs" not in here else here


def mismatch(given: Schema, wanted: Schema, wanted_root: Schema) -> str | None:
    """Say why a value of one schema can never fit another, or None when it might."""
    have, want = types(given, given), types(wanted, wanted_root)
    if not have & want:
        return f"{_say(have)} where {_say(want)} is wanted"
    if have == want == {"array"}:
        inner = resolved(given, given).get("items", ANYTHING)
        outer = resolved(wanted, wanted_root).get("items", ANYTHING)
        have, want = types(inner, given), types(outer, wanted_root)
        if not have & want:
            return f"a list of {_say(have)} where a list of {_say(want)} is wanted"
    return None


def _say(names: frozenset[str]) -> str:
    return " or ".join(sorted(names - {"integer"} if "number" in names else names)) if names != _ALL else "anything"
