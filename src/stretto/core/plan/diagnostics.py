"""What the checker can say: one stable code per kind of defect, its severity and how to mend it."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

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
        cycle="Tasks wait for each other in a circle.",
        unknown_skill="No agent has this skill.",
        unknown_agent="There is no agent of this name, or it lacks the skill.",
        missing_input="A required argument of the skill is not given.",
        unknown_input="An argument that the skill does not take.",
        bad_condition="The condition `when` cannot be understood.",
        missing_tool="No agent with the skill has a tool that the task needs.",
        missing_permission="No agent with the skill has a permission that the task needs.",
        irreversible_without_approval="An irreversible task waives its approval.",
        perimeter="Labelled data would reach an agent whose perimeter excludes it.",
        over_budget="The least this plan can cost is more than the budget.",
        unordered_writers="Two tasks write one context entry and neither waits for the other.",
        equal_effects="Two tasks would have the same side effect and nothing declares them as two.",
        unreachable_deliverable="What the plan delivers can never be made.",
    ),
    **_codes(
        "warning",
        type_mismatch="A value's type does not fit what the skill takes, as far as schemas tell.",
        unknown_output="A reference into an output that its schema does not have.",
        late="By declared durations the plan cannot end before its deadline.",
        unused_result="A task without side effect whose result nobody uses.",
    ),
    **_codes(
        "info",
        no_backup="A skill with a side effect or a single agent has no backup.",
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
        return f"{place}: {self.severity}: {self.message} [{self.code}] {self.mend}".rstrip()


def diagnose(code: str, path: str, message: str, mend: str = "") -> Diagnostic:
    """Make a diagnostic of a known code, with the code's own severity."""
    return Diagnostic(code=code, severity=CODES[code].severity, path=path, message=message, mend=mend)


def errors(diagnostics: "tuple[Diagnostic, ...] | list[Diagnostic]") -> list[Diagnostic]:
    """Give those that keep a plan from running."""
    return [one for one in diagnostics if one.severity == "error"]
