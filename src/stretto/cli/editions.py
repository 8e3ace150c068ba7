"""Editions of a workspace in words."""

from typing import TYPE_CHECKING

from stretto.cli.text import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from stretto.bootstrap.reloading import Reload
    from stretto.editions import FileChange

SHOWN = 4
"""Changed files that are named."""


def told(reload: "Reload") -> "Iterator[str]":
    """Say what came of a changed workspace, the place of each defect on a line of its own."""
    from stretto.views import edition_name

    if reload.kind == "adopted":
        yield f"{edition_name(reload.edition)} of the workspace is adopted for new runs{changed(reload.changes)}"
        return
    yield "the changed workspace is refused, and the last good one stays:"
    yield from (f"  {line}" for line in reload.said.splitlines())


def changed(changes: "Sequence[FileChange] | None") -> str:
    """Name the files that changed."""
    if not changes:
        return ""
    named = ", ".join(f"{one.name} {one.how}" for one in changes[:SHOWN])
    return f": {named}" + (f", and {counted(len(changes) - SHOWN, 'more file')}" if len(changes) > SHOWN else "")
