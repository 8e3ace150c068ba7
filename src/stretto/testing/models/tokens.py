"""How the scripted server counts: a tokenizer that needs no vocabulary, and is the same everywhere."""

import json
import re

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
    for message in body.get("messages", []):
        found += PER_MESSAGE + count(content_text(message))
        for call in message.get("tool_calls") or []:
            asked = call["function"]
            found += PER_MESSAGE + count(str(asked.get("name", ""))) + count(str(asked.get("arguments", "")))
    for tool in body.get("tools") or []:
        told = tool["function"]
        found += PER_MESSAGE + count(f"{told.get('name', '')} {told.get('description') or ''}")
        found += count(compact(told.get("parameters") or {}))
    schema = schema_of(body)
    return found + (count(compact(schema)) if schema is not None else 0)


def schema_of(body: Json) -> Json | None:
    """Give the JSON Schema that an answer has to fit, `{}` for any JSON object, or None."""
    wanted = body.get("response_format") or {}
    if wanted.get("type") == "json_schema":
        return (wanted.get("json_schema") or {}).get("schema") or {}
    return {} if wanted.get("type") == "json_object" else None


def content_text(message: Json) -> str:
    """Give the text of a message, whose content may be parts; what is no text stands as its kind in brackets."""
    content = message.get("content")
    if isinstance(content, list):
        return "\n".join(part.get("text") or f"[{part.get('type')}]" for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""


def compact(value: Json) -> str:
    """Give a value as JSON without blanks; raises TypeError or ValueError for what is none."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
