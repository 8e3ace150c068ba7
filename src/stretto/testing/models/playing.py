"""Which rule answers, and with what: pure but for its counts of what has been. Not to be used from two threads."""

import json
import random
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from msgspec import UNSET

from stretto.core.domain import Json
from stretto.testing.models.checking import PATTERNS, answer_defects
from stretto.testing.models.faults import Fault
from stretto.testing.models.requests import Request
from stretto.testing.models.script import Answer, Pace, Rule, Say, Script, Usage, When
from stretto.testing.models.tokens import compact

DEFAULT = "default"


class Unscripted(Exception):
    """No rule is met by a prompt, or a function in the script fails; the message says which and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What comes of a request: an answer, what goes wrong with it, and how fast."""

    rule: str
    answer: Answer
    fault: Fault | None
    pace: Pace
    usage: Usage


class Player:
    """Plays a script, request after request."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._rules = [_Rule(rule, rule.name or f"rule {number}") for number, rule in enumerate(script.rules, 1)]
        self._default = Rule(say=script.default, name=DEFAULT)
        self._last = _Rule(self._default, DEFAULT)
        self._seen: Counter[str] = Counter()

    def take(self, request: Request) -> Turn:
        """Give what a request comes to, and count it; raises Unscripted."""
        for one in self._rules:
            if one.meets(request) and one.has_more:
                return self._turn(one, request)
        if self._script.default is not None:
            request.groups = {"0": request.user}
            return self._turn(self._last, request)
        rules = ", ".join(one.name for one in self._rules) or "none"
        begins = compact(request.user[:200])
        raise Unscripted(f"no rule of {self._script.name} is met by the prompt {begins}; rules: {rules}")

    def _turn(self, rule: "_Rule", request: Request) -> Turn:
        fault = rule.next_fault() or self._by_chance(request)
        answer = _answer(rule.next_say(spent=fault is None), request, rule.name)
        pace = rule.rule.pace or self._script.pace
        return Turn(rule=rule.name, answer=answer, fault=fault, pace=pace, usage=rule.rule.usage)

    def _by_chance(self, request: Request) -> Fault | None:
        chance = self._script.random
        if chance is None or not chance.faults:
            return None
        prompt = json.dumps(request.body, sort_keys=True)
        self._seen[prompt] += 1
        drawn = random.Random(f"{chance.seed}/{self._seen[prompt]}/{prompt}")  # noqa: S311
        return drawn.choice(chance.faults) if drawn.random() < chance.rate else None


class _Rule:
    """A rule, its patterns compiled, and how far it has come."""

    def __init__(self, rule: Rule, name: str) -> None:
        self.rule, self.name = rule, name
        self._patterns = [
            (field, re.compile(pattern)) for field in PATTERNS if (pattern := getattr(rule.when, field)) is not None
        ]
        self._met = 0
        self._failed = [0 for _ in rule.faults]
        self._said = 0

    @property
    def has_more(self) -> bool:
        return self.rule.say is not None or self._open_fault() is not None

    def meets(self, request: Request) -> bool:
        """Whether everything holds that the rule names; counts how often, and leaves the groups with the request."""
        if not _fits(self.rule.when, request):
            return False
        groups: dict[str, str] = {}
        for field, pattern in self._patterns:
            found = pattern.search(getattr(request, field))
            if found is None:
                return False
            if not groups:
                groups = {str(number): found[number] or "" for number in range(pattern.groups + 1)}
            groups |= {name: text or "" for name, text in found.groupdict().items()}
        self._met += 1
        nth = self.rule.when.nth
        if nth is not None and self._met not in ((nth,) if isinstance(nth, int) else nth):
            return False
        request.groups = groups or {"0": request.user}
        return True

    def next_fault(self) -> Fault | None:
        at = self._open_fault()
        if at is None:
            return None
        self._failed[at] += 1
        return self.rule.faults[at]

    def next_say(self, *, spent: bool) -> Say | None:
        """Give what is to be said now; unless it is `spent`, the same comes again."""
        say = self.rule.say
        if isinstance(say, Sequence) and not isinstance(say, str):
            now = say[min(self._said, len(say) - 1)]
            self._said += spent
            return now
        return say

    def _open_fault(self) -> int | None:
        for at, fault in enumerate(self.rule.faults):
            if fault.times == "always" or self._failed[at] < fault.times:
                return at
        return None


def _fits(when: When, request: Request) -> bool:
    tools = (when.tool,) if isinstance(when.tool, str) else when.tool or ()
    return (
        (when.turn is None or when.turn == request.turn)
        and (when.results is None or when.results == len(request.results))
        and (when.schema is None or when.schema == (request.schema is not None))
        and (when.stream is None or when.stream == request.streams)
        and set(tools) <= set(request.tools)
    )


def _answer(say: Say | None, request: Request, rule: str) -> Answer:
    if callable(say):
        try:
            say = say(request)
        except Exception as error:
            raise Unscripted(f"the function of {rule} raised {type(error).__name__}: {error}") from error
    if say is None or isinstance(say, str):
        return Answer(text=say or "")
    if not isinstance(say, Answer):
        raise Unscripted(f"the function of {rule} gave {type(say).__name__}; it gives a text or an Answer")
    for defect in answer_defects(say, "", set(request.groups)):
        raise Unscripted(f"the function of {rule} gave an answer that cannot be said: {defect}")
    if say.template is UNSET:
        return say
    made = _filled(say.template, request.groups)
    return Answer(text=made, calls=say.calls) if isinstance(made, str) else Answer(json=made, calls=say.calls)


def _filled(value: Json, groups: dict[str, str]) -> Json:
    if isinstance(value, dict):
        return {key: _filled(one, groups) for key, one in value.items()}
    if isinstance(value, list):
        return [_filled(one, groups) for one in value]
    if not isinstance(value, str):
        return value
    numbered = [groups[str(number)] for number in range(len(groups)) if str(number) in groups]
    return value.format(*numbered, **{name: text for name, text in groups.items() if not name.isdigit()})
