"""Putting the files of an edition back: what stands there is kept first."""

import os
import tempfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from stretto.core.errors import StoreError, UsageError
from stretto.editions.definition import CODE, FOLDERS, definition_of
from stretto.editions.keeping import Editions, FileChange
from stretto.workspace import FILE


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What was put back: the edition that stood there before, what changed, and what stands `outside` of the folder."""

    before: str
    changes: tuple[FileChange, ...]
    outside: tuple[Path, ...]


def restore(editions: Editions, folder: Path, edition: str, *, who: str) -> Restored:
    """Write the files of an edition into its folder, and remove those of the present one that it had not.

    Files outside of the folder, as those of teams beside it, stay as they are. Raises UsageError for an edition whose
    files are not kept, and StoreError when something cannot be written: what stood there is kept by then.
    """
    folder = folder.resolve()
    wanted = editions.contents(edition)
    if not wanted:
        raise UsageError(f"the files of edition {edition[:12]} are not kept any more")
    present = definition_of(folder)
    stood = present.read() | _unnamed(folder, present.files, wanted)
    before = editions.keep(stood, in_use=[edition])
    editions.note(before, "kept", who=who)
    found = list(_differences(stood, wanted))
    inside = [one for one in found if _target(folder, one.name).is_relative_to(folder)]
    for one in inside:
        target = _target(folder, one.name)
        try:
            if one.how == "removed":
                target.unlink(missing_ok=True)
            else:
                _write(target, wanted[one.name])
        except OSError as error:
            raise StoreError(
                f"cannot write {target}: {error.strerror}; what stood in {folder} is edition {before[:12]}"
            ) from error
    editions.note(edition, "restored", who=who)
    outside = tuple(_target(folder, one.name) for one in found if one not in inside)
    return Restored(before=before, changes=tuple(inside), outside=outside)


def _unnamed(folder: Path, named: Collection[str], wanted: Collection[str]) -> dict[str, bytes]:
    """Read what stands where files of an edition go, though a broken workspace does not name it."""
    found = {name: _target(folder, name) for name in wanted if name not in named}
    return {name: path.read_bytes() for name, path in found.items() if path.is_file()}


def _differences(stood: dict[str, bytes], wanted: dict[str, bytes]) -> Iterator[FileChange]:
    for name, body in wanted.items():
        if stood.get(name) != body:
            yield FileChange(name=name, how="changed" if name in stood else "added")
    for name in stood:
        if name not in wanted and _would_be_in(name, wanted):
            yield FileChange(name=name, how="removed")


def _would_be_in(name: str, wanted: dict[str, bytes]) -> bool:
    """Whether an edition would hold a file, had it been there: others may have stood there without being named."""
    path = Path(name)
    if any(above.name in FOLDERS and (above.parent / FILE).as_posix() in wanted for above in path.parents):
        return True
    return path.suffix == CODE and any(Path(one).parent == path.parent and one.endswith(CODE) for one in wanted)


def _target(folder: Path, name: str) -> Path:
    """Give where a file is written: links are followed, so that a file behind one is changed where it is."""
    return (folder / name).resolve()


def _write(path: Path, body: bytes) -> None:
    """Write a file at once, with the rights that it had."""
    path.parent.mkdir(parents=True, exist_ok=True)
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".restoring-")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(body)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).chmod(mode)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
