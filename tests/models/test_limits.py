"""What is counted, and how much is asked of a model at once and in a minute."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from stretto.core.domain import Rate, Usage
from stretto.models import throttle
from stretto.models.counting import estimate, tokens_in
from stretto.models.definition import models_of
from stretto.models.local import LocalModel
from stretto.models.prompt import Message, Prompt, Tool
from stretto.models.roster import ModelRoster
from stretto.models.throttle import Throttle

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "docs" / "why.md",
    ROOT / "src" / "stretto" / "core" / "decide" / "attempts.py",
    ROOT / "pyproject.toml",
]
OTHERS = [
    "人人生而自由,在尊严和权利上一律平等。",
    "Все люди рождаются свободными и равными в своем достоинстве и правах.",
    "Alle Menschen sind frei und gleich an Würde und Rechten geboren.",
    "Jan 12 03:14:15 host sshd[812]: Failed password for root from 203.0.113.7 port 52188 ssh2\n" * 10,
    "id,price,qty\n" + "\n".join(f"{n},{n * 37 % 1000}.{n % 100:02},{n % 13}" for n in range(100)),
    "c3RyZXR0byBpcyBhIGZ1Z3VlJ3MgYXJ0IG9mIGVudGVyaW5nIGVhcmx5IDEyMzQ1Njc4OTA" * 5,
]


@pytest.mark.parametrize("text", [page.read_text(encoding="utf-8")[:4000] for page in PAGES] + OTHERS)
async def test_an_estimate_is_above_what_a_real_tokenizer_counts_and_not_twice_it(text: str) -> None:
    (model,) = ModelRoster([models_of("local")]).of("worker")
    assert isinstance(model, LocalModel)
    prompt = Prompt(messages=(Message(role="system", text="Read."), Message(role="user", text=text)))
    exact = await model.count(prompt)
    assert exact <= estimate(prompt) <= 2 * exact + 40


def test_everything_in_a_prompt_counts() -> None:
    bare = Prompt(messages=(Message(role="user", text="Hello"),))
    tool = Tool(name="look_up", description="Looks up an order.", inputs={"type": "object"})
    assert estimate(Prompt(messages=bare.messages, tools=(tool,))) > estimate(bare)
    assert estimate(Prompt(messages=bare.messages, schema={"type": "object"})) > estimate(bare)
    assert tokens_in("") == 0
    assert tokens_in("a" * 1_000_000) > 100_000


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Time passes when somebody sleeps, and no otherwise."""
    now = [1000.0]

    async def sleep(seconds: float, *_: Any) -> None:
        now[0] += max(seconds, 0.0)

    monkeypatch.setattr(throttle.asyncio, "sleep", sleep)
    monkeypatch.setattr(throttle.time, "monotonic", lambda: now[0])
    return now


async def through(limit: Throttle, tokens: int, used: int, clock: list[float]) -> AsyncIterator[float]:
    while True:
        async with limit.pass_through(tokens) as passage:
            yield clock[0]
            passage.used(Usage(input=used))


async def test_no_minute_has_more_calls_than_the_rate(clock: list[float]) -> None:
    calls = through(Throttle(None, Rate(requests=3)), 10, 10, clock)
    begun = [await anext(calls) for _ in range(8)]
    await calls.aclose()  # type: ignore[attr-defined]
    assert begun == [1000.0] * 3 + [1060.0] * 3 + [1120.0] * 2


async def test_tokens_count_as_they_were_used(clock: list[float]) -> None:
    calls = through(Throttle(None, Rate(tokens=100)), 60, 20, clock)
    begun = [await anext(calls) for _ in range(4)]
    await calls.aclose()  # type: ignore[attr-defined]
    assert begun == [1000.0, 1000.0, 1000.0, 1060.0]
