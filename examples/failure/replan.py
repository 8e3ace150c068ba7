"""An agent is gone for good: the run is planned anew around it, and what was done stays done."""

import asyncio

from stretto import AgentFailure, Orchestrator, pure
from stretto.core.domain import FailureClass


@pure(attempts=1)
async def station_weather(city: str) -> dict[str, str]:
    """Fetch the weather of a city from the station."""
    print("  asking the station")
    raise AgentFailure("the station was closed", FailureClass.UNAVAILABLE)


@pure
async def satellite_weather(city: str) -> dict[str, str]:
    """Fetch the weather of a city from the satellite."""
    print("  asking the satellite")
    return {"sky": f"grey over {city}"}


async def main() -> None:
    """Run a goal without a plan, and tell how it went."""
    team = Orchestrator([station_weather, satellite_weather], retries={"unavailable": 0})
    run = await team.run("Fetch the weather of a city from the station", inputs={"city": "Bern"})
    print(f"{run.status}: {run.answer}")
    for one in await team.events(run.run_id):
        if one["type"] in ("RevisionBegun", "PlanRevised"):
            print(f"{one['type']}: {one['text']}")


asyncio.run(main())
