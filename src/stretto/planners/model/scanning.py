"""Reads a plan out of text that comes in pieces: each part of it is handed out at its closing brace. Never raises.

JSON is taken out of whatever stands around it: prose, fences, thinking aloud. One pass over the text, and memory only
for what is still open. Commas are read as space, so that one too many or too few does no harm; keys may go without
quotes, and Python's way of writing values is understood. What cannot be read is a part too, with its place.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from stretto.core.domain import Json

LISTS = frozenset({"tasks", "steps", "plan"})
"""Keys whose value holds the tasks of a plan."""
WRAPPERS = frozenset({"plan", "result", "output", "response", "answer"})
"""Keys under which the whole plan may stand."""
DEEPEST = 40
LARGEST = 4_000_000
"""Characters of an answer that are read."""
_LONGEST_WORD = 400
_MOST_BROKEN = 100

_OUTSIDE = re.compile(r"[{\[]|<think(?:ing)?>", re.IGNORECASE)
_THOUGHT = re.compile(r"</think(?:ing)?>", re.IGNORECASE)
_LONGEST_MARK = len("</thinking>")
_TOKEN = re.compile(r"[\s,]+|[{}\[\]:\"']|[^\s,{}\[\]:\"']+")
_WORD = re.compile(r"[^\s,{}\[\]:\"']+")
_KEY = re.compile(r"[A-Za-z_]\w*")
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?")
_NAMED: dict[str, Json] = {"true": True, "false": False, "null": None, "True": True, "False": False, "None": None}
_ENDS = {quote: re.compile(rf"[{quote}\\\\]") for quote in "\"'"}
_ESCAPED = re.compile(r"\\(u[0-9a-fA-F]{4}|.)|\"", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A part of an answer, with its line and column, both from 1.

    A `task` is an element of the plan's tasks (`key` is its name, where they are a mapping), a `field` one of the whole
    plan (`key`), a `line` an object that stands by itself, and `broken` what cannot be read, for a `problem`.
    """

    kind: Literal["task", "field", "line", "broken"]
    line: int
    column: int
    key: str = ""
    value: Json = None
    problem: str = ""
    cut: bool = False  # the answer ends within it


@dataclass(slots=True)
class _Frame:
    """A container that is open. A `plan` is the whole, `tasks` holds its tasks, `skipped` is not read any more."""

    kind: Literal["plan", "tasks", "object", "list", "skipped"]
    value: Any
    line: int
    column: int
    closer: str
    key: str | None = None
    wants: Literal["key", "colon", "value"] = "value"
    has_tasks: bool = False  # of a plan: its tasks have begun, and with them its fields are handed out
    depth: int = 0  # of what is skipped
    problem: str = ""


class Scanner:
    """Feed it text, and take the parts that end in it. However the text is cut, the parts are the same."""

    def __init__(self) -> None:
        self._stack: list[_Frame] = []
        self._thinking = False
        self._held = ""  # of the text outside: what may be the beginning of a mark
        self._quote = ""
        self._string: list[str] = []
        self._escaped = False
        self._word: list[str] = []
        self._line, self._column = 1, 1
        self._begun = 1, 1  # where the text or word stands that is being read
        self._read = 0
        self._broken = 0
        self._found: list[Piece] = []

    def feed(self, text: str) -> list[Piece]:
        """Take some more text; gives the parts that it ends."""
        text = text[: max(LARGEST - self._read, 0)]
        self._read += len(text)
        text, self._held = self._held + text, ""
        at = 0
        while at < len(text):
            then = self._step(text, at)
            if self._held:
                break
            self._advance(text, at, then)
            at = then
        return self._taken()

    def close(self) -> list[Piece]:
        """Say that the text has ended; gives what that ends or leaves broken."""
        self._end_word()
        bottom = self._stack[0] if self._stack else None
        if bottom is not None and (bottom.has_tasks or len(self._stack) > 1 or bottom.value):
            unit = self._unit()
            whole = self._read < LARGEST
            problem = "the answer breaks off in this" if whole else f"the answer has more than {LARGEST:,} characters"
            self._found.append(Piece(kind="broken", line=unit.line, column=unit.column, problem=problem, cut=whole))
        self._stack.clear()
        return self._taken()

    def _taken(self) -> list[Piece]:
        found, self._found = self._found, []
        return found

    def _advance(self, text: str, start: int, end: int) -> None:
        newlines = text.count("\n", start, end)
        self._line += newlines
        self._column = end - text.rfind("\n", start, end) if newlines else self._column + end - start

    # ---- tokens

    def _step(self, text: str, at: int) -> int:
        """Read what stands at a place; gives where to go on."""
        if self._quote:
            return self._in_string(text, at)
        if not self._stack:
            return self._outside(text, at)
        if self._word:
            rest = _WORD.match(text, at)
            if rest is None:
                self._end_word()
                return at
            self._word.append(rest[0])
            return rest.end()
        match = _TOKEN.match(text, at)
        mark = match[0] if match is not None else text[at]
        if mark in ('"', "'"):
            self._quote, self._begun = mark, (self._line, self._column)
        elif mark in ("{", "["):
            self._open(mark)
        elif mark in ("}", "]"):
            self._close(mark)
        elif mark == ":":
            self._colon()
        elif not mark[0].isspace() and mark[0] != ",":
            self._word.append(mark)
            self._begun = self._line, self._column
            if at + len(mark) < len(text):
                self._end_word()
        return at + len(mark)

    def _outside(self, text: str, at: int) -> int:
        """Skip to where a plan may begin, or to the end of a thought."""
        match = (_THOUGHT if self._thinking else _OUTSIDE).search(text, at)
        if match is None:
            begun = text.rfind("<", max(at, len(text) - _LONGEST_MARK))
            if begun >= 0 and begun > at:
                return begun
            if begun == at and len(text) - at < _LONGEST_MARK:
                self._held = text[at:]  # it is read again with what comes next
            return len(text)
        if match[0] not in ("{", "["):
            self._thinking = not self._thinking
            return match.end()
        if match.start() > at:
            return match.start()
        self._open(match[0])
        return match.end()

    def _in_string(self, text: str, at: int) -> int:
        if self._escaped:
            self._escaped = False
            self._string.append(text[at])
            return at + 1
        match = _ENDS[self._quote].search(text, at)
        end = match.start() if match is not None else len(text)
        self._string.append(text[at:end])
        if match is None:
            return end
        if text[end] == "\\":
            self._string.append("\\")
            self._escaped = True
            return end + 1
        raw, quote = "".join(self._string), self._quote
        self._string, self._quote = [], ""
        if self._stack and self._stack[-1].kind != "skipped":
            try:
                self._scalar(_text(raw, quote))
            except ValueError:
                self._break("a text that cannot be read")
        return end + 1

    def _end_word(self) -> None:
        """Take in a word that is whole: a number, a name, or a key without quotes."""
        if not self._word:
            return
        word = "".join(self._word)
        self._word = []
        top = self._stack[-1]
        if top.kind == "skipped":
            return
        if top.kind in ("plan", "object") and top.wants == "key":
            if _KEY.fullmatch(word):
                self._scalar(word)
            else:
                self._break(f"{_shown(word)} is no key")
        elif word in _NAMED:
            self._scalar(_NAMED[word])
        elif len(word) <= _LONGEST_WORD and _NUMBER.fullmatch(word):
            self._scalar(float(word) if set(word) & set(".eE") else int(word))
        else:
            self._break(f"{_shown(word)} is no value")

    # ---- structure

    def _open(self, mark: str) -> None:
        line, column = self._line, self._column
        top = self._stack[-1] if self._stack else None
        if top is not None and top.kind == "skipped":
            top.depth += 1
            return
        closer = "}" if mark == "{" else "]"
        if top is None:
            kind: Any = "plan" if mark == "{" else "tasks"
            self._stack.append(_Frame(kind, {}, line, column, closer, wants="key" if mark == "{" else "value"))
            return
        if top.wants != "value":
            self._unfinished(mark, line, column)
            return
        if len(self._stack) >= DEEPEST:
            self._break(f"it is nested more than {DEEPEST} levels deep")
            if self._stack:
                self._stack[-1].depth += self._stack[-1].kind == "skipped"
            return
        frame = _Frame("object" if mark == "{" else "list", {} if mark == "{" else [], line, column, closer)
        if top.kind == "plan" and top.key in LISTS and (mark == "[" or top.key == "tasks"):
            frame.kind = "tasks"
            self._begin_tasks()
        elif top.kind == "plan" and top.key in WRAPPERS and mark == "{":
            frame.kind = "plan"
        if frame.kind in ("plan", "object") or (frame.kind == "tasks" and mark == "{"):
            frame.wants = "key"
        self._stack.append(frame)

    def _begin_tasks(self) -> None:
        """Hand out the fields of the plan, and of what it is wrapped in, that stand before its tasks."""
        for plan in self._stack:
            plan.has_tasks = True
            for key, (value, line, column) in plan.value.items():
                self._found.append(Piece(kind="field", line=line, column=column, key=key, value=value))
            plan.value.clear()

    def _close(self, mark: str) -> None:
        top = self._stack[-1]
        if top.kind == "skipped":
            if top.depth:
                top.depth -= 1
            else:
                self._stack.pop()
                self._close_skipped(top)
            return
        if mark != top.closer:
            self._close_other(mark)
            return
        if top.closer == "}" and top.wants != "key":
            self._break(f"{_shown(str(top.key))} has no value")
            if self._stack:
                self._close(mark)
            return
        self._stack.pop()
        if top.kind == "plan":
            self._end_plan(top)
        elif top.kind == "tasks":
            self._next_key()
        else:
            self._value(top.value, top.line, top.column)

    def _close_other(self, mark: str) -> None:
        """A bracket closes something further out: what is open within was not closed."""
        closes = next((n for n, one in reversed(list(enumerate(self._stack))) if one.closer == mark), None)
        unit = self._unit()
        at = next(n for n, one in enumerate(self._stack) if one is unit)
        if closes is None:
            self._break(f"{mark!r} closes nothing")
        elif closes < at:
            if unit.kind not in ("plan", "tasks"):
                self._say(unit.line, unit.column, "this is not closed")
            del self._stack[at:]
            self._next_key()
            self._close(mark)
        else:
            del self._stack[at:]
            skipped = _Frame(
                "skipped", None, unit.line, unit.column, "", depth=closes - at, problem="this is not closed"
            )
            self._stack.append(skipped)
            self._close(mark)

    def _end_plan(self, plan: _Frame) -> None:
        self._next_key()
        value = {key: value for key, (value, _, _) in plan.value.items()}
        if value and not plan.has_tasks:
            self._found.append(Piece(kind="line", line=plan.line, column=plan.column, value=value))

    def _next_key(self) -> None:
        """Go on with the next key, where what is open is a mapping."""
        if self._stack and self._stack[-1].closer == "}":
            self._stack[-1].key, self._stack[-1].wants = None, "key"

    def _colon(self) -> None:
        top = self._stack[-1]
        if top.kind == "skipped":
            return
        if top.wants == "colon":
            top.wants = "value"
        else:
            self._break("':' where none belongs")

    def _scalar(self, value: Json) -> None:
        top = self._stack[-1]
        keyed = top.closer == "}"
        if keyed and top.wants == "key":
            if not isinstance(value, str):
                self._break("a key is no text")
            elif isinstance(top.value, dict) and value in top.value:
                self._break(f"the key {_shown(value)} stands twice")
            else:
                top.key, top.wants = value, "colon"
        elif keyed and top.wants == "colon" and top.kind == "plan" and isinstance(value, str) and top.value:
            self._say(*self._begun, f"no ':' after {_shown(str(top.key))}")
            top.key = value
        elif keyed and top.wants == "colon":
            self._break(f"no ':' after {_shown(str(top.key))}")
        else:
            self._value(value, *self._begun)

    def _value(self, value: Json, line: int, column: int) -> None:
        """Put a value that is whole into what holds it, or hand it out."""
        top = self._stack[-1]
        if top.kind == "tasks":
            if isinstance(value, dict):
                self._found.append(Piece(kind="task", line=line, column=column, key=top.key or "", value=value))
                top.has_tasks = True
            elif len(self._stack) == 1 and not top.has_tasks:
                self._stack.clear()  # a list in the prose
                return
            else:
                self._say(line, column, "a task is an object with an id and a skill")
        elif top.kind == "plan":
            if top.has_tasks:
                self._found.append(Piece(kind="field", line=line, column=column, key=str(top.key), value=value))
            else:
                top.value[top.key] = value, line, column
        elif top.kind == "object":
            top.value[top.key] = value
        else:
            top.value.append(value)
        self._next_key()

    # ---- what cannot be read

    def _break(self, problem: str) -> None:
        """Give up the part that is being read, and skip what is left of it; what began no plan at all was prose."""
        bottom = self._stack[0]
        nothing_yet = len(self._stack) == 1 if bottom.kind == "tasks" else not bottom.value
        if not bottom.has_tasks and nothing_yet and not any(one.kind == "tasks" for one in self._stack[1:]):
            self._stack.clear()
            return
        unit = self._unit()
        at = next(n for n, one in enumerate(self._stack) if one is unit)
        if unit.kind in ("plan", "tasks"):
            self._say(*self._begun, problem)
            unit.key, unit.wants = None, "key" if unit.closer == "}" else "value"
            return
        depth = len(self._stack) - at - 1
        del self._stack[at:]
        self._stack.append(_Frame("skipped", None, unit.line, unit.column, "", depth=depth, problem=problem))

    def _unfinished(self, mark: str, line: int, column: int) -> None:
        """An object begins where a key is due: within a list of tasks the one before was not closed."""
        tasks = next((n for n, one in reversed(list(enumerate(self._stack))) if one.kind == "tasks"), None)
        if mark == "{" and tasks is not None and tasks + 1 < len(self._stack) and self._stack[tasks].closer == "]":
            unit = self._stack[tasks + 1]
            self._say(unit.line, unit.column, "this task is not closed")
            del self._stack[tasks + 1 :]
            self._stack.append(_Frame("object", {}, line, column, "}", wants="key"))
            return
        self._break(f"{mark!r} where a key belongs")
        if self._stack and self._stack[-1].kind == "skipped":
            self._stack[-1].depth += 1

    def _close_skipped(self, skipped: _Frame) -> None:
        self._say(skipped.line, skipped.column, skipped.problem)
        self._next_key()

    def _say(self, line: int, column: int, problem: str) -> None:
        self._broken += 1
        if self._broken <= _MOST_BROKEN:
            self._found.append(Piece(kind="broken", line=line, column=column, problem=problem))

    def _unit(self) -> _Frame:
        """Give the frame that would be handed out: the task, or the field of the plan, that is being read."""
        holders = [n for n, one in enumerate(self._stack) if one.kind in ("plan", "tasks")]
        after = (holders[-1] if holders else -1) + 1
        return self._stack[min(after, len(self._stack) - 1)]


def pieces(text: str) -> Iterator[Piece]:
    """Give the parts of a text that is there as a whole."""
    scanner = Scanner()
    yield from scanner.feed(text)
    yield from scanner.close()


def _text(raw: str, quote: str) -> str:
    """Give what a quoted text says; raises ValueError. A backslash that escapes nothing stands for itself."""

    def escaped(match: "re.Match[str]") -> str:
        if match[0] == '"' or match[1] == "'":
            return '\\"' if match[0] == '"' else "'"
        return match[0] if match[1][0] in '"\\/bfnrt' or len(match[1]) > 1 else f"\\\\{match[1]}"

    if "\\" not in raw and quote == '"':
        return raw
    return str(json.loads(f'"{_ESCAPED.sub(escaped, raw)}"', strict=False))


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:40]}…")
