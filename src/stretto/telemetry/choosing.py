"""Whether telemetry is sent, where to, and with which content: the settings, and the standard variables OTEL_..."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from urllib.parse import urlsplit

from stretto.core.errors import UsageError
from stretto.settings import TelemetrySettings
from stretto.telemetry.disclosure import Disclosure

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
IN_FILE = "telemetry.endpoint (in stretto.toml, or STRETTO_TELEMETRY)"
EXTRA = "telemetry needs the extra `otel`: pip install 'stretto[otel]', or set OTEL_SDK_DISABLED=true to go without it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Telemetry:
    """The full addresses of `traces` and `metrics` (None: they are not sent), and what these may tell."""

    traces: str | None
    metrics: str | None
    disclosure: Disclosure

    @property
    def shown(self) -> str:
        """Where it goes, as people may see it."""
        address = urlsplit(self.traces or self.metrics or "")
        return f"{address.scheme}://{address.netloc}"


def chosen_telemetry(settings: TelemetrySettings, environment: Mapping[str, str] = os.environ) -> Telemetry | None:
    """Give what is sent, or None where nothing is: no address is named, or OTEL_SDK_DISABLED is true.

    The environment goes before the settings. Raises UsageError for what cannot be used, and without the extra `otel`.
    """
    if environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return None
    traces, metrics = (_address(signal, settings, environment) for signal in ("traces", "metrics"))
    if traces is None and metrics is None:
        return None
    for signal, address in (("TRACES", traces), ("METRICS", metrics)):
        if address is not None:
            _require_protocol(signal, environment)
    if not all(_is_there(module) for module in ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http")):
        raise UsageError(EXTRA)
    disclosure = Disclosure(content=settings.content, labels=frozenset(settings.labels))
    return Telemetry(traces=traces, metrics=metrics, disclosure=disclosure)


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # nor what it is in
        return False


def _address(signal: str, settings: TelemetrySettings, environment: Mapping[str, str]) -> str | None:
    """Give the full address of a signal; None where it is not sent."""
    exporter = f"OTEL_{signal.upper()}_EXPORTER"
    match environment.get(exporter, "").strip().lower():
        case "none":
            return None
        case "" | "otlp":
            pass
        case other:
            raise UsageError(f"{exporter}: Stretto sends `otlp`, or `none`, not {other!r}")
    variable = f"OTEL_EXPORTER_OTLP_{signal.upper()}_ENDPOINT"
    if named := environment.get(variable, "").strip():
        return _sound(named, variable)
    if base := environment.get(ENDPOINT, "").strip():
        return f"{_sound(base, ENDPOINT).rstrip('/')}/v1/{signal}"
    if settings.endpoint:
        return f"{_sound(settings.endpoint, IN_FILE).rstrip('/')}/v1/{signal}"
    return None


def _sound(address: str, where: str) -> str:
    """Give an address that can be asked; raises UsageError, which shows no secret that stands in it."""
    mend = "it is the address of a collector, like http://localhost:4318"
    try:
        parts = urlsplit(address)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        raise UsageError(f"{where}: this is no address; {mend}") from None
    if not valid:
        raise UsageError(f"{where}: this is no address with http:// or https:// and a host; {mend}")
    if parts.username is not None or parts.password is not None:
        raise UsageError(f"{where}: a login does not belong into the address; put it into OTEL_EXPORTER_OTLP_HEADERS")
    return address


def _require_protocol(signal: str, environment: Mapping[str, str]) -> None:
    for variable in (f"OTEL_EXPORTER_OTLP_{signal}_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"):
        if spoken := environment.get(variable, "").strip().lower():
            if spoken != "http/protobuf":
                raise UsageError(
                    f"{variable}: Stretto speaks http/protobuf (port 4318 of most collectors), not {spoken!r}; "
                    f"set OTEL_EXPORTER_OTLP_{signal}_PROTOCOL=http/protobuf, or OTEL_SDK_DISABLED=true"
                )
            return
