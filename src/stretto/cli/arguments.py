"""`ARG=VALUE` into the arguments of a skill, by its schema."""

import csv
import io
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from stretto.core.domain import Json, Schema, Skill
from stretto.core.errors import UsageError
from stretto.core.plan.names import Names
from stretto.given import told
from stretto.validation import JsonSchemas

LARGEST = 64 * 1024 * 1024
_WORDS = {"true": True, "yes": True, "1": True, "on": True, "false": False, "no": False, "0": False, "off": False}


def arguments_of(skill: Skill, given: Sequence[str]) -> dict[str, Json]:
    """Give the arguments of a call; raises UsageError that names the argument."""
    properties: dict[str, Schema] = skill.inputs.get("properties", {})
    named: dict[str, list[str]] = {}
    for text in given:
        name, value = _named(skill, text, named)
        named.setdefault(name, []).append(value)
    missing = [name for name in skill.inputs.get("required", []) if name not in named]
    if missing:
        raise UsageError(f"{skill.name} needs {missing[0]!r}; it takes {_signature(skill)}")
    values = {
        name: _value(f"argument {name!r}", texts, properties.get(name, {}), skill.inputs.get("$defs", {}))
        for name, texts in named.items()
    }
    problems = JsonSchemas().problems(values, skill.inputs)
    if problems:
        raise UsageError(f"{skill.name}: argument {problems[0][:600]}")
    return values


def _named(skill: Skill, text: str, named: dict[str, list[str]]) -> tuple[str, str]:
    """Give the argument that a text is for, and its value."""
    properties = skill.inputs.get("properties", {})
    name, equals, value = text.partition("=")
    if equals and (name in properties or (name.isidentifier() and skill.inputs.get("additionalProperties") is True)):
        return name, value
    if equals and name.isidentifier() and not _exists(text):
        mend = Names(lambda: list(properties)).mend(name)
        raise UsageError(f"{skill.name} has no argument {name!r}; {mend} It takes {_signature(skill)}")
    if "files" in properties and _exists(text):
        return "files", text
    free = [one for one in skill.inputs.get("required", []) if one not in named]
    lists = [one for one in skill.inputs.get("required", []) if "array" in _kinds(properties[one], {})]
    for one in (*free, *lists[-1:], *(["text"] if "text" in properties else [])):
        return one, text
    raise UsageError(f"{text!r}: write it as ARG=VALUE; {skill.name} takes {_signature(skill)}")


def _value(place: str, texts: Sequence[str], schema: Schema, defs: dict[str, Schema]) -> Json:
    kinds = _kinds(schema, defs)
    if "array" in kinds:
        items = _resolved(schema, defs, "array").get("items", {})
        if len(texts) == 1 and (found := _listed(place, texts[0], items, defs)) is not None:
            return found
        return [_value(f"{place}, item {number}", [one], items, defs) for number, one in enumerate(texts, start=1)]
    if len(texts) > 1:
        raise UsageError(f"{place} is given {len(texts)} times, and it is {told(kinds)}")
    text = _content(place, texts[0])
    if kinds == {"string"}:
        return text
    if not kinds or "object" in kinds or len(kinds - {"null"}) > 1:
        found = _json(text)
        if found is not None and (not kinds or _fits(found, kinds)):
            return found
        if not kinds or "string" in kinds:
            return text
        raise UsageError(f"{place} is {told(kinds)}, not {text[:60]!r}")
    return _scalar(place, text, kinds)


def _scalar(place: str, text: str, kinds: set[str]) -> Json:
    try:
        if "boolean" in kinds:
            return _WORDS[text.strip().lower()]
        if "integer" in kinds:
            return int(text.replace("_", ""))
        if "number" in kinds:
            return float(text.replace("_", ""))
    except (ValueError, KeyError):
        if "null" in kinds and text.strip().lower() in ("", "null", "none"):
            return None
        raise UsageError(f"{place} is {told(kinds)}, not {text[:60]!r}") from None
    return text


def _listed(place: str, text: str, items: Schema, defs: dict[str, Schema]) -> list[Json] | None:
    """Give a list that is written as JSON, or is in a file of JSON, JSON lines or CSV; None for a single item."""
    content = _content(place, text)
    if text.startswith("@") and text.lower().endswith((".csv", ".tsv")):
        delimiter = "\t" if text.lower().endswith(".tsv") else max(",;\t", key=content.partition("\n")[0].count)
        return [dict(row) for row in csv.DictReader(io.StringIO(content), delimiter=delimiter, restval="")]
    if text.startswith("@") and text.lower().endswith((".jsonl", ".ndjson")):
        rows = [_json(line) for line in content.splitlines() if line.strip()]
        if any(one is None for one in rows):
            raise UsageError(f"{place}: {text[1:]} has a line that is no JSON")
        return rows
    if content.lstrip().startswith("["):
        found = _json(content)
        if isinstance(found, list):
            return found
        if text.startswith("@") or "string" not in _kinds(items, defs):
            raise UsageError(f"{place} begins like a JSON list, but cannot be read as one")
    if content.lstrip().startswith("{") and "object" in _kinds(items, defs):
        found = _json(content)
        if isinstance(found, dict):
            return [found]
    return None


def _content(place: str, text: str) -> str:
    """Give a value, or the text of the file that `@FILE` names; `@@` stands for an @."""
    if not text.startswith("@"):
        return text
    if text.startswith("@@"):
        return text[1:]
    file = text[1:]
    try:
        if file == "-":
            return sys.stdin.read(LARGEST)
        path = Path(file).expanduser()
        if path.stat().st_size > LARGEST:
            raise UsageError(f"{place}: {file} is larger than {LARGEST >> 20} MB")
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(f"{place}: {file} is no UTF-8 text") from None
    except (OSError, ValueError) as error:
        raise UsageError(f"{place}: {file}: {getattr(error, 'strerror', None) or error}") from None


def _json(text: str) -> Json:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _fits(value: Json, kinds: set[str]) -> bool:
    names = {bool: {"boolean"}, int: {"integer", "number"}, float: {"number"}, str: {"string"}, list: {"array"},
             dict: {"object"}, type(None): {"null"}}  # fmt: skip
    return bool(names[type(value)] & kinds)


def _kinds(schema: Schema, defs: dict[str, Schema]) -> set[str]:
    """Give the types a schema names, those of its alternatives included."""
    schema = _deref(schema, defs)
    found = schema.get("type", [])
    kinds = {found} if isinstance(found, str) else set(found)
    for one in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
        kinds |= _kinds(one, defs)
    return kinds or ({"string"} if "enum" in schema or "const" in schema else set())


def _resolved(schema: Schema, defs: dict[str, Schema], kind: str) -> Schema:
    """Give the alternative of a schema that is of a kind."""
    schema = _deref(schema, defs)
    for one in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
        if kind in _kinds(one, defs):
            return _resolved(one, defs, kind)
    return schema


def _deref(schema: Schema, defs: dict[str, Schema]) -> Schema:
    name = str(schema.get("$ref", "")).rpartition("/")[2]
    return defs.get(name, {"type": "object"}) if name else schema


def _signature(skill: Skill) -> str:
    """Give what a skill takes in a line."""
    required, defs = skill.inputs.get("required", []), skill.inputs.get("$defs", {})
    said = [
        f"{name} ({told(_kinds(schema, defs))}{'' if name in required else ', optional'})"
        for name, schema in skill.inputs.get("properties", {}).items()
    ]
    return ", ".join(said) or "nothing"


def _exists(text: str) -> bool:
    try:
        return Path(text).exists()
    except (OSError, ValueError):
        return False
