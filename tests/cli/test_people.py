"""Approvals and answers: from another terminal, inline on this one, edited, denied, exactly as shown."""

import asyncio
import json
import sys
from collections.abc import Callable
from pathlib import Path

from stretto.bootstrap import find_run, open_store
from stretto.core.events import AttemptStarted, PersonAnswered
from tests.cli.program import Place, eventually, on_terminal

Make = Callable[[str], Place]

WRITE = """
tasks:
  write: {skill: job.write, inputs: {file: WORLD, text: deed}}
  after: {skill: job.echo, inputs: {text: {ref: write.output}}}
deliver: {ref: after.output}
"""
TWO = """
tasks:
  one: {skill: job.write, inputs: {file: WORLD, text: first}}
  two: {skill: job.write, inputs: {file: WORLD, text: second}}
deliver: [{ref: one.output, default: null}, {ref: two.output, default: null}]
"""
ASK = "tasks: {colour: {skill: job.ask}}\ndeliver: {ref: colour.output}\n"


def written(place: Place) -> list[str]:
    return [line.split()[1] for line in place.world.read_text().splitlines()] if place.world.exists() else []


def test_what_waits_is_shown_with_its_diff_and_approved_from_another_terminal(make: Make) -> None:
    place = make(WRITE)
    ran = place.stretto("run")
    run = place.show()["run_id"]
    assert ran.code == 4
    assert "waits for you: write: job.write: it cannot be undone\n" in ran.out
    assert f"  decide  stretto approve {run} write\n" in ran.out
    assert f"  go on   stretto resume {run}\n" in ran.out
    shown = place.look("show", run[:12]).out
    assert "waits for you: write (approval): " in shown
    assert [line.strip() for line in shown.splitlines() if "world" in line or "deed" in line][-3:] == [
        "--- a/world",
        "+++ b/world",
        "+deed",
    ]
    assert written(place) == []

    said = place.look("approve", run, "--reason", "looks right")
    assert said.out == f"approved: write of run {run}; go on with: stretto resume {run}\n"
    ended = place.stretto("resume", run, "--json")

    assert (ended.code, ended.json["answer"]) == (0, "deed")
    assert written(place) == ["deed"]
    assert "it waits for nobody; its status is finished" in place.look("approve", run).err


def test_a_denial_names_its_reason_in_the_delivery_and_nothing_happens(make: Make) -> None:
    place = make(WRITE.replace("{ref: after.output}", "{done: {ref: after.output, default: not done}}"))
    place.stretto("run")
    assert place.look("deny", "last", "write", "--reason", "not today").code == 0
    ended = place.stretto("resume", "last", "--json")
    assert "not today" in next(gap["why"] for gap in ended.json["gaps"] if gap["task"] == "write")
    assert (ended.code, written(place)) == (1, [])


def test_edited_arguments_are_shown_anew_and_then_happen(make: Make) -> None:
    place = make(WRITE)
    place.stretto("run")
    edited = place.folder / "edited.json"
    edited.write_text(json.dumps({"file": str(place.world), "text": "better"}))
    assert place.look("approve", "last", "--edit", str(edited)).code == 0
    assert place.stretto("resume", "last").code == 4, "a person has not seen what the edit leads to"
    assert "+better" in place.look("show", "last").out
    place.look("approve", "last")
    assert place.stretto("resume", "last", "--json").json["answer"] == "better"
    assert written(place) == ["better"]


def test_an_edit_that_is_no_mapping_is_refused(make: Make) -> None:
    place = make(WRITE)
    file = place.folder / "edited.json"
    for text, says in (
        ("[1]", "the arguments are a mapping"),
        ("{", "not JSON: "),
        ('{"a": NaN}', "not JSON"),
        ("\ud800", "not JSON"),
    ):
        file.write_text(text, errors="replace")
        refused = place.look("approve", "last", "--edit", str(file))
        assert refused.code == 2
        assert says in refused.err
    file.write_bytes(b"\xff\xfe")
    assert "not UTF-8" in place.look("approve", "last", "--edit", str(file)).err
    assert "Is a directory" in place.look("approve", "last", "--edit", str(place.folder)).err


def test_when_several_wait_the_task_has_to_be_named(make: Make) -> None:
    place = make(TWO)
    place.stretto("run")
    refused = place.look("approve", "last")
    assert (refused.code, refused.err) == (2, "stretto: several wait: one, two; name the task\n")
    assert "open are: one (approval), two (approval)" in place.look("approve", "last", "three").err
    assert place.look("approve", "last", "two").code == 0
    assert place.look("deny", "last", "one").code == 0
    ended = place.stretto("resume", "last", "--json")
    assert (ended.code, ended.json["answer"], written(place)) == (3, [None, "second"], ["second"])


def test_a_question_is_answered_from_another_terminal(make: Make) -> None:
    place = make(ASK)
    ran = place.stretto("run")
    assert ran.code == 4
    assert "waits for you: colour: which colour?" in ran.out
    assert "'YOUR ANSWER'" in ran.out
    assert "no such request" in place.look("approve", "last").err
    assert place.look("answer", "last", "deep blue").code == 0
    ended = place.stretto("resume", "last", "--json")
    assert (ended.code, ended.json["answer"]) == (0, "the answer is deep blue")


def test_an_approval_from_another_process_moves_a_waiting_run_on_within_a_second(make: Make) -> None:
    place = make(WRITE)
    process = place.start("run", "--wait", "--json")
    eventually(lambda: place.look("show", "last").code == 0 and place.show()["status"] == "waiting")
    said = place.look("approve", "last")
    assert f"process {process.pid} on " in said.out
    assert "goes on with it" in said.out
    out, _ = process.communicate(timeout=20)
    assert (process.returncode, json.loads(out)["answer"], written(place)) == (0, "deed", ["deed"])

    async def seconds_between() -> float:
        async with open_store(place.folder / ".stretto" / "runs.db") as journal:
            events = [one.event for one in await journal.read(await find_run(journal, "last"))]
        answered = next(event.at for event in events if isinstance(event, PersonAnswered))
        begun = next(event.at for event in events if isinstance(event, AttemptStarted) and event.task == "write")
        return begun - answered

    assert 0 <= asyncio.run(seconds_between()) < 1


def test_on_a_terminal_a_person_approves_inline(make: Make) -> None:
    place = make(WRITE)
    with on_terminal("run", cwd=place.folder) as terminal:
        assert "+deed" in terminal.until("[a]pprove, [d]eny, [e]dit, [t]ake over, [l]ater: ")
        terminal.type("what?\n")
        terminal.until("[a]pprove")
        assert written(place) == []
        terminal.type("a\n")
        assert terminal.end() == 0
        assert "finished after" in terminal.text
    assert written(place) == ["deed"]


def test_on_a_terminal_a_person_denies_inline_with_a_reason(make: Make) -> None:
    place = make(TWO)
    with on_terminal("run", cwd=place.folder) as terminal:
        terminal.until("[a]pprove")
        terminal.type("d\n")
        terminal.until("reason: ")
        terminal.type("much too early\n")
        terminal.until("[a]pprove")
        terminal.type("a\n")
        assert terminal.end() == 3
        assert "much too early" in terminal.text
    assert len(written(place)) == 1


def test_on_a_terminal_a_person_edits_inline_and_sees_the_new_diff(make: Make) -> None:
    place = make(WRITE)
    editor = place.folder / "editor.py"
    editor.write_text(
        "import pathlib, sys\nassert sys.stdout.isatty()\nfile = pathlib.Path(sys.argv[1])\n"
        "file.write_text(file.read_text().replace('deed', 'better'))\n"
    )
    with on_terminal("run", cwd=place.folder, VISUAL=f"{sys.executable} {editor}") as terminal:
        terminal.until("[a]pprove")
        terminal.type("e\n")
        terminal.until("+better")
        terminal.until("[a]pprove")
        terminal.type("a\n")
        assert terminal.end() == 0
    assert written(place) == ["better"]


def test_an_editor_that_is_not_there_changes_nothing(make: Make) -> None:
    place = make(WRITE)
    with on_terminal("run", cwd=place.folder, VISUAL="/no/such/editor") as terminal:
        terminal.until("[a]pprove")
        terminal.type("e\n")
        terminal.until("set EDITOR to another")
        terminal.until("[a]pprove")
        terminal.type("a\n")
        assert terminal.end() == 0


def test_a_question_left_open_on_a_terminal_is_answered_from_elsewhere(make: Make) -> None:
    place = make(WRITE)
    with on_terminal("run", cwd=place.folder) as terminal:
        terminal.until("[a]pprove")
        terminal.type("l\n")
        terminal.until("left open")
        assert place.look("approve", "last").code == 0
        assert terminal.end() == 0
    assert written(place) == ["deed"]


def test_an_answer_from_elsewhere_ends_the_question_on_the_terminal(make: Make) -> None:
    place = make(ASK)
    with on_terminal("run", cwd=place.folder) as terminal:
        terminal.until("your answer: ")
        assert place.look("answer", "last", "green").code == 0
        terminal.until("answered elsewhere")
        assert terminal.end() == 0
        assert "the answer is green" in terminal.text


def test_ctrl_c_at_a_question_keeps_the_run(make: Make) -> None:
    place = make(WRITE)
    with on_terminal("run", cwd=place.folder) as terminal:
        terminal.until("[a]pprove")
        terminal.type("\x03")
        assert terminal.end() == 130
        assert "Go on: stretto resume" in terminal.text
    assert place.show()["status"] == "waiting"
    assert written(place) == []


def test_no_wait_and_a_pipe_ask_nobody(make: Make) -> None:
    place = make(WRITE)
    with on_terminal("run", "--no-wait", cwd=place.folder) as terminal:
        assert terminal.end() == 4
        assert "[a]pprove" not in terminal.text
    assert place.stretto("run").code == 4


def test_an_approval_is_worth_nothing_for_another_run(make: Make, tmp_path: Path) -> None:
    place = make(WRITE)
    place.stretto("run")
    first = place.show()["run_id"]
    place.stretto("run")
    place.look("approve", first)
    assert place.stretto("resume", "last").code == 4
    assert place.stretto("resume", first).code == 0
    assert written(place) == ["deed"]
