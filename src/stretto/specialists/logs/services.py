"""What the other login services say: ftp daemons, login, Kerberos, mail; one function per family."""

from __future__ import annotations

import re

from .records import Accepted, Anonymous, Closing, Connection, Failure, Record, source_name, user_name

_PEER = r"(\S+?)(?: ?\[([^\]\s]*)\])?"  # host, or host [address]: the address counts
_FTP_FROM = re.compile(r"connection from (\S+?)(?: [\[(][^\])]*[\])])?(?: at |$)")
_FTP_ANONYMOUS = re.compile(rf"ANONYMOUS FTP LOGIN FROM {_PEER},\s*(.*)$")
_FTP_GOOD = re.compile(rf"FTP LOGIN FROM {_PEER}(?:,| as) ?(.*)$")
_FTP_BAD = re.compile(
    r"(?:FTP LOGIN (?:FAILED|REFUSED)(?: \(([^)]*)\))?|(?:failed login|login failed)) "
    rf"(?:FROM|from) {_PEER}(?:, ?(.*))?$"
)
_FTP_REPEATED = re.compile(rf"repeated login failures from {_PEER}(?:,.*)?$")

_VSFTPD = re.compile(
    r'(?:\[pid \d+\] )?(?:\[(.{0,32})\] )?(CONNECT|OK LOGIN|FAIL LOGIN): Client "([^"]+)"(?:, anon password "(.*)")?$'
)
_PROFTPD = re.compile(r"\S+ \((\S*?)\[([^\]]+)\]\)(?: -|:) (.*)$")
_PROFTPD_BAD = re.compile(r"USER (.*)(?: \(Login failed\)|: [Nn]o such user)")
_PROFTPD_GOOD = re.compile(r"(USER|ANON) (.*): Login successful")
_PUREFTPD = re.compile(r"\((.*?)@(\S+?)\) \[(\w+)\] (.*)$")
_PUREFTPD_BAD = re.compile(r"Authentication failed for user \[(.*)\]$")
_PUREFTPD_GOOD = re.compile(r"(.*) is now logged in$")

_KERBEROS = re.compile(r"Authentication failed from (\S+)(?: \(([^)]*)\))?:")
_LOGIN_BAD = re.compile(
    r"FAILED LOGIN (SESSION )?(?:\(?\d+\)? )?(?:on '[^']*' )?(?:(?:FROM|from) '?([^\s']+)'? )?FOR '?(.*?)'?,[^,]*$"
)
_LOGIN_TOO_MANY = re.compile(
    r"TOO MANY LOGIN TRIES \(\d+\)(?: on '[^']*')?(?: (?:FROM|from) '?([^\s']+)'?)? FOR '?(.*?)'?(?:,|$)"
)
_LOGIN_GOOD = re.compile(r"(ROOT )?LOGIN ON \S+(?: BY (\S+))? FROM (\S+)$")
_DOVECOT = re.compile(r"[\w-]+: [^(]*\(auth failed, (\d+) attempts[^)]*\):(?: user=<(.*)>,)?.* rip=([0-9A-Fa-f.:]+)")
_SASL = re.compile(r"warning: \S*?\[([^\]\s]+)\]: SASL \S+ authentication failed")


def read_ftpd(message: str) -> Record | None:
    """Berkeley's ftpd and its kin (krb5, inetutils, wu-ftpd)."""
    message = message.rstrip()
    if found := _FTP_FROM.match(message):
        return Connection(source=source_name(found[1]), service="ftp")
    if found := _FTP_ANONYMOUS.match(message):
        return Anonymous(source=source_name(found[2] or found[1]), user=_anonymous(found[3]))
    if found := _FTP_GOOD.match(message):
        return Accepted(source=source_name(found[2] or found[1]), user=user_name(found[3]) or "")
    if found := _FTP_BAD.match(message):
        reason, host, address, user = found.groups()
        return Failure(
            kind="failed",
            source=source_name(address or host),
            user=user_name(user or None),
            invalid=bool(reason) and "username" in reason,
        )
    if found := _FTP_REPEATED.match(message):
        return Closing(source=source_name(found[2] or found[1]))
    return None


def read_vsftpd(message: str) -> Record | None:
    """vsftpd, in its own log or in syslog."""
    found = _VSFTPD.match(message.rstrip())
    if found is None:
        return None
    user, event, client, password = found.groups()
    source = source_name(client)
    if event == "CONNECT":
        return Connection(source=source, service="ftp")
    if event == "FAIL LOGIN":
        return Failure(kind="failed", source=source, user=user_name(user))
    if password is not None:
        return Anonymous(source=source, user=_anonymous(password))
    return Accepted(source=source, user=user_name(user) or "")


def read_proftpd(message: str) -> Record | None:
    """proftpd: `server (client[address]) - what happened`."""
    found = _PROFTPD.match(message.rstrip())
    if found is None:
        return None
    source, event = source_name(found[2]), found[3]
    if event.startswith("FTP session opened"):
        return Connection(source=source, service="ftp")
    if bad := _PROFTPD_BAD.match(event):
        return Failure(kind="failed", source=source, user=user_name(bad[1]), invalid="o such user" in event)
    if good := _PROFTPD_GOOD.match(event):
        user = user_name(good[2]) or ""
        return Anonymous(source=source, user=user) if good[1] == "ANON" else Accepted(source=source, user=user)
    return None


def read_pureftpd(message: str) -> Record | None:
    """pure-ftpd: `(user@client) [LEVEL] what happened`."""
    found = _PUREFTPD.match(message.rstrip())
    if found is None:
        return None
    source, event = source_name(found[2]), found[4]
    if event.startswith("New connection from "):
        return Connection(source=source, service="ftp")
    if bad := _PUREFTPD_BAD.match(event):
        return Failure(kind="failed", source=source, user=user_name(bad[1]))
    if event.lower().startswith("anonymous user logged in"):
        return Anonymous(source=source, user="anonymous")
    if good := _PUREFTPD_GOOD.match(event):
        return Accepted(source=source, user=user_name(good[1]) or "")
    return None


def read_kerberos(message: str) -> Record | None:
    """klogind and kshd, which tell of one failure in two records."""
    if message.startswith("Kerberos authentication failed"):
        return Failure(kind="kerberos")
    found = _KERBEROS.match(message)
    return found and Failure(kind="failed", source=source_name(found[1]))


def read_login(message: str) -> Record | None:
    """login on a terminal, perhaps by way of telnet or rlogin."""
    message = message.rstrip()
    if found := _LOGIN_BAD.match(message):
        session, source, user = found.groups()
        name = None if user == "UNKNOWN" else user_name(user)
        if session:
            return Closing(source=source_name(source or ""), user=name)
        invalid = user == "UNKNOWN" or "User not known" in message
        return Failure(kind="failed", source=source_name(source or ""), user=name, invalid=invalid)
    if found := _LOGIN_TOO_MANY.match(message):
        return Closing(source=source_name(found[1] or ""), user=user_name(found[2]))
    if found := _LOGIN_GOOD.match(message):
        return Accepted(source=source_name(found[3]), user=user_name(found[2] or "root") or "")
    return None


def read_dovecot(message: str) -> Record | None:
    """dovecot's closing line, which counts the failures of one connection."""
    found = _DOVECOT.match(message) if "auth failed" in message else None
    return found and Failure(
        kind="failed",
        source=source_name(found[3]),
        user=user_name(found[2] or None),
        count=int(found[1][:9]) or 1,
    )


def read_postfix(message: str) -> Record | None:
    """postfix: SASL failures, the client's address in brackets."""
    found = _SASL.match(message) if "SASL" in message else None
    return found and Failure(kind="failed", source=source_name(found[1]))


def _anonymous(given: str) -> str:
    name = given.strip()
    if name.startswith("(") and name.endswith(")"):
        name = name[1:-1]
    return user_name(name) or "anonymous"
