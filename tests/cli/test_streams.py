"""`--plan -` and `--plan FILE.jsonl`: real processes, a slow pipe, a killed run, and the plan handed over again."""

import asyncio
import json
import os
import signal
from collections.abc import Callable
from typing import Any

from stretto.bootstrap import find_run, open_store
from stretto.core.events import Event, PlanClosed, TaskCompleted
from stretto.ports import RunQuery
from tests import forked
from tests.cli.program import SECONDS, Place, eventually

Make = Callable[[str], Place]

NONE = "tasks: {never: {skill: job.echo, inputs: {text: never}}}\n"
FIRST = {"id": "first", "skill": "job.echo", "inputs": {"text": {"ref": "inputs.word"}}}
SECOND = {"id": "second", "skill": "job.echo", "inputs": {"text": {"ref": "first.output"}}}


def line(part: Any) -> str:
    return json.dumps(part) + "\n"


def events(place: Place) -> list[Event]:
    """Give the newest run's events; none before there is one."""
    store = place.folder / ".stretto" / "runs.db"
    if not store.exists():
        return []

    async def read() -> list[Event]:
        async with open_store(store) as journal:
            if not await journal.runs(RunQuery(limit=1)):
                return []
            return [one.event for one in await journal.read(await find_run(journal, "last"))]

    return asyncio.run(read())


def done(place: Place) -> list[str]:
    return [one.task for one in events(place) if isinstance(one, TaskCompleted)]


def streaming(place: Place, *words: str) -> forked.Popen:
    return place.start("run", "--plan", "-", "--json", *words, stdin=forked.PIPE)


def write(process: forked.Popen, *parts: Any) -> None:
    assert process.stdin is not None
    process.stdin.write("".join(map(line, parts)))
    process.stdin.flush()


def test_the_first_result_is_in_the_journal_before_the_last_line_is_written(make: Make) -> None:
    place = make(NONE)
    process = streaming(place, "--input", "word=hello")
    write(process, {"inputs": {"word": "value"}}, FIRST, SECOND)
    eventually(lambda: done(place) == ["first", "second"])
    assert not any(isinstance(one, PlanClosed) for one in events(place))
    write(process, {"deliver": {"ref": "second.output"}})
    out, _ = process.communicate(timeout=SECONDS)
    assert (process.returncode, json.loads(out)["answer"]) == (0, "hello")


def test_a_broken_line_is_told_with_file_line_and_column_and_what_was_done_is_delivered(make: Make) -> None:
    place = make(NONE)
    (place.folder / "plan.jsonl").write_text(
        line({"inputs": ["word"]}) + line(FIRST) + "\n" + '{"id": "x", "skill": \n' + line({"id": "y", "skil": "z"})
    )
    ended = place.stretto("run", "--plan", "plan.jsonl", "--input", "word=hello")
    assert ended.code == 3
    assert "\nhello\n" in ended.out
    assert "  plan.jsonl:4:22: error: not JSON" in ended.out
    assert "  plan.jsonl:5:13 (skil): error: a task has no field 'skil'" in ended.out
    assert "the plan: 2 defects, the first: plan.jsonl:4:22" in place.look("show", "last").out


def test_what_the_whole_plan_lacks_is_told_as_for_files(make: Make) -> None:
    place = make(NONE)
    dangling = {"id": "b", "skill": "job.echo", "inputs": {"text": {"ref": "nobody.output"}}}
    (place.folder / "plan.jsonl").write_text(line({"inputs": ["word"]}) + line(FIRST) + line(dangling))
    ended = place.stretto("run", "--plan", "plan.jsonl", "--input", "word=hello")
    assert ended.code == 3
    assert "plan.jsonl:3:45 (tasks.b.inputs.text): error: there is no task 'nobody'" in ended.out


def test_a_line_that_breaks_off_is_told_and_an_end_without_deliver_is_none(make: Make) -> None:
    place = make(NONE)
    whole = line({"inputs": ["word"]}) + line(FIRST)
    fine = place.stretto("run", "--plan", "-", "--input", "word=hello", "--json", input=whole)
    assert (fine.code, fine.json["answer"]) == (0, "hello")
    broken = place.stretto("run", "--plan", "-", "--input", "word=hello", input=whole + line(SECOND)[:30])
    assert broken.code == 3
    assert "standard input:3:" in broken.out


def test_a_run_killed_while_its_plan_was_written_takes_the_whole_plan_again(make: Make) -> None:
    place = make(NONE)
    process = streaming(place, "--input", "word=hello")
    parts = [{"inputs": {"word": "value"}}, FIRST]
    write(process, *parts)
    eventually(lambda: done(place) == ["first"])
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=SECONDS)
    (place.folder / "plan.jsonl").write_text(
        "".join(map(line, [*parts, SECOND, {"deliver": {"ref": "second.output"}}]))
    )
    assert place.look("resume", "last", "--plan", "plan.yaml").code == 2
    ended = place.stretto("resume", "last", "--plan", "plan.jsonl", "--json")
    assert (ended.code, ended.json["answer"]) == (0, "hello")
    assert [one["attempts"] for one in ended.json["tasks"]] == [1, 1]


def test_a_run_killed_while_its_plan_was_written_ends_partial_without_it(make: Make) -> None:
    place = make(NONE)
    process = streaming(place, "--input", "word=hello")
    held = {"id": "held", "skill": "job.write", "inputs": {"file": str(place.world), "text": "deed"}}
    write(process, {"inputs": {"word": "value"}}, held, FIRST)
    eventually(lambda: done(place) == ["first"])
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=SECONDS)
    ended = place.stretto("resume", "last", "--approve", "all", "--json")
    assert (ended.code, ended.json["answer"]) == (3, "hello")
    assert [gap["what"] for gap in ended.json["gaps"]] == ["the plan", "job.write"]
    assert not place.world.exists()


def test_a_file_of_lines_that_is_not_there_is_told_before_anything_is_stored(make: Make) -> None:
    place = make(NONE)
    refused = place.look("run", "--plan", "nothing.jsonl")
    assert refused.code == 2
    assert "nothing.jsonl" in refused.err
    assert "no store" in place.look("runs").err
