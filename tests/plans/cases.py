"""The plans in `codes/`: `CODE.yaml` and `CODE.json` raise CODE right behind the mark `»`, or as whole files."""

from dataclasses import dataclass
from pathlib import Path

from stretto.core.plan.diagnostics import CODES

FOLDER = Path(__file__).parent / "codes"
MARK = "»"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A plan on paper that must raise a code."""

    path: Path

    @property
    def code(self) -> str:
        return self.path.stem

    @property
    def budget(self) -> str | None:
        return "$0.90" if self.code in ("over-budget", "unbounded-cost") else None

    @property
    def seconds(self) -> float | None:
        return 30.0 if self.code == "late" else None

    @property
    def text(self) -> str:
        """The plan without its mark."""
        return self.path.read_text(encoding="utf-8").replace(MARK, "")

    @property
    def place(self) -> str:
        """The mark's `:line:column`."""
        before, mark, _ = self.path.read_text(encoding="utf-8").partition(MARK)
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        return f":{line}:{column}" if mark else ""


FOREIGN = {"ambiguous-link", "undeclared-link", "contradicting-link", "placeholder", "prose"}
"""Codes that only plans of a foreign form have; see tests/core/test_foreign_plans.py."""

OWN = [code for code in CODES if code not in FOREIGN]
CASES = [Case(path=FOLDER / f"{code}.{form}") for code in OWN for form in ("yaml", "json")]
