"""A text that a plan delivers: what it is written from, and what is wrong with it where it cannot be written."""

import pytest

from stretto.core.domain import Json
from stretto.core.plan.delivering import values_of, written, written_defects

A, B = {"ref": "a.output"}, {"ref": "b.output.title"}


def test_a_text_is_written_from_what_it_names_or_from_what_is_left() -> None:
    named = written({"write": "a letter", "from": [A, B]})
    assert named is not None
    assert (named.what, named.sources) == ("a letter", (A, B))
    left = written({"write": "a letter"})
    assert left is not None
    assert left.sources == ()


def test_one_reference_alone_stands_for_a_list_of_one() -> None:
    text = written({"write": "a letter", "from": A})
    assert text is not None
    assert text.sources == (A,)


@pytest.mark.parametrize(
    ("deliver", "values"),
    [
        ({"write": "a letter", "from": [A, B]}, {"a": A, "b.output.title": B}),
        ({"write": "a letter"}, None),
        ({"write": A}, {"write": A}),
        ({"write": "a letter", "by": A}, {"write": "a letter", "by": A}),
        (A, A),
        (None, None),
    ],
)
def test_the_values_of_a_text_are_the_results_it_is_written_from(deliver: Json, values: Json) -> None:
    assert values_of(deliver) == values


@pytest.mark.parametrize(
    ("deliver", "defects"),
    [
        ({"write": " "}, [("deliver.write", "it does not say what is to be written")]),
        ({"write": "x", "from": []}, [("deliver.from", "it names nothing that the text is written from")]),
        ({"write": "x", "from": None}, [("deliver.from", "it names nothing that the text is written from")]),
        ({"write": "x", "from": [A, "a.output", 3]}, [(f"deliver.from[{n}]", "this is no reference") for n in (1, 2)]),
        (
            {"write": "", "from": [{}]},
            [
                ("deliver.write", "it does not say what is to be written"),
                ("deliver.from[0]", "this is no reference"),
            ],
        ),
        ({"write": "a letter"}, []),
        ({"write": 3, "from": "nowhere"}, []),
    ],
)
def test_what_is_wrong_with_a_text_is_told_at_its_place(deliver: Json, defects: list[tuple[str, str]]) -> None:
    assert [(one.path, one.message) for one in written_defects(deliver)] == defects
    assert (written(deliver) is None) == (bool(defects) or not isinstance(deliver["write"], str))
