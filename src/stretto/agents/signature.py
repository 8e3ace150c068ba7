"""From type hints to schemas and back: what a function takes and gives, as JSON Schema and as checked values."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NotRequired, get_type_hints

from pydantic import ConfigDict, PydanticUserError, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from stretto.core.canonical import canonical
from stretto.core.domain import Json, Schema
from stretto.core.errors import BadAgent
from stretto.ports import Assignment


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
            plain = adapter.dump_python(adapter.validate_python(value), mode="json", warnings="error")
            canonical(plain)
        except ValidationError as error:
            raise BadValue(_say(error)) from None
        except Exception as error:
            raise BadValue(f"{type(value).__name__}: {error}") from None
        return plain


_ANY: TypeAdapter[Any] = TypeAdapter(Any)


def signature_of(function: Callable[..., Any]) -> Signature:
    """Read a function's hints; raises BadAgent with what is wrong and how to mend it."""
    name = getattr(function, "__name__", repr(function))
    try:
        hints = get_type_hints(function, include_extras=True)
        parameters = inspect.signature(function).parameters
    except (NameError, TypeError, ValueError) as error:
        raise BadAgent(f"{name}: its type hints cannot be read: {error}; import the names they use") from error
    fields: dict[str, Any] = {}
    assignment, open_ended = None, False
    for parameter in parameters.values():
        hint = hints.get(parameter.name, Any)
        if hint is Assignment:
            assignment = parameter.name
        elif parameter.kind is parameter.VAR_KEYWORD:
            open_ended = True
        elif parameter.kind in (parameter.VAR_POSITIONAL, parameter.POSITIONAL_ONLY):
            raise BadAgent(f"{name}: agents are called by name; {parameter.name!r} can only be given by position")
        else:
            fields[parameter.name] = hint if parameter.default is parameter.empty else NotRequired[hint]
    holder = TypedDict("Arguments", fields)  # type: ignore[misc]
    holder.__pydantic_config__ = ConfigDict(extra="allow" if open_ended else "forbid")  # type: ignore[attr-defined]
    try:
        arguments: TypeAdapter[Any] = TypeAdapter(holder)
        result: TypeAdapter[Any] | None = TypeAdapter(hints["return"]) if "return" in hints else None
        inputs = arguments.json_schema(mode="validation")
        output = result.json_schema(mode="serialization") if result is not None else {}
    except PydanticUserError as error:
        raise BadAgent(f"{name}: a hint is of a type that JSON cannot carry: {str(error).splitlines()[0]}") from error
    inputs.pop("title", None)
    return Signature(inputs=inputs, output=output, arguments=arguments, result=result, assignment=assignment)


def _say(error: ValidationError) -> str:
    said = []
    for one in error.errors(include_url=False, include_context=False, include_input=False)[:5]:
        place = ".".join(str(step) for step in one["loc"])
        said.append(f"{place}: {one['msg']}" if place else str(one["msg"]))
    return "; ".join(said)
