"""Hard limits of the process that runs somebody's SQL; for a process of its own, as they hold for all of it."""

import resource
import sqlite3
import sys


def confine(memory_mb: int, disk_mb: int) -> None:
    """Bound what SQLite may take from the heap and how large a temporary file may grow, in MB, for good."""
    with_limit = sqlite3.connect(":memory:")
    with_limit.execute(f"PRAGMA hard_heap_limit = {memory_mb << 20}")
    with_limit.close()
    if sys.platform != "win32":
        _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
        wanted = disk_mb << 20
        resource.setrlimit(
            resource.RLIMIT_FSIZE, (wanted if most == resource.RLIM_INFINITY else min(wanted, most), most)
        )
