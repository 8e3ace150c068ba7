"""A model of a provider, asked through the client library: one turn a call, always streamed, never tried again here."""

import asyncio
import inspect
import json
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from stretto.channels import is_loopback
from stretto.core.domain import FREE, Cost, FailureClass, Usage
from stretto.models.counting import estimate, tokens_in
from stretto.models.definition import Definition
from stretto.models.failures import failure_of
from stretto.models.keys import find_key, where_keys_are
from stretto.models.loops import PerLoop
from stretto.models.prices import Tariff, tariff_of
from stretto.models.prompt import Message, Prompt, Reply, ToolCall
from stretto.models.reading import Unreadable, read_json
from stretto.models.reference import ADDRESS, Reference, address, needs_key, shown
from stretto.models.throttle import Throttle
from stretto.models.windows import LONGEST_ANSWER, longest_answer, window_of
from stretto.ports import AgentFailure

if TYPE_CHECKING:
    from pydantic_ai.messages import ModelResponse
    from pydantic_ai.models import Model as Client
    from pydantic_ai.models import ModelRequestParameters
    from pydantic_ai.profiles import ModelProfile
    from pydantic_ai.providers import Provider as ClientProvider
    from pydantic_ai.settings import ModelSettings

SILENCE = 120.0
"""Seconds without a sign of the answer after which it is given up, unless the model's definition says otherwise."""

_CONSTRAINING = {"openai": True, "google": True, "ollama": True, "vllm": True, ADDRESS: True}
_CONSTRAINING_WITH_TOOLS = {"openai", "openai-responses", "azure", "anthropic"}
_FINISHES = {"content_filter": "refused", "tool_call": "tools"}
_KINDS = {"openai": "openai-chat", "vllm": "vllm", ADDRESS: "openai-chat"}
_OWN_SERVERS = {"ollama", "vllm", ADDRESS}
"""Servers of many makes, which all know the older `max_tokens`."""
_NO_CALLS_WITHOUT_TOOLS = {"anthropic", "bedrock"}
"""Providers that refuse a conversation with calls of tools where none are on offer any more."""
_WITHOUT_RETRIES = {"bedrock", "huggingface", "xai"}
_NO_KEY = "none"
"""Sent where nobody wants a key: without any, the clients would look for one of their own, and send that."""


class ProviderModel:
    """A model as a workspace defines it. See `stretto.models.prompt.Model`."""

    def __init__(self, definition: Definition, environment: Mapping[str, str] = os.environ) -> None:
        self.definition, self._environment = definition, environment
        self._client = PerLoop(self._opened)
        self._throttle = Throttle(definition.concurrency, definition.rate)
        self._constrains = definition.constrains
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
            self._constrains = _constrains(self.definition.model)
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
        return estimate(prompt)

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
                async for piece in self._asked(client, prompt, turn):
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

    async def _reach(self) -> tuple[str, SecretStr | None]:
        """Give the address of the model and its key; raises AgentFailure where they cannot be used."""
        reference = self.definition.model
        url = address(reference, self._environment)
        key = await asyncio.to_thread(find_key, self.definition, self._environment)
        if key is None and (needs_key(reference) or self.definition.key_env):
            raise AgentFailure(
                f"{self.name}: there is no key; put it into {where_keys_are(self.definition)}", FailureClass.UNAVAILABLE
            )
        if key is not None and url.startswith("http://") and not self.definition.insecure and not _is_here(url):
            raise AgentFailure(
                f"{self.name}: its key would go over plain http to {shown(url)}, where others can read it; "
                "use https, or define the model with `insecure: true`",
                FailureClass.UNAVAILABLE,
            )
        return url, key

    async def _connected(self, url: str) -> "Client":
        """Give the client for the model at an address."""
        return await self._client.get()

    async def _opened(self) -> tuple["Client", "ClientProvider[Any]"]:
        url, key = await self._reach()
        return await asyncio.to_thread(client_of, self.definition, url, key, self.constrains)

    async def _asked(self, client: "Client", prompt: Prompt, turn: "_Turn") -> AsyncIterator[str]:
        """Ask, and give the answer's text as it comes."""
        from pydantic_ai.direct import model_request_stream

        silence = self.definition.timeout or SILENCE
        request = model_request_stream(
            client,
            _messages(self._sayable(prompt)),
            model_settings=self._settings(prompt, turn.counted),
            model_request_parameters=_parameters(prompt, self._is_held(prompt)),
            instrument=False,
        )
        async with AsyncExitStack() as stack:
            try:
                async with asyncio.timeout(silence):
                    response = await stack.enter_async_context(request)
            except TimeoutError:
                turn.is_taken = True  # nobody knows whether it was; what nobody knows counts
                raise
            turn.is_taken = True
            events = aiter(response)
            while True:
                async with asyncio.timeout(silence):
                    event = await anext(events, None)
                if event is None:
                    break
                if text := _text_of(event):
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

    def _sayable(self, prompt: Prompt) -> Prompt:
        """Give a prompt as the provider takes it: where no tools are on offer, earlier calls may have to be told."""
        if prompt.tools or self.definition.model.provider not in _NO_CALLS_WITHOUT_TOOLS:
            return prompt
        return replace(prompt, messages=tuple(_told(message) for message in prompt.messages))

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
            calls=tuple(_wish(one) for one in calls),
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
        return Usage(input=self.counted, output=tokens_in("".join(self.texts)))


def client_of(
    definition: Definition, url: str, key: SecretStr | None, constrains: bool
) -> tuple["Client", "ClientProvider[Any]"]:
    """Make the client of a model, and the provider that holds its connections; the slow part, for a thread."""
    import pydantic_ai.direct  # noqa: F401 - takes more than a second; here it keeps nobody waiting
    from pydantic_ai.models import infer_model

    reference = definition.model
    provider = _provider(reference, url, key.get_secret_value() if key is not None else _NO_KEY)
    kind = _KINDS.get(reference.provider, reference.provider)
    client = infer_model(f"{kind}:{reference.name}", provider_factory=lambda _: provider)

    def profile(usual: "ModelProfile") -> "ModelProfile":
        changed: Any = {
            **usual,
            "supports_json_schema_output": constrains,
            "supports_tools": definition.tools is not False,
            "openai_chat_streaming_requires_finish_reason": True,
        }
        if reference.provider in _OWN_SERVERS:
            changed |= {"openai_chat_supports_max_completion_tokens": False, "json_schema_transformer": None}
        return changed  # type: ignore[no-any-return]

    make: Any = type(client)
    return make(reference.name, provider=provider, profile=profile), provider


def _provider(reference: Reference, url: str, key: str) -> "ClientProvider[Any]":
    from pydantic_ai.providers import infer_provider_class

    if reference.provider == ADDRESS:
        from pydantic_ai.providers.openai_compatible import OpenAICompatibleProvider

        return OpenAICompatibleProvider(ADDRESS, base_url=url, api_key=key)
    make: Any = infer_provider_class(reference.provider)
    takes = inspect.signature(make.__init__).parameters
    if reference.url and "base_url" not in takes:
        raise AgentFailure(
            f"{reference} takes no `url:`; its provider has addresses of its own", FailureClass.UNAVAILABLE
        )
    values = {"base_url": url or None, "api_key": key if key != _NO_KEY or url else None}
    found: ClientProvider[Any] = make(**{name: value for name, value in values.items() if name in takes and value})
    return found


def _constrains(reference: Reference) -> bool:
    known = _CONSTRAINING.get(reference.provider)
    if known is not None:
        return known
    try:
        from pydantic_ai.models import infer_model_profile  # slow to load, and needed as soon as the model is asked
    except ImportError:
        return False
    return bool(infer_model_profile(f"{reference.provider}:{reference.name}").get("supports_json_schema_output"))


def _is_here(url: str) -> bool:
    from urllib.parse import urlsplit

    return is_loopback(urlsplit(url).hostname or "")


def _messages(prompt: Prompt) -> list[Any]:
    """Give the conversation as the client library has it: requests of parts, and responses between them."""
    from pydantic_ai import messages as parts

    found: list[Any] = []
    for message in joined(prompt.messages):
        if message.role == "assistant":
            said: list[Any] = [parts.TextPart(content=message.text)] if message.text else []
            said += [
                parts.ToolCallPart(tool_name=call.name, args=call.arguments, tool_call_id=call.id)
                for call in message.calls
            ]
            found.append(parts.ModelResponse(parts=said))
            continue
        part: Any
        match message.role:
            case "system":
                part = parts.SystemPromptPart(content=message.text)
            case "tool":
                part = parts.ToolReturnPart(tool_name=message.name, content=message.text, tool_call_id=message.id)
            case _:
                part = parts.UserPromptPart(content=message.text)
        if found and isinstance(found[-1], parts.ModelRequest):
            found[-1] = parts.ModelRequest(parts=[*found[-1].parts, part])
        else:
            found.append(parts.ModelRequest(parts=[part]))
    return found


def _told(message: Message) -> Message:
    """Give a call of tools, or what one of them brought, in words."""
    if message.role == "tool":
        return Message(role="user", text=f"The tool {message.name} brought:\n{message.text}")
    if not message.calls:
        return message
    calls = "\n".join(f"(called {one.name} with {json.dumps(one.arguments)})" for one in message.calls)
    return Message(role="assistant", text=f"{message.text}\n{calls}".strip())


def joined(messages: Sequence[Message]) -> tuple[Message, ...]:
    """Give a conversation in which the system speaks once in a row: many templates take no more."""
    found: list[Message] = []
    for message in messages:
        if found and message.role == found[-1].role == "system":
            found[-1] = Message(role="system", text=f"{found[-1].text}\n\n{message.text}")
        else:
            found.append(message)
    return tuple(found)


def _parameters(prompt: Prompt, held: bool) -> "ModelRequestParameters":
    from pydantic_ai.models import ModelRequestParameters
    from pydantic_ai.output import OutputObjectDefinition
    from pydantic_ai.tools import ToolDefinition

    tools = [
        ToolDefinition(
            name=tool.name,
            description=tool.description,
            parameters_json_schema=tool.inputs,
            strict=None if is_closed(tool.inputs) else False,
        )
        for tool in prompt.tools
    ]
    if prompt.schema is None:
        return ModelRequestParameters(function_tools=tools)
    return ModelRequestParameters(
        function_tools=tools,
        output_mode="native" if held else "prompted",
        output_object=OutputObjectDefinition(
            json_schema=prompt.schema, name="answer", strict=None if is_closed(prompt.schema) else False
        ),
    )


def is_closed(schema: Any) -> bool:
    """Whether every object of a schema has all its properties and no others, as OpenAI's strict mode wants it.

    Others are sent as they are and held loosely: made strict, an open object could hold nothing at all.
    """
    match schema:
        case list():
            return all(is_closed(one) for one in schema)
        case dict():
            if "object" in (schema.get("type") or ""):
                properties = schema.get("properties") or {}
                if schema.get("additionalProperties") is not False or set(properties) != set(
                    schema.get("required", ())
                ):
                    return False
            return all(is_closed(one) for one in schema.values())
    return True


def _wish(call: Any) -> ToolCall:
    """Give a call of a tool; arguments that are no JSON object are told, so that the model can mend them."""
    arguments, problem = call.args, ""
    if not isinstance(arguments, dict):
        try:
            arguments = read_json(arguments) if arguments and arguments.strip() else {}
        except Unreadable as error:
            arguments, problem = {}, str(error)
    if not isinstance(arguments, dict):
        arguments, problem = {}, f"it is {type(arguments).__name__}"
    return ToolCall(id=call.tool_call_id, name=call.tool_name, arguments=arguments, problem=problem)


def _text_of(event: Any) -> str:
    from pydantic_ai.messages import PartDeltaEvent, PartStartEvent, TextPart, TextPartDelta

    match event:
        case PartStartEvent(part=TextPart(content=text)) | PartDeltaEvent(delta=TextPartDelta(content_delta=text)):
            return text
    return ""
