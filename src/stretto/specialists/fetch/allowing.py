"""Which addresses may be fetched: an allow-list of hosts, and no address of the inside that it does not name."""

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

import httpx

from stretto.specialists.fetch.model import CannotFetch

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

LONGEST_URL = 4_000
PORTS = {"http": 80, "https": 443}
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_SHARED = ipaddress.ip_network("100.64.0.0/10")
_EMBEDDING = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("64:ff9b:1::/48"))


class BadRule(ValueError):
    """An entry of the allow-list that cannot be one; the message says why and how to mend it."""


@dataclass(frozen=True, slots=True)
class Rule:
    """`example.org`, `*.example.org` (its subdomains), or `127.0.0.1:8080` (that very port, also of the inside)."""

    host: str
    port: int | None = None
    below: bool = False

    def fits(self, host: str, port: int, scheme: str) -> bool:
        if self.port is not None and port != self.port:
            return False
        if self.port is None and port != PORTS[scheme]:
            return False
        return host.endswith(f".{self.host}") if self.below else host == self.host


@dataclass(frozen=True, slots=True)
class Target:
    """An address that passed: `inside` says that a rule names its host and port, so that it may be of the inside."""

    url: httpx.URL
    host: str
    port: int
    inside: bool


class AllowList:
    """Hosts that may be fetched from. Raises BadRule."""

    def __init__(self, allow: Iterable[str] = ()) -> None:
        self.rules = tuple(dict.fromkeys(_rule(one) for one in allow))

    def __str__(self) -> str:
        return ", ".join(_shown(one) for one in self.rules) or "nothing"

    def target(self, url: httpx.URL | str) -> Target:
        """Give the address as it may be fetched; raises CannotFetch with what is wrong and how to allow it."""
        parsed = _parsed(url)
        host, port = _host(parsed), parsed.port or PORTS[parsed.scheme]
        fitting = [one for one in self.rules if one.fits(host, port, parsed.scheme)]
        if not fitting:
            wanted = host if port == PORTS[parsed.scheme] else f"{_bracketed(host)}:{port}"
            raise CannotFetch(
                f"{wanted} is not allowed; allowed: {self}. To allow it: "
                f"`agents: [{{use: fetch, allow: [{wanted!r}]}}]` in workspace.yaml, "
                f"`fetch_allow = [{wanted!r}]` in stretto.toml, or STRETTO_FETCH_ALLOW={wanted}"
            )
        return Target(parsed, host, port, any(one.port is not None and not one.below for one in fitting))


def refuse_inside(address: Address, host: str) -> None:
    """Raise CannotFetch for an address that is not of the public internet."""
    plain = _embedded(address)
    if not plain.is_global or plain.is_multicast or plain.is_reserved or plain in _SHARED:
        raise CannotFetch(
            f"{host} leads to {address}, an address of the inside; where that is meant, allow its host and port, like "
            f"{_bracketed(host)}:8080"
        )


def _embedded(address: Address) -> Address:
    """Give the IPv4 address that an IPv6 one wraps, if it does."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address.sixtofour is not None:
            return address.sixtofour
        if address.teredo is not None:
            return address.teredo[1]
        if any(address in one for one in _EMBEDDING):
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _parsed(url: httpx.URL | str) -> httpx.URL:
    text = str(url).strip()
    if len(text) > LONGEST_URL:
        raise CannotFetch(f"the address is longer than {LONGEST_URL:,} characters")
    if any(ord(letter) < 33 or ord(letter) == 127 for letter in text) or "\\" in text:
        raise CannotFetch(f"{text[:80]!r} is no address: it holds white space, control characters or backslashes")
    try:
        parsed = httpx.URL(text)
    except (httpx.InvalidURL, UnicodeError, ValueError) as error:
        raise CannotFetch(f"{text[:80]!r} is no address: {error}") from None
    if parsed.scheme not in PORTS:
        raise CannotFetch(f"{text[:80]!r}: only http and https are fetched; write it like https://example.org/page")
    if parsed.userinfo:
        raise CannotFetch("the address holds a user name or password; leave it out, fetch sends no credentials")
    if not parsed.host:
        raise CannotFetch(f"{text[:80]!r} names no host")
    return parsed.copy_with(fragment=None)


def _host(url: httpx.URL) -> str:
    """Give the host in one form: small letters, IDNA, no final dot; numbers that only look like names are refused."""
    host = url.raw_host.decode("ascii", "replace").lower().rstrip(".").strip("[]")
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        pass
    if not _HOST.fullmatch(host) or len(host) > 253:
        raise CannotFetch(f"{host[:80]!r} is no host name")
    if re.fullmatch(r"(?:0x[0-9a-f]*|\d+)", host.rpartition(".")[2]):
        raise CannotFetch(f"{host!r} is an unusual spelling of a numeric address; write it as four plain numbers")
    return host


def _rule(text: str) -> Rule:
    said = text.strip().lower()
    mend = "write a host like example.org, *.example.org, or a host with its port like localhost:8080"
    if not said or "/" in said or "@" in said or any(one.isspace() for one in said):
        raise BadRule(f"{text!r} is no host to allow; {mend}")
    below = said.startswith("*.")
    said = said.removeprefix("*.")
    try:
        url = httpx.URL(f"//{_bracketed(said)}" if said.count(":") > 1 and "[" not in said else f"//{said}")
        host = _host(url)
    except (httpx.InvalidURL, UnicodeError, ValueError, CannotFetch):
        raise BadRule(f"{text!r} is no host to allow; {mend}") from None
    if "*" in said or (below and (host.count(".") < 1 or _is_address(host))):
        raise BadRule(f"{text!r} allows too much or nothing; {mend}")
    return Rule(host, url.port, below)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _shown(rule: Rule) -> str:
    return f"{'*.' if rule.below else ''}{_bracketed(rule.host)}{f':{rule.port}' if rule.port else ''}"


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host and not host.startswith("[") else host
