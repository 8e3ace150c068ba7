"""What pages say in words, and how they draw: exactly what the rules allow, and text as text."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stretto.answering import words_for
from stretto.core.decide.people import ALLOWED
from stretto.core.domain import Ask, Catalogue, Chain, Request, Task
from stretto.core.errors import UsageError
from stretto.core.state import RunState
from stretto.dashboard.charts import line_chart
from stretto.dashboard.deciding import KINDS, WORDS, after_silence, value_of
from stretto.dashboard.numbers import amount, wanted
from stretto.dashboard.values import marked
from tests.core.story import Story, agent

APPROVAL = Request(id="r", task="a", attempt=1, kind="approval", question="do it?")


def test_every_kind_of_request_has_a_button_for_each_word_that_counts_and_no_other() -> None:
    assert set(WORDS) == set(ALLOWED) == set(KINDS)
    for kind, words in WORDS.items():
        request = Request(id="r", task="a", attempt=1, kind=kind, question="?")  # type: ignore[arg-type]
        assert set(words) == set(words_for(request))
        keys = [word.key for word in words.values() if word.key]
        assert len(keys) == len(set(keys))


def test_what_comes_after_silence_is_said_in_words() -> None:
    chain = Chain(steps=(Ask(who="ann", within=60.0), Ask(who="bob", within=60.0)), otherwise="deny")
    asked = Request(id="r", task="a", attempt=1, kind="approval", question="?", chain=chain, due=10.0, to="ann")
    assert after_silence(asked) == "bob is asked, then it is denied"
    assert after_silence(APPROVAL) == ""


@pytest.mark.parametrize(
    ("text", "why"),
    [("{", "no JSON (line 1, column 2)"), ("[1]", "by name"), ('"x"', "by name"), ("", "no JSON")],
)
def test_arguments_that_are_none_are_refused_with_the_place(text: str, why: str) -> None:
    with pytest.raises(UsageError, match=re.escape(why)):
        value_of(RunState(), APPROVAL, "arguments", text)


def test_an_answer_is_text_and_the_result_of_a_persons_task_is_what_its_schema_says() -> None:
    story = Story(
        Catalogue(agents=(agent("legal", kind="person"),)), Task(id="a", skill="work", output={"type": "integer"})
    )
    story.begin("a")
    question = Request(id="r", task="a", attempt=1, kind="question", question="how many?")
    assert value_of(story.state, question, "answer", "12") == 12
    with pytest.raises(UsageError):
        value_of(story.state, question, "answer", "a dozen")
    goal = Request(id="r", task="", attempt=1, kind="goal", question="which?")
    assert value_of(story.state, goal, "answer", " the first ") == "the first"
    with pytest.raises(UsageError, match="write an answer"):
        value_of(story.state, goal, "answer", "  ")


@given(st.lists(st.text(max_size=40), max_size=8))
def test_lines_of_a_diff_never_become_markup(lines: list[str]) -> None:
    found = marked(lines)
    bare = re.sub(r'<span class="(plus|minus|file|hunk|same)">|</span>', "", found)
    assert "<" not in bare
    assert ">" not in bare
    assert found.count("<span") == len(lines)


def test_lines_of_a_diff_are_told_apart() -> None:
    lines = ["--- a/hosts", "+++ b/hosts", "@@ -1 +1 @@", "-allow all", "+deny <all>", " rest"]
    kinds = re.findall(r'class="(\w+)"', marked(lines))
    assert kinds == ["file", "file", "hunk", "minus", "plus", "same"]
    assert "deny &lt;all&gt;" in marked(lines)


def test_a_chart_stays_within_its_frame_and_tells_its_values() -> None:
    for values in ([0.5, 0.5], [0.0, 100.0, 3.0], [1e-9, 2e-9]):
        known = [(f"2030-W{number:02}", value) for number, value in enumerate(values, 1)]
        svg = line_chart(known, 0.98, lambda value: f"{value:g} <b>")
        points = [float(one) for one in re.findall(r"[\d.]+", re.findall(r'points="([^"]+)"', svg)[0])]
        assert all(0 <= across <= 240 for across in points[::2])
        assert all(0 <= down <= 56 for down in points[1::2])
        assert "&lt;b&gt;" in svg
        assert "<b>" not in svg


def test_numbers_are_given_with_their_units() -> None:
    assert [amount("share", 0.9876), amount("share", None), amount("seconds", 0.0421)] == ["98.8 %", "–", "42 ms"]
    assert [amount("dollars", 0.0), amount("dollars", 0.01234), amount("dollars", 1234.5)] == [
        "$0.00",
        "$0.0123",
        "$1,234.50",
    ]
    assert amount("rating", 4.25) == "4.25"
    assert wanted({"comparison": "above", "unit": "share", "bound": 0.98}) == "should be above 98.0 %"
    assert wanted({"comparison": "falling", "unit": "dollars", "bound": None}) == "should fall from week to week"
