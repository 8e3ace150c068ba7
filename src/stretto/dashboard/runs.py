"""The list of runs: found by words and status, live, page by page."""

from stretto.dashboard.parts import heading
from stretto.dashboard.shell import Frame


async def runs(frame: Frame) -> None:
    """Build the page."""
    heading(1, "Runs")
