"""Values as bytes of JSON, made once where many ask for the same."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

import msgspec
from starlette.responses import Response

_ENCODER = msgspec.json.Encoder()
LARGEST_KEPT = 32 * 1024 * 1024
"""Bytes of answers that are kept for whoever asks next."""


class Answer(Response):
    """An answer in JSON. `content` is a value, or bytes that are JSON already."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return content if isinstance(content, bytes) else encoded(content)


def encoded(value: Any) -> bytes:
    """Give a JSON value as bytes."""
    return _ENCODER.encode(value)


class Kept:
    """Answers that stay true: what is said of a run at an event never changes. The least recently used go first."""

    def __init__(self, largest: int = LARGEST_KEPT) -> None:
        self._largest, self._size = largest, 0
        self._kept: OrderedDict[Hashable, bytes] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], Any]) -> bytes:
        """Give the bytes under a key, made where they are not kept."""
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
            return found
        made = encoded(make())
        self._kept[key] = made
        self._size += len(made)
        while self._size > self._largest and len(self._kept) > 1:
            _, gone = self._kept.popitem(last=False)
            self._size -= len(gone)
        return made
