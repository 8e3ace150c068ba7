"""Which model serves which role: definitions and roles as people write them, and which of several words holds."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from typing import Any, TypeAlias, get_args

from stretto.amounts import seconds_of
from stretto.core.domain import NO_RATE, Json, Rate, Role
from stretto.core.errors import UsageError
from stretto.core.limits import rate_of
from stretto.core.plan.names import Names
from stretto.models.reference import LOCAL, Reference, is_reference, read_reference

ROLES: tuple[Role, ...] = tuple(role for role in get_args(Role) if role != "tool")
DEFAULT = "default"
"""What serves every role that has no model of its own."""

PRICE = ("input", "output", "cached")
"""What a price may say, in dollars for a million tokens."""

LONGEST_SILENCE = 600.0
"""Seconds of silence that the clients of providers bear at most."""

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LARGEST = 10**9

ModelsGiven: TypeAlias = Mapping[str, Any] | Sequence[str] | str
"""Models by role as users give them: one for every role (or one with its stand-ins), or a mapping."""


class BadModel(UsageError):
    """A model cannot be used as it is described; `field` is where, or empty, and `problem` why."""

    def __init__(self, place: str, problem: str) -> None:
        self.field, self.problem = place, problem
        super().__init__(f"models.{place}: {problem}" if place else problem)


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """Dollars for a million tokens read, written, and read from the provider's cache (None: as those read)."""

    input: Decimal
    output: Decimal
    cached: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """A model, and how it is used. None means what is usual for it.

    `key_env` names the variable with its key; `window` is in tokens, `max_tokens` the longest answer; `timeout` the
    seconds of silence after which it is given up; `perimeter` the labels that it may see. `insecure` lets its key go
    over plain http to another machine.
    """

    model: Reference
    key_env: str = ""
    price: Price | None = None
    window: int | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    constrains: bool | None = None
    tools: bool | None = None
    concurrency: int | None = None
    rate: Rate = NO_RATE
    timeout: float | None = None
    perimeter: tuple[str, ...] | None = None
    insecure: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelsSpec:
    """What one place says of models: names by role, first choice first, and what it means by names of its own."""

    roles: dict[str, tuple[str, ...]] = field(default_factory=dict)
    definitions: dict[str, Definition | tuple[str, ...]] = field(default_factory=dict)


NO_MODELS = ModelsSpec()


def models_of(given: ModelsGiven) -> ModelsSpec:
    """Read models as users give them; raises BadModel with the field, what is wrong with it, and how to mend it.

    References are checked here; names that nobody defines show when everything said is put together (`chosen`).
    """
    if isinstance(given, str) or (isinstance(given, Sequence) and not isinstance(given, bytes)):
        given = {DEFAULT: given}
    if not isinstance(given, Mapping):
        raise BadModel("", f"`models` maps roles to models, like {{planner: openai:gpt-5}}, and is not {given!r}")
    roles: dict[str, tuple[str, ...]] = {}
    definitions: dict[str, Definition | tuple[str, ...]] = {}
    for name, raw in given.items():
        if not isinstance(name, str) or not _WORD.fullmatch(name) or name == LOCAL:
            raise BadModel(str(name), f"{name!r} is no name for a model; it is a word, and not `{LOCAL}`")
        said = _definition(raw, name) if isinstance(raw, Mapping) else raw
        serves = name in ROLES or name == DEFAULT
        if not isinstance(said, Definition):
            (roles if serves else definitions)[name] = _names(said, name)
            continue
        definitions[name] = said
        if serves:  # what is defined where it serves goes by the name of the role
            roles[name] = (name,)
    return ModelsSpec(roles=roles, definitions=definitions)


def chosen(places: Sequence[ModelsSpec]) -> ModelsSpec:
    """Put together what several places say, the weightiest first: roles as the first says that knows the role or has a
    default, names as the first defines them.

    Raises BadModel for a name that no place defines, and for names that go round in a circle.
    """
    definitions: dict[str, Definition | tuple[str, ...]] = {}
    for place in reversed(places):
        definitions.update(place.definitions)
    roles: dict[str, tuple[str, ...]] = {}
    for role in (*ROLES, DEFAULT):
        found = (place.roles.get(role) or place.roles.get(DEFAULT) for place in places)
        if names := next((one for one in found if one), None):
            roles[role] = names
    spec = ModelsSpec(roles=roles, definitions=definitions)
    for role, names in roles.items():
        for name in names:
            resolve(spec, name, role)
    for name in definitions:
        resolve(spec, name, name)
    return spec


def resolve(spec: ModelsSpec, name: str, place: str = "") -> tuple[Definition, ...]:
    """Give the models that a name stands for, first choice first; raises BadModel."""
    found: list[Definition] = []
    _resolve(spec, name, place, (), found)
    return tuple(dict.fromkeys(found))


def _resolve(spec: ModelsSpec, name: str, place: str, path: tuple[str, ...], found: list[Definition]) -> None:
    if name in path:
        raise BadModel(place, f"the names {' -> '.join((*path, name))} go round in a circle; name a model")
    match spec.definitions.get(name):
        case Definition() as definition:
            found.append(definition)
        case tuple() as names:
            for one in names:
                _resolve(spec, one, place, (*path, name), found)
        case None:
            found.append(Definition(model=_reference(name, place, spec.definitions)))


def _names(raw: Any, place: str) -> tuple[str, ...]:
    names = [raw] if isinstance(raw, str) else raw
    if not isinstance(names, Sequence) or isinstance(names, bytes) or not names:
        raise BadModel(
            place, f"a model is PROVIDER:NAME, a name defined under `models`, or a list of them; not {raw!r}"
        )
    for number, name in enumerate(names):
        where = place if isinstance(raw, str) else f"{place}[{number}]"
        if not isinstance(name, str) or not name.strip():
            raise BadModel(where, f"a model is named by a text like openai:gpt-5-mini, not {name!r}")
        if is_reference(name):
            _reference(name, where, ())
    return tuple(names)


def _reference(name: str, place: str, defined: "Mapping[str, Any] | Sequence[str]") -> Reference:
    try:
        if is_reference(name):
            return read_reference(name)
    except UsageError as error:
        raise BadModel(place, str(error)) from None
    mend = Names(lambda: list(defined)).mend(name, "Write PROVIDER:NAME, or define it under `models`.")
    raise BadModel(place, f"no model is called {name!r}. {mend}")


def _definition(raw: Mapping[str, Any], name: str) -> Definition:
    for part in raw:
        if part not in READERS and part not in ("model", "url"):
            mend = Names(lambda: ["model", "url", *READERS]).mend(str(part))
            raise BadModel(f"{name}.{part}", f"a model has no field {part!r}. {mend}")
    model, url = raw.get("model"), raw.get("url", "")
    if not isinstance(model, str) or not model:
        raise BadModel(name, "a model needs `model:`, like openai:gpt-5-mini, or its name at the address `url:`")
    try:
        reference = read_reference(model, url=_text(url, "url"))
    except UsageError as error:
        raise BadModel(f"{name}.{'url' if url else 'model'}", str(error)) from None
    values = {}
    for part, reader in READERS.items():
        if raw.get(part) is not None:
            try:
                values[part] = reader(raw[part])
            except BadModel as error:
                raise BadModel(
                    f"{name}.{part}.{error.field}" if error.field else f"{name}.{part}", error.problem
                ) from None
            except UsageError as error:
                raise BadModel(f"{name}.{part}", str(error)) from None
    return replace(Definition(model=reference), **values)


def _text(raw: Any, what: str) -> str:
    if not isinstance(raw, str):
        raise UsageError(f"{what} is text, not {raw!r}")
    return raw


def _variable(raw: Any) -> str:
    if not isinstance(raw, str) or not _VARIABLE.fullmatch(raw):
        raise UsageError("`key_env` is the name of the variable that holds the key, never the key itself")
    return raw


def _price(raw: Any) -> Price:
    if isinstance(raw, Price):
        return raw
    form = "a price is {input: 0.25, output: 2}, in dollars for a million tokens; `cached` may be given too"
    if not isinstance(raw, Mapping):
        raise BadModel("", f"{form}; not {raw!r}")
    found: dict[str, Decimal] = {}
    for name, value in raw.items():
        if name not in PRICE:
            raise BadModel(str(name), f"a price has no {name!r}; {form}")
        found[name] = _dollars(value, name)
    if missing := [name for name in ("input", "output") if name not in found]:
        raise BadModel("", f"the price lacks {missing[0]!r}; {form}")
    return Price(**found)


def _dollars(value: Any, name: str) -> Decimal:
    try:
        amount = Decimal(str(value).removeprefix("$")) if not isinstance(value, bool) else Decimal("nan")
    except InvalidOperation:
        amount = Decimal("nan")
    if not amount.is_finite() or amount < 0 or amount > _LARGEST:
        raise BadModel(name, f"{name} is a number of dollars for a million tokens, 0 or more, not {value!r}")
    return amount


def _whole(what: str) -> Callable[[Any], int]:
    def read(raw: Any) -> int:
        if isinstance(raw, bool) or not isinstance(raw, int) or not 0 < raw <= _LARGEST:
            raise UsageError(f"{what} is a whole number above 0, not {raw!r}")
        return raw

    return read


def _flag(what: str) -> Callable[[Any], bool]:
    def read(raw: Any) -> bool:
        if not isinstance(raw, bool):
            raise UsageError(f"{what} is true or false, not {raw!r}")
        return raw

    return read


def _temperature(raw: Any) -> float:
    if isinstance(raw, bool) or not isinstance(raw, int | float) or not 0 <= raw <= 2:
        raise UsageError(f"temperature is a number from 0 to 2, not {raw!r}")
    return float(raw)


def _seconds(raw: Any) -> float:
    seconds = seconds_of(raw) if isinstance(raw, str) else raw
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds <= LONGEST_SILENCE:
        raise UsageError(f"timeout is a length of time like 90 or 2m, at most 10m, not {raw!r}")
    return float(seconds)


def _labels(raw: Json) -> tuple[str, ...]:
    labels = [raw] if isinstance(raw, str) else raw
    if not isinstance(labels, Sequence) or not all(isinstance(one, str) and one for one in labels):
        raise UsageError(f"perimeter is a list of the labels that the model may see, not {raw!r}")
    return tuple(labels)


READERS: Mapping[str, Callable[[Any], Any]] = {
    "key_env": _variable,
    "price": _price,
    "window": _whole("window"),
    "max_tokens": _whole("max_tokens"),
    "temperature": _temperature,
    "constrains": _flag("constrains"),
    "tools": _flag("tools"),
    "concurrency": _whole("concurrency"),
    "rate": rate_of,
    "timeout": _seconds,
    "perimeter": _labels,
    "insecure": _flag("insecure"),
}
"""The fields of a definition besides `model` and `url`, and what reads each."""
