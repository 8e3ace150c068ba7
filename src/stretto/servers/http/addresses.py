"""By which names the server may be asked, and from which pages.

A page of another site can have a browser ask any address, this machine's included, and a name of its own can be made
to lead here (DNS rebinding). So a request has to name the server by a name that it knows, and whatever changes
something has to come from a page of its own.
"""

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from stretto.core.errors import UsageError

_HOST = re.compile(r"(\[[0-9a-f:.]{2,45}\]|[a-z0-9._-]{1,253})(?::([0-9]{1,5}))?", re.ASCII)
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a page comes from: scheme, host and port."""

    scheme: str
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Addresses:
    """The addresses of one server.

    `public` are those by which browsers reach it through something before it, such as a proxy with TLS. Names of this
    machine's loopback always lead here, and numbers do where it listens `beyond` that: a number cannot be rebound.
    """

    public: tuple[Origin, ...] = ()
    beyond: bool = False

    def own(self, host: str) -> Origin | None:
        """Give the origin that a Host header stands for; None where it names another server."""
        found = _HOST.fullmatch(host.lower())
        if found is None:
            return None
        name, port = found[1].strip("[]"), int(found[2]) if found[2] else None
        for one in self.public:
            if name == one.host and (port or _PORTS[one.scheme]) == one.port:
                return one
        if is_loopback(name) or (self.beyond and _is_number(name)):
            return Origin("http", name, port or _PORTS["http"])
        return None

    @property
    def secure(self) -> bool:
        """Whether all its public addresses are reached by TLS, and there is one."""
        return bool(self.public) and all(one.scheme == "https" for one in self.public)


def read_addresses(urls: Iterable[str], *, beyond: bool) -> Addresses:
    """Read public addresses, like https://stretto.example.org; raises UsageError."""
    public = []
    for url in urls:
        origin = origin_of(url.rstrip("/"))
        if origin is None:
            raise UsageError(f"{url!r} is no address of a server; write it like https://stretto.example.org")
        public.append(origin)
    return Addresses(tuple(public), beyond)


def origin_of(text: str) -> Origin | None:
    """Read an origin as browsers write it; None for anything else, also for `null`."""
    try:
        parts = urlsplit(text)
        scheme, host, port = parts.scheme, parts.hostname, parts.port
    except ValueError:
        return None
    if scheme not in _PORTS or not host or parts.path or parts.query or parts.fragment or "@" in parts.netloc:
        return None
    return Origin(scheme, host, port or _PORTS[scheme])


def is_loopback(host: str) -> bool:
    """Tell whether a name or number is this machine's own, which nobody else can reach."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
