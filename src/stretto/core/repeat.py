"""What follows a round of a repeated task: another one, the end, or the insight that it leads nowhere."""

from dataclasses import dataclass
from typing import TypeAlias

from stretto.core.domain import Repeat
from stretto.core.state import TaskState


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """Run another round, after so many seconds."""

    pause: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Enough:
    """Keep the output of the last round; `reason` says why there are no more, where `until` was never true."""

    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InVain:
    """No further round is run, and what `until` asks for has not come."""

    reason: str


Next: TypeAlias = Again | Enough | InVain


def after_round(whole: TaskState) -> Next:
    """Say what follows the latest round of a task, which was accepted and not said to be the last."""
    spec, done = whole.task.repeat or Repeat(max=1), whole.children or 0
    stuck = no_progress(whole)
    if stuck is None and done < spec.max:
        return Again(pause=spec.pause)
    if spec.until is None:
        return Enough(reason=stuck)
    reason = stuck or f"{done} {'round' if done == 1 else 'rounds'}, and `until` was never true: {spec.until}"
    return Enough(reason=reason) if spec.otherwise == "keep" else InVain(reason=reason)


def no_progress(whole: TaskState) -> str | None:
    """Say which earlier round the latest one repeats exactly, by arguments and output.

    Where rounds pause, something is watched that changes by itself, and looking again is work.
    """
    rounds, spec = whole.rounds, whole.task.repeat
    if rounds is None or rounds.repeats is None or spec is None or spec.pause:
        return None
    return f"no progress: round {(whole.children or 0) - 1} repeats round {rounds.repeats}"
