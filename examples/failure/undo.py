"""A trip is booked, its payment is denied: what was booked for it is undone, the last first."""

import asyncio

from stretto import Orchestrator, irreversible, plan, pure, ref, reversible, task


def cancel(place: str, result: str) -> None:
    print(f"   cancelled {result}")


@reversible(undo=cancel)
def book(place: str) -> str:
    number = f"{place}-{len(place)}"
    print(f"   booked {number}")
    return number


@pure
def weather(town: str) -> str:
    return f"sunny in {town}"


@irreversible
def pay(bookings: list[str]) -> str:
    return f"paid {bookings}"


trip = plan(
    task("flight", book, place="flight", objective="book the flight"),
    task("hotel", book, place="hotel", objective="book the hotel", after=["flight"]),
    task("museum", book, place="museum", objective="book the museum", after=["hotel"]),  # nothing is built on it
    task("weather", weather, town="Rome"),
    task("pay", pay, bookings=[ref("flight"), ref("hotel")], objective="pay"),
    deliver={"paid": ref("pay"), "weather": ref("weather"), "museum": ref("museum")},
)


async def main() -> None:
    run = await Orchestrator([book, weather, pay], parallel=1).run("A trip to Rome", plan=trip, approve="none")
    print(run.status, run.answer)
    for gap in run.gaps:
        print(f"{gap.what}: {gap.why if gap.task != 'pay' else 'denied'}")


asyncio.run(main())
