"""What the killable jobs share: their command line, and a world that is a file which only ever grows."""

import argparse
import json
import os
from dataclasses import dataclass
from pathlib import Path

from tests.crash.dying import Death


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a job is told: `STORE WORLD [--kill-at N --when before|after|during] [--resume]`."""

    store: Path
    world: "World"
    death: Death
    resume: bool


class World:
    """One line per action, with its key; what is written is there for good."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def act(self, kind: str, key: str, name: str) -> None:
        """Do something to the world, whole and for good."""
        line = json.dumps({"kind": kind, "key": key, "name": name}) + "\n"
        handle = os.open(self._file, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(handle, line.encode())
        os.fsync(handle)
        os.close(handle)

    def actions(self) -> list[dict[str, str]]:
        """Give what was done, the first first."""
        return [json.loads(line) for line in self._file.read_text().splitlines()] if self._file.exists() else []


def read_options() -> Options:
    """Read the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("store", type=Path)
    parser.add_argument("world", type=Path)
    parser.add_argument("--kill-at", type=int, default=0)
    parser.add_argument("--when", choices=["before", "after", "during"], default="after")
    parser.add_argument("--resume", action="store_true")
    given = parser.parse_args()
    death = Death(when=given.when, number=given.kill_at)
    return Options(store=given.store, world=World(given.world), death=death, resume=given.resume)
