"""Teams: an orchestrator as an agent of another, with its budget, its people and its policies inside theirs."""

import asyncio
import time
from decimal import Decimal
from pathlib import Path

import pytest

from stretto import Assignment, Orchestrator, agent, idempotent, irreversible, plan, pure, ref, task
from stretto.bootstrap import find_run, leave_word, open_store, open_workspace
from stretto.core.commands import AnswerRequest, Cancel
from stretto.core.domain import Budget, InputSpec
from stretto.core.errors import BadAgent, BadWorkspace, UsageError
from stretto.orchestrator import load
from stretto.ports import AgentFailure, RunQuery
from stretto.views import Run

paid: list[tuple[str, str]] = []


@pytest.fixture(autouse=True)
def nobody_was_paid() -> None:
    paid.clear()


@pure
async def find(topic: str) -> list[str]:
    """Find facts."""
    return [f"{topic} one", f"{topic} two"]


@agent(cost="0.01", effect="none")
async def weigh(facts: list[str], work: Assignment) -> str:
    """Weigh facts."""
    work.spend("0.01")
    return "; ".join(facts)


@irreversible
async def pay(name: str, work: Assignment) -> str:
    """Pay somebody."""
    paid.append((name, work.key))
    return f"paid {name}"


@pure
async def bold(text: str) -> str:
    """Make it bold."""
    return f"**{text}**"


survey = plan(
    task("find", find, topic=ref("inputs.topic")),
    task("weigh", weigh, facts=ref("find")),
    deliver=ref("weigh"),
    inputs=["topic"],
)
payment = plan(task("pay", pay, name=ref("inputs.name")), deliver=ref("pay"), inputs=["name"])


def research(budget: str = "$0.05"):  # type: ignore[no-untyped-def]
    return Orchestrator([find, weigh], budget=budget).as_agent("research", plans={"survey": survey})


def payers():  # type: ignore[no-untyped-def]
    return Orchestrator([pay]).as_agent("payers", plans={"payment": payment})


above = plan(
    task("study", "research.survey", topic="bikes"),
    task("print", bold, text=ref("study")),
    deliver=ref("print"),
)


async def test_a_task_of_one_run_is_a_whole_run_of_the_team_in_the_same_journal(tmp_path: Path) -> None:
    team = Orchestrator([research(), bold], store=tmp_path / "runs.db")
    run = await team.run("print a study", plan=above)
    assert run.answer == "**bikes one; bikes two**"
    assert run.cost.money == Decimal("0.01")
    async with team.journal() as journal:
        below = await load(journal, f"{run.run_id}.study")
    assert below.parent == run.run_id
    assert [one.status.value for one in below.tasks.values()] == ["completed", "completed"]


async def test_a_fan_out_over_a_team_is_a_run_per_item(tmp_path: Path) -> None:
    team = Orchestrator([research("$1")], store=tmp_path / "runs.db")
    job = plan(
        task("study", "research.survey", for_each=["a", "b", "c"], topic=ref("item")),
        deliver=ref("study"),
    )
    run = await team.run("study", plan=job)
    assert run.answer == ["a one; a two", "b one; b two", "c one; c two"]
    async with team.journal() as journal:
        runs = {one.run for one in await journal.runs()}
    assert runs == {run.run_id, *(f"{run.run_id}.study.{n}" for n in range(3))}


async def test_the_budget_of_the_team_is_reserved_above_before_it_begins() -> None:
    team = Orchestrator([research("$0.05"), bold], budget="$0.04")
    run = await team.run("print a study", plan=plan(task("x", bold, text="a"), task("y", bold, text="b")))
    assert run.status == "finished"
    with pytest.raises(UsageError, match="over-budget"):
        await team.run("print a study", plan=above)


async def test_a_team_never_spends_more_than_its_own_budget() -> None:
    team = Orchestrator([research("$0.005"), bold])
    run = await team.run("print a study", plan=above)
    assert run.status == "failed"
    assert run.cost.money == 0
    assert "$" in run.gaps[0].why


async def test_what_the_team_asks_is_asked_in_the_run_above_and_the_word_goes_back(tmp_path: Path) -> None:
    team = Orchestrator([payers(), bold], store=tmp_path / "runs.db")
    job = plan(task("pay", "payers.payment", name="ann"), task("print", bold, text=ref("pay")), deliver=ref("print"))
    run = await team.run("pay ann", plan=job)
    assert run.status == "waiting"
    (asked,) = run.requests
    assert (asked["task"], asked["kind"]) == ("pay", "approval")
    assert asked["arguments"] == {"name": "ann"}
    assert "cannot be undone" in asked["question"]
    assert paid == []
    async with team.journal() as journal:
        word = AnswerRequest(actor="person:eve", request=asked["request"], decision="approve")
        await leave_word(journal, run.run_id, word)
    done = await team.resume(run.run_id)
    assert done.answer == "**paid ann**"
    assert [name for name, _ in paid] == ["ann"]
    async with team.journal() as journal:
        below = await load(journal, f"{run.run_id}.pay")
    assert below.tasks["pay"].status.value == "completed"


async def test_a_denial_reaches_the_team_and_fails_the_task_as_denied(tmp_path: Path) -> None:
    team = Orchestrator([payers()], store=tmp_path / "runs.db")
    run = await team.run("pay ann", plan=plan(task("pay", "payers.payment", name="ann")))
    async with team.journal() as journal:
        word = AnswerRequest(actor="person:eve", request=run.requests[0]["request"], decision="deny", reason="too dear")
        await leave_word(journal, run.run_id, word)
    done = await team.resume(run.run_id)
    assert done.status == "failed"
    assert "denied by eve: too dear" in done.gaps[0].why
    assert paid == []


async def test_a_standing_word_of_the_run_above_holds_in_the_team() -> None:
    run = await Orchestrator([payers()]).run(
        "pay ann", plan=plan(task("pay", "payers.payment", name="ann")), approve="all"
    )
    assert run.status == "finished"


async def test_a_team_s_run_is_answered_and_resumed_above_only(tmp_path: Path) -> None:
    team = Orchestrator([payers()], store=tmp_path / "runs.db")
    run = await team.run("pay ann", plan=plan(task("pay", "payers.payment", name="ann")))
    below = f"{run.run_id}.pay"
    with pytest.raises(UsageError, match=f"team's work for run {run.run_id}; resume that one"):
        await team.resume(below)
    async with team.journal() as journal:
        (asked,) = (await load(journal, below)).requests.values()
        with pytest.raises(UsageError, match="answer there"):
            await leave_word(journal, below, AnswerRequest(request=asked.id, decision="approve"))
        assert await find_run(journal, run.run_id) == run.run_id


async def test_labels_go_into_the_team_and_stop_at_the_perimeter_inside() -> None:
    @agent(effect="none", perimeter=())
    async def tell(text: str) -> str:
        """Tell the outside."""
        return text

    @agent(effect="none", perimeter=("pii",))
    async def note(text: str) -> str:
        """Note it down."""
        return text

    inner = plan(task("tell", tell, text=ref("inputs.text")), deliver=ref("tell"), inputs=["text"])
    outside = Orchestrator([tell, note]).as_agent("outside", plans={"tell": inner})
    run = await Orchestrator([outside]).run(
        "tell",
        plan=plan(
            task("tell", "outside.tell", text=ref("inputs.secret")),
            inputs={"secret": InputSpec(labels=("pii",))},
        ),
        inputs={"secret": "x"},
    )
    assert run.status == "failed"
    assert "pii" in run.gaps[0].why


async def test_a_partial_result_fails_the_task_unless_it_may_be_accepted_with_its_gaps() -> None:
    @pure
    async def broken(topic: str) -> str:
        """Always fail."""
        raise RuntimeError("no line")

    inner = plan(
        task("find", find, topic=ref("inputs.topic")),
        task("more", broken, topic=ref("inputs.topic")),
        deliver={"found": ref("find"), "more": ref("more", default=None)},
        inputs=["topic"],
    )

    def hired(partial: str):  # type: ignore[no-untyped-def]
        crew = Orchestrator([find, broken], retries={"error": 0})
        return crew.as_agent("crew", plans={"look": inner}, partial=partial)  # type: ignore[arg-type]

    job = plan(task("look", "crew.look", topic="x"), deliver=ref("look"))
    strict = await Orchestrator([hired("refuse")], retries={"error": 0}).run("look", plan=job)
    assert strict.status == "failed"
    assert "no line" in strict.gaps[0].why
    lenient = await Orchestrator([hired("accept")], retries={"error": 0}).run("look", plan=job)
    assert lenient.status == "partial"
    assert lenient.answer == {"found": ["x one", "x two"], "more": None}
    assert [gap.task for gap in lenient.gaps] == ["look.more"]


async def test_a_goal_is_planned_by_the_team_itself() -> None:
    team = Orchestrator([Orchestrator([find, weigh]).as_agent("research")])
    job = plan(task("x", "research.pursue", goal="Find facts", inputs={"goal": "Find facts", "inputs": {"topic": "t"}}))
    run = await team.run("x", plan=job)
    assert run.status == "finished", run.gaps


async def test_cancelling_the_run_above_cancels_the_team_s_run(tmp_path: Path) -> None:
    begun = asyncio.Event()

    @pure
    async def stay() -> str:
        """Stay until nobody waits any more."""
        begun.set()
        await asyncio.Event().wait()
        return "never"

    inner = Orchestrator([stay]).as_agent("idle", plans={"stay": plan(task("stay", stay))})
    team = Orchestrator([inner], store=tmp_path / "runs.db")
    going = asyncio.create_task(team.run("stay", plan=plan(task("s", "idle.stay")), run_id="r1"))
    await begun.wait()
    async with open_store(tmp_path / "runs.db") as journal:
        await journal.post("r1", Cancel(actor="person:p"))
    run = await going
    assert run.status == "cancelled"
    async with open_store(tmp_path / "runs.db") as journal:
        assert (await load(journal, "r1.s")).status.value == "cancelled"


def workspace(folder: Path, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "workspace.yaml").write_text(text)
    return folder


async def test_a_workspace_has_another_as_a_team(tmp_path: Path) -> None:
    workspace(tmp_path / "sums", "name: sums\nagents: [calculate]\nplan: plan.yaml\n")
    (tmp_path / "sums" / "plan.yaml").write_text(
        "inputs: [text]\ntasks:\n  sum: {skill: calculate.evaluate, inputs: {expression: {ref: inputs.text}}}\n"
        "deliver: {ref: sum.output.value}\n"
    )
    workspace(tmp_path / "top", "name: top\nagents:\n  - {team: ../sums, name: sums, budget: $1}\nplan: plan.yaml\n")
    (tmp_path / "top" / "plan.yaml").write_text(
        "tasks:\n  add: {skill: sums.plan, inputs: {text: 2 + 3}}\ndeliver: {ref: add.output}\n"
    )
    run: Run = await open_workspace(tmp_path / "top").run("add")
    assert run.status == "finished", run.gaps
    assert run.answer == 5


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("{team: ../nowhere}", r"workspace.yaml:3:\d+: .*nowhere is no workspace"),
        ("{team: ., name: me}", "would be a team of itself"),
        ("{team: ., nam: me}", "a team has no field 'nam'"),
        ("{team: ., budget: lots}", "lots"),
        ("{team: ., partial: maybe}", "partial is refuse or accept"),
    ],
)
def test_a_team_that_cannot_be_is_told_with_its_place(tmp_path: Path, line: str, told: str) -> None:
    folder = workspace(tmp_path / "w", f"name: w\nagents:\n  - {line}\n")
    with pytest.raises(BadWorkspace, match=told):
        open_workspace(folder)


def test_a_team_without_agents_is_refused() -> None:
    with pytest.raises(BadAgent, match="has no agents"):
        Orchestrator().as_agent("empty")


def test_the_budget_of_a_task_may_be_a_mapping_and_anything_else_is_told() -> None:
    assert task("a", bold, text="x", budget={"seconds": 5}).budget == Budget(seconds=5)
    with pytest.raises(UsageError, match="the budget of task 'a'"):
        task("a", bold, text="x", budget={"second": "x", "steps": "many"})


# ---- tried again, in forks, within the limits of the run above


def failing_once():  # type: ignore[no-untyped-def]
    """Give a team that pays, and then fails the first time ever; what it does after that it can."""
    said: list[str] = []

    @idempotent
    async def post(said_of: str) -> str:
        """Post a letter."""
        said.append(said_of)
        if len(said) == 1:
            raise AgentFailure("the box is full")
        return f"posted {said_of}"

    job = plan(
        task("pay", pay, name=ref("inputs.name")),
        task("post", post, said_of=ref("pay")),
        task("print", bold, text=ref("post")),
        deliver=ref("print"),
        inputs=["name"],
    )
    crew = Orchestrator([pay, post, bold], retries={"error": 0, "refused": 0}, ladder={"refused": []})
    return crew.as_agent("crew", plans={"job": job})


crew_job = plan(task("job", "crew.job", name="ann"), deliver=ref("job"))


@pytest.mark.parametrize("do", ["ladder", "retry"])
async def test_tried_again_a_team_does_what_failed_in_it_and_what_it_did_stays_done(tmp_path: Path, do: str) -> None:
    team = Orchestrator([failing_once()], store=tmp_path / "runs.db", ladder={"refused": ["retry"] * (do == "ladder")})
    run = await team.run("pay and post", plan=crew_job, approve="all")
    if do == "retry":
        assert run.status == "failed"
        assert "the box is full" in run.gaps[0].why
        run = await team.retry(run.run_id, "job", approve="all")
    assert run.answer == "**posted paid ann**"
    assert [name for name, _ in paid] == ["ann"]


async def test_a_team_that_did_what_it_should_does_nothing_once_more() -> None:
    tried = 0

    @pure
    async def maybe() -> str:
        """Fail, which the plan can do without."""
        nonlocal tried
        tried += 1
        raise AgentFailure("no line")

    job = plan(
        task("maybe", maybe),
        task("say", bold, text="x"),
        task("one", bold, join={"of": ["maybe", "say"], "take": 1}, text=ref("joined[0]")),
        deliver=ref("say"),
    )
    crew = Orchestrator([maybe, bold], ladder={"*": []}).as_agent("crew", plans={"job": job})
    refused = task("job", "crew.job", output={"type": "integer"}, ladder={"invalid_output": ["retry"]})
    run = await Orchestrator([crew]).run("say it", plan=plan(refused))
    assert run.status == "failed"
    assert run.state.tasks["job"].attempt == 2
    assert tried == 1


async def test_a_fork_does_not_repeat_what_a_team_did_for_its_parent(tmp_path: Path) -> None:
    team = Orchestrator([failing_once()], store=tmp_path / "runs.db", ladder={"refused": []})
    run = await team.run("pay and post", plan=crew_job, approve="all")
    assert run.status == "failed"
    fork = await team.fork(run.run_id, "job", approve="all")
    assert fork.answer == "**posted paid ann**"
    again = await team.fork(fork.run_id, 1, approve="all")
    assert again.answer == "**posted paid ann**"
    assert [name for name, _ in paid] == ["ann"]


async def test_the_keys_of_a_team_s_actions_are_those_of_the_first_run_in_any_fork(tmp_path: Path) -> None:
    job = plan(task("wait", bold, text="x"), task("pay", "payers.payment", name="ann", after=["wait"]))
    team = Orchestrator([payers(), bold], store=tmp_path / "runs.db")
    run = await team.run("pay ann", plan=job)
    fork = await team.fork(run.run_id, "wait", approve="all")
    await team.resume(run.run_id, approve="all")
    assert fork.status == "finished"
    assert len({key for _, key in paid}) == 1


async def test_a_team_spends_no_more_than_the_run_above_has_left() -> None:
    job = plan(
        task("find", find, topic="bikes"),
        task("weigh", weigh, for_each=ref("find"), facts=[ref("item")]),
        task("more", weigh, for_each=ref("find"), facts=[ref("item")], after=["weigh"]),
        deliver=ref("more"),
    )
    crew = Orchestrator([find, weigh]).as_agent("crew", plans={"job": job})
    assert not crew.card.bounded
    run = await Orchestrator([crew], budget="$0.025").run("weigh", plan=plan(task("job", "crew.job")))
    assert run.status == "failed"
    assert run.cost.money == Decimal("0.02")


def test_the_cost_of_a_team_has_a_bound_by_its_budget_or_because_its_members_are_free() -> None:
    @agent(cost="unbounded", effect="none")
    async def think() -> str:
        """Think for as long as it takes."""
        return "so"

    bounded = {
        "budget": Orchestrator([think], budget="$1").as_agent("a", plans={"job": plan(task("t", think))}),
        "steps": Orchestrator([think], budget="9 steps").as_agent("a", plans={"job": plan(task("t", think))}),
        "free": Orchestrator([bold]).as_agent("a", plans={"job": plan(task("t", bold, text="x"))}),
    }
    assert {name: one.card.bounded for name, one in bounded.items()} == {"budget": True, "steps": False, "free": True}


async def test_the_time_of_the_task_and_the_run_above_is_that_of_the_team(tmp_path: Path) -> None:
    team = Orchestrator([payers()], store=tmp_path / "runs.db")
    job = plan(task("pay", "payers.payment", name="ann", budget="50s"))
    run = await team.run("pay ann", plan=job, deadline=time.time() + 500)
    async with team.journal() as journal:
        above, below = await load(journal, run.run_id), await load(journal, f"{run.run_id}.pay")
    began = above.tasks["pay"].started
    assert began is not None
    assert below.deadline == pytest.approx(began + 50)


async def test_cancelling_with_grace_lets_a_team_s_members_end_by_themselves(tmp_path: Path) -> None:
    begun = asyncio.Event()

    @pure
    async def tidy(work: Assignment) -> str:
        """Work until it is time to stop, and put things in order."""
        begun.set()
        await work.stopping.wait()
        return "in order"

    inner = Orchestrator([tidy]).as_agent("crew", plans={"job": plan(task("tidy", tidy), deliver=ref("tidy"))})
    middle = Orchestrator([inner]).as_agent("group", plans={"job": plan(task("j", "crew.job"), deliver=ref("j"))})
    team = Orchestrator([middle], store=tmp_path / "runs.db")
    going = asyncio.create_task(team.run("tidy", plan=plan(task("s", "group.job")), run_id="r1"))
    async with asyncio.timeout(20):
        await begun.wait()
        async with open_store(tmp_path / "runs.db") as journal:
            await journal.post("r1", Cancel(actor="person:p", grace=30.0))
        run = await going
    assert run.status == "cancelled"
    async with open_store(tmp_path / "runs.db") as journal:
        below = await load(journal, "r1.s.j")
    assert below.status.value == "cancelled"
    assert below.tasks["tidy"].result is not None
    assert below.tasks["tidy"].result.output == "in order"


async def test_runs_of_teams_are_listed_only_on_request(tmp_path: Path) -> None:
    team = Orchestrator([research(), bold], store=tmp_path / "runs.db")
    run = await team.run("print a study", plan=above)
    async with team.journal() as journal:
        assert [one.run for one in await journal.runs(RunQuery(teams=False))] == [run.run_id]
        assert len(await journal.runs()) == 2
        assert await find_run(journal, "last") == run.run_id
        assert await find_run(journal, run.run_id[:-2]) == run.run_id
        assert await find_run(journal, f"{run.run_id}.stu") == f"{run.run_id}.study"
