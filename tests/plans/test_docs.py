"""What the pages about plans and checks say is so."""

import re
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from stretto.core.domain import ForEach, InputSpec, Limits, Plan
from stretto.core.plan.diagnostics import CODES
from stretto.core.plan.shape import PLAN_FIELDS, TASK_FIELDS, read_plan
from stretto.documents import parse_document

DOCS = Path(__file__).parents[2] / "docs"
PLANS = (DOCS / "plans.md").read_text(encoding="utf-8")
CHECKS = (DOCS / "checks.md").read_text(encoding="utf-8")


def snippets(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


@cache
def namespace() -> dict[str, Any]:
    """Run the Python of the page about plans, from its beginning to its end, as a module."""
    names: dict[str, Any] = {"__name__": "plans"}
    for number, one in enumerate(snippets(PLANS, "python")):
        exec(compile(one, f"docs/plans.md, Python {number + 1}", "exec"), names)  # noqa: S102 - our own page
    return names


@pytest.mark.parametrize("text", snippets(PLANS, "yaml"))
def test_every_plan_on_the_page_checks_clean(text: str) -> None:
    plan, found = read_plan(parse_document(text, "docs/plans.md").value)
    found += namespace()["team"].check(plan)
    assert [one for one in found if one.severity != "info"] == []


def test_every_plan_made_in_python_on_the_page_checks_clean() -> None:
    plans = [one for one in namespace().values() if isinstance(one, Plan)]
    assert len(plans) == 2
    for plan in plans:
        assert [one for one in namespace()["team"].check(plan) if one.severity != "info"] == []


def test_every_field_of_a_plan_is_on_the_page() -> None:
    rows = set(re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`[^|]*) \|", PLANS, re.MULTILINE))))
    task_fields = set(TASK_FIELDS) - {"id"}
    assert task_fields | set(PLAN_FIELDS) <= rows
    for kind in (Limits, ForEach, InputSpec):
        assert all(re.search(rf"\b{one.name}\b", PLANS) for one in fields(kind))


def test_the_table_of_codes_is_in_step_with_the_checker() -> None:
    rows = [
        [cell.strip() for cell in row]
        for row in re.findall(r"^\| (`[a-z-]+`) \|(.*?)\|(.*?)\|(.*?)\|(.*)\|$", CHECKS, re.M)
    ]
    told = {name.strip("`"): (severity, meaning) for name, severity, meaning, *_ in rows}
    assert told == {name: (code.severity, code.meaning) for name, code in CODES.items()}
    assert list(told) == list(CODES)
    assert all(example and mend for *_, example, mend in rows)


def test_every_code_named_on_the_pages_exists() -> None:
    table = CHECKS.partition("## Which defect")[2].partition("\n## ")[0]
    named = set(re.findall(r"`([a-z]+(?:-[a-z]+)*)`", table))
    assert named
    assert named <= CODES.keys()


def test_what_messages_point_to_is_there() -> None:
    assert {"References", "Conditions", "The fields of a task"} <= set(re.findall(r"^## (.*)$", PLANS, re.M))
