"""Which files a search reads: those named, and those in the folders named; no link leads it elsewhere."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .model import Options, Skipped, UnreadableDocument

_MOST_SKIPPED = 1_000
_SHARED_BY_MANY = frozenset({"node_modules", "__pycache__", "site-packages"})


@dataclass(slots=True)
class Found:
    """The files to be read, in the order of the sources and then by path, and those left out."""

    files: list[str] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)

    def skip(self, file: str, why: str) -> None:
        """Note that a file is left out; past a thousand only that there are more."""
        if len(self.skipped) < _MOST_SKIPPED:
            self.skipped.append(Skipped(file=file, why=why))
        elif len(self.skipped) == _MOST_SKIPPED:
            self.skipped.append(Skipped(file="…", why="and more"))


def find_files(sources: Sequence[str], options: Options) -> Found:
    """Give the files of the sources, each once. Raises UnreadableDocument for a source that is not there.

    A source may itself be a link, for somebody named it. Inside a folder links are not followed, and hidden entries
    are left out; so are `node_modules` and the like.
    """
    found, seen, total = Found(), set[str](), 0
    for source in sources:
        for file, size in _walk(source, found):
            real = os.path.realpath(file)
            if real in seen:
                continue
            seen.add(real)
            if size > options.file_bytes:
                found.skip(file, f"larger than {options.file_bytes >> 20} MB")
            elif len(found.files) == options.files:
                found.skip(file, f"more than {options.files} files")
            elif total + size > options.total_bytes:
                found.skip(file, f"more than {options.total_bytes >> 20} MB in all")
            else:
                found.files.append(file)
                total += size
    return found


def _walk(source: str, found: Found) -> Iterator[tuple[str, int]]:
    """Give the regular files of one source with their sizes in bytes."""
    try:
        if not source:
            raise FileNotFoundError
        path = Path(source)
        if path.is_dir():
            yield from _walk_folder(path, found)
            return
        size = path.stat().st_size
    except (FileNotFoundError, NotADirectoryError):
        raise UnreadableDocument(f"{source!r}: no such file or folder; check the path") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UnreadableDocument(f"{source!r}: cannot be read ({reason}); check the path and its permissions") from None
    if not path.is_file():
        raise UnreadableDocument(f"{source}: neither a regular file nor a folder; copy what it holds into a file")
    yield source, size


def _walk_folder(folder: Path, found: Found) -> Iterator[tuple[str, int]]:
    waiting = [str(folder)]
    while waiting:
        current = waiting.pop()
        try:
            with os.scandir(current) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            if current == str(folder):
                raise
            found.skip(current, f"cannot be listed ({error.strerror})")
            continue
        deeper = []
        for entry in entries:
            if entry.name.startswith(".") or entry.name in _SHARED_BY_MANY:
                continue
            if entry.is_symlink():
                found.skip(entry.path, "a symbolic link; name its target as a source to have it searched")
            elif entry.is_dir():
                deeper.append(entry.path)
            elif entry.is_file():
                try:
                    size = entry.stat().st_size
                except OSError as error:
                    found.skip(entry.path, f"cannot be read ({error.strerror})")
                    continue
                yield entry.path, size
            else:
                found.skip(entry.path, "not a regular file")
        waiting += reversed(deeper)
