"""The graph of a run as boxes and lines, folded where it is large. Pure: what is drawn, and what of it has changed."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from stretto.core.state import RunState, child_id
from stretto.dashboard.layout import GAP, HEIGHT, WIDTH, Layout, grid, layout
from stretto.dashboard.words import TASK_STATUS, short
from stretto.telling.outlook import Outlook
from stretto.telling.rows import Kind, Row, outline
from stretto.telling.words import count, listed, span

MOST: Final = 120
"""Boxes that are drawn side by side; of more, those of one depth and skill become one."""
STEPS: Final = 24
"""Columns that are drawn of a folded graph; of more, those of some depths after one another become one."""
ITEMS: Final = 6
"""Items of a fan-out that are drawn where there is room for them; more are folded into its box."""

_FAN, _GROUP = "items:", "tasks:"
_LONGEST = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A box: one task, an item, a fan-out with its items folded in, or a group of tasks.

    `opens` is what shows its inside, empty where it has none; `place` says which steps a group is, `indent` that the
    box belongs to the one above.
    """

    id: str
    name: str
    members: tuple[str, ...]
    place: str = ""
    opens: str = ""
    indent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What of a run's graph is drawn, and where. It stays the same until the plan grows.

    `key` tells whether it is still the shape of a run; `crumbs` lead back out: (what to open, its name).
    """

    key: tuple[Any, ...]
    boxes: tuple[Box, ...]
    layout: Layout
    crumbs: tuple[tuple[str, str], ...]
    drawn: Mapping[str, str]
    """The box that a task is drawn in."""


def key_of(state: RunState, opened: str) -> tuple[Any, ...]:
    """Tell apart the shapes of a run: a task more, an item more or another plan is another shape."""
    return (state.run, state.revision, len(state.ids), opened)


def shape_of(state: RunState, opened: str = "") -> Shape:
    """Give what is drawn when `opened` is open: all, the items of a fan-out, or a group; what is unknown shows all."""
    if opened.startswith(_FAN):
        one = state.tasks.get(opened.removeprefix(_FAN))
        if one is not None and one.children:
            return _items(state, opened, one.task.id, one.children)
    before = {
        id_: tuple(state.tasks[id_].needs)
        for id_ in (state.ids[position] for position in range(len(state.ids)))
        if state.tasks[id_].parent is None
    }
    depth = dict(outline(before))
    ids = list(before)
    name = ""
    if opened.startswith(_GROUP):
        inside = [id_ for id_ in ids if _in_group(opened, depth[id_], state.tasks[id_].task.skill)]
        if inside:
            ids, name = inside, ", ".join(_group_name(opened, len(inside)))
    boxes = _folded(state, ids, depth)
    drawn = {member: box.id for box in boxes for member in box.members}
    crumbs = (("", "All tasks"), (opened, name)) if name else ()
    return Shape(
        key=key_of(state, opened),
        boxes=tuple(boxes),
        layout=_arranged(state, boxes, before, drawn),
        crumbs=crumbs,
        drawn=drawn,
    )


def picture(shape: Shape, run: str) -> dict[str, Any]:
    """Give what stays: boxes with their places, and lines."""
    places = shape.layout.places
    indented = 18
    return {
        "run": run,
        "width": shape.layout.width,
        "height": shape.layout.height,
        "boxes": [
            {
                "id": box.id,
                "name": short(box.name, _LONGEST),
                "x": places[box.id].x + (indented if box.indent else 0),
                "y": places[box.id].y,
                "column": places[box.id].column,
                "width": WIDTH - (indented if box.indent else 0),
                "height": HEIGHT,
                "opens": box.opens,
            }
            for box in shape.boxes
        ],
        "lines": [{"before": edge.before, "after": edge.after, "path": edge.path} for edge in shape.layout.edges],
    }


def looks(shape: Shape, rows: Mapping[str, Row], ahead: Outlook) -> dict[str, dict[str, Any]]:
    """Give how each box looks now, by its id; compare with before, and send what has changed."""
    critical = {shape.drawn[id_] for id_ in ahead.path if id_ in shape.drawn}
    found = {}
    for box in shape.boxes:
        members = [rows[id_] for id_ in box.members if id_ in rows]
        if members:
            found[box.id] = _look(box, members, box.id in critical)
    return found


def critical_lines(shape: Shape, ahead: Outlook) -> list[str]:
    """Name the lines of the critical path, each by the boxes at its ends."""
    lines = {(edge.before, edge.after) for edge in shape.layout.edges}
    steps = ((shape.drawn.get(one, ""), shape.drawn.get(other, "")) for one, other in pairwise(ahead.path))
    return [f"{one}\n{other}" for one, other in dict.fromkeys(steps) if (one, other) in lines]


def _look(box: Box, members: Sequence[Row], critical: bool) -> dict[str, Any]:
    first, whole = members[0], len(members) == 1
    kinds = _kinds(members)
    many = sum(kinds.values())
    told = TASK_STATUS[first.kind if whole else _liveliest(kinds)]
    took = span(first.seconds) if whole and first.seconds is not None and not first.ticks else ""
    who = f"{kinds[Kind.DONE]} of {many} done" if many > 1 else first.agent
    return {
        "sign": told.sign,
        "tone": told.tone,
        "word": told.word,
        "below": short(" · ".join(part for part in (who, box.place, took) if part) or told.word, 60),
        "note": short(first.note if whole else listed({kind.value: kinds[kind] for kind in kinds}), 300),
        "critical": critical,
        "shares": [[TASK_STATUS[kind].tone, kinds[kind] / many] for kind in kinds] if many > 1 else [],
    }


def _kinds(members: Sequence[Row]) -> Counter[Kind]:
    """Count how the tasks of a box stand; a fan-out's items count, not it itself."""
    if len(members) == 1 and members[0].counts is not None:
        return Counter({Kind(word): many for word, many in members[0].counts.items()})
    return Counter(row.kind for row in members)


_LIVELY = (Kind.ASKING, Kind.RUNNING, Kind.FAILED, Kind.RETRYING, Kind.READY, Kind.BLOCKED, Kind.CANCELLED,
           Kind.UNDONE, Kind.SKIPPED, Kind.DONE)  # fmt: skip


def _liveliest(kinds: Iterable[Kind]) -> Kind:
    """Give what of a group one should know first."""
    there = set(kinds)
    return next(kind for kind in _LIVELY if kind in there)


def _items(state: RunState, opened: str, id_: str, many: int) -> Shape:
    boxes = [Box(id=name, name=name, members=(name,)) for name in (child_id(id_, number) for number in range(many))]
    return Shape(
        key=key_of(state, opened),
        boxes=tuple(boxes),
        layout=grid([box.id for box in boxes], _depth(many)),
        crumbs=(("", "All tasks"), (opened, f"{id_}: {count(many, 'item')}")),
        drawn={box.id: box.id for box in boxes},
    )


def _depth(many: int) -> int:
    """Give the rows of a grid that is about twice as wide as it is high."""
    shape = (WIDTH / (HEIGHT + GAP)) / 2
    return max(1, min(many, round(math.sqrt(many * shape))))


def _folded(state: RunState, ids: Sequence[str], depth: Mapping[str, int]) -> list[Box]:
    """Give a box for each task; where they are too many, one for those of a depth, or some depths, and a skill."""
    if len(ids) <= MOST:
        return [box for id_ in ids for box in _task(state, id_, room=MOST - len(ids))]
    first, last = min(depth[id_] for id_ in ids), max(depth[id_] for id_ in ids)
    skills = {state.tasks[id_].task.skill for id_ in ids}
    if first == last and (len(skills) == 1 or len(skills) > MOST):
        return [box for id_ in ids for box in _task(state, id_, room=0)]
    band = max(1, -(-(last - first + 1) // STEPS))
    while True:
        groups: dict[str, list[str]] = defaultdict(list)
        for id_ in ids:
            begin = first + (depth[id_] - first) // band * band
            groups[_group(begin, begin + band - 1, state.tasks[id_].task.skill)].append(id_)
        if len(groups) <= MOST or band > last - first:
            break
        band *= 2
    boxes = []
    for token, members in groups.items():
        if len(members) == 1:
            boxes += _task(state, members[0], room=0)
        else:
            name, place = _group_name(token, len(members))
            boxes.append(Box(id=token, name=name, members=tuple(members), place=place, opens=token))
    return boxes


def _task(state: RunState, id_: str, room: int) -> list[Box]:
    one = state.tasks[id_]
    if not one.children:
        return [Box(id=id_, name=id_, members=(id_,))]
    whole = Box(id=id_, name=f"{id_} [{one.children}]", members=(id_,), opens=f"{_FAN}{id_}")
    if one.children > min(ITEMS, room):
        return [whole]
    names = [child_id(id_, number) for number in range(one.children)]
    return [whole, *(Box(id=name, name=name, members=(name,), indent=True) for name in names)]


def _arranged(
    state: RunState, boxes: Sequence[Box], before: Mapping[str, Sequence[str]], drawn: Mapping[str, str]
) -> Layout:
    waits: dict[str, dict[str, None]] = {box.id: {} for box in boxes if not box.indent}
    rows = dict.fromkeys(waits, 1)
    for box in boxes:
        if box.indent:
            rows[state.tasks[box.id].parent or ""] += 1
            continue
        for member in box.members:
            waits[box.id].update((drawn[name], None) for name in before.get(member, ()) if name in drawn)
    if (
        len(boxes) > 1
        and not any(names for id_, names in waits.items() if set(names) - {id_})
        and max(rows.values()) == 1
    ):
        return grid(list(waits), _depth(len(waits)))
    found = layout({id_: tuple(names) for id_, names in waits.items()}, rows)
    places = dict(found.places)
    for box in boxes:
        one = state.tasks.get(box.id)
        if box.indent and one is not None and one.parent is not None and one.number is not None:
            above = places[one.parent]
            places[box.id] = type(above)(above.column, above.row + 1 + one.number)
    return Layout(places=places, edges=found.edges, width=found.width, height=found.height)


def _group(first: int, last: int, skill: str) -> str:
    return f"{_GROUP}{first}-{last}:{skill}"


def _in_group(token: str, depth: int, skill: str) -> bool:
    first, last, wanted = _parts(token)
    return first <= depth <= last and skill == wanted


def _parts(token: str) -> tuple[int, int, str]:
    """Read what a group holds; one that nobody wrote holds nothing."""
    bounds, _, skill = token.removeprefix(_GROUP).partition(":")
    first, _, last = bounds.partition("-")
    if not (first.isdecimal() and last.isdecimal() and len(bounds) < 20):
        return 0, -1, ""
    return int(first), int(last), skill


def _group_name(token: str, many: int) -> tuple[str, str]:
    first, last, skill = _parts(token)
    steps = f"step {first + 1}" if first == last else f"steps {first + 1}–{last + 1}"
    return f"{skill} × {many}", steps
