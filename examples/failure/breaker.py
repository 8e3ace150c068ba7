"""A breaker opens, work goes to the other agent, and a probe heals it."""

import asyncio
from collections.abc import Sequence

from stretto import Agent, AgentFailure, Orchestrator, agent, plan, ref, task
from stretto.core.domain import FailureClass
from stretto.core.events import BreakerClosed, BreakerOpened, Event
from stretto.core.state import RunState

calls: list[int] = []


@agent(name="price.ask", effect="none", breaker={"failures": 2, "window": 4, "pause": 0.2})
async def primary(item: int) -> str:
    """Ask the service, which is down for the first three who ask."""
    calls.append(item)
    if len(calls) <= 3:
        raise AgentFailure("the service is down", FailureClass.UNAVAILABLE)
    return "primary"


@agent(name="price.ask", effect="none")
async def spare(item: int) -> str:
    """Ask the slower one."""
    await asyncio.sleep(0.05)
    return "spare"


def tell(state: RunState, events: Sequence[Event]) -> None:
    for event in events:
        if isinstance(event, BreakerOpened):
            print(f"{event.agent}: held for {event.until - event.at:.1f} s: {event.why}")
        if isinstance(event, BreakerClosed):
            print(f"{event.agent}: well again")


async def main() -> None:
    agents = [Agent([primary], name="primary"), Agent([spare], name="spare")]
    team = Orchestrator(agents, parallel=1, listeners=[tell])
    items = plan(task("ask", "price.ask", for_each=list(range(40)), item=ref("item")), deliver=ref("ask"))
    run = await team.run("forty prices", plan=items)
    sources = " and ".join(sorted(set(run.answer)))
    print(f"{run.status}: {len(run.answer)} prices from {sources}")


asyncio.run(main())
