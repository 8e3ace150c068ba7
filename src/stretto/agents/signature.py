"""From type hints to schemas and back: what a function takes and gives, as JSON Schema and as checked values."""

import functools
import inspect
import math
import operator
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Annotated, Any, NotRequired, Required, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, PydanticUserError, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from stretto.core.canonical import canonical
from stretto.core.domain import Json, Schema
from stretto.core.errors import BadAgent
from stretto.ports import Assignment

MOST_NODES = 1_000_000


class BadValue(ValueError):
    """A value does not fit a function's hints; the message says where and how."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """What a function takes and gives. `assignment` names the parameter that gets the `Assignment`, if any."""

    inputs: Schema
    output: Schema
    arguments: TypeAdapter[Any]
    result: TypeAdapter[Any] | None
    assignment: str | None

    def bind(self, given: dict[str, Json], assignment: Assignment) -> dict[str, Any]:
        """Give the keyword arguments of a call; raises BadValue."""
        try:
            values = dict(self.arguments.validate_python(given))
        except ValidationError as error:
            raise BadValue(_say(error)) from None
        if self.assignment is not None:
            values[self.assignment] = assignment
        return values

    def dump(self, value: Any) -> Json:
        """Give a result as a JSON value; raises BadValue when it does not fit its hint or is none."""
        try:
            adapter = self.result or _ANY
            checked = adapter.validate_python(value)
            plain = adapter.dump_python(checked, mode="json", warnings="error")
            if b"null" in canonical(plain) and _boundless(checked):
                raise ValueError("NaN and infinities are not JSON values")  # pydantic would make them null
        except ValidationError as error:
            raise BadValue(_say(error)) from None
        except Exception as error:
            raise BadValue(f"{type(value).__name__}: {error}") from None
        return plain


_ANY: TypeAdapter[Any] = TypeAdapter(Any)


def signature_of(function: Callable[..., Any]) -> Signature:
    """Read a function's hints; raises BadAgent with what is wrong and how to mend it."""
    name = getattr(function, "__name__", repr(function))
    _refuse_what_cannot_serve(function, name)
    parameters, hints = _hints_of(function, name)
    wanted: dict[str, Any] = {}
    assignment, open_ended = None, False
    for parameter in parameters.values():
        hint = hints.get(parameter.name, Any)
        if _is_assignment(hint):
            if assignment is not None:
                raise BadAgent(f"{name}: {assignment!r} and {parameter.name!r} are both the Assignment; keep one")
            assignment = parameter.name
        elif parameter.kind is parameter.VAR_KEYWORD:
            open_ended = True
        elif parameter.kind in (parameter.VAR_POSITIONAL, parameter.POSITIONAL_ONLY):
            raise BadAgent(
                f"{name}: agents are called by name, and {parameter.name!r} can only be given by position; "
                "make it a plain parameter"
            )
        elif parameter.name in ("self", "cls") and parameter.name not in hints:
            raise BadAgent(f"{name}: this is a method without its object; hand over `thing.{name}`, not `Thing.{name}`")
        else:
            wanted[parameter.name] = hint if parameter.default is parameter.empty else NotRequired[hint]
    holder = TypedDict("Arguments", wanted)  # type: ignore[misc]
    holder.__pydantic_config__ = ConfigDict(extra="allow" if open_ended else "forbid")  # type: ignore[attr-defined]
    try:
        arguments: TypeAdapter[Any] = TypeAdapter(holder)
        result: TypeAdapter[Any] | None = TypeAdapter(hints["return"]) if "return" in hints else None
        inputs = arguments.json_schema(mode="validation")
        output = result.json_schema(mode="serialization") if result is not None else {}
    except (PydanticUserError, TypeError, NameError) as error:
        raise BadAgent(f"{name}: {_culprit(hints, parameters, error)}") from error
    inputs.pop("title", None)
    return Signature(
        inputs=_with_names(inputs),
        output=_with_names(output),
        arguments=arguments,
        result=result,
        assignment=assignment,
    )


def _hints_of(function: Callable[..., Any], name: str) -> tuple[Mapping[str, inspect.Parameter], dict[str, Any]]:
    """Give the parameters and the hints of a function, of an object that can be called, or of a partial one."""
    try:
        parameters = inspect.signature(function).parameters
        plain = inspect.unwrap(function)
        while hasattr(plain, "func"):  # functools.partial
            plain = inspect.unwrap(plain.func)
        hinted = plain if inspect.isroutine(plain) else type(plain).__call__
        hints = get_type_hints(hinted, include_extras=True)
    except NameError as error:
        raise BadAgent(f"{name}: its type hints cannot be read: {error}; import the names they use") from error
    except (TypeError, ValueError) as error:
        raise BadAgent(f"{name}: its parameters cannot be read: {error}; wrap it in a function of your own") from error
    return parameters, {key: hint if _is_assignment(hint) else _readable(hint) for key, hint in hints.items()}


def _with_names(schema: Schema) -> Schema:
    """Let `title` name types and nothing else: pydantic titles every field after itself, and no alias of a type."""
    for name, one in schema.get("$defs", {}).items():
        one.setdefault("title", name)
    stack: list[Json] = [schema]
    while stack:
        here = stack.pop()
        if isinstance(here, list):
            stack += here
        elif isinstance(here, dict):
            fields = here.get("properties")
            for name, one in fields.items() if isinstance(fields, dict) else ():
                if isinstance(one, dict) and one.get("title") == name.replace("_", " ").title():
                    del one["title"]
            stack += here.values()
    return schema


def _refuse_what_cannot_serve(function: Callable[..., Any], name: str) -> None:
    if inspect.isclass(function):
        raise BadAgent(f"{name} is a class; hand over functions, or the methods of one object of it")
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise BadAgent(f"{name}: it yields, and an agent gives one result; collect what it yields in a list")


def _is_assignment(hint: Any) -> bool:
    if get_origin(hint) in (Union, types.UnionType):
        return Assignment in get_args(hint)
    return hint is Assignment


def _readable(hint: Any) -> Any:
    """Give a hint in a form that pydantic reads on every Python, and that keeps the names of types.

    `NewType("Summary", str)` and `Annotated[str, "Summary"]` become text that is titled so.
    """
    if isinstance(hint, typing.NewType):
        return Annotated[_readable(hint.__supertype__), Field(title=hint.__name__)]
    if isinstance(hint, type) and type(hint).__name__ == "_TypedDictMeta" and type(hint).__module__ == "typing":
        return _twin(hint)
    if get_origin(hint) is Annotated:
        bare, *notes = get_args(hint)
        notes = [Field(title=one) if isinstance(one, str) and one else one for one in notes]
        return Annotated[(_readable(bare), *notes)]
    inner = get_args(hint)
    if not inner or isinstance(hint, typing.ParamSpec) or get_origin(hint) is typing.Literal:
        return hint
    changed = tuple(_readable(one) for one in inner)
    if all(one is other for one, other in zip(inner, changed, strict=True)):
        return hint
    if isinstance(hint, types.UnionType):
        return functools.reduce(operator.or_, changed)
    return hint.copy_with(changed) if hasattr(hint, "copy_with") else get_origin(hint)[changed]


_TWINS: dict[Any, Any] = {}


def _twin(hint: Any) -> Any:
    if hint not in _TWINS:
        own = {}
        for name, one in get_type_hints(hint, include_extras=True).items():
            bare = get_args(one)[0] if get_origin(one) in (Required, NotRequired) else one
            own[name] = Required[_readable(bare)] if name in hint.__required_keys__ else NotRequired[_readable(bare)]
        _TWINS[hint] = TypedDict(hint.__name__, own)  # type: ignore[operator]
    return _TWINS[hint]


def _culprit(hints: dict[str, Any], parameters: Mapping[str, Any], error: Exception) -> str:
    """Name the hint that cannot be read, and the mend."""
    for name in (*parameters, "return"):
        hint = hints.get(name, Any)
        try:
            if not _is_assignment(hint):
                TypeAdapter(hint).json_schema()
        except Exception:
            place = "the result" if name == "return" else f"parameter {name!r}"
            shown = hint.__name__ if isinstance(hint, type) else str(hint)
            return (
                f"{place} has the hint {shown}, which JSON cannot carry; use text, numbers, lists, dicts, "
                "dataclasses, TypedDicts or models"
            )
    return f"a hint is of a type that JSON cannot carry: {str(error).splitlines()[0]}"


def _boundless(value: Any) -> bool:
    """Whether there is a NaN or an infinity somewhere in a value."""
    stack, seen = [value], 0
    while stack and seen < MOST_NODES:
        one = stack.pop()
        seen += 1
        match one:
            case float():
                if not math.isfinite(one):
                    return True
            case dict():
                stack += one.values()
            case list() | tuple() | set() | frozenset():
                stack += one
            case BaseModel():
                stack += [getattr(one, name) for name in type(one).model_fields]
            case _ if is_dataclass(one):
                stack += [getattr(one, field.name, None) for field in fields(one)]
    return False


def _say(error: ValidationError) -> str:
    said = []
    for one in error.errors(include_url=False, include_context=False, include_input=False)[:5]:
        place = ".".join(str(step) for step in one["loc"])
        said.append(f"{place}: {one['msg']}" if place else str(one["msg"]))
    return "; ".join(said)
