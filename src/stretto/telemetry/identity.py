"""How traces and spans are named: by digests of what they are, so that every process names the same thing alike.

A run that was begun by one process, went on in another, and was told of twice because the first one died, is one
trace, in which nothing stands under two names.
"""

import re
from hashlib import blake2b

from stretto.core.errors import UsageError

_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?", re.ASCII)


def trace_id(run: str) -> int:
    """Name the trace of a run that somebody began, and of all that teams do for it: 128 bits, never 0."""
    return _digest(16, ("trace", run))


def span_id(run: str, *parts: str | float) -> int:
    """Name a span of a run by what it is and when it began: 64 bits, never 0."""
    return _digest(8, (run, *parts))


def root_id(run: str, act: int = 1) -> int:
    """Name the span of the run itself: of its beginning, or of the so-manieth time that it was opened again."""
    return span_id(run, "run", act)


def remote(traceparent: str) -> tuple[int, int]:
    """Read the trace and the span out of a `traceparent` header (W3C Trace Context, level 1).

    Raises UsageError for what is none.
    """
    found = _TRACEPARENT.fullmatch(traceparent.strip())
    if found is not None:
        version, trace, span, more = found[1], int(found[2], 16), int(found[3], 16), found[4]
        if version != "ff" and trace and span and not (version == "00" and more):
            return trace, span
    raise UsageError(f"this is no traceparent: {traceparent[:80]!r}; one looks like 00-<32 hex>-<16 hex>-01")


def _digest(size: int, parts: tuple[str | float, ...]) -> int:
    text = "\n".join(map(str, parts)).encode(errors="surrogatepass")
    return int.from_bytes(blake2b(text, digest_size=size, person=b"stretto").digest()) or 1
