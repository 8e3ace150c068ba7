"""Chains of people on paper: `[{who: ann, within: 2h, remind: 30m}, {who: bob, within: 1d}, deny]`."""

from collections.abc import Collection, Iterator
from dataclasses import fields
from typing import Any, get_args

from stretto.core.domain import Ask, Asks, Catalogue, Chain, Fallback, Json, Plan, SideEffect, Task
from stretto.core.lengths import read_length
from stretto.core.plan.diagnostics import Diagnostic, diagnose, listed, shown, under
from stretto.core.routing import Roster

KINDS = ("approval", "question", "doubt", "goal", "failure", "alternatives", "review", "default")
STEP = tuple(one.name for one in fields(Ask))
CHAIN = tuple(one.name for one in fields(Chain))
WORDS = get_args(Fallback)
_FITTING = {
    "approval": ("deny", "fail", "approve", "wait"),
    "question": ("deny", "fail", "skip", "answer", "wait"),
    "doubt": ("fail", "wait"),
    "goal": ("deny", "answer", "wait"),
    "failure": ("fail", "skip", "wait"),
    "alternatives": ("skip", "answer", "wait"),
    "review": ("approve", "fail", "skip", "wait"),
}
"""What silence may come to, by kind of request; of a chain for every kind, what suits is taken."""


class BadChain(ValueError):
    """A chain that cannot be; `path` is its place within what was read."""

    def __init__(self, path: str, message: str) -> None:
        self.path = path
        super().__init__(message)


def place_of(error: BadChain, whole: str) -> str:
    """Give the place of what is wrong in something that stands at a place."""
    return f"{whole}{error.path}" if error.path.startswith("[") else under(whole, error.path) if error.path else whole


def read_asks(raw: Json) -> Asks:
    """Give chains by kind of request: a mapping of such, or one chain for every kind. Raises BadChain."""
    if not isinstance(raw, dict) or "steps" in raw or set(raw) & set(STEP):
        return {"default": read_chain(raw, "", "default")}
    for kind in raw:
        if kind not in KINDS:
            raise BadChain(str(kind), f"there is no kind of request {shown(kind)}; known: {', '.join(KINDS)}")
    return {kind: read_chain(one, kind, kind) for kind, one in raw.items()}


def read_chain(raw: Json, path: str, kind: str) -> Chain:
    """Give one chain: a list of people and at its end what then holds, or a mapping with `steps`. Raises BadChain."""
    body = dict(raw) if isinstance(raw, dict) and "steps" in raw else {"steps": raw}
    if unknown := next((name for name in body if name not in CHAIN), None):
        raise BadChain(under(path, unknown), f"a chain has no field {shown(unknown)}; known: {', '.join(CHAIN)}")
    inside = under(path, "steps") if "steps" in (raw if isinstance(raw, dict) else ()) else path
    steps = list(body["steps"]) if isinstance(body["steps"], list | tuple) else [body["steps"]]
    while steps and (said := _ending(steps[-1])):
        body, steps = {**said, **body}, steps[:-1]
    if not steps:
        raise BadChain(inside, "a chain begins with who is asked, like {who: ann, within: 2h}")
    many = isinstance(body["steps"], list | tuple)
    asked = tuple(_step(one, under(inside, number) if many else inside) for number, one in enumerate(steps))
    otherwise, only = body.get("otherwise", "wait"), body.get("only", False)
    if otherwise not in _FITTING.get(kind, WORDS):
        fitting = ", ".join(_FITTING.get(kind, WORDS))
        raise BadChain(path, f"nobody answering cannot come to {shown(otherwise)} here; it may be {fitting}")
    if not isinstance(only, bool):
        raise BadChain(under(path, "only"), f"only is true or false, not {shown(only)}")
    endless = next((number for number, one in enumerate(asked) if one.within is None), None)
    if endless is not None and (endless < len(asked) - 1 or otherwise != "wait"):
        last = endless == len(asked) - 1
        who, after = shown(asked[endless].who) if asked[endless].who else "the first", otherwise if last else ""
        then = shown(after or asked[endless + 1].who or "the next")
        told = f"{who} is asked without an end, so {then} never comes; say until when, like within: 2h"
        raise BadChain(inside, told)
    return Chain(steps=asked, otherwise=otherwise, value=body.get("value"), only=only)


def write_asks(asks: Asks) -> Json:
    """Give what `read_asks` reads as these chains."""
    found = {kind: _written(chain) for kind, chain in asks.items()}
    return found["default"] if found.keys() == {"default"} else found


def ask_defects(plan: Plan, catalogue: Catalogue, agents: Roster) -> Iterator[Diagnostic]:
    """Give the tasks whose chains name nobody known, or let silence approve what cannot be undone."""
    for task in plan.tasks:
        for kind, chain in task.ask.items():
            for problem in _problems(task, kind, chain, catalogue.people, agents):
                yield diagnose("bad-chain", f"tasks.{task.id}.ask", *problem)


def strangers(asks: Asks, people: Collection[str]) -> list[str]:
    """Give those whom chains name and nobody has declared; nobody is a stranger where nobody is declared."""
    named = dict.fromkeys(one.who for chain in asks.values() for one in chain.steps if one.who)
    return [one for one in named if people and one not in people]


def _problems(
    task: Task, kind: str, chain: Chain, people: Collection[str], agents: Roster
) -> Iterator[tuple[str, str]]:
    for name in strangers({kind: chain}, people):
        yield f"there is nobody called {shown(name)}; there are {listed(people)}", "Add them under `people:`."
    grave = any(agents.effect(task, name) is SideEffect.IRREVERSIBLE for name in agents.candidates(task))
    if chain.otherwise == "approve" and grave:
        yield "silence would approve what cannot be undone", "End the chain with `deny` or `wait`."


def _ending(raw: Json) -> dict[str, Any] | None:
    """Give what the last entry of a list says of the chain as a whole; None for a step."""
    if isinstance(raw, str) and raw in WORDS:
        return {"otherwise": raw}
    if isinstance(raw, dict) and raw.keys() == {"answer"}:
        return {"otherwise": "answer", "value": raw["answer"]}
    return {"only": raw["only"]} if isinstance(raw, dict) and raw.keys() == {"only"} else None


def _step(raw: Json, path: str) -> Ask:
    if isinstance(raw, str) and raw:
        return Ask(who=raw)
    if not isinstance(raw, dict) or not raw:
        told = f"a chain names people, like {{who: ann, within: 2h}}, and ends with {', '.join(WORDS[:-1])} or wait"
        raise BadChain(path, f"{told}; this is {shown(raw)}")
    if unknown := next((name for name in raw if name not in STEP), None):
        raise BadChain(under(path, unknown), f"a step has no field {shown(unknown)}; known: {', '.join(STEP)}")
    who = raw.get("who") or ""
    if not isinstance(who, str):
        raise BadChain(under(path, "who"), f"who is a name, not {shown(who)}")
    times = {}
    for name in ("within", "remind"):
        try:
            times[name] = None if raw.get(name) is None else read_length(raw[name])
        except ValueError as error:
            raise BadChain(under(path, name), str(error)) from None
    return Ask(who=who, **times)


def _written(chain: Chain) -> Json:
    steps: list[Json] = [
        {name: value for name in STEP if (value := getattr(one, name)) not in (None, "")} or {"who": ""}
        for one in chain.steps
    ]
    if chain.otherwise == "answer":
        steps.append({"answer": chain.value})
    elif chain.otherwise != "wait":
        steps.append(chain.otherwise)
    return [*steps, {"only": True}] if chain.only else steps
