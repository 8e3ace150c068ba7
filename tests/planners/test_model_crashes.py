"""A planner that dies while a model writes: what is adopted stays, and no answer that was there is asked for again."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stretto import Orchestrator
from stretto.core.state import RunState
from stretto.testing.models import Answer, ModelServer, Rule, Stall, When
from tests.engines.test_runs import go, statuses

from .modelling import GOAL, SOUND, A, B, answer, call, hired, out, prompt

RUN = "20300101-model"


def begin_and_die(
    team: Callable[..., Orchestrator], served: ModelServer, requests: int, when: Callable[[RunState], bool]
) -> None:
    """Begin a run, and end its process' part in it once so many requests were sent and something holds."""

    async def drive() -> None:
        reached = asyncio.Event()

        def listen(state: Any, _: Any) -> None:
            if when(state):
                reached.set()

        running = asyncio.create_task(team(listeners=[listen]).run(GOAL, run_id=RUN))
        async with asyncio.timeout(20):
            await reached.wait()
            await asyncio.to_thread(served.wait, times=requests)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(drive())


def test_a_plan_that_breaks_off_with_its_process_is_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = [
        Rule(when=When(nth=1), say=Answer(json=SOUND), faults=(Stall(after=70),)),
        Rule(say=Answer(json=answer(B, deliver=out("b")))),
    ]
    with ModelServer(rules) as served:

        def team(**more: Any) -> Orchestrator:
            return hired(served, monkeypatch, store=tmp_path / "runs.db", **more)

        begin_and_die(team, served, 1, lambda state: state.completed == 1)
        run = go(team().resume(RUN))
    assert (run.status, run.answer, len(served.requests)) == ("finished", "fugues", 2)
    assert run.state.tasks["a"].attempt == 1, "what is done is not done again"
    assert "- a: find" in prompt(served.requests[1])


@pytest.mark.parametrize("adopted", [True, False])
def test_an_answer_that_was_there_is_not_asked_for_again(
    adopted: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = answer(*([A] if adopted else []), call("b", "compose", texts=out("a")))
    second = answer(*([] if adopted else [A]), B, deliver=out("b"))
    rules = [
        Rule(when=When(nth=1), say=Answer(json=first)),
        Rule(when=When(nth=1), say=Answer(json=second), faults=(Stall(),)),
        Rule(say=Answer(json=second)),
    ]
    with ModelServer(rules) as served:

        def team(**more: Any) -> Orchestrator:
            return hired(served, monkeypatch, store=tmp_path / "runs.db", **more)

        begin_and_die(team, served, 2, lambda state: bool(state.run))
        run = go(team().resume(RUN))
    assert (run.status, run.answer) == ("finished", "fugues")
    assert [prompt(one) == prompt(served.requests[1]) for one in served.requests] == [False, True, True]
    assert statuses(run) == {"a": "completed", "b": "completed"}
