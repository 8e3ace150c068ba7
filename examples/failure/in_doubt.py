"""A reply is lost: whether the action happened is looked up, and a person is asked only where nobody can tell."""

import asyncio

from stretto import Assignment, Orchestrator, plan, ref, reversible, task
from stretto.core.commands import AnswerRequest, Command
from stretto.core.state import RunState


class Bank:
    """Books each payment under its key; the line to it breaks now and then."""

    def __init__(self) -> None:
        self.booked: dict[str, str] = {}
        self.breaks = iter(["after booking", "before booking", "never"])
        self.answers = iter([False, True, True])

    def pay(self, to: str, key: str) -> str:
        breaks = next(self.breaks)
        if breaks != "before booking":
            self.booked[key] = f"paid {to}"
            print(f"  the bank books: {self.booked[key]}")
        if breaks != "never":
            raise ConnectionResetError("the line broke")
        return self.booked[key]

    def find(self, to: str, key: str) -> str | None:
        if not next(self.answers):
            print(f"  was {to} paid? no answer")
            raise OSError("the bank does not answer")
        print(f"  was {to} paid? {'yes' if key in self.booked else 'no'}")
        return self.booked.get(key)


bank = Bank()


def find_payment(to: str, work: Assignment) -> str | None:
    return bank.find(to, work.key)


@reversible(lookup=find_payment)
async def pay(to: str, work: Assignment) -> str:
    """Pay somebody."""
    return bank.pay(to, work.key)


@reversible
async def fax(to: str) -> str:
    """Send a fax, of which nobody knows whether it arrived."""
    raise ConnectionResetError("the fax line broke")


class Clerk:
    """Has called the other side; from a terminal: stretto answer RUN fax done --result '"it arrived"'"""

    async def ask(self, state: RunState, request: str) -> Command:
        return AnswerRequest(actor="person:clerk", request=request, decision="done", value="it arrived")


job = plan(
    task("ann", pay, to="ann"),
    task("bob", pay, to="bob", after=["ann"]),
    task("fax", fax, to="bob", after=["bob"]),
    deliver=[ref("ann"), ref("bob"), ref("fax")],
)


async def main() -> None:
    team = Orchestrator([pay, fax])
    run = await team.run("Pay them", plan=job)
    print(f"{run.status}: {run.requests[0]['question']}")
    run = await team.resume(run.run_id, people=Clerk())
    print(f"{run.status}: {run.answer}")


if __name__ == "__main__":
    asyncio.run(main())
