"""What the graph and the timeline show is computed purely: folded where it is large, and sent as changes."""

import asyncio
from collections.abc import Sequence

import pytest

from stretto.bootstrap import open_workspace, serving
from stretto.core.state import RunState
from stretto.core.timeline import timeline
from stretto.dashboard.graph import MOST, STEPS, critical_lines, key_of, looks, picture, shape_of
from stretto.dashboard.spans import changed, lines_of
from stretto.ports import Recorded
from stretto.telling.outlook import outlook
from stretto.telling.rows import Row, rows_of
from stretto.travel import as_it_was
from tests.dashboard.studio import studio
from tests.desk.office import ADMIN, asks, ended, until

MANY = 400


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Sequence[Recorded]]:
    """Give what happened in a report that waits for a person, and in a large run."""
    folder = studio(tmp_path_factory.mktemp("house") / "studio", many=MANY)

    async def work() -> dict[str, Sequence[Recorded]]:
        async with asyncio.timeout(60), serving(open_workspace(folder)) as service:
            report, _ = await service.desk.submit(ADMIN, "Report on rivers")
            large, _ = await service.desk.submit(ADMIN, "Many steps", plan="large")
            await until(service.desk, report.run, asks)
            await until(service.desk, large.run, ended)
            return {
                "report": await service.desk.recorded(ADMIN, report.run),
                "large": await service.desk.recorded(ADMIN, large.run),
            }

    return asyncio.run(work())


def state_of(recorded: Sequence[Recorded], seq: int | None = None) -> RunState:
    events = [one.event for one in recorded]
    return as_it_was(events, len(events) if seq is None else seq)


def rows(state: RunState) -> dict[str, Row]:
    return {row.id: row for row in rows_of(state, state.at)}


def test_a_small_graph_shows_every_task_and_a_few_items(runs: dict[str, Sequence[Recorded]]) -> None:
    state = state_of(runs["report"])
    shape = shape_of(state)
    assert {box.id for box in shape.boxes} == {
        "gather", "weigh", "weigh[0]", "weigh[1]", "weigh[2]", "weigh[3]", "doubt", "write", "publish"
    }  # fmt: skip
    found = looks(shape, rows(state), outlook(state, state.at))
    assert found["publish"]["tone"] == "asking"
    assert found["weigh"]["below"].startswith("4 of 4 done")
    assert found["doubt"]["note"] == "2 attempts"


def test_a_large_graph_is_folded_and_each_task_is_in_one_box(runs: dict[str, Sequence[Recorded]]) -> None:
    state = state_of(runs["large"])
    shape = shape_of(state)
    assert len(shape.boxes) <= MOST
    assert max(place.column for place in shape.layout.places.values()) < STEPS
    members = [member for box in shape.boxes for member in box.members]
    assert len(members) == len(set(members)) == MANY


def test_a_group_opens_to_the_tasks_in_it_and_leads_back(runs: dict[str, Sequence[Recorded]]) -> None:
    state = state_of(runs["large"])
    group = shape_of(state).boxes[0]
    inside = shape_of(state, group.opens)
    assert {box.id for box in inside.boxes} == set(group.members)
    assert [name for name, _ in inside.crumbs] == ["", group.opens]


def test_a_fan_out_opens_to_its_items(runs: dict[str, Sequence[Recorded]]) -> None:
    state = state_of(runs["report"])
    assert [box.id for box in shape_of(state, "items:weigh").boxes] == [f"weigh[{number}]" for number in range(4)]


@pytest.mark.parametrize(
    "token", ["items:nothing", "tasks:", "tasks:1-x:studio.step", "tasks:9-9:no", "<script>", "items:"]
)
def test_what_is_unknown_opens_the_whole(runs: dict[str, Sequence[Recorded]], token: str) -> None:
    state = state_of(runs["report"])
    assert shape_of(state, token).boxes == shape_of(state).boxes


def test_the_critical_path_is_marked_from_begin_to_end(runs: dict[str, Sequence[Recorded]]) -> None:
    state = state_of(runs["report"])
    ahead = outlook(state, state.at)
    assert ahead.path[-2:] == ("write", "publish")
    assert ahead.end is None  # a person is waited for, and nobody knows how long
    assert "write\npublish" in critical_lines(shape_of(state), ahead)
    assert looks(shape_of(state), rows(state), ahead)["publish"]["critical"]


def test_the_shape_stays_while_only_statuses_change(runs: dict[str, Sequence[Recorded]]) -> None:
    recorded = runs["large"]
    whole = state_of(recorded)
    middle = state_of(recorded, len(recorded) - 200)
    assert key_of(middle, "") == key_of(whole, "")
    assert picture(shape_of(middle), "r") == picture(shape_of(whole), "r")
    before = looks(shape_of(middle), rows(middle), outlook(middle, middle.at))
    after = looks(shape_of(whole), rows(whole), outlook(whole, whole.at))
    assert 0 < sum(before[id_] != after[id_] for id_ in after) < len(after)


def test_a_timeline_tells_working_from_waiting_and_counts_the_tries(runs: dict[str, Sequence[Recorded]]) -> None:
    events = [one.event for one in runs["report"]]
    lines = lines_of(timeline(events))
    assert lines["doubt"]["tries"] == 2
    assert [what for what, *_ in lines["doubt"]["bars"]] == ["failed", "wait", "done"]
    assert lines["publish"]["bars"][-1][0] == "person"
    assert lines["publish"]["bars"][-1][2] is None  # still waiting: the page lets it grow by itself


def test_only_the_lines_that_changed_are_sent(runs: dict[str, Sequence[Recorded]]) -> None:
    events = [one.event for one in runs["large"]]
    before, after = lines_of(timeline(events[:-120])), lines_of(timeline(events))
    assert 0 < len(changed(after, before)) < len(after) // 4
    assert changed(after, after) == {}
