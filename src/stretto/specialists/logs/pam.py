"""What PAM says of logins, in its old and its new spelling; its law: pam_unix tells the name of known users only."""

from __future__ import annotations

import re

from .model import LOCAL
from .records import Failure, Record, Session, Summary, source_name, user_name

_NEW = re.compile(r"(pam_\w+)\(([^():]*)(?::(\w+))?\): (.*)$")
_MORE = re.compile(r"(?:PAM )?(\d+) more authentication failures?; (.*)$")
_SESSION = re.compile(r"session opened for user (\S+?)(?:\(uid=\d+\))?(?: by .*)?$")
# sshd leaves ruser empty, so what follows it is PAM's own; elsewhere ruser may be the attacker's words.
_SSH_ORIGIN = re.compile(r".*?\bruser=\S* rhost=(\S*)(?:\s+user=(.*))?$")
_ORIGIN = re.compile(r".*\brhost=(\S*)(?:\s+user=(\S*))?$")
_RUSER = re.compile(r".*?\bruser=(.*) rhost=\S*(?:\s+user=\S*)?$")

_LOGIN_SERVICES = re.compile(r"sshd?\b|sshd|login|remote|rlogin|rsh|telnet|ftp|.*ftpd?$|gdm|lightdm|kdm|sddm|xdm|xrdp")
_REMOTE_SERVICES = re.compile(r"sshd|.*ftp|dovecot|imap|pop|smtp")


def read_pam(program: str, module: str, message: str) -> Record | None:
    """The record a PAM message tells of; `module` is the one in the old spelling `sshd(pam_unix)`, else empty."""
    service, body = program, message
    if not module:
        if found := _NEW.match(message):
            module, service, _, body = found.groups()
        elif not message.startswith("PAM "):
            return None
    first = body[:4]
    if first == "auth":
        return _failure(service, module, body)
    if first == "chec" and body.startswith("check pass; user unknown"):
        return Failure(kind="check", invalid=True)
    if first == "sess":
        session = _SESSION.match(body)
        login = session is not None and _LOGIN_SERVICES.match(service)
        return Session(user=user_name(session[1]) or "") if session is not None and login else None
    if "more auth" in body and (found := _MORE.match(body)):
        source, user = _origin(service, found[2])
        return Summary(source=source, user=user, more=int(found[1][:9]))
    return None


def _failure(service: str, module: str, body: str) -> Record | None:
    if not body.startswith("authentication failure; "):
        return None
    source, user = _origin(service, body)
    return Failure(kind=module, source=source, user=user)


def _origin(service: str, body: str) -> tuple[str | None, str | None]:
    remote = _REMOTE_SERVICES.match(service)
    body = body.rstrip()
    found = (_SSH_ORIGIN if service.startswith("sshd") else _ORIGIN).match(body)
    if found is None:
        return None, None
    source, user = found.groups()
    if not user and remote and not service.startswith("sshd"):
        ruser = _RUSER.match(body)
        user = ruser[1] if ruser else None
    # A network service that does not say from where is joined to its process, which may say it.
    return (None if remote and not source else source_name(source) if source else LOCAL), user_name(user or None)
