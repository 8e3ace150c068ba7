"""Inner calls of a skill that is called alone, without a run: made as they come, and kept nowhere."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from stretto.core.canonical import short
from stretto.core.domain import Action, Call, Called, Cost, FailureClass, Json, SideEffect
from stretto.functions import as_call
from stretto.ports import AgentFailure, Assignment, Deed, Finder


@dataclass(slots=True)
class Alone:
    """See `stretto.ports.Toolbox`. `allows` decides on each call that is not of a model; it may raise InputNeeded."""

    work: Assignment
    allows: Callable[[Call], bool]
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)
    _one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def call(self, call: Call, do: Callable[[], Awaitable[Called]]) -> Called:
        return await self.use(call, lambda _: do())

    async def use(self, call: Call, do: Deed, look_up: Finder | None = None) -> Called:
        async with self._one_at_a_time:  # a question is put before anything else is asked
            if call.role == "tool" and not await asyncio.to_thread(self.allows, call):
                raise AgentFailure(f"{call.what} is not approved", FailureClass.DENIED)
        key = short([self.work.key, call.key, call.what, call.arguments], 40)
        called = await do(Action(key=key, arguments=call.arguments))
        self.work.spent += called.cost
        return called

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
        return (await self.use(one.call, one.do)).output

    def wait_for(self, coming: Coroutine[Any, Any, Json]) -> Json:
        return asyncio.run_coroutine_threadsafe(coming, self._loop).result()
