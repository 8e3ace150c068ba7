"""Criteria that a program can check are checked by one, and what it finds says how far off the result is."""

import pytest

from stretto.conditions import CelConditions
from stretto.core.domain import Artifact, Citation, Json, Review, Task
from stretto.core.plan.criteria import BadCriterion, read_criterion
from stretto.core.state import Result
from stretto.ports import Product
from stretto.reviewers.criteria import CriteriaReviewer

LETTER = "Dear Ms Voss,\nyour refund of 40 euros is on its way.\nYours, Ann"


def reviewed(criterion: str, output: Json, citations: tuple[Citation, ...] = ()) -> Review:
    result = Result(output=output, citations=citations, artifacts=(Artifact(name="a.txt", content="x"),))
    product = Product(
        task=Task(id="t", skill="s"), schema={}, evidence=False, result=result, criteria=("it is kind", criterion)
    )
    review = CriteriaReviewer(CelConditions()).glance(product)
    assert review is not None
    return review


@pytest.mark.parametrize(
    ("criterion", "output"),
    [
        ("words <= 14", LETTER),
        ("words == 14", LETTER),
        ("words = 14", LETTER),
        ("words < 15", LETTER),
        ("words > 13", LETTER),
        ("characters >= 60", LETTER),
        ("lines == 3", LETTER),
        ("items >= 2", ["a", "b"]),
        ("items == 1", {"a": 1}),
        ("words == 4", {"title": "two words", "count": 7, "sent": True, "why": None}),
        ("words == 4", [["two words"], {"more": "here", "count": 7}]),
        ("lines == 2", ["first", "second"]),
        ('contains "refund of 40"', LETTER),
        ("contains 'Dear'", {"letter": LETTER}),
        ('lacks "sorry"', LETTER),
        ("matches /^Dear M[rs]{1,2} [A-Z]/", LETTER),
        ("matches /REFUND/i", LETTER),
        (r"matches /Dear (?P<who>Ms|Mr) [[:upper:]]\w{3,}/", LETTER),
        (r"matches /^\{.*[{}]$/", "{}"),
        (r"matches /\\Z[\[\]&|-]/", r"\Z["),
        (".title: characters <= 5", {"title": "short", "text": LETTER}),
        ('.parts[1].name: contains "b"', {"parts": [{"name": "a"}, {"name": "b"}]}),
        ("[0]: words == 2", ["two words"]),
    ],
)
def test_a_criterion_that_is_met_is_met(criterion: str, output: Json) -> None:
    review = reviewed(criterion, output)
    assert review.accepted
    assert review.reviewer == "criteria"
    assert [(one.criterion, one.met, one.score) for one in review.scores] == [(criterion, True, 1.0)]


@pytest.mark.parametrize(
    ("criterion", "output", "finding"),
    [
        ("words <= 10", LETTER, "words <= 10: there are 14"),
        ("items >= 3", ["a", "b"], "items >= 3: there are 2"),
        ("items >= 3", "a text", "items >= 3: it has no items"),
        ('contains "Refund"', LETTER, 'contains "Refund": it is not in it'),
        ('lacks "Ann"', LETTER, 'lacks "Ann": it is in it'),
        ("matches /^Yours/", LETTER, "matches /^Yours/: it is not found"),
        (".title: characters <= 5", {"text": "x"}, ".title: characters <= 5: there is no 'title' in dict"),
        ("citations >= 1", LETTER, "citations >= 1: there are 0"),
    ],
)
def test_a_criterion_that_is_missed_says_by_what(criterion: str, output: Json, finding: str) -> None:
    review = reviewed(criterion, output)
    assert review.verdict == "revise"
    assert review.findings == (finding,)


def test_places_that_are_cited_twice_count_once() -> None:
    cited = (Citation(file="a", line=1), Citation(file="a", line=1), Citation(file="a", line=2))
    assert reviewed("citations == 2", "x", cited).accepted


def test_the_nearer_a_result_comes_to_its_bound_the_better_its_score() -> None:
    far, near = (reviewed("words <= 10", "word " * count).scores[0].score for count in (40, 12))
    assert 0 < far < near < 1


def test_a_pattern_that_would_take_for_ever_elsewhere_takes_no_time() -> None:
    assert not reviewed("matches /^(a+)+$/", "a" * 50_000 + "!").accepted


@pytest.mark.parametrize(
    "criterion", ["the tone is friendly", "contains no typos", "words are short", "it matches the brief", "5 <= 6", ""]
)
def test_plain_words_are_left_to_a_judge(criterion: str) -> None:
    assert read_criterion(criterion) is None
    assert reviewed(criterion, "x") == Review(accepted=True, reviewer="")


@pytest.mark.parametrize(
    ("criterion", "why"),
    [
        ("words <= many", "words are compared with a whole number, not with 'many'"),
        ("words <= -1", "words are compared with a whole number"),
        ("items >= 9999999999", "items are compared with a whole number"),
        ("items <= ²", "items are compared with a whole number"),
        ('contains "refund', "does not end, or is empty"),
        ('lacks ""', "does not end, or is empty"),
        ("matches /Dear", "a pattern stands between slashes"),
        ("matches /Dear/x", "a pattern stands between slashes"),
        ("matches /(/", "the pattern cannot be read"),
        ("matches /(?=a)b/", "no look-around"),
        (r"matches /(a)\1/", "no look-around and no back-references"),
        (r"matches /end\Z/", "nothing like"),
        ("matches /(?>a)b/", "nothing like '(?>'"),
        ("matches /(?#why)a/", "nothing like '(?#'"),
        ("matches /(?ia)a/", "nothing like '(?ia'"),
        (r"matches /\N{BULLET}/", "nothing like"),
        ("matches /a{,3}/", "nothing like '{'"),
        ('matches /^{"a"/', "nothing like '{'"),
        ("matches /[[a]/", "the pattern cannot be read"),
        ("matches /[a&&b]/", "the pattern cannot be read"),
        ("matches /[a/", "the pattern cannot be read"),
        (f"matches /{'a' * 501}/", "at most 500 characters"),
        (".title: is friendly", "nothing that a program can check follows '.title'"),
        (".title: citations >= 1", "only a whole result has citations"),
    ],
)
def test_what_begins_like_a_check_and_is_none_is_told(criterion: str, why: str) -> None:
    with pytest.raises(BadCriterion) as refused:
        read_criterion(criterion)
    assert why in str(refused.value)
    assert reviewed(criterion, "x").accepted  # a plan that was checked before this rule: left to a judge
