"""The routes of the API, by subject. Each asks the desk, which says what somebody may."""

from collections.abc import Sequence
from typing import Final

from fastapi import APIRouter

from stretto.servers.http.routes import events, runs

ROUTERS: Final[Sequence[APIRouter]] = (runs.router, events.router)
"""In the order in which their paths are tried."""
