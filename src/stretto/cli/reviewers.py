"""`agents --reviewers`: how often each reviewer was right, as far as later truth tells."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from stretto.cli.text import as_json as json_text
from stretto.cli.text import one_line

if TYPE_CHECKING:
    from stretto.core.trust import TrackRecord


def show_reviewers(store: Path, *, as_json: bool) -> None:
    """Print what is known of each reviewer of a store; raises StoreError where there is none."""
    found = asyncio.run(_records(store))
    if as_json:
        typer.echo(json_text([_view(name, one) for name, one in found.items()]))
        return
    if not found:
        typer.echo("nothing is known of any reviewer yet: no person has overruled one or borne one out")
        return
    typer.echo(f"{'hits':>6} {'misses':>7} {'false alarms':>13} {'passes':>7}  reviewer")
    for name, one in found.items():
        told = "" if one.pays else "  below break-even: it is not asked, if it is a model"
        counts = f"{one.hits:>6} {one.misses:>7} {one.false_alarms:>13} {one.passes:>7}"
        typer.echo(f"{counts}  {one_line(name)}{told}")


async def _records(store: Path) -> "Mapping[str, TrackRecord]":
    from stretto.bootstrap import open_store

    async with open_store(store, must_exist=True) as journal:
        return dict(sorted((await journal.records()).items()))


def _view(name: str, one: "TrackRecord") -> dict[str, object]:
    return {
        "reviewer": name,
        "hits": one.hits,
        "misses": one.misses,
        "false_alarms": one.false_alarms,
        "passes": one.passes,
        "hit_rate": one.hit_rate,
        "false_alarm_rate": one.false_alarm_rate,
        "pays": one.pays,
    }
