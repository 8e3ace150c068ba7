"""Asks whoever sits at the terminal; an answer from elsewhere ends the question."""

import asyncio
import contextlib
import json
import os
import shlex
import sys
import tempfile
import termios
from collections.abc import Iterator
from pathlib import Path

from stretto.bootstrap import user
from stretto.cli.screen import Screen
from stretto.cli.text import as_json, indented, one_line
from stretto.core.chains import alternative, answers_for
from stretto.core.commands import AnswerRequest, Command
from stretto.core.domain import Json, Request
from stretto.core.errors import UsageError
from stretto.core.state import RunState
from stretto.results import is_result, result_of

LONGEST_DIFF = 200
LEFT_OPEN = "   left open; answer it from anywhere with stretto approve, or stop with Ctrl-C"


class Terminal:
    """See `stretto.ports.People`. One question at a time."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._one_at_a_time = asyncio.Lock()

    async def ask(self, state: RunState, request: str) -> Command | None:
        asked = state.requests.get(request)
        if asked is None:
            return None
        if not answers_for(asked, f"person:{user()}"):
            self._screen.say(
                f"\n{asked.task or 'the goal'}: {one_line(asked.question)}\n   only {asked.to} may answer it"
            )
            return None
        with self._screen.asking():
            async with self._one_at_a_time:
                try:
                    return await self._decide(state, asked)
                except asyncio.CancelledError:
                    self._screen.say("\n   (answered elsewhere, or no longer asked)")
                    raise
                except EOFError:
                    self._screen.say(f"\n{LEFT_OPEN}")
                    return None

    async def _decide(self, state: RunState, asked: Request) -> Command | None:
        _forget_typed_ahead()
        self._screen.say(f"\n{asked.task or 'the goal'}: {one_line(asked.question)}\n{shown(asked)}")
        if asked.kind == "goal":
            text = await self._read("which one? " if asked.choices else "your answer: ")
            return self._answer(asked, "answer", value=text)
        if asked.kind == "alternatives":
            while (chosen := alternative(asked, await self._read("which one? "))) is None:
                self._screen.say("   name one of them, or its number")
            return self._answer(asked, "answer", value=chosen)
        if asked.kind == "question" and is_result(state, asked):
            return self._answer(asked, "answer", value=await self._result(state, asked))
        if asked.kind == "question":
            text = await self._read("your answer: ")
            return self._answer(asked, "answer", value=text)
        if asked.kind == "doubt":
            while True:
                word = (await self._read("did it happen? [done/retry/fail]: ")).lower()
                if word in ("done", "retry", "fail"):
                    return self._answer(asked, word)
        if asked.kind == "failure":
            return await self._after_failure(asked)
        if asked.kind == "review":
            return await self._about_result(asked)
        while True:
            word = (await self._read("[a]pprove, [d]eny, [e]dit, [t]ake over, [l]ater: ")).lower()[:1]
            if word == "a":
                return self._answer(asked, "approve")
            if word == "d":
                return self._answer(asked, "deny", reason=await self._read("reason: "))
            if word == "t":
                return self._answer(asked, "done", value=await self._result(state, asked))
            if word == "l":
                self._screen.say(LEFT_OPEN)
                return None
            if word == "e":
                edited = await self._edit(asked.arguments)
                if edited is not None:
                    return self._answer(asked, "edit", value=edited)

    async def _after_failure(self, asked: Request) -> Command:
        while True:
            word = (await self._read("what now? [retry/done/skip/fail]: ")).lower()
            if word == "done":
                text = await self._read("its result as JSON (nothing: it has none): ")
                with contextlib.suppress(ValueError):
                    return self._answer(asked, word, value=json.loads(text) if text else None)
                self._screen.say("   that is no JSON; texts stand in double quotes")
            elif word in ("retry", "skip", "fail"):
                return self._answer(asked, word)

    async def _about_result(self, asked: Request) -> Command:
        while True:
            word = (await self._read("does it do? [approve/retry/skip/fail]: ")).lower()
            if word == "retry":
                return self._answer(asked, word, reason=await self._read("what is wrong with it: "))
            if word in ("approve", "skip", "fail"):
                return self._answer(asked, word)

    async def _result(self, state: RunState, asked: Request) -> Json:
        """Read what the task gave, until it is of the kind that is wanted."""
        while True:
            try:
                return result_of(state, asked, await self._read("the result: "))
            except UsageError as error:
                self._screen.say(f"   {error}")

    def _answer(self, asked: Request, decision: str, *, reason: str = "", value: Json = None) -> Command:
        return AnswerRequest(
            actor=f"person:{user()}",
            request=asked.id,
            decision=decision,  # type: ignore[arg-type]
            reason=reason,
            value=value,
        )

    async def _read(self, prompt: str) -> str:
        """Read a line without holding up the run."""
        self._screen.prompt(prompt)
        loop = asyncio.get_running_loop()
        line: asyncio.Future[str] = loop.create_future()

        def take() -> None:
            text = sys.stdin.readline()
            if line.done():
                return
            if text:
                line.set_result(text.strip())
            else:
                line.set_exception(EOFError())

        loop.add_reader(sys.stdin.fileno(), take)
        try:
            return await line
        finally:
            loop.remove_reader(sys.stdin.fileno())

    async def _edit(self, arguments: Json) -> Json:
        """Give the arguments as edited, or None when they are no mapping any more."""
        editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "arguments.json"
            file.write_text(json.dumps(arguments, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
            try:
                with _terminal() as terminal:
                    process = await asyncio.create_subprocess_exec(
                        *shlex.split(editor), str(file), stdout=terminal, stderr=terminal
                    )
            except (OSError, ValueError) as error:
                self._screen.say(f"   cannot start the editor {editor!r}: {error}; set EDITOR to another")
                return None
            await process.wait()
            with contextlib.suppress(ValueError):
                edited = json.loads(file.read_text(encoding="utf-8"))
                if isinstance(edited, dict):
                    return edited
        self._screen.say("   that is no JSON mapping; nothing changed")
        return None


def shown(asked: Request, most: int | None = LONGEST_DIFF) -> str:
    """Give what a person should see before deciding: the diff, or else the arguments; at most so many lines."""
    if asked.kind in ("goal", "alternatives"):
        return indented("\n".join(f"{number}  {one_line(one)}" for number, one in enumerate(asked.choices, 1)), "   ")
    if asked.kind == "review":
        found = asked.result if isinstance(asked.result, str) else as_json(asked.result)
        return indented("\n".join(found.splitlines()[:most]), "   ")
    text = asked.diff or (as_json(asked.arguments) if asked.arguments is not None else "")
    lines = text.splitlines()
    if most is not None and len(lines) > most:
        lines = [*lines[:most], f"… {len(lines) - most} more lines; `stretto show RUN` has all"]
    return indented("\n".join(lines), "   ")


def _forget_typed_ahead() -> None:
    """Drop what was typed before the question was there to be read: it cannot be the answer to it."""
    with contextlib.suppress(termios.error, OSError, ValueError):
        termios.tcflush(sys.stdin.fileno(), termios.TCIFLUSH)


@contextlib.contextmanager
def _terminal() -> Iterator[int | None]:
    """Give the terminal that is typed on, to write to; None where there is no such thing."""
    try:
        opened = os.open(os.ttyname(sys.stdin.fileno()), os.O_WRONLY | os.O_NOCTTY)
    except (OSError, ValueError):
        yield None
        return
    try:
        yield opened
    finally:
        os.close(opened)
