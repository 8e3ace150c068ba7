"""A mail is one plain message, safely sent, whatever a notice holds and a server says."""

import ssl
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stretto.channels import Mail
from stretto.core.domain import Notice
from stretto.core.errors import BadChannel, NotifierError
from stretto.notifiers.mail import MailNotifier
from tests.notifiers.servers import CERTIFICATE, MailServer, closed_port, silent_port

NOTICE = Notice(
    id="run-1:fix:request",
    kind="request",
    run="run-1",
    task="fix",
    text="Apply the diff?\n.\nIt touches 3 files — geprüft.",
    at=1_800_000_000.0,
    to="ana",
)
HEADERS = {
    "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "Content-Type", "Content-Transfer-Encoding",
    "MIME-Version",
}  # fmt: skip


def settings(port: int = 25, **given: object) -> Mail:
    fields = {"recipients": ("ops@example.org",), "sender": "stretto@example.org", "host": "127.0.0.1", "tls": "none"}
    return Mail(**{**fields, "port": port, **given})  # type: ignore[arg-type]


def by(port: int, user: str = "", password: str = "", **given: object) -> MailNotifier:
    return MailNotifier(settings=settings(port, **given), user=user, password=password)


def parsed(mail: bytes) -> EmailMessage:
    return message_from_bytes(mail, policy=policy.default)  # type: ignore[return-value]


@pytest.fixture
def trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))


async def test_a_notice_is_mailed_as_plain_text_to_every_address() -> None:
    async with MailServer() as server:
        await by(server.port, recipients=("ops@example.org", "ana@example.org")).send(NOTICE)
    (mail,) = server.mails
    message = parsed(mail)
    assert set(message.keys()) == HEADERS
    assert message["To"] == "ops@example.org, ana@example.org"
    assert message["Subject"] == (
        "[Stretto] request for ana: run run-1, task fix: Apply the diff? . It touches 3 files — geprüft."
    )
    assert message["Date"].datetime.timestamp() == NOTICE.at
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_content_type() == "text/plain"
    assert message.get_content().splitlines() == [
        *("about request", "run   run-1", "task  fix", "for   ana", "at    2027-01-15 08:00:00 UTC"),
        *("", "Apply the diff?", ".", "It touches 3 files — geprüft."),
    ]
    assert [line for line in server.said if line.startswith("rcpt")] == [
        "rcpt TO:<ops@example.org>",
        "rcpt TO:<ana@example.org>",
    ]
    assert mail.isascii()


async def test_a_repetition_is_the_same_message_and_another_notice_another() -> None:
    async with MailServer() as server:
        for id_ in ("a", "a", "b"):
            await by(server.port).send(Notice(id=id_, kind="halted", run="run-1", text="x", at=1.0))
    first, second, third = (parsed(mail)["Message-ID"] for mail in server.mails)
    assert server.mails[0] == server.mails[1]
    assert first == second != third
    assert first.endswith("@example.org>")


async def test_an_urgent_mail_says_so() -> None:
    async with MailServer() as server:
        await by(server.port).send(Notice(id="1", kind="breaker", run="run-1", text="x", urgent=True))
    message = parsed(server.mails[0])
    assert message["Importance"] == "high"
    assert message["Subject"].startswith("[Stretto] urgent breaker: run run-1: x")


@pytest.mark.parametrize(
    "text",
    [
        "x\r\nBcc: all@example.org",
        "x\nBcc: all@example.org\n\nanother body",
        "x\rBcc: all@example.org",
        "x\u2028Bcc: all@example.org\x85Bcc: all@example.org\x0bBcc: all@example.org",
        "x =?utf-8?q?a=0D=0ABcc:_all@example.org?= y",
        "==??utf-8?b?eA0KQmNjOiBhbGxAZXhhbXBsZS5vcmc=?=",
        "x" * 5_000,
        "é" * 5_000,
        "\ud800\x00\x1b[2J\u202e",
    ],
)
async def test_no_text_makes_a_header_or_another_recipient(text: str) -> None:
    async with MailServer() as server:
        await by(server.port).send(Notice(id=text, kind="halted", run=text, task=text, to=text, text=text, at=1.0))
    (mail,) = server.mails
    message = parsed(mail)
    assert set(message.keys()) == HEADERS
    assert b"\nBcc:" not in mail.partition(b"\r\n\r\n")[0]
    assert message["Subject"].isprintable()
    assert len(message["Subject"]) < 200
    assert server.commands.count("RCPT") == 1
    assert max(map(len, mail.split(b"\r\n"))) < 998


@given(st.text(), st.text())
def test_headers_are_the_same_whatever_a_notice_says(text: str, run: str) -> None:
    message = parsed(bytes(by(25).message(Notice(id=run, kind="ended", run=run, text=text, at=1.0))))
    assert set(message.keys()) == HEADERS
    assert message.defects == []


async def test_a_very_long_text_is_cut_and_says_so() -> None:
    async with MailServer() as server:
        await by(server.port).send(Notice(id="1", kind="ended", run="r", text="word " * 100_000))
    content = parsed(server.mails[0]).get_content()
    assert content.splitlines()[-1] == "… (cut after 20,000 characters)"
    assert len(content) < 21_000


@pytest.mark.usefixtures("trusted")
async def test_starttls_comes_before_login_and_mail() -> None:
    async with MailServer(starttls=True, login=("ana", "s3cret")) as server:
        await by(server.port, "ana", "s3cret", host="localhost", tls="starttls").send(NOTICE)
    assert server.commands == ["EHLO", "STARTTLS", "EHLO", "AUTH", "MAIL", "RCPT", "DATA", "QUIT"]
    assert len(server.mails) == 1


@pytest.mark.usefixtures("trusted")
async def test_tls_from_the_beginning_is_spoken_where_asked_for() -> None:
    async with MailServer(tls=True) as server:
        await by(server.port, host="localhost", tls="ssl").send(NOTICE)
    assert len(server.mails) == 1


async def test_without_starttls_nothing_is_sent() -> None:
    async with MailServer(login=("ana", "s3cret")) as server:
        with pytest.raises(NotifierError, match="STARTTLS extension not supported by server; nothing was sent"):
            await by(server.port, "ana", "s3cret", tls="starttls").send(NOTICE)
    assert server.commands == ["EHLO", "QUIT"]


@pytest.mark.parametrize("tls", ["starttls", "ssl"])
async def test_a_certificate_that_nobody_vouches_for_is_refused(tls: str) -> None:
    async with MailServer(starttls=True, tls=tls == "ssl", login=("ana", "s3cret")) as server:
        with pytest.raises(NotifierError, match=r"no safe connection: .*self-signed"):
            await by(server.port, "ana", "s3cret", host="localhost", tls=tls).send(NOTICE)
    assert "AUTH" not in server.commands
    assert server.mails == []


async def test_a_refused_login_is_told_without_what_was_said() -> None:
    async with MailServer(login=("ana", "other")) as server:
        with pytest.raises(NotifierError, match=r"refuses the login \(535\)") as caught:
            await by(server.port, "ana", "s3cret").send(NOTICE)
    assert "s3cret" not in str(caught.value) + repr(by(1, "ana", "s3cret"))
    assert server.mails == []


async def test_a_server_without_login_is_told() -> None:
    async with MailServer() as server:
        with pytest.raises(NotifierError, match="AUTH extension not supported"):
            await by(server.port, "ana", "s3cret").send(NOTICE)


@pytest.mark.parametrize(
    ("command", "reply", "told"),
    [
        ("MAIL", "550 5.7.1 not you\x1b[2J", r"answers 550 5\.7\.1 not you\\x1b\[2J$"),
        ("RCPT", "550 nobody here", r"refuses ops@example\.org \(550 nobody here\)$"),
        ("DATA", "451 try later", "answers 451 try later$"),
        ("END", "554 this is spam", "answers 554 this is spam$"),
        ("MAIL", "not SMTP at all", "answers -1"),
    ],
)
async def test_a_refusal_is_told_in_the_servers_words_on_one_printable_line(
    command: str, reply: str, told: str
) -> None:
    async with MailServer(replies={command: reply}) as server:
        with pytest.raises(NotifierError, match=rf"^mail: the server {told}") as caught:
            await by(server.port).send(NOTICE)
    assert str(caught.value).isprintable()


async def test_addresses_that_are_refused_are_named_while_the_others_get_the_mail() -> None:
    async with MailServer(replies={"rcpt TO:<b@example.org>": "550 no such user"}) as server:
        with pytest.raises(NotifierError, match=r"refuses b@example\.org \(550 no such user\); 2 of its addresses"):
            await by(server.port, recipients=("a@example.org", "b@example.org", "c@example.org")).send(NOTICE)
    assert len(server.mails) == 1


async def test_what_a_server_says_to_the_leave_changes_nothing() -> None:
    async with MailServer(replies={"QUIT": "500 what?"}) as server:
        await by(server.port).send(NOTICE)
    assert len(server.mails) == 1


async def test_a_server_that_never_answers_is_given_up_in_time() -> None:
    with silent_port() as port, pytest.raises(NotifierError, match=r"not sent within 0\.2 s|does not answer"):
        await by(port, timeout=0.2).send(NOTICE)
    async with MailServer(mute="MAIL") as server:
        with pytest.raises(NotifierError, match=r"not sent within 0\.2 s|does not answer"):
            await by(server.port, timeout=0.2).send(NOTICE)


async def test_a_server_that_is_not_there_is_told() -> None:
    with pytest.raises(NotifierError, match=r"^mail: cannot connect: Connection refused$"):
        await by(closed_port()).send(NOTICE)


def test_mail_without_tls_goes_to_the_loopback_only() -> None:
    assert settings(host="localhost").tls == settings(host="::1").tls == "none"
    with pytest.raises(BadChannel, match=r"^tls: mail without TLS is sent to the loopback only"):
        settings(host="smtp.example.org")


def test_the_certificate_of_these_tests_has_not_run_out() -> None:
    context = ssl.create_default_context(cafile=str(CERTIFICATE))
    (certificate,) = context.get_ca_certs()
    assert int(str(certificate["notAfter"]).split()[3]) > 2100
