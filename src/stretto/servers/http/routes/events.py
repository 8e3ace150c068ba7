"""What happened in a run: as a list, and live."""

from typing import Annotated

from fastapi import Header, Query, Request
from starlette.responses import Response

from stretto.servers.http.asking import LAST_NUMBER, Here, router
from stretto.servers.http.rendering import Answer
from stretto.servers.http.streams import EventStream

routes = router("events")

EVENTS = "text/event-stream"
After = Annotated[int, Query(ge=0, le=LAST_NUMBER, description="The number of the last event that is known already.")]
LastEventId = Annotated[
    str | None, Header(max_length=16, pattern=r"^\d*$", description="The same, as browsers say it; it goes first.")
]


@routes.get("/runs/{run}/events", summary="List what happened, or follow it live")
async def events(
    request: Request,
    run: str,
    here: Here,
    after: After = 0,
    limit: Annotated[int, Query(ge=1, le=1000, description="How many at most.")] = 200,
    last_event_id: LastEventId = None,
) -> Response:
    """Give the events after a number, oldest first; `next` is where to go on, null when there are no more by now.

    With `Accept: text/event-stream` this is the same as `/runs/{run}/events/stream`.
    """
    if EVENTS in request.headers.get("accept", ""):
        return EventStream(here.desk, here.credential, run, _begin(after, last_event_id), here.streams)
    found = await here.desk.events(here.who, run, after, limit + 1)
    page = found[:limit]
    return Answer({"events": page, "next": page[-1]["seq"] if len(found) > limit else None})


@routes.get("/runs/{run}/events/stream", summary="Follow a run live")
async def stream(
    request: Request, run: str, here: Here, after: After = 0, last_event_id: LastEventId = None
) -> Response:
    """Tell what happens after an event, each with its number as the id, until the run has ended (`event: end`)."""
    return EventStream(here.desk, here.credential, run, _begin(after, last_event_id), here.streams)


def _begin(after: int, last_event_id: str | None) -> int:
    return int(last_event_id) if last_event_id else after
