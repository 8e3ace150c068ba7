"""Workspaces to call the program in."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.program import Place


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[[str], Place]]:
    """Give a function that makes a workspace with a plan."""
    made: list[Place] = []

    def place(plan: str) -> Place:
        made.append(Place(tmp_path / f"place{len(made)}", plan))
        return made[-1]

    yield place
    for one in made:
        one.close()
