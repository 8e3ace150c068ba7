"""Plans written in Python: a task names the function that does it, or a skill by its name."""

from collections.abc import Callable, Sequence
from typing import Any, Literal

from stretto.core.canonical import canonical
from stretto.core.domain import Asks, ForEach, InputSpec, Json, Limits, Plan, Schema, SideEffect, Task
from stretto.core.errors import UsageError
from stretto.core.plan.asking import BadChain, place_of, read_asks
from stretto.core.plan.references import NoDefault
from stretto.declare import declared, ladder_of


def ref(path: str, default: Any = NoDefault) -> dict[str, Json]:
    """Refer to a result (`ref("find")` or `ref("find.output.rows")`), to `inputs.NAME`, `item` or `context.KEY`.

    With a `default` the task goes on even when there is no such result.
    """
    head = path.split(".", maxsplit=1)[0].split("[", maxsplit=1)[0]
    if head not in ("inputs", "item", "context", "tasks") and path == head:
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
    ask: Json = None,
    inputs: dict[str, Json] | None = None,
    **arguments: Json,
) -> Task:
    """Make one task; other keywords are the skill's arguments (`inputs` takes those whose names are taken).

    Raises UsageError for what no plan can keep, and for a `ladder` that is none.
    `ask` says who is asked about it: `[{"who": "ann", "within": "2h"}, "deny"]`, or such chains by kind of request.
    """
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
        limits=Limits(timeout=timeout, attempts=attempts),
        when=when,
        for_each=None
        if for_each is None
        else ForEach(items=_plain(for_each, "for_each"), max=most, allow_failures=allow_failures),
        writes=writes,
        labels=tuple(labels),
        occurrence=occurrence,
        ladder=ladder_of(ladder, f"the ladder of task {id!r}") if ladder is not None else {},
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
