"""What a function's hints cannot say, said beside it: side effects, limits, costs, previews.

@pure                                   doing it twice does no harm and changes nothing
@idempotent                             doing it twice is like doing it once
@reversible / @irreversible             it changes the world; the latter asks a person first
@agent(timeout=5, isolated=True)        anything else of the card
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, TypeVar, overload

from stretto.core.domain import FREE, NO_RATE, Asks, Breaker, Cost, Json, Ladder, Limits, Rate, SideEffect
from stretto.core.errors import BadAgent, UsageError
from stretto.core.limits import breaker_of, rate_of
from stretto.core.plan.asking import BadChain, place_of, read_asks
from stretto.core.plan.ladders import read_ladder

F = TypeVar("F", bound=Callable[..., Any])
_MARK = "__stretto__"
_NAME = re.compile(r"[A-Za-z_][\w-]*(\.[A-Za-z_][\w-]*)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """Everything that can be declared about one function."""

    name: str | None = None
    description: str | None = None
    effect: SideEffect = SideEffect.UNDECLARED
    limits: Limits = Limits()
    cost: Cost = FREE
    latency: float | None = None
    concurrency: int | None = None
    window: int | None = None
    isolated: bool = False
    evidence: bool = False
    fresh: float | None = None
    labels: tuple[str, ...] = ()
    approval: Literal["policy", "ask"] = "policy"
    tools: tuple[str, ...] = ()
    permissions: tuple[str, ...] = ()
    perimeter: tuple[str, ...] | None = None
    backups: tuple[str, ...] = ()
    ladder: Ladder = field(default_factory=dict)
    preview: Callable[..., Any] | None = None
    lookup: Callable[..., Any] | None = None
    provider: str = ""
    rate: Rate = NO_RATE
    breaker: Breaker | None = None
    undo: Callable[..., Any] | None = None
    bounded: bool = True
    ask: Asks = field(default_factory=dict)


def declared(function: Callable[..., Any]) -> Declared:
    """Give what was declared about a function so far."""
    found = getattr(function, _MARK, None)
    return found if isinstance(found, Declared) else Declared()


def is_declared(function: Callable[..., Any]) -> bool:
    """Say whether a decorator stands on a function, be it a bare `@agent()`."""
    return isinstance(getattr(function, _MARK, None), Declared)


def agent(
    *,
    name: str | None = None,
    description: str | None = None,
    effect: SideEffect | str | None = None,
    timeout: float | None = None,
    attempts: int | None = None,
    memory_mb: int | None = None,
    output_kb: int | None = None,
    cost: str | float | Decimal | None = None,
    tokens: int = 0,
    latency: float | None = None,
    concurrency: int | None = None,
    window: int | None = None,
    isolated: bool | None = None,
    evidence: bool | None = None,
    fresh: float | None = None,
    labels: tuple[str, ...] | list[str] | None = None,
    approval: Literal["policy", "ask"] | None = None,
    tools: tuple[str, ...] | list[str] | None = None,
    permissions: tuple[str, ...] | list[str] | None = None,
    perimeter: tuple[str, ...] | list[str] | None = None,
    backups: tuple[str, ...] | list[str] | None = None,
    ladder: dict[str, Any] | None = None,
    preview: Callable[..., Any] | None = None,
    lookup: Callable[..., Any] | None = None,
    provider: str | None = None,
    rate: str | Rate | dict[str, int] | None = None,
    breaker: Breaker | dict[str, Any] | Literal["off"] | None = None,
    undo: Callable[..., Any] | None = None,
    ask: Json = None,
) -> Callable[[F], F]:
    """Declare parts of a function's card; what is left out stays as it was.

    `timeout` is in seconds, `memory_mb` and `output_kb` hold for `isolated` functions, `cost` is the most one attempt
    may cost in dollars, or "unbounded", `fresh` the seconds for which a result of live data holds. `preview` takes the
    same arguments and gives a `Preview` (or the text of a diff); `lookup` takes the same arguments and gives the result
    of the action with this key, None when it never happened, or raises LookupError when nobody can tell. Both may take
    an `Assignment` as well. `undo` takes back what the function did; it gets those of the arguments that it names, and
    what the function gave as `result`. It becomes a skill of the same agent, idempotent unless it is declared
    otherwise. `provider` names what the agent draws on together with others; `rate` is like "60/min" or "60
    requests/min, 90000 tokens/min". `ask` says who is asked about its tasks: `[{"who": "ann", "within": "2h"},
    "deny"]`, or such chains by kind of request.
    """
    _check_kinds({"name": name, "description": description, "provider": provider}, str, "text")
    _check_kinds({"preview": preview, "lookup": lookup, "undo": undo}, Callable, "a function")
    if undo is not None and declared(undo).effect is SideEffect.UNDECLARED:
        agent(effect=SideEffect.IDEMPOTENT)(undo)
    unbounded = isinstance(cost, str) and cost.strip().lower() == "unbounded"
    _check_amounts({"timeout": timeout, "latency": latency, "fresh": fresh}, whole=False)
    _check_amounts(
        {
            "attempts": attempts,
            "memory_mb": memory_mb,
            "output_kb": output_kb,
            "concurrency": concurrency,
            "window": window,
        },
        whole=True,
    )
    if name is not None and not _NAME.fullmatch(name):
        raise BadAgent(f"a skill is named with letters, digits, dots and dashes, not {name!r}")
    if approval not in (None, "policy", "ask"):
        raise BadAgent(f"approval is 'policy' or 'ask', not {approval!r}")
    if isinstance(tokens, bool) or not isinstance(tokens, int) or tokens < 0:
        raise BadAgent(f"tokens is a whole number, 0 or more, not {tokens!r}")
    changes: dict[str, Any] = {
        "name": name,
        "description": description,
        "effect": _effect(effect) if effect is not None else None,
        "cost": _cost(None if unbounded else cost, tokens) if cost is not None or tokens else None,
        "bounded": not unbounded if cost is not None else None,
        "latency": latency,
        "concurrency": concurrency,
        "window": window,
        "isolated": isolated,
        "evidence": evidence,
        "fresh": fresh,
        "approval": approval,
        "preview": preview,
        "lookup": lookup,
        "ladder": ladder_of(ladder, "ladder") if ladder is not None else None,
        "provider": provider,
        "rate": _read(rate_of, rate),
        "breaker": _read(breaker_of, breaker),
        "undo": undo,
        "ask": _asks(ask) if ask is not None else None,
    }
    for key, value in (
        ("labels", labels),
        ("tools", tools),
        ("permissions", permissions),
        ("perimeter", perimeter),
        ("backups", backups),
    ):
        changes[key] = _names(key, value) if value is not None else None
    limits = {"timeout": timeout, "attempts": attempts, "memory_mb": memory_mb, "output_kb": output_kb}

    def mark(function: F) -> F:
        if not callable(function) or isinstance(function, type):
            raise BadAgent(f"only functions can be declared, not {function!r}")
        before = declared(function)
        kept = {key: value for key, value in changes.items() if value is not None}
        newer = replace(before.limits, **{key: value for key, value in limits.items() if value is not None})  # type: ignore[arg-type]
        try:
            setattr(function, _MARK, replace(before, **kept, limits=newer))
        except AttributeError:
            raise BadAgent(f"{function!r} cannot be declared; wrap it in a function of your own") from None
        return function

    return mark


def ladder_of(given: Any, place: str) -> Ladder:
    """Read a ladder written in Python, in the form that plans have it in; raises BadAgent with what is wrong first."""
    ladder, wrong = read_ladder(given, place)
    if wrong:
        raise BadAgent(f"{wrong[0].path}: {wrong[0].message}. {wrong[0].mend}")
    return ladder


def _read(reader: Callable[[Any], Any], given: Any) -> Any:
    try:
        return None if given is None else reader(given)
    except UsageError as error:
        raise BadAgent(str(error)) from None


def _effect(given: SideEffect | str) -> SideEffect:
    try:
        return SideEffect(given)
    except ValueError:
        raise BadAgent(f"there is no side effect {given!r}; known: {', '.join(SideEffect)}") from None


def _asks(given: Json) -> Asks:
    try:
        return read_asks(given)
    except BadChain as error:
        raise BadAgent(f"{place_of(error, 'ask')}: {error}") from None


def _check_kinds(given: dict[str, Any], kind: Any, what: str) -> None:
    for name, value in given.items():
        if value is not None and not isinstance(value, kind):
            raise BadAgent(f"{name} is {what}, not {value!r}")


def _check_amounts(given: dict[str, Any], *, whole: bool) -> None:
    for name, value in given.items():
        if value is None:
            continue
        right = isinstance(value, int) or (not whole and isinstance(value, float) and math.isfinite(value))
        if isinstance(value, bool) or not right or value <= 0:
            raise BadAgent(f"{name} is a {'whole ' if whole else ''}number above 0, not {value!r}")


def _names(what: str, given: Any) -> tuple[str, ...]:
    if isinstance(given, str) or not all(isinstance(one, str) for one in given):
        raise BadAgent(f"{what} is a list of names like ({given!r},), not {given!r}")
    return tuple(given)


def _cost(money: str | float | Decimal | None, tokens: int) -> Cost:
    return Cost(money=_money(money), tokens=tokens)


def _money(value: str | float | Decimal | None) -> Decimal:
    try:
        amount = Decimal(str(value or 0).removeprefix("$"))
    except InvalidOperation:
        raise BadAgent(f"a cost is an amount of dollars like '$0.02', or 'unbounded', not {value!r}") from None
    if not amount.is_finite() or amount < 0:
        raise BadAgent(f"a cost is a finite amount of dollars, not {value!r}")
    return amount


class _Effect:
    """A decorator for one kind of side effect, with or without parentheses."""

    def __init__(self, effect: SideEffect) -> None:
        self._effect = effect

    @overload
    def __call__(self, function: F, /) -> F: ...
    @overload
    def __call__(self, /, **more: Any) -> Callable[[F], F]: ...
    def __call__(self, function: Any = None, /, **more: Any) -> Any:
        mark = agent(effect=self._effect, **more)
        return mark if function is None else mark(function)


pure = _Effect(SideEffect.NONE)
idempotent = _Effect(SideEffect.IDEMPOTENT)
reversible = _Effect(SideEffect.REVERSIBLE)
irreversible = _Effect(SideEffect.IRREVERSIBLE)
