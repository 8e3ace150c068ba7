"""The wire form of the OpenAI chat interface: completions, streams of events, errors, and what a request has to be.

After https://platform.openai.com/docs/api-reference/chat: fields that clients rely on, and no others.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

from stretto.core.domain import Json
from stretto.testing.models.requests import Request
from stretto.testing.models.speech import Counted, Piece, Speech
from stretto.testing.models.tokens import member

ROLES = ("system", "developer", "user", "assistant", "tool")
DONE = b"data: [DONE]\n\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """A status, headers besides the usual ones, and a body that is sent whole."""

    status: int = 200
    body: bytes = b""
    media: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)


class BadRequest(Exception):
    """A request that the interface refuses; `response` is what the client is told."""

    def __init__(self, message: str, *, status: int = 400, code: str | None = None, param: str | None = None) -> None:
        super().__init__(message)
        self.response = error(status, message, code=code, param=param)


def error(
    status: int,
    message: str,
    *,
    type_: str = "invalid_request_error",
    code: str | None = None,
    param: str | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    """Give an error as the interface writes it."""
    body = {"error": {"message": message, "type": type_, "param": param, "code": code}}
    return Response(status=status, body=_json(body), headers=headers or {})


def too_long(message: str) -> Response:
    """Give the error of a prompt that leaves no room for its answer."""
    return error(400, message, code="context_length_exceeded", param="messages")


def listing(models: tuple[str, ...]) -> Response:
    """Give the list of models."""
    return Response(body=_json({"object": "list", "data": [_model(name) for name in models]}))


def one_model(name: str) -> Response:
    """Give what is known of one model."""
    return Response(body=_json(_model(name)))


def _model(name: str) -> Json:
    return {"id": name, "object": "model", "created": 0, "owned_by": "script"}


def body_of(raw: bytes) -> Json | None:
    """Give the JSON of a request; None for what is none."""
    try:
        return json.loads(raw, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return None


def _no_constant(name: str) -> Json:
    raise ValueError(f"{name} is not JSON")


def check_chat(body: Json) -> None:
    """Raise BadRequest for what the chat interface would refuse as well."""
    if not isinstance(body, dict):
        raise BadRequest("the body is no JSON object")
    if not isinstance(body.get("model"), str) or not body["model"]:
        raise BadRequest("you must provide a model parameter", param="model")
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise BadRequest("'messages' must be a list of at least one message", param="messages")
    if body.get("n") not in (None, 1):
        raise BadRequest("this server gives one choice; leave `n` out", param="n")
    for name in ("max_tokens", "max_completion_tokens"):
        if body.get(name) is not None and not (type(body[name]) is int and body[name] > 0):
            raise BadRequest(f"'{name}' is a number from 1", param=name)
    if not all(isinstance(one, dict) and isinstance(one.get("function"), dict) for one in _list(body, "tools")):
        raise BadRequest("'tools' is a list of objects with a 'function'", param="tools")
    _check_schemas(body)
    open_calls: dict[str, int] = {}
    for number, message in enumerate(messages):
        _check_message(message, number, open_calls)
    _check_answered(open_calls, len(messages))


def _check_schemas(body: Json) -> None:
    """What is to be held to strictly has to be closed: every object with all its properties required, and no others."""
    wanted = body.get("response_format")
    if wanted is not None and not isinstance(wanted, dict):
        raise BadRequest("'response_format' is an object", param="response_format")
    told = [("response_format", member(wanted, "json_schema"), "schema")]
    told += [
        (f"function '{one['function'].get('name')}'", one["function"], "parameters") for one in _list(body, "tools")
    ]
    for where, holder, name in told:
        if holder.get("strict") is True and (problem := _open(holder.get(name), ())):
            raise BadRequest(f"Invalid schema for {where}: {problem}", code="invalid_json_schema", param=where)


def _open(schema: Json, path: tuple[str, ...]) -> str:
    """Say where an object of a schema is not closed, or nothing."""
    if not isinstance(schema, dict):
        return ""
    if "properties" in schema or schema.get("type") == "object":
        if schema.get("additionalProperties") is not False:
            return f"In context={path}, 'additionalProperties' is required to be supplied and to be false."
        if sorted(member(schema, "properties")) != sorted(map(str, _some(schema.get("required")))):
            return f"In context={path}, 'required' has to be an array of every key in properties."
    return next(filter(None, (_open(one, (*path, *step)) for step, one in _inner(schema))), "")


def _inner(schema: dict[str, Json]) -> Iterator[tuple[tuple[str, ...], Json]]:
    """Give the schemas in a schema."""
    for key in ("properties", "$defs", "definitions"):
        if isinstance(schema.get(key), dict):
            yield from (((key, name), one) for name, one in schema[key].items())
    for key in ("anyOf", "oneOf", "allOf", "prefixItems"):
        if isinstance(schema.get(key), list):
            yield from (((key, str(at)), one) for at, one in enumerate(schema[key]))
    for key in ("items", "not"):
        yield (key,), schema.get(key)


def _some(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def most_tokens(body: Json) -> int | None:
    """Give the most tokens that an answer may take."""
    most: int | None = body.get("max_completion_tokens") or body.get("max_tokens")
    return most


def _list(holder: Json, name: str) -> list[Json]:
    """Give a list that may be missing or null; raises BadRequest for anything else."""
    found = holder.get(name)
    if found is not None and not isinstance(found, list):
        raise BadRequest(f"'{name}' is a list", param=name)
    return found or []


def _check_message(message: Json, number: int, open_calls: dict[str, int]) -> None:
    """Every call of a tool is answered by messages right after it, as the interface demands."""
    at = f"messages[{number}]"
    role = message.get("role") if isinstance(message, dict) else None
    if role not in ROLES:
        raise BadRequest(f"'{role}' is not one of {', '.join(ROLES)} - '{at}.role'", param=f"{at}.role")
    if role == "tool":
        if open_calls.pop(str(message.get("tool_call_id")), None) is None:
            told = "messages with role 'tool' must be a response to a preceeding message with 'tool_calls'"
            raise BadRequest(told, param=f"{at}.role")
        return
    _check_answered(open_calls, number)
    content = message.get("content")
    if not isinstance(content, str | list) and not (role == "assistant" and content is None):
        raise BadRequest(f"expected a text or a list of parts - '{at}.content'", param=f"{at}.content")
    for call in _list(message, "tool_calls"):
        if not isinstance(call, dict) or not isinstance(call.get("function"), dict):
            raise BadRequest(f"a call is an object with a 'function' - '{at}.tool_calls'", param=f"{at}.tool_calls")
        open_calls[str(call.get("id"))] = number


def _check_answered(open_calls: dict[str, int], before: int) -> None:
    if open_calls:
        told = "an assistant message with 'tool_calls' must be followed by tool messages responding to each"
        ids = ", ".join(open_calls)
        raise BadRequest(f"{told} 'tool_call_id'; not answered before messages[{before}]: {ids}", param="messages")


def completion(request: Request, said: Speech, usage: Counted | None) -> bytes:
    """Give an answer whole."""
    message: dict[str, Json] = {
        "role": "assistant",
        "content": said.text if said.text or not (said.calls or said.refusal) else None,
        "refusal": said.refusal or None,
    }
    if said.calls:
        message["tool_calls"] = [
            {"id": one.id, "type": "function", "function": {"name": one.name, "arguments": one.arguments}}
            for one in said.calls
        ]
    body = {
        **_head(request, "chat.completion"),
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": said.finish}],
    }
    return _json(body | ({"usage": _usage(usage)} if usage is not None else {}))


def events(request: Request, said: Speech) -> Iterator[bytes]:
    """Give the events of a stream up to the last token, one for each; the first begins the message."""
    opening = {"role": "assistant", "content": "" if not said.calls else None, "refusal": None}
    for number, piece in enumerate(said.pieces):
        begin = _event(request, opening) if number == 0 else b""
        yield begin + _event(request, _delta(piece, said))


def closing(request: Request, said: Speech, usage: Counted | None) -> bytes:
    """Give the events after the last token: the reason of the end, the usage where it is asked for, and the end."""
    opening = b"" if said.tokens else _event(request, {"role": "assistant", "content": "", "refusal": None})
    last = _event(request, {}, said.finish)
    told = b""
    if _wants_usage(request) and usage is not None:
        told = _data({**_head(request, "chat.completion.chunk"), "choices": [], "usage": _usage(usage)})
    return opening + last + told + DONE


def stream_error() -> bytes:
    """Give an error in the middle of a stream."""
    message = "The server had an error while processing your request. Sorry about that!"
    return _data({"error": {"message": message, "type": "server_error", "param": None, "code": None}})


def _delta(piece: Piece, said: Speech) -> Json:
    if piece.of != "call":
        return {piece.of: piece.text}
    call = said.calls[piece.call]
    if piece.begins:
        named = {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": ""}}
        return {"tool_calls": [{"index": piece.call, **named}]}
    return {"tool_calls": [{"index": piece.call, "function": {"arguments": piece.text}}]}


def _event(request: Request, delta: Json, finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    body = {**_head(request, "chat.completion.chunk"), "choices": [choice]}
    return _data(body | ({"usage": None} if _wants_usage(request) else {}))


def _head(request: Request, kind: str) -> dict[str, Json]:
    return {
        "id": f"chatcmpl-{request.number}",
        "object": kind,
        "created": int(request.at),
        "model": request.model,
        "system_fingerprint": "script",
    }


def _wants_usage(request: Request) -> bool:
    return member(request.body, "stream_options").get("include_usage") is True


def _usage(usage: Counted) -> Json:
    return {
        "prompt_tokens": usage.input,
        "completion_tokens": usage.output,
        "total_tokens": usage.input + usage.output,
        "prompt_tokens_details": {"cached_tokens": usage.cached},
    }


def _data(value: Json) -> bytes:
    return b"data: " + _json(value) + b"\n\n"


def _json(value: Json) -> bytes:
    """Give JSON in ASCII: also what is no proper text gets over the wire."""
    return json.dumps(value, separators=(",", ":")).encode()
