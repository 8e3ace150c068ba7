"""Real runs, told to a real collector over HTTP: what arrives is what happened, and nothing that must not leave."""

import json
import logging
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from stretto import Assignment, Orchestrator, agent, irreversible, plan, pure, ref, task
from stretto.bootstrap import find_run, leave_word, open_store, open_workspace
from stretto.core.commands import AnswerRequest
from stretto.core.errors import UsageError
from stretto.core.timeline import timeline
from stretto.models.asking import ask
from stretto.models.definition import models_of
from stretto.models.prompt import Message, Prompt
from stretto.models.roster import ModelRoster
from stretto.ports import AgentFailure
from stretto.settings import Settings, TelemetrySettings
from stretto.telemetry import exporting
from stretto.testing.models import Answer, ModelServer, Rule
from tests.desk.office import APPROVER, OPERATOR, asks, ended, office, until
from tests.telemetry.collector import Collector, Seen

ROOT = Path(__file__).parents[2]
MARKED = "4711-MARKED-4711"
KEY = "sk-planted-0123456789abcdef"


@pure
async def find(topic: str) -> list[str]:
    """Find facts."""
    return [f"{topic} one", f"{topic} two"]


@pure
async def weigh(facts: list[str], work: Assignment) -> int:
    """Weigh facts."""
    return int(await work.call("count", len, facts, effect="none"))


@irreversible
async def pay(name: str) -> str:
    """Pay somebody."""
    return f"paid {name}"


@pure
async def fail(name: str) -> str:
    """Fail, and give something away."""
    raise AgentFailure(f"cannot do it for {name}")


SURVEY = plan(task("find", find, topic=ref("inputs.topic")), task("weigh", weigh, facts=ref("find")), inputs=["topic"])


async def journal_line(store: Path, run: str) -> Any:
    async with open_store(store) as journal:
        return timeline([one.event for one in await journal.read(run)])


def only(spans: list[Seen]) -> Seen:
    (one,) = spans
    return one


async def test_a_run_arrives_as_one_tree_with_the_times_of_its_timeline(told: Collector, tmp_path: Path) -> None:
    run = await Orchestrator([find, weigh], store=tmp_path / "runs.db").run("go", plan=SURVEY, inputs={"topic": "x"})
    assert run.status == "finished"
    root = only(told.of("invoke_workflow"))
    assert root.parent == ""
    assert {one.trace for one in told.spans} == {root.trace}
    assert {one.name for one in told.children(root)} == {"plan given", "invoke_agent find", "invoke_agent weigh"}
    assert root.attributes["gen_ai.conversation.id"] == run.run_id
    assert root.attributes["stretto.run.status"] == "finished"
    tool = only(told.of("execute_tool"))
    assert (tool.name, tool.attributes["gen_ai.tool.name"]) == ("execute_tool len", "len")
    weighed = next(one for one in told.of("invoke_agent") if one.name == "invoke_agent weigh")
    assert tool.parent == weighed.id
    assert 0 <= weighed.attributes["stretto.handoff.seconds"] < 10
    ((event, at, verdict),) = weighed.events
    assert (event, verdict["gen_ai.evaluation.score.label"]) == ("gen_ai.evaluation.result", "accepted")
    assert weighed.end <= at <= root.end
    line = await journal_line(tmp_path / "runs.db", run.run_id)
    arrived = [(one.attributes["stretto.task.id"], one.begin, one.end) for one in told.of("invoke_agent")]
    expected = [(one.task, one.begin, one.end) for one in line.stretches]
    assert [task_ for task_, *_ in arrived] == [task_ for task_, *_ in expected]
    for one, other in zip(arrived, expected, strict=True):
        assert one[1:] == pytest.approx([other[1] * 1e9, other[2] * 1e9], abs=1500)


async def test_metrics_arrive_with_the_names_and_buckets_of_the_conventions(told: Collector) -> None:
    await Orchestrator([find, weigh]).run("go", plan=SURVEY, inputs={"topic": "x"})
    (attributes, duration), *_ = told.metrics["gen_ai.invoke_agent.duration"]
    assert attributes == {"gen_ai.agent.name": "find"}
    assert (duration.count, list(duration.explicit_bounds)[:3]) == (1, [0.1, 0.2, 0.4])
    (_, workflow), *_ = told.metrics["gen_ai.workflow.duration"]
    root = only(told.of("invoke_workflow"))
    assert workflow.sum == pytest.approx((root.end - root.begin) / 1e9, abs=1e-3)
    assert told.metrics["gen_ai.execute_tool.duration"][0][0]["gen_ai.tool.name"] == "len"
    assert told.metrics["stretto.handoff.duration"][0][1].count == 1
    assert told.metrics["stretto.telemetry.dropped"][0][1].as_int == 0


async def test_calls_of_a_model_arrive_with_model_provider_and_tokens(
    told: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEAM_KEY", KEY)
    async with ModelServer([Rule(say=Answer(text=f"Hello {MARKED}"))], key=KEY) as server:
        price = {"input": 1000, "output": 1000}
        given = {"model": "gpt-x", "url": server.url, "key_env": "TEAM_KEY", "price": price}
        models = ModelRoster([models_of({"default": "m", "m": given})])

        @agent(effect="none", cost="$0.50")
        async def speak(work: Assignment) -> str:
            """Say hello."""
            assert work.toolbox is not None
            prompt = Prompt(messages=(Message(role="user", text="Say hello."),), most=50)
            return (await ask(models.of("worker"), prompt, work.toolbox, key="hello", role="worker")).text

        run = await Orchestrator([speak]).run("go", plan=plan(task("a", speak)), budget="$1")
        used = server.usage
    assert run.status == "finished", run.gaps
    chat = only(told.of("chat"))
    assert chat.kind == 3, "a client"
    assert (chat.attributes["gen_ai.provider.name"], chat.attributes["gen_ai.request.model"]) == ("openai", "gpt-x")
    assert chat.attributes["gen_ai.usage.input_tokens"] == used.input
    assert chat.attributes["gen_ai.usage.output_tokens"] == used.output
    assert chat.parent == only(told.of("invoke_agent")).id
    cost = only(told.of("invoke_workflow")).attributes["stretto.cost.usd"]
    assert cost == chat.attributes["stretto.cost.usd"] == float(run.cost.money)
    tokens = {attributes["gen_ai.token.type"]: one.sum for attributes, one in told.metrics["gen_ai.client.token.usage"]}
    assert tokens == {"input": used.input, "output": used.output}
    assert MARKED not in repr(told.spans)
    assert KEY not in repr((told.spans, told.metrics, told.headers))


async def test_a_teams_run_is_below_the_attempt_that_ordered_it(told: Collector, tmp_path: Path) -> None:
    inner = Orchestrator([find, weigh]).as_agent("inner", plans={"survey": SURVEY})
    middle = Orchestrator([inner]).as_agent(
        "middle",
        plans={"both": plan(task("n", "inner.survey", topic=ref("inputs.topic")), inputs=["topic"])},
    )
    outer = Orchestrator([middle], store=tmp_path / "runs.db")
    run = await outer.run("go", plan=plan(task("m", "middle.both", topic="x")))
    assert run.status == "finished", run.gaps
    first, second, third = told.of("invoke_workflow")
    attempts = {one.id: one.attributes["gen_ai.agent.name"] for one in told.of("invoke_agent")}
    assert [attempts.get(one.parent) for one in (first, second, third)] == [None, "middle", "inner"]
    assert len({one.trace for one in told.spans}) == 1
    assert third.attributes["gen_ai.conversation.id"] == f"{run.run_id}.m.n"


async def test_a_run_that_another_process_answers_and_goes_on_with_is_one_trace(
    told: Collector, tmp_path: Path
) -> None:
    store = tmp_path / "runs.db"
    team = Orchestrator([find, pay], store=store)
    waiting = await team.run("pay", plan=plan(task("find", find, topic="x"), task("pay", pay, name="ann")))
    assert waiting.status == "waiting"
    assert not told.of("invoke_workflow")
    async with open_store(store) as journal:
        run = await find_run(journal, "last")
        (request,) = waiting.state.requests
        await leave_word(journal, run, AnswerRequest(actor="person:ann", request=request, decision="approve"))
    (wait,) = told.of("wait")
    assert wait.attributes["stretto.request.decision"] == "approve"
    await Orchestrator([find, pay], store=store).resume(run)
    root = only(told.of("invoke_workflow"))
    assert {one.trace for one in told.spans} == {root.trace}
    assert {one.name for one in told.children(root)} == {
        *("plan given", "invoke_agent find", "invoke_agent pay", "wait approval")
    }
    assert_told_alike(told)


def assert_told_alike(collector: Collector) -> None:
    """Hold each span against every other of its id: they are the same."""
    seen: dict[str, Seen] = {}
    for one in collector.spans:
        assert seen.setdefault(one.id, one) == one


async def test_a_run_that_is_cancelled_while_nobody_drives_it_is_told_to_its_end(
    told: Collector, tmp_path: Path
) -> None:
    team = Orchestrator([pay], store=tmp_path / "runs.db")
    waiting = await team.run("pay", plan=plan(task("pay", pay, name="ann")))
    await team.cancel(waiting.run_id)
    assert only(told.of("invoke_workflow")).attributes["stretto.run.status"] == "cancelled"
    assert only(told.of("wait")).attributes["stretto.request.decision"] == "withdrawn"


async def test_a_worker_tells_of_the_runs_that_it_drives(told: Collector, tmp_path: Path) -> None:
    team = Orchestrator([pay], store=tmp_path / "runs.db")
    waiting = await team.run("pay", plan=plan(task("pay", pay, name="ann")))
    async with open_store(tmp_path / "runs.db") as journal:
        (request,) = waiting.state.requests
        await journal.post(waiting.run_id, AnswerRequest(actor="person:ann", request=request, decision="approve"))
    async with team.worker() as worker:
        await worker.work(once=True)
    assert only(told.of("invoke_workflow")).attributes["stretto.run.status"] == "finished"
    assert only(told.of("invoke_agent")).name == "invoke_agent pay"


async def test_a_server_tells_of_the_runs_that_it_drives_and_of_what_is_decided_at_its_desk(
    told: Collector, tmp_path: Path
) -> None:
    async with office(tmp_path) as service:
        state, _ = await service.desk.submit(OPERATOR, "say hello", inputs={"word": "hi"})
        await until(service.desk, state.run, asks)
        (asked,) = await service.desk.inbox(APPROVER)
        await service.desk.answer(APPROVER, state.run, asked.request.id, "approve")
        await until(service.desk, state.run, ended)
    assert_told_alike(told)
    root = only(told.of("invoke_workflow"))
    assert {one.what for one in told.children(root)} == {"plan", "invoke_agent", "wait"}
    assert only(told.of("wait")).attributes["stretto.request.decision"] == "approve"
    assert len(told.spans) == len({one.id for one in told.spans}), "who saw it all tells it once"
    assert {attributes["stretto.queue.state"] for attributes, _ in told.metrics["stretto.queue.tasks"]} == {
        *("ready", "running")
    }


async def test_whoever_starts_a_run_inside_a_trace_is_linked_also_from_another_process(
    told: Collector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trace, span = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    monkeypatch.setenv("TRACEPARENT", f"00-{trace}-{span}-01")
    team = Orchestrator([pay], store=tmp_path / "runs.db")
    waiting = await team.run("pay", plan=plan(task("pay", pay, name="ann")))
    monkeypatch.delenv("TRACEPARENT")
    await team.resume(waiting.run_id, approve="all")
    root = only(told.of("invoke_workflow"))
    assert root.links == ((trace, span, "started_by"),)
    assert root.parent == ""


async def test_a_traceparent_that_is_none_is_passed_over(told: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACEPARENT", "rubbish")
    run = await Orchestrator([find]).run("go", plan=plan(task("find", find, topic="x")))
    assert run.status == "finished"
    assert only(told.of("invoke_workflow")).links == ()


# ---- content


async def pursued(content: bool, *labels: str) -> None:
    settings = Settings(telemetry=TelemetrySettings(content=content, labels=labels))  # type: ignore[call-arg]
    steps = {
        "find": {"skill": "find", "inputs": {"topic": {"ref": "inputs.topic"}}},
        "fail": {"skill": "fail", "inputs": {"name": {"ref": "find.output.0"}}, "ladder": {"*": ["fail"]}},
        "free": {"skill": "find", "inputs": {"topic": "for everybody"}},
    }
    whole = {"tasks": steps, "inputs": {"topic": {"labels": ["pii"]}}}
    run = await Orchestrator([find, fail], settings=settings).run(f"go {MARKED}", plan=whole, inputs={"topic": MARKED})
    assert run.status == "partial"


async def test_no_content_leaves_unless_it_is_asked_for(told: Collector) -> None:
    await pursued(False, "pii")
    everything = repr((told.spans, told.metrics))
    assert MARKED not in everything
    assert "for everybody" not in everything
    assert "withheld" not in everything


async def test_content_with_a_label_is_kept_back_and_that_is_said(told: Collector) -> None:
    await pursued(True)
    assert MARKED not in repr((told.spans, told.metrics))
    of = {one.attributes["stretto.task.id"]: one.attributes for one in told.of("invoke_agent")}
    messages = ["gen_ai.input.messages", "gen_ai.output.messages"]
    assert of["find"]["stretto.content.withheld"] == messages
    assert of["find"]["stretto.content.labels"] == ["pii"]
    assert of["fail"]["stretto.content.withheld"] == ["error.message", "gen_ai.input.messages"]
    assert "for everybody two" in of["free"]["gen_ai.output.messages"]
    root = only(told.of("invoke_workflow")).attributes
    assert root["stretto.content.withheld"] == [*messages, "stretto.run.inputs.topic"]


async def test_content_with_a_label_that_is_allowed_is_told(told: Collector) -> None:
    await pursued(True, "pii")
    root = only(told.of("invoke_workflow")).attributes
    (goal,) = json.loads(root["gen_ai.input.messages"])
    assert goal == {"role": "user", "parts": [{"type": "text", "content": f"go {MARKED}"}]}
    of = {one.attributes["stretto.task.id"]: one.attributes for one in told.of("invoke_agent")}
    (result,) = json.loads(of["find"]["gen_ai.output.messages"])
    assert json.loads(result["parts"][0]["content"]) == [f"{MARKED} one", f"{MARKED} two"]
    assert MARKED in of["fail"]["error.message"]


async def test_content_without_end_is_cut_and_says_so(told: Collector) -> None:
    @pure
    async def long(word: str) -> str:
        """Say much."""
        return word * 1_000_000

    settings = Settings(telemetry=TelemetrySettings(content=True))  # type: ignore[call-arg]
    team = Orchestrator([long], settings=settings)
    run = await team.run("go", plan=plan(task("t", long, word="x")))
    assert run.status == "finished"
    (message,) = json.loads(only(told.of("invoke_agent")).attributes["gen_ai.output.messages"])
    assert message["parts"][0]["content"].endswith("… (1000000 characters)")


# ---- collectors that are not well


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "FLUSH_SECONDS", 0.5)
    monkeypatch.setattr(exporting.Exporter.close, "__defaults__", (0.5,))
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")


async def took(caplog: pytest.LogCaptureFixture) -> tuple[float, list[str]]:
    """Give how long a run took with all that telemetry did, and what was said of it."""
    caplog.set_level(logging.WARNING, "stretto.telemetry")
    began = time.monotonic()
    run = await Orchestrator([find, weigh]).run("go", plan=SURVEY, inputs={"topic": "x"})
    assert run.status == "finished"
    assert not run.gaps
    return time.monotonic() - began, [one.getMessage() for one in caplog.records if one.name == "stretto.telemetry"]


@pytest.mark.usefixtures("impatient")
async def test_a_collector_that_is_gone_costs_a_run_nothing_and_is_said_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with Collector() as gone:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", gone.endpoint)
    seconds, said = await took(caplog)
    assert seconds < 10
    assert len(said) == 1
    assert gone.endpoint in said[0]
    assert "runs are not affected" in said[0]
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.usefixtures("impatient")
async def test_a_collector_that_answers_with_an_error_costs_a_run_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with Collector(status=500) as broken:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", broken.endpoint)
        _, said = await took(caplog)
        assert broken.asked
    assert len(said) == 1


@pytest.mark.usefixtures("impatient")
async def test_a_collector_that_never_answers_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    never = threading.Event()
    with Collector(late=never) as silent:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", silent.endpoint)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "10")
        seconds, said = await took(caplog)
        assert silent.asked
        never.set()
    assert seconds < 8
    assert said == [
        f"telemetry: the collector at {silent.endpoint} did not take what was left in time; runs are not affected"
    ]


@pytest.mark.usefixtures("impatient")
async def test_what_waits_for_a_silent_collector_is_bounded_and_what_is_dropped_is_counted(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(exporting, "MOST_WAITING", 20)
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "4")
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "2")
    caplog.set_level(logging.WARNING, "stretto.telemetry")
    never = threading.Event()
    with Collector(late=never) as silent:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", silent.endpoint)
        many = plan(*[task(f"t{n}", find, topic="x", after=[f"t{n - 1}"] if n else []) for n in range(60)])
        run = await Orchestrator([find]).run("go", plan=many)
        never.set()
    assert run.status == "finished"
    assert any("events of runs were dropped" in one.getMessage() for one in caplog.records)


async def test_more_spans_than_the_queue_takes_all_arrive(told: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "16")
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "8")
    many = plan(*[task(f"t{n}", find, topic="x") for n in range(300)])
    await Orchestrator([find]).run("go", plan=many)
    assert len(told.of("invoke_agent")) == 300


async def test_without_an_address_nothing_is_loaded_or_started(tmp_path: Path) -> None:
    code = """
import asyncio, sys, threading
from stretto import Orchestrator, plan, pure, task
@pure
async def find(topic: str) -> str:
    "Find."
    return topic
run = asyncio.run(Orchestrator([find]).run("go", plan=plan(task("find", find, topic="x"))))
assert run.status == "finished"
assert not [one for one in sys.modules if one.startswith("opentelemetry")], "loaded"
assert not [one for one in threading.enumerate() if "telemetry" in one.name], "started"
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


async def test_telemetry_that_cannot_be_sent_is_told_before_anything_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "localhost:4318")
    with pytest.raises(UsageError, match="OTEL_EXPORTER_OTLP_ENDPOINT"):
        await Orchestrator([find]).run("go", plan=plan(task("find", find, topic="x")))


async def test_the_file_of_settings_names_a_collector_too(collector: Collector, tmp_path: Path) -> None:
    (tmp_path / "tools.py").write_text('def shout(word: str) -> str:\n    """Shout."""\n    return word.upper()\n')
    (tmp_path / "workspace.yaml").write_text("name: w\ndescription: d\nagents: [tools.py]\n")
    (tmp_path / "stretto.toml").write_text(f'[telemetry]\nendpoint = "{collector.endpoint}/"\ncontent = true\n')
    team = open_workspace(tmp_path)
    run = await team.run("go", plan={"tasks": {"a": {"skill": "tools.shout", "inputs": {"word": "aloud"}}}})
    assert run.status == "finished", run.gaps
    assert only(collector.of("invoke_workflow")).attributes["gen_ai.workflow.name"] == tmp_path.name
    assert "ALOUD" in only(collector.of("invoke_agent")).attributes["gen_ai.output.messages"]
