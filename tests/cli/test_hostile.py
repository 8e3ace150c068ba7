"""What agents print, name or return never reaches a terminal as it is, nor standard output; nothing is lost by it."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from stretto.cli.text import as_json, clean, one_line, place
from tests.cli.program import Place, on_terminal

Make = Callable[[str], Place]

AGENTS = r'''
import os, subprocess, sys, threading, time
from stretto import Assignment, irreversible, pure
from stretto.core.domain import Preview

ESC = "\x1b[31mred\x1b]0;title\x07\x9b2J\u202egnp\x7f\r\x08"

@pure
def fine() -> str:
    """Return \x1b[31m."""
    return ESC + "\nsecond line"

@pure
def loud() -> str:
    print("printed " + ESC, flush=True)
    os.write(1, b"written \x1b[31m\xff\n")
    os.write(2, b"to the other \x1b[31m\n")
    subprocess.run(["printf", r"child \033[31m\n"], check=True)
    sys.stderr.write("unfinished " + ESC)
    return "ok"

@pure
def gigabyte() -> str:
    for _ in range(1024):
        sys.stdout.write("x" * (1 << 20))
    return "ok"

@pure
def raising() -> str:
    raise ValueError(ESC)

@pure
def leaving() -> str:
    sys.exit(7)

@pure(timeout=0.3, attempts=1)
def hanging() -> str:
    time.sleep(1000)
    return ""

@pure
def nonsense() -> int:
    return object()

def show(text: str) -> Preview:
    return Preview(diff="+" + ESC + "\n-x\n")

@irreversible(preview=show)
def act(text: str, work: Assignment) -> str:
    work.attach("../../" + ESC + ".txt", "kept")
    return "acted"
'''
PLAN = r"""
tasks:
  fine: {skill: job.fine, objective: "o\x1b[31m\u202e"}
  loud: {skill: job.loud}
  gigabyte: {skill: job.gigabyte}
  raising: {skill: job.raising}
  leaving: {skill: job.leaving}
  hanging: {skill: job.hanging}
  nonsense: {skill: job.nonsense}
  act: {skill: job.act, inputs: {text: "\x1b[31m"}, objective: "act\x1b[31m"}
deliver: {fine: {ref: fine.output}, act: {ref: act.output, default: null}}
"""
GOAL = "goal \x1b[31m\x9b\u202e\nof two lines"


@pytest.fixture
def hostile(make: Make) -> Place:
    place = make(PLAN)
    (place.folder / "agents" / "job.py").write_text(AGENTS, encoding="utf-8")
    return place


def dangers(text: str) -> set[str]:
    """Give what a terminal would obey or hide."""
    return {letter for letter in text if not letter.isprintable() and letter not in "\n\u200c\u200d\u200e\u200f"}


def test_a_run_of_the_worst_agents_delivers_what_there_is_and_names_the_rest(hostile: Place) -> None:
    ran = hostile.stretto("run", GOAL, "--approve", "all", "--json")

    assert ran.code == 3
    delivered = ran.json
    assert delivered["goal"] == GOAL
    assert delivered["answer"]["fine"].endswith("\nsecond line")
    assert delivered["answer"]["act"] == "acted"
    assert {gap["task"]: gap["why"].split(":")[0] for gap in delivered["gaps"]} == {
        "raising": "ValueError",
        "leaving": "SystemExit",
        "hanging": "no answer within 0.3 s",
        "nonsense": "the result does not fit the declared type",
    }
    assert dangers(ran.out) == set()
    assert dangers(ran.err) == set()
    for said in ("printed �[31mred", "written �[31m�\n", "to the other �[31m\n", "child �[31m\n", "unfinished �[31m"):
        assert said in ran.err or "agents printed more than is shown" in ran.err
    assert len(ran.err) < 80_000, "a gigabyte is not shown"
    (artifact,) = delivered["artifacts"]
    path = Path(artifact["path"])
    assert path.parent == hostile.folder / "output" / delivered["run_id"]
    assert dangers(path.name) == set()
    assert path.read_text() == "kept"
    raw = (path.parent / "delivery.json").read_text()
    assert dangers(raw) == set()
    assert json.loads(raw)["answer"] == delivered["answer"]


def test_what_agents_print_comes_out_cleaned_while_there_is_not_too_much_of_it(hostile: Place) -> None:
    hostile.plan("tasks: {loud: {skill: job.loud}}\ndeliver: {ref: loud.output}\n")
    ran = hostile.stretto("run", "--json")
    assert (ran.code, ran.json["answer"]) == (0, "ok")
    for said in ("printed �[31mred", "written �[31m�\n", "to the other �[31m\n", "child �[31m\n", "unfinished �[31m"):
        assert said in ran.err
    assert dangers(ran.err) == set()


def test_every_command_shows_it_cleaned(hostile: Place) -> None:
    ran = hostile.stretto("run", GOAL)
    assert ran.code == 4
    assert dangers(ran.out) == dangers(ran.err) == set()
    for words in (
        ["show", "last"],
        ["show", "last", "--json"],
        ["runs"],
        ["runs", "--json"],
        ["agents"],
        ["agents", "--json"],
        ["plan"],
        ["plan", "--json"],
        ["watch", "last", "--no-wait"],
        ["approve", "last", "\x1b[31m"],
        ["deny", "last", "--reason", "\x1b[31m"],
        ["show", "\x1b[31m\x9b"],
        ["run", "-w", "\x1b]0;title\x07"],
        ["run", "--input", "\x1b[31m"],
        ["run", "--plan", "\x1b[31m"],
        ["\x1b[31m"],
        ["run", "--\x1b[31m"],
    ):
        said = hostile.look(*words)
        assert dangers(said.out) == dangers(said.err) == set(), words
        assert said.out + said.err, words


def test_a_terminal_gets_no_control_sequence_of_theirs(hostile: Place) -> None:
    with on_terminal("run", GOAL, cwd=hostile.folder) as terminal:
        terminal.until("[a]pprove")
        terminal.type("a\n")
        assert terminal.end() == 3
    for theirs in (b"\x1b[31mred", b"\x1b]", "\x9b".encode(), "\u202e".encode(), b"\x7f", b"\x08"):
        assert theirs not in terminal.raw


def test_words_of_any_language_stay_whole() -> None:
    for text in ("naïve café", "日本語", "می‌خواهم", "👩‍👩‍👧 ❤️", "שלום\u200f!", "e\u0301", "𝕏"):
        assert clean(text) == one_line(text) == text
        assert json.loads(as_json(text)) == text
    assert one_line("a\u3000b\u00a0c\n d") == "a b c d"
    assert clean("a\u3000b\u00a0c\r\nd\x0be") == "a b c\nd\ne"


def test_a_command_that_is_shown_can_be_copied_whatever_the_folder_is_called() -> None:
    assert place(Path("/a b"), Path("it's")) == " -w '/a b' --store 'it'\"'\"'s'"
    shown = place(Path("/x\x1b[31m'\\y\u202e"), None)
    assert dangers(shown) == set()
    assert re.fullmatch(r" -w \$'/x\\033\[31m\\047\\134y\\342\\200\\256'", shown)
