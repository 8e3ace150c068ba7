"""Following a run live: every event once, wherever one begins, however many listen, however slow one is."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from stretto.servers.http import streams as module
from tests.servers.house import SECONDS, House, house, says

LISTENERS = 200


@dataclass
class Told:
    """One event of a stream: its id, its name, and what it carries."""

    id: int | None
    name: str
    data: dict[str, Any]


async def read(answer: httpx.Response) -> AsyncIterator[Told]:
    """Read a stream as a browser does."""
    id_, name, data = None, "message", ""
    async for line in answer.aiter_lines():
        field, _, value = line.partition(": ")
        match field:
            case "id":
                id_ = int(value)
            case "event":
                name = value
            case "data":
                data = value
            case "" if data and not line:
                yield Told(id_, name, json.loads(data))
                id_, name, data = None, "message", ""
            case _:
                pass


@asynccontextmanager
async def listening(
    client: httpx.AsyncClient, run: str, after: int = 0, **headers: str
) -> AsyncIterator[AsyncIterator[Told]]:
    path = f"/api/runs/{run}/events/stream"
    async with client.stream("GET", path, params={"after": after}, headers=headers) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield read(answer)


async def heard(client: httpx.AsyncClient, run: str, after: int = 0) -> list[int]:
    """Listen to the end, and give the numbers of what was told."""
    async with asyncio.timeout(SECONDS), listening(client, run, after) as told:
        found = [one async for one in told]
    assert found[-1].name == "end"
    return [one.id for one in found[:-1] if one.id is not None]


async def many(here: House, tasks: int = 60) -> str:
    plan = {"tasks": [{"id": f"t{n}", "skill": "office.shout", "inputs": {"word": "a"}} for n in range(tasks)]}
    return await here.begun(goal="many", plan=plan)


async def test_a_listener_hears_every_event_once_from_any_position(tmp_path: Path) -> None:
    async with house(tmp_path / "w") as here:
        run = await many(here)
        begins = (0, 0, 1)
        live = await asyncio.gather(*(heard(here.viewer, run, after) for after in begins))
        last = live[0][-1]
        assert live == [[*range(after + 1, last + 1)] for after in begins]
        for after in range(0, last + 1, 13):
            assert await heard(here.viewer, run, after) == [*range(after + 1, last + 1)]
        assert await heard(here.viewer, run, last) == []


async def test_what_a_browser_says_it_heard_last_goes_before_the_address(tmp_path: Path) -> None:
    async with house(tmp_path / "w") as here:
        run = await many(here, 3)
        await here.ended(run)
        async with listening(here.viewer, run, 1, **{"Last-Event-ID": "5"}) as told:
            assert (await anext(told)).id == 6


async def test_the_list_and_the_stream_tell_the_same(tmp_path: Path) -> None:
    async with house(tmp_path / "w") as here:
        run = await many(here, 5)
        await here.ended(run)
        listed: list[dict[str, Any]] = []
        after: int | None = 0
        while after is not None:
            answer = await here.viewer.get(f"/api/runs/{run}/events", params={"after": after, "limit": 7})
            page = answer.json()
            listed += page["events"]
            after = page["next"]
        path = f"/api/runs/{run}/events"
        async with here.viewer.stream("GET", path, headers={"Accept": "text/event-stream"}) as answer:
            told = [one async for one in read(answer)]
        assert [one.data for one in told[:-1]] == listed
        assert told[-1].data == {"status": "finished"}


async def test_a_position_that_a_run_never_had_is_refused(tmp_path: Path) -> None:
    async with house(tmp_path / "w") as here:
        run = await many(here, 1)
        await here.ended(run)
        answer = await here.viewer.get(f"/api/runs/{run}/events/stream", params={"after": 10_000})
        says(answer, 422, "invalid")
        says(await here.viewer.get("/api/runs/none/events/stream"), 404, "not_found")


async def test_two_hundred_listen_to_a_run_and_one_of_them_never_reads(tmp_path: Path) -> None:
    async with house(tmp_path / "w", runs=2) as here:
        run, request = await here.asking()
        reading, writing = await asyncio.open_connection("127.0.0.1", here.port, limit=64)
        key = here.keys["viewer"]
        head = f"GET /api/runs/{run}/events/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\n\r\n"
        writing.write(head.encode())
        limits = httpx.Limits(max_connections=LISTENERS)
        headers = {"Authorization": f"Bearer {key}"}
        async with (
            httpx.AsyncClient(base_url=here.url, headers=headers, limits=limits, timeout=SECONDS) as client,
            asyncio.TaskGroup() as group,
        ):
            all_ = [group.create_task(heard(client, run)) for _ in range(LISTENERS)]
            await here.approver.post(f"/api/runs/{run}/requests/{request}", json={"decision": "approve"})
        assert await here.ended(run) == "finished"
        (told,) = {tuple(one.result()) for one in all_}
        assert told == tuple(range(1, len(told) + 1))
        writing.close()
        del reading


async def test_a_stream_ends_when_its_key_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHECKED", 0.0)
    monkeypatch.setattr(module, "HEARTBEAT", 0.05)
    async with house(tmp_path / "w") as here:
        run, _ = await here.asking()
        async with asyncio.timeout(SECONDS), listening(here.viewer, run) as told:
            await anext(told)
            await here.book.revoke(here.keys["viewer"].split("_")[1])
            rest = [one async for one in told]
        assert all(one.name == "message" for one in rest)


async def test_silence_is_broken_by_comments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HEARTBEAT", 0.05)
    async with house(tmp_path / "w") as here:
        run, _ = await here.asking()
        async with asyncio.timeout(SECONDS), here.viewer.stream("GET", f"/api/runs/{run}/events/stream") as answer:
            lines = answer.aiter_lines()
            assert await anext(lines) == f"retry: {module.RETRY}"
            while await anext(lines) != ": still here":
                pass


async def test_nobody_opens_more_streams_than_there_may_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_OF_ONE", 2)
    async with house(tmp_path / "w") as here:
        run, _ = await here.asking()
        async with listening(here.viewer, run) as one, listening(here.viewer, run) as two:
            await anext(one)
            await anext(two)
            refused = await here.viewer.get(f"/api/runs/{run}/events/stream")
            says(refused, 429, "too_many_streams")
            assert refused.headers["retry-after"]
            async with listening(here.admin, run) as other:
                await anext(other)
        async with asyncio.timeout(SECONDS):
            while True:  # the server hears of those who left in a moment
                async with here.viewer.stream("GET", f"/api/runs/{run}/events/stream") as again:
                    if again.status_code == 200:
                        break
