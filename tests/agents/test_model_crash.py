"""An agent of kind `model` whose process is killed: what has ended is not asked for again, by the server's own log."""

import asyncio
import json
import os
import sys
from collections import Counter
from pathlib import Path

import pytest

from stretto.core.events import CallBegun, CallEnded
from stretto.journals.sqlite import SqliteJournal
from stretto.testing.models import Answer, ModelServer, Rule, ToolUse, When
from tests import forked

RUN = "20260101-modeltest0"
TURNS = [
    Answer(calls=(ToolUse(name="look", arguments={"word": "a"}), ToolUse(name="look", arguments={"word": "b"}))),
    Answer(text="Now a place.", calls=(ToolUse(name="book", arguments={"place": "hall"}),)),
    Answer(calls=(ToolUse(name="note", arguments={"text": "hall"}), ToolUse(name="look", arguments={"word": "c"}))),
    Answer(calls=(ToolUse(name="look", arguments={"word": "d"}),)),
    Answer(text="A feast in the hall."),
]
SCRIPT = [Rule(when=When(turn=number), say=say) for number, say in enumerate(TURNS)]


def job(folder: Path, server: ModelServer, *more: str) -> forked.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.agents.model_job", str(folder / "runs.db"), str(folder / "world"), *more]
    environment = {**os.environ, "MODEL_URL": server.url, "MODEL_KEY": server.key}
    return forked.run(command, cwd=forked.ROOT, env=environment)


def ended(folder: Path) -> tuple[int, set[str]]:
    """Give how many turns have ended by the journal, and the keys of the actions of tools that have."""

    async def look() -> tuple[int, set[str]]:
        journal = SqliteJournal(folder / "runs.db")
        events = [one.event for one in await journal.read(RUN)]
        await journal.close()
        over = {event.call for event in events if isinstance(event, CallEnded)}
        begun = {event.call: event for event in events if isinstance(event, CallBegun) and event.call in over}
        return sum(one.role == "worker" for one in begun.values()), {one.action for one in begun.values()}

    return asyncio.run(look())


def deeds(folder: Path) -> Counter[str]:
    world = folder / "world"
    return Counter(json.loads(line)["key"] for line in world.read_text().splitlines()) if world.exists() else Counter()


@pytest.mark.parametrize(("when", "number"), [("after", 5), ("before", 10), ("after", 13)])
def test_killed_in_the_middle_no_finished_turn_and_no_finished_tool_is_repeated(
    when: str, number: int, tmp_path: Path
) -> None:
    with ModelServer(SCRIPT) as server:
        died = job(tmp_path, server, "--kill-at", str(number), "--when", when)
        turns, actions = ended(tmp_path)
        done = deeds(tmp_path)
        resumed = job(tmp_path, server, "--resume")
        asked = Counter(request.turn for request in server.requests)
    assert died.returncode == -9, died.stderr
    assert resumed.returncode == 0, resumed.stderr
    run = json.loads(resumed.stdout)
    assert (run["status"], run["answer"]) == ("finished", "A feast in the hall.")
    assert 0 < turns < len(TURNS)
    assert [asked[turn] for turn in range(turns)] == [1] * turns
    assert set(asked) == set(range(len(TURNS)))
    assert asked.total() <= len(TURNS) + 1
    after = deeds(tmp_path)
    assert {key: after[key] for key in actions & set(done)} == {key: done[key] for key in actions & set(done)}
    kinds = Counter(json.loads(line)["kind"] for line in (tmp_path / "world").read_text().splitlines())
    assert (kinds["book"], len(after)) == (1, 6)
