"""Ladders as people write them: by class of failure a list of rungs, each a word or a mapping.

{retry: 3, pause: 0.5}  {revise: 2}  {with: {temperature: 0}}  backup  {agent: NAME}  {ask: ann, within: 2h}
skip  compensate  stop  fail
"""

import contextlib
import math
from collections.abc import Iterator
from typing import Any, get_args

from stretto.core.canonical import canonical
from stretto.core.domain import FailureClass, Json, Ladder, Rung, Task, Try
from stretto.core.ladder import ANY, ENDS
from stretto.core.lengths import seconds_in
from stretto.core.plan.diagnostics import Diagnostic, diagnose, listed, shown, under
from stretto.core.plan.names import Names
from stretto.core.plan.references import referring
from stretto.core.plan.schemas import arguments
from stretto.core.routing import Roster

CLASSES = (*(one.value for one in FailureClass), ANY)
RUNGS: tuple[str, ...] = get_args(Try)
MOST_TIMES = 1000
MOST_RUNGS = 50
LONGEST = 366 * 86400.0
"""Seconds that a pause or a person may take at most."""

EXTRAS = {"retry": ("pause",), "revise": ("pause",), "with": ("times", "pause"), "ask": ("within",)}
_FORMS = (
    "Write a rung like retry, {retry: 3, pause: 0.5}, {revise: 2}, backup, {agent: NAME}, {ask: NAME}, skip or fail."
)


def read_ladder(raw: Any, place: str) -> tuple[Ladder, list[Diagnostic]]:
    """Give the ladder that a document describes, as far as it can be read, and what is wrong with it, with places."""
    if not isinstance(raw, dict):
        told = "a ladder maps classes of failure to lists of rungs"
        return {}, [diagnose("bad-value", place, told, "Write `ladder: {transient: [{retry: 3}, backup]}`.")]
    found: Ladder = {}
    said: list[Diagnostic] = []
    for name, listing in raw.items():
        here = under(place, str(name))
        if name not in CLASSES:
            message = f"there is no class of failure {shown(name)}"
            said.append(diagnose("bad-value", here, message, f"Use one of {', '.join(CLASSES)}."))
        elif listing is not None:
            found[name] = tuple(_rungs(listing, here, said))
    return found, said


def write_ladder(ladder: Ladder) -> dict[str, Json]:
    """Give the document that `read_ladder` reads as this ladder."""
    return {name: [_written(rung) for rung in rungs] for name, rungs in ladder.items()}


def agents_in(ladder: Ladder) -> Iterator[tuple[str, str]]:
    """Give every agent that a ladder names, with its place."""
    for name, rungs in ladder.items():
        for number, rung in enumerate(rungs):
            if rung.do == "agent":
                yield f"{name}[{number}]", rung.agent


def ladder_defects(task: Task, agents: Roster) -> Iterator[Diagnostic]:
    """Give what is wrong with a task's own ladder, and the agents that no ladder of it can reach."""
    place = f"tasks.{task.id}"
    yield from read_ladder(write_ladder(task.ladder), f"{place}.ladder")[1]
    able = agents.candidates(task)
    known, _, others = arguments(agents.skill(task, able[0]).inputs) if able else ({}, (), True)
    for name, rungs in task.ladder.items():
        for number, rung in enumerate(rungs):
            here = f"{place}.ladder.{name}[{number}]"
            if rung.do == "agent" and agents.equivalent(task.skill, rung.agent) is None:
                mend = Names(lambda: agents.by_skill.get(task.skill, ())).mend(rung.agent)
                message = f"there is no agent {shown(rung.agent)} with {shown(task.skill)}"
                yield diagnose("unknown-agent", f"{here}.agent", message, mend)
            for argument in () if others else rung.arguments:
                if argument not in known:
                    message = f"{task.skill!r} takes no {shown(argument)}"
                    mend = Names(known.keys).mend(argument)
                    yield diagnose("unknown-input", under(f"{here}.with", argument), message, mend)


def stand_in_defects(tasks: tuple[Task, ...], agents: Roster) -> Iterator[Diagnostic]:
    """Give the backups and agents named on cards that are not there or cannot stand in, once for each skill."""
    seen: set[str] = set()
    for task in tasks:
        if task.skill in seen:
            continue
        seen.add(task.skill)
        for name in agents.by_skill.get(task.skill, ()):
            card, skill = agents.agents[name], agents.skill(task, name)
            climbing = (one for ladder in (skill.ladder, card.ladder) for _, one in agents_in(ladder))
            wanted = dict.fromkeys((*card.backups, *climbing))
            missing = [one for one in wanted if agents.equivalent(task.skill, one) is None]
            if missing:
                there = [one for one in missing if one in agents.agents]
                told = f"{listed(there)} has no such skill" if there else f"there is no agent {listed(missing)}"
                message = f"{shown(name)} is to be replaced by {listed(missing)} for {shown(task.skill)}: {told}"
                mend = (
                    f"Name agents with the skill {task.skill!r}, or one that differs from it by the agent's name only."
                )
                yield diagnose("unknown-backup", f"tasks.{task.id}.skill", message, mend)


def _rungs(raw: Any, place: str, said: list[Diagnostic]) -> Iterator[Rung]:
    listing = list(raw) if isinstance(raw, list | tuple) else [raw]
    if len(listing) > MOST_RUNGS:
        said.append(diagnose("bad-value", place, f"{len(listing)} rungs", f"Give at most {MOST_RUNGS}."))
        return
    for number, one in enumerate(listing):
        here = under(place, number) if isinstance(raw, list | tuple) else place
        rung = _rung(_written(one) if isinstance(one, Rung) else one, here, said)
        if rung is None:
            continue
        yield rung
        if rung.do in ENDS and number < len(listing) - 1:
            message = f"`{rung.do}` ends the ladder, what stands behind it is never reached"
            said.append(diagnose("bad-value", under(place, number + 1), message, "Remove it, or put it before."))
            return


def _rung(raw: Any, place: str, said: list[Diagnostic]) -> Rung | None:
    """Read one rung; None where it cannot be read."""
    if isinstance(raw, str):
        raw = {raw: None}
    kinds = [name for name in raw if name in RUNGS] if isinstance(raw, dict) else []
    if len(kinds) != 1:
        told = "two rungs in one" if kinds else shown(next(iter(raw), raw) if isinstance(raw, dict) else raw)
        said.append(diagnose("bad-value", place, f"this is no rung: {told}", _FORMS))
        return None
    do = kinds[0]
    before = len(said)
    extras = EXTRAS.get(do, ())
    for name in raw:
        if name != do and name not in extras:
            message = f"`{do}` has no field {shown(name)}"
            mend = f"It takes {', '.join(extras)}." if extras else "It takes none."
            said.append(diagnose("unknown-field", under(place, str(name)), message, mend))
    fields: dict[str, Any] = {"do": do, **_own(do, raw[do], under(place, do), said)}
    if raw.get("times") is not None and "times" in extras:
        fields["times"] = _count(raw["times"], under(place, "times"), said)
    for name in ("pause", "within"):
        if raw.get(name) is not None and name in extras:
            fields[name] = _seconds(name, raw[name], under(place, name), said)
    return Rung(**fields) if len(said) == before else None


def _own(do: str, value: Any, place: str, said: list[Diagnostic]) -> dict[str, Any]:
    """Read what stands behind the rung's name."""
    match do:
        case "retry" | "revise":
            return {} if value is None else {"times": _count(value, place, said)}
        case "with":
            return {"arguments": _arguments(value, place, said)}
        case "agent" | "ask":
            name = "agent" if do == "agent" else "who"
            if value is None and do == "ask":
                return {}
            if not isinstance(value, str) or not value.strip():
                said.append(diagnose("bad-value", place, f"`{do}` names somebody, not {shown(value)}", "Give a name."))
                return {}
            return {name: value}
    if value is not None:
        said.append(diagnose("bad-value", place, f"`{do}` takes nothing, not {shown(value)}", f"Write just `{do}`."))
    return {}


def _arguments(value: Any, place: str, said: list[Diagnostic]) -> dict[str, Json]:
    if not isinstance(value, dict) or not value or not all(isinstance(name, str) for name in value):
        mend = "Write {with: {temperature: 0}}."
        said.append(diagnose("bad-value", place, f"`with` takes arguments by name, not {shown(value)}", mend))
        return {}
    for where, _ in referring(value, place):
        said.append(diagnose("bad-value", where, "a ladder's arguments are no references", "Use plain values."))
    try:
        canonical(value)
    except ValueError as error:
        said.append(diagnose("bad-value", place, str(error), "Use plain values."))
    return value


def _count(value: Any, place: str, said: list[Diagnostic]) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= MOST_TIMES:
        mend = f"Give a whole number from 1 to {MOST_TIMES}, or leave the rung out."
        said.append(diagnose("bad-value", place, f"this many times: {shown(value)}", mend))
        return 1
    return value


def _seconds(name: str, value: Any, place: str, said: list[Diagnostic]) -> float:
    seconds = math.nan
    if isinstance(value, int | float) and not isinstance(value, bool):
        seconds = float(min(value, LONGEST + 1))
    elif isinstance(value, str) and len(value) < 50:
        with contextlib.suppress(ValueError):
            seconds = seconds_in(value)
    if not (0 <= seconds <= LONGEST) or (name == "within" and seconds == 0):
        mend = "Give seconds, or a length of time like 90s, 10m, 2h or 1d; at most a year."
        said.append(diagnose("bad-value", place, f"{name} is {shown(value)}", mend))
        return 0.0
    return seconds


def _written(rung: Rung) -> Json:
    body: dict[str, Json] = {}
    match rung.do:
        case "retry" | "revise":
            body[rung.do] = rung.times
        case "with":
            body[rung.do] = rung.arguments
        case "agent":
            body[rung.do] = rung.agent
        case "ask":
            body[rung.do] = rung.who or None
    if rung.do == "with" and rung.times != 1:
        body["times"] = rung.times
    if rung.pause:
        body["pause"] = rung.pause
    if rung.within is not None:
        body["within"] = rung.within
    plain = body in ({}, {rung.do: None}) or (body == {rung.do: 1} and rung.do in ("retry", "revise"))
    return rung.do if plain else {rung.do: body.pop(rung.do, None), **body}
