"""What was undone and spent, on the command line: cancel --undo, show, and what waits for a person."""

from collections.abc import Callable

from tests.cli.program import Place

Make = Callable[[str], Place]

AGENTS = '''
from pathlib import Path
from stretto import Assignment, agent, pure, reversible

def line(text: str) -> None:
    with open("world", "a") as world:
        world.write(text + "\\n")

@agent(attempts=1)
def unbook(name: str) -> None:
    """Take a booking back."""
    if name == "stuck":
        raise ValueError("nobody answers")
    line(f"unbook {name}")

@reversible(undo=unbook, cost="$0.50")
def book(name: str, work: Assignment) -> str:
    """Book a place."""
    work.spend("0.25")
    line(f"book {name}")
    return name

@pure
def ask(work: Assignment) -> str:
    """Ask a person."""
    return work.ask("which colour?")

@pure(attempts=1)
def fail() -> str:
    """Fail."""
    raise ValueError("no")
'''
WAITS = """
tasks:
  flight: {skill: trip.book, inputs: {name: flight}}
  hotel: {skill: trip.book, inputs: {name: hotel}, after: [flight], budget: "$0.50, 2 steps"}
  colour: {skill: trip.ask, after: [hotel]}
deliver: {ref: hotel.output}
"""
STUCK = """
tasks:
  flight: {skill: trip.book, inputs: {name: flight}}
  stuck: {skill: trip.book, inputs: {name: stuck}, after: [flight]}
  fail: {skill: trip.fail, after: [stuck]}
"""


def trip(make: Make, text: str) -> Place:
    place = make(text)
    (place.folder / "trip.py").write_text(AGENTS)
    workspace = place.folder / "workspace.yaml"
    workspace.write_text(workspace.read_text().replace("agents/job.py", "trip.py") + "budget: $2, 20 steps\n")
    return place


def done(place: Place) -> list[str]:
    return place.world.read_text().splitlines()


def test_cancel_undo_takes_back_what_was_done_and_show_says_so(make: Make) -> None:
    place = trip(make, WAITS)
    assert place.stretto("run").code == 4
    shown = place.look("show", "last").out
    assert "budget  $0.50 of $2 spent, 3 of 20 steps" in shown
    assert "budget of hotel  $0.25 of $0.50 spent, 1 of 2 steps" in shown
    cancelled = place.look("cancel", "last", "--undo")
    assert "is cancelled once what it did is undone; go on with: stretto resume" in cancelled.out
    ended = place.stretto("resume", "last")
    assert ended.code == 130
    assert done(place) == ["book flight", "book hotel", "unbook hotel", "unbook flight"]
    told = place.show()
    assert told["status"] == "cancelled"
    assert told["budget"]["left"]["money"] == 1.5
    shown = place.look("show", "last").out
    assert "undone because the run was cancelled by" in shown
    assert "undo-hotel" in shown


def test_what_cannot_be_undone_waits_for_a_person_and_is_urgent_when_given_up(make: Make) -> None:
    place = trip(make, STUCK)
    ran = place.stretto("run")
    assert ran.code == 4
    assert "waits for you: undo-stuck: 'stuck' could not be undone: ValueError: nobody answers" in ran.out
    assert place.look("answer", "last", "undo-stuck", "fail").code == 0
    ended = place.stretto("resume", "last")
    assert ended.code == 3
    assert "! undo-stuck: undo stuck: given up by" in ended.out
    assert "  flight: trip.book: undone because 'fail' failed" in ended.out
    assert done(place) == ["book flight", "book stuck", "unbook flight"]
