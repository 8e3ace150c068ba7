"""What somebody tries who has read the first page only: it works, or it is told what to write instead."""

from pathlib import Path

import pytest

import stretto
from stretto import Orchestrator
from stretto.cli.rendering import as_text
from stretto.core.errors import BadAgent, UsageError
from tests.cli.program import look
from tests.cli.program import stretto as stretto_program


def shout(text: str) -> str:
    """Shout a text."""
    return text.upper()


@pytest.mark.parametrize(
    ("agents", "says"),
    [
        ([3], "3 is no agent; hand over functions"),
        (["logs"], "'logs' is a name; the agent is `stretto.bootstrap.specialist('logs')`"),
        (["nix"], "'nix' is no agent"),
        ([dict], "is no agent; hand over functions"),
        (shout, "agents are a list of functions and agents"),
        ("logs", "agents are a list of functions and agents, not 'logs'"),
    ],
)
def test_what_is_no_agent_is_told_with_what_to_hand_over(agents: list[object], says: str) -> None:
    with pytest.raises(BadAgent) as told:
        Orchestrator(agents)  # type: ignore[arg-type]
    assert says in str(told.value)


async def test_a_slip_in_approve_is_told_and_denies_nothing() -> None:
    team = Orchestrator([shout])
    with pytest.raises(UsageError, match="approve is ask, all, none, not 'yes'"):
        await team.run("Shout hello", approve="yes")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="approve is ask, all, none, not 'yes'"):
        await team.resume("last", approve="yes")  # type: ignore[arg-type]


def test_the_public_names_are_found_by_looking() -> None:
    assert set(stretto.__all__) <= set(dir(stretto))


def test_rows_whose_columns_are_named_apart_are_shown_as_a_table() -> None:
    answer = {"columns": [{"name": "region", "type": "text"}, {"name": "n", "type": "integer"}]}
    assert as_text({**answer, "rows": [["North", 3], ["South", None]]}).endswith(
        "rows:\n  region  n\n  North   3\n  South   -"
    )
    assert as_text({**answer, "rows": 2, "sample": [["North", 3]]}).endswith("sample:\n  region  n\n  North   3")
    assert as_text({**answer, "rows": [["North"]]}).endswith("rows:\n  - - North")


def test_an_unknown_skill_is_answered_with_those_of_its_agent(tmp_path: Path) -> None:
    told = look("agents", "run", "calculate.sum", cwd=tmp_path)
    assert told.code == 2
    assert "calculate has no skill 'calculate.sum'. It has calculate.evaluate, calculate.aggregate." in told.err


def test_a_slip_in_a_field_of_an_argument_is_answered_with_its_fields(tmp_path: Path) -> None:
    told = look("agents", "run", "verify", 'claims=[{"text": "It grew.", "file": "a.txt"}]', cwd=tmp_path)
    assert told.code == 2
    assert "('file' was unexpected); known: text, " in told.err


def test_an_answer_from_another_folder_names_the_command_that_goes_on_from_there(tmp_path: Path) -> None:
    (tmp_path / "team").mkdir()
    (tmp_path / "team/agents.py").write_text(
        "from stretto import irreversible\n\n\n@irreversible\ndef send(to: str) -> str:\n"
        '    """Send a letter."""\n    return f"sent to {to}"\n'
    )
    (tmp_path / "team/plan.yaml").write_text("tasks: {letter: {skill: agents.send, inputs: {to: ann}}}\n")
    (tmp_path / "team/workspace.yaml").write_text("name: team\nagents: [agents.py]\nplan: plan.yaml\n")
    waits = stretto_program("run", "-w", "team", "Write to Ann", "--json", cwd=tmp_path)
    assert (waits.code, waits.json["status"]) == (4, "waiting")
    said = look("approve", "last", "-w", "team", cwd=tmp_path)
    run = waits.json["run_id"]
    assert said.out == f"approved: letter of run {run}; go on with: stretto resume {run} -w team\n"
