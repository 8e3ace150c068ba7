"""Lengths of time as people write them: 90, 90s, 10m, 1h30m, 2d."""

import math
import re

from stretto.core.domain import Json

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_LENGTH = re.compile(r"(?:(\d+(?:\.\d+)?)\s*([smhd]?))+")
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd]?)")


def read_length(value: Json) -> float:
    """Give the seconds that a number or a text stands for; raises ValueError."""
    if isinstance(value, str):
        if not _LENGTH.fullmatch(value.strip()):
            raise ValueError(f"{value[:60]!r} is no length of time; write it like 90s, 10m, 1h30m or 2d")
        seconds = sum(float(number) * _UNITS[unit or "s"] for number, unit in _PART.findall(value))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        seconds = float(value)
    else:
        raise ValueError("a length of time is a number of seconds, or written like 90s, 10m, 1h30m or 2d")
    if not 0 < seconds < math.inf:
        raise ValueError("a length of time is more than 0 seconds")
    return seconds
