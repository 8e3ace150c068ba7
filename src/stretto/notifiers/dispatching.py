"""Sending one notice through every channel that takes it: side by side, each for itself, each within its time."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from stretto.channels import LONGEST, Channel
from stretto.core.domain import Notice
from stretto.core.errors import NotifierError
from stretto.ports import Notifier


@dataclass(frozen=True, slots=True, kw_only=True)
class Filtered:
    """A notifier that is given only what its channel takes; the rest is passed over in silence."""

    channel: Channel
    notifier: Notifier

    @property
    def name(self) -> str:
        return self.notifier.name

    async def send(self, notice: Notice) -> None:
        if self.channel.takes(notice):
            await self.notifier.send(notice)


async def dispatch(
    notifiers: Iterable[Notifier], notice: Notice, *, seconds: float = LONGEST
) -> tuple[NotifierError, ...]:
    """Send a notice to all, at once, and give the errors of those that failed, in their order.

    Each has so many seconds. None keeps another from hearing, whatever it raises.
    """
    ended = await asyncio.gather(*(_sent(one, notice, seconds) for one in notifiers))
    return tuple(error for error in ended if error is not None)


async def _sent(notifier: Notifier, notice: Notice, seconds: float) -> NotifierError | None:
    try:
        async with asyncio.timeout(seconds):
            await notifier.send(notice)
    except NotifierError as error:
        return error
    except TimeoutError:
        return NotifierError(f"{notifier.name}: not sent within {seconds:g} s")
    except Exception as error:
        # Its words may hold secrets; whoever looks into it finds them in the cause.
        failure = NotifierError(f"{notifier.name}: {type(error).__name__}")
        failure.__cause__ = error
        return failure
    return None
