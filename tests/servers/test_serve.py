"""`stretto serve` as a process: it begins, is killed and begun again, and ends when it is told to."""

import asyncio
import re
import signal
import socket
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from tests.cli.program import PROGRAM, look
from tests.desk.office import workspace

SECONDS = 40.0
WAITING = '''
import asyncio
from pathlib import Path
from stretto import pure


@pure
async def shout(word: str) -> str:
    """Say it louder, once there is a file of that name."""
    while not Path(word).exists():
        await asyncio.sleep(0.01)
    return word
'''


def waiting(folder: Path) -> Path:
    """Have the workspace's agent wait for files, and give where they are to be."""
    (folder / "agents" / "office.py").write_text(WAITING)
    (folder / "plans" / "post.yaml").unlink()
    (folder / "workspace.yaml").write_text("name: office\nagents:\n  - python: agents/office.py\n")
    signs = folder / "signs"
    signs.mkdir()
    return signs


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@asynccontextmanager
async def served(folder: Path, port: int, *more: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Serve a workspace in a process of its own, which is killed in the end."""
    words = [*PROGRAM, "serve", "-w", str(folder), "--port", str(port), *more]
    process = await asyncio.create_subprocess_exec(*words, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
    try:
        assert process.stderr is not None
        async with asyncio.timeout(SECONDS):
            line = (await process.stderr.readline()).decode()
        assert f"serves office at http://127.0.0.1:{port} (store {folder}/.stretto/runs.db)" in line, line
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def heard(client: httpx.AsyncClient, run: str, after: int, upto: int | None = None) -> list[int]:
    """Listen until the run has ended, the server is gone, or an event has been told, and give the numbers."""
    seen: list[int] = []
    path = f"/api/runs/{run}/events/stream"
    try:
        async with asyncio.timeout(SECONDS), client.stream("GET", path, params={"after": after}) as answer:
            assert answer.status_code == 200
            async for line in answer.aiter_lines():
                if found := re.fullmatch(r"id: (\d+)", line):
                    seen.append(int(found[1]))
                if line == "event: end" or (seen and seen[-1] == upto):
                    break
    except httpx.TransportError:
        pass  # the server was killed
    return seen


async def test_a_listener_goes_on_where_it_was_when_the_server_is_killed_and_begun_again(tmp_path: Path) -> None:
    folder, port = workspace(tmp_path / "w"), free_port()
    signs = waiting(folder)
    names = ("one", "two", "three")
    tasks = [{"id": name, "skill": "office.shout", "inputs": {"word": str(signs / name)}} for name in names]
    for task, before in zip(tasks[1:], names, strict=False):
        task["after"] = [before]
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=SECONDS) as client:
        async with served(folder, port) as process:
            answer = await client.post("/api/runs", json={"goal": "wait", "plan": {"tasks": tasks}})
            assert answer.status_code == 201, answer.text
            run = answer.json()["run_id"]
            listening = asyncio.create_task(heard(client, run, 0))
            (signs / "one").touch()
            async with asyncio.timeout(SECONDS):
                while (await client.get(f"/api/runs/{run}/tasks/two")).json().get("status") != "running":
                    pass
            process.kill()
            first = await listening
        assert first == [*range(1, len(first) + 1)]
        assert first
        (signs / "two").touch()
        (signs / "three").touch()
        async with served(folder, port):
            rest = await heard(client, run, first[-1])
            whole = (await client.get(f"/api/runs/{run}/events", params={"limit": 1000})).json()["events"]
            assert (await client.get(f"/api/runs/{run}")).json()["status"] == "finished"
        assert first + rest == [one["seq"] for one in whole]


async def test_told_to_end_it_sends_listeners_away_gives_runs_back_and_ends_soon(tmp_path: Path) -> None:
    folder, port = workspace(tmp_path / "w"), free_port()
    signs = waiting(folder)
    plan = {"tasks": [{"id": "one", "skill": "office.shout", "inputs": {"word": str(signs / "never")}}]}
    async with (
        served(folder, port) as process,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=SECONDS) as client,
    ):
        run = (await client.post("/api/runs", json={"goal": "wait", "plan": plan})).json()["run_id"]
        listening = asyncio.create_task(heard(client, run, 0))
        async with asyncio.timeout(SECONDS):
            while (await client.get(f"/api/runs/{run}")).json()["status"] != "running":
                pass
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(10):
            assert await listening
            assert process.stderr is not None
            told = (await process.stderr.read()).decode()
            assert await process.wait() == 0
        assert "given back" in told
        assert "Traceback" not in told


def test_beyond_this_machine_it_only_serves_those_who_have_a_key(tmp_path: Path) -> None:
    workspace(tmp_path / "w")
    done = look("serve", "-w", "w", "--host", "0.0.0.0", "--port", "0", cwd=tmp_path)  # noqa: S104
    assert done.code == 2
    assert "stretto keys add" in done.err


def test_what_cannot_be_listened_on_or_is_no_address_is_told(tmp_path: Path) -> None:
    workspace(tmp_path / "w")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        for words, told in (
            (["--port", port], "cannot listen on 127.0.0.1"),
            (["--host", "no.such.host.invalid"], "cannot listen on no.such.host.invalid"),
            (["--port", "0", "--url", "stretto.example.org"], "is no address of a server"),
            (["--port", "0", "--url", "ftp://x"], "is no address of a server"),
            (["--port", "0", "-w", "none"], "there is no folder"),
        ):
            done = look("serve", "-w", "w", *words, cwd=tmp_path)
            assert done.code == 2, done.err
            assert told in done.err
            assert "Traceback" not in done.err
