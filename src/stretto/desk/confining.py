"""What others may have read from this machine's disk: files of the workspace, and what they handed in themselves."""

import hashlib
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from stretto.core.commands import SubmitGoal
from stretto.core.domain import Json, Plan
from stretto.core.errors import Forbidden, UsageError
from stretto.core.plan.writing import write_plan
from stretto.planners.rules.goals import paths_in

LONGEST_NAME = 120
"""Bytes of the name under which a file is kept."""
LONGEST_PATH = 4096
_PATTERN = re.compile(r"[*?\[{]")
_STRANGE = re.compile(r"[^\w.\- ]+")


def require_plan_name(plan: object) -> None:
    """Let a plan be named, or given whole; raises UsageError for a path."""
    if isinstance(plan, str) and (Path(plan).name != plan or plan.startswith(".")):
        raise UsageError(f"the plan {plan!r} is a path; name a plan of the workspace, or give the plan itself")


@dataclass(frozen=True, slots=True)
class Confines:
    """The folders in which everything lies that others may have read; relative paths are looked for in `bases`."""

    roots: tuple[Path, ...]
    bases: tuple[Path, ...]

    def require_order(self, order: SubmitGoal) -> None:
        """Raise Forbidden where an order has something read that lies outside.

        Looked at is every text in the inputs and anywhere in the plan, and every path that the goal mentions.
        """
        self.require_words(order.goal)
        self.require(order.plan, list(order.inputs.values()))

    def require_words(self, text: str) -> None:
        """Raise Forbidden where a text that is planned by mentions a path outside."""
        for path in paths_in(text):
            self._require(path)

    def require(self, plan: Plan | None, inputs: Json) -> None:
        """Raise Forbidden where a plan, or inputs, have something read that lies outside."""
        for text in (*_of_plan(plan), *_texts(inputs)):
            self._require(text)

    def _require(self, text: str) -> None:
        """Look at the path that a text may be, or at the folder that it is a pattern in."""
        if not text or len(text) > LONGEST_PATH or "\n" in text or "\0" in text:
            return
        told = Path(text)
        fixed = list(takewhile(lambda part: not _PATTERN.search(part), told.parts))
        if ".." in told.parts[len(fixed) :]:  # nobody knows where a pattern leads that goes up again
            raise _outside(text)
        path = Path(*fixed) if fixed else Path()
        for base in self.bases:
            try:
                file = (base / path.expanduser()).resolve()
                there = file.exists()
            except (OSError, RuntimeError, ValueError):
                continue
            if there and not any(file.is_relative_to(root) for root in self.roots):
                raise _outside(text)


def _outside(text: str) -> Forbidden:
    return Forbidden(f"{text!r} lies outside the workspace; hand the file in, or ask who runs this server")


def keep_upload(folder: Path, name: str, content: bytes) -> Path:
    """Keep what somebody handed in, under its content's hash, and give its file; the name is only its last part.

    The same file may be handed in twice at once. It is for the owner of this process alone.
    """
    plain = _STRANGE.sub("_", Path(name.replace("\\", "/")).name).strip(". ")
    plain = plain.encode()[-LONGEST_NAME:].decode(errors="ignore").strip(". ") or "file"
    home = folder / hashlib.sha256(content).hexdigest()[:24]
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    file, part = home / plain, home / f".{uuid.uuid4().hex}.part"
    part.touch(mode=0o600)
    part.write_bytes(content)
    part.replace(file)
    return file


def _of_plan(plan: Plan | None) -> Iterator[str]:
    if plan is not None:
        yield from _texts(write_plan(plan))


def _texts(value: Json) -> Iterator[str]:
    stack = [value]
    while stack:
        match stack.pop():
            case str() as text:
                yield text
            case list() | tuple() as several:
                stack += several
            case dict() as named:
                stack += [*named, *named.values()]
