"""What people ask of a run that goes on, as commands: edits of its plan, another try. Refused with clear words."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from stretto.core.commands import Command, EditPlan, RateRun, Replan, RetryTask
from stretto.core.decide.control import why_no_retry
from stretto.core.decide.rating import why_no_rating
from stretto.core.decide.revising import defects, why_no_edit, why_no_replan
from stretto.core.domain import InputSpec, Json, Plan, Schema, Task
from stretto.core.errors import UsageError
from stretto.core.plan.inputs import Wanted, wanted
from stretto.core.plan.names import Names
from stretto.core.plan.schemas import arguments, element, types
from stretto.core.state import RunState
from stretto.given import read_input
from stretto.workspace import require, resolve_inputs


def plan_of(state: RunState) -> Plan:
    """Give the plan of a run as it is now."""
    tasks = (state.tasks[state.ids[position]] for position in range(len(state.ids)))
    planned = tuple(one.task for one in tasks if one.parent is None)
    return Plan(tasks=planned, deliver=state.deliver, inputs=state.specs)


def edit_of(
    state: RunState,
    plan: Plan | None,
    *,
    values: Mapping[str, Json] | Iterable[str] = (),
    remove: Iterable[str] = (),
    inputs: Mapping[str, Json] | Iterable[str] = (),
    refresh: bool = False,
    actor: str,
) -> EditPlan:
    """Give the edit of a run's plan: another plan, or the same with other values and without some tasks.

    `values` are by TASK.inputs.NAME, or texts of the form TASK.inputs.NAME=VALUE; `inputs` are those of the run.
    Raises UsageError that says what is not there.
    """
    whole = plan or plan_of(state)
    tasks = {task.id: task for task in whole.tasks}
    for place, value in _pairs(values, "--set"):
        tasks.update(_with_value(state, tasks, place, value))
    for id_ in remove:
        if id_ not in tasks:
            raise UsageError(f"the plan has no task {id_!r}. {Names(lambda: list(tasks)).mend(id_)}")
        del tasks[id_]
    deliver = whole.deliver
    changed = Plan(tasks=tuple(tasks.values()), deliver=deliver, inputs=whole.inputs)
    given = _inputs(state, changed, inputs)
    return EditPlan(
        actor=actor,
        revision=state.revision,
        tasks=changed.tasks,
        deliver=deliver,
        inputs=given,
        specs=changed.inputs,
        refresh=refresh,
    )


def require_possible(state: RunState, command: Command) -> None:
    """Raise UsageError when a run cannot do what a command asks of it, BadPlan when an edited plan has defects."""
    match command:
        case RetryTask():
            problem = why_no_retry(state, command)
        case EditPlan():
            require(Plan(tasks=command.tasks, deliver=command.deliver), defects(state, command))
            problem = why_no_edit(state, command)
        case Replan():
            problem = why_no_replan(state, command)
        case RateRun():
            problem = why_no_rating(state, command)
        case _:
            problem = None
    if problem is not None:
        raise UsageError(f"run {state.run}: {problem}")


def _pairs(given: Mapping[str, Json] | Iterable[str], option: str) -> Iterable[tuple[str, Json | list[str]]]:
    if isinstance(given, Mapping):
        yield from given.items()
        return
    texts: dict[str, list[str]] = {}
    for text in given:
        place, equals, value = text.partition("=")
        if not equals:
            raise UsageError(f"{option} {text!r}: write TASK.inputs.NAME=VALUE")
        texts.setdefault(place, []).append(value)
    for place, several in texts.items():
        yield place, _Typed(several)


class _Typed(list[str]):
    """Texts that somebody typed, still to be read."""


def _with_value(state: RunState, tasks: Mapping[str, Task], place: str, value: Json) -> dict[str, Task]:
    id_, _, rest = place.partition(".")
    field, _, name = rest.partition(".")
    if id_ not in tasks:
        raise UsageError(f"{place}: the plan has no task {id_!r}. {Names(lambda: list(tasks)).mend(id_)}")
    if field != "inputs" or not name:
        raise UsageError(
            f"{place}: only inputs are set so, as TASK.inputs.NAME; for anything else edit the plan's file"
        )
    task = tasks[id_]
    if isinstance(value, _Typed):
        value = read_input(name, value, _wanted(state, task, name))
    return {id_: replace(task, inputs={**task.inputs, name: value})}


def _wanted(state: RunState, task: Task, name: str) -> Wanted:
    """Give what an argument may be, by the schema of the first agent that would take it."""
    for agent in state.roster.candidates(task):
        schema = state.roster.skill(task, agent).inputs
        known, _, others = arguments(schema)
        if name in known:
            one = known[name]
            definitions: Schema = {key: schema[key] for key in ("$defs", "definitions") if key in schema}
            inner = element({**one, **definitions}) if isinstance(one, dict) else {}
            return Wanted(types(one, schema), types(inner, inner))
        if not others:
            raise UsageError(f"{task.skill} takes no argument {name!r}. {Names(known.keys).mend(name)}")
    return Wanted()


def _inputs(state: RunState, plan: Plan, given: Mapping[str, Json] | Iterable[str]) -> dict[str, Json]:
    """Give the inputs that change: those that are given, and what a new plan asks for besides."""
    if not plan.inputs and not given:
        return {}
    specs = {**{name: InputSpec(required=False) for name in state.inputs}, **plan.inputs}
    asked = Plan(tasks=plan.tasks, inputs=specs)
    values = resolve_inputs(asked, given, state.inputs, None, wanted(asked, state.roster))
    return {name: value for name, value in values.items() if name not in state.inputs or state.inputs[name] != value}
