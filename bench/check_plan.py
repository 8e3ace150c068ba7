"""How long it takes to look a plan over: medians of CPU time, by shape of the plan and by its form on paper.

.venv/bin/python bench/check_plan.py --tasks 1000 10000 --runs 5
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from typing import Any

from stretto.bootstrap import Orchestrator
from stretto.core.domain import AgentCard, Catalogue, InputSpec, Plan, SideEffect, Skill, Task
from stretto.core.plan.check import check
from stretto.core.plan.shape import read_plan
from stretto.documents import parse_document

TEXT = {"type": "object", "properties": {"rows": {"type": "array"}, "text": {"type": "string"}}, "required": []}
CATALOGUE = Catalogue(
    agents=(
        AgentCard(
            name="worker",
            skills=(
                Skill(name="work", output=TEXT, effect=SideEffect.NONE),
                Skill(name="act", output=TEXT, effect=SideEffect.IDEMPOTENT),
                Skill(name="mark", output=TEXT, effect=SideEffect.NONE, labels=("pii",)),
            ),
            perimeter=("pii", "confidential"),
        ),
    )
)


def ref(number: int, part: str = "") -> dict[str, Any]:
    """Refer to the output of a numbered task."""
    return {"ref": f"t{number}.output{part}"}


def task(number: int, skill: str = "work", **fields: Any) -> Task:
    """Make a numbered task."""
    return Task(id=f"t{number}", skill=skill, **fields)


def shapes(count: int) -> dict[str, Plan]:
    """Give plans of so many tasks, each hard in its own way."""
    every = range(count)
    last = ref(count - 1)

    def made(*tasks: Task, **fields: Any) -> Plan:
        return Plan(tasks=tasks, deliver=last, **fields)

    return {
        "one chain": made(*(task(n, inputs={"rows": ref(n - 1, ".rows")} if n else {}) for n in every)),
        "layers of ten": made(
            *(
                task(n, inputs={"all": [ref(m) for m in range(n // 10 * 10 - 10, n // 10 * 10) if m >= 0]})
                for n in every
            )
        ),
        "one hub": made(*(task(n, inputs={"rows": ref(0, ".rows")} if n else {}) for n in every)),
        "one join": made(
            *(task(n, inputs={"all": [ref(m) for m in every[:-1]]} if n == count - 1 else {}) for n in every)
        ),
        "writers of one key, ordered": made(*(task(n, writes="k", after=(f"t{n - 1}",) if n else ()) for n in every)),
        "writers of one key, unordered": made(*(task(n, writes="k") for n in every)),
        "readers and writers of many keys": made(
            *(
                task(
                    n,
                    writes=f"k{n}",
                    inputs={"x": {"ref": f"context.k{n - 1}"}} if n else {},
                    after=(f"t{n - 1}",) if n else (),
                )
                for n in every
            )
        ),
        "labels of their own and a perimeter": made(
            *(task(n, "mark", labels=(f"l{n}",), after=(f"t{n - 1}",) if n else ()) for n in every)
        ),
        "side effects": made(*(task(n, "act", inputs={"n": n}) for n in every)),
        "equal side effects": made(*(task(n, "act") for n in every)),
        "conditions": made(*(task(n, when=f"t{n - 1}.output.n > {n}" if n else None) for n in every)),
        "one circle": made(*(task(n, inputs={"x": ref((n - 1) % count)}) for n in every)),
        "dangling references": made(*(task(n, inputs={"x": {"ref": f"u{n}q{n}.output"}}) for n in every)),
        "unknown skills": made(*(task(n, f"wrok{n}") for n in every)),
        "unknown inputs in conditions": made(
            *(task(n, when=f"inputs.a{n} == {n}") for n in every), inputs={"b": InputSpec()}
        ),
    }


def document(count: int) -> dict[str, Any]:
    """Give a plan of so many tasks as people write it."""
    tasks = {
        f"t{number}": {
            "skill": "work",
            "objective": f"do the work number {number}",
            "inputs": {"rows": ref(number - 1, ".rows") if number else {"ref": "inputs.logs"}, "count": number},
        }
        for number in range(count)
    }
    return {"name": "big", "inputs": {"logs": {"kind": "files"}}, "tasks": tasks, "deliver": ref(count - 1)}


def yaml_of(plan: dict[str, Any]) -> str:
    """Write such a plan in block YAML."""
    lines = [f"name: {plan['name']}", "inputs:", "  logs: {kind: files}", "tasks:"]
    for id_, body in plan["tasks"].items():
        lines += [f"  {id_}:", f"    skill: {body['skill']}", f"    objective: {body['objective']}", "    inputs:"]
        lines += [f"      rows: {{ref: {body['inputs']['rows']['ref']}}}", f"      count: {body['inputs']['count']}"]
    return "\n".join([*lines, f"deliver: {{ref: {plan['deliver']['ref']}}}", ""])


def median(work: Callable[[], object], runs: int) -> float:
    """Give the median of the CPU seconds that some work takes."""
    taken = []
    for _ in range(runs):
        begin = time.process_time()
        work()
        taken.append(time.process_time() - begin)
    return statistics.median(taken)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--tasks", type=int, nargs="+", default=[1000, 10_000], help="sizes of the plans")
    parser.add_argument("--runs", type=int, default=5, help="runs of each measurement")
    parser.add_argument("--full-yaml", action="store_true", help="measure the full YAML parser as well (slow)")
    chosen = parser.parse_args()
    print("| what | " + " | ".join(f"{count:,} tasks" for count in chosen.tasks) + " |")
    print("|---" * (len(chosen.tasks) + 1) + "|")
    rows: dict[str, list[float]] = {}
    team = Orchestrator()
    team.registry.catalogue = lambda *_: CATALOGUE  # type: ignore[method-assign]
    for count in chosen.tasks:
        for name, plan in shapes(count).items():
            rows.setdefault(f"check: {name}", []).append(median(lambda plan=plan: check(plan, CATALOGUE), chosen.runs))
            rows.setdefault(f"Orchestrator.check: {name}", []).append(
                median(lambda plan=plan: team.check(plan), chosen.runs)
            )
        body = document(count)
        texts = {"JSON": json.dumps(body), "YAML": yaml_of(body)}
        if chosen.full_yaml:
            texts["YAML, full parser"] = f"{texts['YAML']}description: &anchor this takes the full parser\n"
        for form, text in texts.items():
            rows.setdefault(f"read: {form}", []).append(
                median(
                    lambda t=text, f=form: read_plan(parse_document(t, "plan", is_json=f == "JSON").value), chosen.runs
                )
            )
            read = parse_document(text, "plan", is_json=form == "JSON")
            rows.setdefault(f"places: {form}", []).append(
                median(lambda t=text, f=form: parse_document(t, "plan", is_json=f == "JSON").places(), chosen.runs)
                if form != "YAML, full parser"
                else median(read.places, chosen.runs)
            )
    for name, taken in rows.items():
        print(f"| {name} | " + " | ".join(f"{one * 1000:.0f} ms" for one in taken) + " |")


if __name__ == "__main__":
    main()
