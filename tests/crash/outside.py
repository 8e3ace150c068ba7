"""The outside world as a process of its own: it does what it is asked, logs it, and does not know about runs.

`python -m tests.crash.outside` prints the port where it listens.

It is not idempotent: asked twice, it does it twice, and the log shows it. Some requests are answered badly the first
time: the connection breaks after the deed (`lost`), the answer comes too late (`late`), or it is busy (`flaky`).
"""

import json
import socket
import sys
import threading
import time
from collections import defaultdict
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from select import select
from typing import Any, ClassVar
from urllib.parse import quote

from tests import forked

LATE = 1.2
"""Seconds after which a late answer comes; longer than its agent waits."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    log: ClassVar[dict[str, list[dict[str, str]]]] = defaultdict(list)
    lock = threading.Lock()

    def do_POST(self) -> None:
        try:
            case, deed = self._read()
        except ValueError:  # whoever asked has died over it
            self.close_connection = True
            return
        with self.lock:
            first = not any(one["kind"] == deed["kind"] and one["name"] == deed["name"] for one in self.log[case])
            busy = deed["kind"] == "flaky" and first
            self.log[case].append(deed)
        if deed["kind"] == "lost" and first:
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
            return
        if deed["kind"] == "late" and first:
            time.sleep(LATE)
        self._say(503 if busy else 200, {"did": f"{deed['kind']} {deed['name']}"})

    def do_GET(self) -> None:
        _, case, *rest = self.path.split("/")
        with self.lock:
            deeds = list(self.log[case])
        if not rest:
            self._say(200, deeds)
            return
        found = next((one for one in deeds if one["key"] == rest[0]), None)
        self._say(200, None if found is None else {"did": f"{found['kind']} {found['name']}"})

    def _read(self) -> tuple[str, dict[str, str]]:
        size = int(self.headers.get("Content-Length", 0))
        return self.path.strip("/"), json.loads(self.rfile.read(size))

    def _say(self, status: int, body: Any) -> None:
        raw = json.dumps(body).encode()
        try:
            self.send_response(status)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)
        except OSError:
            self.close_connection = True  # whoever asked has died

    def log_message(self, *_: Any) -> None:
        """Say nothing; the log is the answer to GET."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_: Any) -> None:
        """A client that was killed is no error."""
        if isinstance(sys.exc_info()[1], OSError):
            return
        super().handle_error(*_)


def main() -> None:
    server = _Server(("127.0.0.1", 0), _Handler)
    print(server.server_address[1], flush=True)
    server.serve_forever()


class Outside:
    """The world, begun and ended; `port` is where it listens."""

    def __enter__(self) -> "Outside":
        self._process = forked.Popen([sys.executable, "-m", "tests.crash.outside"], cwd=forked.ROOT)
        assert self._process.stdout is not None
        if not select([self._process.stdout], [], [], 20)[0]:
            raise RuntimeError("the outside world did not begin")
        self.port = int(self._process.stdout.readline())
        return self

    def __exit__(self, *_: object) -> None:
        self._process.close()

    def deeds(self, case: str) -> list[dict[str, str]]:
        """Give everything that was asked for in one case, in order."""
        return list(ask(self.port, "GET", f"/{case}"))


def ask(port: int, method: str, path: str, body: Any = None, *, timeout: float = 20) -> Any:
    """Ask the world; raises OSError when the line breaks, and ConnectionRefusedError when it is busy."""
    connection = HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request(method, quote(path), json.dumps(body) if body is not None else None)
        answer = connection.getresponse()
        raw = answer.read()
    finally:
        connection.close()
    if answer.status == 503:
        raise ConnectionRefusedError("it is busy")
    return json.loads(raw)


if __name__ == "__main__":
    main()
