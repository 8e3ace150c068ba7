"""Evidence is looked up: a citation says what stands at its line, with signs for what cannot be printed."""

from pathlib import Path

import pytest

from stretto.core.domain import Citation
from stretto.reviewers.grounding import unsupported


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
