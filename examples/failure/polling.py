"""A job elsewhere is looked at every tenth of a second until it is done, but no longer than a deadline allows."""

import asyncio
import itertools

from stretto import Orchestrator, plan, pure, ref, task

answers = itertools.chain(["queued", "running", "running", "done"], itertools.repeat("running"))


@pure
def look(job: int) -> str:
    """Ask how far the job is."""
    return next(answers)


async def main() -> None:
    team = Orchestrator([look])
    watch = plan(
        task("job", look, job=7, repeat={"max": 1000, "pause": 0.1, "until": 'output == "done"'}, deadline="1s"),
        deliver=ref("job"),
    )
    for _ in range(2):
        run = await team.run("Wait for the job", plan=watch)
        job = run.as_json()["tasks"][0]
        rounds = f" after {job['rounds']} rounds" if run.answer else ""
        print(f"{job['status']}{rounds}: {run.answer or run.gaps[0].why}")


asyncio.run(main())
