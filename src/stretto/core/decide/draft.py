"""The facts of one decision as they add up, and the state that they lead to."""

from typing import Any

from stretto.core.commands import (
    Command,
)
from stretto.core.events import (
    Event,
)
from stretto.core.evolve import evolve
from stretto.core.state import RunState


class Draft:
    """The facts of one decision, and the state they lead to so far."""

    def __init__(self, state: RunState, command: Command) -> None:
        self.state = state
        self.events: list[Event] = []
        self._at = max(command.at, state.at)

    def say(self, fact: Any, **fields: Any) -> None:
        event = fact(at=self._at, **fields)
        self.events.append(event)
        self.state = evolve(self.state, event)

    @property
    def at(self) -> float:
        return self._at
