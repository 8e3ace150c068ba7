"""The rules by which a plan is mended, one method each: what a rule may change, and the evidence that it asks for."""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from stretto.core.domain import Plan, SideEffect, Task
from stretto.core.plan.arguments import by_name
from stretto.core.plan.diagnostics import shown
from stretto.core.plan.edits import redirected, replaced, without
from stretto.core.plan.evidence import Evidence, literals
from stretto.core.plan.graph import circles, graph_of
from stretto.core.plan.meant import Skills
from stretto.core.plan.names import Slips, one_slip
from stretto.core.plan.references import needs, parse, places
from stretto.core.plan.schemas import arguments
from stretto.core.routing import Roster

HARMLESS = frozenset({SideEffect.NONE, SideEffect.UNDECLARED})
_CAREFUL = 500  # tasks of a plan in which every task's ancestors are looked at
_TRAILING = re.compile(r"(.*?)(\d{1,6})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing that was mended: the code of the defect, its place, what was done and what that rests on."""

    code: str
    path: str
    what: str
    why: str

    def __str__(self) -> str:
        return f"{self.path.split('.')[1]} now {self.what}: {self.why}."


@dataclass(frozen=True, slots=True)
class _Broken:
    """A reference that cannot be meant as it stands: the input that holds it, and the task it names."""

    where: str
    name: str
    code: str


class Mender:
    """One round over a plan. Each rule looks at the tasks as the rules before it left them."""

    def __init__(self, plan: Plan, agents: Roster, skills: Skills, keep: frozenset[str]) -> None:
        self.tasks = {task.id: task for task in plan.tasks}
        self.changes: list[Change] = []
        self._agents, self._skills = agents, skills
        self._keep = keep.union(task.id for task in plan.tasks if self._acts(task))
        self._ids = list(self.tasks)
        self._position = {id_: at for at, id_ in enumerate(self._ids)}

    def mend(self) -> None:
        """Apply every rule once."""
        for rule in (
            self._slips,
            self._counts_from_one,
            self._redirect,
            self._name_skills,
            self._name_inputs,
            self._shift,
            self._drop_spare,
            self._only_one_at_hand,
            self._order,
        ):
            rule()

    def _acts(self, task: Task) -> bool:
        """Whether a task has a declared side effect: what it does is not to be guessed."""
        return any(self._agents.effect(task, name) not in HARMLESS for name in self._agents.candidates(task)) or (
            task.effect is not None and task.effect not in HARMLESS
        )

    def _open(self) -> Iterator[Task]:
        for id_ in self._ids:
            if id_ not in self._keep:
                yield self.tasks[id_]

    def _change(self, task: Task, code: str, where: str, what: str, why: str) -> None:
        self.tasks[task.id] = task
        path = f"tasks.{task.id}.{where}" if where else f"tasks.{task.id}"
        self.changes.append(Change(code=code, path=path, what=what, why=why))

    def _slips(self) -> None:
        """A reference to a task that is not there, one slip of the pen from one that is."""
        names = Slips(self._ids)
        for task in self._open():
            for broken in self._broken(task):
                near = names.only(broken.name) if broken.code == "dangling-reference" else None
                if near is not None and near != task.id:
                    mended = redirected(self.tasks[task.id], broken.where, near)
                    what = f"refers to {shown(near)} instead of {shown(broken.name)}"
                    self._change(mended, broken.code, broken.where, what, "the names differ by a slip of the pen")

    def _counts_from_one(self) -> None:
        """In a plan of numbered tasks all references are off by one, and so corrected agree with the declared order."""
        whole = {task.id: list(self._references(task)) for task in self.tasks.values()}
        every = [(id_, name) for id_, found in whole.items() for _, name in found]
        broken = any(name == id_ or name not in self.tasks for id_, name in every)
        kept = any(id_ in self._keep for id_, _ in every)
        if kept or not broken or len(every) < 2 or not self._are_numbered():
            return
        for shift in (-1, 1):
            moved = {name: self._moved(name, shift) for _, name in every}
            if all(moved[name] in self.tasks[id_].after and moved[name] != id_ for id_, name in every):
                for id_, found in whole.items():
                    for where, name in found:
                        code = "self-reference" if name == id_ else "dangling-reference"
                        what = f"refers to {shown(moved[name])} instead of {shown(name)}"
                        why = "all references are off by one, and so corrected all agree with the declared order"
                        self._change(redirected(self.tasks[id_], where, str(moved[name])), code, where, what, why)
                return

    def _are_numbered(self) -> bool:
        """Whether the tasks are called by numbers, one after the other."""
        numbers = [_TRAILING.fullmatch(id_) for id_ in self._ids]
        first = numbers[0] if numbers else None
        return first is not None and all(
            one is not None and one[1] == first[1] and int(one[2]) == int(first[2]) + at
            for at, one in enumerate(numbers)
        )

    def _moved(self, name: str, shift: int) -> str | None:
        """Give the task that stands so far from the one that a name, or its number, stands for."""
        ids, at = self._ids, self._position.get(name)
        if at is None and (match := _TRAILING.fullmatch(name)) and (first := _TRAILING.fullmatch(ids[0])):
            at = int(match[2]) - int(first[2]) if match[1] == first[1] else None
        return ids[at + shift] if at is not None and 0 <= at + shift < len(ids) else None

    def _redirect(self) -> None:
        """A reference that cannot be meant, in a task that declares to wait for one whose result it takes nowhere."""
        on_circle, evidence = self._on_circles(), self._evidence()
        for task in self._open():
            broken = self._broken(task, on_circle)
            taken = {name for _, name in self._references(task)} - {one.name for one in broken}
            unmet = [name for name in task.after if name in self.tasks and name != task.id and name not in taken]
            if not broken or not unmet:
                continue
            if len(unmet) != len(broken):
                unmet = [name for name in unmet if evidence.may_take(task, self.tasks[name])]
            if len(unmet) != len(broken) or not self._evenly_moved(broken, unmet):
                continue
            why = "the plan declares this order, and the task took nothing else from there"
            for one, name in zip(broken, unmet, strict=True):
                what = f"refers to {shown(name)} instead of {shown(one.name)}"
                self._change(redirected(self.tasks[task.id], one.where, name), one.code, one.where, what, why)

    def _evenly_moved(self, broken: Sequence[_Broken], names: Sequence[str]) -> bool:
        """Whether several references are all off by the same distance, so that it is clear which becomes which."""
        if len(broken) == 1:
            return True
        return self._are_numbered() and any(
            all(self._moved(one.name, shift) == name for one, name in zip(broken, names, strict=True))
            for shift in range(-3, 4)
        )

    def _name_skills(self) -> None:
        """A skill that nobody has, whose name means one that somebody has."""
        evidence = self._evidence()
        for task in self._open():
            if not task.skill or task.skill in self._agents.by_skill:
                continue
            meant = self._skills.meant(task.skill, evidence.wiring(task))
            if meant is None:
                continue
            named = replace(task, skill=meant.skill)
            if not (candidates := self._agents.candidates(named)):
                continue
            schema = self._agents.skill(named, candidates[0]).inputs
            what = f"uses {shown(meant.skill)} for {shown(task.skill)}"
            mended = replace(named, inputs=by_name(named.inputs, schema))
            self._change(mended, "unknown-skill", "skill", what, meant.why)

    def _name_inputs(self) -> None:
        """An argument that the skill does not take, one slip of the pen from one that it takes and is not given."""
        for task in self._open():
            candidates = self._agents.candidates(task)
            if not candidates:
                continue
            properties, _, others = arguments(self._agents.skill(task, candidates[0]).inputs)
            for name in () if others else [one for one in task.inputs if one not in properties]:
                now = self.tasks[task.id]
                near = one_slip(name, [one for one in properties if one not in now.inputs])
                if near is not None:
                    inputs = {near if key == name else key: value for key, value in now.inputs.items()}
                    why = "the names differ by a slip of the pen"
                    what = f"gives {shown(name)} as {shown(near)}"
                    self._change(replace(now, inputs=inputs), "unknown-input", f"inputs.{name}", what, why)

    def _shift(self) -> None:
        """All references of a numbered task moved one back bring just what its skill takes, from tasks before it."""
        for task in self._suspects() if self._are_numbered() else ():
            found = list(self._references(task))
            if len(found) < 2:
                continue
            moved = [self._moved(name, -1) for _, name in found]
            evidence = self._evidence()
            if None in moved or len(set(moved)) != len(moved):
                continue
            before = evidence.before(task)
            sources = [self.tasks[str(name)] for name in moved]
            if all(one.id in before for one in sources) and evidence.is_all_it_takes(task, sources):
                why = "moved one back, all its references bring just what the skill takes"
                for (where, name), source in zip(found, sources, strict=True):
                    what = f"refers to {shown(source.id)} instead of {shown(name)}"
                    self._change(redirected(self.tasks[task.id], where, source.id), "self-reference", where, what, why)

    def _drop_spare(self) -> None:
        """A task takes its own result, and has all that its skill takes without it."""
        for task in self._suspects():
            mended = task
            own = [one for one in self._broken(task) if one.code == "self-reference"]
            for one in reversed(own):
                mended = without(mended, one.where)
            if own and self._evidence().has_enough(mended):
                why = "without it the skill is given all that it takes"
                for one in own:
                    self._change(mended, one.code, one.where, "no longer takes its own result", why)

    def _only_one_at_hand(self) -> None:
        """A task takes its own result where one value is missing, and just one of that type is at hand before it."""
        for task in self._suspects():
            own = [one for one in self._broken(task) if one.code == "self-reference"]
            if len(own) != 1:
                continue
            evidence = self._evidence()
            missing = evidence.missing(without(task, own[0].where))
            if missing is None:
                continue
            before = [self.tasks[name] for name in evidence.before(task)]
            taken = {name for _, name in self._references(task)}
            results = [one.id for one in before if one.id not in taken and evidence.may_give(one, missing)]
            texts = dict.fromkeys(
                text for one in before for text, types in literals(one.inputs) if types & missing and text
            )
            given = [text for text, _ in literals(task.inputs)]
            values = [text for text in texts if text not in given]
            if len(results) + len(values) != 1:
                continue
            what = f"takes {shown(results[0] if results else values[0])} instead of its own result"
            why = f"it lacks {' or '.join(sorted(missing))}, and nothing else of that type comes before it"
            mended = redirected(task, own[0].where, results[0]) if results else replaced(task, own[0].where, values[0])
            self._change(mended, own[0].code, own[0].where, what, why)

    def _order(self) -> None:
        """An order that cannot be: a task behind itself, or a circle that one declared order alone closes."""
        for task in self._open():
            if task.id in task.after:
                after = tuple(name for name in task.after if name != task.id)
                why = "an order of one task orders nothing"
                mended = replace(task, after=after)
                self._change(mended, "self-reference", "after", "no longer waits for itself", why)
        for circle in circles(graph_of(tuple(self.tasks.values()))):
            ways = list(zip(circle, [*circle[1:], circle[0]], strict=True))
            loose = [(one, other) for one, other in ways if self._only_ordered(one, other)]
            evidence = self._evidence()
            misfits = [pair for pair in loose if not evidence.may_take(self.tasks[pair[1]], self.tasks[pair[0]])]
            back = [pair for pair in loose if self._position[pair[0]] > self._position[pair[1]]]
            for found, why in (
                (loose if len(ways) > len(loose) else [], "references alone say the contrary"),
                (misfits, "what the one gives is nothing that the other takes"),
                (back, "it alone runs against the order of the plan's steps"),
            ):
                if len(found) == 1:
                    first, then = found[0]
                    task = self.tasks[then]
                    after = tuple(name for name in task.after if name != first)
                    what = f"no longer waits for {shown(first)}"
                    self._change(replace(task, after=after), "cycle", "after", what, f"this closed a circle, and {why}")
                    break

    def _only_ordered(self, first: str, then: str) -> bool:
        """Whether a task waits for another by `after` only, and may be changed."""
        task = self.tasks[then]
        by_after = replace(task, after=tuple(name for name in task.after if name != first))
        return then not in self._keep and first in task.after and first not in needs(by_after)

    def _suspects(self) -> Iterator[Task]:
        """Give the tasks that still take their own results, in plans small enough to look at closely."""
        if len(self.tasks) <= _CAREFUL:
            yield from (task for task in self._open() if any(name == task.id for _, name in self._references(task)))

    def _references(self, task: Task) -> Iterator[tuple[str, str]]:
        """Give the references to tasks among the inputs of a task: place and name."""
        for where, raw in places(task):
            try:
                reference = parse(raw)
            except ValueError:
                continue
            if reference.root == "task" and where.startswith("inputs"):
                yield where, reference.name

    def _broken(self, task: Task, on_circle: Collection[tuple[str, str]] = ()) -> list[_Broken]:
        """Give the references that cannot be meant: to itself, to no task, or closing a circle that is not declared."""
        found = []
        for where, name in self._references(self.tasks[task.id]):
            if name == task.id:
                found.append(_Broken(where, name, "self-reference"))
            elif name not in self.tasks:
                found.append(_Broken(where, name, "dangling-reference"))
            elif (name, task.id) in on_circle and name not in task.after:
                found.append(_Broken(where, name, "cycle"))
        return found

    def _on_circles(self) -> set[tuple[str, str]]:
        """Give who waits for whom on the circles of the plan."""
        found: set[tuple[str, str]] = set()
        for circle in circles(graph_of(tuple(self.tasks.values()))):
            found.update(zip(circle, [*circle[1:], circle[0]], strict=True))
        return found

    def _evidence(self) -> Evidence:
        return Evidence(self.tasks, self._agents)
