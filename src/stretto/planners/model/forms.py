"""What models write where our form says something else, taken as it was meant where there is no doubt.

Other words for our fields, references as templates (`"{{find.output}}"`), a name without `.output`, ids that are
numbers, arguments as a list of names and values, fields that only explain. Every change is told with the code of the
defect it would have been.
"""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from typing import Literal

from stretto.core.domain import Json
from stretto.core.plan.diagnostics import shown, under
from stretto.core.plan.mending import Change
from stretto.core.plan.names import one_slip
from stretto.core.plan.references import ID, RESERVED, is_reference
from stretto.core.plan.shape import TASK_FIELDS

_WORDS = {
    "id": "name task_id taskId",
    "skill": "tool tool_name skill_name action function",
    "inputs": "arguments args input parameters params",
    "after": "depends_on dependsOn dependencies depends requires",
    "objective": "description goal title purpose instruction task",
    "when": "condition",
    "for_each": "foreach forEach",
}
_FIELD_OF = {other: name for name, others in _WORDS.items() for other in others.split()}
_IDLE = frozenset(
    [
        "reason",
        "reasoning",
        "rationale",
        "note",
        "notes",
        "comment",
        "explanation",
        "thought",
        "thoughts",
        "step",
        "order",
        "index",
        "number",
        "status",
        "type",
        "expected_output",
        "output_type",
        "estimated_time",
        "priority",
    ]
)
"""Fields that only explain: nothing of the plan hangs on them."""
_PATH = r"[A-Za-z_][\w-]*(?:\.[^\s.\[\]{}<>]+|\[\d+\])*"
_SURE = re.compile(rf"\{{\{{\s*({_PATH})\s*\}}\}}|\$\{{({_PATH})\}}")
_WHOLE = re.compile(rf"([$@<{{]?)({_PATH})[>}}]?")
_HEAD = re.compile(r"[^.\[\]]+")
_RESULT = re.compile(r"\.(?:result|results|outputs|value)(?![\w-])")
_DEEPEST = 40


@dataclass(slots=True, kw_only=True)
class Form:
    """A task in our form: the name that the model gave it, what was changed, and texts that hold references."""

    document: dict[str, Json]
    written: str
    id: str
    changes: list[Change] = field(default_factory=list)
    embedded: list[tuple[str, str]] = field(default_factory=list)


def in_form(raw: dict[str, Json], key: str, leads: Callable[[str], bool]) -> Form:
    """Put a task that a model wrote into our form. `key` is its name where tasks are a mapping.

    `leads` tells whether the head of a reference is a task or an input that the model may mean.
    """
    document: dict[str, Json] = {}
    changes: list[Change] = []
    for name, value in raw.items():
        if name == "ask" or (name == "approval" and value == "never"):
            what, why = f"has no {shown(name)}", "who is asked is not for a model to say"
            changes.append(_change("irreversible-without-approval", "", what, why))
            continue
        known = name if name in TASK_FIELDS else _FIELD_OF.get(name) or one_slip(name, TASK_FIELDS)
        if known is not None and (known == name or (known not in raw and known not in document)):
            document[known] = value
            if known != name:
                changes.append(
                    _change("unknown-field", "", f"has {shown(name)} as {known!r}", "this is what it stands for")
                )
        elif name in _IDLE:
            changes.append(_change("unknown-field", "", f"has no {shown(name)}", "it only explains"))
        else:
            document[name] = value
    written = _text_of(document.get("id"), key)
    id_ = as_id(written)
    form = Form(document=document, written=written, id=id_, changes=changes)
    if written and id_ != written:
        changes.append(
            _change("bad-id", "id", f"is called {shown(id_)} instead of {shown(written)}", "an id is a name")
        )
    if written:
        document["id"] = id_
    document["inputs"] = _by_name(document.get("inputs") or {})
    if isinstance(document.get("after"), list | str | int):
        after = document["after"] if isinstance(document["after"], list) else [document["after"]]
        document["after"] = [_text_of(one, "") or one for one in after]
    for name in ("inputs", "for_each"):
        if name in document:
            document[name] = with_references(document[name], name, leads, form)
    place = f"tasks.{id_}"
    form.changes = [replace(one, path=f"{place}.{one.path}" if one.path else place) for one in changes]
    return form


def in_form_value(value: Json, path: str, leads: Callable[[str], bool]) -> tuple[Json, list[Change]]:
    """Put a value that is no part of a task into our form; gives the changes too."""
    form = Form(document={}, written="", id="")
    found = with_references(value, path, leads, form)
    return found, form.changes


def as_id(written: str) -> str:
    """Give a task's id for what a model called it: `1` is `t1`, and `step 2` is `step_2`."""
    if ID.fullmatch(written) and written not in RESERVED:
        return written
    plain = re.sub(r"[^A-Za-z0-9_-]+", "_", written.strip()).strip("_")[:90] or "task"
    return (
        plain if ID.fullmatch(plain) and plain not in RESERVED else f"t{plain}" if plain[0].isdigit() else f"t_{plain}"
    )


def with_references(value: Json, path: str, leads: Callable[[str], bool], form: Form, depth: int = 0) -> Json:
    """Give a value with what is meant as a reference as one; texts that hold some among other words are noted."""
    if depth > _DEEPEST:
        return value
    if isinstance(value, dict):
        if is_reference(value) and isinstance(value["ref"], str):
            meant = _meant(value["ref"])
            return value if meant == value["ref"] else _told({**value, "ref": meant}, value["ref"], path, form)
        if value.keys() == {"$ref"} and isinstance(value["$ref"], str):
            return _told({"ref": _meant(value["$ref"])}, value["$ref"], path, form)
        if value.keys() == {"literal"}:
            return value
        return {key: with_references(one, under(path, key), leads, form, depth + 1) for key, one in value.items()}
    if isinstance(value, list):
        return [with_references(one, under(path, n), leads, form, depth + 1) for n, one in enumerate(value)]
    if not isinstance(value, str) or len(value) > 4000:
        return value
    text = value.strip()
    template, whole = _SURE.fullmatch(text), _WHOLE.fullmatch(text)
    if template is not None and _refers(said := template[1] or template[2], leads, "template"):
        return _told({"ref": _meant(said)}, value, path, form)
    if whole is not None and _refers(whole[2], leads, "marked" if whole[1] else "bare"):
        return _told({"ref": _meant(whole[2])}, value, path, form)
    for match in _SURE.finditer(value) if template is None else ():
        if _refers(said := match[1] or match[2], leads, "template"):
            form.embedded.append((path, said))
    return value


def _refers(said: str, leads: Callable[[str], bool], mark: Literal["template", "marked", "bare"]) -> bool:
    """Whether something like `find.output` is meant as a reference, and not as the text that it is."""
    head = _head(said)
    steps = said[len(head) :]
    if head in RESERVED:
        return leads(said) if head in ("inputs", "context") else mark == "template"
    result = steps == ".output" or steps.startswith((".output.", ".output["))
    if leads(head):
        return mark != "bare" or result
    return mark == "template" and result


def _meant(said: str) -> str:
    """Give a reference with the `.output` that it lacks."""
    text = said.strip().removeprefix("#/").removeprefix("tasks.")
    if template := _SURE.fullmatch(text):
        text = template[1] or template[2]
    head = _head(text)
    steps = text[len(head) :]
    if not head or head in RESERVED or steps == ".output" or steps.startswith((".output.", ".output[")):
        return text
    if match := _RESULT.match(steps):
        steps = steps[match.end() :]
    return f"{head}.output{steps}"


def _told(found: dict[str, Json], written: str, path: str, form: Form) -> dict[str, Json]:
    what = f"takes {shown(found['ref'])} for {shown(written)}"
    form.changes.append(_change("bad-reference", path, what, "this is how a result is referred to"))
    return found


def _by_name(raw: Json) -> Json:
    """Give arguments that are written as a list of names and values as a mapping."""
    if not isinstance(raw, list) or not raw:
        return raw or {}
    pairs = [
        (one.get("name"), one["value"]) for one in raw if isinstance(one, dict) and one.keys() == {"name", "value"}
    ]
    names: Collection[Json] = [name for name, _ in pairs]
    if len(pairs) == len(raw) and all(isinstance(name, str) for name in names) and len(set(names)) == len(names):
        return dict(pairs)
    return raw


def _text_of(raw: Json, otherwise: str) -> str:
    if isinstance(raw, str):
        return raw
    return str(raw) if isinstance(raw, int) and not isinstance(raw, bool) else otherwise


def _head(text: str) -> str:
    match = _HEAD.match(text)
    return match[0] if match is not None else ""


def _change(code: str, path: str, what: str, why: str) -> Change:
    return Change(code=code, path=path, what=what, why=why)
