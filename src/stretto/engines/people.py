"""Who answers when nobody is at the screen: nobody, or a standing word given beforehand."""

from dataclasses import dataclass, field
from typing import Literal

from stretto.core.commands import AnswerRequest, Command
from stretto.core.state import RunState
from stretto.ports import People


class Nobody:
    """Leaves every request to the inbox."""

    async def ask(self, state: RunState, request: str) -> Command | None:
        return None


@dataclass(frozen=True, slots=True)
class StandingWord:
    """Approves or denies every approval in the name of whoever started the run; questions are for people."""

    decision: Literal["approve", "deny"]
    by: str
    people: People = field(default_factory=Nobody)

    async def ask(self, state: RunState, request: str) -> Command | None:
        asked = state.requests.get(request)
        if asked is not None and asked.kind == "alternatives":
            return None  # decided beforehand is decided: it goes on with what it has
        if asked is None or asked.kind != "approval":
            return await self.people.ask(state, request)
        option = "all" if self.decision == "approve" else "none"
        return AnswerRequest(
            actor=f"person:{self.by} (--approve {option})",
            request=request,
            decision=self.decision,
            reason=f"decided beforehand with --approve {option}",
        )
