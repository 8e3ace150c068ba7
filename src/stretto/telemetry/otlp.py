"""The SDK of OpenTelemetry: the only file that loads it. Spans and metrics go out over HTTP as OTLP.

The standard variables for batches, intervals, headers, certificates, compression, timeouts, resources, samplers and
limits hold, for the SDK's own processors and exporters are at work. The spans are our own, for they carry ids that
follow from what they are, and times that are past.
"""

import logging
import os
import threading
import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.sdk.metrics import AlwaysOffExemplarFilter, MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Attributes, Resource
from opentelemetry.sdk.trace import Event as SpanEvent
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import Decision
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from stretto.telemetry import names
from stretto.telemetry.choosing import Telemetry
from stretto.telemetry.measures import Measure
from stretto.telemetry.shape import Span, Value

_SAMPLED = TraceFlags(TraceFlags.SAMPLED)
_KINDS = {"internal": SpanKind.INTERNAL, "client": SpanKind.CLIENT}
_FINE = Status(StatusCode.UNSET)
_QUEUE_SIZE, _BATCH_SIZE = 2048, 512  # as the specification of OpenTelemetry says


class OtlpPipeline:
    """See `stretto.telemetry.exporting.Pipeline`."""

    def __init__(self, telemetry: Telemetry) -> None:
        logging.getLogger("opentelemetry").addHandler(logging.NullHandler())  # it is said once, and by us
        self._resource, self._scope = _resource(), InstrumentationScope("stretto", _release())
        self._spans = _Spans(telemetry.traces) if telemetry.traces is not None else None
        self._metrics = _Metrics(telemetry.metrics, self._resource) if telemetry.metrics is not None else None
        self._limits = SpanLimits()
        self._sampler = TracerProvider(shutdown_on_exit=False).sampler

    @property
    def room(self) -> int:
        return 1 if self._spans is None else self._spans.room

    @property
    def failed(self) -> int:
        return 0 if self._spans is None else self._spans.counting.failed

    def wait_for_room(self, seconds: float) -> None:
        if self._spans is not None:
            self._spans.counting.wait(seconds)

    def put(self, span: Span) -> None:
        if self._spans is None:
            return
        sampled = self._sampler.should_sample(None, span.trace, span.name).decision
        if sampled is Decision.RECORD_AND_SAMPLE:
            self._spans.put(self._readable(span))

    def measure(self, measure: Measure) -> None:
        if self._metrics is not None:
            self._metrics.record(measure)

    def queues(self, ready: int, running: int) -> None:
        if self._metrics is not None:
            self._metrics.ready, self._metrics.running = ready, running
            self._metrics.count()

    def dropped(self, events: int) -> None:
        if self._metrics is not None:
            self._metrics.dropped = events

    def close(self) -> None:
        if self._spans is not None:
            self._spans.processor.shutdown()  # type: ignore[no-untyped-call]
        if self._metrics is not None:
            self._metrics.provider.shutdown()

    def abandon(self) -> None:
        if self._spans is not None:
            self._spans.counting.shutdown()

    def _readable(self, span: Span) -> ReadableSpan:
        attributes = self._within_limits(span.attributes)
        marks = span.marks[: self._limits.max_events]
        links = span.links[: self._limits.max_links]
        return ReadableSpan(
            name=span.name,
            context=_context(span.trace, span.id),
            parent=_parent(span.trace, span.parent) if span.parent is not None else None,
            resource=self._resource,
            attributes=attributes,
            events=[SpanEvent(one.name, self._within_limits(one.attributes), _nanoseconds(one.at)) for one in marks],
            links=[Link(_context(one.trace, one.span), {names.LINK: one.what}) for one in links],
            kind=_KINDS[span.kind],
            status=Status(StatusCode.ERROR, span.error) if span.error else _FINE,
            start_time=_nanoseconds(span.begin),
            end_time=_nanoseconds(span.end),
            instrumentation_scope=self._scope,
        )

    def _within_limits(self, attributes: dict[str, Value]) -> dict[str, Value]:
        longest = self._limits.max_span_attribute_length
        return {name: _cut(value, longest) for name, value in attributes.items()}


class _Spans:
    """The way of spans out of here."""

    def __init__(self, address: str) -> None:
        self._queue = max(_number("OTEL_BSP_MAX_QUEUE_SIZE", _QUEUE_SIZE), 1)
        batch = min(max(_number("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", _BATCH_SIZE), 1), self._queue)
        self.counting = _Counting(OTLPSpanExporter(endpoint=address))
        self.processor = BatchSpanProcessor(self.counting, max_queue_size=self._queue, max_export_batch_size=batch)
        self._put = 0

    @property
    def room(self) -> int:
        return self._queue - (self._put - self.counting.done)

    def put(self, span: ReadableSpan) -> None:
        self._put += 1
        self.processor.on_end(span)


class _Counting(SpanExporter):
    """Counts what an exporter is done with, and tells those who wait for it."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._moved = threading.Condition()
        self.done = self.failed = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = SpanExportResult.FAILURE
        try:
            result = self._exporter.export(spans)
        finally:
            with self._moved:
                self.done += len(spans)
                self.failed += 0 if result is SpanExportResult.SUCCESS else len(spans)
                self._moved.notify_all()
        return result

    def wait(self, seconds: float) -> None:
        with self._moved:
            self._moved.wait(seconds)

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)


class _Metrics:
    """The instruments, and the way of what they measure out of here."""

    def __init__(self, address: str, resource: Resource) -> None:
        reader = PeriodicExportingMetricReader(OTLPMetricExporter(endpoint=address))
        self.provider = MeterProvider(
            [reader], resource=resource, exemplar_filter=AlwaysOffExemplarFilter(), shutdown_on_exit=False
        )
        self.ready = self.running = self.dropped = 0
        self._counts: Counter[tuple[str, frozenset[tuple[str, Value]]]] = Counter()
        meter = self.provider.get_meter("stretto", _release())
        self._histograms = {
            name: meter.create_histogram(name, unit, description, explicit_bucket_boundaries_advisory=buckets)
            for name, unit, description, buckets in (
                (names.TOKEN_USAGE, "{token}", "Tokens that models read and wrote.", names.TOKEN_BUCKETS),
                (names.OPERATION_DURATION, "s", "Time of calls of models.", names.CALL_BUCKETS),
                (names.TOOL_DURATION, "s", "Time of calls of tools.", names.CALL_BUCKETS),
                (names.AGENT_DURATION, "s", "Time of attempts.", names.AGENT_BUCKETS),
                (names.WORKFLOW_DURATION, "s", "Time of runs.", names.WORKFLOW_BUCKETS),
                (
                    names.HANDOFF_DURATION,
                    "s",
                    "Time from the last thing waited for to the start.",
                    names.HANDOFF_BUCKETS,
                ),
                (names.WAIT_DURATION, "s", "Time that people took to answer.", names.WAIT_BUCKETS),
            )
        }
        self._counters = {
            names.RUN_COST: meter.create_counter(names.RUN_COST, "{USD}", "What runs cost."),
            names.EVALUATIONS: meter.create_counter(names.EVALUATIONS, "{review}", "Verdicts of reviewers."),
        }
        meter.create_observable_gauge(names.QUEUE, [self._queues], "{task}", "Tasks that are ready, and under way.")
        meter.create_observable_counter(names.DROPPED, [self._drops], "{event}", "Events that could not be told.")

    def record(self, measure: Measure) -> None:
        if (histogram := self._histograms.get(measure.metric)) is not None:
            histogram.record(measure.value, measure.attributes)
        else:
            self._counts[measure.metric, frozenset(measure.attributes.items())] += measure.value  # type: ignore[assignment]

    def count(self) -> None:
        """Count what was recorded, at once: a single one takes as long as many."""
        counts, self._counts = self._counts, Counter()
        for (metric, attributes), value in counts.items():
            self._counters[metric].add(value, dict(attributes))

    def _queues(self, _: CallbackOptions) -> Iterable[Observation]:
        yield Observation(self.ready, {names.QUEUE_STATE: "ready"})
        yield Observation(self.running, {names.QUEUE_STATE: "running"})

    def _drops(self, _: CallbackOptions) -> Iterable[Observation]:
        yield Observation(self.dropped)


def _resource() -> Resource:
    """Say who tells: as the environment names it, else `stretto`; each process is an instance of its own."""
    found = Resource.create()
    ours = {"service.version": _release(), "service.instance.id": str(uuid.uuid4())}
    if str(found.attributes.get("service.name", "")).startswith("unknown_service"):
        ours["service.name"] = "stretto"
        found = found.merge(Resource({"service.name": "stretto"}))
    return _Resource({**ours, **found.attributes}, found.schema_url)


class _Resource(Resource):
    """A resource that knows its hash: the SDK asks for it with every span, and writes JSON for it each time."""

    def __init__(self, attributes: Attributes, schema_url: str | None = None) -> None:
        super().__init__(attributes, schema_url)
        self._known = super().__hash__()

    def __hash__(self) -> int:
        return self._known

    def __eq__(self, other: object) -> bool:
        return super().__eq__(other)


def _release() -> str:
    try:
        return version("stretto")
    except PackageNotFoundError:
        return ""


def _context(trace: int, span: int) -> SpanContext:
    return SpanContext(trace, span, is_remote=False, trace_flags=_SAMPLED)


@lru_cache(maxsize=1024)
def _parent(trace: int, span: int) -> SpanContext:
    """Give a context that many spans share."""
    return _context(trace, span)


def _nanoseconds(moment: float) -> int:
    return round(moment * 1e6) * 1000


def _cut(value: Value, longest: int | None) -> Value:
    if isinstance(value, str):
        return value[:longest]
    return tuple(one[:longest] for one in value) if isinstance(value, tuple) else value


def _number(variable: str, otherwise: int) -> int:
    try:
        return int(os.environ.get(variable, otherwise))
    except ValueError:
        return otherwise
