"""The routes of the API, by subject. Each asks the desk, which says what somebody may."""

from collections.abc import Sequence
from typing import Final

from fastapi import APIRouter

from stretto.servers.http.routes import control, events, files, insides, place, requests, runs

ROUTERS: Final[Sequence[APIRouter]] = (
    runs.routes,
    events.routes,
    insides.routes,
    requests.routes,
    control.routes,
    files.routes,
    place.routes,
)
