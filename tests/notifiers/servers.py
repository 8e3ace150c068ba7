"""Real servers on the loopback: one that hooks are posted to, one that takes mail, and one that never says a word."""

import asyncio
import base64
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

CERTIFICATE = Path(__file__).parent / "localhost.pem"


def server_tls() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    return context


@contextmanager
def silent_port() -> Iterator[int]:
    """Give a port that connections are taken at, and never answered."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def closed_port() -> int:
    """Give a port that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@dataclass
class Post:
    path: str
    headers: dict[str, str]
    body: bytes


class HookServer:
    """Keeps what is posted to it, and answers with a status."""

    def __init__(self, *, tls: bool = False) -> None:
        self.posts: list[Post] = []
        self.status, self.headers, self.body = 204, dict[str, str](), b""
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                server.posts.append(Post(self.path, dict(self.headers), body))
                self.send_response(server.status)
                for name, value in server.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(server.body)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = _Quiet(("127.0.0.1", 0), Handler)
        if tls:
            self._server.socket = server_tls().wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)


class _Quiet(ThreadingHTTPServer):
    def handle_error(self, *_: Any) -> None:
        """A client that does not trust this server breaks off; that is what some tests are about."""


@dataclass
class MailServer:
    """Speaks as much SMTP as a client needs, and keeps the mails it took."""

    extensions: list[str] = field(default_factory=list)
    starttls: bool = False
    tls: bool = False
    login: tuple[str, str] | None = None
    replies: dict[str, str] = field(default_factory=dict)
    """What is said to a command, by its first word or by the whole, instead of the usual."""
    mute: str = ""
    """The command that is never answered."""
    mails: list[bytes] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    port: int = 0

    async def __aenter__(self) -> Self:
        context = server_tls() if self.tls else None
        self._sessions: set[asyncio.Task[None]] = set()
        self._server = await asyncio.start_server(self._begin, "127.0.0.1", 0, ssl=context)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for session in self._sessions:
            session.cancel()
        await asyncio.gather(*self._sessions, return_exceptions=True)

    @property
    def commands(self) -> list[str]:
        return [line.split()[0].upper() for line in self.said]

    def _begin(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._session(reader, writer))
        self._sessions.add(task)

    async def _session(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        secure = self.tls
        try:
            writer.write(b"220 localhost\r\n")
            while line := (await reader.readline()).decode().rstrip("\r\n"):
                self.said.append(line)
                word = line.split()[0].upper()
                if word == self.mute:
                    await asyncio.Event().wait()
                reply = self.replies.get(line) or self.replies.get(word) or self._reply(line, word, secure)
                writer.write(f"{reply}\r\n".encode())
                if word == "STARTTLS" and reply.startswith("220"):
                    await writer.start_tls(server_tls())
                    secure = True
                elif word == "DATA" and reply.startswith("354"):
                    mail = await reader.readuntil(b"\r\n.\r\n")
                    self.mails.append(mail.removesuffix(b".\r\n").replace(b"\r\n..", b"\r\n."))
                    writer.write(f"{self.replies.get('END', '250 taken')}\r\n".encode())
                elif word == "QUIT":
                    break
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            pass
        finally:
            writer.close()

    def _reply(self, line: str, word: str, secure: bool) -> str:
        match word:
            case "EHLO":
                offered = ["localhost", *self.extensions]
                offered += ["STARTTLS"] if self.starttls and not secure else []
                offered += ["AUTH PLAIN"] if self.login else []
                return "\r\n".join([*(f"250-{one}" for one in offered[:-1]), f"250 {offered[-1]}"])
            case "STARTTLS":
                return "220 go on" if self.starttls else "502 no such command"
            case "AUTH":
                given = base64.b64decode(line.rpartition(" ")[2]).decode().split("\0")[1:]
                return "235 welcome" if self.login and given == list(self.login) else f"535 no: {given[-1]}"
            case "DATA":
                return "354 go on"
            case "QUIT":
                return "221 bye"
            case _:
                return "250 ok"
