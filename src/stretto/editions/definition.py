"""Which files define a workspace: `workspace.yaml`, settings, plans, playbooks, prompts, and the code of its agents.

Data, outputs and the store are no part of it. Teams are: a workspace named as an agent belongs to whoever names it.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TypeAlias

from stretto.core.canonical import digest
from stretto.core.domain import Json
from stretto.core.errors import UsageError
from stretto.documents import Unreadable, read_document
from stretto.playbooks import FOLDER as PLAYBOOKS
from stretto.workspace import FILE, PLANS

SETTINGS = "stretto.toml"
FOLDERS = (PLANS, PLAYBOOKS, "prompts")
"""Folders of a workspace all of whose files are part of it."""

MOST_FILES, MOST_BYTES = 5_000, 64 * 1024 * 1024
"""What an edition may hold."""

CODE = ".py"
_NO_CODE = frozenset({"__pycache__", "node_modules"})
_DEEPEST = 12

Signature: TypeAlias = tuple[tuple[str, int, int, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """The files of a workspace by their names, which are paths from its folder, and the `folders` that hold them.

    A name begins with `..` where a file stands outside the folder, as those of a team beside it do.
    """

    folder: Path
    files: dict[str, Path]
    folders: tuple[Path, ...]

    def read(self) -> dict[str, bytes]:
        """Give the content of each file; one that has just gone is left out. Raises UsageError for too much."""
        if len(self.files) > MOST_FILES:
            raise UsageError(
                f"{self.folder}: {len(self.files)} files define it; an edition holds {MOST_FILES:,} at most"
            )
        found: dict[str, bytes] = {}
        left = MOST_BYTES
        for name, path in self.files.items():
            try:
                size = path.stat().st_size
                if size > left:
                    raise UsageError(
                        f"{path}: with its {size:,} bytes an edition of {self.folder} is larger than {MOST_BYTES:,}; "
                        "keep data outside of plans, playbooks, prompts and the folders of agents"
                    )
                found[name] = path.read_bytes()
            except FileNotFoundError:
                continue
            left -= len(found[name])
        return found

    def signature(self) -> Signature:
        """Say what tells a change without reading: moment, size and number of each file and folder."""
        return tuple(_told(path) for path in (*self.files.values(), *self.folders))


def edition_of(contents: Mapping[str, bytes]) -> str:
    """Give the name of what files hold: the SHA-256 over their sorted names and the hashes of their contents."""
    return digest([[name, sha256(body).hexdigest()] for name, body in sorted(contents.items())])


def definition_of(folder: Path) -> Definition:
    """Find what defines a workspace, as far as its files can be read: what is wrong in them is not said here."""
    folder = folder.resolve()
    files: dict[str, Path] = {}
    folders: dict[Path, None] = {}
    for home in _homes(folder):
        for path in _own(home):
            files.setdefault(name_of(path, folder), path)
        for name in FOLDERS:
            folders |= dict.fromkeys(_folders(home / name))
        for place in _places_of_code(home):
            folders |= dict.fromkeys(_folders(place, of_code=True))
    return Definition(folder=folder, files=dict(sorted(files.items())), folders=tuple(folders))


def name_of(path: Path, folder: Path) -> str:
    """Give the name that a file has in an edition of a folder's workspace."""
    return Path(os.path.relpath(path, folder)).as_posix()


def homes_in(names: Iterable[str]) -> list[str]:
    """Give the folders of the workspaces in an edition, by name: its own (`.`) and those of its teams."""
    return [Path(name).parent.as_posix() for name in names if Path(name).name == FILE]


def holds_code(folder: Path) -> bool:
    """Whether a folder has Python files of its own, so that code beside it may import them."""
    return any(one.suffix == CODE for one in _listed(folder))


def _homes(folder: Path) -> list[Path]:
    """Give the folder of a workspace, and those of its teams and theirs."""
    found = [folder]
    for home in found:
        for entry in _agents(home):
            if isinstance(entry, dict) and isinstance(entry.get("team"), str):
                team = _lexical(home / entry["team"])
                if team not in found and len(found) < MOST_FILES:
                    found.append(team)
    return found


def _own(home: Path) -> Iterator[Path]:
    yield from (home / FILE, home / SETTINGS)
    plan = _body(home).get("plan")
    if isinstance(plan, str) and plan:
        yield _lexical(home / plan)
    for name in FOLDERS:
        yield from _files_in(home / name)
    yield from _agent_files(home)
    for place in _places_of_code(home):
        yield from _code_in(place)


def _agent_files(home: Path) -> Iterator[Path]:
    """Give the files that agents are named by."""
    for entry in _agents(home):
        named = [entry] if isinstance(entry, str) and entry.endswith((CODE, ".md")) else []
        if isinstance(entry, dict):
            named += [entry[kind] for kind in ("python", "file") if isinstance(entry.get(kind), str)]
        for name in named:
            yield _lexical(home / name)


def _places_of_code(home: Path) -> list[Path]:
    """Give the folders whose code agents may import: those of their files."""
    return list(dict.fromkeys(path.parent for path in _agent_files(home)))


def _agents(home: Path) -> list[Json]:
    agents = _body(home).get("agents")
    return agents if isinstance(agents, list) else []


def _body(home: Path) -> dict[str, Json]:
    try:
        body = read_document(home / FILE).value
    except (Unreadable, OSError):
        return {}
    return body if isinstance(body, dict) else {}


def _files_in(folder: Path) -> Iterator[Path]:
    for inner in _folders(folder):
        yield from (one for one in _listed(inner) if one.is_file() and not one.name.startswith("."))


def _code_in(folder: Path) -> Iterator[Path]:
    for inner in _folders(folder, of_code=True):
        yield from (one for one in _listed(inner) if one.suffix == CODE and one.is_file())


def _folders(folder: Path, *, of_code: bool = False, depth: int = 0) -> Iterator[Path]:
    """Give a folder and those below it, but for what is hidden; `of_code` only those that have Python files."""
    yield folder
    for one in _listed(folder) if depth < _DEEPEST else ():
        hidden = one.name.startswith(".") or one.name in _NO_CODE
        if not hidden and one.is_dir() and (not of_code or holds_code(one)):
            yield from _folders(one, of_code=of_code, depth=depth + 1)


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _lexical(path: Path) -> Path:
    """Give a path without `..`, and without following links: a file is known by the name it goes by."""
    return Path(os.path.normpath(path))


def _told(path: Path) -> tuple[str, int, int, int]:
    try:
        found = path.stat()
    except OSError:
        return str(path), 0, -1, 0
    return str(path), found.st_mtime_ns, found.st_size, found.st_ino
