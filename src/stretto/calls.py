"""Inner calls, as the shell makes them: judged, begun on paper, made, and told the loop; or given, when it knows them.

The loop is the only judge. A call is emitted as a command, like any other word of the outside, and goes on when the
commit that took it in is durable.
"""

import asyncio
import contextvars
import json
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias, get_args

from stretto.core.calls import action_key, call_id, call_of, goes_on, is_doubtful, is_given, weighed
from stretto.core.canonical import canonical, digest
from stretto.core.commands import BeginCall, Command, EndCall
from stretto.core.domain import (
    FREE,
    Action,
    Budget,
    Call,
    Called,
    Cost,
    Failed,
    FailureClass,
    InputRequired,
    Json,
    Piece,
    Role,
    SideEffect,
    Unknown,
)
from stretto.core.events import CallBegun, CallRefused, Event, PersonAsked
from stretto.core.policy import Policy, call_judgement, judge
from stretto.core.state import CallState, RunState
from stretto.functions import as_call
from stretto.outcomes import broken, is_cost, is_usage, text_of
from stretto.ports import NOTHING_USED, AgentFailure, Assignment, Clock, Deed, Emit, Finder, InputNeeded

_WHO = {"plan": "planner", "review": "reviewer", "synthesise": "synthesiser"}
LOOKS = (0.0, 0.5, 2.0)
"""Seconds before each look at what became of an action: asking changes nothing, a person is asked only after these."""

_Name: TypeAlias = tuple[Piece, str]
_within: contextvars.ContextVar[tuple[str, ...]] = contextvars.ContextVar("stretto_calls", default=())
"""The calls that the code at hand is part of, the outermost first."""


@dataclass(slots=True)
class _Waiting:
    """Somebody who waits for what the loop says to a command; `parked` until there is room for a call."""

    command: BeginCall | EndCall
    told: "asyncio.Future[Sequence[Event]]"
    parked: bool = False


class Exchange:
    """Carries the inner calls of one run to its loop, and the loop's answers back."""

    def __init__(self, state: Callable[[], RunState], policies: tuple[Policy, ...], clock: Clock) -> None:
        self.state, self.policies, self.clock = state, policies, clock
        self._waiting: dict[_Name, _Waiting] = {}
        self._detached: set[asyncio.Task[None]] = set()

    def caller(self, of: Piece, emit: Emit, work: Assignment | None = None) -> "PieceCaller":
        """Give who makes the calls of a piece of work; `work` is the attempt's, if it is one."""
        return PieceCaller(self, of, emit, work)

    def parked(self) -> list[Command]:
        """Give the calls that wait for room in a budget, to be decided anew."""
        return [one.command for one in self._waiting.values() if one.parked]

    def heard(self, state: RunState, answers: Sequence[tuple[Command, Sequence[Event]]]) -> None:
        """Tell those who wait what a commit made of their commands; a call of moot work is cancelled."""
        for command, events in answers:
            if not isinstance(command, BeginCall | EndCall):
                continue
            name = (command.of, call_id(command.call) if isinstance(command, BeginCall) else command.call)
            waiting = self._waiting.get(name)
            if waiting is None or waiting.command is not command:
                continue
            if not events and isinstance(command, BeginCall) and _waits_for_room(state, command):
                waiting.parked = True
                continue
            del self._waiting[name]
            if waiting.told.done():
                continue
            if not events and not goes_on(state, command.of):
                waiting.told.cancel()
            else:
                waiting.told.set_result(events)

    async def tell(self, name: _Name, command: BeginCall | EndCall, emit: Emit) -> Sequence[Event]:
        """Say something to the loop, and give what followed from it once that is durable."""
        waiting = _Waiting(command, asyncio.get_running_loop().create_future())
        self._waiting[name] = waiting
        try:
            await emit(command)
            return await waiting.told
        finally:
            if self._waiting.get(name) is waiting:
                del self._waiting[name]

    def leave_word(self, command: EndCall, emit: Emit) -> None:
        """Say something to the loop for which nobody waits."""

        async def say() -> None:
            await emit(command)

        task = asyncio.get_running_loop().create_task(say())
        self._detached.add(task)
        task.add_done_callback(self._detached.discard)


class _Toolbox(ABC):
    """The ways to make an inner call, all of which come to one; see `stretto.ports.Toolbox`."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._threads: set[Any] = set()

    async def call(self, call: Call, do: Callable[[], Awaitable[Called]]) -> Called:
        return await self.use(call, lambda _: do())

    async def use(self, call: Call, do: Deed, look_up: Finder | None = None) -> Called:
        return await self._make(call, do, look_up, lambda: FREE)

    async def function(
        self,
        work: Assignment,
        key: str,
        function: Callable[..., Any],
        given: tuple[tuple[Any, ...], dict[str, Any]],
        reserve: Cost,
        effect: SideEffect | str | None,
    ) -> Json:
        one = as_call(work, key, function, given, reserve, effect)
        return (await self._make(one.call, one.do, one.look_up, lambda: one.spent)).output

    def wait_for(self, coming: Coroutine[Any, Any, Json]) -> Json:
        try:
            here = asyncio.get_running_loop()
        except RuntimeError:
            here = None
        if here is not None:
            coming.close()
            raise RuntimeError("`call_now` is for plain functions; in a coroutine function say `await work.call(...)`")
        future = asyncio.run_coroutine_threadsafe(coming, self._loop)
        self._threads.add(future)
        try:
            return future.result()
        finally:
            self._threads.discard(future)

    @abstractmethod
    async def _make(self, call: Call, do: Deed, look_up: Finder | None, spent: Callable[[], Cost]) -> Called:
        """Make a call; `spent` tells what it has reported of its spending."""


class LooseCaller(_Toolbox):
    """Makes the inner calls of an agent that is tried alone, outside of any run: nothing is kept or reserved.

    `allows` decides on every call that is not one of a model, one after the other; `spent` is what they cost so far.
    """

    def __init__(self, allows: Callable[[Call], Awaitable[bool]]) -> None:
        super().__init__()
        self._allows = allows
        self._asking = asyncio.Lock()
        self.spent = FREE

    async def _make(self, call: Call, do: Deed, look_up: Finder | None, spent: Callable[[], Cost]) -> Called:
        call = _checked(call)
        async with self._asking:
            if call.role == "tool" and not await self._allows(call):
                raise AgentFailure(f"{call.what}: nobody approved of it", FailureClass.DENIED)
        key = digest([call.key, call.what, call.arguments])[:40]
        called = _sound(await do(Action(key=key, arguments=_copy(call.arguments))))
        self.spent += called.cost
        return called


class PieceCaller(_Toolbox):
    """Makes the inner calls of one piece of work. See `stretto.ports.Toolbox`.

    Calls may be made side by side; of two equal ones the second waits for the first. A call that a person has to
    approve of waits until the others have ended, and nothing begins beside it, for the attempt ends with the question.
    """

    def __init__(self, exchange: Exchange, of: Piece, emit: Emit, work: Assignment | None) -> None:
        super().__init__()
        self._exchange, self._of, self._emit, self._work = exchange, of, emit, work
        one = exchange.state().tasks.get(of.task) if of.work == "run" else None
        self._actor = f"agent:{one.agent}" if one is not None else _WHO.get(of.work, "system")
        self._one_at_a_time: dict[str, asyncio.Lock] = {}
        self._open: set[str] = set()
        self._asking = False
        self._changed = asyncio.Condition()
        self._over = False

    def close(self) -> None:
        """End the piece of work: no call begins any more, and no thread waits for one."""
        self._over = True
        for future in list(self._threads):
            future.cancel()

    # ---- one call

    async def _make(self, call: Call, do: Deed, look_up: Finder | None, spent: Callable[[], Cost]) -> Called:
        call = weighed(self._exchange.state(), _checked(call))
        id_ = call_id(call)
        if id_ in _within.get():
            raise AgentFailure(f"the call {call.key!r} makes itself", FailureClass.REFUSED)
        async with self._one_at_a_time.setdefault(id_, asyncio.Lock()):
            while True:
                state = self._exchange.state()
                if self._over or not goes_on(state, self._of):
                    raise asyncio.CancelledError("the work that it is for has ended")
                known = call_of(state, self._of, id_)
                if known is not None and is_given(state, self._of, known):
                    return _given(known)
                action = await self._begin(call, id_, look_up)
                if action is None and call_of(self._exchange.state(), self._of, id_) is known:
                    raise AgentFailure(f"the call {call.key!r} is under way elsewhere", FailureClass.UNAVAILABLE)
                if action is None:
                    continue  # it is known by now
                called = await self._do(call, id_, action, do, spent)
                if called is not None:
                    return called

    async def _begin(self, call: Call, id_: str, look_up: Finder | None) -> Action | None:
        """Have the loop take the call in, and give what is to be done; None when it is known by now what comes of it.

        Raises what keeps it from being made.
        """
        command = await self._command(call, id_, look_up)
        while self._asking and self._open.isdisjoint(_within.get()):  # what is part of an open call may go on
            async with self._changed:
                await self._changed.wait()
        asks, known, begun = self._asks(command, id_), None, False
        try:
            if asks:
                self._asking = True
                await self._quiet()
            self._open.add(id_)
            events = await self._begun(command, id_)
            known = call_of(self._exchange.state(), self._of, id_)
            begun = known is not None and known.status == "open" and any(isinstance(one, CallBegun) for one in events)
        finally:
            if asks:
                self._asking = False
            if not begun:
                self._open.discard(id_)
            await self._notice()
        if known is None or not begun:
            _raise_what_keeps_it(events)
            return None
        return Action(key=known.action, arguments=_copy(call.arguments if known.edited is None else known.edited))

    async def _command(self, call: Call, id_: str, look_up: Finder | None) -> BeginCall:
        """Judge a call, and find out what became of one in doubt."""
        state = self._exchange.state()
        known = call_of(state, self._of, id_)
        command = BeginCall(
            actor=self._actor,
            of=self._of,
            call=call,
            verdict=judge(state, call_judgement(state, self._of, call), self._exchange.policies),
            tries=known.tries if known is not None else 0,
        )
        if not is_doubtful(state, self._of, call):
            return command
        if look_up is None:
            return replace(command, doubt="nobody heard its end")
        key = known.action if known is not None and known.action else action_key(state, self._of, call)
        edited = known.edited if known is not None else None
        action = Action(key=key, arguments=call.arguments if edited is None else edited)
        failed = ""
        for pause in LOOKS:
            await self._exchange.clock.until(self._exchange.clock.now() + pause)
            try:
                found = await look_up(action)
                return replace(command, never=True) if found is None else replace(command, found=_sound(found))
            except Exception as error:
                failed = str(error) or type(error).__name__
                if type(error) is LookupError:  # it cannot tell, and never will
                    break
        return replace(command, doubt=f"looking it up failed: {failed}")

    def _asks(self, command: BeginCall, id_: str) -> bool:
        """Whether a person will be asked, so that the attempt ends."""
        known = call_of(self._exchange.state(), self._of, id_)
        approved = known is not None and known.approved
        return bool(command.doubt) or (command.verdict.decision == "ask" and not approved)

    async def _begun(self, command: BeginCall, id_: str) -> Sequence[Event]:
        """Say that a call is to begin; the attempt itself may not spend what is promised to the call."""
        if self._work is not None:
            command = replace(command, besides=self._work.spent)
        promised = FREE
        self._promise(reserve := command.call.reserve)
        try:
            events = await self._exchange.tell((self._of, id_), command, self._emit)
            promised = next((event.reserved for event in events if isinstance(event, CallBegun)), FREE)
            return events
        except asyncio.CancelledError:
            never = InputRequired(question="it was not made")
            self._exchange.leave_word(
                EndCall(actor=self._actor, of=self._of, call=id_, tries=command.tries + 1, outcome=never), self._emit
            )
            raise
        finally:
            self._promise(promised, reserve)

    async def _do(self, call: Call, id_: str, action: Action, do: Deed, spent: Callable[[], Cost]) -> Called | None:
        """Make a call that has begun, and tell the loop how it ended; None when that has to be found out.

        Raises what the call raised.
        """
        known = call_of(self._exchange.state(), self._of, id_)
        tries, reserved = (known.tries, known.reserved) if known is not None else (1, FREE)
        end = EndCall(actor=self._actor, of=self._of, call=id_, tries=tries, outcome=Unknown(message="cut off"))
        mark = _within.set((*_within.get(), id_))
        cost = reserved
        try:
            called = _sound(await do(action))
            cost = called.cost
            end = replace(end, outcome=called)
            await self._exchange.tell((self._of, id_), end, self._emit)
            return replace(called, output=_copy(called.output))
        except asyncio.CancelledError:
            if isinstance(end.outcome, Unknown):
                self._exchange.leave_word(end, self._emit)
            raise
        except Exception as error:
            outcome = _failure(error, call.effect, spent())
            cost = outcome.cost
            used = error.usage if isinstance(error, AgentFailure) else NOTHING_USED
            usage = used if is_usage(used) else NOTHING_USED
            await self._exchange.tell((self._of, id_), replace(end, outcome=outcome, usage=usage), self._emit)
            if isinstance(outcome, Unknown) and not call.effect.repeatable:
                return None
            raise
        finally:
            _within.reset(mark)
            self._promise(cost, reserved)
            self._open.discard(id_)
            await self._notice()

    # ---- calls side by side

    async def _quiet(self) -> None:
        """Wait until all other calls have ended but those that this one is part of."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._open <= set(_within.get()))

    async def _notice(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    def _promise(self, taken: Cost, given_back: Cost = FREE) -> None:
        """Keep what an open call may cost from what the attempt itself may spend."""
        if self._work is None:
            return
        most = self._work.ceiling
        self._work.ceiling = Budget(
            money=None if most.money is None else most.money + given_back.money - taken.money,
            tokens=None if most.tokens is None else most.tokens + given_back.tokens - taken.tokens,
        )


def _raise_what_keeps_it(events: Sequence[Event]) -> None:
    for event in events:
        match event:
            case CallRefused():
                raise AgentFailure(event.message, event.failure)
            case PersonAsked():
                raise InputNeeded(event.request.question)
            case _:
                pass


def _waits_for_room(state: RunState, command: BeginCall) -> bool:
    """Whether a call that came to nothing is neither moot nor known: it begins when less is reserved."""
    known = call_of(state, command.of, call_id(command.call))
    if not goes_on(state, command.of) or (known.tries if known is not None else 0) != command.tries:
        return False
    return known is None or (known.status not in ("open", "asked") and not is_given(state, command.of, known))


def _given(known: CallState) -> Called:
    """Give what a call brought before, or raise what it failed with."""
    if known.status != "done":
        raise AgentFailure(known.message, known.failure or FailureClass.UNKNOWN)
    return Called(output=_copy(known.output), cost=known.cost, usage=known.usage)


def _copy(value: Json) -> Json:
    """Give a JSON value as it comes out of the journal, which nobody else holds."""
    return json.loads(canonical(value))


def _checked(call: Call) -> Call:
    """Give a call that the journal can hold; raises ValueError that says what is wrong with it."""
    if not (isinstance(call.key, str) and call.key and isinstance(call.what, str) and call.what):
        raise ValueError(f"a call has a key and says what it calls, not {call.key!r} and {call.what!r}")
    if call.role not in get_args(Role):
        raise ValueError(f"the call {call.key!r} has the role {call.role!r}; there are {', '.join(get_args(Role))}")
    if not isinstance(call.effect, SideEffect) or not is_cost(call.reserve):
        raise ValueError(f"the call {call.key!r} has no such effect or cost: {call.effect!r}, {call.reserve!r}")
    try:
        canonical(call.arguments)
    except ValueError as error:
        raise ValueError(f"the arguments of the call {call.key!r} cannot be given: {error}") from None
    return call


def _sound(called: Called) -> Called:
    """Give what a call brought, as the journal holds it; raises AgentFailure for what it cannot hold."""
    try:
        if not (is_cost(called.cost) and is_usage(called.usage)):
            raise ValueError(f"it reports a cost or usage that is none: {called.cost!r}, {called.usage!r}")
        return replace(called, output=_copy(called.output))
    except ValueError as error:
        raise AgentFailure(f"its result cannot be kept: {error}", FailureClass.INVALID_OUTPUT) from None


def _failure(error: Exception, effect: SideEffect, spent: Cost) -> Failed | InputRequired | Unknown:
    """Give what an exception says of a call; a lost reply is unknown where doing it twice could do harm."""
    cost = spent
    if isinstance(error, AgentFailure) and is_cost(error.cost):
        cost += error.cost
    match error:
        case InputNeeded():
            return InputRequired(question=text_of(error), cost=cost)
        case AgentFailure(failure=FailureClass.UNKNOWN):
            return Unknown(message=text_of(error), cost=cost)
        case AgentFailure():
            known = isinstance(error.failure, FailureClass)
            return Failed(failure=error.failure if known else FailureClass.ERROR, message=text_of(error), cost=cost)
    return broken(error, cost, effect)
