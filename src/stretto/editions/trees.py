"""An edition as files: what defines it as it was, and everything beside it as it stands in the workspace now.

Data is linked, not copied: code that looks for a file beside itself finds the workspace's own.
"""

import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from stretto.editions.definition import CODE, FOLDERS, SETTINGS, holds_code, homes_in
from stretto.workspace import FILE

_NEVER = frozenset({FILE, SETTINGS, *FOLDERS, ".stretto", ".git", "__pycache__"})
"""What is part of an edition where it is there at all, and what no code has to look into."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """An edition laid out under `root`, which stands for the folder `base`."""

    edition: str
    root: Path
    base: Path
    folder: Path

    def real(self, path: Path) -> Path:
        """Give the place in the workspace that a place of the tree stands for."""
        return self.base / path.relative_to(self.root) if path.is_relative_to(self.root) else path

    def laid(self, path: Path) -> Path:
        """Give the place of the tree for one of the workspace, where the edition holds it."""
        if path.is_relative_to(self.root) or not path.is_relative_to(self.base):
            return path
        within = self.root / path.relative_to(self.base)
        return within if within.exists() else path

    def told(self, text: str) -> str:
        """Give a message with the names of files as people know them."""
        return text.replace(f"{self.root}{os.sep}", f"{str(self.base).rstrip(os.sep)}{os.sep}")


def lay(root: Path, folder: Path, edition: str, contents: Mapping[str, bytes]) -> Tree:
    """Lay an edition of a folder's workspace out under `root`, or mend what is there; raises OSError.

    Any number of processes may do so at once.
    """
    up = max((Path(name).parts.count("..") for name in contents), default=0)
    base = (folder, *folder.parents)[min(up + 1, len(folder.parents))]
    tree = Tree(edition=edition, root=root, base=base, folder=root / folder.relative_to(base))
    own: set[Path] = set()
    for name, body in contents.items():
        path = Path(os.path.normpath(tree.folder / name))
        if not path.is_relative_to(root):
            raise OSError(f"the edition has a file outside of itself: {name}")
        _write(path, body)
        own |= {path, *path.parents}
    for place in _places(tree, contents):
        _link(tree, place, own)
    return tree


def _places(tree: Tree, contents: Mapping[str, bytes]) -> set[Path]:
    """Give the folders whose other files are linked: those of workspaces, and all with files of theirs."""
    homes = [Path(os.path.normpath(tree.folder / home)) for home in homes_in(contents)]
    found = {*homes, *(Path(os.path.normpath(tree.folder / name)).parent for name in contents)}
    between = {above for place in found for above in place.parents if any(above.is_relative_to(one) for one in homes)}
    sealed = [home / name for home in homes for name in FOLDERS]
    return {one for one in found | between if not any(one.is_relative_to(place) for place in sealed)}


def _link(tree: Tree, place: Path, own: set[Path]) -> None:
    """Link what stands in the real folder and is no part of the edition."""
    with_code = any(path.parent == place and path.suffix == CODE for path in own)
    with suppress(FileNotFoundError, NotADirectoryError), os.scandir(tree.real(place)) as listing:
        for one in listing:
            here = place / one.name
            if one.name in _NEVER or here in own or os.path.lexists(here):
                continue
            if with_code and (one.name.endswith(CODE) or (one.is_dir() and holds_code(Path(one.path)))):
                continue
            with suppress(FileExistsError):
                here.symlink_to(one.path)


def _write(path: Path, body: bytes) -> None:
    with suppress(FileNotFoundError):
        if not path.is_symlink() and path.read_bytes() == body:
            return
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".laying-")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(body)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
