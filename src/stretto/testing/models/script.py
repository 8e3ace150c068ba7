"""What a scripted model is told: rules (when, say), how fast, and what goes wrong. See docs/testing.md.

Everything here is data; the same fields stand in a file and in Python. `stretto.testing.models.reading` checks them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, TypeAlias

from msgspec import UNSET, Meta, UnsetType

from stretto.core.domain import Json
from stretto.testing.models.faults import Cut, Empty, Fault, Positive, RateLimited, Seconds, ServerError, Tokens
from stretto.testing.models.requests import Request

Share: TypeAlias = Annotated[float, Meta(ge=0, le=1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """Which prompts a rule answers: those for which everything holds that is named.

    `user` (the last message of the user), `system`, `conversation` (every message, each as `role: text` on lines of its
    own) and `model` are patterns that are searched for. `turn` is how often the model has answered before, `results`
    how many results of tools there are. `tool` names tools that must be on offer, all of them; `schema` says whether
    an answer by schema is asked for, and `stream` whether a stream is. `nth` counts how often everything else held,
    from 1, and may be several numbers.
    """

    user: str | None = None
    system: str | None = None
    conversation: str | None = None
    model: str | None = None
    turn: Tokens | None = None
    results: Tokens | None = None
    tool: str | tuple[str, ...] | None = None
    schema: bool | None = None
    stream: bool | None = None
    nth: Positive | tuple[Positive, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolUse:
    """A tool that the model wants called. `arguments` are an object, or a text that is sent as it stands."""

    name: str
    arguments: dict[str, Json] | str = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the model says: one of `text`, `json` (a value, written as JSON) and `template`; `calls` beside it or alone.

    A template is a text, or a value with texts in it, in which `{name}` and `{1}` stand for groups of the patterns that
    met, and `{0}` for all that the first one met; doubled braces stand for braces. Numbers count the groups of the
    first pattern, in the order `user`, `system`, `conversation`, `model`.
    """

    text: str | None = None
    json: Json | UnsetType = UNSET
    template: Json | UnsetType = UNSET
    calls: tuple[ToolUse, ...] = ()


Say: TypeAlias = str | Answer | Callable[[Request], str | Answer]
"""What is said: a text, an answer, or a function of the request that gives either (in Python alone)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast: seconds to the first token, then tokens a second, or the seconds that the whole turn takes.

    What is asked for whole comes when its last token would have come. Nothing named is as fast as can be.
    """

    first: Seconds = 0.0
    rate: Annotated[float, Meta(gt=0, le=1_000_000)] | None = None
    turn: Seconds | None = None

    def due(self, token: int, tokens: int) -> float:
        """Give the seconds after which a token is due, counted from 0, of so many."""
        if self.turn is not None:
            start = min(self.first, self.turn)
            return start + (self.turn - start) * (token / (tokens - 1) if tokens > 1 else 1.0)
        return self.first + (token / self.rate if self.rate else 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """The tokens that an answer reports; what is not named is counted. `report` false leaves them out altogether."""

    input: Tokens | None = None
    output: Tokens | None = None
    cached: Tokens = 0
    report: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Chance:
    """Faults for soaks: each request fails with the chance `rate`, in one of `faults`.

    Which one is decided by the seed, the prompt, and how often that prompt came before; never by the order in which
    requests come in.
    """

    rate: Share
    seed: int = 0
    faults: tuple[Fault, ...] = (RateLimited(retry_after=0.0), ServerError(), ServerError(status=503), Cut(), Empty())


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule. Several `say`s are for one match each, in their order; the last is for all further ones.

    `faults` come first, each as often as it says. Without a `name` it is called by its place, such as `rule 2`.
    """

    when: When = When()
    say: Say | Sequence[Say] | None = None
    faults: tuple[Fault, ...] = ()
    pace: Pace | None = None
    usage: Usage = Usage()
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """Rules, tried in their order, and what holds for all of them.

    `default` is said where no rule is met; without one that is an error. `models` are the names that are served, any
    where there are none. A prompt that leaves no room for its answer in the `window`, in tokens, is refused. `name`
    says in errors which script it is.
    """

    rules: tuple[Rule, ...] = ()
    default: Say | Sequence[Say] | None = None
    pace: Pace = Pace()
    models: tuple[str, ...] = ()
    window: Positive | None = None
    random: Chance | None = None
    name: str = "the script"
