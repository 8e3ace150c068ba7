"""A model of a provider, asked through the client library: one turn a call, always streamed, never tried again here."""

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from stretto.core.domain import FREE, Cost, FailureClass, Usage
from stretto.models.counting import estimate, tokens_in
from stretto.models.definition import Definition
from stretto.models.failures import failure_of
from stretto.models.keys import find_key, where_keys_are
from stretto.models.loops import PerLoop
from stretto.models.prices import Tariff, tariff_of
from stretto.models.prompt import Prompt, Reply
from stretto.models.provider_client import (
    aside_of,
    client_of,
    holds_to_schemas,
    in_words,
    is_closed,
    is_here,
    is_turned_away,
    messages_of,
    parameters_of,
    text_of,
    wish_of,
)
from stretto.models.reference import address, needs_key, shown
from stretto.models.throttle import Throttle
from stretto.models.windows import LONGEST_ANSWER, longest_answer, window_of
from stretto.ports import AgentFailure

if TYPE_CHECKING:
    from pydantic_ai.messages import ModelResponse
    from pydantic_ai.models import Model as Client
    from pydantic_ai.settings import ModelSettings

SILENCE = 120.0
"""Seconds without a sign of the answer after which it is given up, unless the model's definition says otherwise."""

_CONSTRAINING_WITH_TOOLS = {"openai", "openai-responses", "azure", "anthropic"}
_FINISHES = {"content_filter": "refused", "tool_call": "tools"}
_NO_CALLS_WITHOUT_TOOLS = {"anthropic", "bedrock"}
"""Providers that refuse a conversation with calls of tools where none are on offer any more."""
_WITHOUT_RETRIES = {"bedrock", "huggingface", "xai"}


class ProviderModel:
    """A model as a workspace defines it. See `stretto.models.prompt.Model`."""

    def __init__(self, definition: Definition, environment: Mapping[str, str] = os.environ) -> None:
        self.definition, self._environment = definition, environment
        self._client = PerLoop(self._opened)
        self._throttle = Throttle(definition.concurrency, definition.rate)
        self._constrains = definition.constrains
        self._place: tuple[str, SecretStr | None] | None = None
        self._counted: tuple[Prompt, int] | None = None
        self._window: int | None = None
        self._tariff: Tariff | None = None
        self._priced: bool | None = None

    def __repr__(self) -> str:
        return f"ProviderModel({self.name!r})"

    @property
    def name(self) -> str:
        return str(self.definition.model)

    @property
    def window(self) -> int:
        if self._window is None:
            self._window = window_of(self.definition, self._environment)
        return self._window

    @property
    def constrains(self) -> bool:
        if self._constrains is None:
            self._constrains = holds_to_schemas(self.definition.model)
        return self._constrains

    @property
    def tools(self) -> bool:
        return self.definition.tools is not False

    @property
    def perimeter(self) -> tuple[str, ...] | None:
        return self.definition.perimeter

    @property
    def priced(self) -> bool:
        if self._priced is None:
            self._tariff = tariff_of(self.definition)
            self._priced = self._tariff is not None
        return self._priced

    def cost(self, usage: Usage) -> Cost:
        money = self._tariff(usage) if self.priced and self._tariff is not None else FREE.money
        return Cost(money=money, tokens=usage.tokens)

    async def count(self, prompt: Prompt) -> int:
        known = self._counted
        if known is None or known[0] is not prompt:  # one question is counted for several ends
            self._counted = known = prompt, await self._count(prompt)
        return known[1]

    async def most(self, prompt: Prompt) -> Cost:
        counted = await self.count(prompt)
        return self.cost(Usage(input=counted, output=self._longest(prompt, counted)))

    async def stream(self, prompt: Prompt) -> AsyncIterator[str | Reply]:
        if prompt.tools and not self.tools:
            raise AgentFailure(f"{self.name} takes no tools; name a model that does", FailureClass.UNAVAILABLE)
        turn = _Turn(counted=await self.count(prompt))
        key, place = None, self.name
        try:
            url, key = await self._reach()
            place = shown(url) if url else self.name
            client = await self._connected(url)
            async with self._throttle.pass_through(turn.counted) as passage:
                async with aclosing(self._asked(client, prompt, turn)) as pieces:
                    async for piece in pieces:
                        yield piece
                passage.used(turn.usage)
                yield self._reply(turn)
        except Exception as error:
            failure = failure_of(error, self.definition, key, place)
            failure.usage, failure.cost = turn.usage, self.cost(turn.usage)
            raise failure from None

    async def close(self) -> None:
        """Close the connections of the running loop."""
        await self._client.close()

    async def _count(self, prompt: Prompt) -> int:
        return estimate(prompt)

    def _told(self, prompt: Prompt) -> Prompt:
        """Give the prompt as the model is told it: where no tools are on offer, earlier calls may have to be words."""
        if prompt.tools or self.definition.model.provider not in _NO_CALLS_WITHOUT_TOOLS:
            return prompt
        return replace(prompt, messages=tuple(in_words(message) for message in prompt.messages))

    async def _reach(self) -> tuple[str, SecretStr | None]:
        """Give the address of the model and its key; raises AgentFailure where they cannot be used."""
        if self._place is None:
            self._place = await self._find()
        return self._place

    async def _find(self) -> tuple[str, SecretStr | None]:
        reference = self.definition.model
        url = address(reference, self._environment)
        key = await asyncio.to_thread(find_key, self.definition, self._environment)
        if key is None and (needs_key(reference) or self.definition.key_env):
            raise AgentFailure(
                f"{self.name}: there is no key; put it into {where_keys_are(self.definition)}", FailureClass.UNAVAILABLE
            )
        if key is not None and url.startswith("http://") and not self.definition.insecure and not is_here(url):
            raise AgentFailure(
                f"{self.name}: its key would go over plain http to {shown(url)}, where others can read it; "
                "use https, or define the model with `insecure: true`",
                FailureClass.UNAVAILABLE,
            )
        return url, key

    async def _connected(self, url: str) -> "Client":
        """Give the client for the model at an address."""
        return await self._client.get()

    async def _opened(self) -> tuple["Client", AbstractAsyncContextManager[Any]]:
        url, key = await self._reach()
        return await asyncio.to_thread(client_of, self.definition, url, key, self.constrains)

    async def _asked(self, client: "Client", prompt: Prompt, turn: "_Turn") -> AsyncGenerator[str, None]:
        """Ask, and give the answer's text as it comes."""
        from pydantic_ai.direct import model_request_stream

        silence = self.definition.timeout or SILENCE
        request = model_request_stream(
            client,
            messages_of(self._told(prompt)),
            model_settings=self._settings(prompt, turn.counted),
            model_request_parameters=parameters_of(prompt, self._is_held(prompt)),
            instrument=False,
        )
        async with AsyncExitStack() as stack:
            turn.is_taken = True
            try:
                async with asyncio.timeout(silence):
                    response = await stack.enter_async_context(request)
            except Exception as error:
                turn.is_taken = not is_turned_away(error)
                raise
            events = aiter(response)
            while True:
                async with asyncio.timeout(silence):
                    event = await anext(events, None)
                if event is None:
                    break
                turn.asides.append(aside_of(event))
                if text := text_of(event):
                    turn.texts.append(text)
                    yield text
            turn.response = response.get()

    def _settings(self, prompt: Prompt, counted: int) -> "ModelSettings":
        from pydantic_ai.settings import ModelSettings

        settings = ModelSettings(max_tokens=max(self._longest(prompt, counted), 1))
        if self.definition.model.provider not in _WITHOUT_RETRIES:
            settings["max_retries"] = 0
        temperature = prompt.temperature if prompt.temperature is not None else self.definition.temperature
        if temperature is not None:
            settings["temperature"] = temperature
        return settings

    def _is_held(self, prompt: Prompt) -> bool:
        """Whether the provider holds this answer to its schema; where it does not, the schema is told in words.

        Most cannot do it while there are tools to ask for, and Anthropic not to a schema that leaves something open.
        """
        if not self.constrains or prompt.schema is None:
            return False
        provider = self.definition.model.provider
        if prompt.tools and provider not in _CONSTRAINING_WITH_TOOLS:
            return False
        return provider != "anthropic" or is_closed(prompt.schema)

    def _longest(self, prompt: Prompt, counted: int) -> int:
        bound = self.definition.max_tokens
        if prompt.most is None:
            return longest_answer(self.window, counted, None, bound or LONGEST_ANSWER)
        return longest_answer(self.window, counted, min(prompt.most, bound or prompt.most))

    def _reply(self, turn: "_Turn") -> Reply:
        """Give the reply; raises AgentFailure where the stream ended before the answer did."""
        from pydantic_ai.messages import ToolCallPart

        response = turn.response
        if response is None or response.finish_reason in (None, "error") or response.state != "complete":
            raise AgentFailure(f"{self.name}: the answer broke off before its end", FailureClass.TRANSIENT)
        calls = [part for part in response.parts if isinstance(part, ToolCallPart)]
        refusal = (response.provider_details or {}).get("refusal")
        finish: Any = _FINISHES.get(response.finish_reason, response.finish_reason)
        return Reply(
            text="".join(turn.texts) or (refusal if isinstance(refusal, str) else ""),
            calls=tuple(wish_of(one) for one in calls),
            usage=turn.usage,
            cost=self.cost(turn.usage),
            model=response.model_name or self.definition.model.name,
            finish="tools" if calls and finish == "stop" else finish,
        )


@dataclass(slots=True)
class _Turn:
    """How far one turn has come, and what it took until then."""

    counted: int
    is_taken: bool = False
    texts: list[str] = field(default_factory=list)
    asides: list[str] = field(default_factory=list)
    response: "ModelResponse | None" = None

    @property
    def usage(self) -> Usage:
        """What the provider says; where it says nothing, what is counted of a prompt that it took, and its answer."""
        if self.response is not None and (self.response.usage.input_tokens or self.response.usage.output_tokens):
            told = self.response.usage
            cached = min(told.cache_read_tokens, told.input_tokens)
            return Usage(input=told.input_tokens, output=told.output_tokens, cached=cached)
        if not self.is_taken:
            return Usage()
        return Usage(input=self.counted, output=tokens_in("".join(self.texts)) + tokens_in("".join(self.asides)))
