"""A team whose planner is a scripted model over real HTTP."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from stretto import Orchestrator, agent, irreversible, pure
from stretto.core.events import AttemptStarted, PlanClosed, TaskAdded
from stretto.testing.models import Answer, ModelServer, Request, Rule

KEY = "SCRIPTED_KEY"


@pure
async def find(topic: str) -> list[str]:
    """Find texts about a topic."""
    return [topic]


@pure
async def write(texts: list[str], title: str = "") -> str:
    """Write one text out of several."""
    return f"{title}: {' '.join(texts)}" if title else " ".join(texts)


@irreversible
async def mail(to: str, text: str) -> str:
    """Send a text to somebody."""
    return f"{to}: {text}"


@agent(effect="none", cost="$5")
async def dear(topic: str) -> str:
    """Cost much."""
    return topic


CREW = [find, write, mail, dear]
GOAL = "Vergleiche Fugen und Kanons"
"""A goal that the rules cannot read."""


def call(id_: str, skill: str, **inputs: Any) -> dict[str, Any]:
    """Write a task; `after` and other fields begin with an underscore."""
    more = {name[1:]: inputs.pop(name) for name in [*inputs] if name.startswith("_")}
    return {"id": id_, "skill": skill, "inputs": inputs, **more}


def out(name: str) -> dict[str, str]:
    return {"ref": f"{name}.output"}


def answer(*tasks: dict[str, Any], deliver: Any = None, **header: Any) -> dict[str, Any]:
    """Write a plan as a model does."""
    end = {"deliver": deliver} if deliver is not None else {}
    return {"restated": "compare fugues and canons", "done": ["both are named"], **header, "tasks": list(tasks), **end}


A, B = call("a", "find", topic="fugues"), call("b", "write", texts=out("a"))
SOUND = answer(A, B, deliver=out("b"))


def server(*answers: Any, **more: Any) -> ModelServer:
    """Serve answers one after the other: texts as they stand, all else as JSON."""
    said = [one if isinstance(one, str | Answer) else Answer(json=one) for one in answers]
    return ModelServer([Rule(say=said, **more)])


def hired(
    served: ModelServer, monkeypatch: pytest.MonkeyPatch, agents: Sequence[Any] = CREW, **more: Any
) -> Orchestrator:
    """Give a team that has its goals planned by a scripted model."""
    monkeypatch.setenv(KEY, served.key)
    models = {"planner": "scripted", "scripted": {"model": "planner", "url": served.url, "key_env": KEY}}
    return Orchestrator(list(agents), models=more.pop("models", models), **more)


def prompt(request: Request, role: str = "user") -> str:
    """Give what a request says in one role, the last time."""
    return [str(one["content"]) for one in request.messages if one["role"] == role][-1]


def early(events: Sequence[Any]) -> list[str]:
    """Give the tasks that began before the plan was whole."""
    closed = next((n for n, one in enumerate(events) if isinstance(one, PlanClosed)), len(events))
    return [one.task for one in events[:closed] if isinstance(one, AttemptStarted)]


def added(events: Sequence[Any]) -> list[str]:
    return [one.task.id for one in events if isinstance(one, TaskAdded)]


def lines(*parts: Any) -> str:
    return "\n".join(map(json.dumps, parts))
