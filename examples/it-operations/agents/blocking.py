"""Which sources to shut out, and the files that do it. Names in logs are written by attackers: nothing is trusted."""

import ipaddress
import re
from collections.abc import Iterator
from pathlib import Path

import ledger

from stretto.specialists.logs import Analysis

ADDRESSES, NAMES = "etc/nftables.d/blocklist.nft", "etc/hosts.deny"
MOST = 10_000
_BEGIN, _END = "# begin of the block list", "# end of the block list"
_LABEL = r"(?!-)[a-z0-9_-]{1,63}(?<!-)"
_HOST = re.compile(rf"{_LABEL}(\.{_LABEL})+\.?")
_INSIDE = [
    ipaddress.ip_network(one)
    for one in (
        "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "169.254.0.0/16", "100.64.0.0/10",
        "0.0.0.0/8", "224.0.0.0/3", "::1/128", "::/128", "fe80::/10", "fc00::/7", "ff00::/8",
    )
]  # fmt: skip


def choose(analysis: Analysis) -> tuple[set[str], dict[str, str]]:
    """Give the sources of brute force and of breaches, and those of them that are spared with the reason."""
    guilty = {burst.source for burst in analysis.bursts}
    guilty |= {breach.source for breach in analysis.breaches if breach.certain}
    blocked: set[str] = set()
    spared: dict[str, str] = {}
    for source in sorted(guilty):
        why = _why_not(source)
        if why:
            spared[source] = why
        elif len(blocked) == MOST:
            spared[source] = f"the list is full at {MOST}"
        else:
            blocked.add(source)
    return blocked, spared


def files(host: Path, blocked: set[str]) -> Iterator[tuple[str, str, list[str]]]:
    """Give the files of the block list with their new text and the reasons; earlier entries stay."""
    addresses = sorted(filter(_address, blocked), key=lambda one: (_address(one).version, _address(one)))  # type: ignore[union-attr]
    names = sorted(blocked - set(addresses))
    if addresses:
        old = ledger.read(host, ADDRESSES) or ""
        kept = {one for one in re.findall(r"[0-9a-fA-F:.]{3,}", _section(old)) if _address(one)}
        every = sorted(kept | set(addresses), key=lambda one: (_address(one).version, _address(one)))  # type: ignore[union-attr]
        yield (
            ADDRESSES,
            _with_section(old, _nft(every)),
            [f"{len(addresses)} addresses tried passwords in bursts or broke in"],
        )
    if names:
        old = ledger.read(host, NAMES) or ""
        kept = set(re.findall(r"^ALL: (\S+)$", _section(old), re.MULTILINE))
        lines = [_BEGIN, *(f"ALL: {one}" for one in sorted(kept | set(names))), _END]
        yield (
            NAMES,
            _with_section(old, lines),
            [f"hosts known by name only that tried passwords in bursts: {len(names)}"],
        )


def _nft(addresses: list[str]) -> list[str]:
    lines = [_BEGIN, "table inet blocklist {"]
    for version, kind in ((4, "ipv4_addr"), (6, "ipv6_addr")):
        elements = [one for one in addresses if _address(one).version == version]  # type: ignore[union-attr]
        if elements:
            inner = ",\n            ".join(elements)
            lines.append(
                f"    set v{version} {{\n        type {kind}\n"
                f"        elements = {{\n            {inner}\n        }}\n    }}"
            )
    rules = [f"        ip{'6' if v == 6 else ''} saddr @v{v} drop" for v in (4, 6) if f"set v{v}" in "".join(lines)]
    lines += [
        "    chain input {",
        "        type filter hook input priority -10; policy accept;",
        *rules,
        "    }",
        "}",
        _END,
    ]
    return lines


def _why_not(source: str) -> str | None:
    address = _address(source)
    if address is not None:
        inside = any(address in network for network in _INSIDE if network.version == address.version)
        return "an address of the inside: look at that machine, do not shut it out" if inside else None
    if source == "(local)":
        return "somebody at the machine itself"
    if not _HOST.fullmatch(source) or len(source) > 253:
        return "not a name that can be blocked"
    return "a name of the inside" if source.rstrip(".") in ("localhost.localdomain",) else None


def _address(source: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(source)
    except ValueError:
        return None


def _section(text: str) -> str:
    return text.partition(_BEGIN)[2].partition(_END)[0]


def _with_section(text: str, lines: list[str]) -> str:
    """Put the section in the place of the old one, or at the end."""
    block = "\n".join(lines) + "\n"
    if _BEGIN in text and _END in text:
        head, _, rest = text.partition(_BEGIN)
        return head + block + rest.partition(_END)[2].removeprefix("\n")
    return text + ("" if not text or text.endswith("\n") else "\n") + block
