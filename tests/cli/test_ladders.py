"""Ladders and backups as users meet them: workspaces, real processes, the command line, and what it shows."""

import asyncio
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stretto import Agent, AgentFailure, Assignment, Orchestrator, agent, irreversible, plan, pure, ref, task
from stretto.core.commands import AnswerRequest, Command
from stretto.core.domain import Failed, FailureClass, Outcome, Task
from stretto.core.errors import BadAgent, BadWorkspace, UsageError
from stretto.core.state import RunState
from stretto.workspace import read_workspace
from tests.cli.program import Place, on_terminal

Make = Callable[[str], Place]

SPARE = '''
"""A stand-in."""
from stretto import pure

@pure
async def fail(text: str) -> str:
    """Do what the other cannot."""
    return f"{text}, in the end"

@pure
async def stand(file: str) -> str:
    """Do not wait."""
    return "stood in"
'''
FAILING = """
tasks:
  try: {skill: job.fail, inputs: {text: it broke}, ladder: {error: [{ask: ann, within: 2h}, skip]}}
  after: {skill: job.echo, inputs: {text: {ref: try.output, default: nothing}}}
deliver: {ref: after.output}
"""


def with_spare(place: Place, entry: str, more: str = "") -> None:
    (place.folder / "agents" / "spare.py").write_text(SPARE, encoding="utf-8")
    (place.folder / "workspace.yaml").write_text(
        f"name: tests\ngoal: Do the job.\nplan: plan.yaml\nagents:\n  - {entry}\n  - agents/spare.py\n{more}"
    )


@pytest.mark.parametrize(
    ("words", "code", "answer"),
    [
        (["skip"], 3, "nothing"),
        (["fail"], 3, "nothing"),
        (["done", "--result", '"by hand"'], 0, "by hand"),
        (["retry"], 3, "nothing"),
    ],
)
def test_a_failure_is_put_before_a_person_and_answered_from_another_process(
    make: Make, words: list[str], code: int, answer: str
) -> None:
    place = make(FAILING)
    ran = place.stretto("run")
    run = place.show()["run_id"]
    assert ran.code == 4
    assert "waits for ann: try: error: ValueError: it broke; what now? Answer retry, done, skip or fail" in ran.out
    assert f"stretto answer {run} try retry|done|skip|fail" in ran.out
    assert place.show()["requests"][0]["to"] == "ann"
    assert "answer retry, done, skip or fail" in place.look("answer", "last", "perhaps").err
    assert place.look("answer", "last", "try", *words).code == 0
    ended = place.stretto("resume", "last", "--json")
    assert (ended.code, ended.json["answer"]) == (code, answer)


def test_on_a_terminal_a_person_takes_a_failed_task_over(make: Make) -> None:
    place = make(FAILING)
    with on_terminal("run", cwd=place.folder) as terminal:
        terminal.until("what now? [retry/done/skip/fail]: ")
        terminal.type("done\n")
        terminal.until("its result as JSON")
        terminal.type("by hand\n")
        terminal.until("that is no JSON")
        terminal.until("what now?")
        terminal.type("done\n")
        terminal.until("its result as JSON")
        terminal.type('"by hand"\n')
        assert terminal.end() == 0
    assert place.show()["answer"] == "by hand"


def test_a_run_that_waits_for_a_person_only_for_a_while_goes_on_when_the_time_is_over(make: Make) -> None:
    place = make(FAILING.replace("2h", "0.2"))
    assert place.stretto("run", "--no-wait").code in (3, 4)
    ended = place.stretto("resume", "last", "--json")
    assert (ended.code, ended.json["answer"]) == (3, "nothing")
    assert "nobody answered in time" in ended.json["gaps"][0]["why"]


def test_a_workspace_names_backups_and_ladders_and_show_tells_who_did_it_and_why(make: Make) -> None:
    place = make("tasks: {a: {skill: job.fail, inputs: {text: it broke}}}\ndeliver: {ref: a.output}\n")
    entry = "{python: agents/job.py, backups: [spare], ladder: {error: [backup]}}"
    with_spare(place, entry)
    ran = place.stretto("run", "--json")
    assert (ran.code, ran.json["answer"]) == (0, "it broke, in the end")
    (one,) = ran.json["tasks"]
    assert one["agent"] == "spare"
    assert one["rungs"] == [
        {
            "attempt": 1,
            "failure": "error",
            "by": "job",
            "rung": "backup",
            "agent": "spare",
            "why": "ValueError: it broke",
        }
    ]
    shown = place.look("show", "last").out
    assert "backup after job: error" in shown
    assert "backup spare" in shown


def test_an_agent_that_is_gone_when_a_run_is_resumed_is_replaced_by_its_backup(make: Make) -> None:
    place = make("tasks: {a: {skill: job.stand, approval: ask, inputs: {file: WORLD}}}\ndeliver: {ref: a.output}\n")
    with_spare(place, "{python: agents/job.py, backups: [spare]}", "ladder: {unavailable: [backup]}\n")
    assert place.stretto("run").code == 4
    (place.folder / "workspace.yaml").write_text("name: tests\nagents: [agents/spare.py]\n")
    shutil.rmtree(place.folder / ".stretto" / "editions")  # nor does anybody have it as it was
    ended = place.stretto("resume", "last", "--approve", "all", "--json")
    (one,) = ended.json["tasks"]
    assert (ended.code, ended.json["answer"], one["agent"]) == (0, "stood in", "spare")
    assert [(rung["failure"], rung["by"], rung["agent"]) for rung in one["rungs"]] == [("unavailable", "job", "spare")]
    assert "'job' is not here any more" in one["rungs"][0]["why"]


def test_a_whole_run_is_stopped_by_a_ladder_and_what_is_done_is_delivered(make: Make) -> None:
    place = make(
        "tasks:\n"
        "  first: {skill: job.echo, inputs: {text: one}}\n"
        "  bad: {skill: job.fail, after: first, inputs: {text: it broke}, ladder: {'*': [stop]}}\n"
        "  stays: {skill: job.stand, inputs: {file: WORLD}}\n"
        "deliver: [{ref: first.output}, {ref: stays.output, default: null}]\n"
    )
    ran = place.stretto("run", "--json")
    assert (ran.code, ran.json["answer"]) == (3, ["one", None])
    gaps = {gap["task"]: gap["why"] for gap in ran.json["gaps"]}
    assert gaps["stays"] == "the run was stopped when 'bad' failed: ValueError: it broke"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("ladder: {often: [retry]}", "workspace.yaml:3:10: there is no class of failure 'often'"),
        ("ladder: {error: [{retry: 0}]}", "workspace.yaml:3:19: this many times: 0"),
        ("ladder: {error: [again]}", "workspace.yaml:3:18: this is no rung: 'again'"),
        ("ladder: {error: [{agent: nobody}]}", "there is no agent 'nobody'; known: logs, report"),
        ("ladder: {error: [skip, retry]}", "workspace.yaml:3:24: `skip` ends the ladder"),
        ("ladder: {error: [{ask: ann, within: soon}]}", "within is 'soon'"),
        ("ladder: {error: [{with: {x: {ref: a.output}}}]}", "are no references"),
        ("ladder: {error: [{retry: 1, paus: 2}]}", "`retry` has no field 'paus'"),
        ("ladder: [retry]", "a ladder maps classes of failure"),
        ("rules: {ladder: {}}", "rules have no field 'ladder'"),
    ],
)
def test_an_impossible_ladder_in_a_workspace_is_told_with_its_place(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "workspace.yaml").write_text(f"name: x\nagents: [logs, report]\n{text}\n")
    with pytest.raises(BadWorkspace) as refused:
        read_workspace(tmp_path)
    assert told in str(refused.value)


def test_backups_of_a_workspace_must_be_there(tmp_path: Path) -> None:
    (tmp_path / "workspace.yaml").write_text("name: x\nagents:\n  - {use: logs, backups: [report]}\n")
    with pytest.raises(BadWorkspace, match=r"workspace.yaml:3:\d+: there is no agent 'report'; known: logs"):
        read_workspace(tmp_path)


def test_every_form_of_a_rung_is_read_and_written_again() -> None:
    from stretto.core.plan.ladders import read_ladder, write_ladder

    text = {
        "transient": ["retry", {"retry": 3, "pause": 0.5}, "backup", "skip"],
        "invalid_output": ["revise", {"revise": 2, "pause": "1m"}, {"with": {"heat": 0}, "times": 2}, "fail"],
        "rate_limited": [{"agent": "b"}, "ask", {"ask": "ann", "within": "1h30m"}, "stop"],
        "*": "compensate",
        "refused": None,
    }
    ladder, wrong = read_ladder(text, "ladder")
    assert wrong == []
    assert "refused" not in ladder
    assert ladder["rate_limited"][2].within == 5400.0
    assert read_ladder(write_ladder(ladder), "ladder") == (ladder, [])


@pytest.mark.parametrize(
    ("rung", "code", "where"),
    [
        ({"retry": True}, "bad-value", "tasks.a.ladder.error[0].retry"),
        ({"retry": 2, "revise": 2}, "bad-value", "tasks.a.ladder.error[0]"),
        ({"backup": "b"}, "bad-value", "tasks.a.ladder.error[0].backup"),
        ({"agent": "nobody"}, "unknown-agent", "tasks.a.ladder.error[0].agent"),
        ({"with": {"temprature": 0}}, "unknown-input", "tasks.a.ladder.error[0].with.temprature"),
        ({"with": []}, "bad-value", "tasks.a.ladder.error[0].with"),
        ({"ask": "ann", "within": 0}, "bad-value", "tasks.a.ladder.error[0].within"),
        ({"retry": 1, "pause": 1e300}, "bad-value", "tasks.a.ladder.error[0].pause"),
        ({"retry": 1, "pause": "1" * 40}, "bad-value", "tasks.a.ladder.error[0].pause"),
        ({"skip": None, "why": "x"}, "unknown-field", "tasks.a.ladder.error[0].why"),
        (7, "bad-value", "tasks.a.ladder.error[0]"),
    ],
)
def test_the_checker_names_what_is_wrong_with_a_tasks_ladder(rung: object, code: str, where: str) -> None:
    from stretto.core.plan.shape import read_plan

    @pure
    async def warm(temperature: int = 1) -> int:
        return temperature

    read, found = read_plan({"tasks": {"a": {"skill": "warm", "ladder": {"error": [rung]}}}})
    found += Orchestrator([warm]).check(read)
    assert [(one.code, one.path) for one in found if one.severity == "error"] == [(code, where)]
    assert all(one.mend for one in found)


def test_a_ladder_written_in_python_is_refused_where_it_stands() -> None:
    @pure
    async def work() -> None: ...

    with pytest.raises(UsageError, match=r"the ladder of task 'a'\.error\[0\]\.retry: this many times: -1"):
        task("a", work, ladder={"error": [{"retry": -1}]})
    with pytest.raises(BadAgent, match="no class of failure 'eror'"):
        agent(ladder={"eror": ["retry"]})
    with pytest.raises(UsageError, match="there is no agent 'nobody'; known: work"):
        Orchestrator([work], ladder={"error": [{"agent": "nobody"}]})


def test_a_skill_of_one_agent_alone_is_pointed_out_once_and_not_when_somebody_stands_in() -> None:
    @pure
    async def work(n: int) -> int:
        return n

    twice = plan(task("a", work, n=1), task("b", work, n=2), deliver=[ref("a"), ref("b")])
    found = Orchestrator([work]).check(twice)
    assert [(one.code, one.path) for one in found] == [("no-backup", "tasks.a.skill")]
    spare = Agent([work], name="spare")
    named = Agent([work], name="main", backups=["spare"])
    renamed = plan(task("a", "main.work", n=1), deliver=ref("a"))
    assert Orchestrator([named, spare]).check(renamed) == []


async def test_a_stand_in_works_under_its_own_name_limits_reviewers_and_effects() -> None:
    seen: list[tuple[str, str, float | None]] = []

    @pure
    async def sum_up(n: int) -> int:
        raise AgentFailure("not today")

    @pure(timeout=7, name="b.sum_up")
    async def other(n: int, work: Assignment) -> int:
        seen.append((work.skill, work.key, work.limits.timeout))
        return n + 1

    @irreversible(name="c.sum_up")
    async def grave(n: int) -> int:
        return n

    first = Agent([sum_up], name="a", backups=["c", "b"])
    team = Orchestrator([first, Agent([other], name="b"), Agent([grave], name="c")])
    work = plan(task("t", "a.sum_up", n=1), deliver=ref("t"))
    run = await team.run("Sum up", plan=work, approve="none")
    assert run.status == "failed", "a person's no is not got round by the next stand-in"
    assert "denied by" in run.gaps[0].why
    assert seen == []
    team = Orchestrator([Agent([sum_up], name="a", backups=["b"]), Agent([other], name="b")])
    run = await team.run("Sum up", plan=work)
    assert run.answer == 2
    assert [(skill, timeout) for skill, _, timeout in seen] == [("b.sum_up", 7)]


async def test_a_perimeter_holds_for_a_stand_in_which_is_then_passed_over() -> None:
    @pure
    async def read(text: str) -> str:
        raise AgentFailure("not today")

    @pure(name="outside.read", perimeter=["public"])
    async def outside(text: str) -> str:
        raise AssertionError("it must not see this")

    @pure(name="inside.read")
    async def inside(text: str) -> str:
        return "read"

    team = Orchestrator(
        [
            Agent([read], name="a", backups=["outside", "inside"]),
            Agent([outside], name="outside"),
            Agent([inside], name="inside"),
        ]
    )
    run = await team.run("Read", plan=plan(task("t", "a.read", text="x", labels=["phi"]), deliver=ref("t")))
    assert run.answer == "read"
    assert [(one.do, one.agent) for one in run.state.tasks["t"].climbed] == [
        ("backup", "outside"),
        ("backup", "inside"),
    ]


async def test_what_may_have_happened_is_not_done_again_by_anybody_else() -> None:
    done: list[str] = []

    @irreversible
    async def pay(n: int) -> int:
        done.append("a")
        raise ValueError("the connection is gone")

    @irreversible(name="b.pay")
    async def other(n: int) -> int:
        done.append("b")
        return n

    team = Orchestrator(
        [Agent([pay], name="pay", backups=["b"]), Agent([other], name="b")],
        ladder={"*": [{"retry": 3}, {"agent": "b"}, "backup"]},
    )
    run = await team.run("Pay", plan=plan(task("t", "pay.pay", n=1), deliver=ref("t")), approve="all")
    assert (run.status, done) == ("failed", ["a"])


async def test_arguments_of_a_rung_reach_the_agent_and_a_persons_edit_goes_before_them() -> None:
    heats: list[int] = []

    @agent(effect="none", approval="ask")
    async def warm(heat: int) -> int:
        heats.append(heat)
        raise ValueError("too hot")

    class Editor:
        def __init__(self, edits: bool) -> None:
            self._edits = edits

        async def ask(self, state: RunState, request: str) -> Command | None:
            if self._edits and not heats:
                return AnswerRequest(actor="person:p", request=request, decision="edit", value={"heat": 5})
            return AnswerRequest(actor="person:p", request=request, decision="approve")

    steps = plan(task("t", warm, heat=9, ladder={"error": [{"with": {"heat": 0}}]}), deliver=ref("t"))
    for edits, expected in ((False, [9, 0]), (True, [5, 5])):
        heats.clear()
        run = await Orchestrator([warm]).run("Warm", plan=steps, people=Editor(edits), wait=True)
        assert (run.status, heats) == ("failed", expected)


async def test_an_agents_own_outcome_tells_what_it_produced() -> None:
    tries: list[int] = []

    @pure
    async def write() -> Outcome:
        tries.append(1)
        return Failed(failure=FailureClass.INVALID_OUTPUT, message="a draft", produced="same")

    steps = plan(task("t", write, ladder={"invalid_output": [{"revise": 9}, "fail"]}), deliver=ref("t"))
    run = await Orchestrator([write]).run("Write", plan=steps)
    assert (run.status, len(tries)) == ("failed", 2)
    assert "no progress" in run.gaps[0].why


async def test_a_result_that_does_not_fit_its_hint_twice_in_the_same_way_ends_the_revisions() -> None:
    given = iter(["one", "two", "two"])

    @pure
    async def count() -> int:
        return next(given)  # type: ignore[return-value]

    steps = plan(task("t", count, ladder={"invalid_output": [{"revise": 9}, "skip"]}), deliver=ref("t"))
    run = await Orchestrator([count]).run("Count", plan=steps)
    assert [one.do for one in run.state.tasks["t"].climbed] == ["revise", "revise", "skip"]


def test_a_changed_ladder_touches_new_runs_only(make: Make) -> None:
    place = make(FAILING.replace(", ladder: {error: [{ask: ann, within: 2h}, skip]}", ""))
    (place.folder / "workspace.yaml").write_text(
        "name: tests\ngoal: Do the job.\nplan: plan.yaml\nagents: [agents/job.py]\n"
        "ladder: {error: [ask, {ask: bob}]}\nrules: {retries: {error: 9}}\n"
    )
    assert place.stretto("run").code == 4
    (place.folder / "workspace.yaml").write_text(
        "name: tests\ngoal: Do the job.\nplan: plan.yaml\nagents: [agents/job.py]\nladder: {error: skip}\n"
    )
    place.look("answer", "last", "retry")
    again = place.stretto("resume", "last", "--json")
    assert (again.code, again.json["requests"][0]["to"]) == (4, "bob")
    assert place.stretto("run", "--json").code == 3


def test_the_journal_keeps_every_rung_so_that_a_replay_is_exact(make: Make) -> None:
    place = make("tasks: {a: {skill: job.fail, inputs: {text: x}}}\n")
    with_spare(place, "{python: agents/job.py, backups: [spare]}")
    ran = place.stretto("run", "--json")
    assert json.loads(ran.out)["tasks"] == place.show()["tasks"]


def test_thousand_equal_looking_items_with_a_flaky_agent_all_come_through() -> None:
    calls = 0

    @pure(ladder={"transient": [{"retry": 20, "pause": 0}]})
    async def flaky(n: int) -> str:
        nonlocal calls
        calls += 1
        if calls % 5 == 0:
            raise AgentFailure("busy", FailureClass.TRANSIENT)
        return "the same"

    steps = plan(task("all", flaky, for_each=[7] * 1000, n=ref("item")), deliver=ref("all"))
    run = asyncio.run(Orchestrator([flaky]).run("Go", plan=steps))
    assert (run.status, run.answer) == ("finished", ["the same"] * 1000)


def test_the_live_view_names_the_agent_that_is_at_work_or_comes_next() -> None:
    from stretto.cli.view.layout import layout
    from stretto.cli.view.lines import plain_text
    from tests.core.test_ladders import Stage
    from tests.core.test_ladders import agent as card

    stage = Stage(Task(id="a", skill="work"), agents=[card("first"), card("second")])

    def seen() -> str:
        return plain_text(layout(stage.state, stage.now, 100, 24))

    stage.fail(FailureClass.REFUSED)
    assert "second" in seen()
    assert "to be tried again" in seen() or "attempt 2 in" in seen()
    stage.begin()
    assert "second" in seen()
    assert "attempt 2 after refused: it broke" in seen()


async def test_a_backup_that_is_too_dear_is_passed_over() -> None:
    @pure
    async def cheap(n: int) -> int:
        raise AgentFailure("not today")

    @pure(name="dear.cheap", cost="$5")
    async def dear(n: int) -> int:
        return n

    @pure(name="fair.cheap", cost="$0.50")
    async def fair(n: int) -> int:
        return n

    first = Agent([cheap], name="a", backups=["dear", "fair"])
    team = Orchestrator([first, Agent([dear], name="dear"), Agent([fair], name="fair")], budget="$1")
    run = await team.run("Go", plan=plan(task("t", "a.cheap", n=3), deliver=ref("t")))
    assert run.answer == 3
    assert "'dear' cannot take over" in run.state.tasks["t"].climbed[-1].why


async def test_a_team_that_takes_over_from_a_team_has_a_run_of_its_own_and_is_charged_for_it_alone() -> None:
    @pure(cost="$0.10")
    async def fails(n: int, work: Assignment) -> int:
        work.spend("0.03")
        raise AgentFailure("not today")

    @pure(cost="$0.10")
    async def works(n: int, work: Assignment) -> int:
        work.spend("0.02")
        return n + 1

    def team(function: Callable[..., object], name: str) -> Any:
        steps = plan(task("it", function, n=ref("inputs.n")), deliver=ref("it"), inputs=["n"])
        return Orchestrator([function], budget="$0.20").as_agent(name, plans={"count": steps})

    above = Orchestrator(
        [team(fails, "first"), team(works, "second")], ladder={"refused": [{"agent": "second"}]}, budget="$1"
    )
    run = await above.run("Count", plan=plan(task("t", "first.count", n=1), deliver=ref("t")))
    assert (run.status, run.answer, str(run.cost)) == ("finished", 2, "$0.05")
    assert run.as_json()["tasks"][0]["run"] == f"{run.run_id}.t-by-second"
