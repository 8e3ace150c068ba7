"""Notices as plain mails, through a mail server."""

import hashlib
import smtplib
import ssl
from asyncio import timeout
from contextlib import suppress
from dataclasses import dataclass, field
from email import policy
from email.message import EmailMessage
from email.utils import formatdate
from socket import gethostname
from typing import TypeAlias

from stretto.channels import Mail
from stretto.core.domain import Notice
from stretto.core.errors import NotifierError
from stretto.notifiers.wording import headline, lines, moment, one_line
from stretto.threads import in_thread

LONGEST_SUBJECT = 150
LONGEST_TEXT = 20_000
LONGEST_REPLY = 200
SECONDS_TO_LEAVE = 1.0

Refused: TypeAlias = dict[str, tuple[int, bytes]]
_SEVEN_BIT = policy.SMTP.clone(cte_type="7bit")
"""Every server takes such mails; letters beyond ASCII are encoded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MailNotifier:
    """Mails each notice once, the same message on every repetition, to all addresses of its channel.

    Where the server takes it for some addresses only, that is a failure too, which names the others.
    """

    name: str = "mail"
    settings: Mail
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)

    async def send(self, notice: Notice) -> None:
        message = self.message(notice)
        try:
            async with timeout(self.settings.timeout):
                refused = await in_thread(lambda: self._deliver(message))
        except TimeoutError:
            raise self._failed(f"not sent within {self.settings.timeout:g} s") from None
        except (smtplib.SMTPException, OSError, ValueError) as error:
            raise self._failed(_problem(error)) from None
        if refused:
            others = f"; {len(self.settings.recipients) - len(refused)} of its addresses have it"
            raise self._failed(_refusals(refused) + others)

    def message(self, notice: Notice) -> EmailMessage:
        """Give the mail about a notice. Its headers are of one line each, whatever the notice holds."""
        digest = hashlib.sha256(notice.id.encode(errors="surrogatepass")).hexdigest()[:32]
        message = EmailMessage(policy=_SEVEN_BIT)
        message["From"] = self.settings.sender
        message["To"] = ", ".join(self.settings.recipients)
        # Words that look encoded (RFC 2047) would be decoded, line ends and all.
        message["Subject"] = f"[Stretto] {headline(notice, LONGEST_SUBJECT)}".replace("=?", "= ?")
        message["Date"] = formatdate(notice.at or None)
        message["Message-ID"] = f"<stretto-{digest}@{self.settings.sender.rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no absence notes in answer
        if notice.urgent:
            message["Importance"] = "high"
        message.set_content(_body(notice))
        return message

    def _deliver(self, message: EmailMessage) -> Refused:
        """Hand a message over, and give the addresses that were refused where others were not."""
        smtp = self._connected()
        try:
            if self.settings.tls == "starttls":
                smtp.starttls(context=ssl.create_default_context())
            if self.user:
                smtp.login(self.user, self.password)
            return smtp.send_message(message, self.settings.sender, self.settings.recipients)
        finally:
            _leave(smtp)

    def _connected(self) -> smtplib.SMTP:
        host, port, own, seconds = self.settings.host, self.settings.port, _own_name(), self.settings.timeout
        if self.settings.tls != "ssl":
            return smtplib.SMTP(host, port, own, seconds)
        return smtplib.SMTP_SSL(host, port, own, timeout=seconds, context=ssl.create_default_context())

    def _failed(self, problem: str) -> NotifierError:
        return NotifierError(f"{self.name}: {problem}")


def _body(notice: Notice) -> str:
    facts = {
        "about": f"{notice.kind}{', urgent' if notice.urgent else ''}",
        "run": notice.run,
        "task": notice.task,
        "for": notice.to,
        "at": moment(notice.at) if notice.at else "",
    }
    told = lines(notice.text[:LONGEST_TEXT])
    if len(notice.text) > LONGEST_TEXT:
        told.append(f"… (cut after {LONGEST_TEXT:,} characters)")
    return "\n".join([*(f"{name:<6}{one_line(fact)}" for name, fact in facts.items() if fact), "", *told, ""])


def _own_name() -> str:
    """Give what smtplib tells the server of this machine, without the look-up that it makes for that."""
    name = gethostname()
    return name if "." in name else "[127.0.0.1]"


def _leave(smtp: smtplib.SMTP) -> None:
    """Take leave of the server; what it says to that changes nothing."""
    with suppress(smtplib.SMTPException, OSError):
        if smtp.sock is not None:
            smtp.sock.settimeout(SECONDS_TO_LEAVE)
        smtp.quit()
    smtp.close()


def _problem(error: Exception) -> str:
    """Say what went wrong. Replies to a login are left out, they may repeat it."""
    match error:
        case smtplib.SMTPAuthenticationError():
            return f"the server refuses the login ({error.smtp_code}); check user and password"
        case smtplib.SMTPRecipientsRefused():
            return _refusals(error.recipients)
        case smtplib.SMTPResponseException():
            return f"the server answers {_reply(error.smtp_code, error.smtp_error)}"
        case smtplib.SMTPServerDisconnected():
            return "the server does not answer, or broke the connection off"
        case smtplib.SMTPException():
            return f"{str(error).rstrip('.')}; nothing was sent"
        case ssl.SSLError():
            reason = getattr(error, "verify_message", "") or error.reason or "no TLS"
            return f"no safe connection: {reason}"
        case OSError():
            return f"cannot connect: {error.strerror or error}"
        case _:
            return type(error).__name__


def _refusals(refused: Refused) -> str:
    return "the server refuses " + ", ".join(f"{one} ({_reply(*reply)})" for one, reply in refused.items())


def _reply(code: int, text: bytes | str) -> str:
    said = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return f"{code} {one_line(said[:LONGEST_REPLY])}".rstrip()
