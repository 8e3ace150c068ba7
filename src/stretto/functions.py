"""Functions as inner calls: what `Assignment.call` makes of a function, its arguments and what is declared about it."""

import dataclasses
import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, get_args, get_type_hints

from stretto.core.canonical import canonical
from stretto.core.domain import FREE, Action, Budget, Call, Called, Cost, Json, SideEffect
from stretto.declare import declared
from stretto.ports import Assignment, Finder
from stretto.threads import in_thread


@dataclass(slots=True, kw_only=True)
class FunctionCall:
    """A function with its arguments, ready to be called; `spent` is what it has reported of its spending."""

    call: Call
    function: Callable[..., Any]
    work: Assignment
    _own: Assignment | None = field(default=None, init=False)

    @property
    def spent(self) -> Cost:
        return FREE if self._own is None else self._own.spent

    async def do(self, action: Action) -> Called:
        """Call it; it counts as having cost what it may at most, unless it says otherwise."""
        self._own = own = _own_assignment(self.work, action, self.call.reserve)
        output = await _called(self.function, action.arguments, own)
        said = own.spent is not FREE  # also that it was nothing
        return Called(output=output, cost=own.spent if said else self.call.reserve)

    @property
    def look_up(self) -> Finder | None:
        """What tells whether the action happened, where the function declares it."""
        finder = declared(self.function).lookup
        if finder is None:
            return None

        async def find(action: Action) -> Called | None:
            own = _own_assignment(self.work, action, FREE)
            given = action.arguments if isinstance(action.arguments, dict) else {}
            known = {name: value for name, value in given.items() if name in inspect.signature(finder).parameters}
            found = await _called(finder, known, own)
            return None if found is None else Called(output=found)

        return find


def as_call(
    work: Assignment,
    key: str,
    function: Callable[..., Any],
    given: tuple[tuple[Any, ...], dict[str, Any]],
    reserve: Cost,
    effect: SideEffect | str | None,
) -> FunctionCall:
    """Make a call of a function; raises ValueError or TypeError for what cannot be called so."""
    if not callable(function):
        raise TypeError(f"the call {key!r} is of {type(function).__name__}, which is no function")
    said = declared(function)
    name = said.name or getattr(function, "__name__", "") or type(function).__name__
    if said.isolated:
        raise ValueError(f"{name} is isolated, and an inner call has no process of its own; make it an agent")
    try:
        arguments = _arguments(function, *given)
        canonical(arguments)
    except ValueError as error:
        raise ValueError(f"the arguments of the call {key!r} of {name} cannot be given: {error}") from None
    call = Call(
        key=key,
        role="tool",
        what=name if name != "<lambda>" else key,
        arguments=arguments,
        effect=_effect(effect, said.effect),
        reserve=reserve,
        perimeter=said.perimeter,
        approval=said.approval,
    )
    return FunctionCall(call=call, function=function, work=work)


def _effect(given: SideEffect | str | None, own: SideEffect) -> SideEffect:
    if given is None:
        return own
    try:
        return SideEffect(given)
    except ValueError:
        known = ", ".join(one.value for one in SideEffect)
        raise ValueError(f"there is no effect {given!r}; there are {known}") from None


def _arguments(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Json]:
    """Give the arguments by the names of their parameters; the Assignment is none of them."""
    signature = inspect.signature(function)
    own = _assignment_of(function, signature)
    wanted = [one for one in signature.parameters.values() if one.name != own]
    bound = signature.replace(parameters=wanted).bind(*args, **kwargs).arguments
    return {name: list(value) if isinstance(value, tuple) else value for name, value in bound.items()}


async def _called(function: Callable[..., Any], arguments: Json, own: Assignment) -> Json:
    """Call a function on arguments by name, in a thread unless it is a coroutine function."""
    signature = inspect.signature(function)
    bound = signature.bind_partial()
    unknown = [name for name in arguments if name not in signature.parameters]
    if unknown:
        raise TypeError(f"{getattr(function, '__name__', function)!r} has no parameter {unknown[0]!r}")
    for name, parameter in signature.parameters.items():
        if name == _assignment_of(function, signature):
            bound.arguments[name] = own
        elif name in arguments:
            several = parameter.kind is parameter.VAR_POSITIONAL
            bound.arguments[name] = tuple(arguments[name]) if several else arguments[name]
    if inspect.iscoroutinefunction(function):
        return await function(*bound.args, **bound.kwargs)
    found = await in_thread(lambda: function(*bound.args, **bound.kwargs))
    return await found if inspect.isawaitable(found) else found


def _assignment_of(function: Callable[..., Any], signature: inspect.Signature) -> str | None:
    """Name the parameter that takes the Assignment, if there is one."""
    try:
        hints = get_type_hints(function)
    except (TypeError, NameError):
        hints = {name: one.annotation for name, one in signature.parameters.items()}
    for name in signature.parameters:
        hint = hints.get(name)
        if hint is Assignment or Assignment in get_args(hint):
            return name
    return None


def _own_assignment(work: Assignment, action: Action, most: Cost) -> Assignment:
    """Give what the function gets as its Assignment: the action's key and arguments, and a purse of its own."""
    ceiling = Budget(
        money=most.money if most.money or work.ceiling.money is not None else None,
        tokens=most.tokens if most.tokens or work.ceiling.tokens is not None else None,
    )
    given = action.arguments if isinstance(action.arguments, dict) else {}
    return dataclasses.replace(
        work, key=action.key, arguments=given, citations=[], artifacts=[], notes=[], spent=FREE, ceiling=ceiling
    )
