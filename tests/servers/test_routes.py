"""What the routes of the API answer, over a real connection."""

import asyncio
import hashlib
from pathlib import Path

from tests.servers.house import house, says


async def test_a_run_is_begun_asks_is_approved_and_delivers(tmp_path: Path) -> None:
    async with house(tmp_path / "w") as here:
        answer = await here.operator.post("/api/runs", json={"goal": "say hello", "inputs": {"word": "hi"}})
        assert answer.status_code == 201
        run = answer.json()["run_id"]
        assert answer.headers["location"] == f"/api/runs/{run}"
        request = await here.request_of(run)
        (waiting,) = (await here.approver.get("/api/inbox")).json()["requests"]
        assert (waiting["run_id"], waiting["request"], waiting["task"]) == (run, request, "post")
        assert "approve" in waiting["decisions"]
        decided = await here.approver.post(f"/api/runs/{run}/requests/{request}", json={"decision": "approve"})
        assert decided.status_code == 200
        assert await here.ended(run) == "finished"
        done = (await here.viewer.get(f"/api/runs/{run}")).json()
        assert (done["status"], done["answer"]) == ("finished", "sent HI")
        assert (await here.viewer.get("/api/inbox")).json() == {"requests": [], "total": 0}


async def test_everything_of_a_run_can_be_read(tmp_path: Path) -> None:
    async with house(tmp_path / "w") as here:
        run, request = await here.asking(inputs={"word": "hi"})

        async def got(path: str) -> dict:
            answer = await here.viewer.get(f"/api/runs/{run}{path}")
            assert answer.status_code == 200, answer.text
            return answer.json()

        assert [one["id"] for one in (await got("/plan"))["tasks"]] == ["loud", "post"]
        assert [one["status"] for one in (await got("/tasks"))["tasks"]] == ["completed", "waiting"]
        assert [one["id"] for one in (await got("/tasks?status=waiting"))["tasks"]] == ["post"]
        first = await got("/tasks?limit=1")
        second = await got(f"/tasks?limit=1&cursor={first['next']}")
        assert [one["tasks"][0]["id"] for one in (first, second)] == ["loud", "post"]
        assert second["next"] is None
        assert (await got("/tasks/loud"))["id"] == "loud"
        assert (await got("/context")) == {"entries": []}
        assert (await got("/timeline"))["stretches"][0]["task"] == "loud"
        assert [one["request"] for one in (await got("/requests"))["requests"]] == [request]
        assert (await got("/artifacts")) == {"artifacts": []}
        assert (await got("?at=1"))["status"] == "planning"
        assert "tasks" not in await got("")
        assert [one["name"] for one in (await here.viewer.get("/api/workspace")).json()["offers"]] == ["post"]
        assert (await here.viewer.get("/api/workspace/plans/post")).json()["tasks"].keys() == {"loud", "post"}
        assert [one["agent"] for one in (await here.viewer.get("/api/agents")).json()["agents"]] == ["office"]


async def test_the_audit_proves_the_chain_to_whoever_computes_it(tmp_path: Path) -> None:
    async with house(tmp_path / "w") as here:
        run, _ = await here.asking()
        found = (await here.viewer.get(f"/api/runs/{run}/audit")).json()
        assert found["holds"]
        assert found["broken_at"] is None
        before = "0" * 64
        for one in found["events"]:
            payload = one["payload"].encode()
            fields = (before, run, one["seq"], repr(one["at"]), one["actor"], one["type"], one["version"], len(payload))
            head = "".join(f"{field}\n" for field in fields)
            assert one["hash"] == hashlib.sha256(head.encode() + payload).hexdigest()
            before = one["hash"]
        assert before == found["head"]
        page = (await here.viewer.get(f"/api/runs/{run}/audit?after=2&limit=3")).json()
        assert [one["seq"] for one in page["events"]] == [3, 4, 5]
        assert page["next"] == 5


async def test_the_same_order_under_a_key_is_one_run_however_often_it_comes_at_once(tmp_path: Path) -> None:
    async with house(tmp_path / "w") as here:
        key = {"Idempotency-Key": "order 7"}
        came = await asyncio.gather(
            *(here.operator.post("/api/runs", json={"goal": "say hello"}, headers=key) for _ in range(20))
        )
        assert sorted(one.status_code for one in came) == [200] * 19 + [201]
        assert len({one.json()["run_id"] for one in came}) == 1
        other = await here.operator.post("/api/runs", json={"goal": "something else"}, headers=key)
        says(other, 409, "conflict")
        theirs = await here.admin.post("/api/runs", json={"goal": "something else"}, headers=key)
        assert theirs.status_code == 201


async def test_runs_come_page_by_page_and_as_they_are_looked_for(tmp_path: Path) -> None:
    async with house(tmp_path / "w") as here:
        begun = [await here.begun(f"goal {word}") for word in ("ash", "birch", "cedar", "Dogwood", "elm")]
        seen, cursor = [], ""
        while True:
            page = (await here.viewer.get("/api/runs", params={"limit": 2, "cursor": cursor})).json()
            seen += [one["run_id"] for one in page["runs"]]
            if page["next"] is None:
                break
            cursor = page["next"]
        assert seen == begun[::-1]
        found = (await here.viewer.get("/api/runs", params={"q": "dogWOOD GOAL"})).json()["runs"]
        assert [one["run_id"] for one in found] == [begun[3]]
        for run in begun:
            await here.request_of(run)
        assert (await here.viewer.get("/api/runs/counts")).json() == {"counts": {"waiting": 5}}
        assert (await here.viewer.get("/api/runs", params={"status": ["finished", "failed"]})).json()["runs"] == []
        assert len((await here.viewer.get("/api/runs", params={"asking": True})).json()["runs"]) == 5
        assert (await here.viewer.get("/api/runs", params={"until": "2000-01-01T00:00:00Z"})).json()["runs"] == []


async def test_a_run_is_paused_resumed_edited_retried_forked_and_cancelled(tmp_path: Path) -> None:
    async with house(tmp_path / "w") as here:
        run, _ = await here.asking()

        async def asked(what: str, status: int = 200, **body: object) -> dict:
            answer = (
                await here.operator.post(f"/api/runs/{run}/{what}", json=body)
                if body
                else (await here.operator.post(f"/api/runs/{run}/{what}"))
            )
            assert answer.status_code == status, answer.text
            return answer.json()

        assert (await asked("pause", reason="lunch"))["paused"]
        assert (await asked("resume", budget="$5"))["paused"] is None
        assert (await asked("retry", task="loud", again=True))["run_id"] == run
        assert (await asked("edit", values={"loud.inputs.word": "other"}))["run_id"] == run
        forked = await asked("fork", 201, at="loud", inputs={"word": "fork"})
        assert forked["forked_from"] == run
        assert (await asked("cancel", reason="enough"))["run_id"] == run
        assert await here.ended(run) == "cancelled"


async def test_a_goal_is_planned_and_nothing_is_run(tmp_path: Path) -> None:
    async with house(tmp_path / "w") as here:
        answer = await here.operator.post("/api/plan", json={"goal": "say it louder: hello"})
        assert answer.status_code == 200
        assert answer.json()["status"] in ("planned", "asks", "refused")
        assert (await here.viewer.get("/api/runs")).json()["runs"] == []


async def test_a_file_is_handed_in_and_used(tmp_path: Path) -> None:
    async with house(tmp_path / "w") as here:
        answer = await here.operator.post("/api/files", params={"name": "../../etc/pass wd.txt"}, content=b"\x00hello")
        assert answer.status_code == 201
        file = Path(answer.json()["path"])
        assert file.read_bytes() == b"\x00hello"
        assert file.is_relative_to(tmp_path / "w" / ".stretto" / "uploads")
        assert await here.begun(inputs={"word": str(file)})


async def test_a_bad_plan_is_refused_with_its_diagnostics(tmp_path: Path) -> None:
    async with house(tmp_path / "w") as here:
        plan = {"tasks": [{"id": "a", "skill": "office.shout", "inputs": {"word": "x"}, "after": ["b"]}]}
        error = says(await here.operator.post("/api/runs", json={"goal": "x", "plan": plan}), 422, "bad_plan")
        assert error["diagnostics"][0]["mend"]
        assert (await here.viewer.get("/api/runs")).json()["runs"] == []


async def test_the_description_of_the_api_names_every_route_with_a_summary(tmp_path: Path) -> None:
    async with house(tmp_path / "w") as here:
        told = (await here.viewer.get("/api/openapi.json")).json()
        assert told["openapi"].startswith("3.")
        for path, methods in told["paths"].items():
            for method, operation in methods.items():
                assert operation["summary"], (method, path)
                assert operation["description"], (method, path)
