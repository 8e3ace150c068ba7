"""Who comes in: whoever sits at this machine, as long as there are no keys."""

from starlette.requests import HTTPConnection

from stretto.access.roles import Credential, Principal, owner_of_machine
from stretto.core.errors import Unauthenticated
from stretto.servers.http.addresses import is_loopback

_PROXIED = ("forwarded", "x-forwarded-for", "x-real-ip")


class AtThisMachine:
    """The credential of whoever sits at this machine."""

    def __init__(self, user: str) -> None:
        self._principal = owner_of_machine(user)

    def principal(self) -> Principal:
        return self._principal


class OpenDoor:
    """Lets in whoever asks from this machine, and nobody else."""

    def __init__(self, user: str) -> None:
        self._credential = AtThisMachine(user)

    async def enter(self, connection: HTTPConnection) -> Credential:
        """Give the owner of this machine; raises Unauthenticated for whoever asks from elsewhere."""
        if not is_from_here(connection):
            raise Unauthenticated("without keys only this machine is let in; make one with `stretto keys add`")
        return self._credential


def is_from_here(connection: HTTPConnection) -> bool:
    """Tell whether this machine asks, and not something on it for somebody elsewhere."""
    if any(name in connection.headers for name in _PROXIED):
        return False
    return connection.client is not None and is_loopback(connection.client.host)
