"""A summary is made of sentences of the texts, in order, with their lines, and says each thing once."""

import random
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stretto.specialists.summarise import Unsummarisable, summarise
from stretto.specialists.summarise.sentences import sentences_of

STORY = """\
# The harbour

The harbour of Port Elm handles most of the grain trade on the coast. Its grain terminal was built in 1962.
Last year the harbour handled 4.2 million tons of grain, more than any other harbour on the coast.

Dr. Weber runs the museum next to it. The museum shows old ships on Sundays.

The council wants to widen the harbour so that larger grain ships can enter. Critics say that a wider harbour would
harm the seal colony.

```
the harbour the harbour the harbour the harbour of code
```

| harbour | tons |
|---|---|
| Port Elm | 4 |
"""


def texts(*lines: str) -> list[tuple[int, str]]:
    return [(one.line, one.text) for one in sentences_of(lines)]


def test_the_theme_is_chosen_and_not_the_aside() -> None:
    found = summarise(STORY, sentences=3)
    assert "museum" not in found.text
    assert found.text.count("harbour") >= 3
    assert found.language == "en"


def test_sentences_come_word_for_word_in_order_with_their_lines() -> None:
    found = summarise(STORY, sentences=20)
    lines = STORY.split("\n")
    assert [one.line for one in found.sentences] == sorted(one.line for one in found.sentences)
    for one in found.sentences:
        assert " ".join(lines[one.line - 1 :]).replace("  ", " ").find(one.text) >= 0
    assert "code" not in found.text
    assert "|" not in found.text


def test_a_question_bends_the_choice() -> None:
    assert "seal colony" in summarise(STORY, sentences=1, question="What about the seals of the colony?").text
    assert "museum" in summarise(STORY, sentences=1, question="Who runs the museum?").text


def test_what_is_said_twice_is_chosen_once() -> None:
    text = (
        "The mill burned down on Friday night. " * 5 + "Nobody was hurt in the fire at the mill. The owner is insured."
    )
    found = summarise(text, sentences=3)
    assert len({one.text for one in found.sentences}) == 3


def test_several_files_are_cited_by_name_and_line(tmp_path: Path) -> None:
    one, other = tmp_path / "one.md", tmp_path / "other.txt"
    one.write_text("# Title\n\nSales of solar panels doubled in the south.\n", encoding="utf-8")
    other.write_text(
        "Sales of solar panels in the north stood still.\nThe weather was fine in most places.", encoding="utf-16"
    )
    found = summarise(files=[one, other], sentences=2)
    assert [(Path(s.file).name, s.line) for s in found.sentences] == [("one.md", 3), ("other.txt", 1)]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Mr. Smith met Dr. Jones at the old mill. They talked for hours.", 2),
        ("It costs 3.5 million, i.e. more than e.g. the bridge did. Nobody paid for it.", 2),
        ("He works in the U.S. government today. She works for the U.N. in Geneva.", 2),
        ('She said "Stop it right there." Then she left the room.', 2),
        ("Is this really the end? No, it is not! We go on… for ever and ever.", 3),
        ("Version v1.2.3 of the tool is out. See example.org for all details.", 2),
        ("Am 3. Mai begann der Bau der neuen Brücke. Er dauerte z.B. wegen Regen lange.", 2),
        ("J. R. R. Tolkien wrote this book long ago. It sold very well.", 2),
        ("港は今年も大きく成長しました。来年はさらに拡張する予定です。", 2),
    ],
)
def test_sentences_end_where_people_end_them(text: str, parts: int) -> None:
    assert len(texts(text)) == parts


def test_lists_quotes_headings_and_code_are_told_apart() -> None:
    found = texts(
        "Heading of the whole text",
        "=========================",
        "- the first item says a thing",
        "2. the second item says another",
        "> somebody quoted this sentence once",
        "",
        "    indented = code(that, is, no, prose)",
        "",
        "~~~",
        "fenced code that is no prose at all",
        "~~~",
        "A last **bold** sentence with a [link](http://x.example).",
    )
    assert [line for line, _ in found] == [3, 4, 5, 12]
    assert found[-1][1] == "A last bold sentence with a link."


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Der Hafen ist der größte an der Küste und wird von der Stadt geführt. Er wurde im Jahr 1962 gebaut.", "de"),
        ("Le port est le plus grand de la côte et il est dirigé par la ville. Il a été construit en 1962.", "fr"),
        ("El puerto es el más grande de la costa y está dirigido por la ciudad. Fue construido en los años.", "es"),
        ("Sebuah pelabuhan besar terletak dekat kota. Kapal datang setiap hari membawa gandum.", ""),
    ],
)
def test_languages_are_told_and_unknown_ones_still_summed_up(text: str, language: str) -> None:
    found = summarise(text, sentences=1)
    assert found.language == language
    assert len(found.sentences) == 1
    assert bool(found.notes) == (language == "")


def test_a_text_of_a_hundred_thousand_sentences_is_bounded(tmp_path: Path) -> None:
    chance = random.Random(3)
    words = ["".join(chance.choices("abcdefghij", k=6)) for _ in range(3000)]
    file = tmp_path / "large.txt"
    with file.open("w", encoding="utf-8") as stream:
        for _ in range(20_000):
            stream.write(" ".join(chance.choices(words, k=12)).capitalize() + ".\n\n")
    began = time.perf_counter()
    found = summarise(files=[file], sentences=5)
    assert (found.considered, len(found.sentences)) == (20_000, 5)
    assert "weightiest" in found.notes[-1]
    assert time.perf_counter() - began < 60


def test_the_same_text_gives_the_same_summary() -> None:
    assert summarise(STORY, sentences=3) == summarise(STORY, sentences=3)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({}, "nothing to summarise"),
        ({"text": "  "}, "nothing to summarise"),
        ({"text": "A whole sentence stands here.", "files": ["x"]}, "either"),
        ({"files": ["/no/such/file"]}, "no file"),
        ({"files": [str(Path(__file__).parent)]}, "a folder"),
        ({"files": ["a\0b"]}, "no file"),
        ({"text": "# Heading\n\nx = 1"}, "no whole sentences"),
        ({"text": "A whole sentence stands here.", "sentences": 0}, "from 1 to"),
    ],
)
def test_what_cannot_be_summed_up_is_refused(arguments: dict[str, object], said: str) -> None:
    with pytest.raises(Unsummarisable, match=said):
        summarise(**arguments)  # type: ignore[arg-type]


def test_binary_files_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "x.bin"
    file.write_bytes(b"\x00\x01" * 100)
    with pytest.raises(Unsummarisable, match="no text"):
        summarise(files=[file])


@settings(max_examples=150)
@given(st.text(alphabet="aB .!?\n-#`>|0é。\"'", max_size=300) | st.text(max_size=200))
def test_every_sentence_found_is_of_the_text(text: str) -> None:
    lines = text.split("\n")
    for one in sentences_of(lines):
        assert 1 <= one.line <= len(lines)
        assert one.text
