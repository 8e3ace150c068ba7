"""Plans written in Python: a task names the function that does it, or a skill by its name."""

from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import Any, Literal, TypeVar

import msgspec

from stretto.amounts import budget_of
from stretto.core.canonical import canonical
from stretto.core.domain import (
    Asks,
    Budget,
    ForEach,
    InputSpec,
    Join,
    Json,
    Limits,
    Plan,
    Repeat,
    Schema,
    SideEffect,
    Task,
    Undo,
)
from stretto.core.errors import UsageError
from stretto.core.lengths import read_length
from stretto.core.plan.asking import BadChain, place_of, read_asks
from stretto.core.plan.references import RESERVED, NoDefault
from stretto.declare import declared, ladder_of

T = TypeVar("T", Join, Repeat, Budget)


def ref(path: str, default: Any = NoDefault) -> dict[str, Json]:
    """Refer to a result (`ref("find")` or `ref("find.output.rows")`), to `inputs.NAME`, `item` or `context.KEY`.

    In a task with `join`, `joined` is the list of what it took; in one with `repeat`, `previous` is what the round
    before brought and `round` its own number.

    With a `default` the task goes on even when there is no such result.
    """
    head = path.split(".", maxsplit=1)[0].split("[", maxsplit=1)[0]
    if head not in RESERVED and path == head:
        path = f"{path}.output"
    return {"ref": path} if default is NoDefault else {"ref": path, "default": default}


def task(
    id: str,  # noqa: A002 - the field's own name
    skill: str | Callable[..., Any],
    /,
    *,
    objective: str = "",
    after: Sequence[str] = (),
    agent: str | None = None,
    when: str | None = None,
    for_each: Json = None,
    allow_failures: bool = False,
    most: int | None = None,
    output: Schema | None = None,
    effect: SideEffect | str | None = None,
    risk: Literal["low", "medium", "high"] = "low",
    approval: Literal["policy", "ask", "never"] = "policy",
    timeout: float | None = None,
    attempts: int | None = None,
    writes: str | None = None,
    labels: Sequence[str] = (),
    occurrence: Json = None,
    ladder: dict[str, Any] | None = None,
    join: Join | dict[str, Any] | None = None,
    repeat: Repeat | dict[str, Any] | None = None,
    wait: float | str | None = None,
    deadline: float | str | None = None,
    parallel: int | None = None,
    undo: str | Callable[..., Any] | None = None,
    undo_inputs: dict[str, Json] | None = None,
    budget: str | Budget | dict[str, Any] | None = None,
    ask: Json = None,
    inputs: dict[str, Json] | None = None,
    **arguments: Json,
) -> Task:
    """Make one task; other keywords are the skill's arguments (`inputs` takes those whose names are taken).

    `join` and `repeat` are as in a plan's file, `{"of": ["a", "b"], "take": "first"}` and `{"max": 5, "until": "..."}`;
    `wait` and `deadline` are seconds or text like "3d"; `parallel` bounds the items of `for_each` under way at once.
    `undo` is the skill that takes the task back, where its own names none; `undo_inputs` are its arguments, and may
    refer to the task's own output. `budget` is like "$0.50, 3 steps", over all attempts and items.
    `ask` says who is asked about it: `[{"who": "ann", "within": "2h"}, "deny"]`, or such chains by kind of request.
    Raises UsageError for what no plan can keep, and for what is none of these or no `ladder`.
    """
    taken_back = None
    if undo is not None or undo_inputs is not None:
        skill_of = undo if isinstance(undo, str | None) else _name(undo)
        own = None if undo_inputs is None else _plain(undo_inputs, f"the undo_inputs of task {id!r}")
        taken_back = Undo(skill=skill_of, inputs=own)
    return Task(
        id=id,
        skill=skill if isinstance(skill, str) else _name(skill),
        objective=objective,
        inputs=_plain({**(inputs or {}), **arguments}, f"the inputs of task {id!r}"),
        after=tuple(after),
        agent=agent,
        output=output,
        effect=SideEffect(effect) if effect is not None else None,
        risk=risk,
        approval=approval,
        limits=Limits(timeout=timeout, attempts=attempts, deadline=_seconds(deadline, f"the deadline of task {id!r}")),
        when=when,
        for_each=None
        if for_each is None
        else ForEach(items=_plain(for_each, "for_each"), max=most, allow_failures=allow_failures, parallel=parallel),
        writes=writes,
        labels=tuple(labels),
        occurrence=occurrence,
        ladder=ladder_of(ladder, f"the ladder of task {id!r}") if ladder is not None else {},
        join=_made(Join, join, f"the join of task {id!r}"),
        repeat=_made(Repeat, repeat, f"the repetition of task {id!r}"),
        wait=_seconds(wait, f"the wait of task {id!r}"),
        undo=taken_back,
        budget=budget_of(budget) if isinstance(budget, str) else _made(Budget, budget, f"the budget of task {id!r}"),
        ask=_asks(id, ask),
    )


def plan(*tasks: Task, deliver: Json = None, inputs: Sequence[str] | dict[str, Json] = (), name: str = "") -> Plan:
    """Put tasks together; `deliver` refers to what the run hands over.

    `inputs` names what the run is given. A mapping gives the default of each, or its whole `InputSpec`.
    """
    given = inputs if isinstance(inputs, dict) else dict.fromkeys(inputs, InputSpec())
    declared = {
        one: value if isinstance(value, InputSpec) else InputSpec(default=value, required=False)
        for one, value in given.items()
    }
    return Plan(tasks=tasks, deliver=_plain(deliver, "deliver"), inputs=declared, name=name)


def _asks(id_: str, raw: Json) -> Asks:
    try:
        return {} if raw is None else read_asks(raw)
    except BadChain as error:
        raise UsageError(f"task {id_!r}: {place_of(error, 'ask')}: {error}") from None


def _name(function: Callable[..., Any]) -> str:
    return declared(function).name or function.__name__


def _made(kind: type[T], given: Any, what: str) -> T | None:
    """Give what a mapping describes; lengths of time in it may be text."""
    if given is None or isinstance(given, kind):
        return given
    if isinstance(given, dict) and isinstance(given.get("pause"), str):
        given = {**given, "pause": _seconds(given["pause"], what)}
    try:
        return msgspec.convert(given, kind)
    except msgspec.ValidationError as error:
        raise UsageError(f"{what}: {error}; it has {', '.join(one.name for one in fields(kind))}") from None


def _seconds(given: float | str | None, what: str) -> float | None:
    try:
        return None if given is None else read_length(given)
    except ValueError as error:
        raise UsageError(f"{what}: {error}") from None


def _plain(value: Any, what: str) -> Any:
    """Give the value as JSON would carry it: tuples become lists."""
    try:
        canonical(value)
    except ValueError as error:
        raise UsageError(f"{what}: {error}") from None
    if isinstance(value, dict):
        return {key: _plain(inner, what) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner, what) for inner in value]
    return value
