"""`schema` prints what editors take, or writes it where it is wanted."""

import json
from pathlib import Path

import pytest

from stretto.cli.schemas import KINDS
from stretto.schemas import SCHEMAS
from tests.cli.program import look


@pytest.mark.parametrize("kind", KINDS)
def test_it_prints_one_document(kind: str, tmp_path: Path) -> None:
    done = look("schema", kind, cwd=tmp_path)
    assert done.code == 0
    assert done.json == SCHEMAS[kind]()


def test_it_writes_all_or_one_into_a_folder(tmp_path: Path) -> None:
    assert look("schema", "plan", "--out", "one", cwd=tmp_path).code == 0
    assert [path.name for path in (tmp_path / "one").iterdir()] == ["plan.schema.json"]
    done = look("schema", "--out", "all/of/them", cwd=tmp_path)
    assert len(done.out.splitlines()) == len(KINDS)
    for kind in KINDS:
        assert json.loads((tmp_path / "all/of/them" / f"{kind}.schema.json").read_text())["title"].startswith("Stretto")


def test_the_kinds_are_those_that_there_are() -> None:
    assert list(KINDS) == list(SCHEMAS)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "of which file?"),
        (["plam"], "there is no schema of 'plam'"),
        (["plan", "--out", "file"], "cannot write to file"),
    ],
)
def test_bad_input_is_told(words: list[str], said: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = look("schema", *words, cwd=tmp_path)
    assert (done.code, said in done.err) == (2, True)
