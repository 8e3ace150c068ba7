"""What somebody gives by hand: the result of a task, or the arguments to go on with, and what they must be."""

from stretto.core.domain import Json, Request, Schema
from stretto.core.errors import UsageError
from stretto.core.plan.inputs import Wanted
from stretto.core.plan.schemas import ANYTHING, resolved, types
from stretto.core.state import RunState
from stretto.given import read_input


def is_result(state: RunState, request: Request) -> bool:
    """Whether the answer to a request is the result of its task, since a person does it."""
    one = state.tasks.get(request.task)
    return one is not None and one.agent is not None and state.roster.agents[one.agent].kind == "person"


def result_of(state: RunState, request: Request, text: str) -> Json:
    """Read a result: a text where one is wanted, else JSON. Raises UsageError that says what is wanted."""
    schema = result_schema(state, request)
    items = resolved(resolved(schema, schema).get("items", ANYTHING), schema)
    wanted = Wanted(types=types(schema, schema), items=types(items, schema))
    try:
        return read_input("result", [text], wanted)
    except UsageError as error:
        raise UsageError(str(error).replace("the input 'result'", "the result")) from None


def arguments_schema(state: RunState, request: Request) -> Schema:
    """Give the schema of the arguments that a request shows: its task's skill's, or that of the tool it would call."""
    if request.call:
        able = (state.roster.agents[name] for name in state.roster.by_skill.get(request.tool, ()))
        return next((one.inputs for card in able for one in card.skills if one.name == request.tool), {})
    one = state.tasks.get(request.task)
    agent = None if one is None else one.turn or one.agent or next(iter(state.roster.candidates(one.task)), None)
    return state.roster.skill(one.task, agent).inputs if one is not None and agent is not None else {}


def result_schema(state: RunState, request: Request) -> Schema:
    """Give the schema of what a task, or a tool that is asked about, brings."""
    if request.call:
        able = (state.roster.agents[name] for name in state.roster.by_skill.get(request.tool, ()))
        return next((one.output for card in able for one in card.skills if one.name == request.tool), {})
    one = state.tasks.get(request.task)
    if one is None:
        return {}
    if one.task.output is not None:
        return one.task.output
    agent = one.agent or next(iter(state.roster.candidates(one.task)), None)
    return state.roster.skill(one.task, agent).output if agent is not None else {}
