"""Events to bytes and back. What was written once can be read for ever: old versions are lifted to the new."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, TypeAlias, get_args

import msgspec

from stretto.core.audit import content_hash
from stretto.core.canonical import canonical
from stretto.core.commands import (
    AnswerRequest,
    Cancel,
    ChangeEdition,
    ChangeLimits,
    Command,
    Continue,
    EditPlan,
    Pause,
    RateRun,
    Replan,
    RetryTask,
)
from stretto.core.errors import StoreError
from stretto.core.events import Event

INLINE = 8 * 1024
"""Content of more bytes than this is stored beside the chain."""

Upcast: TypeAlias = Callable[[dict[str, Any]], dict[str, Any]]

_EVENTS: dict[str, type] = {kind.__name__: kind for kind in get_args(Event)}
_COMMAND_KINDS = (
    AnswerRequest, Cancel, ChangeEdition, ChangeLimits, Continue, EditPlan, Pause, RateRun, Replan, RetryTask,
)  # fmt: skip
_COMMANDS: dict[str, type] = {kind.__name__: kind for kind in _COMMAND_KINDS}
_BESIDE, _SHARED = "$content", "$document"
_LARGE_ONLY = (True, False)  # content of its own, put beside only when it is large


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded:
    """An event as bytes. `contents` (hash, salt, body) and `documents` (hash, body) lie beside the chain."""

    type: str
    version: int
    payload: bytes
    contents: tuple[tuple[str, bytes, bytes], ...] = ()
    documents: tuple[tuple[str, bytes], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Codec:
    """Writes the newest version of each event; `upcasts[(type, n)]` lifts a payload of version n to n + 1.

    A type that is not in `versions` is at version 1.
    """

    versions: Mapping[str, int] = field(default_factory=dict)
    upcasts: Mapping[tuple[str, int], Upcast] = field(default_factory=dict)

    def encode(self, event: Event) -> Encoded:
        """Give the bytes of an event; raises ValueError for what JSON cannot say."""
        kind = type(event)
        body: dict[str, Any] = msgspec.to_builtins(event)
        del body["at"]
        contents, documents = [], []
        everything = bool(getattr(event, "personal", False))
        apart = _fields_apart(kind)
        payload = canonical(body)
        if len(payload) <= INLINE and not everything and not any(known != _LARGE_ONLY for known in apart.values()):
            return Encoded(type=kind.__name__, version=self.versions.get(kind.__name__, 1), payload=payload)
        for name, (beside, personal) in apart.items():
            whole = canonical(body[name])
            if not beside:
                documents.append((content_hash(b"", whole), whole))
                body[name] = {_SHARED: documents[-1][0]}
            elif everything or (personal and body[name] != {}) or len(whole) > INLINE:
                salt = os.urandom(16)
                contents.append((content_hash(salt, whole), salt, whole))
                body[name] = {_BESIDE: contents[-1][0], "bytes": len(whole)}
        return Encoded(
            type=kind.__name__,
            version=self.versions.get(kind.__name__, 1),
            payload=canonical(body),
            contents=tuple(contents),
            documents=tuple(documents),
        )

    def decode(
        self,
        kind: str,
        version: int,
        payload: bytes,
        at: float,
        fetch: Callable[[str, bool], bytes],
    ) -> Event:
        """Give the event of some bytes; `fetch(hash, shared)` gives what lies beside the chain.

        Raises StoreError for a type or version that this release does not know.
        """
        body: dict[str, Any] = msgspec.json.decode(payload)
        newest = self.versions.get(kind, 1)
        if kind not in _EVENTS or version > newest:
            raise StoreError(
                f"the journal holds {kind} of version {version}, which is newer than this program; update it"
            )
        for name, value in body.items():
            if isinstance(value, dict) and (_BESIDE in value or _SHARED in value):
                shared = _SHARED in value
                body[name] = msgspec.json.decode(fetch(value[_SHARED if shared else _BESIDE], shared))
        for old in range(version, newest):
            body = self.upcasts[kind, old](body)
        event: Event = msgspec.convert({**body, "at": at}, type=_EVENTS[kind])
        return event


def encode_command(command: Command) -> bytes:
    """Give the bytes of a command that people may leave in an inbox."""
    return canonical({"type": type(command).__name__, **msgspec.to_builtins(command)})


def decode_command(raw: bytes) -> Command:
    """Read a command from an inbox; raises StoreError for anything else."""
    body = msgspec.json.decode(raw)
    kind = _COMMANDS.get(body.pop("type", ""))
    if kind is None:
        raise StoreError("the inbox holds a command that this program does not know; update it")
    command: Command = msgspec.convert(body, type=kind)
    return command


_APART: dict[type, dict[str, tuple[bool, bool]]] = {}


def _fields_apart(kind: type) -> dict[str, tuple[bool, bool]]:
    """Name the fields that may lie beside the chain: (content of its own, always)."""
    if kind not in _APART:
        _APART[kind] = {
            one.name: ("content" in one.metadata, bool(one.metadata.get("personal")))
            for one in fields(kind)
            if "content" in one.metadata or "shared" in one.metadata
        }
    return _APART[kind]
