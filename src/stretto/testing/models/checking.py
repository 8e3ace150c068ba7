"""Every defect of a script, with its place and a way to mend it: the same for files and for Python."""

import re
from collections.abc import Generator, Iterator, Sequence
from dataclasses import fields
from string import Formatter
from typing import Any, get_type_hints

import msgspec
from msgspec import UNSET

from stretto.core.domain import Json
from stretto.core.plan.diagnostics import Diagnostic, diagnose, listed, shown, under
from stretto.testing.models.faults import Fault
from stretto.testing.models.script import Answer, Chance, Pace, Rule, Say, Script, ToolUse, Usage, When
from stretto.testing.models.tokens import compact

PATTERNS = ("user", "system", "conversation", "model")
"""The patterns of a rule, in the order in which their groups are numbered."""
FORMS = {
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
SAY = 'Write a text, or one of `{json: ...}`, `{template: "... {1}"}`, `{text: ..., calls: [{name: ...}]}`.'
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


def defects(script: Script) -> Iterator[Diagnostic]:
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
            yield diagnose("missing-field", path, "the rule neither says anything nor fails", SAY)
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
        elif one.name not in _SAID and value is not UNSET and (said := misfit(value, hints[one.name])):
            yield diagnose("bad-value", here, f"`{one.name}`: {said}", FORMS.get(one.name, ""))


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
            yield diagnose("bad-value", path, "the list is empty, so that nothing could be said", SAY)
        for number, one in enumerate(say):
            yield from _sayings(one, under(path, number), groups)
    elif isinstance(say, Answer):
        yield from answer_defects(say, path, groups)
    elif not (say is None or isinstance(say, str) or callable(say)):
        yield diagnose("bad-value", path, f"{shown(say)} cannot be said", SAY)


def answer_defects(answer: Answer, path: str, groups: set[str]) -> Iterator[Diagnostic]:
    """Say why an answer cannot be given, where the patterns have such groups."""
    yield from _values(answer, path)
    given = [one for one in ("text", "json", "template") if getattr(answer, one) not in (None, UNSET)]
    if len(given) > 1:
        told = f"{' and '.join(f'`{one}`' for one in given)} in one answer"
        yield diagnose("bad-value", path, told, "Keep one of them.")
    if not given and not answer.calls and answer.json is UNSET:
        yield diagnose("missing-field", path, "the answer is nothing at all", SAY)
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


def misfit(value: Any, hint: Any) -> str:
    """Say why a value does not fit a type, or nothing."""
    try:
        msgspec.convert(value, hint)
    except msgspec.ValidationError as error:
        return str(error).replace("Expected", "expected")
    return ""
