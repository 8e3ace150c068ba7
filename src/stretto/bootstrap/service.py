"""A server's insides: one store, one worker, one desk."""

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from stretto.bootstrap.facade import Orchestrator
from stretto.bootstrap.houses import bare_house
from stretto.desk import Desk, Following
from stretto.engines.local import LocalEngine
from stretto.engines.people import Nobody
from stretto.engines.places import Places
from stretto.workers import RUNS, Tell, Worker


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What serves a workspace: the desk, and the worker that drives its runs, working as long as `work` goes on."""

    desk: Desk
    worker: Worker
    work: "asyncio.Task[None]"


@asynccontextmanager
async def serving(
    team: Orchestrator, *, runs: int = RUNS, places: int | None = None, tell: Tell = lambda report: None
) -> AsyncIterator[Service]:
    """Serve a team's workspace: drive its runs, and deal with people and programs at its desk.

    `runs` bounds the runs driven at once, `places` the agent calls under way over all of them. At the end every run is
    given back. Raises UsageError for less than one of either.
    """
    async with team.journal() as journal:
        following, bare = Following(journal), bare_house(journal)
        shared = Places(team.rules.parallel if places is None else places)
        house = team.house(journal, Nobody(), below=LocalEngine(shared, patience=math.inf))
        worker = Worker(
            replace(house, followers=(following,)),
            LocalEngine(shared, clock=house.clock),
            workspace=team.place,
            runs=runs,
            tell=tell,
        )
        files = Path(team.place or ".") / ".stretto"
        followed = replace(bare, followers=(following,))
        desk = Desk(followed, lambda: team, following, nudge=worker.nudge, files=files)
        work = asyncio.create_task(worker.work(), name="stretto-worker")
        try:
            yield Service(desk=desk, worker=worker, work=work)
        finally:
            work.cancel()
            await asyncio.wait([work])
            await following.close()
