"""Rates, breakers and providers as people write them, in YAML and in Python. Each raises UsageError with the mend."""

import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import Any, get_args

from stretto.core.domain import NO_BREAKER, Breaker, PlannerChoice, Provider, Rate
from stretto.core.errors import UsageError

_PART = re.compile(r"(\d[\d_]{0,14})\s*(requests?|tokens?)?\s*(?:/|per\b|a\b)\s*min(?:ute)?", re.IGNORECASE)
_RATE = "a rate is written like 60/min, or '60 requests/min, 90000 tokens/min'"
_LARGEST_WINDOW = 10_000


def rate_of(given: Any) -> Rate:
    """Read `60/min`, `60 requests/min, 90000 tokens/min`, or a mapping with `requests` and `tokens` a minute."""
    match given:
        case Rate():
            found: dict[str, Any] = {"requests": given.requests, "tokens": given.tokens}
        case str():
            found = _rate_in(given)
        case dict():
            found = given
        case _:
            raise UsageError(f"{_RATE}, not {given!r}")
    unknown = [name for name in found if name not in ("requests", "tokens")]
    if unknown:
        raise UsageError(f"a rate has no {unknown[0]!r}; it has requests and tokens, each a minute")
    for name, most in found.items():
        if most is not None:
            _check_whole(most, name)
    if not any(most is not None for most in found.values()) and not isinstance(given, Rate):
        raise UsageError(f"{_RATE}, not {given!r}")
    return Rate(**found)


def _rate_in(text: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for part in (one.strip() for one in text.split(",")):
        match = _PART.fullmatch(part)
        if match is None:
            raise UsageError(f"{_RATE}, not {text!r}")
        name = f"{(match[2] or 'request').lower().rstrip('s')}s"
        if name in found:
            raise UsageError(f"the rate {text!r} names {name} twice")
        found[name] = int(match[1].replace("_", ""))
    return found


def breaker_of(given: Any) -> Breaker:
    """Read `off`, or a mapping with some of `failures`, `window`, `pause` and `longest`, the latter two in seconds."""
    if given is False or given == "off":
        return NO_BREAKER
    if isinstance(given, Breaker):
        given = (
            {one.name: getattr(given, one.name) for one in fields(Breaker)} if given != NO_BREAKER else {"failures": 0}
        )
    known = [one.name for one in fields(Breaker)]
    if not isinstance(given, dict):
        raise UsageError(f"a breaker is `off`, or a mapping with {', '.join(known)}; not {given!r}")
    for name, value in given.items():
        if name not in known:
            raise UsageError(f"a breaker has no {name!r}; it has {', '.join(known)}")
        if name in ("failures", "window"):
            if not (name == "failures" and value == 0 and value is not False):
                _check_whole(value, name)
        elif isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= sys.float_info.max:
            raise UsageError(f"{name} is a number of seconds above 0, not {value!r}")
    usual = Breaker()
    values = {
        "window": max(usual.window, given.get("failures", 0)),
        "longest": max(usual.longest, given.get("pause", 0)),
    }
    breaker = Breaker(**{**values, **given})
    if not breaker.failures <= breaker.window <= _LARGEST_WINDOW:
        raise UsageError(
            f"{breaker.failures} failures of the last {breaker.window} attempts cannot be; "
            f"window is from failures to {_LARGEST_WINDOW}"
        )
    if breaker.longest < breaker.pause:
        raise UsageError(f"longest ({breaker.longest:g} s) is less than pause ({breaker.pause:g} s)")
    return breaker


def provider_of(given: Any) -> Provider:
    """Read a mapping with some of `concurrency`, `rate`, `breaker` and `perimeter`."""
    known = [one.name for one in fields(Provider)]
    if isinstance(given, Provider):
        given = {name: value for name in known if (value := getattr(given, name)) is not None}
    if not isinstance(given, dict):
        raise UsageError(f"a provider is a mapping with some of {', '.join(known)}; not {given!r}")
    for name in given:
        if name not in known:
            raise UsageError(f"a provider has no {name!r}; it has {', '.join(known)}")
    if given.get("concurrency") is not None:
        _check_whole(given["concurrency"], "concurrency")
    return Provider(
        concurrency=given.get("concurrency"),
        rate=rate_of(given["rate"]) if "rate" in given else Rate(),
        breaker=breaker_of(given["breaker"]) if "breaker" in given else None,
        perimeter=_labels(given["perimeter"]) if given.get("perimeter") is not None else None,
    )


def _labels(given: Any) -> tuple[str, ...]:
    if not isinstance(given, list | tuple) or not all(isinstance(one, str) for one in given):
        raise UsageError(f"perimeter is a list of labels of data like [public], not {given!r}")
    return tuple(given)


def most_failures_of(given: Any) -> int | None:
    """Read `off`, or how many of twice as many attempts may fail before the run pauses."""
    if given is False or given == "off":
        return None
    _check_whole(given, "most_failures")
    return int(given)


def stall_of(given: Any) -> float | None:
    """Read `off`, or the share of the budget that may go by without anything new."""
    if given is False or given == "off":
        return None
    if isinstance(given, bool) or not isinstance(given, int | float) or not 0 < given <= 1:
        raise UsageError(f"stall is a share of the budget from 0 to 1, or `off`, not {given!r}")
    return float(given)


def _provider_name(given: Any) -> str:
    if not isinstance(given, str) or not given:
        raise UsageError(f"provider is the name of one, not {given!r}")
    return given


def _concurrency_of(given: Any) -> int:
    _check_whole(given, "concurrency")
    return int(given)


def _check_whole(value: Any, name: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
        raise UsageError(f"{name} is a whole number above 0, not {value!r}")


OF_AGENTS: dict[str, Callable[[Any], Any]] = {
    "provider": _provider_name,
    "rate": rate_of,
    "breaker": breaker_of,
    "concurrency": _concurrency_of,
}
"""What a workspace may say of an agent as a whole: a part of its card, and what reads it."""

OF_RULES: dict[str, Callable[[Any], Any]] = {
    "breaker": breaker_of,
    "most_failures": most_failures_of,
    "stall": stall_of,
}
"""The rules that are more than a number."""

CHOICES_OF_RULES: dict[str, tuple[str, ...]] = {
    "judge": ("optional", "required"),
    "unbounded": ("alone", "refuse"),
    "planner": get_args(PlannerChoice),
    "unplanned": ("refuse", "ask"),
}
"""The rules that are one of several words."""


def listed_or(names: Sequence[str]) -> str:
    """Give names as a sentence lists what one may choose: a, b or c."""
    return f"{', '.join(names[:-1])} or {names[-1]}"
