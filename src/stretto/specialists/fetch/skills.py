"""Fetches one web page as text from allowed hosts; runs no scripts, follows no links, logs in nowhere."""

from collections.abc import Callable, Sequence
from typing import Any

from stretto.core.errors import BadWorkspace
from stretto.declare import agent, pure
from stretto.ports import AgentFailure
from stretto.specialists.fetch.allowing import AllowList, BadRule
from stretto.specialists.fetch.fetching import Bounds, Fetcher
from stretto.specialists.fetch.model import CannotFetch, Page

LARGEST_MB = 100


def skills(
    *, allow: Sequence[str] = (), robots: bool = True, seconds: float = 30.0, megabytes: float = 10.0
) -> list[Callable[..., Any]]:
    """Give the skill for hosts of an allow-list: none at all without one.

    `robots` respects robots.txt; a page may take `seconds` in all and `megabytes` unpacked. Raises BadWorkspace.
    """
    if not isinstance(allow, list | tuple) or not all(isinstance(one, str) for one in allow):
        raise BadWorkspace(f"fetch: allow is a list of hosts like [example.org], not {allow!r}")
    if not isinstance(robots, bool):
        raise BadWorkspace(f"fetch: robots is true or false, not {robots!r}")
    for name, value, most in (("seconds", seconds, 3600), ("megabytes", megabytes, LARGEST_MB)):
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= most:
            raise BadWorkspace(f"fetch: {name} is a number above 0, at most {most}, not {value!r}")
    try:
        allowed = AllowList(allow)
    except BadRule as error:
        raise BadWorkspace(f"fetch: allow: {error}") from None
    fetcher = Fetcher(allowed, Bounds(seconds=seconds, size=int(megabytes * 1024 * 1024)), robots=robots)

    @agent(description=f"Fetch one web page as text. Allowed hosts: {allowed}.", timeout=seconds + 5)
    @pure(labels=["untrusted"])
    async def fetch(url: str) -> Page:
        """Fetch one web page as text."""
        try:
            return await fetcher.fetch(url)
        except CannotFetch as error:
            raise AgentFailure(str(error), error.failure, retry_after=error.retry_after) from None

    return [fetch]
