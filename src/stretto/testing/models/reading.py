"""Scripts from files, text and plain values, and every defect of a script with its place and a way to mend it."""

import re
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from string import Formatter
from typing import Any, TypeAlias, TypeVar, get_type_hints

import msgspec
from msgspec import UNSET

from stretto.core.domain import Json
from stretto.core.errors import UsageError
from stretto.core.plan.diagnostics import Diagnostic, diagnose, listed, shown, under
from stretto.documents import Document, Unreadable, parse_document, read_document
from stretto.testing.models.script import (
    FAULTS,
    Answer,
    Chance,
    Fault,
    Pace,
    Rule,
    Say,
    Script,
    ToolUse,
    Usage,
    When,
)
from stretto.testing.models.tokens import compact

T = TypeVar("T")
Source: TypeAlias = "Script | Sequence[Rule] | str | Path"
PATTERNS = ("user", "system", "conversation", "model")
"""The patterns of a rule, in the order in which their groups are numbered."""

_FORMS = {
    "user": 'Write a pattern, such as `user: "Compare (.+)"`.',
    "turn": "Write a number: how often the model has answered before.",
    "results": "Write a number: how many results of tools there are.",
    "tool": "Write a tool's name, or a list of names.",
    "nth": "Write a number from 1, or a list of such.",
    "times": "Write a number from 1, or `always`.",
    "rate": "Write a number above 0 (of `random`: a share from 0 to 1).",
    "first": "Write seconds, such as `first: 0.6`.",
    "seconds": "Write seconds; leave it out of a stall to have it last for ever.",
    "after": "Write a number of tokens.",
    "status": "Write a status of HTTP, such as 503.",
    "models": "Write a list of names.",
    "window": "Write a number of tokens.",
    "usage": "Write `usage: {input: 1200, output: 80}`, or `usage: off`.",
}
_PARTS: dict[str, type] = {
    "rules": Rule,
    "when": When,
    "pace": Pace,
    "usage": Usage,
    "faults": Fault,
    "calls": ToolUse,
    "random": Chance,
}
_SEVERAL = frozenset({"rules", "faults", "calls"})
_SAID = frozenset({"say", "default", "json", "template"})
_SAY = 'Write a text, or one of `{json: ...}`, `{template: "... {1}"}`, `{text: ..., calls: [{name: ...}]}`.'
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
    if wrong := list(_defects(script)):
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
    wrong = reader.wrong or list(_defects(script))
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
        return Script(**{**_held(made), "name": name})

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
        return self.record(Answer, raw, path, own, mend=_SAY)

    def tool_use(self, raw: Json, path: str) -> ToolUse:
        return self.record(ToolUse, raw, path, mend="Write a call as `{name: look_up, arguments: {id: 7}}`.")

    def usage(self, raw: Json, path: str) -> Usage:
        return Usage(report=False) if raw in ("off", False) else self.record(Usage, raw, path, mend=_FORMS["usage"])

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

    def chance(self, raw: Json, path: str) -> Chance | None:
        if isinstance(raw, dict) and "rate" not in raw:
            self.note(path, "`rate` is missing", "Write `random: {rate: 0.2, seed: 1}`.")
            return None
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
            return kind()
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
            elif said := _misfit(value, hints[name]):
                self.note(here, f"`{name}`: {said}", _FORMS.get(name, ""))
            else:
                made[name] = msgspec.convert(value, hints[name])
        try:
            return kind(**made)
        except TypeError:
            missing = [one.name for one in fields(kind) if one.name not in made and one.name not in raw]  # type: ignore[arg-type]
            if missing:
                self.note(path, f"`{missing[0]}` is missing", mend, "missing-field")
            return kind(**dict.fromkeys(_names(kind), ""))

    def note(self, path: str, message: str, mend: str, code: str = "bad-value") -> None:
        self.wrong.append(diagnose(code, path, message, mend))


def _names(kind: type) -> list[str]:
    return [one.name for one in fields(kind)]


def _held(record: Any) -> dict[str, Any]:
    return {one.name: getattr(record, one.name) for one in fields(record)}


def _misfit(value: Any, hint: Any) -> str:
    """Say why a value does not fit a type, or nothing."""
    try:
        msgspec.convert(value, hint)
    except msgspec.ValidationError as error:
        return str(error).replace("Expected", "expected")
    return ""


def _defects(script: Script) -> Iterator[Diagnostic]:
    """Give what is wrong with a script whose parts are of the right kind."""
    if not script.rules and script.default is None:
        yield diagnose("missing-field", "", "there is no rule and no default", "Write `rules:` with a list of rules.")
    wrong = list(_values(script, ""))
    if wrong:
        yield from wrong
        return
    names = [rule.name for rule in script.rules if rule.name]
    for number, rule in enumerate(script.rules):
        path = f"rules[{number}]"
        if rule.name and names.count(rule.name) > 1:
            yield diagnose("bad-value", f"{path}.name", f"two rules are called {shown(rule.name)}", "Rename one.")
        if rule.say is None and not rule.faults:
            yield diagnose("missing-field", path, "the rule neither says anything nor fails", _SAY)
        groups = yield from _patterns(rule.when, f"{path}.when")
        yield from _sayings(rule.say, f"{path}.say", groups)
        for at, fault in enumerate(rule.faults):
            if fault.times == "always" and at < len(rule.faults) - 1:
                mend = "Give it a number, or leave out what comes after it."
                yield diagnose("bad-value", f"{path}.faults[{at}]", "the fault after this never comes", mend)
    yield from _sayings(script.default, "default", {"0"})


def _values(record: Any, path: str) -> Iterator[Diagnostic]:
    """Hold every field of a record, and of those in it, to its type: Python takes whatever it is given."""
    hints = get_type_hints(type(record), include_extras=True)
    for one in fields(record):
        value, here = getattr(record, one.name), under(path, one.name)
        kind = _PARTS.get(one.name)
        if kind is not None:
            yield from _parts(value, here, kind, several=one.name in _SEVERAL, optional=one.default is None)
        elif one.name not in _SAID and value is not UNSET and (said := _misfit(value, hints[one.name])):
            yield diagnose("bad-value", here, f"`{one.name}`: {said}", _FORMS.get(one.name, ""))


def _parts(value: Any, path: str, kind: type, *, several: bool, optional: bool) -> Iterator[Diagnostic]:
    """Check records in a field: one, or several of a kind."""
    if several and isinstance(value, tuple | list):
        for number, one in enumerate(value):
            yield from _parts(one, under(path, number), kind, several=False, optional=False)
    elif isinstance(value, kind) and not several:
        yield from _values(value, path)
    elif not (optional and value is None):
        wanted = f"a tuple of {kind.__name__}" if several else f"a {kind.__name__}"
        told = f"this is {wanted}, not {shown(value)}"
        yield diagnose("bad-value", path, told, f"Write {kind.__name__}(...){', in brackets' if several else ''}.")


def _patterns(when: When, path: str) -> Generator[Diagnostic, None, set[str]]:
    """Check the patterns of a rule; returns the groups that a template may name."""
    groups = {"0"}
    numbered = False
    for name in PATTERNS:
        pattern = getattr(when, name)
        if pattern is None:
            continue
        try:
            known = re.compile(pattern)
        except re.error as error:
            at = f" at character {error.pos + 1}" if error.pos is not None else ""
            mend = "Mend the pattern; `\\` before a sign takes it as it is."
            yield diagnose("bad-value", f"{path}.{name}", f"the pattern is broken{at}: {error.msg}", mend)
            continue
        groups |= set(known.groupindex)
        if not numbered:
            groups |= {str(number) for number in range(1, known.groups + 1)}
            numbered = True
    return groups


def _sayings(say: Say | Sequence[Say] | None, path: str, groups: set[str]) -> Iterator[Diagnostic]:
    if isinstance(say, list | tuple):
        if not say:
            yield diagnose("bad-value", path, "the list is empty, so that nothing could be said", _SAY)
        for number, one in enumerate(say):
            yield from _sayings(one, under(path, number), groups)
    elif isinstance(say, Answer):
        yield from answer_defects(say, path, groups)
    elif not (say is None or isinstance(say, str) or callable(say)):
        yield diagnose("bad-value", path, f"{shown(say)} cannot be said", _SAY)


def answer_defects(answer: Answer, path: str, groups: set[str]) -> Iterator[Diagnostic]:
    """Say why an answer cannot be given, where the patterns have such groups."""
    yield from _values(answer, path)
    given = [one for one in ("text", "json", "template") if getattr(answer, one) not in (None, UNSET)]
    if len(given) > 1:
        told = f"{' and '.join(f'`{one}`' for one in given)} in one answer"
        yield diagnose("bad-value", path, told, "Keep one of them.")
    if not given and not answer.calls and answer.json is UNSET:
        yield diagnose("missing-field", path, "the answer is nothing at all", _SAY)
    for field in ("json", "template"):
        value = getattr(answer, field)
        if value is not UNSET and (said := _no_json(value)):
            yield diagnose("bad-value", under(path, field), f"this is no JSON: {said}", "Write plain values.")
        elif field == "template" and value is not UNSET:
            yield from _template(value, under(path, field), groups)


def _no_json(value: Any) -> str:
    """Say why a value cannot be written as JSON, or nothing."""
    try:
        compact(value)
    except (TypeError, ValueError, RecursionError) as error:
        return str(error)
    return ""


def _template(value: Json, path: str, groups: set[str]) -> Iterator[Diagnostic]:
    if isinstance(value, dict):
        for key, one in value.items():
            yield from _template(one, under(path, key), groups)
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from _template(one, under(path, number), groups)
    elif isinstance(value, str):
        try:
            for _, name, form, turned in Formatter().parse(value):
                if name is not None and (name not in groups or form or turned):
                    mend = f"Known: {listed(sorted(groups))}; write braces that stand for themselves twice: `{{{{`."
                    yield diagnose("bad-reference", path, f"the patterns have no group {shown(name)}", mend)
        except ValueError:
            mend = "Write braces that stand for themselves twice: `{{` and `}}`."
            yield diagnose("bad-value", path, "a brace has no partner", mend)
