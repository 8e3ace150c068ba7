"""A graph is laid out so that one can read it: nothing overlaps, lines run forward and cross no box."""

import time
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from stretto.dashboard.layout import GAP, GUTTER, HEIGHT, WIDTH, Layout, grid, layout


@st.composite
def graphs(draw: st.DrawFn) -> dict[str, list[str]]:
    many = draw(st.integers(0, 24))
    return {
        f"t{number}": [f"t{name}" for name in draw(st.sets(st.integers(0, max(number - 1, 0)), max_size=5)) if number]
        for number in range(many)
    }


def boxes_crossed(found: Layout, tall: dict[str, int]) -> list[tuple[str, str, str]]:
    """Name each line with a box that it runs through."""
    crossed = []
    for edge in found.edges:
        for (x, y), (to_x, to_y) in pairwise(edge.points):
            for id_, place in found.places.items():
                deep = tall.get(id_, 1)
                for row in range(deep):
                    left, top = place.x, place.y + row * (HEIGHT + GAP)
                    beside = to_x <= left or x >= left + WIDTH
                    apart = max(y, to_y) <= top or min(y, to_y) >= top + HEIGHT
                    if not (beside or apart):
                        crossed.append((edge.before, edge.after, id_))
    return crossed


@given(graphs(), st.integers(1, 4))
def test_no_line_crosses_a_box_and_no_two_boxes_overlap(before: dict[str, list[str]], deep: int) -> None:
    tall = {id_: deep for number, id_ in enumerate(before) if number % 3 == 0}
    found = layout(before, tall)
    taken = [(place.column, place.row + row) for id_, place in found.places.items() for row in range(tall.get(id_, 1))]
    assert len(taken) == len(set(taken))
    assert boxes_crossed(found, tall) == []


@given(graphs())
def test_every_wait_is_a_line_that_runs_forward_from_box_to_box(before: dict[str, list[str]]) -> None:
    found = layout(before)
    assert {(edge.before, edge.after) for edge in found.edges} == {
        (name, id_) for id_, names in before.items() for name in names
    }
    for edge in found.edges:
        begin, end = found.places[edge.before], found.places[edge.after]
        assert edge.points[0] == (begin.x + WIDTH, begin.y + HEIGHT / 2)
        assert edge.points[-1] == (end.x, end.y + HEIGHT / 2)
        assert all(x <= to_x for (x, _), (to_x, _) in pairwise(edge.points))


@given(graphs())
def test_everything_is_inside_the_picture(before: dict[str, list[str]]) -> None:
    found = layout(before)
    for place in found.places.values():
        assert 0 <= place.x <= found.width - WIDTH
        assert 0 <= place.y <= found.height - HEIGHT


def test_the_same_graph_gives_the_same_picture() -> None:
    before = {"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"]}
    assert layout(before) == layout(dict(before))


def test_a_chain_is_a_straight_line() -> None:
    before = {f"t{number}": [f"t{number - 1}"] if number else [] for number in range(9)}
    assert {place.row for place in layout(before).places.values()} == {0}


def test_a_diamond_is_centred() -> None:
    found = layout({"a": [], "b": ["a"], "c": ["a"], "d": ["a"], "e": ["b", "c", "d"]})
    assert found.places["a"].row == found.places["e"].row == 1


def test_a_circle_does_not_keep_the_rest_from_being_shown() -> None:
    found = layout({"a": ["b"], "b": ["a"], "c": []})
    assert set(found.places) == {"a", "b", "c"}


def test_boxes_without_lines_stand_in_a_grid() -> None:
    found = grid([f"t{number}" for number in range(10)], 4)
    assert (found.places["t9"].column, found.places["t9"].row) == (2, 1)
    assert found.width == 3 * WIDTH + 2 * GUTTER


def test_two_thousand_tasks_are_laid_out_quickly() -> None:
    before = {
        f"t{number}": [f"t{name}" for name in {number // 3, number // 2, max(number - 40, 0)} if name < number]
        for number in range(2000)
    }
    begun = time.process_time()
    layout(before)
    assert time.process_time() - begun < 1.0  # 0.1 s measured; a shared machine may be slow
