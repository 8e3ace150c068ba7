"""What requests bring, checked: bounded, and with nothing in it that nobody knows."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from stretto.core.domain import PlannerChoice

LONGEST_GOAL = 100_000
LONGEST_TEXT = 10_000


class Body(BaseModel):
    """A body: what is unknown in it is refused, for it was meant to do something."""

    model_config = ConfigDict(extra="forbid", strict=True)


Amount = Annotated[str, Field(max_length=200, description="The most it may spend: `$2, 100k tokens, 50 steps, 10m`.")]
Deadline = Annotated[
    str | float, Field(description="A length of time (`10m`), a moment (ISO 8601), or seconds since the epoch.")
]


class NewRun(Body):
    """A goal to pursue, and how."""

    goal: Annotated[str, Field(max_length=LONGEST_GOAL, description="What is wanted, in plain language.")]
    plan: Annotated[
        dict[str, Any] | str | None,
        Field(description="A plan of the workspace by name, or a whole plan; without one, the workspace's own."),
    ] = None
    inputs: Annotated[dict[str, Any] | None, Field(description="The plan's inputs, by name.")] = None
    budget: Amount | None = None
    deadline: Deadline | None = None
    planner: Annotated[PlannerChoice | None, Field(description="Who plans the goal.")] = None
