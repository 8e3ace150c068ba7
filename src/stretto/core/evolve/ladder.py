"""A task climbs its ladder: its place there, who does it next, on which arguments."""

from msgspec.structs import replace

from stretto.core.domain import TaskStatus
from stretto.core.events import NobodyAnswered, RungClimbed
from stretto.core.evolve.queues import changed, unready
from stretto.core.ladder import AGAIN, ELSEWHERE, tries_of
from stretto.core.state import Climb, RunState


def climbed(state: RunState, event: RungClimbed) -> RunState:
    """Note a rung. What an agent was approved for, and the arguments meant for it, do not pass on to another."""
    one = state.tasks[event.task]
    state = unready(state, one)
    step = Climb(
        attempt=event.attempt,
        failure=event.failure,
        by=event.by,
        do=event.do,
        begun=event.begun,
        agent=event.agent,
        why=event.why,
        at=event.at,
    )
    one = replace(
        one,
        ready=False,
        round=one.round + one.ready,
        agent=one.agent or event.by or None,
        tries=one.tries.set(tries_of(event.failure, event.by), event.failures),
        climbed=(*one.climbed, step),
        setback=f"{event.failure.value}: {event.why}" if event.why else one.setback,
        answer_by=event.at + event.within if event.within is not None else None,
    )
    if event.do in ELSEWHERE:
        one = replace(one, turn=event.agent, handed=one.cost, overlay={}, approved=None, word=None, marks=())
    elif event.do in AGAIN:
        one = replace(one, turn=event.agent or one.turn, overlay=one.overlay | event.arguments)
    return changed(replace(state, tasks=state.tasks.set(event.task, one)), event.task)


def given_up(state: RunState, event: NobodyAnswered) -> RunState:
    """Close a request that nobody answered in time."""
    state = replace(state, requests=state.requests.delete(event.request))
    one = state.tasks[event.task]
    return changed(state, event.task, request=None, answer_by=None, round=one.round + 1, status=TaskStatus.PENDING)
