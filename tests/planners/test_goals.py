"""The table of goals in docs/planning.md, run again."""

import re
import shutil
from pathlib import Path

import pytest

from stretto.bootstrap import Orchestrator, specialists
from stretto.planners.proposal import Proposal

ROOT = Path(__file__).parents[2]
TABLE = (
    (ROOT / "docs" / "planning.md").read_text(encoding="utf-8").partition("| goal | what comes of it |\n|---|---|\n")[2]
)
ROWS = [(match[1], match[2]) for match in re.finditer(r"^\| (.*?) \| (.*) \|$", TABLE, re.M)]


@pytest.fixture
def team(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Orchestrator:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sales.csv").write_text("region,revenue\nnorth,100\nsouth,200\n")
    (tmp_path / "notes.txt").write_text("Revenue rose in May. The north grew most.\n")
    (tmp_path / "handbook.md").write_text("# Handbook\n\n## Parental leave\n\nParents get 16 weeks.\n")
    shutil.copy(ROOT / "examples" / "it-operations" / "logs" / "auth.log", tmp_path / "auth.log")
    return Orchestrator(specialists())


def told(found: Proposal) -> str:
    """Say what comes of a goal as the table does."""
    meant = found.interpretation
    if found.plan is not None:
        said = f"{meant.mode}: {' → '.join(task.skill for task in found.plan.tasks) or 'no task'}"
        return f"{said} (assumed: {'; '.join(meant.assumptions)})" if meant.assumptions else said
    if found.question is not None:
        return f"asks: {found.question.text}"
    assert found.refusal is not None
    partly = [one for one in found.refusal.instead if one.startswith("ask only")]
    return "; instead: ".join([f"refused: {found.refusal.reason}", *partly])


def test_the_table_has_thirty_goals_and_a_third_of_them_have_no_plan() -> None:
    assert len(ROWS) >= 30
    assert 10 <= sum("refused" in result or "assumed" in result for _, result in ROWS) <= 15


@pytest.mark.parametrize(("goal", "expected"), ROWS, ids=[goal for goal, _ in ROWS])
def test_a_goal_comes_to_what_the_table_says(goal: str, expected: str, team: Orchestrator) -> None:
    assert told(team.propose(goal)) == expected
    assert team.propose(goal) == team.propose(goal)
