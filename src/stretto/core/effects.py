"""The work that a state calls for. Two effects with one key are the same work; a changed key is new work."""

from dataclasses import dataclass
from typing import TypeAlias

from stretto.core.domain import Call


@dataclass(frozen=True, slots=True, kw_only=True)
class MakePlan:
    """Write the plan, task by task; `round` counts the answers there were about the goal."""

    revision: int
    round: int = 0

    @property
    def key(self) -> str:
        return f"plan/{self.revision}/{self.round}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """Find out whether a ready task may start, on which arguments, or whether a repeated one goes on.

    `round` counts the answers that it has had, or the rounds that it has run. Where `call` is given, it is that inner
    call of the attempt that is judged; those of the run itself have no agent, and no task unless they review one.
    """

    task: str
    attempt: int
    round: int
    agent: str
    revision: int = 1
    call: Call | None = None

    @property
    def key(self) -> str:
        return f"judge/{self.task}/{self.attempt}/{self.round}/{self.revision}/{self.agent}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunTask:
    """Have the agent do it."""

    task: str
    attempt: int
    agent: str

    @property
    def key(self) -> str:
        return f"run/{self.task}/{self.attempt}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LookUp:
    """Ask the agent whether the keyed action of an attempt in doubt happened."""

    task: str
    attempt: int
    agent: str

    @property
    def key(self) -> str:
        return f"lookup/{self.task}/{self.attempt}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewResult:
    """Have the result of an attempt reviewed."""

    task: str
    attempt: int

    @property
    def key(self) -> str:
        return f"review/{self.task}/{self.attempt}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AskPerson:
    """Put an open request before a person; anew at each `step` of a chain that is for those in charge only."""

    request: str
    task: str
    step: int = 0

    @property
    def key(self) -> str:
        return f"ask/{self.request}/{self.step}" if self.step else f"ask/{self.request}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Come back at a moment, in seconds since the epoch."""

    timer: str
    until: float

    @property
    def key(self) -> str:
        return f"wait/{self.timer}/{self.until!r}"

    @property
    def patient(self) -> bool:
        """Whether it only reminds somebody, or ends the run: no reason to stay until then."""
        return self.timer == "deadline" or self.timer.startswith("limit/") or "/remind/" in self.timer


@dataclass(frozen=True, slots=True, kw_only=True)
class Synthesise:
    """Compose the deliverable from the accepted results."""

    revision: int

    @property
    def key(self) -> str:
        return f"synthesise/{self.revision}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notify:
    """Alert people, at a moment, through every channel that has not got it through yet."""

    notice: str
    attempt: int
    until: float = 0.0

    @property
    def key(self) -> str:
        return f"notify/{self.notice}/{self.attempt}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdraw:
    """Stop the work of this key: it is no longer called for."""

    key: str


Effect: TypeAlias = MakePlan | Judge | RunTask | LookUp | ReviewResult | AskPerson | Wait | Synthesise | Notify
Change: TypeAlias = Effect | Withdraw
