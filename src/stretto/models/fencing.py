"""Data in a prompt: fenced, so that a reader sees where it ends, whatever it says."""

import json

from stretto.core.canonical import digest
from stretto.core.domain import Json


def fenced(name: str, value: Json) -> str:
    """Give a value between two marks that do not occur in it: a text as it is, anything else as JSON."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=1)
    mark = digest([name, text])[:8]
    while mark in text:
        mark = digest([mark, text])[:8]
    return f"<{name} {mark}>\n{text}\n</{name} {mark}>"
