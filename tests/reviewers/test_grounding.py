"""Evidence is looked up: a citation says what stands at its line, with signs for what cannot be printed."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from stretto import Assignment, Orchestrator, agent
from stretto.core.domain import Citation, Review
from stretto.reviewers.grounding import MOST_FINDINGS, unsupported


@pytest.mark.parametrize(
    ("line", "quote", "holds"),
    [
        (b"plain words", "plain words", True),
        (b"plain   words\t here", "plain words here", True),
        (b"a \x1b[31mred\x1b]0;t\x07 word", "a \ufffd[31mred\ufffd]0;t\ufffd word", True),
        (b"a \x1b[31mred word", "a \x1b[31mred word", True),
        (b"a caf\xe9", "a caf\ufffd", True),
        ("a \u202etrick".encode(), "a \ufffdtrick", True),
        (b"a long line that goes on", "a long line…", True),
        (b"plain words", "other words", False),
        (b"plain words", "plain \ufffdwords", False),
        (b"a word", "a \ufffdword", False),
    ],
)
def test_a_quote_holds_when_its_line_says_so(tmp_path: Path, line: bytes, quote: str, holds: bool) -> None:
    file = tmp_path / "log"
    file.write_bytes(b"first\n" + line + b"\nlast\n")
    assert (unsupported([Citation(file=str(file), line=2, text=quote)]) == []) is holds
    assert unsupported([Citation(file=str(file), line=1, text=quote)]) != []


def test_a_file_that_was_read_and_one_that_is_not_there(tmp_path: Path) -> None:
    file = tmp_path / "log"
    file.write_text("one\n")
    assert unsupported([Citation(file=str(file))]) == []
    assert unsupported([Citation(file=str(tmp_path / "nix"))]) != []
    assert unsupported([Citation(file=str(file), line=2, text="")]) == [f"{file} has no line 2"]


async def reviewed(store: Path, *citations: Citation) -> tuple[Sequence[Review], Orchestrator]:
    """Give what is kept of the reviews of a result that cites these."""

    @agent(effect="none", evidence=True, attempts=1)
    async def find(work: Assignment) -> str:
        """Find something."""
        work.citations.extend(citations)
        return "found"

    team = Orchestrator([find], store=store)
    run = await team.run("find it", plan={"tasks": {"t": {"skill": "find"}}, "deliver": {"ref": "t.output"}})
    return [one for one in run.state.tasks["t"].reviews if one.reviewer == "evidence"], team


async def test_every_claim_is_counted_also_beyond_the_findings_that_are_told(tmp_path: Path) -> None:
    file = tmp_path / "log"
    file.write_text("one\ntwo\n")
    good = [Citation(file=str(file), line=1, text="one"), Citation(file=str(file))]
    bad = [Citation(file=str(file), line=2, text=f"number {number}") for number in range(MOST_FINDINGS + 4)]
    gone = [Citation(file=str(tmp_path / "nix"), line=line) for line in (1, 2, 3)]
    ((found,), _) = await reviewed(tmp_path / "runs.db", *good, *bad, *gone)
    assert (found.accepted, found.checked, found.unsupported) == (False, 2 + 9 + 3, 9 + 3)
    assert found.supported == 2
    assert len(found.findings) == MOST_FINDINGS


async def test_what_cites_nothing_where_it_has_to_is_one_claim_without_support(tmp_path: Path) -> None:
    ((found,), _) = await reviewed(tmp_path / "runs.db")
    assert (found.accepted, found.checked, found.unsupported) == (False, 1, 1)


async def test_claims_that_stand_are_kept_as_well_for_the_numbers(tmp_path: Path) -> None:
    file = tmp_path / "log"
    file.write_text("one\n")
    ((found,), team) = await reviewed(tmp_path / "runs.db", Citation(file=str(file), line=1, text="one"))
    assert (found.accepted, found.checked, found.unsupported) == (True, 1, 0)
    (told,) = [one["text"] for one in await team.events("last") if one["type"] == "ResultReviewed"]
    assert told == "t: reviewed: 1 of 1 claims stand in their evidence"
