"""A machine on which nobody has asked for telemetry, and a collector that is well."""

import os
from collections.abc import Iterator

import pytest

from tests.telemetry.collector import Collector


@pytest.fixture(autouse=True)
def nothing_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("OTEL_") or name == "TRACEPARENT"]:
        monkeypatch.delenv(name)


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as one:
        yield one


@pytest.fixture
def told(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> Collector:
    """A collector that the environment names."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint)
    return collector
