"""Answers requests as a script says: who may ask, what is said, and when which byte of it goes out."""

import asyncio
import contextlib
import time

from stretto.testing.models import delivery, wire
from stretto.testing.models.faults import Fault, SlowHeaders, Stall
from stretto.testing.models.http import BadHttp, Incoming, Link
from stretto.testing.models.playing import Player, Turn, Unscripted
from stretto.testing.models.recording import Record
from stretto.testing.models.requests import Request
from stretto.testing.models.script import Script
from stretto.testing.models.speech import Speech, counted, speech
from stretto.testing.models.tokens import count_prompt

USUAL = "scripted"
"""The model that is listed where a script names none."""


class Answerer:
    """Answers on any number of connections. `closing` says that the server ends, and nobody has left."""

    def __init__(self, script: Script, key: str, record: Record) -> None:
        self._script, self._key, self._record = script, key, record
        self._player = Player(script)
        self.closing = False

    async def converse(self, link: Link) -> None:
        """Answer the requests of one connection, one after the other."""
        try:
            while (incoming := await link.read()) is not None:
                if not await self._handle(incoming, link) or incoming.closes:
                    break
        except BadHttp as error:
            link.write(delivery.whole(wire.error(400, str(error))))
            with contextlib.suppress(ConnectionError):
                await link.flush()
        except ConnectionError:
            pass
        finally:
            link.close()

    async def _handle(self, incoming: Incoming, link: Link) -> bool:
        """Answer a request; whether the connection may go on."""
        request = self._record.begin(incoming)
        try:
            response = await self._respond(incoming, request, link)
            if response is None:
                return request.end == "whole"
            request.status = response.status
            self._record.settle(request, "whole")
            link.write(delivery.whole(response))
            await link.flush()
            return True
        finally:
            self._record.settle(request, "cut" if self.closing else "left")

    async def _respond(self, incoming: Incoming, request: Request, link: Link) -> wire.Response | None:
        """Give the response, or None where an answer was sent."""
        try:
            if self._key and incoming.headers.get("authorization") != f"Bearer {self._key}":
                raise wire.BadRequest("Incorrect API key provided.", status=401, code="invalid_api_key")
            if incoming.path != "/v1/chat/completions":
                return self._other(incoming)
            if incoming.method != "POST":
                raise wire.BadRequest(f"{incoming.path} takes POST", status=405)
            wire.check_chat(request.body)
            return await self._chat(request, link)
        except wire.BadRequest as error:
            request.problem = str(error)
            return error.response
        except Unscripted as error:
            request.problem = str(error)
            return wire.error(400, str(error), code="unscripted")
        except RecursionError:
            request.problem = "the body is nested too deeply"
            return wire.error(400, request.problem)

    def _other(self, incoming: Incoming) -> wire.Response:
        models = self._script.models or (USUAL,)
        begins, _, name = incoming.path.removeprefix("/v1/").partition("/")
        if not incoming.path.startswith("/v1/") or begins != "models":
            told = f"unknown path {incoming.path}; there are /v1/chat/completions and /v1/models"
            raise wire.BadRequest(told, status=404)
        if incoming.method != "GET":
            raise wire.BadRequest(f"{incoming.path} takes GET", status=405)
        if not name:
            return wire.listing(models)
        self._check_model(name)
        return wire.one_model(name)

    def _check_model(self, name: str) -> None:
        if self._script.models and name not in self._script.models:
            raise wire.BadRequest(f"The model `{name}` does not exist.", status=404, code="model_not_found")

    async def _chat(self, request: Request, link: Link) -> wire.Response | None:
        self._check_model(request.model)
        read, most = count_prompt(request.body), wire.most_tokens(request.body)
        if self._script.window is not None and read + (most or 1) > self._script.window:
            wanted = f"{read} in the messages, {most or 1} in the completion"
            return wire.too_long(f"This model's maximum context length is {self._script.window} tokens: {wanted}.")
        turn = self._player.take(request)
        request.rule, request.fault = turn.rule, turn.fault.kind if turn.fault else ""
        if (response := delivery.instead(turn.fault, streams=request.streams, at=request.at)) is not None:
            return response
        said = speech(turn.answer, turn.fault, f"call_{request.number}_", most)
        await self._deliver(request, turn, said, read, link)
        return None

    async def _deliver(self, request: Request, turn: Turn, said: Speech, read: int, link: Link) -> None:
        """Send an answer part by part, each when it is due, with what goes wrong on the way."""
        tokens, fault = said.tokens, turn.fault
        strike = delivery.strike(fault, tokens)
        began = request.began
        for number, part in enumerate(delivery.parts(request, said, counted(read, tokens, turn.usage), turn.pace)):
            if number == strike:
                await link.flush()
                if not isinstance(fault, Stall):
                    await self._break_off(request, fault, link)
                    return
                began += await _stalled(fault)
            if (pause := began + part.due - time.monotonic()) > 0:
                await link.flush()
                await asyncio.sleep(pause)
            if number == 0:
                request.status, request.input = 200, read
            if number == tokens + 1:
                self._record.settle(request, "whole")
            request.output += part.tokens
            if number == 0 and isinstance(fault, SlowHeaders):
                await link.drip(part.data, fault.seconds)
            else:
                link.write(part.data)
            if link.is_full:
                await link.flush()
        await link.flush()

    async def _break_off(self, request: Request, fault: Fault | None, link: Link) -> None:
        """End an answer in its middle; the connection is closed after it."""
        self._record.settle(request, "cut")
        link.write(delivery.broken(fault))
        await link.flush()


async def _stalled(fault: Stall) -> float:
    """Say nothing for a while, or until somebody leaves; give the seconds."""
    if fault.seconds is None:
        await asyncio.Event().wait()
    await asyncio.sleep(fault.seconds or 0.0)
    return fault.seconds or 0.0
