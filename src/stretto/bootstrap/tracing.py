"""Who follows the runs of this process from outside: telemetry, where it is asked for."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from stretto.core.errors import BadWorkspace, UsageError
from stretto.ports import Historian
from stretto.settings import Settings, TelemetrySettings, read_settings
from stretto.telemetry.choosing import Telemetry, chosen_telemetry
from stretto.telemetry.exporting import Exporter, Pipeline
from stretto.telemetry.identity import remote


@asynccontextmanager
async def traced(settings: Settings) -> AsyncIterator[tuple[Historian, ...]]:
    """Give who follows runs meanwhile; at the end what they know is handed over, within a few seconds.

    Raises UsageError where telemetry is asked for and cannot be sent.
    """
    chosen = chosen_telemetry(settings.telemetry)
    if chosen is None:
        yield ()
        return
    exporter = Exporter(chosen, _pipeline)
    try:
        yield (exporter,)
    finally:
        await asyncio.to_thread(exporter.close)


@asynccontextmanager
async def traced_in(folder: str) -> AsyncIterator[tuple[Historian, ...]]:
    """Give who follows a run of a workspace meanwhile; nobody where it cannot be told: a word is carried out anyway."""
    settings = Settings.model_construct(telemetry=TelemetrySettings())
    with contextlib.suppress(BadWorkspace):
        settings = read_settings(Path(folder) if folder else None)
    try:
        chosen_telemetry(settings.telemetry)
    except UsageError:
        yield ()
        return
    async with traced(settings) as historians:
        yield historians


def who_traces() -> str:
    """Give the span that this program runs in, as TRACEPARENT names it; empty where there is none."""
    found = os.environ.get("TRACEPARENT", "").strip()
    with contextlib.suppress(UsageError):
        remote(found)
        return found
    return ""


def _pipeline(telemetry: Telemetry) -> Pipeline:
    from stretto.telemetry.otlp import OtlpPipeline  # the extra `otel`, and slow to load

    return OtlpPipeline(telemetry)
