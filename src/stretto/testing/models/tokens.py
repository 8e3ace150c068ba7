"""How the scripted server counts: a tokenizer that needs no vocabulary, and is the same everywhere."""

import json
import re
from collections.abc import Iterator

from stretto.core.domain import Json

PIECE = re.compile(r" ?[^\W_]{1,6}| ?[^\w\s]{1,3}|_|\s+")
"""A token is up to six letters or digits, or up to three other signs, with the blank before them; an underscore; or
white space."""
PER_MESSAGE = 4
"""What a message, a call in it, or a tool on offer takes besides its text: its role, and where it begins and ends."""


def pieces(text: str) -> list[str]:
    """Give the tokens of a text; joined, they are the text."""
    return PIECE.findall(text)


def count(text: str) -> int:
    """Give the number of tokens of a text."""
    return len(pieces(text))


def count_prompt(body: Json) -> int:
    """Give the tokens of a chat request: its messages with the calls in them, the tools on offer, and the schema."""
    found = 0
    for message in members(body, "messages"):
        found += PER_MESSAGE + count(content_text(message))
        found += sum(PER_MESSAGE + count(name) + count(arguments) for name, arguments in calls_in(message))
    for tool in members(body, "tools"):
        told = member(tool, "function")
        found += PER_MESSAGE + count(f"{told.get('name', '')} {told.get('description') or ''}")
        found += count(compact(told.get("parameters") or {}))
    schema = schema_of(body)
    return found + (count(compact(schema)) if schema is not None else 0)


def schema_of(body: Json) -> Json | None:
    """Give the JSON Schema that an answer has to fit, `{}` for any JSON object, or None."""
    wanted = member(body, "response_format")
    if wanted.get("type") == "json_schema":
        return member(wanted, "json_schema").get("schema") or {}
    return {} if wanted.get("type") == "json_object" else None


def content_text(message: Json) -> str:
    """Give the text of a message, whose content may be parts; what is no text stands as its kind in brackets."""
    content = message.get("content")
    if isinstance(content, str):
        return content
    texts = ((part.get("text"), part.get("type")) for part in members(message, "content"))
    return "\n".join(text if isinstance(text, str) else f"[{kind}]" for text, kind in texts)


def calls_in(message: Json) -> Iterator[tuple[str, str]]:
    """Give the names of the tools that a message calls, each with its arguments as they were written."""
    for call in members(message, "tool_calls"):
        asked = member(call, "function")
        yield str(asked.get("name", "")), str(asked.get("arguments", ""))


def members(holder: Json, name: str) -> list[dict[str, Json]]:
    """Give the objects in a list of an object; none where it is no such list."""
    found = holder.get(name) if isinstance(holder, dict) else None
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def member(holder: Json, name: str) -> dict[str, Json]:
    """Give an object in an object; an empty one where there is none."""
    found = holder.get(name) if isinstance(holder, dict) else None
    return found if isinstance(found, dict) else {}


def compact(value: Json) -> str:
    """Give a value as JSON without blanks; raises TypeError or ValueError for what is none."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
