"""What orchestrating costs in tokens grows with the tasks of a plan, and no faster."""

import asyncio
import json
from typing import Any

import pytest

from stretto import Orchestrator, pure
from stretto.testing.models import Answer, ModelServer, Request, Rule, When

SIZES = (8, 16, 32, 64)


@pure
async def note(about: str) -> str:
    """Note something about a subject."""
    return f"a note about {about}, which says what is known of {about}"


def planned(request: Request) -> Answer:
    """Write a plan of as many tasks as the goal wants, a chain of notes, each judged."""
    size = int(request.groups["1"])
    given = [f"subject {n}" if n % 4 == 0 else {"ref": f"t{n - 1}.output"} for n in range(size)]
    tasks: list[dict[str, Any]] = [
        {"id": f"t{n}", "skill": "note", "inputs": {"about": about}, "criteria": ["says what is known"]}
        for n, about in enumerate(given)
    ]
    return Answer(json={"restated": "notes", "tasks": tasks, "deliver": {"ref": f"t{size - 1}.output"}})


JUDGED = {
    "criteria": [{"number": 1, "met": True, "evidence": "what is known", "score": 9, "feedback": ""}],
    "verdict": "accept",
}
RULES = [
    Rule(name="plan", when=When(user=r"(\d+) notes"), say=planned),
    Rule(name="judge", when=When(user="says what is known"), say=Answer(json=JUDGED)),
]


async def coordination(size: int, monkeypatch: pytest.MonkeyPatch) -> int:
    """Give the tokens that coordinating a plan of a size took, by the server's count."""
    with ModelServer(RULES) as server:
        monkeypatch.setenv("SCRIPTED_KEY", server.key)
        scripted = {"model": "any", "url": server.url, "key_env": "SCRIPTED_KEY"}
        team = Orchestrator([note], models={"default": "scripted", "scripted": scripted})
        async with asyncio.timeout(50):
            run = await team.run(f"Vergleiche {size} notes", planner="model")
        assert run.status == "finished", json.dumps([one.why for one in run.gaps])
        assert len(run.state.ids) == size
        assert server.counts == {"plan": 1, "judge": size}
        assert run.state.coordination.cost.tokens == run.state.spent.tokens == server.usage.tokens
        return server.usage.tokens


async def test_the_tokens_of_coordination_grow_linearly_with_the_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    took = [await coordination(size, monkeypatch) for size in SIZES]
    each = [
        (more - less) / (larger - smaller)
        for smaller, larger, less, more in zip(SIZES, SIZES[1:], took, took[1:], strict=False)
    ]
    assert max(each) < 1.1 * min(each), (took, each)
