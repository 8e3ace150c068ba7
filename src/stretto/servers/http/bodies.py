"""What requests bring, checked: bounded, and with nothing in it that nobody knows."""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any, Literal

import msgspec
from fastapi import Request
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from stretto.core.domain import PlannerChoice
from stretto.servers.http.problems import Problem

LONGEST_GOAL = 100_000
LONGEST_TEXT = 10_000
LONGEST_NAME = 500
MOST_NAMES = 10_000
DEEPEST = 100
"""Levels of lists and mappings in each other."""
LARGEST_NUMBER = 2**64
LAST_MOMENT = 253_402_300_799
"""Seconds since the epoch until the year 9999 has ended: the last moment that calendars of programs know."""


class StrictRequest(Request):
    """A request whose JSON is that of RFC 8259, and nothing that the journal could not keep."""

    async def json(self) -> Any:
        body = await self.body()
        try:
            value = msgspec.json.decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise Problem(status=400, code="bad_request", message=f"the body is not JSON: {error}") from None
        _require_plain(value)
        return value


class StrictRoute(APIRoute):
    """A route that takes JSON as `StrictRequest` reads it, and nothing else."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle, takes = super().get_route_handler(), self.body_field is not None

        async def handler(request: Request) -> Response:
            if takes:
                _require_json(request)
            return await handle(StrictRequest(request.scope, request.receive))

        return handler


def _require_json(request: Request) -> None:
    headers = request.headers
    empty = headers.get("content-length", "0") == "0" and "transfer-encoding" not in headers
    if empty or headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json":
        return
    raise Problem(
        status=415,
        code="not_json",
        message="the body is not said to be JSON",
        mend="send `Content-Type: application/json`",
    )


def _require_plain(value: Any) -> None:
    """Raise Problem for what is nested too deep, or holds a number that others could not read."""
    level = [value]
    for _ in range(DEEPEST):
        deeper: list[Any] = []
        for one in level:
            if isinstance(one, dict):
                deeper += one.values()
            elif isinstance(one, list):
                deeper += one
            elif isinstance(one, int) and not -LARGEST_NUMBER < one < LARGEST_NUMBER:
                raise Problem(status=400, code="bad_request", message="the body holds a number beyond 64 bits")
        if not deeper:
            return
        level = deeper
    raise Problem(status=400, code="bad_request", message=f"the body is nested deeper than {DEEPEST} levels")


class Body(BaseModel):
    """A body: what is unknown in it is refused, for it was meant to do something."""

    model_config = ConfigDict(extra="forbid", strict=True)


Text = Annotated[str, Field(max_length=LONGEST_TEXT)]
Name = Annotated[str, Field(max_length=LONGEST_NAME)]
Amount = Annotated[
    str,
    Field(
        max_length=200, description="The most it may spend from now on.", examples=["$2, 100k tokens, 50 steps, 10m"]
    ),
]
Deadline = Annotated[
    Annotated[str, Field(max_length=100)] | Annotated[float, Field(ge=0, le=LAST_MOMENT)],
    Field(description="A length of time, a moment (ISO 8601), or seconds since the epoch.", examples=["10m"]),
]
Inputs = Annotated[
    dict[Name, Any], Field(description="Values by name; files are named by a path in the workspace, or as handed in.")
]
AnyPlan = Annotated[
    Annotated[Name, Field(min_length=1)] | dict[str, Any],
    Field(description="A plan of the workspace by its name, or a whole one as in docs/plans.md.", examples=["respond"]),
]


class NewRun(Body):
    """A goal to pursue, and how."""

    goal: Annotated[
        str,
        Field(
            max_length=LONGEST_GOAL, description="What is wanted, in plain language.", examples=["Analyze these logs."]
        ),
    ]
    plan: AnyPlan | None = None
    inputs: Inputs | None = None
    budget: Amount | None = None
    deadline: Deadline | None = None
    planner: Annotated[PlannerChoice | None, Field(description="Who plans the goal.")] = None


class Proposing(Body):
    """A goal that is to be planned, and not to be run."""

    goal: Annotated[str, Field(max_length=LONGEST_GOAL, description="What is wanted, in plain language.")]
    inputs: Inputs | None = None
    answers: Annotated[dict[str, Text], Field(description="What was asked before, with the answer.")] = {}
    planner: Annotated[PlannerChoice | None, Field(description="Who plans the goal.")] = None


class Answering(Body):
    """A person's word on what a run asks."""

    decision: Annotated[
        Literal["approve", "deny", "edit", "answer", "done", "retry", "fail", "skip"],
        Field(description="One of those that the request takes."),
    ]
    value: Annotated[Any, Field(description="The answer, the result of what was done by hand, or other arguments.")] = (
        None
    )
    reason: Text = ""
    as_name: Annotated[Name, Field(description="Who says it, where an administrator types it for them.")] = ""


class Pausing(Body):
    """Why a run is to begin nothing new."""

    reason: Text = ""


class Resuming(Body):
    """Other limits for a run that goes on."""

    budget: Amount | None = None
    deadline: Deadline | None = None


class Cancelling(Body):
    """How a run is to stop."""

    reason: Text = ""
    grace: Annotated[float, Field(ge=0, le=3600, description="Seconds that attempts under way have to end.")] = 10.0
    undo: Annotated[bool, Field(description="Take back first what is finished, where it can be.")] = False


class Retrying(Body):
    """A task to be done once more."""

    task: Name
    agent: Annotated[Name | None, Field(description="Who is to do it.")] = None
    feedback: Annotated[Text, Field(description="What it should mind.")] = ""
    again: Annotated[bool, Field(description="Also when it is completed.")] = False


class Editing(Body):
    """Another plan, or changes to the one there is."""

    plan: AnyPlan | None = None
    values: Annotated[
        dict[Name, Any], Field(description="By TASK.inputs.NAME.", examples=[{"send.inputs.to": "x"}])
    ] = {}
    remove: Annotated[list[Name], Field(max_length=MOST_NAMES, description="Tasks to be left out.")] = []
    inputs: Inputs | None = None


class Replanning(Body):
    """More words to a goal."""

    words: Text = ""


class Rating(Body):
    """How content somebody is with what a run delivered."""

    score: Annotated[int, Field(ge=1, le=5, description="From 1 (not at all) to 5.")]
    words: Text = ""


class Forking(Body):
    """Where another run is to begin, and what is other in it."""

    at: Annotated[
        Name | int | None,
        Field(description="An event's number, a moment, or a task (just before it began); else before the run ended."),
    ] = None
    plan: AnyPlan | None = None
    inputs: Inputs | None = None
