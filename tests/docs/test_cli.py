"""docs/cli.md says what the command line does: every command, every option, every field of its JSON."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from stretto.cli import app
from stretto.cli.options import EXIT, EXIT_USAGE
from tests.cli.program import Place

PAGE = (Path(__file__).parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")
TOP: dict[str, Any] = get_command(app).commands  # type: ignore[attr-defined]
COMMANDS: dict[str, Any] = TOP | {
    f"{group} {name}": one for group, command in TOP.items() for name, one in getattr(command, "commands", {}).items()
}
SECTIONS = dict(re.findall(r"^## stretto ([a-z ]+)\n(.*?)(?=^## |\Z)", PAGE, re.S | re.M))
JSON = [json.loads(text) for text in re.findall(r"```json\n(.*?)```", PAGE, re.S)]
HEAVY = {
    "pydantic", "jinja2", "sqlite3", "ruamel", "cel", "jsonschema", "httpx", "rich.console", "msgspec", "psutil",
    "bs4", "pint", "stretto.bootstrap", "stretto.core.decide", "stretto.specialists",
}  # fmt: skip
DRIVING = {
    "pydantic_settings", "jinja2", "ruamel", "cel", "jsonschema", "httpx", "snowballstemmer", "bs4", "pint",
    "stretto.bootstrap.facade", "stretto.agents", "stretto.models", "stretto.planners", "stretto.specialists",
    "stretto.workspace",
}  # fmt: skip


def options(command: Any) -> set[str]:
    return {name for one in command.params for name in (*one.opts, *one.secondary_opts) if name.startswith("-")} - {
        "-h",
        "--help",
    }


def test_every_command_has_a_section_and_every_section_a_command() -> None:
    assert SECTIONS.keys() == COMMANDS.keys()


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_a_section_names_every_option_and_no_other(name: str) -> None:
    hidden = {one for param in COMMANDS[name].params if getattr(param, "hidden", False) for one in param.opts}
    named = set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", SECTIONS[name]))
    assert options(COMMANDS[name]) - hidden - named == set(), "not in docs/cli.md"
    assert named - options(COMMANDS[name]) == set(), "in docs/cli.md, and not there"


def test_the_exit_codes_are_those_of_the_program() -> None:
    told = {int(code) for code in re.findall(r"^\| (\d+) \|", PAGE, re.M)}
    assert told == {*EXIT.values(), EXIT_USAGE}


def test_the_json_has_the_fields_that_the_page_shows(tmp_path: Path) -> None:
    place = Place(
        tmp_path / "place",
        "tasks:\n  fail: {skill: job.fail, inputs: {text: x}}\n"
        "  write: {skill: job.write, inputs: {file: WORLD, text: x}}\n"
        "  again: {skill: job.write, inputs: {file: WORLD, text: y}}\ndeliver: {ref: write.output}\n",
    )
    assert place.stretto("run").code == 4
    place.look("approve", "last", "write")
    waiting = place.stretto("resume", "last", "--json").json
    run, runs = JSON
    assert waiting.keys() >= run.keys() | {"output"}
    for name in ("artifacts", "tasks", "gaps", "requests"):
        assert waiting[name], name
        assert waiting[name][0].keys() >= run[name][0].keys()
    assert waiting["cost"].keys() == run["cost"].keys()
    assert waiting["plan"].keys() == run["plan"].keys()
    assert waiting["plan"]["tasks"][0].keys() == run["plan"]["tasks"][0].keys()
    (listed,) = place.look("runs", "--json").json
    assert listed.keys() >= runs[0].keys()


@pytest.mark.parametrize("words", [["--help"], ["--version"]])
def test_help_loads_nothing_heavy(words: list[str], tmp_path: Path) -> None:
    said, loaded = cold(words, tmp_path)
    assert "stretto" in said
    assert HEAVY & loaded == set()


def test_who_only_looks_at_runs_does_not_load_what_drives_them(tmp_path: Path) -> None:
    place = Place(tmp_path / "place", "tasks: {a: {skill: job.echo, inputs: {text: hello}}}\n")
    assert place.stretto("run").code == 0
    said, loaded = cold(["runs"], place.folder)
    assert "Do the job." in said
    assert DRIVING & loaded == set()


def cold(words: list[str], folder: Path) -> tuple[str, set[str]]:
    """Call the program as a process that starts cold; gives what it said and the modules that it loaded."""
    told = (
        "import json, sys\nsys.argv[0] = 'stretto'\nfrom stretto.cli import main\n"
        "try:\n    main()\nfinally:\n    print(json.dumps(list(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", told, *words], cwd=folder, capture_output=True, text=True, timeout=60, check=True
    )
    said, _, loaded = done.stdout.rstrip().rpartition("\n")
    return said, set(json.loads(loaded))
