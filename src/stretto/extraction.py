"""JSON and YAML within other text: answers of models with prose around, Markdown, and texts that break off.

Whatever the text, finding is near linear in its length and bounded in tries, and nothing raises.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from stretto.core.domain import Json

_FENCE = re.compile(
    r"^[ \t]*(`{3,}|~{3,})[ \t]*([\w+-]*)[^\n]*\n(.*?)(?:^[ \t]*\1[ \t]*$|\Z)", re.MULTILINE | re.DOTALL
)
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*(?:"|\\?\Z)|[{}\[\],:]|[^\s{}\[\],:"]+', re.DOTALL)
_TRIES = 200
_DEEPEST = 200
_DECODER = json.JSONDecoder()


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A value found in a text: where it begins and ends, and where it broke off, if it did.

    `broken` is the path of the innermost part that was still open (`tasks[3].inputs`; the whole is no text).
    """

    value: Json
    start: int
    end: int
    broken: str | None = None


def fences(text: str) -> Iterator[tuple[int, str, str]]:
    """Give the fenced code of a Markdown text: where its content begins, its language and its content."""
    for match in _FENCE.finditer(text):
        yield match.start(3), match[2].lower(), match[3]


def pieces(text: str) -> Iterator[Piece]:
    """Give the JSON objects and lists of objects in a text, in their order; the last may break off.

    After `_TRIES` brackets that begin no JSON nobody looks any further.
    """
    at = failed = 0
    while failed < _TRIES and (start := _next(text, at)) is not None:
        try:
            value, end = _DECODER.raw_decode(text, start)
        except RecursionError:
            return
        except ValueError:
            if _ends_within(text, start) and (piece := _completed(text, start)) is not None:
                yield piece
                return
            at, failed = start + 1, failed + 1
            continue
        if isinstance(value, dict) or any(isinstance(one, dict) for one in value):
            yield Piece(value=value, start=start, end=end)
        at = end


def _next(text: str, at: int) -> int | None:
    found = [one for one in (text.find("{", at), text.find("[", at)) if one >= 0]
    return min(found) if found else None


def _ends_within(text: str, start: int) -> bool:
    """Whether the text ends inside of what begins here: its brackets never close."""
    depth = 0
    for match in _TOKEN.finditer(text, start):
        mark = match[0]
        depth += (mark in "{[") - (mark in "}]")
        if depth <= 0 or depth > _DEEPEST:
            return False
    return True


def _completed(text: str, start: int) -> Piece | None:
    """Close what breaks off behind the last value that is surely whole; a number at the very end may go on."""
    closers: list[str] = []
    path: list[str | int] = []
    safe, closing, broken = start, "", ""
    expects_key, key = False, ""
    for match in _TOKEN.finditer(text, start):
        mark = match[0]
        if mark in ("{", "["):
            if len(closers) >= _DEEPEST:
                return None
            if closers and closers[-1] == "}":
                path[-1] = key
            closers.append("}" if mark == "{" else "]")
            path.append("" if mark == "{" else 0)
            expects_key = mark == "{"
        elif mark in ("}", "]"):
            closers.pop()
            path.pop()
            if not closers:
                return None
            expects_key = False
        elif mark == ",":
            expects_key = bool(closers) and closers[-1] == "}"
            if path and isinstance(path[-1], int):
                path[-1] += 1
            continue
        elif mark == ":":
            continue
        elif match.end() == len(text) and not _is_whole(mark):
            break
        elif expects_key:
            key, expects_key = mark.strip('"'), False
            continue
        safe, closing, broken = match.end(), "".join(reversed(closers)), _path(path)
    try:
        return Piece(value=json.loads(text[start:safe] + closing), start=start, end=len(text), broken=broken)
    except (ValueError, RecursionError):
        return None


def _is_whole(mark: str) -> bool:
    """Whether the last word of a text is surely whole: a text whose quotes close, and no number or name."""
    try:
        return isinstance(json.loads(mark), str)
    except ValueError:
        return False


def _path(path: list[str | int]) -> str:
    """Give the path of the innermost open part: of every part around it the place that is being written."""
    said = ""
    for one in path[:-1]:
        said += f"[{one}]" if isinstance(one, int) else f".{one}" if said else one
    return said
