"""Write the example's logs and what is true of them; its law: the truth comes from the choices, not from the text.

    python generate.py --seed 7 --out logs

Every login tried, every login that succeeded and every connection is noted in a ledger as it is written. The truth is
worked out from the ledgers by brute force, so it knows nothing of the analyser that is measured against it.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

START = datetime(2026, 3, 7, 22, 0, 0, tzinfo=UTC)
HOURS = 30
THRESHOLD, WINDOW = 5, 600  # attempts within seconds: a burst; also failures that make a login a breach
BREACH_WINDOW = 3600
FLOOD, FLOOD_WINDOW = 20, 60
STAFF = {"dana": "10.1.4.11", "emeka": "10.1.4.27", "farid": "10.1.5.3", "greta": "10.2.0.44", "hana": "10.2.0.81"}
GUESSES = ("admin", "oracle", "test", "ubuntu", "git", "pi", "guest", "jenkins", "ftpuser", "www", "support", "nagios")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One failed login: the moment of its first record, in seconds from START."""

    t: int
    source: str
    user: str | None
    invalid: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """A login that succeeded; without a source, only its session is on record."""

    t: int
    source: str | None
    user: str


@dataclass(slots=True)
class Ledger:
    """What was written to one log, and what it meant."""

    records: list[tuple[int, int, str]] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
    logins: list[Login] = field(default_factory=list)
    connections: list[tuple[int, str]] = field(default_factory=list)
    anonymous: list[tuple[int, str, str]] = field(default_factory=list)

    def write(self, t: int, text: str) -> None:
        """Add a record; those of one second stay in the order they were added."""
        self.records.append((t, len(self.records), text))

    def tried(self, t: int, source: str, user: str | None, invalid: bool = False, times: int = 1) -> None:
        """Note failed logins."""
        self.attempts.extend([Attempt(t=t, source=source, user=user, invalid=invalid)] * times)

    def text(self) -> str:
        """The log."""
        return "".join(f"{text}\n" for _, _, text in sorted(self.records))


# --- auth.log: sshd with PAM ----------------------------------------------------------------------------------------


class Auth:
    """Writes auth.log of the host `gate`."""

    def __init__(self, rng: random.Random) -> None:
        self.rng, self.ledger, self._pid = rng, Ledger(), 2000

    def pid(self) -> int:
        """A process id that was not used before."""
        self._pid += self.rng.randint(1, 5)
        return self._pid

    def say(self, t: int, program: str, pid: int | None, text: str) -> None:
        """Write one record."""
        tag = f"{program}[{pid}]" if pid is not None else program
        self.ledger.write(t, f"{syslog_time(t)} gate {tag}: {text}")

    def refused(self, t: int, source: str, user: str, tries: int, known: bool, pid: int | None = None) -> int:
        """One connection that fails `tries` times; gives the second after its last record."""
        pid, port = pid or self.pid(), self.rng.randint(30000, 60999)
        who = user if known else f"invalid user {user}"
        origin = f"logname= uid=0 euid=0 tty=ssh ruser= rhost={source} {f' user={user}' if known else ''}"
        if not known:
            self.say(t, "sshd", pid, f"Invalid user {user} from {source} port {port}")
        for turn in range(tries):
            first = t
            if not known:
                self.say(t, "sshd", pid, "pam_unix(sshd:auth): check pass; user unknown")
            if turn == 0:
                self.say(t, "sshd", pid, f"pam_unix(sshd:auth): authentication failure; {origin}")
            answered = t + self.rng.randint(1, 3)
            self.say(answered, "sshd", pid, f"Failed password for {who} from {source} port {port} ssh2")
            # Of a known user only the first failure is told by PAM before sshd answers.
            self.ledger.tried(first if turn == 0 or not known else answered, source, user, not known)
            t = answered + self.rng.randint(1, 4)
        self._hang_up(t, pid, source, port, user, known, tries)
        if tries > 1:
            plural = "s" if tries > 2 else ""
            self.say(t, "sshd", pid, f"PAM {tries - 1} more authentication failure{plural}; {origin}")
        return t + 1

    def _hang_up(self, t: int, pid: int, source: str, port: int, user: str, known: bool, tries: int) -> None:
        kind = "authenticating" if known else "invalid"
        if tries >= 6:
            who = user if known else f"invalid user {user}"
            text = f"error: maximum authentication attempts exceeded for {who} from {source} port {port} ssh2 [preauth]"
            self.say(t, "sshd", pid, text)
            text = f"Disconnecting {kind} user {user} {source} port {port}: Too many authentication failures [preauth]"
        elif self.rng.random() < 0.5:
            self.say(t, "sshd", pid, f"Received disconnect from {source} port {port}:11: Bye Bye [preauth]")
            text = f"Disconnected from {kind} user {user} {source} port {port} [preauth]"
        else:
            text = f"Connection closed by {kind} user {user} {source} port {port} [preauth]"
        self.say(t, "sshd", pid, text)

    def repeated(self, t: int, source: str, times: int) -> None:
        """A connection whose failures syslog put together."""
        pid, port = self.pid(), self.rng.randint(30000, 60999)
        failed = f"Failed password for root from {source} port {port} ssh2"
        origin = f"logname= uid=0 euid=0 tty=ssh ruser= rhost={source}  user=root"
        self.say(t, "sshd", pid, f"pam_unix(sshd:auth): authentication failure; {origin}")
        self.say(t + 2, "sshd", pid, failed)
        self.say(t + 11, "sshd", pid, f"message repeated {times} times: [ {failed}]")
        self.say(t + 11, "sshd", pid, f"PAM {times} more authentication failures; {origin}")
        self.ledger.tried(t, source, "root")
        self.ledger.tried(t + 11, source, "root", times=times)

    def left_early(self, t: int, source: str, user: str) -> None:
        """A connection that only its end tells of."""
        port = self.rng.randint(30000, 60999)
        self.say(
            t, "sshd", self.pid(), f"Connection closed by authenticating user {user} {source} port {port} [preauth]"
        )
        self.ledger.tried(t, source, user)

    def accepted(self, t: int, source: str, user: str, method: str = "password") -> None:
        """A login that succeeds, with its session."""
        pid, port, uid = self.pid(), self.rng.randint(30000, 60999), self.rng.randint(1000, 1040)
        key = f": ED25519 SHA256:{self.rng.randbytes(12).hex()}" if method == "publickey" else ""
        self.say(t, "sshd", pid, f"Accepted {method} for {user} from {source} port {port} ssh2{key}")
        self.say(t, "sshd", pid, f"pam_unix(sshd:session): session opened for user {user}(uid={uid}) by (uid=0)")
        self.say(t, "systemd-logind", 611, f"New session {pid % 997} of user {user}.")
        self.say(t + self.rng.randint(30, 900), "sshd", pid, f"pam_unix(sshd:session): session closed for user {user}")
        self.ledger.logins.append(Login(t=t, source=source, user=user))

    def console(self, t: int, user: str) -> None:
        """A session on the console, of which no record says where it came from."""
        self.say(
            t, "login", self.pid(), f"pam_unix(login:session): session opened for user {user}(uid=34) by LOGIN(uid=0)"
        )
        self.ledger.logins.append(Login(t=t, source=None, user=user))

    def sudo(self, t: int, user: str) -> None:
        """A mistyped password of an insider, without any source."""
        pid, origin = self.pid(), f"logname={user} uid=1004 euid=0 tty=/dev/pts/2 ruser={user} rhost=  user={user}"
        self.say(t, "sudo", pid, f"pam_unix(sudo:auth): authentication failure; {origin}")
        self.say(t + 9, "sudo", pid, f"    {user} : TTY=pts/2 ; PWD=/home/{user} ; USER=root ; COMMAND=/usr/bin/id")
        self.ledger.tried(t, "(local)", user)

    def noise(self, t: int) -> None:
        """What a healthy host writes."""
        pid = self.pid()
        match self.rng.randrange(4):
            case 0:
                self.say(t, "CRON", pid, "pam_unix(cron:session): session opened for user root(uid=0) by (uid=0)")
                self.say(t + 1, "CRON", pid, "pam_unix(cron:session): session closed for user root")
            case 1:
                self.say(t, "systemd-logind", 611, f"Removed session {pid % 997}.")
            case 2:
                self.say(t, "su", pid, "pam_unix(su:session): session opened for user backup(uid=34) by (uid=0)")
                self.say(t + 2, "su", pid, "pam_unix(su:session): session closed for user backup")
            case _:
                self.say(t, "sshd", pid, f"Connection closed by {self.rng.choice(outsiders())} port {pid} [preauth]")


def auth_log(rng: random.Random) -> Ledger:
    """Bursts, guessers below the threshold, words put in sshd's mouth, and two logins that should not have been."""
    auth = Auth(rng)
    attackers = Names(rng)
    for _ in range(140):
        auth.noise(moment(rng))
    for user, source in STAFF.items():
        for _ in range(9):
            t = moment(rng)
            auth.accepted(t, source, user, rng.choice(("password", "publickey")))
        auth.accepted(auth.refused(moment(rng), source, user, 1, known=True), source, user)
    for _ in range(rng.randint(3, 5)):  # bursts for one name, and through a list of names
        source, t = attackers.take(), moment(rng)
        for _ in range(rng.randint(5, 11)):
            t = auth.refused(t, source, "root", rng.randint(1, 3), known=True) + rng.randint(0, 20)
    for _ in range(rng.randint(3, 5)):
        source, t = attackers.take(), moment(rng)
        for _ in range(rng.randint(6, 14)):
            t = auth.refused(t, source, rng.choice(GUESSES), 1, known=False) + rng.randint(0, 40)
    auth.refused(moment(rng), attackers.take(), "root", 6, known=True)
    auth.refused(moment(rng), attackers.take(), "oracle", 6, known=False)
    for _ in range(4):  # slow: never five within ten minutes
        source, t = attackers.take(), rng.randint(0, 3 * 3600)
        for _ in range(rng.randint(8, 16)):
            t = auth.refused(t, source, rng.choice(GUESSES), 1, known=False) + rng.randint(200, 900)
    named = f"dsl-{rng.randint(10, 99)}.pool.attacker.example"
    t = moment(rng)
    for _ in range(rng.randint(5, 9)):
        t = auth.refused(t, named, "root", 1, known=True) + rng.randint(1, 30)
    for _ in range(3):
        auth.repeated(moment(rng), attackers.take(), rng.randint(2, 5))
        auth.left_early(moment(rng), attackers.take(), "root")
    liar = attackers.take()
    for lie in (
        "root from 10.0.0.1",
        "admin from 10.1.4.11 port 22 ssh2",
        "x rhost=10.2.0.44  user=root",
        "a 10.2.0.81 port 9",
    ):
        auth.refused(moment(rng), liar, lie, rng.randint(1, 2), known=False)
    auth.sudo(moment(rng), "dana")
    auth.sudo(moment(rng), "farid")
    reused, old = attackers.take(), auth.pid()  # a process id comes back, hours later
    auth.refused(3600, reused, "root", 1, known=True, pid=old)
    auth.refused(9 * 3600, reused, "root", 1, known=True, pid=old)
    winner, t = attackers.take(), moment(rng)  # guesses greta's password in the end
    for _ in range(rng.randint(7, 12)):
        t = auth.refused(t, winner, "greta", 1, known=True) + rng.randint(2, 15)
    auth.accepted(t + 5, winner, "greta")
    t = moment(rng)  # somebody gets into backup's account, and no record says who
    for source in (attackers.take(), attackers.take()):
        for _ in range(rng.randint(3, 5)):
            t = auth.refused(t, source, "backup", 1, known=True) + rng.randint(5, 60)
    auth.console(t + 60, "backup")
    return auth.ledger


# --- ftp.log: the old ftpd ------------------------------------------------------------------------------------------


def ftp_log(rng: random.Random) -> Ledger:
    """Floods of connections, a burst that ends in a login, an anonymous login, records put together by syslogd."""
    ledger, attackers = Ledger(), Names(rng)
    pid = 9000

    def say(t: int, text: str) -> None:
        ledger.write(t, f"{syslog_time(t)} files ftpd[{pid}]: {text}")

    def connect(t: int, source: str) -> None:
        nonlocal pid
        pid += rng.randint(1, 4)
        name = "" if rng.random() < 0.4 else source.replace(".", "-") + ".pool.example"
        when = START + timedelta(seconds=t)
        say(t, f"connection from {source} ({name}) at {when:%a %b} {when.day:2} {when:%H:%M:%S %Y}")
        ledger.connections.append((t, source))

    def fail(t: int, source: str, user: str, more: int = 0) -> None:
        connect(t, source)
        say(t + 2, f"FTP LOGIN FAILED FROM {source} [{source}], {user}")
        ledger.tried(t + 2, source, user)
        if more:
            ledger.write(t + 2, f"{syslog_time(t + 2)} files last message repeated {more} times")
            ledger.tried(t + 2, source, user, times=more)

    def succeed(t: int, source: str, user: str) -> None:
        connect(t, source)
        say(t + 1, f"FTP LOGIN FROM {source} [{source}], {user}")
        say(t + rng.randint(20, 300), "FTP session closed")
        ledger.logins.append(Login(t=t + 1, source=source, user=user))

    for _ in range(120):
        t = moment(rng)
        ledger.write(t, f"{syslog_time(t)} files {rng.choice(FTP_NOISE)}")
    for user, source in STAFF.items():
        for _ in range(8):
            succeed(moment(rng), source, user)
        fail(moment(rng), source, user)
    for _ in range(rng.randint(3, 5)):
        source, t = attackers.take(), moment(rng)
        for _ in range(rng.randint(22, 60)):
            connect(t, source)
            t += rng.choice((0, 0, 0, 1, 2))
    slow, t = attackers.take(), moment(rng)  # as many connections, too slow for a flood
    for _ in range(30):
        connect(t, slow)
        t += rng.randint(4, 30)
    guesser, t = attackers.take(), moment(rng)
    for _ in range(rng.randint(4, 8)):
        fail(t, guesser, rng.choice(GUESSES))
        t += rng.randint(100, 400)
    fail(moment(rng), attackers.take(), "root", more=rng.randint(5, 9))
    winner, t = attackers.take(), moment(rng)
    for _ in range(rng.randint(6, 10)):
        fail(t, winner, "emeka")
        t += rng.randint(4, 30)
    succeed(t + 10, winner, "emeka")
    for given in ("anonymous", "mozilla@example.com"):
        source, t = attackers.take(), moment(rng)
        connect(t, source)
        say(
            t + 1,
            f"ANONYMOUS FTP LOGIN FROM {source},  ({given})"
            if "@" not in given
            else f"ANONYMOUS FTP LOGIN FROM {source} [{source}], {given}",
        )
        ledger.anonymous.append((t + 1, source, given))
    return ledger


FTP_NOISE = (
    "syslogd 1.5.0: restart.",
    "xinetd[812]: START: ftp pid=4242 from=10.1.4.27",
    "logrotate: ALERT exited abnormally with [1]",
    "kernel: eth0: link up, 1000Mbps, full-duplex",
    "crond[771]: (root) CMD (run-parts /etc/cron.hourly)",
)


# --- access.log: nginx ----------------------------------------------------------------------------------------------


def access_log(rng: random.Random) -> Ledger:
    """Browsing, a flood, guessed passwords at a form and at Basic authentication; challenges that are no attempts."""
    ledger, attackers = Ledger(), Names(rng)

    def ask(t: int, source: str, request: str, status: int, user: str = "-") -> None:
        when = f"{START + timedelta(seconds=t):%d/%b/%Y:%H:%M:%S +0000}"
        agent = rng.choice(("Mozilla/5.0 (X11; Linux x86_64; rv:147.0)", "curl/8.12.1", "python-requests/2.32"))
        size = rng.randint(120, 9000)
        ledger.write(t, f'{source} - {user} [{when}] "{request} HTTP/1.1" {status} {size} "-" "{agent}"')
        ledger.connections.append((t, source))

    for _ in range(420):
        ask(
            moment(rng),
            rng.choice(tuple(STAFF.values())),
            f"GET {rng.choice(PAGES)}",
            rng.choice((200, 200, 200, 304, 404)),
        )
    for user, source in STAFF.items():
        t = moment(rng)
        ask(t, source, "GET /reports/", 401)  # the challenge, which is no attempt
        ask(t + 4, source, "GET /reports/", 401, user)
        ledger.tried(t + 4, source, user)
        ask(t + 9, source, "GET /reports/", 200, user)
        ask(moment(rng), source, "POST /login", 302)
    for path in ("/login", "/wp-login.php", "/api/v1/auth/token?next=/"):
        source, t, status = attackers.take(), moment(rng), rng.choice((401, 403))
        for _ in range(rng.randint(8, 30)):
            ask(t, source, f"POST {path}", status)
            ledger.tried(t, source, None)
            t += rng.randint(0, 12)
    slow, t = attackers.take(), rng.randint(0, 7200)
    for _ in range(12):
        ask(t, slow, "POST /login", 401)
        ledger.tried(t, slow, None)
        t += rng.randint(180, 1500)
    liar, t = attackers.take(), moment(rng)
    for lie in ("10.1.4.11 - root [07/Mar/2026", "admin] from 10.0.0.1", "root \\x22GET / HTTP/1.1\\x22 200"):
        ask(t, liar, "GET /reports/", 401, lie)
        ledger.tried(t, liar, lie)
        t += rng.randint(5, 50)
    for _ in range(2):
        source, t = attackers.take(), moment(rng)
        for _ in range(rng.randint(60, 200)):
            ask(t, source, f"GET /search?q={rng.randint(1, 9999)}", rng.choice((200, 503)))
            t += rng.choice((0, 0, 0, 1))
    scanner, t = attackers.take(), moment(rng)
    for path in ("/.env", "/wp-login.php", "/admin", "/.git/config", "/login"):
        ask(t, scanner, f"GET {path}", rng.choice((403, 404)))
        t += rng.randint(5, 20)
    return ledger


PAGES = (
    "/",
    "/news",
    "/about",
    "/static/site.css",
    "/static/logo.svg",
    "/products/17",
    "/auth/help",
    "/search?q=login",
)


# --- app.jsonl: an application --------------------------------------------------------------------------------------


def app_log(rng: random.Random) -> Ledger:
    """Two services with different key names; guesses, one of which succeeds."""
    ledger, attackers = Ledger(), Names(rng)

    def shop(t: int, event: str, **more: object) -> None:
        when = f"{START + timedelta(seconds=t):%Y-%m-%dT%H:%M:%S}.{rng.randint(0, 999):03}Z"
        ledger.write(t, json.dumps({"time": when, "level": "info", "service": "shop", "event": event, **more}))

    def portal(t: int, message: str, **more: object) -> None:
        seconds = (START + timedelta(seconds=t)).timestamp()
        ledger.write(t, json.dumps({"ts": seconds, "level": "warn", "msg": message, **more}))

    def login(t: int, source: str, user: str, reason: str = "") -> None:
        if not reason:
            shop(t, "user.login", source_ip=source, user=user, outcome="success")
            ledger.logins.append(Login(t=t, source=source, user=user))
            return
        shop(t, "user.login", source_ip=source, user=user, outcome="failure", reason=reason)
        ledger.tried(t, source, user, invalid=reason == "unknown user")

    for _ in range(380):
        name, source = rng.choice(tuple(STAFF.items()))
        event = rng.choice(("order.created", "order.paid", "cart.updated", "session.expired", "profile.viewed"))
        shop(moment(rng), event, user=name, source_ip=source, order=rng.randint(1000, 9999))
    for user, source in STAFF.items():
        for _ in range(4):
            login(moment(rng), source, user)
        login(moment(rng), source, user, "wrong password")
    source, t = attackers.take(), moment(rng)
    for _ in range(rng.randint(20, 40)):
        login(t, source, rng.choice(GUESSES), "unknown user")
        t += rng.randint(0, 25)
    source, t = attackers.take(), moment(rng)
    for _ in range(rng.randint(6, 18)):
        portal(t, "authentication failed", client_ip=source, username="hana")
        ledger.tried(t, source, "hana")
        t += rng.randint(1, 30)
    source, t = attackers.take(), rng.randint(0, 7200)
    for _ in range(9):
        login(t, source, "root", "wrong password")
        t += rng.randint(300, 2000)
    winner, t = attackers.take(), moment(rng)
    for _ in range(rng.randint(6, 12)):
        login(t, winner, "farid", "wrong password")
        t += rng.randint(2, 20)
    login(t, winner, "farid")
    for _ in range(60):
        portal(moment(rng), "request failed", client_ip=rng.choice(outsiders()), status=500)
    return ledger


# --- names and times ------------------------------------------------------------------------------------------------


class Names:
    """Attackers' addresses, each given once, all of the ranges kept for documentation."""

    def __init__(self, rng: random.Random) -> None:
        self._left = outsiders()
        rng.shuffle(self._left)

    def take(self) -> str:
        """An address nobody has yet."""
        return self._left.pop()


def outsiders() -> list[str]:
    """The addresses kept for documentation, but for those that noise uses alone."""
    return [f"{net}.{host}" for net in ("192.0.2", "198.51.100", "203.0.113") for host in range(1, 255)]


def moment(rng: random.Random) -> int:
    """A second of the first 26 hours, so that what begins there ends within the log."""
    return rng.randint(0, (HOURS - 4) * 3600)


def syslog_time(t: int) -> str:
    """`Mar  7 22:00:00`: without the year, as old syslog has it."""
    when = START + timedelta(seconds=t)
    return f"{when:%b} {when.day:2} {when:%H:%M:%S}"


# --- the truth ------------------------------------------------------------------------------------------------------


def truth_of(ledger: Ledger, show: Callable[[int], str], service: str) -> dict[str, object]:
    """What is true of a log, from its ledger."""
    by_source: dict[str, list[int]] = {}
    for attempt in sorted(ledger.attempts, key=lambda attempt: attempt.t):
        by_source.setdefault(attempt.source, []).append(attempt.t)
    seen: dict[str, list[int]] = {}
    for t, source in sorted(ledger.connections):
        seen.setdefault(source, []).append(t)
    bursts = [(s, *each) for s, times in by_source.items() for each in stretches(times, THRESHOLD, WINDOW)]
    floods = [(s, *each) for s, times in seen.items() for each in stretches(times, FLOOD, FLOOD_WINDOW)]
    return {
        "lines": len(ledger.records),
        "attempts": len(ledger.attempts),
        "sources": dict(Counter(attempt.source for attempt in ledger.attempts).most_common()),
        "invalid_users": dict(Counter(a.user for a in ledger.attempts if a.invalid).most_common()),
        "bursts": [
            {"source": source, "start": show(start), "end": show(end), "attempts": count}
            for source, start, end, count in sorted(bursts, key=lambda found: (found[1], found[0]))
        ],
        "breaches": breaches(ledger, show),
        "floods": [
            {"source": source, "service": service, "start": show(start), "end": show(end), "connections": count}
            for source, start, end, count in sorted(floods, key=lambda found: (found[1], found[0]))
        ],
        "anonymous": [{"source": s, "user": user, "at": show(t)} for t, s, user in sorted(ledger.anonymous)],
    }


def stretches(times: Sequence[int], threshold: int, window: int) -> list[tuple[int, int, int]]:
    """Start, end and size of the joined windows: every run of `threshold` within `window`, overlapping ones as one."""
    found: list[tuple[int, int]] = []  # first and last index
    for first in range(len(times) - threshold + 1):
        last = first + threshold - 1
        if times[last] - times[first] > window:
            continue
        if found and first <= found[-1][1]:
            found[-1] = (found[-1][0], last)
        else:
            found.append((first, last))
    return [(times[first], times[last], last - first + 1) for first, last in found]


def breaches(ledger: Ledger, show: Callable[[int], str]) -> list[dict[str, object]]:
    """Every login with enough failures of its source (or, without one, for its user) in the hour before."""
    found = []
    for login in sorted(ledger.logins, key=lambda login: login.t):
        before = [
            attempt
            for attempt in ledger.attempts
            if login.t - BREACH_WINDOW <= attempt.t <= login.t
            and (attempt.source == login.source if login.source is not None else attempt.user == login.user)
        ]
        if len(before) >= THRESHOLD:
            found.append(
                {
                    "source": login.source or "(unknown)",
                    "user": login.user,
                    "at": show(login.t),
                    "failures": len(before),
                    "certain": login.source is not None,
                    "candidates": sorted({attempt.source for attempt in before}),
                }
            )
    return found


def generate(seed: int, out: Path) -> None:
    """Write the four logs and truth.json into a folder."""

    def yearless(t: int) -> str:
        return f"{START + timedelta(seconds=t):%m-%dT%H:%M:%S}"

    def dated(t: int) -> str:
        return f"{START + timedelta(seconds=t):%Y-%m-%dT%H:%M:%S}"

    logs = (
        ("auth.log", auth_log, yearless, "ssh"),
        ("ftp.log", ftp_log, yearless, "ftp"),
        ("access.log", access_log, dated, "http"),
        ("app.jsonl", app_log, dated, ""),
    )
    out.mkdir(parents=True, exist_ok=True)
    truth: dict[str, object] = {"seed": seed}
    for name, write, show, service in logs:
        ledger = write(random.Random(f"{seed} {name}"))
        (out / name).write_text(ledger.text(), encoding="utf-8")
        truth[name] = truth_of(ledger, show, service)
    (out / "truth.json").write_text(json.dumps(truth, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def main() -> None:
    """Take the seed and the folder from the command line."""
    parser = argparse.ArgumentParser(description="Write the example's logs and what is true of them.")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "logs")
    options = parser.parse_args()
    generate(options.seed, options.out)


if __name__ == "__main__":
    main()
