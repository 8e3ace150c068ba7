"""Conditions (`when`) in the Common Expression Language; its library is loaded with the first condition."""

import sys
from collections.abc import Mapping
from functools import lru_cache
from types import ModuleType
from typing import Any

from stretto.core.domain import Plan
from stretto.core.plan.check import CONDITION_MEND, condition_problem
from stretto.core.plan.diagnostics import Diagnostic, Findings, diagnose
from stretto.core.plan.scheduling import UNTIL_MEND


class CelConditions:
    """See `stretto.ports.Conditions`. A condition sees plain values and calls nothing outside."""

    def holds(self, condition: str, values: Mapping[str, Any]) -> bool:
        problem = self.problem(condition)
        if problem:
            raise ValueError(f"the condition {condition!r}: {problem}")
        try:
            answer = _compiled(condition).execute(dict(values))
        except KeyError as error:
            raise ValueError(f"the condition {condition!r} looks at {error}, which is not there") from None
        except (ValueError, TypeError, RuntimeError, ArithmeticError, LookupError) as error:
            raise ValueError(f"the condition {condition!r}: {str(error).splitlines()[0]}") from None
        if not isinstance(answer, bool):
            raise ValueError(f"the condition {condition!r} gives {answer!r}, not true or false")
        return answer

    def problem(self, condition: str) -> str | None:
        return condition_problem(condition) or _refused(condition)


def condition_defects(plan: Plan) -> list[Diagnostic]:
    """Give the conditions of a plan that cannot be compiled. Those that the checker refuses unseen are left to it."""
    unreadable = Findings()
    for one in plan.tasks:
        if one.when is not None and not condition_problem(one.when) and (problem := _refused(one.when)):
            unreadable.add([diagnose("bad-condition", f"tasks.{one.id}.when", problem, CONDITION_MEND)])
        until = one.repeat.until if one.repeat is not None else None
        if until is not None and not condition_problem(until) and (problem := _refused(until)):
            unreadable.add([diagnose("bad-condition", f"tasks.{one.id}.repeat.until", problem, UNTIL_MEND)])
    return unreadable.all()


@lru_cache(maxsize=4096)
def _refused(condition: str) -> str | None:
    try:
        _compiled(condition)
    except Exception as error:
        return str(error).splitlines()[0].replace("<input>:", "position ")
    return None


@lru_cache(maxsize=4096)
def _compiled(condition: str) -> Any:
    sys.modules.setdefault("cel.cli", ModuleType("cel.cli"))  # its own command line would take most of a second to load
    import cel  # only runs with conditions pay for it

    return cel.compile(condition)
