"""What people may see and ask at the desk, and what becomes of it."""

import asyncio
from pathlib import Path

import pytest

from stretto.bootstrap import open_workspace
from stretto.core.errors import BadPlan, Conflict, Forbidden, UnknownRun, UsageError
from stretto.ports import RunQuery
from tests.desk.office import ADMIN, APPROVER, OPERATOR, PLAN, VIEWER, asks, ended, office, until, workspace


async def test_a_run_is_begun_asks_is_approved_and_ends(tmp_path: Path) -> None:
    async with office(tmp_path / "w") as service:
        desk = service.desk
        state, new = await desk.submit(OPERATOR, "say hello", inputs={"word": "hi"})
        assert new
        await until(desk, state.run, asks)
        (asked,) = await desk.inbox(APPROVER)
        assert (asked.run, asked.request.kind, asked.request.task) == (state.run, "approval", "post")
        await desk.answer(APPROVER, state.run, asked.request.id, "approve")
        done = await until(desk, state.run, ended)
        assert done.status.value == "finished"
        assert done.delivery is not None
        assert done.delivery.answer == "sent HI"
        assert await desk.inbox(APPROVER) == []
        told = await desk.task(VIEWER, state.run, "post")
        (attempt,) = told["assignments"]
        assert attempt["arguments"] == {"text": {"value": "HI", "characters": 2, "cut": False}}
        assert [one["decision"] for one in told["verdicts"]] == ["ask", "allow"]
        assert told["requests"][0]["answer"]["by"] == "apu"
        assert (await desk.task(VIEWER, state.run, "post", at="loud"))["assignments"] == []
        said = await desk.events(VIEWER, state.run)
        assert [one["seq"] for one in said] == list(range(1, len(said) + 1))
        assert "person:apu" in {one["actor"] for one in said}


async def test_the_same_order_under_a_key_is_one_run_and_another_is_refused(tmp_path: Path) -> None:
    async with office(tmp_path / "w") as service:
        desk = service.desk
        came = await asyncio.gather(*(desk.submit(OPERATOR, "say hello", key="k1") for _ in range(10)))
        assert len({state.run for state, _ in came}) == 1
        assert [new for _, new in came].count(True) == 1
        with pytest.raises(Conflict, match="another order"):
            await desk.submit(OPERATOR, "say something else", key="k1")
        other, new = await desk.submit(ADMIN, "say something else", key="k1")
        assert new
        assert other.run != came[0][0].run


async def test_nobody_gets_past_their_role(tmp_path: Path) -> None:
    async with office(tmp_path / "w") as service:
        desk = service.desk
        state, _ = await desk.submit(ADMIN, "say hello")
        state = await until(desk, state.run, asks)
        (request,) = state.requests
        for who in (VIEWER, APPROVER):
            for asked in (
                desk.submit(who, "x"),
                desk.propose(who, "x"),
                desk.upload(who, "x", b""),
                desk.pause(who, state.run),
                desk.resume(who, state.run),
                desk.cancel(who, state.run),
                desk.retry(who, state.run, "loud"),
                desk.edit(who, state.run, remove=["post"]),
                desk.replan(who, state.run),
                desk.fork(who, state.run),
            ):
                with pytest.raises(Forbidden):
                    await asked
        for who in (VIEWER, OPERATOR):
            with pytest.raises(Forbidden):
                await desk.answer(who, state.run, request, "approve")
        with pytest.raises(Forbidden):
            await desk.answer(APPROVER, state.run, request, "approve", as_name="ann")
        assert (await desk.run(VIEWER, state.run)).requests


async def test_runs_of_other_workspaces_of_the_store_are_unknown(tmp_path: Path) -> None:
    async with office(tmp_path / "one") as service:
        store = tmp_path / "one" / ".stretto" / "runs.db"
        state, _ = await service.desk.submit(ADMIN, "say hello")
        from stretto.bootstrap import open_workspace, serving
        from tests.desk.office import workspace

        async with serving(open_workspace(workspace(tmp_path / "two"), store=store)) as other:
            assert (await other.desk.runs(ADMIN, RunQuery())).runs == []
            for asked in (
                other.desk.run(ADMIN, state.run),
                other.desk.cancel(ADMIN, state.run),
                other.desk.events(ADMIN, state.run),
                other.desk.task(ADMIN, state.run, "loud"),
                other.desk.decisions(ADMIN, state.run),
                other.desk.rate(ADMIN, state.run, 5),
                other.desk.artifact(ADMIN, state.run, "post", "x"),
            ):
                with pytest.raises(UnknownRun):
                    await asked


async def test_only_files_of_the_workspace_and_uploads_are_read(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("s")
    async with office(tmp_path / "w") as service:
        desk = service.desk
        outside = (str(tmp_path / "secret.txt"), "../secret.txt", "/etc/passwd", "/etc/*", "../*.txt", "~/../*/x[0-9]")
        outside += ("*/../../secret.txt", "plans/*/../../../*", "[a-z]*/../../secret.txt")
        for inputs in ({"word": text} for text in outside):
            with pytest.raises(Forbidden, match="outside the workspace"):
                await desk.submit(OPERATOR, "say hello", inputs=inputs)
        shout, item = {"id": "a", "skill": "office.shout"}, {"word": {"ref": "item"}}
        for task in (
            shout | {"inputs": {"word": "/etc/passwd"}},
            shout | {"inputs": {"word": {"ref": "inputs.word", "default": "/etc/passwd"}}},
            shout | {"inputs": item, "for_each": ["x", "/etc/passwd"]},
            shout | {"inputs": item, "for_each": {"items": {"literal": ["/etc/passwd"]}}},
            shout | {"inputs": {"word": "x"}, "ladder": {"error": [{"with": {"word": "/etc/passwd"}}]}},
        ):
            with pytest.raises(Forbidden, match="outside the workspace"):
                await desk.submit(OPERATOR, "say hello", plan={"inputs": {"word": {"default": "x"}}, "tasks": [task]})
        files = {"inputs": {"word": {"kind": "files"}}, "tasks": [shout | {"inputs": {"word": "x"}}]}
        with pytest.raises(Forbidden, match="'/etc' lies outside"):  # and nothing is said of what is in it
            await desk.submit(OPERATOR, "say hello", plan=files, inputs={"word": "/etc"})
        for plan in ("../w/plans/post.yaml", "/etc/passwd", ".hidden"):
            with pytest.raises(UsageError, match="is a path"):
                await desk.submit(OPERATOR, "say hello", plan=plan)
        file = await desk.upload(OPERATOR, "../../up load.txt", b"x")
        assert Path(file).name == "up load.txt"
        assert Path(file).is_relative_to(tmp_path / "w" / ".stretto" / "uploads")
        _, new = await desk.submit(OPERATOR, "say hello", inputs={"word": file})
        assert new


@pytest.mark.parametrize("name", ["報告" * 100 + ".txt", "x" * 300, "..", "/", "", "a/.. ", "\ud800\0?", ".part"])
async def test_a_file_is_kept_whatever_its_name_and_for_its_owner_alone(tmp_path: Path, name: str) -> None:
    async with office(tmp_path / "w") as service:
        came = await asyncio.gather(*(service.desk.upload(OPERATOR, name, b"content") for _ in range(20)))
        (file,) = {Path(one) for one in came}
        assert file.read_bytes() == b"content"
        assert [one.name for one in file.parent.iterdir()] == [file.name]
        assert file.is_relative_to(tmp_path / "w" / ".stretto" / "uploads")
        assert (file.stat().st_mode & 0o077, file.parent.stat().st_mode & 0o077) == (0, 0)


async def test_a_run_has_other_limits_also_where_the_plan_of_the_workspace_needs_inputs(tmp_path: Path) -> None:
    place = workspace(tmp_path / "w")
    (place / "plans" / "post.yaml").write_text(PLAN.replace("{kind: value, default: hello}", "{kind: value}"))
    async with office(place) as service:
        desk = service.desk
        state, _ = await desk.submit(OPERATOR, "say hello", inputs={"word": "hi"})
        await until(desk, state.run, asks)
        state = await desk.resume(OPERATOR, state.run, budget="$3", deadline="1h")
        assert state.budget.money == 3
        assert state.deadline is not None
        with pytest.raises(UsageError, match="budget"):
            await desk.resume(OPERATOR, state.run, budget="much")


async def test_what_is_said_to_a_run_names_no_files_elsewhere_either(tmp_path: Path) -> None:
    async with office(tmp_path / "w") as service:
        desk = service.desk
        state, _ = await desk.submit(OPERATOR, "say hello")
        request = next(iter((await until(desk, state.run, asks)).requests))
        for asked in (
            desk.answer(APPROVER, state.run, request, "edit", value={"text": "/etc/passwd"}),
            desk.answer(APPROVER, state.run, request, "answer", value="/etc/passwd"),
            desk.propose(OPERATOR, "say hello", answers=[("Which file?", "/etc/passwd")]),
            desk.replan(OPERATOR, state.run, "and look into /etc/passwd"),
        ):
            with pytest.raises(Forbidden, match="outside the workspace"):
                await asked


async def test_a_run_may_have_a_dot_in_its_name(tmp_path: Path) -> None:
    place = workspace(tmp_path / "w")
    await open_workspace(place).run("say hello", run_id="v1.2")
    async with office(place) as service:
        assert (await service.desk.run(VIEWER, "v1.2")).run == "v1.2"


async def test_an_order_with_a_whole_plan_comes_again_under_its_key(tmp_path: Path) -> None:
    tasks = [
        {"id": "a", "skill": "office.shout", "inputs": {"word": {"ref": "item"}}, "for_each": ["x" * 9000, "y"]},
        {"id": "b", "skill": "office.shout", "inputs": {"word": "z"}, "after": ["a"], "limits": {"timeout": 9}},
    ]
    order = {"plan": {"tasks": tasks, "deliver": {"ref": "a.output"}}, "inputs": {}, "budget": "$1.50", "key": "k"}
    async with office(tmp_path / "w") as service:
        state, _ = await service.desk.submit(OPERATOR, "shout", **order)  # type: ignore[arg-type]
        assert (await until(service.desk, state.run, ended)).status.value == "finished"
        again, new = await service.desk.submit(OPERATOR, "shout", **order)  # type: ignore[arg-type]
        assert (again.run, new) == (state.run, False)


async def test_a_bad_plan_is_refused_with_its_defects(tmp_path: Path) -> None:
    async with office(tmp_path / "w") as service:
        with pytest.raises(BadPlan, match="after"):
            await service.desk.submit(
                OPERATOR, "x", plan={"tasks": [{"id": "a", "skill": "office.shout", "after": ["b"]}]}
            )
        assert (await service.desk.runs(ADMIN, RunQuery())).runs == []


async def test_a_watcher_gets_every_event_once_wherever_it_begins(tmp_path: Path) -> None:
    async with office(tmp_path / "w") as service:
        desk = service.desk
        tasks = [{"id": f"t{n}", "skill": "office.shout", "inputs": {"word": "a"}} for n in range(60)]
        state, _ = await desk.submit(OPERATOR, "many", plan={"tasks": tasks})

        async def watch(after: int) -> list[int]:
            seen: list[int] = []
            async with asyncio.timeout(20), desk.watching(VIEWER, state.run) as followed:
                while not followed.state.status.final or after < followed.seq:
                    came = await followed.after(after)
                    seen += [one.seq for one in came]
                    after = came[-1].seq
            return seen

        found = await asyncio.gather(*(watch(after) for after in (0, 0, 1, 5)))
        last = found[0][-1]
        assert found == [[*range(after + 1, last + 1)] for after in (0, 0, 1, 5)]


async def test_runs_come_page_by_page(tmp_path: Path) -> None:
    async with office(tmp_path / "w") as service:
        desk = service.desk
        begun = [(await desk.submit(OPERATOR, f"goal {number}"))[0].run for number in range(5)]
        first = await desk.runs(VIEWER, RunQuery(limit=3))
        second = await desk.runs(VIEWER, RunQuery(limit=3, before=first.more))
        assert [one.run for one in (*first.runs, *second.runs)] == begun[::-1]
        assert second.more is None
        assert sum((await desk.counts(VIEWER, RunQuery())).values()) == 5


async def test_agents_are_told_with_their_load_and_health(tmp_path: Path) -> None:
    async with office(tmp_path / "w") as service:
        desk = service.desk
        state, _ = await desk.submit(OPERATOR, "say hello")
        await until(desk, state.run, asks)
        (agent,) = await desk.agents(VIEWER)
        assert (agent["agent"], agent["health"]["state"], agent["load"]["under_way"]) == ("office", "closed", 0)
        assert [one["name"] for one in agent["skills"]] == ["office.shout", "office.send"]


async def test_the_second_of_two_who_decide_at_once_is_told_what_the_first_said(tmp_path: Path) -> None:
    async with office(tmp_path / "w") as service:
        desk = service.desk
        state, _ = await desk.submit(OPERATOR, "say hello")
        (request,) = (await until(desk, state.run, asks)).requests
        said = await asyncio.gather(
            desk.answer(APPROVER, state.run, request, "approve"),
            desk.answer(ADMIN, state.run, request, "deny", reason="not today"),
            return_exceptions=True,
        )
        (late,) = [one for one in said if isinstance(one, Conflict)]
        assert "has decided it already" in str(late)
        with pytest.raises(Conflict, match=r"has decided it already.*changed nothing"):
            await desk.answer(ADMIN, state.run, request, "deny", reason="still not")
        with pytest.raises(UsageError, match="no open request"):
            await desk.answer(ADMIN, state.run, "never", "approve")


async def test_edited_arguments_have_to_fit_the_schema(tmp_path: Path) -> None:
    async with office(tmp_path / "w") as service:
        desk = service.desk
        state, _ = await desk.submit(OPERATOR, "say hello")
        (request,) = (await until(desk, state.run, asks)).requests
        for wrong in ({"text": 3}, {"txt": "x"}, {}):
            with pytest.raises(UsageError, match="do not fit"):
                await desk.answer(APPROVER, state.run, request, "edit", value=wrong)
        await desk.answer(APPROVER, state.run, request, "edit", value={"text": "hey"})
        done = await until(desk, state.run, ended)
        assert done.delivery is not None
        assert done.delivery.answer == "sent hey"


async def test_a_run_is_rated_and_counts_in_the_numbers_and_every_decision_is_told(tmp_path: Path) -> None:
    async with office(tmp_path / "w") as service:
        desk = service.desk
        state, _ = await desk.submit(OPERATOR, "say hello")
        (request,) = (await until(desk, state.run, asks)).requests
        await desk.answer(APPROVER, state.run, request, "approve", reason="fine")
        await until(desk, state.run, ended)
        with pytest.raises(UsageError):
            await desk.rate(OPERATOR, state.run, 6)
        await desk.rate(OPERATOR, state.run, 4)
        found = await desk.numbers(VIEWER)
        assert found["complete"]
        assert found["total"]["numbers"]["satisfaction"]["value"] == 4
        assert found["total"]["numbers"]["completion"] == {"value": 0.0, "verdict": "missed"}
        told = await desk.decisions(VIEWER, state.run)
        assert [(one["who"], one["decision"], one["reason"]) for one in told if one["kind"] == "person"] == [
            ("apu", "approve", "fine")
        ]
        assert [one["decision"] for one in told if one["kind"] == "policy" and one["task"] == "post"] == [
            "ask",
            "allow",
        ]
        assert {one["outcome"] for one in told if one["task"]} == {"completed"}


async def test_a_delivery_is_rated_by_who_works_with_it_and_the_numbers_are_seen_by_all(tmp_path: Path) -> None:
    async with office(tmp_path / "w") as service:
        desk = service.desk
        state, _ = await desk.submit(ADMIN, "say hello")
        state = await until(desk, state.run, asks)
        with pytest.raises(UsageError, match="rated once it has ended"):
            await desk.rate(OPERATOR, state.run, 5)
        (request,) = state.requests
        await desk.answer(APPROVER, state.run, request, "approve")
        state = await until(desk, state.run, ended)
        with pytest.raises(Forbidden):
            await desk.rate(VIEWER, state.run, 1)
        for who, score in ((OPERATOR, 5), (APPROVER, 2)):
            state = await desk.rate(who, state.run, score, "<b>so</b>")
        assert sorted(one.score for one in state.ratings.values()) == [2, 5]
        found = await desk.numbers(VIEWER)
        assert (found["complete"], found["unreadable"]) == (True, [])
        whole = found["total"]["counts"]
        assert (whole["runs"], whole["finished"], whole["unaided"]) == (1, 1, 0), "somebody had to approve"
        assert found["total"]["numbers"]["satisfaction"]["value"] == 3.5
