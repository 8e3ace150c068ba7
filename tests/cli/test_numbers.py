"""`numbers` and `rate`: how good the runs of a store were, in plain words and for programs."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.program import Place, look

ECHO = (
    "name: greet\ntasks:\n  hello: {skill: job.echo, inputs: {text: hi}}\n"
    "  again: {skill: job.echo, inputs: {text: {ref: hello.output}}}\ndeliver: {ref: again.output}\n"
)
WRITE = "tasks:\n  write: {skill: job.write, inputs: {file: WORLD, text: x}}\ndeliver: {ref: write.output}\n"
Make = Callable[[str], Place]


def test_numbers_are_shown_with_their_targets_and_row_by_row(make: Make) -> None:
    place = make(ECHO)
    assert place.stretto("run", "-q").code == 0
    assert place.look("rate", "last", "4", "--words", "nice").out.endswith("gives it 4 of 5\n")
    shown = place.look("numbers")
    assert shown.code == 0
    rows = {line.split()[0]: line for line in shown.out.splitlines() if line}
    assert "100 %  > 98 %" in rows["completion"]
    assert "met" in rows["completion"]
    assert "1 of 1 run; 1 finished" in rows["completion"]
    assert "1 handoff, median" in rows["handoff"]
    assert "0 of 2 results accepted" in rows["errors"]
    assert "no data" in rows["hallucinations"]
    assert "4.0" in rows["satisfaction"]
    assert "1 rating" in rows["satisfaction"]
    assert "no data" in rows["cost"]
    assert f"{place.folder.name}/greet" in rows
    assert place.look("numbers").out == shown.out, "to look changes nothing"


def test_what_misses_its_target_is_marked_and_the_mark_is_told(make: Make) -> None:
    place = make(WRITE)
    assert place.stretto("run", "-q", "--approve", "all").code == 0
    shown = place.look("numbers").out
    assert "missed" in next(line for line in shown.splitlines() if line.startswith("completion"))
    row = next(line for line in shown.splitlines() if line.startswith(f"{place.folder.name}/plan"))
    assert "0 % !" in row
    assert shown.endswith("! its target is missed\n")


def test_numbers_by_agent_are_for_each_version_and_skill(make: Make) -> None:
    place = make(ECHO)
    place.stretto("run", "-q")
    (row,) = [line for line in place.look("numbers", "--by", "agent").out.splitlines() if line.startswith("job ")]
    assert "job.echo" in row
    (one,) = place.look("numbers", "--by", "agent", "--json").json["rows"]
    assert (one["agent"], one["skill"], one["counts"]["attempts"], one["counts"]["success_rate"]) == (
        "job",
        "job.echo",
        2,
        1.0,
    )
    assert len(one["version"]) == 12


def test_numbers_for_programs_hold_targets_verdicts_counts_and_weeks(make: Make) -> None:
    place = make(ECHO)
    place.stretto("run", "-q")
    found = place.look("numbers", "--by", "week", "--json").json
    assert [one["name"] for one in found["targets"]] == [
        "completion",
        "handoff",
        "errors",
        "hallucinations",
        "satisfaction",
        "cost",
        "misallocation",
    ]
    (week,) = found["rows"]
    assert week["numbers"]["completion"] == {"value": 1.0, "verdict": "met"}
    assert week["numbers"]["hallucinations"] == {"value": None, "verdict": "no data"}
    assert week["weeks"].keys() == {week["week"]}
    assert found["total"]["counts"]["runs"] == 1


def test_only_runs_of_a_time_are_counted(make: Make) -> None:
    place = make(ECHO)
    place.stretto("run", "-q")
    assert place.look("numbers", "--since", "1h", "--json").json["total"]["counts"]["runs"] == 1
    assert place.look("numbers", "--until", "1h", "--json").json["total"]["counts"]["runs"] == 0
    assert place.look("numbers", "--since", "2999-01-01").out == "no run has ended yet in that time\n"


def test_of_a_shared_store_a_workspace_sees_its_own(make: Make, tmp_path: Path) -> None:
    store, one, other = str(tmp_path / "shared.db"), make(ECHO), make(WRITE)
    one.stretto("run", "-q", "--store", store)
    other.stretto("run", "-q", "--approve", "all", "--store", store)
    assert len(look("numbers", "--store", store, "--json", cwd=tmp_path).json["rows"]) == 2
    (row,) = look("numbers", "-w", str(one.folder), "--store", store, "--json", cwd=tmp_path).json["rows"]
    assert row["workflow"] == f"{one.folder.name}/greet"


def test_a_rating_is_in_the_record_and_in_the_run(make: Make) -> None:
    place = make(ECHO)
    place.stretto("run", "-q")
    assert place.look("rate", "last", "2", "--as", "ann").code == 0
    assert place.look("rate", "last", "5", "--as", "ann", "--words", "better\x1b[2J").code == 0
    shown = place.show()
    assert shown["rating"] == 5.0
    (one,) = shown["ratings"]
    assert one["by"].startswith("ann (typed by ")
    events = place.look("show", "last", "--events").out
    assert "gives it 5 of 5: better" in events
    assert "\x1b" not in events


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["rate", "last", "6"], "a rating is a whole number from 1 (not content at all) to 5 (fully), not 6"),
        (["rate", "last", "good"], "a rating is a whole number from 1 (not content at all) to 5 (fully), not 'good'"),
        (["rate", "nothing", "5"], "there is no run 'nothing'"),
        (["numbers", "--by", "moon"], "--by is workflow, agent, week, not 'moon'"),
        (["numbers", "--since", "soon"], "--since 'soon' is no moment; give a day like 2030-12-31"),
        (["numbers", "--store", "nix.db"], "there is no store"),
    ],
)
def test_what_makes_no_sense_is_told(make: Make, words: list[str], told: str) -> None:
    place = make(ECHO)
    place.stretto("run", "-q")
    done = place.look(*words)
    assert done.code in (1, 2)
    assert told in done.err
    assert done.out == ""


def test_a_run_that_waits_is_not_rated_yet(make: Make) -> None:
    place = make(WRITE)
    assert place.stretto("run", "-q").code == 4
    done = place.look("rate", "last", "5")
    assert (done.code, "it is waiting; what it delivers is rated once it has ended" in done.err) == (2, True)
