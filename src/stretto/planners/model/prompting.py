"""What a model is told so that it can plan: the form, the skills, what is at hand, and what of the plan stands already.

The first message changes only with the skills, so that providers can keep it at hand; what changes from call to call
comes behind it. The same state gives the same prompt, also after a crash, when the journal has sorted its mappings.
Contents of files are never told: only what they are called, their kind and size.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from stretto.core.compress import size as characters
from stretto.core.domain import Catalogue, InputSpec, Json, Playbook, Schema, Task, TaskStatus
from stretto.core.plan.diagnostics import Diagnostic
from stretto.core.plan.schemas import type_of
from stretto.core.plan.writing import write_task
from stretto.core.state import LOST, RunState, TaskState, accepted, is_undone
from stretto.models.counting import tokens_in
from stretto.models.prompt import Message, Model, Prompt
from stretto.planners.model.cards import card, cards, one_line
from stretto.planners.model.narrowing import Known, narrowed, skills_of

MOST_TOKENS = 6_000
"""Tokens of a planner's prompt at most, the goal's own text and the plan so far aside."""
SHARE = 0.5
"""The part of a model's window that they take at most."""
LONGEST_ANSWER = 8_000
"""Tokens of an answer; a longer plan is written in several."""
_PROMPTS = Path(__file__).parent.parent / "prompts"
_LEAST_ROOM = 200
_NAMES = 6
_FINDINGS = 20
_SUMMARIES = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What of a plan stands when a model is asked, and what came of its answer before."""

    adopted: Sequence[Task] = ()
    rejected: Sequence[dict[str, Json]] = ()
    found: Sequence[Diagnostic] = ()
    cut: bool = False
    no_questions: bool = False


def planning_prompt(state: RunState, catalogue: Catalogue, models: Sequence[Model], standing: Standing) -> Prompt:
    """Give the prompt for a plan, for the smallest window of some models; the same state gives the same prompt.

    Of a run that goes on (`state.draft`) it tells what is done, what failed and what is still planned.
    """
    window = min(model.window for model in models)
    most = int(min(MOST_TOKENS, window * SHARE))
    playbooks = list(_playbooks(state.goal, catalogue.playbooks))
    goal = _rendered(
        "goal.md",
        goal=re.sub(r"<(?=/?\s*goal)", "< ", state.goal.strip(), flags=re.IGNORECASE),
        playbooks="\n".join(playbooks),
        inputs="\n".join(_inputs(state.inputs, state.specs)),
        limits=_limits(state),
        answers="\n".join(f"- {_quoted(question)}: {_quoted(said)}" for question, said in state.clarified),
        no_questions=standing.no_questions,
        **_progress(state),
        adopted="\n".join(f"- {task.id}: {task.skill}{_objective(task)}" for task in standing.adopted),
        rejected="\n".join(_compact(one) for one in standing.rejected),
        found="\n".join(f"- {_finding(one)}" for one in standing.found[:_FINDINGS]),
        cut=standing.cut,
    )
    fixed = tokens_in(_rendered("plan.md", cards="", left_out=0))
    told = sum(map(tokens_in, playbooks)) + sum(map(tokens_in, _inputs(state.inputs, state.specs)))
    known = _told(state, catalogue, max(most - fixed - told, _LEAST_ROOM))
    left_out = len(skills_of(catalogue)) - len(known)
    system = _rendered("plan.md", cards="\n".join(cards(known)), left_out=left_out)
    messages = Message(role="system", text=system), Message(role="user", text=goal.strip())
    return Prompt(messages=messages, schema=answer_schema(known), most=min(LONGEST_ANSWER, window // 4))


def answer_schema(known: Iterable[str]) -> Schema:
    """Give the JSON Schema of an answer: the header, then the tasks, of the skills that there are, then the end."""
    texts: Schema = {"type": "array", "items": {"type": "string"}}
    task: Schema = {
        "type": "object",
        "properties": {
            "id": {"type": "string"},
            "skill": {"type": "string", "enum": list(known)},
            "objective": {"type": "string"},
            "inputs": {"type": "object"},
            "after": texts,
            "when": {"type": "string"},
            "for_each": {"type": "object"},
            "criteria": texts,
            "ladder": {"type": "object"},
        },
        "required": ["id", "skill", "inputs"],
    }
    return {
        "type": "object",
        "properties": {
            "restated": {"type": "string"},
            "question": {"type": "string"},
            "choices": texts,
            "refuse": {"type": "string"},
            "missing": texts,
            "assumptions": texts,
            "done": texts,
            "keep": texts,
            "tasks": {"type": "array", "items": task},
            "deliver": {"type": "object"},
        },
        "required": ["restated", "tasks", "deliver"],
    }


def _told(state: RunState, catalogue: Catalogue, room: int) -> Known:
    known = skills_of(catalogue)

    def weigh(name: str) -> int:
        return tokens_in(card(*known[name])) + 1

    return narrowed(state.goal, catalogue, state.inputs, state.specs, weigh, room)


# ---- what is at hand


def _inputs(inputs: Mapping[str, Json], specs: Mapping[str, InputSpec]) -> Iterator[str]:
    """Give a line for each input: its name, kind, size and labels, and what files are called."""
    for name, value in sorted(inputs.items()):
        spec = specs.get(name, InputSpec())
        match spec.kind:
            case "value":
                told = f"{_type(value)}, {characters(value)} characters"
            case "files" if isinstance(value, list):
                named = [f"[{number}] {_file(one)}" for number, one in enumerate(value[:_NAMES])]
                more = f" and {len(value) - _NAMES} more" if len(value) > _NAMES else ""
                told = f"{len(value)} files: {', '.join(named)}{more}"
            case "folder":
                told = f"folder {_name(value)}"
            case _:
                told = f"file {_file(value)}"
        labels = f" [labels: {', '.join(one_line(one, 40) for one in spec.labels)}]" if spec.labels else ""
        says = f": {one_line(spec.description, 120)}" if spec.description else ""
        yield f"- inputs.{one_line(name, 80)}: {told}{says}{labels}"


def _type(value: Json) -> str:
    return (
        f"list of {len(value)}" if isinstance(value, list) else {"string": "text"}.get(type_of(value), type_of(value))
    )


def _name(value: Json) -> str:
    return _quoted(Path(str(value)).name)


def _file(value: Json) -> str:
    """Give a file's name and size, in a unit in which a little more or less does not show."""
    try:
        count = Path(str(value)).stat().st_size
    except (OSError, ValueError):
        return _name(value)
    for unit in ("bytes", "kB", "MB"):
        if count < 1000:
            return f"{_name(value)} ({count} {unit})"
        count = round(count / 1000)
    return f"{_name(value)} ({count} GB)"


def _limits(state: RunState) -> str:
    budget = state.budget
    parts = [
        f"${budget.money.normalize():f}" if budget.money is not None else "",
        f"{budget.tokens} tokens" if budget.tokens is not None else "",
        f"{budget.steps} task attempts" if budget.steps is not None else "",
        f"{state.until - state.started:.0f} s in all" if state.until is not None else "",
    ]
    return ", ".join(part for part in parts if part)


def _playbooks(goal: str, known: Sequence[Playbook]) -> Iterator[str]:
    from stretto.planners.playbook import near

    for book in near(goal, known):
        steps = "; ".join(f"{task.id}: {task.skill}" for task in book.plan.tasks[:12])
        yield f"- {one_line(book.description or book.intents[0], 120)}: {steps}"


# ---- a run that goes on


def _progress(state: RunState) -> dict[str, str]:
    """Give what a run has done, what failed in it and what is planned; nothing of a run that is planned first."""
    if state.draft is None:
        return {"done": "", "failed": "", "open": ""}
    planned = {id_: one for id_, one in state.tasks.items() if one.parent is None and one.task.undoes is None}
    finished = [id_ for id_ in planned if is_done(state, planned[id_])]
    failed = [id_ for id_, one in planned.items() if one.status in LOST and not one.excused]
    left = [id_ for id_, one in planned.items() if not one.status.final]
    shown = set(finished[-_SUMMARIES:])
    return {
        "done": "\n".join(
            f"- {id_}: {planned[id_].task.skill}{_objective(planned[id_].task)}"
            + (f" -> {_summary(state, planned[id_], id_)}" if id_ in shown else "")
            for id_ in finished
        ),
        "failed": "\n".join(
            f"- {_written(planned[id_].task)}: {_quoted(one_line(planned[id_].reason, 200))}" for id_ in failed
        ),
        "open": "\n".join(f"- {_written(planned[id_].task)}" for id_ in left),
    }


def is_done(state: RunState, one: TaskState) -> bool:
    """Whether a task is completed, and what it did stands."""
    return one.status is TaskStatus.COMPLETED and not is_undone(state, one.task.id)


def _summary(state: RunState, one: TaskState, id_: str) -> str:
    """Say what a result is; its beginning only where it is neither personal nor from outside."""
    value = accepted(state, id_)
    told = f"{_type(value)}, {characters(value)} characters"
    if one.labels:
        return f"{told} [labels: {', '.join(sorted(one.labels))}]"
    if isinstance(value, dict):
        told += f", fields {', '.join(one_line(str(key), 40) for key in sorted(value)[:12])}"
    return f"{told}: {_quoted(one_line(json.dumps(value, ensure_ascii=False, sort_keys=True)[:400], 160))}"


def _objective(task: Task) -> str:
    return f" ({one_line(task.objective, 100)})" if task.objective else ""


def _written(task: Task) -> str:
    body = {name: value for name, value in sorted(write_task(task).items()) if name != "skill"}
    inputs = {"inputs": dict(sorted(body["inputs"].items()))} if "inputs" in body else {}
    return _compact({"id": task.id, "skill": task.skill, **body, **inputs})


def _compact(document: Mapping[str, Json]) -> str:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def _finding(one: Diagnostic) -> str:
    return one_line(f"{one.path or one.where}: {one.message} [{one.code}] {one.mend}", 400)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


# ---- files


def _rendered(name: str, **values: Any) -> str:
    return str(_templates().get_template(name).render(**values))


@cache
def _templates() -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # only runs that a model plans pay for it

    # Prompts are plain text: nothing is to be escaped, and values are never read as templates.
    return Environment(loader=FileSystemLoader(_PROMPTS), undefined=StrictUndefined, autoescape=False)  # noqa: S701
