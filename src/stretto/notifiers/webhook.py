"""Notices as JSON, posted to an address."""

import asyncio
import hashlib
import hmac
import json
from dataclasses import asdict, dataclass, field
from urllib.parse import quote

import httpx

from stretto.channels import Webhook
from stretto.core.domain import Notice
from stretto.core.errors import NotifierError
from stretto.notifiers.wording import one_line
from stretto.threads import in_thread

SIGNATURE = "Stretto-Signature"
_VISIBLE = "".join(chr(code) for code in range(33, 127) if chr(code) != "%")


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookNotifier:
    """Posts each notice once; any status but 2xx is a failure.

    Redirects are not followed, proxies, cookies and netrc of the environment not used, answers not read.
    """

    name: str = "webhook"
    settings: Webhook
    secret: str = field(default="", repr=False)

    async def send(self, notice: Notice) -> None:
        try:
            async with asyncio.timeout(self.settings.timeout):
                status = await _post(self._request(notice))
        except (TimeoutError, httpx.TimeoutException):
            raise self._failed(f"no answer within {self.settings.timeout:g} s") from None
        except httpx.ConnectError as error:
            raise self._failed(f"cannot connect: {one_line(str(error))}") from None
        except httpx.HTTPError as error:
            raise self._failed(f"the answer broke off or is no HTTP ({type(error).__name__})") from None
        except OSError as error:
            raise self._failed(f"the certificates of SSL_CERT_FILE cannot be read: {error.strerror}") from None
        if 300 <= status < 400:
            raise self._failed(f"it answers {_told(status)}; redirects are not followed, name the address itself")
        if not 200 <= status < 300:
            raise self._failed(f"it answers {_told(status)}")

    def _request(self, notice: Notice) -> httpx.Request:
        url, body = httpx.URL(self.settings.url), body_of(notice)
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": quote(notice.id, safe=_VISIBLE, errors="surrogatepass"),
            "User-Agent": "Stretto",
        }
        if self.secret:
            headers[SIGNATURE] = signature_of(body, self.secret)
        request = httpx.Request("POST", url, headers=headers, content=body)
        if url.userinfo:
            request = next(httpx.BasicAuth(url.username, url.password).sync_auth_flow(request))
        return request

    def _failed(self, problem: str) -> NotifierError:
        return NotifierError(f"{self.name}: {problem}")


def body_of(notice: Notice) -> bytes:
    """Give the JSON that is posted: the notice's fields, the same bytes on every repetition."""
    return json.dumps(asdict(notice), allow_nan=False).encode("ascii")


def signature_of(body: bytes, secret: str) -> str:
    """Give the signature of a body: `sha256=` and the HMAC-SHA256 of its bytes, keyed with the secret, in hex."""
    return f"sha256={hmac.new(secret.encode(errors='surrogateescape'), body, hashlib.sha256).hexdigest()}"


async def _post(request: httpx.Request) -> int:
    """Send a request and give the status of the answer.

    The transport is used by itself: the client would write the address, which may hold secrets, into the log.
    """
    # Reading the certificates of all authorities takes 40 ms, too long for the loop.
    async with await in_thread(httpx.AsyncHTTPTransport) as transport:
        response = await transport.handle_async_request(request)
        await response.aclose()
        return response.status_code


def _told(status: int) -> str:
    return f"{status} {httpx.codes.get_reason_phrase(status)}".rstrip()
