"""Nobody answers: one person is reminded, the next is asked, and then the chain says no."""

import asyncio

from stretto import Orchestrator, irreversible, plan, ref, task
from stretto.core.events import PersonAsked, PersonReminded, RequestEscalated


@irreversible
async def delete(path: str) -> str:
    """Delete something for good."""
    return f"{path} is gone"


def tell(_: object, events: object) -> None:
    """Say who is asked."""
    for event in events:  # type: ignore[attr-defined]
        match event:
            case PersonAsked():
                print(f"{event.request.to} is asked: {event.request.question}")
            case PersonReminded():
                print(f"{event.to} is reminded")
            case RequestEscalated():
                print(f"{event.to} is asked")


async def main() -> None:
    """Ask Ann for 0.2 s, then Bob for 0.1 s; silence is a denial."""
    asks = [{"who": "ann", "within": "0.2s", "remind": "0.15s"}, {"who": "bob", "within": "0.1s"}, "deny"]
    team = Orchestrator([delete], people=["ann", "bob"], ask={"approval": asks}, listeners=[tell])
    job = plan(task("clear", delete, path="archive"), deliver=ref("clear"))
    run = await team.run("Clear the archive", plan=job, wait=True)
    print(f"{run.status}: {run.gaps[0].why.partition(' by 20')[0]}, ...")


asyncio.run(main())
