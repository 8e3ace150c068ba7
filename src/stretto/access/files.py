"""Files that are nobody else's."""

import os
import stat
from pathlib import Path

from stretto.core.errors import StoreError


def make_private(path: Path) -> None:
    """Make a file that only its owner reads and writes, and its folder likewise where there is none.

    One that is there is closed to other readers; raises StoreError when others could have written it, and OSError.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        _close_to_others(path)


def _close_to_others(path: Path) -> None:
    found = path.stat()
    if found.st_uid not in (os.geteuid(), path.parent.stat().st_uid):
        raise StoreError(f"{path} belongs to another user, who could let anybody in; remove it, or make it yours")
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise StoreError(
            f"others can write {path}, and let anybody in; `chmod 600 {path}`, then look through the keys in it "
            "with `stretto keys list`"
        )
    if stat.S_IMODE(found.st_mode) & 0o077:
        path.chmod(0o600)
