"""What is asked of a language model, and what it answers. See `stretto.models.asking` for who asks."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Literal, Protocol

from stretto.core.domain import Cost, Json, Role, Schema, Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A function that a model may ask for; `inputs` is the schema of an object whose properties are the arguments."""

    name: str
    description: str = ""
    inputs: Schema = field(default_factory=lambda: {"type": "object"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """A model's wish to have a tool called; `id` ties the answer to it.

    `problem` says what is wrong with arguments that are no JSON object; there are none then.
    """

    id: str
    name: str
    arguments: dict[str, Json]
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One part of a conversation. An assistant's may hold tool calls; a tool's answers the one of `id`, by `name`."""

    role: Literal["system", "user", "assistant", "tool"]
    text: str = ""
    calls: tuple[ToolCall, ...] = ()
    id: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """A conversation to go on with.

    `schema` is what the answer has to fit: the provider is held to it where it can be, else the reader is tolerant
    (`stretto.models.reading`). `most` bounds the tokens of the answer.
    """

    messages: tuple[Message, ...]
    tools: tuple[Tool, ...] = ()
    schema: Schema | None = None
    most: int | None = None
    temperature: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A model's answer, whole. `finish` is why it ended: by itself, at its length, for tools, or by refusing."""

    text: str = ""
    calls: tuple[ToolCall, ...] = ()
    usage: Usage = Usage()
    cost: Cost = Cost()
    model: str = ""
    finish: Literal["stop", "length", "tools", "refused"] = "stop"


class Model(Protocol):
    """One language model, ready to be asked."""

    @property
    def name(self) -> str:
        """How it is called in settings, such as `openai:gpt-5-mini`."""
        ...

    @property
    def window(self) -> int:
        """The tokens that prompt and answer may take together."""
        ...

    @property
    def constrains(self) -> bool:
        """Whether its provider holds answers to a schema."""
        ...

    @property
    def tools(self) -> bool:
        """Whether it can be given tools."""
        ...

    @property
    def priced(self) -> bool:
        """Whether anybody knows what it costs; where nobody does, `most` tells its tokens alone."""
        ...

    @property
    def perimeter(self) -> tuple[str, ...] | None:
        """The labels of the data that it may see; None is any."""
        ...

    def cost(self, usage: Usage) -> Cost:
        """Give what tokens cost by its prices; no dollars where nobody knows."""
        ...

    async def count(self, prompt: Prompt) -> int:
        """Give the tokens of a prompt: exactly where the provider tells, else an estimate that errs upward."""
        ...

    async def most(self, prompt: Prompt) -> Cost:
        """Give the most that asking this may cost: what is counted, and the longest answer that it allows."""
        ...

    def stream(self, prompt: Prompt) -> AsyncIterator[str | Reply]:
        """Ask, and give the answer's text as it comes, then the whole reply, once, at the end.

        Raises AgentFailure with the class of what went wrong: `rate_limited` (with `retry_after`), `transient`,
        `timed_out`, `unavailable` (no key, unknown model), `refused`, `invalid_output` (a broken stream).
        """
        ...


class Models(Protocol):
    """The models of a workspace, by what they are for."""

    def of(self, role: Role) -> tuple[Model, ...]:
        """Give the models of a role, the first choice first and then its stand-ins; none where none is named."""
        ...

    def named(self, name: str) -> tuple[Model, ...]:
        """Give a model by its name (`provider:model`, or one that the workspace defines), with its stand-ins.

        Raises UsageError for a name that cannot be read.
        """
        ...
