"""A collector of OpenTelemetry: a real HTTP server that reads OTLP, as protobuf, and keeps what it was sent.

    with Collector() as collector:
        ...  # a program with OTEL_EXPORTER_OTLP_ENDPOINT=collector.endpoint
    for span in collector.spans: ...

It can as well be unwell: answer with an error, answer late, or never.
"""

import gzip
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

PATIENCE = 20.0
"""Seconds that a test waits for something to arrive."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A span as it arrived; times in nanoseconds since the epoch."""

    trace: str
    id: str
    parent: str
    name: str
    kind: int
    begin: int
    end: int
    status: int
    attributes: dict[str, Any]
    events: tuple[tuple[str, int, dict[str, Any]], ...]
    links: tuple[tuple[str, str, str], ...]
    resource: dict[str, Any] = field(compare=False, default_factory=dict)

    @property
    def what(self) -> str:
        return str(self.attributes["gen_ai.operation.name"])


class Collector:
    """Listens on a port of this machine until it is left; `status` is what it answers with, `late` after how long."""

    def __init__(self, status: int = 200, late: threading.Event | None = None, port: int = 0) -> None:
        self.spans: list[Seen] = []
        self.metrics: dict[str, list[Any]] = {}
        self.asked = 0
        self.headers: list[dict[str, str]] = []
        self._moved = threading.Condition()
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                collector.asked += 1
                collector.headers.append({name.lower(): value for name, value in self.headers.items()})
                if late is not None:
                    late.wait(PATIENCE)
                if status == 200:
                    collector.take(self.path, body)
                self.send_response(status)
                self.send_header("Content-Type", "application/x-protobuf")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Keep quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def take(self, path: str, body: bytes) -> None:
        """Read what was sent."""
        with self._moved:
            if path == "/v1/traces":
                self.spans += _spans(ExportTraceServiceRequest.FromString(body))
            elif path == "/v1/metrics":
                for resource in ExportMetricsServiceRequest.FromString(body).resource_metrics:
                    for scope in resource.scope_metrics:
                        self.metrics |= {one.name: _points(one) for one in scope.metrics}
            else:
                raise AssertionError(path)
            self._moved.notify_all()

    def wait_for(self, wanted: Callable[["Collector"], bool]) -> None:
        """Return when what was wanted is there."""
        with self._moved:
            assert self._moved.wait_for(lambda: wanted(self), PATIENCE), [one.name for one in self.spans]

    def of(self, what: str) -> list[Seen]:
        """Give the spans of an operation, each once, as they began."""
        once = {one.id: one for one in self.spans if one.what == what}
        return sorted(once.values(), key=lambda one: one.begin)

    def children(self, of: Seen) -> list[Seen]:
        once = {one.id: one for one in self.spans if one.parent == of.id}
        return sorted(once.values(), key=lambda one: one.begin)


def _spans(sent: ExportTraceServiceRequest) -> list[Seen]:
    return [
        Seen(
            trace=one.trace_id.hex(),
            id=one.span_id.hex(),
            parent=one.parent_span_id.hex(),
            name=one.name,
            kind=one.kind,
            begin=one.start_time_unix_nano,
            end=one.end_time_unix_nano,
            status=one.status.code,
            attributes=_read(one.attributes),
            events=tuple((event.name, event.time_unix_nano, _read(event.attributes)) for event in one.events),
            links=tuple(
                (link.trace_id.hex(), link.span_id.hex(), str(_read(link.attributes)["stretto.link"]))
                for link in one.links
            ),
            resource=_read(resource.resource.attributes),
        )
        for resource in sent.resource_spans
        for scope in resource.scope_spans
        for one in scope.spans
    ]


def _points(metric: Any) -> list[Any]:
    data = getattr(metric, metric.WhichOneof("data"))
    return [(_read(one.attributes), one) for one in data.data_points]


def _read(attributes: "list[KeyValue] | Any") -> dict[str, Any]:
    return {one.key: _value(one.value) for one in attributes}


def _value(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(one) for one in value.array_value.values]
    return getattr(value, kind)
