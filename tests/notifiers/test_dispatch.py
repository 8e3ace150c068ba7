"""One notice reaches every channel that takes it, and none keeps another from hearing."""

import asyncio
import json
from dataclasses import dataclass, field

import pytest

from stretto.channels import KINDS, USUAL, Channel, Terminal
from stretto.core.domain import Notice
from stretto.core.errors import NotifierError
from stretto.notifiers import Filtered, dispatch, notifiers_of
from tests.notifiers.servers import HookServer, MailServer, closed_port, silent_port

NOTICE = Notice(id="1", kind="breaker", run="run-1", text="the agent logs failed 5 times")


@dataclass
class Ear:
    """Hears, or fails in its way."""

    name: str = "ear"
    failure: Exception | None = None
    heard: list[Notice] = field(default_factory=list)

    async def send(self, notice: Notice) -> None:
        if self.failure is not None:
            raise self.failure
        self.heard.append(notice)


async def test_all_hear_while_one_is_down_and_one_never_answers(capsys: pytest.CaptureFixture[str]) -> None:
    closed = closed_port()
    with HookServer() as hooks, silent_port() as silent:
        async with MailServer() as mails:
            notifiers = notifiers_of(
                [
                    {"webhook": f"http://127.0.0.1:{closed}/"},
                    {"webhook": f"http://127.0.0.1:{silent}/", "timeout": 0.3},
                    {"webhook": f"http://127.0.0.1:{hooks.port}/"},
                    {"mail": "ops@example.org", "from": "a@b.org", "server": f"127.0.0.1:{mails.port}", "tls": "none"},
                    "terminal",
                ]
            )
            errors = await dispatch(notifiers, NOTICE)
    refused, silent_one = map(str, errors)
    assert refused.startswith(f"webhook http://127.0.0.1:{closed}: cannot connect: ")
    assert silent_one == f"webhook http://127.0.0.1:{silent}: no answer within 0.3 s"
    assert json.loads(hooks.posts[0].body)["id"] == "1"
    assert len(mails.mails) == 1
    assert capsys.readouterr().err == "stretto: breaker: run run-1: the agent logs failed 5 times\n"


async def test_what_a_notifier_raises_unforeseen_is_an_error_like_others_without_its_words() -> None:
    ear, bug = Ear(), KeyError("s3cret")
    refused = NotifierError("line: busy")
    errors = await dispatch([Ear("bad", bug), Ear("line", refused), ear], NOTICE)
    assert [str(error) for error in errors] == ["bad: KeyError", "line: busy"]
    assert errors[0].__cause__ is bug
    assert ear.heard == [NOTICE]


async def test_channels_are_served_side_by_side_and_each_has_its_time() -> None:
    met = asyncio.Barrier(2)

    class Meeting(Ear):
        async def send(self, notice: Notice) -> None:
            await met.wait()

    class Deaf(Ear):
        async def send(self, notice: Notice) -> None:
            await asyncio.Event().wait()

    errors = await dispatch([Meeting(), Deaf("deaf"), Meeting()], NOTICE, seconds=0.2)
    assert [str(error) for error in errors] == ["deaf: not sent within 0.2 s"]


async def test_who_stops_waiting_stops_the_sending() -> None:
    begun, stopped = asyncio.Event(), asyncio.Event()

    class Slow(Ear):
        async def send(self, notice: Notice) -> None:
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                stopped.set()

    sending = asyncio.create_task(dispatch([Slow()], NOTICE))
    await begun.wait()
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    assert stopped.is_set()


async def test_without_channels_nothing_happens() -> None:
    assert await dispatch((), NOTICE) == ()


@pytest.mark.parametrize("kind", KINDS)
async def test_a_channel_hears_of_its_kinds_alone(kind: str) -> None:
    usual, chosen = Ear(), Ear()
    notice = Notice(id="1", kind=kind, run="r", text="x")  # type: ignore[arg-type]
    await dispatch(
        [
            Filtered(channel=Channel(transport=Terminal()), notifier=usual),
            Filtered(channel=Channel(transport=Terminal(), on=("ended", "halted")), notifier=chosen),
        ],
        notice,
    )
    assert bool(usual.heard) == (kind != "ended") == (kind in USUAL)
    assert bool(chosen.heard) == (kind in ("ended", "halted"))


@pytest.mark.parametrize(("to", "heard"), [("ana", True), ("ben", True), ("cleo", False), ("", True)])
async def test_a_channel_of_named_people_carries_theirs_and_everybodys(to: str, heard: bool) -> None:
    ear = Ear()
    channel = Channel(transport=Terminal(), to=("ana", "ben"))
    await dispatch([Filtered(channel=channel, notifier=ear)], Notice(id="1", kind="request", run="r", text="x", to=to))
    assert bool(ear.heard) == heard
