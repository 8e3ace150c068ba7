"""Long texts reach readers with small windows as summaries, made once for each content, over real HTTP."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from stretto import Agent, Assignment, Orchestrator, agent, pure
from stretto.cli import app
from stretto.models import asking
from stretto.testing.models import ModelServer, Rule, ServerError, When

BOOK = "The harvest of rye was good in the year of the comet. " * 400
SUM = "A good year for rye."


@pure
def book() -> str:
    """Give a long text."""
    return BOOK


@agent(effect="none", window=1_000)
def read(work: Assignment, text: str) -> dict[str, Any]:
    """Read a text."""
    return {"seen": text, "whole": len(str(work.whole("text"))), "shortened": sorted(work.shortened)}


@agent(effect="none", window=1_000)
def read_all(work: Assignment, texts: list[str]) -> list[str]:
    """Read texts."""
    return texts


def serving(*rules: Rule) -> ModelServer:
    return ModelServer(rules, key=None)


def team(server: ModelServer | None, window: int = 16_000, **more: Any) -> Orchestrator:
    reader = Agent([read, read_all], name="reader")
    models = None
    if server is not None:
        models = {"summariser": "small", "small": {"model": "small", "url": server.url, "window": window}}
    return Orchestrator([book, reader], models=models, **more)


def plan(*readers: str, **book: Any) -> dict[str, Any]:
    reads = {name: {"skill": "reader.read", "inputs": {"text": {"ref": "book.output"}}} for name in readers}
    return {"tasks": {"book": {"skill": "book", **book}, **reads}, "deliver": {"ref": f"{readers[0]}.output"}}


async def test_a_long_text_reaches_its_reader_as_a_summary_and_the_whole_is_one_call_away() -> None:
    with serving(Rule(when=When(system="You give a text in few words"), say=SUM)) as server:
        run = await team(server).run("read", plan=plan("a"))
    assert run.answer["seen"] == f"{SUM} … [a summary of {len(BOOK):,} characters]"
    assert (run.answer["whole"], run.answer["shortened"]) == (len(BOOK), ["text"])
    how = run.state.tasks["a"].shortened["text"]
    assert (how.how, how.characters, how.why) == ("summary", len(BOOK) + 2, "")
    assert how.kept < 100
    assert run.state.meters.roles["summariser"].calls == run.state.coordination.calls == 1


async def test_a_content_is_summarised_once_for_all_readers_and_runs_of_a_store(tmp_path: Path) -> None:
    store = tmp_path / "runs.db"
    with serving(Rule(say=SUM)) as server:
        for _ in range(2):
            run = await team(server, store=store).run("read", plan=plan("a", "b", "c"))
            assert {run.state.tasks[name].shortened["text"].how for name in "abc"} == {"summary"}
    assert len(server.requests) == 1


async def test_the_summary_of_what_is_personal_is_kept_for_its_run_alone(tmp_path: Path) -> None:
    store = tmp_path / "runs.db"
    with serving(Rule(say=SUM)) as server:
        for _ in range(2):
            await team(server, store=store).run("read", plan=plan("a", "b", labels=["pii"]))
    assert len(server.requests) == 2


async def test_a_text_larger_than_the_models_window_is_summed_up_in_parts() -> None:
    with serving(Rule(say=SUM)) as server:
        run = await team(server, window=2_000).run("read", plan=plan("a"))
    assert run.state.tasks["a"].shortened["text"].how == "summary"
    assert len(server.requests) > 2
    assert all(one.input < 2_000 for one in server.requests)


async def test_a_summary_is_never_longer_than_its_model_can_write() -> None:
    @agent(effect="none", window=20_000)
    def study(text: str) -> str:
        """Read a text."""
        return text

    with serving(Rule(say=SUM)) as server:
        small = {"model": "small", "url": server.url, "window": 3_000}
        readers = Orchestrator([book, study], models={"summariser": "small", "small": small})
        tasks = {"book": {"skill": "book"}, "t": {"skill": "study", "inputs": {"text": {"ref": "book.output"}}}}
        run = await readers.run("read", plan={"tasks": tasks, "deliver": {"ref": "t.output"}})
    assert run.state.tasks["t"].shortened["text"].how == "summary"
    assert all(one.input + one.body["max_tokens"] < 3_000 for one in server.requests)


async def test_long_texts_in_a_list_are_summed_up_one_by_one() -> None:
    tasks = {"t": {"skill": "reader.read_all", "inputs": {"texts": ["short", BOOK]}}}
    with serving(Rule(say=SUM)) as server:
        run = await team(server).run("read", plan={"tasks": tasks})
    assert run.answer == ["short", f"{SUM} … [a summary of {len(BOOK):,} characters]"]


def test_where_it_cannot_be_summed_up_the_beginning_stands_for_it_and_that_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(asking, "PAUSE", 0.01)
    store = tmp_path / "runs.db"
    with serving(Rule(faults=(ServerError(times="always"),))) as server:
        run = asyncio.run(team(server, store=store).run("read", plan=plan("a")))
    assert run.status == "finished"
    assert run.answer["seen"].endswith("more characters]")
    how = run.state.tasks["a"].shortened["text"]
    assert how.how == "beginning"
    assert "it could not be summarised (transient)" in how.why
    shown = CliRunner().invoke(app, ["show", run.state.run, "--store", str(store), "--context"])
    assert "a got text shortened: " in shown.output
    assert "characters, beginning; it could not be summarised (transient)" in shown.output


async def test_without_a_model_the_beginning_stands_for_it() -> None:
    run = await team(None).run("read", plan=plan("a"))
    assert run.answer["seen"].endswith("more characters]")
    assert run.state.tasks["a"].shortened["text"].how == "beginning"
    assert run.as_json()["tasks"][1]["shortened"]["text"]["how"] == "beginning"
