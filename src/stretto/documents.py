"""Files that people write: JSON and YAML into plain values, and the line and column of every part of them.

Whatever is in a file, the answer is a value of bounded size or `Unreadable`. YAML is version 1.2 with its core
schema; keys are text as written; tags of programming languages, cycles and doubled keys are refused.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from io import StringIO
from pathlib import Path
from typing import Any, NoReturn

from stretto.core.domain import Json
from stretto.core.plan.diagnostics import Diagnostic, diagnose, shown, under
from stretto.core.plan.text import DEEPEST, NotPlain, Places, json_places, read_plain, scalar

LARGEST = 50 * 1024 * 1024
LARGEST_FULL_YAML = 2 * 1024 * 1024
"""What the full YAML parser takes: it reads about 150 KB a second. Plain block YAML and JSON go up to `LARGEST`."""
MOST_VALUES = 2_000_000

_CORE = "tag:yaml.org,2002:"
_WANTED: dict[str, tuple[type, ...]] = {
    "int": (int,),
    "float": (float, int),
    "bool": (bool,),
    "null": (type(None),),
}


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
    places: Callable[[], Places] = field(default=dict)

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
    return parse_document(read_text(path, largest=largest), str(path), is_json=path.suffix.lower() == ".json")


def read_text(path: Path, *, largest: int = LARGEST) -> str:
    """Read a file of UTF-8 text; raises Unreadable when it cannot be read, is too large, or is not such text."""
    name = str(path)
    try:
        with path.open("rb") as file:
            raw = file.read(largest + 1)  # a device or a pipe does not tell its size
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise Unreadable(_said("unreadable", name, reason, "Check the path and its rights.")) from None
    if len(raw) > largest:
        raise Unreadable(_said("too-large", name, f"more than {largest} bytes", "Split it."))
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start]
        column = len(before[before.rfind(b"\n") + 1 :].decode(errors="replace")) + 1
        line = before.count(b"\n") + 1
        raise Unreadable(
            _said("unreadable", f"{name}:{line}:{column}", "this is not UTF-8 text", "Save it as UTF-8.")
        ) from None


def yaml_text(value: Json) -> str:
    """Give a value as YAML that `parse_document` reads as the same value."""
    from ruamel.yaml import YAML  # loading takes a tenth of a second: only what writes YAML pays for it

    out = StringIO()
    writer = YAML(typ="safe", pure=True)
    writer.default_flow_style = False
    writer.width = 110
    writer.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    writer.representer.add_representer(str, _written)
    writer.dump(value, out)
    return out.getvalue()


def _written(representer: Any, text: str) -> Any:
    """Write a text as it is where all of it shows, else in quotes, with escapes: some line ends would be folded."""
    style = None if text.isprintable() else '"'
    return representer.represent_scalar(f"{_CORE}str", text, style=style)


def parse_document(text: str, name: str, *, is_json: bool = False) -> Document:
    """Parse JSON or YAML; raises Unreadable."""
    if is_json:
        return _json(text, name)
    if text.lstrip()[:1] not in ("{", "["):
        return _yaml(text, name)
    try:
        return _json(text, name)
    except Unreadable as error:
        # Flow YAML begins like JSON; what is neither is told as what it looks like.
        looks_like_json = text.lstrip().startswith(('{"', "[{", '{\n  "'))
        if error.diagnostic.code == "too-large" or "twice" in error.diagnostic.message:
            raise
        try:
            return _yaml(text, name)
        except Unreadable:
            if looks_like_json:
                raise error from None
            raise


def _json(text: str, name: str) -> Document:
    def refuse(message: str, mend: str, place: str = "") -> NoReturn:
        raise Unreadable(_said("unreadable", f"{name}{place}", message, mend)) from None

    try:
        value = json.loads(text, object_pairs_hook=_no_doubles, parse_constant=_no_constant, parse_float=_finite)
    except json.JSONDecodeError as error:
        refuse(f"not JSON: {error.msg}", _mend(text), f":{error.lineno}:{error.colno}")
    except _Doubled as error:
        doubled = json_places(text)[1]
        place = f":{doubled[1]}:{doubled[2]}" if doubled else ""
        refuse(f"the key {shown(doubled[0] if doubled else str(error))} is there twice", "Rename one.", place)
    except ValueError as error:
        number = str(error).partition("#")[2]
        line, column = _line_column(text, text.find(number)) if number else (1, 1)
        refuse(str(error).partition("#")[0], "Write a finite number.", f":{line}:{column}" if number else "")
    except RecursionError:
        raise Unreadable(_said("too-large", name, "nested too deeply", "Flatten it.")) from None
    return Document(name=name, value=value, places=_once(lambda: _with_ids(json_places(text)[0], value)))


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
    raise ValueError(f"{text} is not a JSON number#{text}")


def _finite(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise ValueError(f"{text[:40]} is not a finite number#{text}")
    return value


def _mend(text: str) -> str:
    opened = text.count("{") + text.count("[") > text.count("}") + text.count("]")
    return "It seems to break off before its end." if opened else "Mend the text at this place."


def _line_column(text: str, at: int) -> tuple[int, int]:
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)


def _once(make: Callable[[], Places]) -> Callable[[], Places]:
    """Make it only when somebody asks, and once."""
    made: list[Places] = []

    def places() -> Places:
        if not made:
            made.append(make())
        return made[0]

    return places


def _with_ids(places: Places, value: Json) -> Places:
    """Let tasks be found by their ids as well: in a list by `tasks[3]` and `tasks.fix`."""
    tasks = value.get("tasks") if isinstance(value, dict) else None
    pairs: Iterator[tuple[Any, Json]] = iter(())
    if isinstance(tasks, list):
        pairs = ((f"tasks[{number}]", one) for number, one in enumerate(tasks))
    elif isinstance(tasks, dict):
        pairs = ((under("tasks", key), one) for key, one in tasks.items())
    named: dict[str, str] = {}
    for path, one in pairs:
        id_ = one.get("id") if isinstance(one, dict) else None
        if isinstance(id_, str) and f"tasks.{id_}" != path:
            named.setdefault(path, f"tasks.{id_}")
    if not named:
        return places
    found = dict(places)
    for path, place in places.items():
        cut = min((at for at in (path.find(".", 6), path.find("[", 6)) if at > 0), default=len(path))
        head = path[:cut] if path.startswith("tasks.") else path[: path.find("]") + 1]
        if head in named:
            found.setdefault(named[head] + path[len(head) :], place)
    return found


def _yaml(text: str, name: str) -> Document:
    try:
        value = read_plain(text)
    except NotPlain:
        pass
    else:

        def places() -> Places:
            found: Places = {}
            read_plain(text, found)
            return _with_ids(found, value)

        return Document(name=name, value=value, places=_once(places))
    if len(text) > LARGEST_FULL_YAML:
        mend = "Write it as JSON, or as plain block YAML: no anchors, tags, multi-line texts or flow over many lines."
        raise Unreadable(_said("too-large", name, f"more than {LARGEST_FULL_YAML} characters of full YAML", mend))
    value, found = _Composer(name).read(text)
    return Document(name=name, value=value, places=_once(lambda: _with_ids(found, value)))


@dataclass(slots=True, kw_only=True)
class _Frame:
    """A mapping or list under construction; `size` and `height` count what it holds, aliases unfolded."""

    value: Any
    path: str
    mark: Any
    anchor: str | None
    key: str | None = None
    merged: list[dict[str, Json]] = field(default_factory=list)
    merging: bool = False
    size: int = 1
    height: int = 1


class _Composer:
    """Puts a document together from the parser's events, without recursion and within bounds."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._places: Places = {}
        self._frames: list[_Frame] = []
        self._anchors: dict[str, tuple[Json, int, int] | None] = {}
        self._root: Json = None

    def read(self, text: str) -> tuple[Json, Places]:
        """Give the value and the places of its parts; raises Unreadable."""
        from ruamel.yaml import YAML  # loading takes a tenth of a second: only what is not plain pays for it
        from ruamel.yaml.error import MarkedYAMLError, YAMLError

        try:
            documents = 0
            for event in YAML(typ="safe", pure=True).parse(text):
                kind = type(event).__name__
                if kind == "DocumentStartEvent":
                    documents += 1
                    if documents > 1:
                        self._refuse(event.start_mark, "there is more than one document", "Keep one, without `---`.")
                else:
                    self._take(kind, event)
        except MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            problem = (error.problem or error.context or "not YAML").split("\n")[0]
            self._refuse(mark, f"not YAML: {problem}", "Mend the text at this place.")
        except RecursionError:
            self._too_large("nested too deeply")
        except (YAMLError, ValueError, AttributeError, AssertionError, LookupError, TypeError) as error:
            problem = str(error).splitlines()[0] if str(error) else type(error).__name__
            at = getattr(error, "position", None)
            line, column = _line_column(text, at) if isinstance(at, int) else (1, 1)
            place = f"{self._name}:{line}:{column}"
            raise Unreadable(_said("unreadable", place, f"not YAML: {problem}", "Mend the text.")) from None
        return self._root, self._places

    def _take(self, kind: str, event: Any) -> None:
        match kind:
            case "ScalarEvent":
                frame = self._frames[-1] if self._frames else None
                if frame is not None and isinstance(frame.value, dict) and frame.key is None and not frame.merging:
                    self._key(frame, event)
                else:
                    self._put(event, self._scalar(event), 1, 0, event.anchor)
            case "MappingStartEvent" | "SequenceStartEvent":
                self._open({} if kind[0] == "M" else [], event, "map" if kind[0] == "M" else "seq")
            case "MappingEndEvent" | "SequenceEndEvent":
                frame = self._frames.pop()
                for one in reversed(frame.merged):
                    frame.value.update({key: inner for key, inner in one.items() if key not in frame.value})
                self._put(frame, frame.value, frame.size, frame.height, frame.anchor)
            case "AliasEvent":
                self._alias(event)

    def _key(self, frame: _Frame, event: Any) -> None:
        tag = self._tag(event)
        if tag not in (None, "!", f"{_CORE}str"):
            self._refuse(event.start_mark, f"the tag {shown(tag)} is not allowed here", "Remove it.")
        key = str(event.value)
        if key == "<<" and event.style is None and tag is None:
            frame.merging = True
            return
        if key in frame.value:
            self._refuse(event.start_mark, f"the key {shown(key)} is there twice", "Rename one of the two.")
        if event.anchor:
            self._anchors[event.anchor] = key, 1, 0
        frame.key = key
        self._note(under(frame.path, key), event.start_mark)

    def _open(self, value: Any, event: Any, kind: str) -> None:
        frame = self._frames[-1] if self._frames else None
        if frame is not None and isinstance(frame.value, dict) and frame.key is None and not frame.merging:
            self._refuse(event.start_mark, "a key is text, not a mapping or list", "Write `name: value`.")
        tag = self._tag(event)
        if tag not in (None, "!", _CORE + kind):
            self._refuse(event.start_mark, f"the tag {shown(tag)} is not allowed here", "Remove it.")
        if len(self._frames) >= DEEPEST:
            self._too_large(f"nested more than {DEEPEST} levels deep", event.start_mark)
        if event.anchor:
            self._anchors[event.anchor] = None
        path = self._below(frame)
        if frame is None or isinstance(frame.value, list):
            self._note(path, event.start_mark)
        self._frames.append(_Frame(value=value, path=path, mark=event.start_mark, anchor=event.anchor))

    def _alias(self, event: Any) -> None:
        frame = self._frames[-1] if self._frames else None
        if event.anchor not in self._anchors:
            self._refuse(event.start_mark, f"there is no anchor {shown(event.anchor)} before", "Define it before.")
        known = self._anchors[event.anchor]
        if known is None:
            self._refuse(event.start_mark, f"{shown(event.anchor)} would hold itself", "Write it out.")
        if frame is not None and isinstance(frame.value, dict) and frame.key is None and not frame.merging:
            self._refuse(event.start_mark, "a key is text, not an alias", "Write the key itself.")
        value, size, height = known
        self._put(event, value, size, height, None)

    def _put(self, event: Any, value: Json, size: int, height: int, anchor: str | None) -> None:
        """Put a finished value where it belongs."""
        mark = event.mark if isinstance(event, _Frame) else event.start_mark
        if anchor:
            self._anchors[anchor] = value, size, height
        if not self._frames:
            self._root = value
            self._note("", mark)
            return
        frame = self._frames[-1]
        frame.size += size
        frame.height = max(frame.height, height + 1)
        if frame.size > MOST_VALUES:
            self._too_large(f"more than {MOST_VALUES} values, aliases unfolded", mark)
        if len(self._frames) + height > DEEPEST:
            self._too_large(f"nested more than {DEEPEST} levels deep, aliases unfolded", mark)
        if isinstance(frame.value, list):
            self._note(self._below(frame), mark)
            frame.value.append(value)
        elif frame.merging:
            frame.merging = False
            several = value if isinstance(value, list) else [value]
            if not all(isinstance(one, dict) for one in several):
                self._refuse(mark, "`<<` takes a mapping or a list of mappings", "Write `<<: *anchor`.")
            frame.merged += reversed(several)
        else:
            frame.value[frame.key] = value
            frame.key = None

    def _scalar(self, event: Any) -> Json:
        tag = self._tag(event)
        if tag is None:
            if event.style is not None:
                return str(event.value)
        elif tag in ("!", f"{_CORE}str"):
            return str(event.value)
        elif tag.removeprefix(_CORE) not in _WANTED:
            self._refuse(event.start_mark, f"the tag {shown(tag)} is not allowed here", "Remove it.")
        try:
            value = scalar(str(event.value))
        except ValueError as error:
            self._refuse(event.start_mark, str(error), "Write a finite number.")
        if tag is not None:
            wanted = _WANTED[tag.removeprefix(_CORE)]
            if not isinstance(value, wanted) or (isinstance(value, bool) and bool not in wanted):
                self._refuse(event.start_mark, f"{shown(event.value)} is not what its tag says", "Remove the tag.")
        return value

    def _tag(self, event: Any) -> str | None:
        tag = event.tag
        return None if tag is None else str(tag)

    def _below(self, frame: _Frame | None) -> str:
        if frame is None:
            return ""
        if isinstance(frame.value, list):
            return under(frame.path, len(frame.value))
        return under(frame.path, frame.key if frame.key is not None else "<<")

    def _note(self, path: str, mark: Any) -> None:
        self._places.setdefault(path, (mark.line + 1, mark.column + 1))

    def _refuse(self, mark: Any, message: str, mend: str) -> NoReturn:
        place = f"{self._name}:{mark.line + 1}:{mark.column + 1}" if mark is not None else self._name
        raise Unreadable(_said("unreadable", place, message, mend)) from None

    def _too_large(self, message: str, mark: Any = None) -> NoReturn:
        place = f"{self._name}:{mark.line + 1}:{mark.column + 1}" if mark is not None else self._name
        raise Unreadable(_said("too-large", place, message, "Flatten or split it.")) from None


def _said(code: str, where: str, message: str, mend: str) -> Diagnostic:
    return replace(diagnose(code, "", message, mend), where=where)
