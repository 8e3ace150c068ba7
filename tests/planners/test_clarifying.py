"""Questions about a goal: asked before anything is planned, answered by people, kept in the journal, asked once."""

import asyncio
from functools import reduce
from pathlib import Path

import pytest

from stretto import Orchestrator, irreversible, pure
from stretto.bootstrap import find_run, leave_word, open_store
from stretto.core.commands import AnswerRequest
from stretto.core.events import Event, GoalInterpreted, PersonAnswered, PersonAsked
from stretto.core.evolve import evolve
from stretto.core.state import RunState
from tests.cli.program import look, on_terminal, stretto
from tests.core.world import plain

AGENTS = '''
from dataclasses import dataclass
from pathlib import Path
from stretto import irreversible, pure

@dataclass
class Letter:
    text: str

@pure
def polite(question: str) -> Letter:
    """Compose a polite letter."""
    return Letter(text="Dear all")

@pure
def short(question: str) -> Letter:
    """Compose a short letter."""
    return Letter(text="All")

@irreversible
def post(letter: Letter) -> str:
    """Post a letter."""
    with (Path(__file__).parent / "posted").open("a") as world:
        world.write(letter.text + "\\n")
    return letter.text
'''
GOAL = "Post a letter"


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    (tmp_path / "desk.py").write_text(AGENTS)
    (tmp_path / "workspace.yaml").write_text("name: desk\nagents: [desk.py]\n")
    return tmp_path


def posted(desk: Path) -> list[str]:
    return (desk / "posted").read_text().splitlines() if (desk / "posted").exists() else []


async def facts(desk: Path) -> list[Event]:
    async with open_store(desk / ".stretto" / "runs.db") as journal:
        return [one.event for one in await journal.read(await find_run(journal, "last"))]


def test_without_a_person_the_run_waits_and_an_answer_from_elsewhere_lets_it_go_on(desk: Path) -> None:
    ran = stretto("run", "--no-wait", GOAL, cwd=desk)
    assert ran.code == 4
    shown = look("show", "last", cwd=desk).out
    assert "What is 'letter' of desk.post to be?" in shown
    assert "desk.polite" in shown
    assert "desk.short" in shown
    assert look("answer", "last", "2", cwd=desk).code == 0
    ended = stretto("resume", "last", "--approve", "all", "--json", cwd=desk)
    assert (ended.code, ended.json["answer"], posted(desk)) == (0, "All", ["All"])
    meant = look("show", "last", "--json", cwd=desk).json["interpretation"]
    assert "What is 'letter' of desk.post to be? desk.short, as a person said" in meant["reasons"]

    events = asyncio.run(facts(desk))
    kinds = [type(one) for one in events if isinstance(one, PersonAsked | PersonAnswered | GoalInterpreted)]
    assert kinds[:3] == [PersonAsked, PersonAnswered, GoalInterpreted]
    assert kinds.count(GoalInterpreted) == 1
    state = reduce(evolve, events, RunState())
    assert state.clarified == (("What is 'letter' of desk.post to be?", "2"),)
    assert plain(state) == plain(reduce(evolve, events, RunState()))


def test_a_question_about_the_goal_that_is_denied_ends_the_run_and_nothing_is_done(desk: Path) -> None:
    stretto("run", "--no-wait", GOAL, cwd=desk)
    denied = look("deny", "last", "--reason", "never mind", cwd=desk)
    assert denied.code == 0, denied.err
    ended = stretto("resume", "last", "--approve", "all", "--json", cwd=desk)
    assert ended.code == 1
    assert "never mind" in ended.out
    assert posted(desk) == []


def test_an_answer_that_names_no_choice_refuses_the_goal_and_nothing_is_done(desk: Path) -> None:
    stretto("run", "--no-wait", GOAL, cwd=desk)
    look("answer", "last", "loud", cwd=desk)
    ended = stretto("resume", "last", "--approve", "all", "--json", cwd=desk)
    assert ended.code == 1
    assert "'loud' is none of desk.polite, desk.short" in ended.out
    assert posted(desk) == []


def test_on_a_terminal_the_question_is_answered_inline(desk: Path) -> None:
    with on_terminal("run", "--approve", "all", GOAL, cwd=desk) as terminal:
        terminal.until("What is 'letter' of desk.post to be?")
        terminal.until("which one? ")
        terminal.type("1\n")
        assert terminal.end() == 0
    assert posted(desk) == ["Dear all"]


@pytest.mark.parametrize("twice", [False, True])
def test_an_owner_that_dies_before_or_after_the_answer_is_not_asked_again(desk: Path, twice: bool) -> None:
    stretto("run", "--no-wait", GOAL, cwd=desk)  # its process is gone: nobody owns the run
    if twice:
        assert stretto("resume", "last", "--no-wait", cwd=desk).code == 4
    events = asyncio.run(facts(desk))
    assert sum(isinstance(one, PersonAsked) for one in events) == 1
    look("answer", "last", "desk.polite", cwd=desk)
    assert stretto("resume", "last", "--approve", "all", "--json", cwd=desk).json["answer"] == "Dear all"
    goals = [one for one in asyncio.run(facts(desk)) if isinstance(one, PersonAsked) and one.request.kind == "goal"]
    assert len(goals) == 1


async def test_an_answer_said_twice_or_too_late_changes_nothing(desk: Path) -> None:
    await asyncio.to_thread(stretto, "run", "--no-wait", GOAL, cwd=desk)
    async with open_store(desk / ".stretto" / "runs.db") as journal:
        run = await find_run(journal, "last")
        asked = next(one.event for one in await journal.read(run) if isinstance(one.event, PersonAsked))
        answer = AnswerRequest(request=asked.request.id, decision="answer", value="1")
        await leave_word(journal, run, answer)
        before = len(await journal.read(run))
        state = await leave_word(journal, run, AnswerRequest(request=asked.request.id, decision="answer", value="2"))
        assert len(await journal.read(run)) == before
        assert [said for _, said in state.clarified] == ["1"]


def test_in_python_the_answers_come_with_the_goal() -> None:
    @pure
    def north(question: str) -> list[str]:
        """Give northern facts."""
        return [question]

    @pure
    def south(question: str) -> list[str]:
        """Give southern facts."""
        return [question]

    @irreversible
    def publish(facts: list[str]) -> str:
        """Publish facts."""
        return str(facts)

    team = Orchestrator([north, south, publish])
    asked = team.propose("Publish facts")
    assert asked.question is not None
    assert asked.question.choices == ("north", "south")
    found = team.propose("Publish facts", answers=[(asked.question.text, "south")])
    assert found.plan is not None
    assert [task.skill for task in found.plan.tasks] == ["south", "publish"]
