"""Channels of alerts as people write them under `notify:`: which kind, where to, for what, for whom.

Here they are read and checked, and nothing is sent. Errors name fields as they are written, and never repeat an address
or a server: a secret may be part of it.
"""

import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias, TypeVar, get_args

from stretto.core.domain import Json, Notice, NoticeKind
from stretto.core.errors import BadChannel
from stretto.core.plan.diagnostics import shown

if TYPE_CHECKING:
    from httpx import URL

KINDS: tuple[NoticeKind, ...] = get_args(NoticeKind)
USUAL: tuple[NoticeKind, ...] = tuple(kind for kind in KINDS if kind != "ended")
"""What a channel carries that names no kinds."""

LONGEST = 10.0
"""Seconds that one sending may take, at most and unless a channel says less."""

T = TypeVar("T", bound=str)
Tls: TypeAlias = Literal["starttls", "ssl", "none"]

_LONGEST_URL = 4_000
_PORTS: dict[Tls, int] = {"starttls": 587, "ssl": 465, "none": 25}
_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_HOST = re.compile(rf"(?=.{{1,253}}$){_LABEL}(?:\.{_LABEL})*\.?")
_SERVER = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^\[\]:]+)(?::(?P<port>[0-9]{1,5}))?")
_ADDRESS = re.compile(rf"[A-Za-z0-9.!#$%&'*+/=^_`{{|}}~-]{{1,64}}@{_LABEL}(?:\.{_LABEL})*")
"""What HTML takes for a mail address, but for the question mark: `=?` would begin an encoded word in a header."""
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Terminal:
    """The standard error of the process that drives the run. `bell` rings with every notice."""

    bell: bool = False

    @property
    def name(self) -> str:
        return "terminal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """An address that notices are posted to; raises BadChannel.

    It is https, or http to the loopback; `insecure` allows http to any host. `secret_env` names the environment
    variable with the secret that bodies are signed with; `timeout` is in seconds.
    """

    url: str = field(repr=False)
    secret_env: str = ""
    timeout: float = LONGEST
    insecure: bool = False

    def __post_init__(self) -> None:
        url = _url_of(self.url)
        if url.scheme == "http" and not self.insecure and not is_loopback(url.host):
            raise BadChannel(
                "webhook",
                "plain http is taken to the loopback only, others could read it; write https, or add `insecure: true`",
            )
        _check_variable("secret_env", self.secret_env)
        _check_timeout(self.timeout)

    @property
    def name(self) -> str:
        """What may be shown of the address: scheme, host and port. Path, query and user may be secret."""
        url = _url_of(self.url)
        return f"webhook {url.scheme}://{url.netloc.decode('ascii')}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """Addresses that notices are mailed to, through a mail server; raises BadChannel.

    `tls` is `starttls` (refused where the server has none), `ssl` (TLS from the beginning), or `none`, to the loopback
    only. `user_env` and `password_env` name the environment variables of a login; `timeout` is in seconds.
    """

    recipients: tuple[str, ...]
    sender: str
    host: str
    port: int = 587
    tls: Tls = "starttls"
    user_env: str = ""
    password_env: str = ""
    timeout: float = LONGEST

    def __post_init__(self) -> None:
        if not self.recipients:
            raise BadChannel("mail", "no address; write `mail: ops@example.org`, or a list of such")
        for number, address in enumerate(self.recipients):
            _check_address(f"mail[{number}]" if len(self.recipients) > 1 else "mail", address)
        _check_address("from", self.sender)
        if not _is_host(self.host) or not 0 < self.port < 65_536:
            raise _bad_server()
        if self.tls == "none" and not is_loopback(self.host):
            raise BadChannel(
                "tls", "mail without TLS is sent to the loopback only, others could read it; use starttls or ssl"
            )
        _check_variable("user_env", self.user_env)
        _check_variable("password_env", self.password_env)
        if bool(self.user_env) != bool(self.password_env):
            given, missing = ("user_env", "password_env") if self.user_env else ("password_env", "user_env")
            raise BadChannel(given, f"a login takes both; add `{missing}: VARIABLE`, or leave both out")
        _check_timeout(self.timeout)

    @property
    def name(self) -> str:
        return f"mail {self.host}"


Transport: TypeAlias = Terminal | Webhook | Mail


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A way to people, the kinds of notices it carries, and the people whose it carries (none named: everybody's)."""

    transport: Transport
    on: tuple[NoticeKind, ...] = USUAL
    to: tuple[str, ...] = ()

    def takes(self, notice: Notice) -> bool:
        """Whether it carries this notice. What is for nobody in particular is for everybody."""
        return notice.kind in self.on and (not self.to or not notice.to or notice.to in self.to)


def read_channel(raw: Json) -> Channel:
    """Read one entry of `notify:`; raises BadChannel with the field, what is wrong with it, and how to mend it."""
    entry = {raw: True} if isinstance(raw, str) else raw
    kinds = [kind for kind in READERS if kind in entry] if isinstance(entry, Mapping) else []
    if len(kinds) != 1:
        problem = "more than one channel in one entry; part them" if kinds else "this is no channel"
        raise BadChannel("", f"{problem}: `terminal`, `webhook: URL`, or `mail: ADDRESS` with `from` and `server`")
    (kind,) = kinds
    read, known = READERS[kind]
    for name in entry:
        if name not in known:
            raise BadChannel(str(name), f"a {kind} channel has no field {shown(name)}; known: {', '.join(known)}")
    fields = _Fields(entry)
    on = fields.several_of("on", KINDS) if "on" in fields else USUAL
    return Channel(transport=read(fields), on=on, to=fields.texts("to"))


def is_loopback(host: str) -> bool:
    """Whether a host is this machine by its very spelling: nothing is looked up."""
    name = host.strip("[]").lower()
    try:
        return name in ("localhost", "localhost.") or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


class _Fields:
    """The fields of one entry, held to their types."""

    def __init__(self, entry: Mapping[str, Json]) -> None:
        self._entry = entry

    def __contains__(self, name: str) -> bool:
        return name in self._entry

    def text(self, name: str, wanted: str, *, default: str | None = None) -> str:
        """Give a text; without a default it must be there, and not be empty."""
        value = self._entry.get(name, default)
        if not isinstance(value, str) or not (value or default == ""):
            raise BadChannel(name, f"`{name}` is missing or no text; write `{name}: {wanted}`")
        return value

    def variable(self, name: str) -> str:
        return self.text(name, "NAME_OF_A_VARIABLE", default="")

    def texts(self, name: str) -> tuple[str, ...]:
        value = self._entry.get(name, [])
        several = [value] if isinstance(value, str) else value
        if not isinstance(several, list | tuple) or not all(isinstance(one, str) and one for one in several):
            raise BadChannel(name, f"`{name}` is a text or a list of texts")
        if name in self and not several:
            raise BadChannel(name, f"`{name}` is empty, so that nothing would be sent; name some, or leave it out")
        return tuple(several)

    def one_of(self, name: str, known: Sequence[T]) -> T:
        return self._known(name, self._entry[name], known)

    def several_of(self, name: str, known: Sequence[T]) -> tuple[T, ...]:
        return tuple(self._known(name, one, known) for one in self.texts(name))

    def flag(self, name: str) -> bool:
        value = self._entry.get(name, False)
        if not isinstance(value, bool):
            raise BadChannel(name, f"`{name}` is true or false, like `{name}: true`")
        return value

    def seconds(self, name: str) -> float:
        value = self._entry.get(name, LONGEST)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise _bad_timeout()
        return value

    def _known(self, name: str, value: Json, known: Sequence[T]) -> T:
        found = next((one for one in known if one == value), None)
        if found is None:
            raise BadChannel(name, f"`{name}` knows no {shown(value)}; it knows {', '.join(known)}")
        return found


def _terminal(fields: _Fields) -> Terminal:
    if not fields.flag("terminal"):
        raise BadChannel("terminal", "write `terminal: true`, or remove the entry")
    return Terminal(bell=fields.flag("bell"))


def _webhook(fields: _Fields) -> Webhook:
    return Webhook(
        url=fields.text("webhook", "https://example.org/hook"),
        secret_env=fields.variable("secret_env"),
        timeout=fields.seconds("timeout"),
        insecure=fields.flag("insecure"),
    )


def _mail(fields: _Fields) -> Mail:
    recipients, sender = fields.texts("mail"), fields.text("from", "ADDRESS")
    parts = _SERVER.fullmatch(fields.text("server", "smtp.example.org:587"))
    if parts is None:
        raise _bad_server()
    port = int(parts["port"]) if parts["port"] else None
    tls: Tls = fields.one_of("tls", tuple(_PORTS)) if "tls" in fields else "ssl" if port == 465 else "starttls"
    return Mail(
        recipients=recipients,
        sender=sender,
        host=parts["host"].strip("[]"),
        port=_PORTS[tls] if port is None else port,
        tls=tls,
        user_env=fields.variable("user_env"),
        password_env=fields.variable("password_env"),
        timeout=fields.seconds("timeout"),
    )


READERS: dict[str, tuple[Callable[[_Fields], Transport], tuple[str, ...]]] = {
    "terminal": (_terminal, ("terminal", "bell", "on", "to")),
    "webhook": (_webhook, ("webhook", "secret_env", "timeout", "insecure", "on", "to")),
    "mail": (_mail, ("mail", "from", "server", "tls", "user_env", "password_env", "timeout", "on", "to")),
}


def _url_of(text: str) -> "URL":
    import httpx  # takes a third of a second: only for those who have a webhook

    wanted = BadChannel("webhook", "this is no address of the web; write it like https://example.org/hook")
    if len(text) > _LONGEST_URL or not text.isprintable() or " " in text or "\\" in text:
        raise wanted
    try:
        url = httpx.URL(text)
        host = url.raw_host.decode("ascii")
    except (httpx.InvalidURL, UnicodeError, ValueError):
        raise wanted from None
    if url.scheme not in ("http", "https") or not _is_host(host) or not 0 < (url.port or 1) < 65_536:
        raise wanted
    return url


def _is_host(text: str) -> bool:
    """Whether this is an IP address, or could be the name of a host."""
    try:
        ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return _HOST.fullmatch(text) is not None
    return True


def _check_address(name: str, value: str) -> None:
    if len(value) > 254 or not _ADDRESS.fullmatch(value):
        raise BadChannel(name, "this is no plain mail address; write one address, like ops@example.org")


def _check_variable(name: str, value: str) -> None:
    if value and not _VARIABLE.fullmatch(value):
        raise BadChannel(name, "this is no name of an environment variable; write the name here, the secret never")


def _check_timeout(value: float) -> None:
    if not 0 < value <= LONGEST:
        raise _bad_timeout()


def _bad_timeout() -> BadChannel:
    return BadChannel("timeout", f"`timeout` is in seconds, above 0 and at most {LONGEST:g}")


def _bad_server() -> BadChannel:
    return BadChannel("server", "this is no mail server; write it like smtp.example.org:587")
