"""A webhook hears of each notice once per sending, signed, over a safe way, and its secrets stay secret."""

import hashlib
import hmac
import json
import logging
from dataclasses import asdict

import pytest

from stretto.channels import Webhook
from stretto.core.domain import Notice
from stretto.core.errors import BadChannel, NotifierError
from stretto.notifiers.webhook import WebhookNotifier
from tests.notifiers.servers import CERTIFICATE, HookServer, closed_port, silent_port

NOTICE = Notice(
    id="run-1:fix:request",
    kind="request",
    run="run-1",
    task="fix",
    text="Apply the diff?",
    at=1.5,
    to="ana",
    urgent=True,
)
HOSTILE = 'x\x1b[2J\r\nSet-Cookie: a=b\n"}\ud800\u202e\0 é 🙂'


def hook(url: str, secret: str = "", **options: object) -> WebhookNotifier:
    return WebhookNotifier(settings=Webhook(url=url, **options), secret=secret)  # type: ignore[arg-type]


async def test_a_notice_is_posted_as_json_with_all_its_fields_and_its_id_as_idempotency_key() -> None:
    with HookServer() as server:
        await hook(f"http://127.0.0.1:{server.port}/hook?team=a").send(NOTICE)
    (post,) = server.posts
    assert post.path == "/hook?team=a"
    assert json.loads(post.body) == asdict(NOTICE)
    assert post.headers["Content-Type"] == "application/json"
    assert post.headers["Idempotency-Key"] == NOTICE.id
    assert "Stretto-Signature" not in post.headers


async def test_a_repetition_is_the_same_to_the_byte() -> None:
    with HookServer() as server:
        for _ in range(2):
            await hook(f"http://localhost:{server.port}", "key").send(NOTICE)
    first, second = server.posts
    assert (first.body, first.headers) == (second.body, second.headers)


async def test_the_signature_is_the_hmac_of_the_bytes_that_arrive() -> None:
    with HookServer() as server:
        await hook(f"http://127.0.0.1:{server.port}", "s3cret").send(NOTICE)
    (post,) = server.posts
    expected = hmac.new(b"s3cret", post.body, hashlib.sha256).hexdigest()
    assert post.headers["Stretto-Signature"] == f"sha256={expected}"


async def test_hostile_texts_and_ids_arrive_as_data_and_make_no_header() -> None:
    with HookServer() as server:
        await hook(f"http://127.0.0.1:{server.port}").send(
            Notice(id=f"100% {HOSTILE}", kind="halted", run=HOSTILE, text=HOSTILE)
        )
    (post,) = server.posts
    told = json.loads(post.body)
    assert told["text"] == told["run"] == HOSTILE
    assert "Set-Cookie" not in post.headers
    key = post.headers["Idempotency-Key"]
    assert key.isascii()
    assert key.isprintable()
    assert key.startswith("100%25%20x%1B[2J%0D%0ASet-Cookie:")


async def test_a_user_in_the_address_becomes_a_login_and_no_proxy_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{closed_port()}")
    with HookServer() as server:
        await hook(f"http://ana:pa%20ss@127.0.0.1:{server.port}/").send(NOTICE)
    (post,) = server.posts
    assert post.headers["Authorization"] == "Basic YW5hOnBhIHNz"
    assert post.headers["Host"] == f"127.0.0.1:{server.port}"


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_redirects_are_not_followed(status: int) -> None:
    with HookServer() as elsewhere, HookServer() as server:
        server.status, server.headers = status, {"Location": f"http://127.0.0.1:{elsewhere.port}/s3cret"}
        with pytest.raises(NotifierError, match=f"answers {status} .*redirects are not followed") as caught:
            await hook(f"http://127.0.0.1:{server.port}").send(NOTICE)
    assert elsewhere.posts == []
    assert len(server.posts) == 1
    assert "s3cret" not in str(caught.value)


async def test_a_refusal_is_told_by_its_status_once_and_without_what_the_server_says() -> None:
    with HookServer() as server:
        server.status, server.body = 503, b"internal: s3cret"
        with pytest.raises(NotifierError, match=r"answers 503 Service Unavailable$") as caught:
            await hook(f"http://127.0.0.1:{server.port}").send(NOTICE)
    assert len(server.posts) == 1
    assert "s3cret" not in str(caught.value)


async def test_an_endless_answer_is_not_read() -> None:
    with HookServer() as server:
        server.status, server.headers = 200, {"Content-Length": str(10**15)}
        await hook(f"http://127.0.0.1:{server.port}", timeout=5.0).send(NOTICE)
    assert len(server.posts) == 1


async def test_a_server_that_never_answers_is_given_up_in_time() -> None:
    with silent_port() as port, pytest.raises(NotifierError, match=r"no answer within 0\.2 s"):
        await hook(f"http://127.0.0.1:{port}", timeout=0.2).send(NOTICE)


@pytest.mark.parametrize("path", ["/s3cret/hook", "/?key=s3cret", "/#s3cret"])
async def test_neither_errors_nor_names_nor_logs_show_what_may_be_secret(
    path: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    nobody = hook(f"http://ana:s3cret@127.0.0.1:{closed_port()}{path}", "s3cret")
    with pytest.raises(NotifierError, match=r"^webhook: cannot connect") as caught:
        await nobody.send(NOTICE)
    with HookServer() as server:
        await hook(f"http://ana:s3cret@127.0.0.1:{server.port}{path}", "s3cret").send(NOTICE)
    for told in (str(caught.value), nobody.settings.name, repr(nobody), caplog.text):
        assert "s3cret" not in told


async def test_an_answer_that_is_no_http_is_told_and_not_repeated() -> None:
    with HookServer(tls=True) as server, pytest.raises(NotifierError, match="broke off or is no HTTP"):
        await hook(f"http://127.0.0.1:{server.port}", timeout=5.0).send(NOTICE)


async def test_https_takes_a_trusted_certificate_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    with HookServer(tls=True) as server:
        with pytest.raises(NotifierError, match=r"cannot connect: .*certificate"):
            await hook(f"https://localhost:{server.port}", insecure=True).send(NOTICE)
        assert server.posts == []
        monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
        await hook(f"https://localhost:{server.port}").send(NOTICE)
    assert len(server.posts) == 1


async def test_certificates_that_are_not_there_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE.with_name("none.pem")))
    with pytest.raises(NotifierError, match="SSL_CERT_FILE cannot be read: No such file or directory"):
        await hook("https://localhost/").send(NOTICE)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/hook",
        "http://10.0.0.1/",
        "http://127.0.0.1.example.org/",
        "http://localhost.example.org/",
        "http://127.0.0.1@example.org/",
        "http://0.0.0.0/",
        "http://2130706433/",
        "http://[::2]/",
    ],
)
def test_plain_http_goes_to_the_loopback_only_unless_somebody_says_so(url: str) -> None:
    with pytest.raises(BadChannel, match=r"loopback only.*insecure: true"):
        Webhook(url=url)
    assert Webhook(url=url, insecure=True).url == url


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "localhost", "LOCALHOST.", "[::1]"])
def test_the_loopback_is_told_by_its_spelling(host: str) -> None:
    assert Webhook(url=f"http://{host}:8080/hook").url


@pytest.mark.parametrize(
    "url",
    [
        "example.org/s3cret",
        "ftp://s3cret.example.org/",
        "https:///s3cret",
        "https://exa mple.org/s3cret",
        "https://example.org\\@s3cret/",
        "https://example.org/s3cret\r\nX: y",
        "https://h:99999/s3cret",
        "https://a..b/s3cret",
        "https://localhost%2eexample.org/s3cret",
        "https://example.org/" + "s3cret" * 1000,
        "",
    ],
)
def test_what_is_no_address_of_the_web_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(BadChannel, match="no address of the web; write it like https://") as caught:
        Webhook(url=url, insecure=True)
    assert "s3cret" not in str(caught.value)
