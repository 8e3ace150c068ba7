"""The client library: how a model's client is made, and what it is told. Slow to load, it is loaded when needed."""

import inspect
import json
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from stretto.channels import is_loopback
from stretto.core.domain import FailureClass
from stretto.models.definition import Definition
from stretto.models.prompt import Message, Prompt, ToolCall
from stretto.models.reading import Unreadable, read_json
from stretto.models.reference import ADDRESS, Reference
from stretto.ports import AgentFailure

if TYPE_CHECKING:
    from pydantic_ai.models import Model as Client
    from pydantic_ai.models import ModelRequestParameters
    from pydantic_ai.profiles import ModelProfile
    from pydantic_ai.providers import Provider as ClientProvider

_CONSTRAINING = {"openai", "google", "ollama", "vllm", ADDRESS}
_KINDS = {"openai": "openai-chat", ADDRESS: "openai-chat"}
_OWN_SERVERS = {"ollama", "vllm", ADDRESS}
"""Servers of many makes, which all know the older `max_tokens`."""
_NO_KEY = "none"
"""Sent where nobody wants a key: without any, the clients would look for one of their own, and send that."""


def client_of(
    definition: Definition, url: str, key: SecretStr | None, constrains: bool
) -> tuple["Client", AbstractAsyncContextManager[Any]]:
    """Make the client of a model, and what holds its connections open; the slow part, for a thread."""
    import pydantic_ai.direct  # noqa: F401 - takes more than a second; here it keeps nobody waiting
    from pydantic_ai.models import infer_model

    reference = definition.model
    provider, held_in = _provider(reference, url, key.get_secret_value() if key is not None else _NO_KEY)
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
    return make(reference.name, provider=provider, profile=profile), held_in


def _provider(
    reference: Reference, url: str, key: str
) -> tuple["ClientProvider[Any]", AbstractAsyncContextManager[Any]]:
    """Make the provider, and give what has to be held open with it: itself, or connections of ours that it uses."""
    from pydantic_ai.providers import infer_provider_class
    from pydantic_ai.providers.openai_compatible import OpenAICompatibleProvider

    values: dict[str, Any] = {"base_url": url or None, "api_key": key if key != _NO_KEY or url else None}
    make: Any = OpenAICompatibleProvider if reference.provider == ADDRESS else infer_provider_class(reference.provider)
    if reference.provider == ADDRESS:
        values["name"] = ADDRESS
    takes = inspect.signature(make.__init__).parameters
    if reference.url and "base_url" not in takes:
        raise AgentFailure(
            f"{reference} takes no `url:`; its provider has addresses of its own", FailureClass.UNAVAILABLE
        )
    if is_here(url):
        values["http_client"] = _without_proxy()
    provider: ClientProvider[Any] = make(**{name: one for name, one in values.items() if name in takes and one})
    return provider, values.get("http_client", provider)


def _without_proxy() -> Any:
    """Give connections to this machine: what stays on it takes no way through a proxy of the environment."""
    import httpx2
    from pydantic_ai.models import create_async_httpx2_client

    return create_async_httpx2_client(transport=httpx2.AsyncHTTPTransport())


def is_here(url: str) -> bool:
    """Whether an address is on this machine, by its spelling."""
    return is_loopback(urlsplit(url).hostname or "")


def holds_to_schemas(reference: Reference) -> bool:
    """Whether a model's provider holds answers to a schema."""
    if reference.provider in _CONSTRAINING:
        return True
    try:
        from pydantic_ai.models import infer_model_profile  # slow to load, and needed as soon as the model is asked
    except ImportError:
        return False
    return bool(infer_model_profile(f"{reference.provider}:{reference.name}").get("supports_json_schema_output"))


def messages_of(prompt: Prompt) -> list[Any]:
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


def joined(messages: Sequence[Message]) -> tuple[Message, ...]:
    """Give a conversation in which the system speaks once in a row: many templates take no more."""
    found: list[Message] = []
    for message in messages:
        if found and message.role == found[-1].role == "system":
            found[-1] = Message(role="system", text=f"{found[-1].text}\n\n{message.text}")
        else:
            found.append(message)
    return tuple(found)


def parameters_of(prompt: Prompt, held: bool) -> "ModelRequestParameters":
    """Give the tools of a prompt and the schema of its answer, which the provider is `held` to or told in words."""
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


def is_turned_away(error: Exception) -> bool:
    """Whether a request that failed was not taken up, so that it costs nothing."""
    from pydantic_ai.exceptions import ModelConnectionError, ModelHTTPError, UserError

    match error:
        case ModelConnectionError(phase="connect" | "pool") | ModelHTTPError(in_stream=False) | UserError():
            return True
    return False


def text_of(event: Any) -> str:
    """Give the text that an event of a stream brings."""
    from pydantic_ai.messages import PartDeltaEvent, PartStartEvent, TextPart, TextPartDelta

    match event:
        case PartStartEvent(part=TextPart(content=text)) | PartDeltaEvent(delta=TextPartDelta(content_delta=text)):
            return text
    return ""


def aside_of(event: Any) -> str:
    """Give what an event of a stream brings besides text, and its provider counts: thoughts, and calls of tools."""
    from pydantic_ai import messages as parts

    match event:
        case parts.PartStartEvent(part=parts.ToolCallPart() as call):
            return f"{call.tool_name} {call.args_as_json_str() if call.args else ''}"
        case parts.PartDeltaEvent(delta=parts.ToolCallPartDelta(args_delta=str() as more)):
            return more
        case parts.PartStartEvent(part=parts.ThinkingPart(content=thought)):
            return thought
        case parts.PartDeltaEvent(delta=parts.ThinkingPartDelta(content_delta=str() as more)):
            return more
    return ""


def wish_of(call: Any) -> ToolCall:
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


def in_words(message: Message) -> Message:
    """Give a message without calls of tools: what was called, and what it brought, is told."""
    if message.role == "tool":
        return Message(role="user", text=f"The tool {message.name} brought:\n{message.text}")
    if not message.calls:
        return message
    calls = "\n".join(f"(called {one.name} with {json.dumps(one.arguments)})" for one in message.calls)
    return Message(role="assistant", text=f"{message.text}\n{calls}".strip())
