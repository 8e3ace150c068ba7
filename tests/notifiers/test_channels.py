"""Channels are read from a workspace, and whatever is wrong with one is told with its place and how to mend it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stretto.channels import USUAL, Mail, Terminal, Webhook, read_channel
from stretto.core.errors import BadWorkspace, UsageError
from stretto.notifiers import notifiers_of
from stretto.workspace import read_workspace

MAIL = {"mail": "ops@example.org", "from": "stretto@example.org", "server": "smtp.example.org"}
ALL = """
notify:
  - terminal
  - {webhook: https://example.org/hook, secret_env: HOOK_SECRET, on: [breaker, halted, ended]}
  - {mail: ops@example.org, from: stretto@example.org, server: "smtp.example.org:587", user_env: SMTP_USER, password_env: SMTP_PASSWORD, on: [request, escalated]}
"""  # noqa: E501


@pytest.fixture
def workspace(tmp_path: Path) -> Callable[[str], tuple[dict[str, Any], ...]]:
    def read(text: str) -> tuple[dict[str, Any], ...]:
        (tmp_path / "workspace.yaml").write_text(f"name: x\n{text}", encoding="utf-8")
        return read_workspace(tmp_path).notify

    return read


def test_a_workspace_names_its_channels(workspace: Callable[[str], tuple[dict[str, Any], ...]]) -> None:
    entries = workspace(ALL)
    assert entries[0] == {"terminal": True}
    terminal, hook, mail = map(read_channel, entries)
    assert (terminal.transport, terminal.on, terminal.to) == (Terminal(), USUAL, ())
    assert hook.transport == Webhook(url="https://example.org/hook", secret_env="HOOK_SECRET")  # noqa: S106
    assert hook.on == ("breaker", "halted", "ended")
    assert mail.transport == Mail(
        recipients=("ops@example.org",),
        sender="stretto@example.org",
        host="smtp.example.org",
        user_env="SMTP_USER",
        password_env="SMTP_PASSWORD",  # noqa: S106
    )
    environ = {"HOOK_SECRET": "a", "SMTP_USER": "b", "SMTP_PASSWORD": "c"}
    assert [one.name for one in notifiers_of(entries, environ)] == [
        *("terminal", "webhook https://example.org", "mail smtp.example.org")
    ]


def test_a_workspace_without_channels_has_none(workspace: Callable[[str], tuple[dict[str, Any], ...]]) -> None:
    assert workspace("") == workspace("notify: []\n") == ()


@pytest.mark.parametrize(
    ("server", "tls", "expected"),
    [
        ("smtp.example.org", None, ("smtp.example.org", 587, "starttls")),
        ("smtp.example.org:2525", None, ("smtp.example.org", 2525, "starttls")),
        ("smtp.example.org:465", None, ("smtp.example.org", 465, "ssl")),
        ("smtp.example.org", "ssl", ("smtp.example.org", 465, "ssl")),
        ("localhost", "none", ("localhost", 25, "none")),
        ("[::1]:2525", "none", ("::1", 2525, "none")),
    ],
)
def test_a_mail_server_has_the_port_and_tls_that_go_together(
    server: str, tls: str | None, expected: tuple[str, int, str]
) -> None:
    mail = read_channel({**MAIL, "server": server, **({"tls": tls} if tls else {})}).transport
    assert isinstance(mail, Mail)
    assert (mail.host, mail.port, mail.tls) == expected


def test_one_name_may_stand_without_a_list() -> None:
    channel = read_channel({"terminal": True, "on": "ended", "to": "ana"})
    assert (channel.on, channel.to) == (("ended",), ("ana",))


@pytest.mark.parametrize(
    ("entry", "field", "told"),
    [
        ("slack", "", "no channel: `terminal`, `webhook: URL`, or `mail: ADDRESS`"),
        (3, "", "no channel"),
        (None, "", "no channel"),
        ({}, "", "no channel"),
        ({"webhook": "https://example.org", **MAIL}, "", "more than one channel"),
        ({"terminal": False}, "terminal", "remove the entry"),
        ({"terminal": "yes"}, "terminal", "true or false"),
        ({"terminal": True, "bell": 1}, "bell", "true or false"),
        ({"terminal": True, "on": ["endet"]}, "on", "knows no 'endet'; it knows request, reminder"),
        ({"terminal": True, "on": []}, "on", "name some, or leave it out"),
        ({"terminal": True, "on": [1]}, "on", "a text or a list of texts"),
        ({"terminal": True, "to": {"a": 1}}, "to", "a text or a list of texts"),
        ({"terminal": True, "volume": 11}, "volume", "a terminal channel has no field 'volume'; known: terminal, bell"),
        ({"webhook": 5}, "webhook", "write `webhook: https://"),
        ({"webhook": "http://example.org"}, "webhook", "insecure: true"),
        ({"webhook": "https://example.org", "secret": "s3cret"}, "secret", "known: webhook, secret_env"),
        ({"webhook": "https://example.org", "secret_env": "s3cret!"}, "secret_env", "the secret never"),
        ({"webhook": "https://example.org", "secret_env": 7}, "secret_env", "NAME_OF_A_VARIABLE"),
        ({"webhook": "https://example.org", "timeout": 0}, "timeout", "above 0 and at most 10"),
        ({"webhook": "https://example.org", "timeout": 11}, "timeout", "above 0 and at most 10"),
        ({"webhook": "https://example.org", "timeout": float("nan")}, "timeout", "above 0"),
        ({"webhook": "https://example.org", "timeout": True}, "timeout", "in seconds"),
        ({"mail": "ops@example.org", "server": "smtp.example.org"}, "from", "`from: ADDRESS`"),
        ({"mail": "ops@example.org", "from": "a@b.org"}, "server", "smtp.example.org:587"),
        ({**MAIL, "mail": []}, "mail", "name some"),
        ({**MAIL, "mail": ["a@b.org", "Ana <ana@example.org>"]}, "mail[1]", "no plain mail address"),
        ({**MAIL, "mail": "a@b.org\r\nBcc: c@d.org"}, "mail", "no plain mail address"),
        ({**MAIL, "mail": "a@b.org, c@d.org"}, "mail", "no plain mail address"),
        ({**MAIL, "mail": "=?utf-8?q?s3cret?=@b.org"}, "mail", "no plain mail address"),
        ({**MAIL, "from": "ana"}, "from", "no plain mail address"),
        ({**MAIL, "server": "ana:s3cret@smtp.example.org"}, "server", "write it like smtp.example.org:587"),
        ({**MAIL, "server": "smtp.example.org:0"}, "server", "write it like"),
        ({**MAIL, "server": "smtp.example.org:65536"}, "server", "write it like"),
        ({**MAIL, "server": "::1"}, "server", "write it like"),
        ({**MAIL, "server": f"{'a' * 64}.org"}, "server", "write it like"),
        ({**MAIL, "tls": "none"}, "tls", "loopback only"),
        ({**MAIL, "tls": "tls"}, "tls", "it knows starttls, ssl, none"),
        ({**MAIL, "user_env": "A"}, "user_env", "add `password_env: VARIABLE`"),
        ({**MAIL, "password_env": "A"}, "password_env", "add `user_env: VARIABLE`"),
    ],
)
def test_what_is_wrong_with_a_channel_is_told_with_entry_field_and_mend(entry: Any, field: str, told: str) -> None:
    with pytest.raises(UsageError) as caught:
        notifiers_of(["terminal", entry])
    message = str(caught.value)
    assert message.startswith(f"notify[1].{field}: " if field else "notify[1]: ")
    assert told in message
    assert "s3cret" not in message


@pytest.mark.parametrize(
    ("text", "place", "told"),
    [
        ("notify: terminal\n", ":2:1", "`notify` is a list of channels"),
        ("notify:\n  - terminal\n  - slack\n", ":4:5", "this is no channel"),
        ("notify:\n  - webhook: http://u:s3cret@example.org/s3cret\n", ":3:5", "loopback only"),
        ("notify:\n  - {terminal: true, on: [endet]}\n", ":3:22", "knows no 'endet'"),
        ("notify:\n  - mail: a@b.org\n    from: c@d.org\n    server: h\n    tls: none\n", ":6:5", "loopback only"),
        ("notify:\n  - mail: a@b.org\n    server: h\n", ":3:5", "`from` is missing"),
        ("notify:\n  - mail: [a@b.org, s3cret]\n    from: c@d.org\n    server: h\n", ":3:21", "plain mail address"),
    ],
)
def test_a_workspace_tells_file_line_and_column_of_a_wrong_channel(
    workspace: Callable[[str], object], text: str, place: str, told: str
) -> None:
    with pytest.raises(BadWorkspace, match=rf"workspace\.yaml{place}: ") as caught:
        workspace(text)
    assert told in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_a_workspace_is_read_without_its_secrets(workspace: Callable[[str], object]) -> None:
    assert workspace(ALL)


@pytest.mark.parametrize(
    ("environ", "told"),
    [
        ({}, r"^notify\[0\]\.user_env: the environment has no variable USER_X, or it is empty; set it"),
        ({"USER_X": "a", "PASSWORD_X": ""}, r"^notify\[0\]\.password_env: the environment has no variable PASSWORD_X"),
        ({"USER_X": "a", "PASSWORD_X": "pässword"}, r"^notify\[0\]\.password_env: .*beyond ASCII"),
    ],
)
def test_a_secret_that_is_named_must_be_there(environ: dict[str, str], told: str) -> None:
    with pytest.raises(UsageError, match=told) as caught:
        notifiers_of([{**MAIL, "user_env": "USER_X", "password_env": "PASSWORD_X"}], environ)
    assert "pässword" not in str(caught.value)


def test_channels_of_one_kind_are_told_apart_by_name() -> None:
    notifiers = notifiers_of([{"webhook": "https://example.org/a"}, {"webhook": "https://example.org/b"}])
    assert [one.name for one in notifiers] == ["webhook https://example.org", "webhook https://example.org (2)"]
