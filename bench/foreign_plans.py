"""How well the defects of other systems' plans are found and mended: `python bench/foreign_plans.py FILE --tools FILE`.

FILE has a plan a line, each with the `defects` that somebody else found in it. Every label stands for a code of
Stretto's. A plan counts as found when all its labels are, as false when an error is told that no label stands for.
"""

import argparse
import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stretto.cli.foreign import catalogues
from stretto.plan_files import judge

CODES = {
    "unknown tool": "unknown-skill",
    "argument-ref cycle": "cycle",
    "link cycle": "cycle",
    "self ref": "self-reference",
    "dangling <node-k> ref": "dangling-reference",
    "link to undeclared node": "dangling-reference",
    "duplicate tool name (ambiguous link)": "ambiguous-link",
    "args not list": "bad-value",
}


@dataclass
class Report:
    """Counts over the plans of a file; `rows` are by code: labelled, found, missed, false, mended, left."""

    rows: dict[str, Counter[str]] = field(default_factory=dict)
    status: Counter[tuple[bool, str]] = field(default_factory=Counter)
    missed: list[str] = field(default_factory=list)
    false: list[str] = field(default_factory=list)
    warnings: Counter[str] = field(default_factory=Counter)

    def add(self, number: int, labels: list[str], status: str, found: list[Any]) -> None:
        """Count one plan, of the line with this number."""
        wanted = {CODES.get(label, label) for label in labels}
        told = {one.code for one in found if one.severity == "error"}
        left = {one.code for one in found if one.severity == "error" and not one.repaired}
        self.status[bool(labels), status] += 1
        for code in wanted | told:
            row = self.rows.setdefault(code, Counter())
            row["labelled"] += code in wanted
            row["found"] += code in wanted & told
            row["missed"] += code in wanted - told
            row["false"] += code in told - wanted
            row["mended"] += code in told - left
            row["left"] += code in left
        self.missed += [f"line {number}: {code}" for code in sorted(wanted - told)]
        self.false += [f"line {number}: {code}" for code in sorted(told - wanted)]
        self.warnings.update({one.code for one in found if one.severity == "warning"})

    def print(self, seconds: float) -> None:
        """Print the counts as tables."""
        columns = ("labelled", "found", "missed", "false", "mended", "left")
        print("| code (plans) | " + " | ".join(columns) + " |")
        print("|---" * (len(columns) + 1) + "|")
        for code, row in sorted(self.rows.items()):
            print(f"| {code} | " + " | ".join(str(row[one]) for one in columns) + " |")
        sound = sum(count for (defective, _), count in self.status.items() if not defective)
        broken = self.status.total() - sound
        runnable = self.status[True, "ok"] + self.status[True, "repaired"]
        print(f"\n{self.status.total()} plans in {seconds:.1f} s, {broken} of them labelled defective")
        print(f"errors told of plans without a label: {sound - self.status[False, 'ok']} of {sound}")
        print(f"made runnable without asking: {runnable} of {broken} ({runnable / max(broken, 1):.1%})")
        print("warnings (plans): " + ", ".join(f"{code} {count}" for code, count in sorted(self.warnings.items())))
        for name, those in (("missed", self.missed), ("false", self.false)):
            print(f"{name}: {', '.join(those) or 'none'}")


def labels_in(path: Path) -> Iterator[list[str]]:
    """Give the labels of each plan of a file."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            if line.strip():
                yield json.loads(line).get("defects", [])


def main() -> None:
    """Check a labelled file and print the report."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("file", type=Path, help="plans, one a line, with their `defects`")
    parser.add_argument("--tools", type=Path, action="append", required=True, help="cards or tools (repeatable)")
    parser.add_argument("--half", choices=("odd", "even"), help="only the odd or even lines, counted from 1")
    chosen = parser.parse_args()
    report = Report()
    begin = time.perf_counter()
    judged = judge(chosen.file, catalogues(chosen.tools))
    for number, (labels, one) in enumerate(zip(labels_in(chosen.file), judged, strict=True), 1):
        if chosen.half is None or (number % 2 == 1) is (chosen.half == "odd"):
            report.add(number, labels, one.intake.status, one.intake.found)
    report.print(time.perf_counter() - begin)


if __name__ == "__main__":
    main()
