"""What docs/models.md shows is true: its definitions are read, its snippet runs, and what it quotes is said."""

import re
from pathlib import Path

import pytest

from stretto.documents import parse_document
from stretto.models.definition import chosen, models_of

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "models.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("text", re.findall(r"```yaml\n(.*?)```", PAGE, re.S))
def test_its_definitions_are_read(text: str) -> None:
    assert chosen([models_of(parse_document(text, "models.md").value["models"])]).roles


def test_its_snippet_runs() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.S)
    space: dict[str, object] = {}
    exec(code, space)  # noqa: S102
    models = space["team"].models.of("planner")  # type: ignore[attr-defined]
    assert [one.name for one in models] == ["openai:gpt-5", "local"]


def test_what_it_says_goes_wrong_is_said_somewhere() -> None:
    source = " ".join(
        " ".join(file.read_text(encoding="utf-8").split()) for file in (ROOT / "src/stretto/models").glob("*.py")
    )
    table = PAGE.partition("| it says | class | what to do |")[2].partition("\n\n")[0]
    for row in table.strip().splitlines()[1:]:
        said = row.split("|")[1]
        for phrase in re.split(r"[;:]|\.\.\.|, and the prompt has some.*| takes 8,192.*", said):
            assert phrase.strip() in source, phrase
