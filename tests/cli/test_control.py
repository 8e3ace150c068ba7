"""Cancel, retry, edit, replan, fork and the past, from the command line: owned by another process, ended, refused."""

from collections.abc import Callable
from pathlib import Path

from tests.cli.program import Place, eventually, on_terminal

Make = Callable[[str], Place]

CHAIN = """
tasks:
  one: {skill: job.echo, inputs: {text: first}}
  two: {skill: job.fail, inputs: {text: {ref: one.output}}}
  three: {skill: job.echo, inputs: {text: {ref: two.output, default: instead}}}
deliver: {ref: three.output}
"""
WAITS = """
tasks:
  one: {skill: job.stand, inputs: {file: WORLD}}
  two: {skill: job.echo, inputs: {text: {ref: one.output}}}
deliver: {ref: two.output}
"""


def statuses(place: Place, *more: str) -> dict[str, str]:
    return {one["id"]: one["status"] for one in place.show(*more)["tasks"]}


def test_an_ended_run_is_edited_and_gone_on_with(make: Make) -> None:
    place = make(CHAIN)
    assert place.stretto("run").code == 3
    plan = place.folder / "other.yaml"
    plan.write_text(
        "tasks:\n  first: {skill: job.echo, inputs: {text: first}}\n"
        "  two: {skill: job.echo, inputs: {text: {ref: first.output}}}\ndeliver: {ref: two.output}\n",
        encoding="utf-8",
    )
    done = place.look("edit", "last", "--plan", str(plan))
    assert done.code == 0, done.err
    assert "revision 2 is in place; 1 of 2 tasks keep their results; go on with: stretto resume" in done.out
    ran = place.stretto("resume", "last", "--json")
    assert (ran.code, ran.json["answer"]) == (0, "first")
    assert place.look("edit", "last", "--set", "two.inputs.text=changed").code == 0
    assert place.stretto("resume", "last", "--json").json["answer"] == "changed"
    assert [one["attempts"] for one in place.show()["tasks"]] == [1, 3]


def test_a_failed_task_is_opened_again_and_the_past_stays_to_be_seen(make: Make) -> None:
    place = make(CHAIN)
    place.stretto("run")
    told = place.look("retry", "last", "two", "--feedback", "once more")
    assert told.code == 0, told.err
    assert "two is open again; go on with: stretto resume" in told.out
    assert statuses(place)["two"] == "pending"
    assert place.stretto("resume", "last").code == 3
    events = place.look("show", "last", "--events", "--json").json
    opened = next(one for one in events if one["type"] == "TasksReopened")
    assert "opens two again" in opened["text"]
    past = place.look("show", "last", "--at", str(opened["seq"] - 1), "--json").json
    assert (past["status"], past["past"]["seq"]) == ("partial", opened["seq"] - 1)
    listed = place.look("show", "last", "--events").out.splitlines()
    assert len(listed) == len(events)
    assert "this is the past" in place.look("show", "last", "--at", "two").out


def test_a_run_of_another_process_is_cancelled_with_grace_and_then_at_once(make: Make) -> None:
    place = make(WAITS)
    process = place.start("run")
    eventually(lambda: place.owner() is not None and statuses(place).get("one") == "running")
    told = place.look("cancel", "last", "--grace", "50")
    assert "is being cancelled; agents at work have 50 s to end" in told.out
    assert place.show()["cancelling"]
    assert "is cancelled" in place.look("cancel", "last").out
    assert process.wait(timeout=30) == 130
    assert place.show()["status"] == "cancelled"
    place.world.touch()
    assert place.look("retry", "last", "two").code == 0
    assert statuses(place) == {"one": "pending", "two": "pending"}
    assert place.stretto("resume", "last", "--json").json["answer"] == "stood"


def test_a_run_of_another_process_takes_an_edit_while_it_goes_on(make: Make) -> None:
    place = make(WAITS)
    process = place.start("run")
    eventually(lambda: place.owner() is not None and statuses(place).get("one") == "running")
    told = place.look("edit", "last", "--set", "two.inputs.text=another")
    assert told.code == 0, told.err
    assert "goes on with it" in told.out
    place.world.touch()
    assert process.wait(timeout=30) == 0
    assert place.show()["answer"] == "another"


def test_a_fork_is_a_run_of_its_own(make: Make) -> None:
    place = make(
        "inputs: {text: {default: given}}\n"
        "tasks: {one: {skill: job.echo, inputs: {text: {ref: inputs.text}}}}\ndeliver: {ref: one.output}\n"
    )
    place.stretto("run")
    parent = place.show()["run_id"]
    told = place.look("fork", parent, "--input", "text=other")
    assert told.code == 0, told.err
    child = told.out.split()[1]
    ran = place.stretto("resume", child, "--json").json
    assert (ran["answer"], ran["forked_from"]) == ("other", parent)
    assert place.look("show", parent, "--json").json["answer"] == "given"


def test_what_makes_no_sense_is_refused_before_anything_is_stored(make: Make, tmp_path: Path) -> None:
    place = make(CHAIN)
    place.stretto("run")
    seen = len(place.look("show", "last", "--events", "--json").json)
    bad = tmp_path / "bad.yaml"
    bad.write_text("tasks: {one: {skill: job.eko}}\n", encoding="utf-8")
    for words, why in (
        (("retry", "last", "tow"), "Did you mean 'two'?"),
        (("retry", "last", "one"), "--again"),
        (("retry", "last", "two", "--agent", "nobody"), "no agent 'nobody'"),
        (("edit", "last"), "what is to change?"),
        (("edit", "last", "--remove", "for"), "no task 'for'"),
        (("edit", "last", "--set", "one.inputs.txt=1"), "Did you mean 'text'?"),
        (("edit", "last", "--set", "one.text=1"), "TASK.inputs.NAME"),
        (("edit", "last", "--plan", str(bad)), "job.echo"),
        (("fork", "last", "--at", "0"), "no event 0"),
        (("show", "last", "--at", "tow"), "Did you mean 'two'?"),
        (("show", "last", "--at", "1990-01-01T00:00"), "began after"),
    ):
        done = place.look(*words)
        assert (done.code, why in done.err) == (2, True), (words, done)
    assert len(place.look("show", "last", "--events", "--json").json) == seen


LOST = '''
"""Agents of which one is gone."""
from pathlib import Path
from stretto import AgentFailure, pure
from stretto.core.domain import FailureClass

@pure(attempts=1)
async def call(name: str) -> str:
    """Call somebody."""
    raise AgentFailure("the line is down", FailureClass.UNAVAILABLE)

@pure
async def whisper(name: str) -> str:
    """Say it softly."""
    return f"{name} nods"
'''


def test_on_a_terminal_alternatives_are_offered_and_taken_by_number(make: Make) -> None:
    place = make("tasks: {one: {skill: job.call, inputs: {name: ann}}}\ndeliver: {ref: one.output}\n")
    (place.folder / "agents" / "job.py").write_text(LOST, encoding="utf-8")
    with on_terminal("run", cwd=place.folder) as terminal:
        assert "3  hand it to job (job.whisper)" in terminal.until("which one? ")
        terminal.type("9\n")
        terminal.until("name one of them, or its number")
        terminal.type("3\n")
        assert terminal.end() == 0
        assert "ann nods" in terminal.text
    unattended = place.stretto("run", "--no-wait", "--json")
    assert (unattended.code, unattended.json["requests"]) == (1, [])
