"""The engine of one process: asyncio, one mailbox per run, one commit per drain of it, no barriers."""

import asyncio
import contextlib
import math
from collections.abc import Sequence

from stretto.core.commands import Command
from stretto.core.effects import AskPerson, Change, Effect, Wait, Withdraw
from stretto.core.errors import StrettoError
from stretto.core.state import RunState
from stretto.engines.clock import SystemClock
from stretto.engines.places import Places, Turns
from stretto.ports import Clock, Note, Performer

POLL_SECONDS = 0.2
RENEW_SECONDS = 4.0
MOST_AT_ONCE = 1024
LEAVE_SECONDS = 5.0
PATIENCE_SECONDS = 60.0
ALERT_SECONDS = 15.0


class LocalEngine:
    """See `stretto.ports.Engine`. One engine drives any number of runs at once.

    With `places`, at most so many agent calls are under way at once over all its runs, handed out fairly (see
    `stretto.engines.places`); engines may share them. A drive that does not `wait` stays for a timer that is due within
    `patience` seconds of the clock, and ends when all others are further away (never, when that is infinite). Raises
    UsageError for less than one place.
    """

    def __init__(
        self, places: int | Places | None = None, *, patience: float = PATIENCE_SECONDS, clock: Clock | None = None
    ) -> None:
        self._places = Places(places) if isinstance(places, int) else places
        self._patience, self._clock = patience, clock or SystemClock()

    async def drive(
        self, run: str, performer: Performer, *, first: Sequence[Command] = (), wait: bool = True
    ) -> RunState:
        state, effects = await performer.begin(run, first)
        turns = None if self._places is None else self._places.turns()
        patience = None if wait else self._patience
        return await _Drive(performer, turns, patience, self._clock).through(state, effects)


class _Drive:
    """One run being driven: what is under way by key, and the mailbox its reports come to.

    `patience` is for how many seconds it stays when nothing moves; None is for ever.
    """

    def __init__(self, performer: Performer, turns: Turns | None, patience: float | None, clock: Clock) -> None:
        self._performer, self._turns = performer, turns
        self._patience, self._clock = patience, clock
        self._mailbox: asyncio.Queue[Command | BaseException | None] = asyncio.Queue(maxsize=4 * MOST_AT_ONCE)
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self._idle: dict[str, float] = {}  # work that only waits, and until when at most
        self._notes: list[Note] = []
        self._leaving: set[asyncio.Task[None]] = set()  # withdrawn, and not yet at their end
        self._looked = False  # whether the inbox has been read
        self._seen = 0

    async def through(self, state: RunState, effects: Sequence[Change]) -> RunState:
        listening = asyncio.create_task(self._listen(), name="stretto-inbox")
        try:
            self._apply(effects)
            while not (state := await self._alerted(state)).status.final or await self._late_word():
                if self._patience is not None and self._stands_still(self._patience):
                    break
                state = await self._drain()
            return state
        finally:
            await self._stop(listening)
            await self._performer.leave()

    async def _alerted(self, state: RunState) -> RunState:
        """See that people hear of the end, but do not wait for them long; what is left is sent with the next resume."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ALERT_SECONDS):
                while state.status.final and any(key.startswith("notify/") for key in self._under_way):
                    state = await self._drain()
        return state

    async def _late_word(self) -> bool:
        """Whether something was left for a run while it ended: it is carried out before the run is given back."""
        self._notes += [note for note in await self._performer.collect() if note.id > self._seen]
        if self._notes:
            self._seen = self._notes[-1].id
            await self._mailbox.put(None)
        return bool(self._notes)

    async def _drain(self) -> RunState:
        """Take everything that waits in the mailbox through one commit."""
        commands = [await self._mailbox.get()]
        while len(commands) < MOST_AT_ONCE and not self._mailbox.empty():
            commands.append(self._mailbox.get_nowait())
        notes, self._notes = self._notes, []
        asked: list[Command] = [note.command for note in notes]
        for command in commands:
            if isinstance(command, BaseException):
                raise command
            if command is not None:
                asked.append(command)
        state, effects = await self._performer.advance(asked)
        if notes:
            await self._performer.clear(notes)
        self._apply(effects)
        return state

    def _apply(self, effects: Sequence[Change]) -> None:
        for effect in effects:
            if isinstance(effect, Withdraw):
                self._idle.pop(effect.key, None)
                task = self._under_way.pop(effect.key, None)
                if task is not None:
                    task.cancel()
                    self._leaving.add(task)
                    task.add_done_callback(self._leaving.discard)
            elif effect.key not in self._under_way:
                if isinstance(effect, Wait):
                    self._idle[effect.key] = self._worth_staying_for(effect)
                self._under_way[effect.key] = asyncio.create_task(self._perform(effect), name=effect.key)

    async def _perform(self, effect: Effect) -> None:
        report: Command | BaseException | None
        try:
            if self._turns is None or not self._performer.is_call(effect):
                report = await self._performer.perform(effect, self._mailbox.put)
            else:
                async with self._turns:
                    report = await self._performer.perform(effect, self._mailbox.put)
        except Exception as error:
            report = error
        if report is not None:
            await self._mailbox.put(report)
        if self._under_way.get(effect.key) is not asyncio.current_task():
            return
        if isinstance(effect, AskPerson):
            self._idle[effect.key] = math.inf  # nobody here answers: the request stays open
        else:
            del self._under_way[effect.key]
            self._idle.pop(effect.key, None)
        await self._mailbox.put(None)  # somebody may wait for stillness

    def _worth_staying_for(self, effect: Wait) -> float:
        """Give the moment of a timer; nobody stays for a deadline or a reminder that is still to come."""
        ahead = effect.patient and effect.until > self._clock.now()
        return math.inf if ahead else effect.until

    def _stands_still(self, patience: float) -> bool:
        """Whether nothing moves for a while unless somebody leaves word."""
        if not self._looked or self._notes or not self._mailbox.empty():
            return False
        if not self._under_way.keys() <= self._idle.keys():
            return False
        return min(self._idle.values(), default=math.inf) >= self._clock.now() + patience

    async def _listen(self) -> None:
        """Read the inbox, and keep the lease."""
        renewed = asyncio.get_running_loop().time()
        try:
            while True:
                fresh = [note for note in await self._performer.collect() if note.id > self._seen]
                if fresh:
                    self._seen = fresh[-1].id
                    self._notes += fresh
                if fresh or not self._looked:
                    self._looked = True
                    await self._mailbox.put(None)
                if asyncio.get_running_loop().time() - renewed > RENEW_SECONDS:
                    await self._performer.keep()
                    renewed = asyncio.get_running_loop().time()
                await asyncio.sleep(POLL_SECONDS)
        except StrettoError as error:
            await self._mailbox.put(error)

    async def _stop(self, listening: "asyncio.Task[None]") -> None:
        tasks = [listening, *self._under_way.values()]
        self._under_way.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._leaving:  # a team withdraws its run before it goes
            await asyncio.wait(self._leaving, timeout=LEAVE_SECONDS)
