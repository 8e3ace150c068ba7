"""How an answer goes over the wire: which bytes, when, and where that breaks. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import formatdate
from math import ceil

from stretto.testing.models import wire
from stretto.testing.models.faults import (
    ContextExceeded,
    Cut,
    Fault,
    Garbled,
    HtmlPage,
    QuotaExceeded,
    RateLimited,
    ServerError,
    Stall,
    StreamError,
    Unauthorized,
)
from stretto.testing.models.http import chunk, head
from stretto.testing.models.requests import Request
from stretto.testing.models.script import Pace
from stretto.testing.models.speech import Counted, Speech

GARBLED = b'data: {"id": "chatcmpl-\xc3\x28", "choices": [{"delta"\n\n'
PAGE = b"<!DOCTYPE html>\n<html><head><title>%d</title></head><body><h1>%d</h1><p>nginx</p></body></html>\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Bytes of an answer, the tokens in them, and the seconds after which they are due."""

    data: bytes
    tokens: int = 0
    due: float = 0.0


def instead(fault: Fault | None, *, streams: bool, at: float) -> wire.Response | None:
    """Give the response that comes instead of an answer, where a fault is of that kind."""
    match fault:
        case RateLimited(retry_after=pause, date=date):
            wait = _retry_after(pause, date=date, at=at) if pause is not None else {}
            told = "Rate limit reached for requests. Please try again later."
            return wire.error(429, told, type_="requests", code="rate_limit_exceeded", headers=wait)
        case QuotaExceeded():
            told = "You exceeded your current quota, please check your plan and billing details."
            return wire.error(429, told, type_="insufficient_quota", code="insufficient_quota")
        case ServerError(status=status):
            told = "The server had an error while processing your request. Sorry about that!"
            return wire.error(status, told, type_="server_error")
        case Unauthorized():
            return wire.error(401, "Incorrect API key provided.", code="invalid_api_key")
        case ContextExceeded():
            return wire.too_long("This model's maximum context length is exceeded.")
        case HtmlPage(status=status):
            return wire.Response(status=status, body=PAGE % (status, status), media="text/html; charset=utf-8")
        case StreamError() if not streams:
            return wire.error(500, "The server had an error while processing your request.", type_="server_error")
        case Garbled() if not streams:
            return wire.Response(body=GARBLED.removeprefix(b"data: "))
        case _:
            return None


def _retry_after(pause: float, *, date: bool, at: float) -> dict[str, str]:
    """A date has no fractions of a second: it is never before the pause is over."""
    return {"retry-after": formatdate(ceil(at + pause), usegmt=True) if date else f"{pause:g}"}


def whole(response: wire.Response) -> bytes:
    """Give a response with its head."""
    length = {"content-type": response.media, "content-length": str(len(response.body))}
    return head(response.status, {**length, **response.headers}) + response.body


def parts(request: Request, said: Speech, usage: Counted | None, pace: Pace) -> Iterator[Part]:
    """Give an answer as it is sent: its head, then a part for each token, then its end.

    An answer that is sent whole has been written whole before: all of its tokens are in its head.
    """
    tokens = said.tokens
    if request.streams:
        about = {"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache"}
        yield Part(data=head(200, {**about, "transfer-encoding": "chunked"}), due=pace.due(0, tokens))
        for number, event in enumerate(wire.events(request, said)):
            yield Part(data=chunk(event), tokens=1, due=pace.due(number, tokens))
        yield Part(data=chunk(wire.closing(request, said, usage)) + chunk(b""))
        return
    body, due = wire.completion(request, said, usage), pace.due(max(tokens - 1, 0), tokens)
    about = {"content-type": "application/json", "content-length": str(len(body))}
    yield Part(data=head(200, about), tokens=tokens, due=due)
    for number in range(tokens):  # slices, so that it may break off after any of them
        begin, end = (len(body) * at // tokens for at in (number, number + 1))
        yield Part(data=body[begin:end])
    yield Part(data=b"" if tokens else body)


def strike(fault: Fault | None, tokens: int) -> int | None:
    """Give the number of the part, counted from 0, before which an answer breaks; None where it does not."""
    match fault:
        case Cut(after=None) | Stall(after=0):
            return 0
        case Cut(after=int(after)) | Stall(after=after) | StreamError(after=after) | Garbled(after=after):
            return 1 + min(after, tokens)
        case _:
            return None


def broken(fault: Fault | None) -> bytes:
    """Give what is sent instead of the rest of an answer that breaks."""
    match fault:
        case StreamError():
            return chunk(wire.stream_error()) + chunk(b"")
        case Garbled():
            return chunk(GARBLED) + chunk(b"")
        case _:
            return b""
