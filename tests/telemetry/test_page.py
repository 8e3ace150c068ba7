"""docs/telemetry.md says what is so: its snippet prints what it shows, its settings are read, every name is there."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

from stretto.settings import TelemetrySettings
from stretto.telemetry import exporting, names
from stretto.telemetry.disclosure import MOST_CHARACTERS

PAGE = (Path(__file__).parents[2] / "docs" / "telemetry.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.S)


def test_the_snippet_prints_what_the_page_shows(tmp_path: Path) -> None:
    (code,) = blocks("python")
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == blocks("text")[-1]


def test_the_settings_are_read_and_are_those_that_hold_without_them() -> None:
    (text,) = blocks("toml")
    read = TelemetrySettings(**tomllib.loads(text)["telemetry"])
    assert read.model_copy(update={"endpoint": None}) == TelemetrySettings()


def test_every_name_of_an_attribute_event_or_metric_is_on_the_page() -> None:
    values = [value for name, value in vars(names).items() if name.isupper() and isinstance(value, str)]
    told = {value for value in values if value.startswith(("gen_ai.", "stretto."))}
    assert len(told) > 50
    assert [name for name in sorted(told) if f"`{name}`" not in PAGE] == []


def test_the_figures_are_those_in_use() -> None:
    assert f"{exporting.MOST_WAITING:,} events" in PAGE
    assert f"{MOST_CHARACTERS:,} characters" in PAGE
    assert exporting.FLUSH_SECONDS == 5.0
    assert "five seconds" in PAGE
