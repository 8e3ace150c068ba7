"""Files that people write: JSON and YAML into plain values, and the line and column of every part of them."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from stretto.core.domain import Json
from stretto.core.plan.diagnostics import Diagnostic, diagnose

LARGEST = 50 * 1024 * 1024
LARGEST_WITH_PLACES = 2 * 1024 * 1024


class Unreadable(Exception):
    """A file cannot be read as a document; `diagnostic` says why and where."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        self.diagnostic = diagnostic
        super().__init__(str(diagnostic))


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A file's value. `places` gives (line, column), both from 1, of a path like `tasks.fix.inputs`."""

    name: str
    value: Json
    places: Callable[[], dict[str, tuple[int, int]]] = field(default=dict)

    def where(self, path: str) -> str:
        """Give `file:line:column` of a path, or of the nearest part above it that is in the file."""
        places = self.places()
        here = path
        while here and here not in places:
            cut = max(here.rfind("."), here.rfind("["))
            here = here[:cut] if cut > 0 else ""
        if here in places:
            line, column = places[here]
            return f"{self.name}:{line}:{column}"
        return self.name

    def placed(self, diagnostics: list[Diagnostic]) -> list[Diagnostic]:
        """Give diagnostics with their place in the file."""
        return [
            replace(one, where=f"{self.where(one.path)} ({one.path})" if one.path else self.where(""))
            for one in diagnostics
        ]


def read_document(path: Path, *, largest: int = LARGEST) -> Document:
    """Read a JSON or YAML file; raises Unreadable for whatever is wrong with it."""
    name = str(path)
    try:
        size = path.stat().st_size
        if size > largest:
            raise Unreadable(_said("too-large", name, f"{size} bytes; the limit is {largest}", "Split it."))
        raw = path.read_bytes()
    except OSError as error:
        raise Unreadable(
            _said("unreadable", name, error.strerror or str(error), "Check the path and its rights.")
        ) from None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise Unreadable(
            _said("unreadable", f"{name}:{line}:1", "this is not UTF-8 text", "Save it as UTF-8.")
        ) from None
    return parse_document(text, name, is_json=path.suffix.lower() == ".json")


def parse_document(text: str, name: str, *, is_json: bool = False) -> Document:
    """Parse JSON or YAML; raises Unreadable."""
    if is_json or text.lstrip()[:1] in ("{", "["):
        try:
            value = json.loads(text, object_pairs_hook=_no_doubles, parse_constant=_no_constant)
        except json.JSONDecodeError as error:
            if is_json or text.lstrip().startswith('{"'):
                place = f"{name}:{error.lineno}:{error.colno}"
                raise Unreadable(_said("unreadable", place, f"not JSON: {error.msg}", _mend(text))) from None
        except _Doubled as error:
            place = f"{name}:{_line_of_double(text, str(error))}:1"
            raise Unreadable(
                _said("unreadable", place, f"the key {str(error)!r} is there twice", "Rename one.")
            ) from None
        except ValueError as error:
            raise Unreadable(_said("unreadable", name, str(error), "Write a finite number.")) from None
        except RecursionError:
            raise Unreadable(_said("too-large", name, "nested too deeply", "Flatten it.")) from None
        else:
            return Document(name=name, value=value, places=_lazily(text))
    value, places = _yaml(text, name)
    return Document(name=name, value=value, places=lambda: places)


class _Doubled(Exception):
    pass


def _no_doubles(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _Doubled(key)
            seen.add(key)
    return found


def _no_constant(text: str) -> Json:
    raise ValueError(f"{text} is not a JSON number")


def _line_of_double(text: str, key: str) -> int:
    marked = json.dumps(key, ensure_ascii=False)
    return text[: text.rfind(marked)].count("\n") + 1


def _mend(text: str) -> str:
    opened = text.count("{") + text.count("[") > text.count("}") + text.count("]")
    return "It seems to break off before its end." if opened else "Mend the text at this place."


def _lazily(text: str) -> Callable[[], dict[str, tuple[int, int]]]:
    """Find places only when somebody asks: JSON is YAML, and its reader knows lines."""
    found: dict[str, tuple[int, int]] = {}

    def places() -> dict[str, tuple[int, int]]:
        if not found and len(text) <= LARGEST_WITH_PLACES:
            try:
                found.update(_yaml(text.replace("\t", " "), "")[1])
            except Unreadable:
                found[""] = (1, 1)
        return found

    return places


def _yaml(text: str, name: str) -> tuple[Json, dict[str, tuple[int, int]]]:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    reader = YAML(typ="rt")
    reader.allow_duplicate_keys = False
    try:
        raw = reader.load(text)
        places: dict[str, tuple[int, int]] = {}
        return _plain(raw, "", places, 0), places
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else name
        problem = (error.problem or "not YAML").split("\n")[0]
        mend = "Rename one of the two." if "duplicate key" in problem else "Mend the text at this place."
        raise Unreadable(_said("unreadable", place, f"not YAML: {problem}", mend)) from None
    except RecursionError:
        raise Unreadable(_said("too-large", name, "nested too deeply", "Flatten it.")) from None
    except (YAMLError, ValueError, AttributeError, AssertionError, LookupError, TypeError) as error:
        problem = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise Unreadable(_said("unreadable", name, f"not YAML: {problem}", "Mend the text.")) from None


def _plain(value: Any, path: str, places: dict[str, tuple[int, int]], depth: int) -> Json:
    """Give plain values out of ruamel's, and note where each stood."""
    if depth > 200 or len(places) > 1_000_000:
        raise RecursionError
    place = getattr(value, "lc", None)
    if isinstance(value, dict):
        found = {}
        if place is not None and path == "":
            places[""] = (place.line + 1, place.col + 1)
        for key, inner in value.items():
            below = f"{path}.{key}" if path else str(key)
            if place is not None and place.data and key in place.data:
                line, column = place.data[key][:2]
                places[below] = (line + 1, column + 1)
            found[str(key)] = _plain(inner, below, places, depth + 1)
        return found
    if isinstance(value, list | tuple | set):
        items = []
        for number, inner in enumerate(value):
            below = f"{path}[{number}]"
            if place is not None and place.data and number in place.data:
                line, column = place.data[number][:2]
                places[below] = (line + 1, column + 1)
            items.append(_plain(inner, below, places, depth + 1))
        return items
    match value:
        case None | bool():
            return value
        case int():
            return int(value)
        case float():
            if value != value or value in (float("inf"), float("-inf")):
                raise ValueError(f"{path}: {value} is not a JSON number")
            return float(value)
        case str():
            return str(value)
        case datetime() | date():
            return value.isoformat()
    inner = getattr(value, "value", value)
    if inner is value:
        return bool(value) if type(value).__name__ == "ScalarBoolean" else str(value)
    raise ValueError(f"{path}: a value with a tag of its own is not allowed here")


def _said(code: str, where: str, message: str, mend: str) -> Diagnostic:
    return replace(diagnose(code, "", message, mend), where=where)
