"""The agents that the plans of these tests are held against, and ways to have a text checked."""

from pathlib import Path

from stretto import Agent, Orchestrator, agent, irreversible, pure, reversible
from stretto.core.plan.diagnostics import Diagnostic
from stretto.workspace import read_plan_file


@pure
async def find(topic: str, most: int = 10) -> list[str]:
    """Find facts."""
    return [f"{topic} {number}" for number in range(most)]


@pure
async def write(facts: list[str], title: str = "") -> str:
    """Write a text."""
    return f"{title}: {', '.join(facts)}"


@pure
async def anything(**values: object) -> dict[str, object]:
    """Take what comes."""
    return dict(values)


@reversible
async def post(text: str, to: str = "") -> str:
    """Post a text."""
    return f"{to}: {text}"


@irreversible
async def erase(path: str) -> str:
    """Erase a file for good."""
    return path


@agent(effect="none", tools=["browser"], permissions=["net"], cost="$0.50", tokens=1000, latency=60)
async def browse(url: str) -> str:
    """Read a page."""
    return url


@agent(effect="none", perimeter=["public"])
async def publish(text: str) -> str:
    """Publish a text."""
    return text


@agent(effect="none", backups=["nobody"])
async def translate(text: str) -> str:
    """Translate a text."""
    return text


@pure(cost="unbounded")
async def ask(question: str) -> str:
    """Ask somebody dear."""
    return question


TEAM = Orchestrator([find, write, anything, browse, publish, translate, ask, Agent([post, erase], name="hands")])


def checked(path: Path, *, budget: str | None = None, seconds: float | None = None) -> list[Diagnostic]:
    """Give every diagnostic of a plan's file, with its place in the file, as `stretto plan` does."""
    plan, found, document = read_plan_file(path, size=TEAM.size, largest=TEAM.settings.plan_bytes)
    if plan.tasks and document is not None:
        limit = Orchestrator(budget=budget).budget if budget else None
        found += document.placed(TEAM.check(plan, budget=limit, seconds=seconds))
    return found
