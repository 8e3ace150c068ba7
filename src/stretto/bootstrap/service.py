"""A server's insides: one store, one worker, one desk."""

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from stretto.bootstrap.facade import Orchestrator
from stretto.bootstrap.houses import bare_house
from stretto.bootstrap.reloading import Reloading
from stretto.bootstrap.tracing import traced
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
    served: Orchestrator | Reloading, *, runs: int = RUNS, places: int | None = None, tell: Tell = lambda report: None
) -> AsyncIterator[Service]:
    """Serve a workspace: drive its runs, and deal with people and programs at its desk.

    A workspace that may change (`Reloading`) is watched meanwhile. `runs` bounds the runs driven at once, `places` the
    agent calls under way over all of them. At the end every run is given back. Raises UsageError for less than one of
    either.
    """
    reloading = served if isinstance(served, Reloading) else None
    team = served.current if isinstance(served, Reloading) else served
    async with traced(team.settings) as historians, team.journal() as journal:
        following, bare = Following(journal), bare_house(journal, historians)
        shared = Places(team.rules.parallel if places is None else places)
        below = LocalEngine(shared, patience=math.inf)
        house = team.house(journal, Nobody(), below=below, historians=historians)
        worker = Worker(
            replace(house, followers=(following,)),
            LocalEngine(shared, clock=house.clock),
            houses=reloading.houses(journal, below=below) if reloading is not None else None,
            workspace=team.place,
            runs=runs,
            tell=tell,
        )
        files = Path(team.place or ".") / ".stretto"
        followed = replace(bare, followers=(following,))
        desk = Desk(
            followed,
            lambda: reloading.current if reloading is not None else team,
            following,
            nudge=worker.nudge,
            files=files,
        )
        work = asyncio.create_task(worker.work(), name="stretto-worker")
        watch = asyncio.create_task(reloading.watch(), name="stretto-reload") if reloading is not None else None
        try:
            yield Service(desk=desk, worker=worker, work=work)
        finally:
            tasks = [work, *([watch] if watch is not None else [])]
            for one in tasks:
                one.cancel()
            await asyncio.wait(tasks)
            await following.close()
