"""However many pages are open, the store is asked once a second, and pages draw one after another."""

import asyncio
import time
from pathlib import Path

import pytest

from stretto.access.roles import Role
from stretto.core.errors import Forbidden, Unauthenticated
from stretto.dashboard.board import ASKING, Board, Brush
from stretto.dashboard.visitor import Visitor
from stretto.dashboard.words import ago, legible, short
from stretto.ports import RunQuery
from tests.dashboard.test_actions import Known
from tests.desk.office import ADMIN, office, somebody, workspace


async def test_pages_that_look_for_the_same_share_one_look(tmp_path: Path) -> None:
    async with office(workspace(tmp_path / "office")) as service:
        board = Board()
        visitors = [Visitor(service.desk, Known(somebody(Role.VIEWER, name=f"v{number}"))) for number in range(5)]
        async with board.watching(visitors[0], ASKING) as first:
            for visitor in visitors[1:]:
                async with board.watching(visitor, ASKING) as other:
                    assert other is first


async def test_who_may_look_no_more_is_told_so_though_others_watch(tmp_path: Path) -> None:
    async with office(workspace(tmp_path / "office")) as service:
        key = Known(ADMIN)
        async with Board().watching(Visitor(service.desk, key), ASKING) as watched:
            key.revoke()
            with pytest.raises(Unauthenticated):
                await watched.look(Visitor(service.desk, key))


async def test_a_watched_list_tells_of_a_new_run(tmp_path: Path) -> None:
    async with office(workspace(tmp_path / "office")) as service:
        visitor = Visitor(service.desk, Known(ADMIN))
        async with Board().watching(visitor, RunQuery()) as watched:
            seen = await watched.after(None)
            assert seen.page.runs == []
            await service.desk.submit(ADMIN, "Post hello")
            seen = await watched.after(seen)
            assert [one.goal for one in seen.page.runs] == ["Post hello"]


async def test_who_may_not_look_sees_no_list_that_others_watch(tmp_path: Path) -> None:
    async with office(workspace(tmp_path / "office")) as service:
        board = Board()
        stranger = Visitor(service.desk, Known(somebody(Role.VIEWER, workspaces=frozenset({"elsewhere"}))))
        async with board.watching(Visitor(service.desk, Known(ADMIN)), ASKING):
            with pytest.raises(Forbidden):
                async with board.watching(stranger, ASKING):
                    pass


async def test_pages_draw_for_no_more_than_their_share_of_the_time() -> None:
    brush, drawn = Brush(), 0.0

    def work() -> None:
        nonlocal drawn
        begun = time.perf_counter()
        while time.perf_counter() - begun < 0.01:
            pass
        drawn += time.perf_counter() - begun

    begun = time.perf_counter()
    await asyncio.gather(*(brush.draw(work) for _ in range(5)))
    assert drawn / (time.perf_counter() - begun) < 0.2


def test_moments_are_told_in_few_words() -> None:
    told = [ago(1000, 1000 + seconds) for seconds in (2, 59, 61, 3700, 90000)] + [ago(1000, 900)]
    assert told == ["just now", "59 s ago", "1 min ago", "1 h ago", "1 d ago", "in 1 min"]


def test_a_long_text_is_cut_and_nothing_in_it_is_hidden() -> None:
    assert short("a\n b\t c") == "a b c"
    assert len(short("w" * 10_000, 80)) == 80
    assert legible("a\u202eb\x1b[0m") == "a\\u202eb\\u001b[0m"
