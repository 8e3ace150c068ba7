"""A workspace with something to see: a plan of every kind of step, and a large one."""

from pathlib import Path

AGENTS = '''"""Agents of the studio; they work in moments, so that a test need not wait."""

import asyncio

from stretto import Assignment, irreversible, pure

tried: set[str] = set()
PAPER = "# A paper\\n\\n<script>alert(1)</script>\\n"


@pure
async def gather(topic: str) -> list[str]:
    """Find what is known."""
    await asyncio.sleep(0.05)
    return [f"{topic} {number}" for number in range(4)]


@pure
async def weigh(fact: str) -> str:
    """Weigh one fact."""
    await asyncio.sleep(0.05)
    return f"{fact} is so"


@pure
async def doubt(topic: str) -> str:
    """Fail the first time."""
    if topic not in tried:
        tried.add(topic)
        raise ConnectionError("the line was busy")
    return f"{topic} holds"


@pure
async def write(topic: str, facts: list[str]) -> str:
    """Write the report."""
    points = "\\n".join(f"- {fact}" for fact in facts)
    return f"# {topic}\\n\\n{points}\\n\\n| what | how many |\\n|---|---|\\n| facts | {len(facts)} |\\n"


@irreversible
async def publish(report: str) -> str:
    """Publish it."""
    return report


@pure
async def paper(work: Assignment) -> str:
    """Write a paper."""
    work.attach("paper.md", PAPER, "text/markdown")
    return "a paper"


@pure
async def fragile() -> str:
    """Break the first time."""
    if "fragile" not in tried:
        tried.add("fragile")
        raise ValueError("it broke")
    return "whole"


@pure
async def step(number: int) -> int:
    """One of many."""
    return number
'''
REPORT = """\
inputs:
  topic: {kind: value, default: rivers, description: What the report is about}
  paper: {kind: file, required: false, description: What to read first}
tasks:
  - {id: gather, skill: studio.gather, objective: Find what is known, inputs: {topic: {ref: inputs.topic}}}
  - id: weigh
    skill: studio.weigh
    objective: Weigh each fact
    for_each: {items: {ref: gather.output}}
    inputs: {fact: {ref: item}}
  - {id: doubt, skill: studio.doubt, objective: Question it, inputs: {topic: {ref: inputs.topic}}}
  - id: write
    skill: studio.write
    objective: Write the report
    after: [doubt]
    inputs: {topic: {ref: inputs.topic}, facts: {ref: weigh.output}}
  - {id: publish, skill: studio.publish, objective: Publish it, inputs: {report: {ref: write.output}}}
deliver: {ref: publish.output}
"""
PAPER = "# A paper\n\n<script>alert(1)</script>\n"
"""The document that the plan `paper` brings."""
ONE = "tasks: [{id: only, skill: studio.SKILL}]\ndeliver: {ref: only.output}\n"
BRIEF = REPORT[: REPORT.index("  - {id: publish")] + "deliver: {ref: write.output}\n"


def large(many: int) -> str:
    """Write a plan of many tasks, ten abreast."""
    lines = ["tasks:"]
    for number in range(many):
        after = f", after: [t{number - 10}]" if number >= 10 else ""
        lines.append(f"  - {{id: t{number}, skill: studio.step, inputs: {{number: {number}}}{after}}}")
    return "\n".join([*lines, f"deliver: {{ref: t{many - 1}.output}}", ""])


def studio(folder: Path, many: int = 60) -> Path:
    """Make the workspace, with a large plan of so many tasks."""
    (folder / "agents").mkdir(parents=True)
    (folder / "plans").mkdir()
    (folder / "agents" / "studio.py").write_text(AGENTS)
    (folder / "plans" / "report.yaml").write_text(REPORT)
    (folder / "plans" / "brief.yaml").write_text(BRIEF)
    for skill in ("paper", "fragile"):
        (folder / "plans" / f"{skill}.yaml").write_text(ONE.replace("SKILL", skill))
    (folder / "plans" / "large.yaml").write_text(large(many))
    (folder / "workspace.yaml").write_text(
        "name: studio\nagents:\n  - python: agents/studio.py\nplan: plans/report.yaml\n"
        "goal: Report on rivers\nladder:\n  transient: [{retry: 2, pause: 0.05}]\n  error: [fail]\n"
    )
    return folder
