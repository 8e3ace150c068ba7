"""What sshd and dropbear say of logins; its law: a user name is the attacker's, so the source is the last one."""

from __future__ import annotations

import re

from .records import Accepted, Closing, Connection, Failure, Record, source_name, user_name

# The tail after the port is sshd's own: nothing, or the key that was offered (perhaps a certificate).
_TAIL = r"(?: ssh\d?)?(?:: [\w@.-]+ \S+(?: ID .* \(serial \d+\) CA [\w@.-]+ \S+)?)?$"
_UNKNOWN_USER = r"((?:invalid|illegal) user )?"
_TRIED = re.compile(rf"(Failed|Accepted) (\S+) for {_UNKNOWN_USER}(.*) from (\S+) port \d+{_TAIL}")
_INVALID = re.compile(r"I(?:nvalid|llegal) user (.*) from (\S+)(?: port \d+)?$")
_REQUEST = re.compile(r"input_userauth_request: (?:invalid|illegal) user (.*)$")
_GONE = re.compile(
    r"(?:Connection (?:closed|reset) by|Disconnected from|Disconnecting) "
    r"(authenticating|invalid) user (.*) (\S+) port \d+(?:: Too many authentication failures)?$"
)
_TOO_MANY = re.compile(
    rf"error: maximum authentication attempts exceeded for {_UNKNOWN_USER}(.*) from (\S+) port \d+(?: ssh\d?)?$"
)
_KEYBOARD = re.compile(rf"error: PAM: (.+?) for {_UNKNOWN_USER}(.*) from (\S+)$")
_REFUSED = re.compile(r"User (\S+)(?: from (\S+))? not allowed because ")
_CONNECTION = re.compile(r"Connection from (\S+)(?: port \d+)?")
_DROPBEAR_BAD = re.compile(r"[Bb]ad (?:password|PAM password) attempt for '(.*)' from (\S+):\d+$")
_DROPBEAR_UNKNOWN = re.compile(r"[Ll]ogin attempt for nonexistent user(?: '(.*)')? from (\S+):\d+$")
_DROPBEAR_GOOD = re.compile(r"(?:Password|Pubkey|PAM password) auth succeeded for '(.*?)' .*?from (\S+):\d+$")


def read_sshd(message: str) -> Record | None:
    """The record that a message of sshd tells of, if any."""
    message = message.rstrip().removesuffix(" [preauth]")
    first = message[:5]
    if first in ("Faile", "Accep"):
        return _tried(message)
    if first in ("Inval", "Illeg"):
        found = _INVALID.match(message)
        return found and Failure(kind="invalid", source=source_name(found[2]), user=user_name(found[1]), invalid=True)
    if first == "input":
        found = _REQUEST.match(message)
        return found and Failure(kind="request", user=user_name(found[1]), invalid=True)
    if first in ("Conne", "Disco"):
        return _gone(message)
    if first == "error":
        return _error(message)
    if first == "User ":
        found = _REFUSED.match(message)
        source = found and found[2] and source_name(found[2])
        return found and Failure(kind="refused", source=source or None, user=user_name(found[1]), known=True)
    return None


def read_dropbear(message: str) -> Record | None:
    """The record that a message of dropbear tells of, if any."""
    message = message.rstrip()
    if found := _DROPBEAR_BAD.match(message):
        return Failure(kind="failed", source=source_name(found[2]), user=user_name(found[1]))
    if found := _DROPBEAR_UNKNOWN.match(message):
        return Failure(kind="failed", source=source_name(found[2]), user=user_name(found[1]), invalid=True)
    if found := _DROPBEAR_GOOD.match(message):
        return Accepted(source=source_name(found[2]), user=user_name(found[1]) or "")
    return None


def _tried(message: str) -> Record | None:
    found = _TRIED.match(message)
    if found is None:
        return None
    verb, method, unknown, user, source = found.groups()
    if verb == "Accepted":
        return Accepted(source=source_name(source), user=user_name(user) or "")
    # "Failed none" is the client's opening question, of the same attempt as the answer that follows.
    kind = "none" if method == "none" else "failed"
    return Failure(kind=kind, source=source_name(source), user=user_name(user), invalid=unknown is not None)


def _gone(message: str) -> Record | None:
    if found := _GONE.match(message):
        return Closing(source=source_name(found[3]), user=user_name(found[2]), invalid=found[1] == "invalid")
    if found := _CONNECTION.match(message):
        return Connection(source=source_name(found[1]), service="ssh")
    return None


def _error(message: str) -> Record | None:
    if found := _TOO_MANY.match(message):
        return Closing(source=source_name(found[3]), user=user_name(found[2]), invalid=found[1] is not None)
    if found := _KEYBOARD.match(message):
        reason, unknown, user, source = found.groups()
        invalid = unknown is not None or reason.startswith("User not known")
        return Failure(kind="keyboard", source=source_name(source), user=user_name(user), invalid=invalid)
    return None
