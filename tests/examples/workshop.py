"""The agents of the market report, loaded as a run loads them, and its tables as query gives them."""

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

from stretto.specialists.query import Table, run_query

EXAMPLE = Path(__file__).parents[2] / "examples/market-report"
DATA = EXAMPLE / "data"
_MODULES = ("tables", "figures", "statements", "sections", "market")


@contextmanager
def market_agents() -> Iterator[SimpleNamespace]:
    """Give the modules of the workspace by name; afterwards they are forgotten again."""
    folder = str(EXAMPLE / "agents")
    sys.path.insert(0, folder)
    try:
        yield SimpleNamespace(**{name: importlib.import_module(name) for name in _MODULES})
    finally:
        sys.path.remove(folder)
        for name in _MODULES:
            sys.modules.pop(name, None)


def loaded_tables() -> list[Table]:
    """Give the example's four tables."""
    files = [DATA / name for name in ("sales.csv", "prices.csv", "survey.csv", "feed.jsonl")]
    return [run_query(f"SELECT * FROM {file.stem}", [str(file)]) for file in files]
