"""Changes of a folder that happen once, survive a crash in the middle and can be taken back.

Each change has a folder of its own under `.changes/KEY`: first what was there before and what shall be there,
then the files are replaced one by one, then it is marked as done. Whoever finds it begun can finish it.
Texts keep every byte, whatever their encoding and line ends: a byte that is no UTF-8 stands as a private letter.
"""

import hashlib
import json
import os
import re
from dataclasses import asdict, dataclass, replace
from pathlib import Path

LEDGER = ".changes"
_LETTER_OF = {0xDC00 + byte: 0xF700 + byte for byte in range(128, 256)}
_BYTE_OF = {letter: byte for byte, letter in _LETTER_OF.items()}
_PRIVATE = re.compile("[\uf780-\uf7ff]")


class Refused(Exception):
    """The change cannot be made as things are; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One change: `before` and `after` are texts by file (None: no file), `by` is the key that takes it back.

    `state` is begun, applied, taking back or taken back.
    """

    key: str
    number: int
    state: str
    before: dict[str, str | None]
    after: dict[str, str | None]
    by: str = ""


def apply_once(host: Path, key: str, before: dict[str, str | None], after: dict[str, str | None]) -> Entry:
    """Make a change under a key, or finish it, or do nothing when it is done; raises Refused.

    It is refused when a file is not as it was when the change was proposed.
    """
    entry = find(host, key)
    if entry is None:
        for name, text in before.items():
            if read(host, name) != text:
                raise Refused(f"{name} has changed since the change was proposed; propose it anew")
        number = max((one.number for one in entries(host)), default=0) + 1
        entry = Entry(key=key, number=number, state="begun", before=before, after=after)
        _save(host, entry)
    if entry.state == "begun":
        for name, text in entry.after.items():
            _put(host, name, text)
        entry = _mark(host, entry, "applied")
    return entry


def take_back(host: Path, entry: Entry, key: str) -> Entry:
    """Restore what was there before a change, under a key; raises Refused when a file was changed again since."""
    for name, text in entry.after.items():
        if read(host, name) not in (text, entry.before.get(name)):
            raise Refused(f"{name} was changed again after change {entry.number}; take that back first")
    entry = _mark(host, replace(entry, by=key), "taking back")
    for name in entry.after:
        _put(host, name, entry.before.get(name))
    return _mark(host, entry, "taken back")


def entries(host: Path) -> list[Entry]:
    """Give every change made here, the oldest first."""
    found = [_load(path) for path in (host / LEDGER).glob("*/change.json")]
    return sorted(found, key=lambda one: one.number)


def find(host: Path, key: str) -> Entry | None:
    """Give the change of a key, if it was ever begun."""
    path = _folder(host, key) / "change.json"
    return _load(path) if path.exists() else None


def read(host: Path, name: str) -> str | None:
    """Give the text of a file of the host, None when it is not there; raises Refused outside the folder."""
    path = inside(host, name)
    return _text(path.read_bytes()) if path.exists() else None


def inside(host: Path, name: str) -> Path:
    """Give a path below the host folder; raises Refused for anything that leads out of it."""
    root = host.resolve()
    path = (root / name).resolve()
    if not path.is_relative_to(root) or path == root or LEDGER in path.relative_to(root).parts:
        raise Refused(f"{name!r} is not a file of the host configuration")
    return path


def _text(raw: bytes) -> str:
    text = raw.decode(errors="surrogateescape")
    spelled = _PRIVATE.sub(lambda own: own[0].encode().decode("ascii", "surrogateescape"), text)
    return spelled.translate(_LETTER_OF)


def _bytes(text: str) -> bytes:
    return text.translate(_BYTE_OF).encode(errors="surrogateescape")


def mark_of(texts: dict[str, str | None]) -> str:
    """Give a hash of some files' contents."""
    return hashlib.sha256(json.dumps(texts, sort_keys=True).encode()).hexdigest()


def _put(host: Path, name: str, text: str | None) -> None:
    """Replace a file whole; a crash leaves the old or the new one."""
    path = inside(host, name)
    if text is None:
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
    beside = path.with_name(f".{path.name}.new")
    with beside.open("wb") as stream:
        stream.write(_bytes(text))
        stream.flush()
        os.fsync(stream.fileno())
    beside.chmod(mode)
    beside.replace(path)


def _save(host: Path, entry: Entry) -> None:
    folder = _folder(host, entry.key)
    folder.mkdir(parents=True, exist_ok=True)
    beside = folder / "change.json.new"
    with beside.open("w", encoding="utf-8") as stream:
        json.dump(asdict(entry), stream, indent=2)
        stream.flush()
        os.fsync(stream.fileno())
    beside.replace(folder / "change.json")


def _mark(host: Path, entry: Entry, state: str) -> Entry:
    marked = replace(entry, state=state)
    _save(host, marked)
    return marked


def _load(path: Path) -> Entry:
    return Entry(**json.loads(path.read_text(encoding="utf-8")))


def _folder(host: Path, key: str) -> Path:
    if not key.isalnum():
        raise Refused("a change is named by letters and digits")
    return host / LEDGER / key
