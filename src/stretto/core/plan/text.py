"""Text of documents, without any library: where things stand in JSON, and the plain part of YAML read fast.

`read_plain` reads the YAML that most plans are written in and gives up on anything else. Whatever it reads, it
reads as a full YAML 1.2 parser does (a property test holds them together); what it gives up on is no error.
"""

import json
import re
from bisect import bisect_right
from typing import Any

from stretto.core.domain import Json
from stretto.core.plan.diagnostics import under

Places = dict[str, tuple[int, int]]
"""Line and column, both from 1, by path."""

DEEPEST = 200

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_NUMBER = re.compile(
    r"(?P<int>[-+]?[0-9]+)|(?P<oct>0o[0-7]+)|(?P<hex>0x[0-9a-fA-F]+)"
    r"|(?P<float>[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?)"
    r"|(?P<no>[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))"
)

_TOKEN = re.compile(r'[ \t\n\r]*(?:("[^"\\]*(?:\\.[^"\\]*)*")|([{}\[\],:])|([^\s{}\[\],:"]+))')

_PRINTABLE = re.compile("[\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]*")
_FIRST = r"(?:[A-Za-z0-9_./()^$+~=<]|-(?=[A-Za-z0-9_.]))"
_PLAIN = rf"{_FIRST}(?:[^\s:#]|:(?=\S)|(?<=\S)#|\x20+(?=[^\s#]))*"
_IN_FLOW = rf"{_FIRST}(?:[^\s:#,\[\]{{}}]|:(?=[^\s,\[\]{{}}])|(?<=\S)#|\x20+(?=[^\s#,\[\]{{}}:]))*"
_QUOTED = r""""(?:[^"\\]|\\["\\nt])*"|'(?:[^']|'')*'"""
_KEY = r"[A-Za-z_][A-Za-z0-9_.-]{0,120}"
_LINE = re.compile(
    rf"(?P<indent>\x20*)(?P<dash>-\x20+(?![-?]\x20))?(?:(?P<key>{_KEY}):(?=\x20|$)\x20*)?"
    rf"(?:(?P<quoted>{_QUOTED})|(?P<plain>{_PLAIN})|(?P<flow>[\[{{].*))?(?P<rest>\x20+#.*|\x20*)"
)
_FLOW = re.compile(rf"\x20*(?:([\[\]{{}},])|({_KEY}):\x20|({_QUOTED})(?=\x20*[,\]}}])|({_IN_FLOW})(?=\x20*[,\]}}]))")


class NotPlain(Exception):
    """This text is none of ours."""


def scalar(text: str) -> Json:
    """Give what an unquoted YAML scalar stands for (1.2, core schema); raises ValueError for what JSON lacks."""
    if text in _NULL:
        return None
    if text in _BOOL:
        return _BOOL[text]
    match = _NUMBER.fullmatch(text) if text[0] in "+-.0123456789" else None
    if match is None:
        return text
    if match["int"]:
        return int(text)
    if match["oct"] or match["hex"]:
        return int(text, 0)
    if match["no"] or (value := float(text)) in (float("inf"), float("-inf")):
        raise ValueError(f"{text[:40]} is not a finite number")
    return value


def json_places(text: str) -> tuple[Places, tuple[str, int, int] | None]:
    """Give where every part of a JSON text stands, and the first key that an object has twice, with its place."""
    found: Places = {}
    starts = [0, *(match.end() for match in re.finditer("\n", text))]
    doubled: tuple[str, int, int] | None = None
    # A frame is the path of a container and the number of its next item, or the keys that it has so far.
    frames: list[tuple[str, list[int] | set[str]]] = []
    path, wants_key = "", False
    for match in _TOKEN.finditer(text):
        mark = match[2]
        here, inside = frames[-1] if frames else ("", None)
        if mark == ",":
            if isinstance(inside, list):
                inside[0] += 1
            wants_key = isinstance(inside, set)
        elif mark in ("}", "]"):
            if frames:
                frames.pop()
            wants_key = False
        elif mark != ":":
            at = match.start(match.lastindex or 0)
            line = bisect_right(starts, at)
            place = line, at - starts[line - 1] + 1
            if wants_key and isinstance(inside, set) and match[1]:
                key = _json_key(match[1])
                path, wants_key = under(here, key), False
                found.setdefault(path, place)
                if key in inside and doubled is None:
                    doubled = key, *place
                inside.add(key)
                continue
            if isinstance(inside, list):
                path = under(here, inside[0])
            if not isinstance(inside, set):
                found.setdefault(path, place)
            if mark is not None:
                frames.append((path, set() if mark == "{" else [0]))
                wants_key = mark == "{"
    return found, doubled


def read_plain(text: str, places: Places | None = None) -> Json:
    """Read block YAML of plain keys with plain, quoted or one-line flow values; raises NotPlain for anything else.

    With `places` it notes where every part stands.
    """
    text = text.replace("\r\n", "\n")
    if not _PRINTABLE.fullmatch(text):
        raise NotPlain
    return _Block(places).read(text)


class _Block:
    """Reads line by line. A level is (indent, container, path); `_empty` is an entry whose value may follow."""

    def __init__(self, places: Places | None) -> None:
        self._places = places
        self._levels: list[tuple[int, Any, str]] = []
        self._empty: tuple[dict[str, Json], str, int] | None = None

    def read(self, text: str) -> Json:
        root: dict[str, Json] | None = None
        for number, line in enumerate(text.split("\n"), 1):
            stripped = line.lstrip(" ")
            if not stripped or stripped[0] == "#":
                continue
            match = _LINE.fullmatch(line)
            if match is None:
                raise NotPlain
            indent, key = len(match["indent"]), match["key"]
            if root is None:
                if indent or match["dash"] or key is None:
                    raise NotPlain
                root = {}
                self._levels.append((0, root, ""))
                self._note("", number, 0)
            if match["dash"]:
                indent = self._item(match, indent, number)
                if key is None:
                    continue
            elif key is None:
                raise NotPlain
            else:
                self._descend(indent)
            self._entry(match, key, indent, number)
        if root is None:
            raise NotPlain
        return root

    def _item(self, match: re.Match[str], indent: int, number: int) -> int:
        """Begin an item of a list; gives the indent of what stands in it."""
        if self._empty is not None:
            holder, name, outer = self._empty
            if indent >= outer:  # a list may stand as far left as the key it belongs to
                fresh: list[Json] = []
                holder[name] = fresh
                self._push(indent, fresh, under(self._levels[-1][2], name))
            self._empty = None
        while self._levels[-1][0] > indent or (
            self._levels[-1][0] == indent and isinstance(self._levels[-1][1], dict) and len(self._levels) > 1
        ):
            self._levels.pop()
        at, items, path = self._levels[-1]
        if at != indent or not isinstance(items, list):
            raise NotPlain
        inner = match.end("dash")
        place = under(path, len(items)) if self._places is not None else ""
        self._note(place, number, inner)
        if match["key"] is not None:
            entry: dict[str, Json] = {}
            items.append(entry)
            self._push(inner, entry, place)
        else:
            items.append(self._value(match, place, number))
        return inner

    def _descend(self, indent: int) -> None:
        """Find the mapping that an entry at this indent belongs to."""
        if self._empty is not None:
            holder, name, outer = self._empty
            if indent > outer:
                fresh: dict[str, Json] = {}
                holder[name] = fresh
                path = under(self._levels[-1][2], name) if self._places is not None else ""
                self._push(indent, fresh, path)
            self._empty = None
        while self._levels[-1][0] > indent or (self._levels[-1][0] == indent and isinstance(self._levels[-1][1], list)):
            self._levels.pop()
        if self._levels[-1][0] != indent:
            raise NotPlain

    def _entry(self, match: re.Match[str], key: str, indent: int, number: int) -> None:
        _, holder, path = self._levels[-1]
        if key in holder:
            raise NotPlain  # the full parser says so, with its place
        place = ""
        if self._places is not None:
            place = under(path, key)
            self._note(place, number, match.start("key"))
        if match["quoted"] is None and match["plain"] is None and match["flow"] is None:
            holder[key] = None
            self._empty = (holder, key, indent)
        else:
            holder[key] = self._value(match, place, number)

    def _value(self, match: re.Match[str], path: str, number: int) -> Json:
        if match["plain"] is not None:
            return _scalar(match["plain"])
        if match["quoted"] is not None:
            return _unquoted(match["quoted"])
        if match["flow"] is not None:
            return self._flow(match["flow"], match.start("flow"), path, number)
        raise NotPlain

    def _flow(self, text: str, offset: int, path: str, number: int) -> Json:
        """Read `{...}` or `[...]` on one line, by a table of what may follow what."""
        root: list[Json] = []
        levels: list[tuple[Any, str]] = [(root, "")]
        at, key, expects_value = 0, "", True
        while True:
            match = _FLOW.match(text, at)
            if match is None:
                raise NotPlain
            at = match.end()
            mark, name = match[1], match[2]
            holder, here = levels[-1]
            mapping = isinstance(holder, dict)
            if name is not None:
                if not mapping or expects_value or name in holder:
                    raise NotPlain
                key, expects_value = name, True
                if self._places is not None:
                    self._note(under(here, name), number, offset + match.start(2))
                continue
            if mark == ",":
                if expects_value or holder is root:
                    raise NotPlain
                expects_value = not mapping
                continue
            if mark in ("]", "}"):
                # An empty container may close at once, a trailing comma is left to the full parser.
                if (mark == "}") is not mapping or (expects_value and holder) or (mapping and expects_value):
                    raise NotPlain
                levels.pop()
                expects_value = False
                if len(levels) == 1:
                    break
                continue
            if not expects_value:
                raise NotPlain
            below = path if holder is root else ""
            if self._places is not None and holder is not root:
                below = under(here, key if mapping else len(holder))
                if not mapping:
                    self._note(below, number, offset + match.start(match.lastindex or 0))
            value: Json = {} if mark == "{" else [] if mark == "[" else None
            if mark is None:
                value = _unquoted(match[3]) if match[3] is not None else _scalar(match[4])
            if mapping:
                holder[key] = value
            else:
                holder.append(value)
            expects_value = False
            if mark is not None:
                if len(levels) > DEEPEST:
                    raise NotPlain
                levels.append((value, below))
                expects_value = mark == "["
        if not re.fullmatch(r"\x20*(?:\x20#.*)?", text[at:]):
            raise NotPlain
        return root[0]

    def _push(self, indent: int, container: Any, path: str) -> None:
        if len(self._levels) > DEEPEST:
            raise NotPlain
        self._levels.append((indent, container, path))

    def _note(self, path: str, line: int, column: int) -> None:
        if self._places is not None:
            self._places.setdefault(path, (line, column + 1))


def _scalar(text: str) -> Json:
    try:
        return scalar(text)
    except ValueError:
        raise NotPlain from None


_ESCAPES = {'\\"': '"', "\\\\": "\\", "\\n": "\n", "\\t": "\t"}


def _unquoted(text: str) -> str:
    if text[0] == "'":
        return text[1:-1].replace("''", "'")
    if "\\" not in text:
        return text[1:-1]
    return re.sub(r'\\["\\nt]', lambda match: _ESCAPES[match[0]], text[1:-1])


def _json_key(text: str) -> str:
    try:
        return str(json.loads(text))
    except ValueError:
        return text[1:-1]
