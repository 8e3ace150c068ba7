"""The hash chain: each event's hash covers the one before, so no stored byte can change unnoticed."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

GENESIS = "0" * 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """An event as stored. `payload` is the very bytes on disk; `at` is seconds since the epoch."""

    run: str
    seq: int
    at: float
    actor: str
    type: str
    version: int
    payload: bytes
    previous: str
    hash: str


def seal(
    *, run: str, seq: int, at: float, actor: str, kind: str, version: int, payload: bytes, previous: str
) -> Envelope:
    """Give the envelope with its hash: SHA-256 over the previous hash, the head fields and the payload."""
    head = f"{previous}\n{run}\n{seq}\n{at!r}\n{actor}\n{kind}\n{version}\n{len(payload)}\n"
    mark = hashlib.sha256(head.encode() + payload).hexdigest()
    return Envelope(
        run=run,
        seq=seq,
        at=at,
        actor=actor,
        type=kind,
        version=version,
        payload=payload,
        previous=previous,
        hash=mark,
    )


def content_hash(salt: bytes, content: bytes) -> str:
    """Name content stored beside the chain; the salt keeps short secrets from being guessed from it."""
    return hashlib.sha256(salt + content).hexdigest()


def broken_link(envelopes: Iterable[Envelope]) -> int | None:
    """Give the seq of the first event that does not fit the chain, or None when the whole run holds."""
    previous, expected = GENESIS, 1
    for envelope in envelopes:
        again = seal(
            run=envelope.run,
            seq=envelope.seq,
            at=envelope.at,
            actor=envelope.actor,
            kind=envelope.type,
            version=envelope.version,
            payload=envelope.payload,
            previous=previous,
        )
        if envelope.seq != expected or envelope.previous != previous or again.hash != envelope.hash:
            return envelope.seq
        previous, expected = envelope.hash, expected + 1
    return None
