"""Inner calls begin and end: what they brought, what they cost whom, and what was used of which model."""

from typing import Any

from immutables import Map
from msgspec.structs import replace

from stretto.core.calls import COORDINATION, piece_of
from stretto.core.domain import FREE, Cost, FailureClass, Json, Piece, TaskStatus, Usage
from stretto.core.events import (
    CallBegun,
    CallEnded,
    CallFailed,
    CallForgotten,
    CallJudged,
    CallLost,
    CallRefused,
)
from stretto.core.evolve.attempts import booked, charged
from stretto.core.state import CallState, Meter, Meters, RunState, TaskState

_NEVER = Meter()


def call_begun(state: RunState, event: CallBegun) -> RunState:
    """Note the intent; what it may cost is kept for it, in the attempt's reservation or in the budgets."""
    known = _known(state, event.of, event.call)
    one = CallState(
        key=event.key,
        role=event.role,
        what=event.what,
        number=event.of.number,
        status="open",
        effect=event.effect,
        tries=1 if known is None else known.tries + 1,
        action=event.action,
        reserved=event.reserved,
        cost=FREE if known is None else known.cost,
        usage=Usage() if known is None else known.usage,
        approved=known is not None and known.approved,
        edited=None if known is None else known.edited,
        by="" if known is None else known.by,
    )
    if event.of.work == "run":
        task = state.tasks[event.of.task]
        task = replace(task, calling=task.calling.set(event.call, None), promised=_plus(task.promised, event.reserved))
        return _noted(replace(state, tasks=state.tasks.set(event.of.task, task)), event.of, event.call, one)
    state = replace(state, calling=state.calling.set(f"{event.of.name}/{event.call}", None))
    return _noted(_reserved(state, event.of, event.reserved), event.of, event.call, one)


def call_ended(state: RunState, event: CallEnded) -> RunState:
    """Keep what it brought."""
    one = _open(state, event.of, event.call)
    ended = _settled(one, event.cost, event.usage, status="done", output=event.output)
    return _closed(state, event.of, event.call, one, ended, event.cost, event.usage)


def call_failed(state: RunState, event: CallFailed) -> RunState:
    one = _open(state, event.of, event.call)
    ended = _settled(one, event.cost, event.usage, status="failed", failure=event.failure, message=event.message)
    return _closed(state, event.of, event.call, one, ended, event.cost, event.usage)


def call_lost(state: RunState, event: CallLost) -> RunState:
    """Close a call whose end nobody heard; one that must not be made twice stays in doubt."""
    one = _open(state, event.of, event.call)
    ended = _settled(one, event.cost, Usage(), status="lost")
    return _closed(state, event.of, event.call, one, ended, event.cost, Usage())


def call_forgotten(state: RunState, event: CallForgotten) -> RunState:
    """Let a call count as never made; what it cost, it cost."""
    one = _open(state, event.of, event.call)
    ended = _settled(one, event.cost, event.usage, status="due")
    return _closed(state, event.of, event.call, one, ended, event.cost, event.usage)


def call_refused(state: RunState, event: CallRefused) -> RunState:
    known = _known(state, event.of, event.call) or _new(event)
    refused = replace(
        known,
        number=event.of.number,
        status="refused",
        tries=known.tries + 1,
        failure=event.failure,
        message=event.message,
    )
    return _noted(state, event.of, event.call, refused)


def call_judged(state: RunState, event: CallJudged) -> RunState:
    """Note that a person is asked before it is made."""
    known = _known(state, event.of, event.call) or _new(event)
    return _noted(state, event.of, event.call, replace(known, number=event.of.number, status="asked"))


def call_answered(one: TaskState, id_: str, decision: str, by: str, reason: str, value: Json) -> TaskState:
    """Take in what a person says about a call."""
    known = one.calls[id_]
    said = f": {reason}" if reason else ""
    match decision:
        case "approve":
            known = replace(known, status="due", approved=True, by=by)
        case "edit":
            known = replace(known, status="due", approved=True, edited=value, by=by)
        case "retry":
            known = replace(known, status="due", by=by)
        case "done":
            known = replace(known, status="done", output=value, by=by)
        case "deny":
            refusal: dict[str, Any] = {"failure": FailureClass.DENIED, "message": f"denied by {by}{said}"}
            known = replace(known, status="refused", denied=True, by=by, **refusal)
        case _:
            given_up: dict[str, Any] = {"failure": FailureClass.UNKNOWN, "message": f"given up by {by}{said}"}
            known = replace(known, status="failed", by=by, **given_up)
    return replace(one, calls=one.calls.set(id_, known))


def all_unheard(state: RunState) -> RunState:
    """Close the open calls of the run itself; nothing is reserved for them any more."""
    for name in state.calling:
        call = state.calls[name]
        state = _reserved(state, piece_of(name), FREE - call.reserved)
        state = replace(state, calls=state.calls.set(name, replace(call, status="lost", reserved=FREE)))
    return replace(state, calling=Map()) if state.calling else state


def _new(event: CallRefused | CallJudged) -> CallState:
    made = {"key": event.key, "role": event.role, "what": event.what, "number": event.of.number}
    return CallState(**made, effect=event.effect) if isinstance(event, CallJudged) else CallState(**made)  # type: ignore[arg-type]


def _known(state: RunState, of: Piece, id_: str) -> CallState | None:
    return state.tasks[of.task].calls.get(id_) if of.work == "run" else state.calls.get(f"{of.name}/{id_}")


def _open(state: RunState, of: Piece, id_: str) -> CallState:
    return state.tasks[of.task].calls[id_] if of.work == "run" else state.calls[f"{of.name}/{id_}"]


def _noted(state: RunState, of: Piece, id_: str, call: CallState) -> RunState:
    if of.work != "run":
        return replace(state, calls=state.calls.set(f"{of.name}/{id_}", call))
    one = state.tasks[of.task]
    return replace(state, tasks=state.tasks.set(of.task, replace(one, calls=one.calls.set(id_, call))))


def _settled(one: CallState, cost: Cost, usage: Usage, **fields: Any) -> CallState:
    return replace(one, reserved=FREE, cost=_plus(one.cost, cost), usage=one.usage + usage, **fields)


def _closed(
    state: RunState, of: Piece, id_: str, before: CallState, after: CallState, cost: Cost, usage: Usage
) -> RunState:
    """Settle what was kept for a call with what it cost, and meter it."""
    if of.work == "run":
        state = _closed_in_attempt(state, of, id_, before, cost)
    else:
        name = f"{of.name}/{id_}"
        calling = state.calling.delete(name) if name in state.calling else state.calling
        state = _reserved(replace(state, calling=calling), of, FREE - before.reserved)
        state = _paid(state, of, cost, cost.beyond(before.reserved))
    used = Meter(calls=int(before.status == "open"), usage=usage, cost=cost)  # one that was lost is counted already
    return _metered(_noted(state, of, id_, after), of, before, used)


def _closed_in_attempt(state: RunState, of: Piece, id_: str, before: CallState, cost: Cost) -> RunState:
    """Take what a call cost out of its attempt's reservation."""
    state = charged(state, of.task, cost)
    one = state.tasks[of.task]
    calling = one.calling.delete(id_) if id_ in one.calling else one.calling
    goes_on = one.status is TaskStatus.RUNNING and one.attempt == of.number
    left = one.reserved.beyond(cost) if goes_on and cost != FREE else one.reserved
    freed = one.reserved - left if left is not one.reserved else FREE
    one = replace(
        one,
        calling=calling,
        promised=one.promised - before.reserved if before.reserved != FREE else one.promised,
        called=_plus(one.called, cost) if goes_on else one.called,
        reserved=left,
    )
    state = replace(state, tasks=state.tasks.set(of.task, one))
    return state if freed == FREE else _reserved(state, of, FREE - freed)


def _reserved(state: RunState, of: Piece, cost: Cost) -> RunState:
    """Add to what is reserved: of the run, and of the account of the task it is about."""
    if cost == FREE:
        return state
    one = state.tasks.get(of.task)
    accounts = state.accounts if one is None else booked(state, one, reserved=cost)
    return replace(state, reserved=state.reserved + cost, accounts=accounts)


def _paid(state: RunState, of: Piece, cost: Cost, beyond: Cost) -> RunState:
    """Count what a call of the run itself cost, and what of it was more than was reserved where a budget limits it."""
    if cost == FREE:
        return state
    one = state.tasks.get(of.task)
    accounts = state.accounts if one is None else booked(state, one, spent=cost)
    limited = state.budget.limits_cost
    return replace(
        state,
        spent=state.spent + cost,
        accounts=accounts,
        overspent=state.overspent + beyond if limited and beyond != FREE else state.overspent,
    )


def _metered(state: RunState, of: Piece, call: CallState, used: Meter) -> RunState:
    """Count what a call used, for everything that it was made for."""
    meters, one, tool = state.meters, state.tasks.get(of.task), call.role == "tool"
    made_by = str(one.agent) if of.work == "run" and one is not None else ""
    meters = Meters(
        models=meters.models if tool else _more(meters.models, call.what, used),
        tools=_more(meters.tools, call.what, used) if tool else meters.tools,
        roles=_more(meters.roles, call.role, used),
        agents=_more(meters.agents, made_by, used) if made_by else meters.agents,
    )
    state = replace(state, meters=meters)
    if of.work != "run" or call.role in COORDINATION:
        state = replace(state, coordination=state.coordination + used)
    if one is None:
        return state
    return replace(state, tasks=state.tasks.set(of.task, replace(one, meter=one.meter + used)))


def _more(meters: Map[str, Meter], name: str, used: Meter) -> Map[str, Meter]:
    return meters.set(name, meters.get(name, _NEVER) + used)


def _plus(one: Cost, more: Cost) -> Cost:
    return one if more == FREE else one + more
