"""Who is alerted while a chain of people runs, and when a step cannot be taken back."""

from typing import Any

from stretto import Orchestrator, agent, irreversible, plan, pure, ref, reversible, task
from stretto.core.domain import Notice


class Ear:
    """A channel that remembers what it was told."""

    name = "ear"

    def __init__(self) -> None:
        self.heard: list[Notice] = []

    async def send(self, notice: Notice) -> None:
        self.heard.append(notice)


@irreversible
async def delete(path: str) -> str:
    """Delete something for good."""
    return path


async def test_each_person_of_a_chain_is_alerted_in_turn_and_everybody_when_nobody_answered() -> None:
    ear = Ear()
    asks: dict[str, Any] = {
        "approval": [{"who": "ann", "within": 0.2, "remind": 0.12}, {"who": "bob", "within": 0.1}, "deny"]
    }
    team = Orchestrator([delete], people=["ann", "bob"], ask=asks, notify=[ear])
    await team.run("Clear", plan=plan(task("clear", delete, path="x")), wait=True)
    told = [(one.kind, one.to) for one in ear.heard]
    assert told == [("request", "ann"), ("reminder", "ann"), ("escalated", "bob"), ("escalated", ""), ("ended", "")]
    assert "clear waits for bob now" in ear.heard[2].text
    assert "nobody answered" in ear.heard[3].text
    assert [one.urgent for one in ear.heard] == [False, False, True, True, False]


async def test_a_step_that_cannot_be_taken_back_is_an_urgent_alert() -> None:
    @agent(attempts=1)
    def take_back(name: str) -> None:
        """Fail."""
        raise RuntimeError("no answer")

    @reversible(undo=take_back)
    def book(name: str) -> str:
        """Book."""
        return name

    @pure
    def confirm(name: str) -> str:
        """Fail too."""
        raise ValueError("closed")

    ear = Ear()
    team = Orchestrator([book, confirm], retries={"error": 0}, notify=[ear])
    job = plan(task("book", book, name="hotel"), task("confirm", confirm, name=ref("book")))
    run = await team.run("A trip", plan=job)
    assert run.status == "waiting"
    (alert,) = [one for one in ear.heard if one.kind == "compensation"]
    assert alert.urgent
    assert "book could not be taken back" in alert.text
