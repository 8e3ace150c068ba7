"""A thousand branches at once under one budget: what each may cost is reserved first, so that they never cross it."""

import asyncio
import random

from stretto import Assignment, Orchestrator, plan, pure, ref, task

chance = random.Random(7)
paid = 0  # in cents, by the world's own count


@pure(cost="$0.05")
async def ask(number: int, work: Assignment) -> int:
    global paid
    cents = chance.randint(0, 5)
    work.spend(cents / 100)
    paid += cents
    await asyncio.sleep(0)
    return number


many = plan(task("ask", ask, for_each=list(range(1000)), allow_failures=True, number=ref("item")), deliver=ref("ask"))


async def main() -> None:
    run = await Orchestrator([ask], parallel=1000, budget="$10").run("Ask all of them", plan=many)
    print(run.status, f"cost {run.cost}", "the world agrees" if paid == run.cost.money * 100 else f"paid {paid}")
    print(f"{len(run.answer)} branches ran, ${10 - run.cost.money} is left: too little for one that may cost $0.05")
    print(f"{len(run.gaps)} did not run:{run.gaps[0].why.split(' is spent and')[1]}")


asyncio.run(main())
