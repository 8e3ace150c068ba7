"""What the checker can say: one stable code per kind of defect, its severity and how to mend it.

Whatever a plan holds, a finding stays short enough to read and safe to print.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

Severity: TypeAlias = Literal["error", "warning", "info"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """A kind of defect."""

    name: str
    severity: Severity
    meaning: str


def _codes(severity: Severity, **meanings: str) -> dict[str, Code]:
    return {
        name.replace("_", "-"): Code(name=name.replace("_", "-"), severity=severity, meaning=meaning)
        for name, meaning in meanings.items()
    }


CODES: dict[str, Code] = {
    **_codes(
        "error",
        unreadable="The text is not JSON or YAML, or breaks off.",
        too_large="More text, tasks or nesting than the limits allow.",
        not_a_plan="The document is not a mapping with tasks.",
        empty_plan="There is no task.",
        bad_value="A field has the wrong type or an impossible value.",
        missing_field="A field that every task needs is not there.",
        unknown_field="A field that no plan has; often a slip of the pen.",
        bad_id="A task's id is not a name: letters, digits, _ and -, beginning with a letter or _.",
        duplicate_id="Two tasks have one id, so references to it are ambiguous.",
        bad_reference="A reference is not of a known form.",
        dangling_reference="A reference to a task that is not in the plan.",
        undeclared_reference="A reference to an input or context entry that nothing declares.",
        self_reference="A task refers to itself.",
        ambiguous_link="A link names a task by a word that several tasks share.",
        cycle="Tasks wait for each other in a circle.",
        unknown_skill="No agent has this skill.",
        unknown_agent="There is no agent of this name, or it lacks the skill.",
        missing_input="A required argument of the skill is not given.",
        unknown_input="An argument that the skill does not take.",
        bad_inclusion="A playbook cannot be included as this task wants it.",
        bad_condition="The condition `when` cannot be understood.",
        missing_tool="No agent with the skill has a tool that the task needs.",
        missing_permission="No agent with the skill has a permission that the task needs.",
        irreversible_without_approval="An irreversible task waives its approval.",
        bad_chain="Somebody is asked who is not there, or silence would decide what it must not.",
        perimeter="Labelled data would reach an agent whose perimeter excludes it.",
        over_budget="The least this plan can cost is more than the budget.",
        unordered_writers="Two tasks write one context entry and neither waits for the other.",
        equal_effects="Two tasks would have the same side effect and nothing declares them as two.",
        bad_deliverable="A text that the plan delivers does not say what it is, or what it is written from.",
        unreachable_deliverable="What the plan delivers can never be made.",
    ),
    **_codes(
        "warning",
        bad_criterion="A criterion begins like one that a program checks, and cannot be read.",
        type_mismatch="A value's type does not fit what the skill takes, as far as schemas tell.",
        undeclared_link="A task uses the result of another, and no link of the plan says so.",
        contradicting_link="A link says the contrary of what an argument refers to; the argument holds.",
        placeholder="A text that seems to stand for a result and names none; it is passed on as it is.",
        unknown_output="A reference into an output that its schema does not have.",
        racing_read="A task may read a context entry before or after another one writes it anew.",
        late="By declared durations the plan cannot end before its deadline.",
        unknown_backup="An agent's backup is not there, or lacks the skill.",
        unused_result="A task without side effect whose result nobody uses.",
        no_undo="A task that can be taken back, and nothing says how.",
    ),
    **_codes(
        "info",
        prose="There is other text around the plan.",
        unbounded_cost="An agent whose cost has no bound takes all that is left of a budget for each attempt.",
        no_backup="A skill of a single agent has no backup.",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """One finding: `path` is its place in the plan (`tasks.fix.inputs.host`), `where` that place in a file."""

    code: str
    severity: Severity
    path: str
    message: str
    mend: str
    where: str = ""
    repaired: bool = False

    def __str__(self) -> str:
        place = self.where or self.path
        return printable(f"{place}: {self.severity}: {self.message} [{self.code}] {self.mend}".rstrip())


class Findings:
    """Collects diagnostics: of one code only the first thousand, and how many more there were."""

    MOST = 1000

    def __init__(self) -> None:
        self._kept: list[Diagnostic] = []
        self._seen: Counter[str] = Counter()
        self._last: dict[str, int] = {}

    def add(self, found: Iterable[Diagnostic]) -> None:
        """Take some more, one by one."""
        for one in found:
            self._seen[one.code] += 1
            if self._seen[one.code] <= self.MOST:
                self._last[one.code] = len(self._kept)
                self._kept.append(one)

    def all(self) -> list[Diagnostic]:
        """Give what was kept; the last of a code that was cut tells how many are left out."""
        for code, count in self._seen.items():
            if count > self.MOST:
                at = self._last[code]
                more = f"{self._kept[at].message} (and {count - self.MOST} more of this kind)"
                self._kept[at] = replace(self._kept[at], message=more)
                self._seen[code] = self.MOST
        return self._kept


def diagnose(code: str, path: str, message: str, mend: str = "") -> Diagnostic:
    """Make a diagnostic of a known code, with the code's own severity."""
    return Diagnostic(
        code=code,
        severity=CODES[code].severity,
        path=_cut(path, 300),
        message=_cut(message, 600),
        mend=_cut(mend, 600),
    )


def errors(diagnostics: "tuple[Diagnostic, ...] | list[Diagnostic]") -> list[Diagnostic]:
    """Give those that keep a plan from running."""
    return [one for one in diagnostics if one.severity == "error"]


def shown(value: Any, most: int = 80) -> str:
    """Give a value as a message shows it: quoted, on one line, cut when long."""
    if isinstance(value, str):
        return repr(_cut(value, most))
    if isinstance(value, dict | list | tuple | set | frozenset):
        return f"{type(value).__name__} of {len(value)}"
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > 256:
        return "a number of very many digits"
    return _cut(repr(value), most)


def listed(names: Iterable[str], most: int = 12) -> str:
    """Give names as a message lists them: the first few, each cut when long."""
    held = list(names)
    more = f" and {len(held) - most} more" if len(held) > most else ""
    return ", ".join(_cut(str(one), 100) for one in held[:most]) + more


def under(path: str, step: str | int) -> str:
    """Give the path of a part; what is long enough already grows no further, however deep a plan nests."""
    if len(path) > 300:
        return path
    return f"{path}[{step}]" if isinstance(step, int) else f"{path}.{_cut(step, 300)}" if path else _cut(step, 300)


def printable(text: str) -> str:
    """Give text that does nothing to a terminal."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else repr(one)[1:-1] for one in text)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}…"
