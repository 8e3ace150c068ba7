"""One value, one sequence of bytes: what hashes, keys and approvals are made of."""

import hashlib
import json
from typing import Any

_ENCODE = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode


def canonical(value: Any) -> bytes:
    """Give the JSON of `value` with sorted keys and no spare spaces, as UTF-8.

    Raises ValueError for what JSON cannot say: NaN, infinities, lone surrogates, other types.
    """
    try:
        return _ENCODE(value).encode()
    except (TypeError, UnicodeEncodeError, RecursionError) as error:
        raise ValueError(f"not a JSON value: {error}") from error


def digest(value: Any) -> str:
    """Give the SHA-256 of a value's canonical bytes, in hex."""
    return hashlib.sha256(canonical(value)).hexdigest()


def short(value: Any, length: int = 12) -> str:
    """Give a short name derived from a value: the same value has the same name everywhere."""
    return digest(value)[:length]
