"""What every route needs of a request: the desk, and who asks."""

from typing import Annotated, cast

from fastapi import Depends, Request

from stretto.access.roles import Credential, Principal
from stretto.desk import Desk
from stretto.servers.http.rendering import Kept
from stretto.servers.http.streams import Streams


def credential_of(request: Request) -> Credential:
    """Give what somebody came with, as the guard found it."""
    return cast(Credential, request.scope["state"]["credential"])


async def _desk(request: Request) -> Desk:
    return cast(Desk, request.app.state.desk)


async def _who(request: Request) -> Principal:
    return credential_of(request).principal()


async def _kept(request: Request) -> Kept:
    return cast(Kept, request.app.state.kept)


async def _streams(request: Request) -> Streams:
    return cast(Streams, request.app.state.streams)


TheDesk = Annotated[Desk, Depends(_desk)]
Who = Annotated[Principal, Depends(_who)]
TheKept = Annotated[Kept, Depends(_kept)]
TheStreams = Annotated[Streams, Depends(_streams)]
