"""Scripts from files, text and Python; what is wrong in one is told in its place."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, fields, replace
from pathlib import Path
from typing import Any, TypeAlias, TypeVar, get_type_hints

import msgspec

from stretto.core.domain import Json
from stretto.core.errors import UsageError
from stretto.core.plan.diagnostics import Diagnostic, diagnose, listed, shown, under
from stretto.documents import Document, Unreadable, parse_document, read_document
from stretto.testing.models.checking import FORMS, SAY, defects, misfit
from stretto.testing.models.faults import FAULTS, Fault
from stretto.testing.models.script import Answer, Chance, Pace, Rule, Say, Script, ToolUse, Usage, When

T = TypeVar("T")
Source: TypeAlias = "Script | Sequence[Rule] | str | Path"
_FAULT = "Write `faults: rate_limited`, or `faults: [{kind: stall, seconds: 2, times: 1}]`."


class BadScript(UsageError):
    """A script cannot be used; `diagnostics` say why, with file, line and column where it is a file."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__("\n".join(str(one) for one in self.diagnostics[:20]))


def script_of(source: Source) -> Script:
    """Give the script of whatever stands for one: itself, rules, or the path of a file; raises BadScript."""
    if isinstance(source, str | Path):
        return read_script(Path(source))
    script = source if isinstance(source, Script) else Script(rules=tuple(source))
    if wrong := list(defects(script)):
        raise BadScript(wrong)
    return script


def read_script(path: Path) -> Script:
    """Read a script from a YAML or JSON file; raises BadScript with every defect."""
    try:
        return _script(read_document(path))
    except Unreadable as error:
        raise BadScript([error.diagnostic]) from None


def parse_script(text: str, name: str = "script") -> Script:
    """Read a script from YAML or JSON; raises BadScript with every defect."""
    try:
        return _script(parse_document(text, name))
    except Unreadable as error:
        raise BadScript([error.diagnostic]) from None


def _script(document: Document) -> Script:
    reader = _Reader()
    script = reader.script(document.value, document.name)
    wrong = reader.wrong or list(defects(script))
    if wrong:
        raise BadScript(document.placed(wrong))
    return script


class _Reader:
    """Plain values into the data of a script; what does not fit is noted in `wrong`, and left out."""

    def __init__(self) -> None:
        self.wrong: list[Diagnostic] = []

    def script(self, raw: Json, name: str) -> Script:
        if isinstance(raw, list):
            raw = {"rules": raw}
        own: dict[str, Callable[[Json, str], Any]] = {
            "rules": lambda value, path: tuple(self.several(value, path, self.rule)),
            "default": self.says,
            "pace": lambda value, path: self.record(Pace, value, path),
            "random": self.chance,
        }
        made = self.record(Script, raw, "", own, hidden=("name",), mend="Write `rules:` with a list of rules.")
        return replace(made, name=name)

    def rule(self, raw: Json, path: str) -> Rule:
        own: dict[str, Callable[[Json, str], Any]] = {
            "when": lambda value, at: self.record(When, {"user": value} if isinstance(value, str) else value, at),
            "say": self.says,
            "faults": self.faults,
            "pace": lambda value, at: self.record(Pace, value, at),
            "usage": self.usage,
        }
        return self.record(Rule, raw, path, own, mend="Write a rule as `{when: PATTERN, say: TEXT}`.")

    def says(self, raw: Json, path: str) -> Say | tuple[Say, ...]:
        if not isinstance(raw, list):
            return self.say(raw, path)
        return tuple(self.say(one, under(path, number)) for number, one in enumerate(raw))

    def say(self, raw: Json, path: str) -> Say:
        if isinstance(raw, str):
            return raw
        own = {"calls": lambda value, at: tuple(self.several(value, at, self.tool_use))}
        return self.record(Answer, raw, path, own, mend=SAY)

    def tool_use(self, raw: Json, path: str) -> ToolUse:
        return self.record(ToolUse, raw, path, mend="Write a call as `{name: look_up, arguments: {id: 7}}`.")

    def usage(self, raw: Json, path: str) -> Usage:
        return Usage(report=False) if raw in ("off", False) else self.record(Usage, raw, path, mend=FORMS["usage"])

    def faults(self, raw: Json, path: str) -> tuple[Fault, ...]:
        return tuple(self.several(raw, path, self.fault) if isinstance(raw, list) else [self.fault(raw, path)])

    def fault(self, raw: Json, path: str) -> Fault:
        entry = {"kind": raw} if isinstance(raw, str) else raw
        if not isinstance(entry, dict):
            self.note(path, f"{shown(raw)} is no fault", _FAULT)
            return Fault()
        kind = FAULTS.get(entry["kind"]) if isinstance(entry.get("kind"), str) else None
        if kind is None:
            told = f"there is no fault {shown(entry['kind'])}" if "kind" in entry else "the fault has no `kind`"
            self.note(path, told, f"Name one of {listed(FAULTS, len(FAULTS))}.")
            return Fault()
        return self.record(kind, {name: value for name, value in entry.items() if name != "kind"}, path)

    def chance(self, raw: Json, path: str) -> Chance:
        return self.record(Chance, raw, path, {"faults": self.faults}, mend="Write `random: {rate: 0.2, seed: 1}`.")

    def several(self, raw: Json, path: str, one: Callable[[Json, str], T]) -> list[T]:
        if not isinstance(raw, list):
            self.note(path, f"this is a list, not {shown(raw)}", "Write each entry on a line that begins with `- `.")
            return []
        return [one(value, under(path, number)) for number, value in enumerate(raw)]

    def record(
        self,
        kind: type[T],
        raw: Json,
        path: str,
        own: Mapping[str, Callable[[Json, str], Any]] | None = None,
        *,
        hidden: tuple[str, ...] = (),
        mend: str = "",
    ) -> T:
        """Read a mapping into a dataclass: fields in `own` by their reader, the others by their type."""
        if not isinstance(raw, dict):
            self.note(path, f"this is a mapping, not {shown(raw)}", mend or f"Known: {listed(_names(kind))}.")
            return _made(kind)
        hints = get_type_hints(kind, include_extras=True)
        made: dict[str, Any] = {}
        for name, value in raw.items():
            here = under(path, name)
            if name not in hints or name in ("kind", *hidden):
                known = [one for one in _names(kind) if one not in hidden]
                self.note(
                    here, f"there is no field {shown(name)} here", f"Known: {listed(known, 20)}.", "unknown-field"
                )
            elif own is not None and name in own:
                made[name] = own[name](value, here)
            elif said := misfit(value, hints[name]):
                self.note(here, f"`{name}`: {said}", FORMS.get(name, ""))
            else:
                made[name] = msgspec.convert(value, hints[name])
        for name in _required(kind):
            if name not in raw:
                self.note(path, f"`{name}` is missing", mend, "missing-field")
        return _made(kind, made)

    def note(self, path: str, message: str, mend: str, code: str = "bad-value") -> None:
        self.wrong.append(diagnose(code, path, message, mend))


def _names(kind: Any) -> list[str]:
    return [one.name for one in fields(kind)]


def _required(kind: Any) -> list[str]:
    return [one.name for one in fields(kind) if one.default is MISSING and one.default_factory is MISSING]


def _made(kind: Callable[..., T], made: Mapping[str, Any] | None = None) -> T:
    """Make a record; what it requires and lacks has been told by now, and is blank."""
    return kind(**{**dict.fromkeys(_required(kind), ""), **(made or {})})
