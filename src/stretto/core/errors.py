"""What can go wrong, in one tree. Expected outcomes of agents are values, never these.

StrettoError
├── UsageError              the caller asked for something that cannot be: what, where, how to mend
│   ├── BadPlan             a plan did not pass its check; carries the diagnostics
│   ├── BadWorkspace        a file of a workspace cannot be used; carries file, line and column
│   ├── BadAgent            a function cannot serve as an agent
│   ├── BadChannel          a channel of alerts cannot be used; carries the field
│   └── UnknownRun          no such run in this store
├── Unauthenticated         nobody knows who asks: no key, or one that is wrong, expired or revoked
├── Forbidden               it is known who asks, and they may not
├── Conflict                another order came under the same key
├── OwnedElsewhere          another living process owns the run
├── LostOwnership           this process no longer owns the run, or somebody appended in between
├── Overtaken               another run has told of an agent meanwhile; hear it, and decide again
├── StoreError              the journal cannot be read or written
└── NotifierError           an alert did not get through a channel
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stretto.core.plan.diagnostics import Diagnostic


class StrettoError(Exception):
    """The root of every error that Stretto raises on purpose."""


class UsageError(StrettoError):
    """The caller asked for something that cannot be. The message says what, where and how to mend."""


class BadPlan(UsageError):
    """A plan did not pass its check; `diagnostics` says why."""

    def __init__(self, diagnostics: "Sequence[Diagnostic]") -> None:
        self.diagnostics = tuple(diagnostics)
        lines = [str(one) for one in self.diagnostics if one.severity == "error"]
        super().__init__("the plan cannot run:\n" + "\n".join(lines[:20]))


class BadWorkspace(UsageError):
    """A file of a workspace cannot be used; the message begins with file, line and column where known."""


class BadAgent(UsageError):
    """A function or class cannot serve as an agent as it stands."""


class BadChannel(UsageError):
    """A channel of alerts cannot be used as it is described; `field` is where, or empty, and `problem` why."""

    def __init__(self, field: str, problem: str) -> None:
        self.field, self.problem = field, problem
        super().__init__(f"{field}: {problem}" if field else problem)


class UnknownRun(UsageError):
    """There is no such run in this store, or more than one begins so."""


class Unauthenticated(StrettoError):
    """Nobody knows who asks: there is no key or session, or it is wrong, expired or revoked."""


class Forbidden(StrettoError):
    """It is known who asks, and they may not; the message says what they lack."""


class Conflict(StrettoError):
    """What is asked for goes against what was asked before under the same key."""


class OwnedElsewhere(StrettoError):
    """Another living process owns the run; `owner` says which."""

    def __init__(self, run: str, owner: str) -> None:
        self.run, self.owner = run, owner
        super().__init__(f"run {run} is being driven by {owner}; watch it, or stop that process first")


class LostOwnership(StrettoError):
    """An append was refused: somebody else owns the run by now, or appended in between."""


class Overtaken(StrettoError):
    """An append was refused: a stream beside the run holds facts that the run has not heard of."""


class StoreError(StrettoError):
    """The journal cannot be read or written; the message names the file and the reason."""


class NotifierError(StrettoError):
    """An alert did not get through a channel; the message says which and why, and holds no secret."""
