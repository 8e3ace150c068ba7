"""Playbooks: plans in YAML for goals of a kind, in a workspace's folder `playbooks`. See docs/planning.md."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from stretto.core.domain import Json, Plan, Playbook
from stretto.core.errors import BadWorkspace
from stretto.core.plan.diagnostics import Diagnostic, diagnose, errors
from stretto.core.plan.inclusion import CannotInclude, included
from stretto.core.plan.shape import DEFAULT_SIZE, Size, read_plan
from stretto.documents import Document, Unreadable, read_document

FOLDER = "playbooks"
_SLOT = re.compile(r"\{([^{}]*)\}")
_SUFFIXES = frozenset({".yaml", ".yml", ".json"})


def read_playbooks(
    folder: Path, size: Size = DEFAULT_SIZE, check: Callable[[Plan], Iterable[Diagnostic]] = lambda plan: ()
) -> tuple[Playbook, ...]:
    """Read every playbook of a workspace, in the order of their names; raises BadWorkspace with every defect.

    `check` finds what is wrong with a plan besides its shape.
    """
    home = folder / FOLDER
    files = sorted(one for one in home.iterdir() if one.suffix in _SUFFIXES) if home.is_dir() else []
    documents: dict[str, Document] = {}
    wrong: list[Diagnostic] = []
    for file in files:
        try:
            document = read_document(file)
        except Unreadable as error:
            wrong.append(error.diagnostic)
            continue
        if file.stem in documents:
            raise BadWorkspace(f"{file}: there are two playbooks {file.stem!r}; rename one")
        documents[file.stem] = document
    found = []
    for name, document in documents.items():
        playbook, defects = _playbook(name, documents, size)
        defects += check(playbook.plan) if playbook.plan.tasks and not errors(defects) else ()
        placed = document.placed(defects)
        if errors(placed):
            wrong += errors(placed)
        else:
            found.append(playbook)
    if wrong:
        raise BadWorkspace("\n".join(str(one) for one in wrong))
    return tuple(found)


def _playbook(name: str, documents: dict[str, Document], size: Size) -> tuple[Playbook, list[Diagnostic]]:
    def find(wanted: str) -> Json | None:
        known = documents.get(wanted)
        return known.value if known is not None else None

    body = documents[name].value
    try:
        whole = included(body, find, (name,))
    except CannotInclude as error:
        return Playbook(name=name, plan=Plan()), [error.diagnostic]
    intents: Json = ()
    if isinstance(whole, dict):
        intents = whole.get("intents") or ()
        whole = {key: value for key, value in whole.items() if key != "intents"}
    plan, found = read_plan(whole, size)
    if isinstance(intents, str):
        intents = [intents]
    if not _all_text(intents):
        mend = 'Write `intents: ["onboard {customer}"]`.'
        found.append(diagnose("bad-value", "intents", "`intents` is a list of phrases", mend))
        intents = ()
    for number, intent in enumerate(intents):
        found += _defects(intent, f"intents[{number}]", plan)
    description = body.get("description", "") if isinstance(body, dict) else ""
    named = replace(plan, name=name)
    text = description if isinstance(description, str) else ""
    return Playbook(name=name, plan=named, intents=tuple(intents), description=text), found


def _all_text(value: Json) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(one, str) and one.strip() for one in value)


def _defects(intent: str, place: str, plan: Plan) -> Iterator[Diagnostic]:
    """Say why a phrase could never be met, or by anything."""
    if "{" in _SLOT.sub("", intent) or "}" in _SLOT.sub("", intent):
        yield diagnose("bad-value", place, "a brace has no partner", "Write slots as {NAME}.")
    slots = _SLOT.findall(intent)
    for slot in dict.fromkeys(slots):
        if slot not in plan.inputs:
            mend = f"Add `{slot}` to `inputs:`, or take it out of the phrase."
            yield diagnose("undeclared-reference", place, f"no input is called {slot!r}", mend)
    if len(slots) != len(set(slots)):
        yield diagnose("bad-value", place, "a slot appears twice", "Name each input once in a phrase.")
    if not re.search(r"[^\W_]", _SLOT.sub(" ", intent)):
        yield diagnose(
            "bad-value", place, "the phrase has no word of its own", "Say what is to be done: a verb will do."
        )
    if re.search(r"\}[\W_]*\{", intent):
        yield diagnose("bad-value", place, "two slots stand side by side", "Put a word between them.")
