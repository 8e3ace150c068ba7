"""What of the content of a run may leave: nothing unless asked for, and then only what no label keeps back."""

import json
from collections.abc import Collection
from dataclasses import dataclass

from stretto.core.domain import Json

MOST_CHARACTERS = 8192
"""Of one piece of content; what is longer is cut, and says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosure:
    """Whether `content` is told at all, and with which `labels` on it."""

    content: bool = False
    labels: frozenset[str] = frozenset()

    def kept_back(self, labels: Collection[str]) -> frozenset[str]:
        """Give the labels for which data that carries these is kept back."""
        return frozenset(labels) - self.labels


def message(role: str, *parts: Json) -> Json:
    """Give a message of the conventions' form, each part as a text; one of the assistant says that it is whole."""
    texts = [{"type": "text", "content": shortened(part if isinstance(part, str) else as_text(part))} for part in parts]
    return [{"role": role, "parts": texts, **({"finish_reason": "stop"} if role == "assistant" else {})}]


def as_text(value: Json) -> str:
    """Give a value as JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def shortened(text: str) -> str:
    """Give a text as it may be told."""
    return text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]}… ({len(text)} characters)"
