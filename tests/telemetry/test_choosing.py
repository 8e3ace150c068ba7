"""Whether telemetry is sent, and where to: the standard variables, then the settings; what is wrong is told clearly."""

import pytest

from stretto.core.errors import UsageError
from stretto.settings import TelemetrySettings
from stretto.telemetry.choosing import Telemetry, chosen_telemetry

QUIET = TelemetrySettings()
BASE = "OTEL_EXPORTER_OTLP_ENDPOINT"


def chosen(settings: TelemetrySettings = QUIET, **environment: str) -> tuple[str | None, str | None] | None:
    found = chosen_telemetry(settings, environment)
    return None if found is None else (found.traces, found.metrics)


def test_nothing_is_sent_unless_an_address_is_named() -> None:
    assert chosen() is None
    assert chosen(TelemetrySettings(content=True, labels=("pii",))) is None


def test_one_address_is_for_traces_and_metrics() -> None:
    both = ("http://host:4318/v1/traces", "http://host:4318/v1/metrics")
    assert chosen(**{BASE: "http://host:4318"}) == both
    assert chosen(**{BASE: "http://host:4318/"}) == both
    assert chosen(TelemetrySettings(endpoint="http://host:4318")) == both


def test_the_environment_goes_before_the_settings_and_a_signal_before_all() -> None:
    settings = TelemetrySettings(endpoint="http://file:1")
    assert chosen(settings, **{BASE: "https://env/x"}) == ("https://env/x/v1/traces", "https://env/x/v1/metrics")
    own = {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://traces/as/it/is"}
    assert chosen(settings, **own) == ("http://traces/as/it/is", "http://file:1/v1/metrics")
    assert chosen(**own) == ("http://traces/as/it/is", None)


def test_it_is_off_where_the_standard_variables_say_so() -> None:
    assert chosen(**{BASE: "http://host:1", "OTEL_SDK_DISABLED": " True "}) is None
    assert chosen(**{BASE: "http://host:1", "OTEL_METRICS_EXPORTER": "none"}) == ("http://host:1/v1/traces", None)
    off = {"OTEL_METRICS_EXPORTER": "none", "OTEL_TRACES_EXPORTER": "none"}
    assert chosen(**{BASE: "http://host:1"}, **off) is None


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({BASE: "host:4318"}, "OTEL_EXPORTER_OTLP_ENDPOINT: this is no address with http:// or https:// and a host"),
        ({BASE: "http://"}, "like http://localhost:4318"),
        ({BASE: "http://host:port"}, "this is no address"),
        ({BASE: "http://[::1"}, "this is no address"),
        ({BASE: "http://me:PASSWORD@host"}, "put it into OTEL_EXPORTER_OTLP_HEADERS"),
        ({BASE: "http://h", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "speaks http/protobuf"),
        ({BASE: "http://h", "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL": "http/json"}, "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL"),
        ({BASE: "http://h", "OTEL_TRACES_EXPORTER": "zipkin"}, "OTEL_TRACES_EXPORTER"),
    ],
)
def test_what_cannot_be_used_is_told_with_its_place_and_no_secret(environment: dict[str, str], said: str) -> None:
    with pytest.raises(UsageError) as told:
        chosen(**environment)
    assert said in str(told.value)
    assert "PASSWORD" not in str(told.value)


def test_what_is_wrong_in_the_file_is_told_with_its_place() -> None:
    with pytest.raises(UsageError, match=r"telemetry\.endpoint \(in stretto\.toml"):
        chosen(TelemetrySettings(endpoint="ftp://host"))


def test_the_address_is_shown_without_its_path() -> None:
    found = chosen_telemetry(QUIET, {BASE: "https://host:1/tenant-key"})
    assert isinstance(found, Telemetry)
    assert found.shown == "https://host:1"
