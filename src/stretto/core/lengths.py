"""Lengths of time as people write them: "90", "90s", "10m", "1h30m", "2d"."""

import re
import sys

from stretto.core.domain import Json

UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
# No quantifier gives back what it took: whatever the text, one pass over it is enough.
_LENGTH = re.compile(r"\s*+(?:\d{1,9}+(?:\.\d{1,9}+)?+\s*+[smhd]?+\s*+){1,9}+", re.ASCII)
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd]?)", re.ASCII)


def seconds_in(text: str) -> float:
    """Give a length of time in seconds; raises ValueError with how to write one."""
    if not _LENGTH.fullmatch(text):
        raise ValueError(f"{text!r} is no length of time; write it like 90s, 10m, 1h30m or 2d")
    seconds = sum(float(number) * UNITS[unit or "s"] for number, unit in _PART.findall(text))
    if seconds <= 0:
        raise ValueError("a length of time is more than 0 seconds")
    return seconds


def read_length(value: Json) -> float:
    """Give the seconds that a number or a text stands for; raises ValueError."""
    if isinstance(value, str):
        return seconds_in(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("a length of time is a number of seconds, or written like 90s, 10m, 1h30m or 2d")
    if not value > 0:
        raise ValueError("a length of time is more than 0 seconds")
    if value > sys.float_info.max:
        raise ValueError("no length of time has so many seconds")
    return float(value)
