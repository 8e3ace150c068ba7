"""Requests go from one person to the next."""

from dataclasses import replace as renewed

from msgspec.structs import replace

from stretto.core.chains import put_to
from stretto.core.domain import Request
from stretto.core.events import PersonReminded, RequestEscalated, RequestExpired
from stretto.core.state import RunState


def reminded(state: RunState, event: PersonReminded) -> RunState:
    """Count a reminder."""
    return _kept(state, renewed(state.requests[event.request], reminded=event.reminded))


def escalated(state: RunState, event: RequestEscalated) -> RunState:
    """Put the request to the next person."""
    request = state.requests[event.request]
    missed = (*request.missed, (request.to, request.due or event.at))
    return _kept(state, renewed(put_to(request, event.step, event.at), missed=missed))


def expired(state: RunState, event: RequestExpired) -> RunState:
    """Let the chain end: where it says nothing else, the request stays open, and nothing more falls due."""
    request = state.requests[event.request]
    missed = (*request.missed, (request.to, request.due or event.at))
    steps = len(request.chain.steps) if request.chain is not None else 0
    return _kept(state, renewed(request, step=steps, due=None, missed=missed))


def _kept(state: RunState, request: Request) -> RunState:
    return replace(state, requests=state.requests.set(request.id, request))
