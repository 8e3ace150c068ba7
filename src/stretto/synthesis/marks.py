"""Marks in a written text, such as [t3] or [t1, t2.0]: which result a statement rests on."""

import re
from collections.abc import Collection, Iterable

from stretto.core.domain import TaskStatus
from stretto.core.state import RunState, child_id

_MARK = r"[A-Za-z_][A-Za-z0-9_-]{0,99}(?:\.[A-Za-z0-9_-]+)?"
_MARKS = re.compile(rf"\[({_MARK}(?:\s*[,;]\s*{_MARK})*)\](?![(:])")
_BETWEEN = re.compile(r"\s*[,;]\s*")


def marks_in(text: str) -> list[str]:
    """Give the marks of a text in the order in which they come first. Links and list boxes are none."""
    return list(dict.fromkeys(mark for found in _MARKS.findall(text) for mark in _BETWEEN.split(found) if mark != "x"))


def strange(text: str, known: Collection[str], quoted: Iterable[str]) -> list[str]:
    """Give the marks of a text that stand for nothing; what stands in brackets in a result may be quoted."""
    found = [mark for mark in marks_in(text) if mark not in known]
    return [mark for mark in found if not any(f"[{mark}]" in one for one in quoted)]


def mark_of(id_: str) -> str:
    """Give the mark of a task's result: its id, and of an item of a fan-out also its number."""
    return id_.replace("[", ".").replace("]", "")


def standing_items(state: RunState, id_: str) -> list[str]:
    """Give the items of a fan-out whose results count; none of a task that is no fan-out."""
    one = state.tasks[id_]
    if one.children is None or one.rounds is not None:
        return []
    items = (child_id(id_, number) for number in range(one.children))
    return [name for name in items if state.tasks[name].status is TaskStatus.COMPLETED and not state.tasks[name].undone]
