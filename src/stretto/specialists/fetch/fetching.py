"""`Fetcher`: one address at a time, each hop checked, connected to the very address that was checked."""

import asyncio
import contextlib
import ipaddress
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import Message
from email.utils import parsedate_to_datetime

import httpx

from stretto.core.domain import FailureClass
from stretto.specialists.fetch.allowing import AllowList, Target, refuse_inside
from stretto.specialists.fetch.decoding import body
from stretto.specialists.fetch.model import CannotFetch, Page
from stretto.specialists.fetch.reading import accepts, read
from stretto.specialists.fetch.robots import LARGEST as LARGEST_ROBOTS
from stretto.specialists.fetch.robots import Robots

AGENT = "Stretto"
CHUNK = 16 * 1024
MOST_ADDRESSES = 3
_FAILURES = {
    401: FailureClass.DENIED,
    403: FailureClass.DENIED,
    407: FailureClass.DENIED,
    408: FailureClass.TRANSIENT,
    429: FailureClass.RATE_LIMITED,
}
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_HEADERS = {
    "User-Agent": f"{AGENT}/0.1",
    "Accept": "text/html, text/markdown, text/plain, application/json, text/csv, application/pdf;q=0.9, */*;q=0.1",
    "Accept-Encoding": "gzip, identity;q=0.5",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How much a fetch may take: `seconds` in all, `size` in bytes unpacked, `redirects` followed."""

    seconds: float = 30.0
    connect_seconds: float = 10.0
    size: int = 10 * 1024 * 1024
    redirects: int = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    status: int
    headers: httpx.Headers
    data: bytes = b""
    cut: bool = False


class Fetcher:
    """Fetches pages from allowed hosts. Proxies, netrc and cookies of the environment are not used."""

    def __init__(self, allow: AllowList, bounds: Bounds | None = None, *, robots: bool = True) -> None:
        self.allow, self.bounds = allow, bounds or Bounds()
        self._robots = Robots() if robots else None

    async def fetch(self, url: str) -> Page:
        """Give the page at an address, redirects followed within the allow-list; raises CannotFetch."""
        target = self.allow.target(url)
        try:
            async with asyncio.timeout(self.bounds.seconds):
                async with _client(self.bounds) as client:
                    found, answer, before = await self._follow(client, target)
                media, charset = _content_type(answer.headers)
                document = await asyncio.to_thread(read, answer.data, media, charset, cut=answer.cut)
        except TimeoutError:
            raise CannotFetch(
                f"{url}: no whole answer within {self.bounds.seconds:g} s", FailureClass.TIMED_OUT
            ) from None
        notes = document.notes
        if answer.cut:
            notes.append(f"cut after {self.bounds.size:,} bytes")
        return Page(
            url=str(found.url),
            redirects=before,
            title=document.title,
            text=document.text,
            lines=document.text.count("\n") + 1 if document.text else 0,
            media=media,
            charset=document.charset,
            size=len(answer.data),
            fetched=datetime.now(UTC).isoformat(timespec="seconds"),
            notes=notes,
        )

    async def _follow(self, client: httpx.AsyncClient, target: Target) -> tuple[Target, _Answer, list[str]]:
        before: list[str] = []
        while True:
            await self._ask_robots(client, target)
            answer = await self._get(client, target, self.bounds.size)
            place = answer.headers.get("location", "")
            if answer.status not in _REDIRECTS or not place:
                _refuse_status(target, answer)
                return target, answer, before
            before.append(str(target.url))
            if len(before) > self.bounds.redirects:
                raise CannotFetch(f"{before[0]} redirects more than {self.bounds.redirects} times")
            target = self._redirected(target, place)
            if str(target.url) in before:
                raise CannotFetch(f"{before[0]} redirects in a circle")

    def _redirected(self, target: Target, place: str) -> Target:
        try:
            onward = target.url.join(place)
        except (httpx.InvalidURL, UnicodeError, ValueError) as error:
            raise CannotFetch(f"{target.url} redirects to what is no address: {error}") from None
        if target.url.scheme == "https" and onward.scheme == "http":
            raise CannotFetch(f"{target.url} redirects from https to http, which is not followed")
        try:
            return self.allow.target(onward)
        except CannotFetch as error:
            raise CannotFetch(f"{target.url} redirects to {str(onward)[:200]}: {error}") from None

    async def _ask_robots(self, client: httpx.AsyncClient, target: Target) -> None:
        if self._robots is None:
            return
        origin = f"{target.url.scheme}://{target.url.netloc.decode()}"
        if not self._robots.known(origin):
            status, text = await self._robots_text(client, self.allow.target(f"{origin}/robots.txt"))
            self._robots.keep(origin, status, text)
        if not self._robots.allow(origin, AGENT, str(target.url)):
            raise CannotFetch(
                f"robots.txt of {target.host} keeps this address from being fetched; where the site is yours, "
                "allow it with `robots: false` beside `allow`"
            )

    async def _robots_text(self, client: httpx.AsyncClient, target: Target) -> tuple[int, str]:
        for _ in range(self.bounds.redirects + 1):
            answer = await self._get(client, target, LARGEST_ROBOTS, any_media=True)
            place = answer.headers.get("location", "")
            if answer.status not in _REDIRECTS or not place:
                return answer.status, answer.data.decode("utf-8", "replace")
            try:
                target = self._redirected(target, place)
            except CannotFetch:
                break
        return 404, ""  # RFC 9309 2.3.1.2: rules that cannot be reached by redirects are taken as none

    async def _get(self, client: httpx.AsyncClient, target: Target, most: int, *, any_media: bool = False) -> _Answer:
        """Ask for one address, connected to one that was checked; nothing is looked up in between."""
        addresses = await _resolved(target)
        for address in addresses[:-1]:
            with contextlib.suppress(httpx.ConnectError, httpx.ConnectTimeout):
                return await self._get_from(address, client, target, most, any_media)
        try:
            return await self._get_from(addresses[-1], client, target, most, any_media)
        except httpx.TimeoutException:
            raise CannotFetch(f"{target.host} does not answer", FailureClass.TIMED_OUT) from None
        except httpx.HTTPError as error:
            raise CannotFetch(f"{target.host}: {error or type(error).__name__}", FailureClass.TRANSIENT) from None

    async def _get_from(
        self, address: str, client: httpx.AsyncClient, target: Target, most: int, any_media: bool
    ) -> _Answer:
        headers = {**_HEADERS, "Host": target.url.netloc.decode("ascii")}
        async with client.stream(
            "GET", target.url.copy_with(host=address), headers=headers, extensions={"sni_hostname": target.host}
        ) as response:
            if response.status_code in _REDIRECTS or response.status_code >= 400:
                return _Answer(status=response.status_code, headers=response.headers)
            media, _ = _content_type(response.headers)
            if not any_media and not accepts(media):
                kind = media or "of no declared kind"
                raise CannotFetch(f"{target.url} is {kind}; what is read is HTML, Markdown, text, JSON, CSV and PDF")
            whole = media == "application/pdf"
            said = response.headers.get("content-length", "")[:18]
            too_large = CannotFetch(f"{target.url}: the PDF is larger than {most:,} bytes")
            if whole and said.isdigit() and int(said) > most:
                raise too_large
            data, cut = await body(response.aiter_raw(CHUNK), response.headers.get("content-encoding", ""), most)
            if whole and cut:
                raise too_large
            return _Answer(status=response.status_code, headers=response.headers, data=data, cut=cut)


@contextlib.asynccontextmanager
async def _client(bounds: Bounds) -> AsyncIterator[httpx.AsyncClient]:
    timeout = httpx.Timeout(bounds.seconds, connect=bounds.connect_seconds)
    # Connections are pinned to addresses and not shared: two hosts on one address must not share TLS.
    limits = httpx.Limits(max_keepalive_connections=0)
    async with httpx.AsyncClient(
        trust_env=False, follow_redirects=False, timeout=timeout, limits=limits, max_redirects=0
    ) as client:
        yield client


async def _resolved(target: Target) -> list[str]:
    """Give a few addresses of the host. Every one it has must be fit; raises CannotFetch else."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        said = getattr(error, "strerror", None) or error
        raise CannotFetch(f"{target.host} cannot be found: {said}", FailureClass.TRANSIENT) from None
    addresses = list(dict.fromkeys(str(one[4][0]).partition("%")[0] for one in found))
    if not addresses:
        raise CannotFetch(f"{target.host} has no address", FailureClass.UNAVAILABLE)
    if not target.inside:
        for one in addresses:
            refuse_inside(ipaddress.ip_address(one), target.host)
    return sorted(addresses, key=lambda one: ":" in one)[:MOST_ADDRESSES]


def _content_type(headers: httpx.Headers) -> tuple[str, str]:
    message = Message()
    message["content-type"] = headers.get("content-type", "")[:200]
    if not headers.get("content-type"):
        return "", ""
    charset = message.get_param("charset", "")
    return message.get_content_type(), charset if isinstance(charset, str) else ""


def _refuse_status(target: Target, answer: _Answer) -> None:
    status = answer.status
    if status < 300:
        return
    failure = _FAILURES.get(status, FailureClass.TRANSIENT if status >= 500 else FailureClass.REFUSED)
    raise CannotFetch(
        f"{target.url} answers {status} {httpx.codes.get_reason_phrase(status)}".rstrip(),
        failure,
        retry_after=_retry_after(answer.headers.get("retry-after", "")),
    )


def _retry_after(said: str) -> float | None:
    if said.isdigit() and len(said) < 8:
        return float(said)
    try:
        moment = parsedate_to_datetime(said)
    except (ValueError, TypeError, IndexError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
