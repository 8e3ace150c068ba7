"""Takes the tasks that a model writes into the plan, each as soon as it is sound: the adopted set always is by itself.

A task is mended by rule, by itself; it is adopted once its own check passes and all that it refers to is adopted.
The others are held back until the answer has ended: then they are mended together, when all that they may mean is
there. What is adopted never changes.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, count

from stretto.core.canonical import digest
from stretto.core.domain import Budget, Catalogue, InputSpec, Json, Plan, SideEffect, Task
from stretto.core.plan.diagnostics import Diagnostic, errors, listed, shown
from stretto.core.plan.graph import graph_of
from stretto.core.plan.inclusion import renamed, renamed_value
from stretto.core.plan.mending import Change
from stretto.core.plan.names import Slips
from stretto.core.plan.references import find, needs, parse
from stretto.core.plan.repair import repair
from stretto.core.plan.shape import Size
from stretto.core.plan.writing import write_task
from stretto.core.routing import roster
from stretto.planners.draft import FOLLOWING, Draft
from stretto.planners.model.forms import Form, in_form, in_form_value
from stretto.planners.model.scanning import Piece
from stretto.streams import Part, part_of

_DOUBTS = frozenset({"type-mismatch", "unknown-output", "placeholder"})


class Adoption:
    """The plan of a run while models write it, over all their answers. `adopted` are its tasks, the first one first.

    `known` are those that the run had adopted in an earlier life of this planning: what is written once more is the
    same task, and the others come back with `recall`.
    """

    def __init__(
        self,
        tasks: Sequence[Task] = (),
        *,
        known: Sequence[Task] = (),
        catalogue: Catalogue,
        specs: Mapping[str, InputSpec],
        check: Callable[[Plan], list[Diagnostic]],
        size: Size,
        budget: Budget,
    ) -> None:
        self.adopted = {task.id: task for task in tasks}
        self.changes: list[Change] = []
        self.size, self.specs = size, dict(specs)
        self.strict = True
        """Whether a doubt about types counts as an error, as long as its writer can be asked."""
        self._check, self._catalogue, self._budget = check, catalogue, budget
        self._agents = roster(catalogue)
        self._bound = budget.limits_cost or any(card.perimeter is not None for card in catalogue.agents)
        self._contents: dict[str, list[str]] = {}
        for task in tasks:
            self._note(task)
        self._known = {task.id: task for task in known}
        self._known_by_content: dict[str, list[str]] = {}
        for task in known:
            self._known_by_content.setdefault(_content(task), []).append(task.id)

    def like(self, task: Task, name: str) -> str | None:
        """Give an adopted task that does exactly what another does, the one of a name before others."""
        alike = self._contents.get(_content(task), [])
        return name if name in alike else alike[0] if alike else None

    def adopts(self, task: Task, *, alone: bool = True) -> Task | None:
        """Adopt a task, mended by itself where that helps; None when it is wrong."""
        found = self._defects(task)
        if found and alone:
            task, found = self._mended(task, found)
        if found:
            return None
        task = replace(task, id=self._id(task))
        self._note(task)
        return task

    def recall(self, most: int | None = None) -> None:
        """Take back what the run had adopted before: all of it, or the first so many tasks."""
        for task in list(self._known.values())[:most]:
            if task.id not in self.adopted:
                self._note(task)

    def _note(self, task: Task) -> None:
        self.adopted[task.id] = task
        self._contents.setdefault(_content(task), []).append(task.id)

    def _id(self, task: Task) -> str:
        """Give the id under which the run knows a task, or one that it has for no other."""
        alike = [id_ for id_ in self._known_by_content.get(_content(task), ()) if id_ not in self.adopted]
        if alike:
            return task.id if task.id in alike else alike[0]
        return self.free(task.id, self._known.keys() | self.adopted.keys())

    def free(self, id_: str, taken: Collection[str]) -> str:
        """Give an id, or one made of it that is not taken."""
        names = chain([id_], (f"{id_}_{number}" for number in count(2)))
        return next(one for one in names if one not in taken)

    def whole(self, tasks: Sequence[Task], deliver: Json) -> Plan:
        """Give the plan of what is adopted and some more tasks."""
        return Plan(tasks=(*self.adopted.values(), *tasks), inputs=self.specs, deliver=deliver)

    def repaired(self, plan: Plan) -> tuple[Plan, list[Diagnostic]]:
        """Give a plan mended by rule, its adopted tasks left alone, and the errors that are left."""
        found = self._wrong(plan)
        if not found:
            return plan, []
        mended = repair(plan, found, self._catalogue, keep=self.adopted.keys(), budget=self._budget)
        self.changes += mended.changes
        return mended.plan, self._wrong(mended.plan)

    def _wrong(self, plan: Plan) -> list[Diagnostic]:
        doubts = _DOUBTS if self.strict else frozenset[str]()
        told = (replace(one, severity="error") if one.code in doubts else one for one in self._check(plan))
        return [one for one in told if one.severity == "error"]

    def _defects(self, task: Task) -> list[Diagnostic]:
        """Give the errors that a task would bring into the adopted plan.

        It is looked at with what it refers to alone; with all that is adopted where it changes something, writes a
        context entry, or where a budget or perimeters bind tasks together.
        """
        far = self._bound or task.writes is not None or self._acts(task)
        around = self.adopted.values() if far else self._named_by(task)
        place = f"tasks.{task.id}"
        return [
            one
            for one in self._wrong(Plan(tasks=(*around, task), inputs=self.specs))
            if far or one.path == place or one.path.startswith((f"{place}.", f"{place}["))
        ]

    def _mended(self, task: Task, found: Sequence[Diagnostic]) -> tuple[Task, list[Diagnostic]]:
        around = self._named_by(task)
        plan = Plan(tasks=(*around, task), inputs=self.specs)
        whole = repair(plan, found, self._catalogue, keep={one.id for one in around}, budget=self._budget)
        mended = whole.plan.tasks[-1]
        left = self._defects(mended) if whole.changes else list(found)
        if not left:
            self.changes += whole.changes
        return mended, left

    def _named_by(self, task: Task) -> list[Task]:
        return [self.adopted[name] for name in needs(task) if name in self.adopted]

    def _acts(self, task: Task) -> bool:
        names = self._agents.candidates(task)
        return any(self._agents.effect(task, name) is not SideEffect.NONE for name in names)


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What an answer says of the whole: how it takes the goal, or what it asks, or why nothing can be done."""

    restated: str = ""
    assumptions: tuple[str, ...] = ()
    done: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    question: str = ""
    choices: tuple[str, ...] = ()
    refuse: str = ""
    missing: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """What became of an answer: the tasks that its end brings into the plan, and what is wrong with the others.

    `rejected` are the tasks that are not in it, as they were written, by the ids that they would have.
    """

    tasks: tuple[Task, ...] = ()
    found: tuple[Diagnostic, ...] = ()
    rejected: tuple[dict[str, Json], ...] = ()
    deliver: Json = None


@dataclass(slots=True)
class _Held:
    """A task that is written and not adopted: the id that it is to have, and what it refers to by name."""

    id: str
    document: dict[str, Json]
    task: Task | None = None  # None when it cannot be read
    names: frozenset[str] = frozenset()


class Answer:
    """One answer of a model. Its names are its own: other answers may have called other tasks so.

    `told` are the adopted tasks that its writer knows of.
    """

    def __init__(self, adoption: Adoption, told: frozenset[str] = frozenset()) -> None:
        self._plan, self._told = adoption, told
        self._before = frozenset(adoption.adopted)
        self._forms: dict[str, Form] = {}
        self._ids: dict[str, str] = {}
        self._reserved: set[str] = set()
        self._held: dict[str, _Held] = {}
        self._waiting: dict[str, list[str]] = {}
        self._draft = Draft()
        self._fields: dict[str, Json] = {}
        self.cut = False

    @property
    def header(self) -> Header:
        """What the answer says of the whole, as far as it is there."""
        fields = self._fields
        return Header(
            restated=_text(fields.get("restated")),
            assumptions=_texts(fields.get("assumptions")),
            done=_texts(fields.get("done")),
            reasons=_texts(fields.get("reasons")),
            question=_text(fields.get("question")),
            choices=_texts(fields.get("choices")),
            refuse=_text(fields.get("refuse")),
            missing=_texts(fields.get("missing")),
            keep=_texts(fields.get("keep")),
        )

    @property
    def has_tasks(self) -> bool:
        return bool(self._forms)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing of a plan in it: neither a task, nor what is delivered."""
        return not self._forms and self._draft.end is None

    def knows(self, id_: str) -> None:
        """Let the names of this answer stand for one more adopted task."""
        self._told |= {id_}

    def take(self, piece: Piece) -> Iterator[Task]:
        """Take a part of the answer; gives the tasks that are adopted by it."""
        part = Part(place=_placing(piece))
        if piece.kind == "broken":
            self.cut |= piece.cut
            self._draft.say(part, "unreadable", "", piece.problem, "Write it as JSON, whole.")
        elif piece.kind == "task" or (piece.kind == "line" and is_task(piece.value)):
            yield from self._task(piece, part)
        else:
            found = piece.value.items() if piece.kind == "line" else [(piece.key, piece.value)]
            for key, value in found:
                self._field(key, value, part)

    def _field(self, key: str, value: Json, part: Part) -> None:
        if key == "deliver":
            deliver, changes = in_form_value(value, "plan.deliver", self._leads)
            self._plan.changes += changes
            self._draft.delivers(replace(part, delivers=True, deliver=deliver))
        else:
            self._fields.setdefault(key, value)

    def _leads(self, head: str) -> bool:
        """Whether the beginning of a reference names what this answer may refer to."""
        root, _, name = head.partition(".")
        if root == "inputs":
            return name.partition(".")[0].partition("[")[0] in self._plan.specs
        return head in self._forms or head in self._told

    # ---- tasks, as they come

    def _task(self, piece: Piece, part: Part) -> Iterator[Task]:
        form = in_form(piece.value, piece.key, self._leads)
        say = self._draft.say
        if not form.written:
            say(part, "missing-field", "", "the task has no id", "Give it one.")
            return
        if (before := self._forms.get(form.written)) is not None:
            if before.document != form.document:
                told = f"the id {shown(form.written)} is taken in this answer"
                say(part, "duplicate-id", f"tasks.{form.id}", told, "Give each task an id of its own.")
            return
        if len(self._plan.adopted) + len(self._held) >= self._plan.size.tasks:
            say(part, "too-large", "", f"more than {self._plan.size.tasks} tasks", "Write a smaller plan.")
            return
        self._forms[form.written] = form
        id_ = self._ids[form.written] = self._free(form.id)
        document = {**form.document, "id": id_}
        read = part_of(document, part.place, self._plan.size)
        self._draft.places[id_] = part
        self._draft.problems += read.problems
        for path, said in form.embedded:
            told = f"{shown(said)} stands within a text, and is not filled in there"
            say(part, "bad-reference", f"tasks.{id_}.{path}", told, f'Give {{"ref": "{said}"}} as a value of its own.')
        self._plan.changes += form.changes
        held = _Held(id=id_, document=document)
        if read.task is not None and not form.embedded:
            held.task, held.names = read.task, frozenset(needs(read.task)) - {form.written, id_}
        self._held[form.written] = held
        yield from self._settle(form.written)

    def _free(self, id_: str) -> str:
        """Give an id that no other task has, and reserve it."""
        free = self._plan.free(id_, self._plan.adopted.keys() | self._reserved)
        self._reserved.add(free)
        return free

    def _settle(self, written: str) -> Iterator[Task]:
        """Adopt a task if it can be, and then those that waited for it."""
        todo = [written]
        while todo:
            here = todo.pop(0)
            held = self._held.get(here)
            if held is None or held.task is None:
                continue
            if missing := [name for name in held.names if self._meaning(name) is None]:
                self._waiting.setdefault(missing[0], []).append(here)
                continue
            task = self._meant(held, held.task)
            if (like := self._like(task, here)) is not None:
                self._ids[here] = like
            elif (adopted := self._plan.adopts(task)) is not None:
                self._ids[here] = adopted.id
                yield adopted
            else:
                continue
            del self._held[here]
            todo += self._waiting.pop(here, [])

    def _meaning(self, name: str) -> str | None:
        """Give the adopted task that a name of this answer stands for."""
        if name in self._forms:
            return None if name in self._held else self._ids[name]
        return name if name in self._told else None

    def _like(self, task: Task, written: str) -> str | None:
        like = self._plan.like(task, written)
        return like if like in self._before else None

    def _meant(self, held: _Held, task: Task) -> Task:
        """Give a task with the ids that its names stand for."""
        names = {name: self._ids[name] for name in held.names if self._ids.get(name, name) != name}
        if not names:
            return task
        read = part_of(renamed(held.document, names), self._draft.places[held.id].place, self._plan.size)
        return read.task or task

    # ---- the end of the answer

    def end(self) -> Ending:
        """Mend what was held back, now that all is written; gives what is sound of it, and what is wrong else."""
        held = [one for one in self._held.values() if one.task is not None]
        deliver = renamed_value(self._draft.deliver, {name: id_ for name, id_ in self._ids.items() if name != id_})
        plan = self._plan.whole([self._meant(one, one.task) for one in held if one.task is not None], deliver)
        plan, found = self._plan.repaired(plan)
        brought = tuple(self._brought(plan.tasks[len(self._plan.adopted) :]))
        rejected = [one for one in self._held.values() if one.id not in self._plan.adopted]
        if found and not rejected and not self._draft.problems:
            plan, found = self._delivering(plan)
        broken = bool(self._draft.problems)
        left = [self._draft.placed(one) for one in found if not (broken and one.code in FOLLOWING)]
        return Ending(
            tasks=brought,
            found=(*errors(self._draft.problems), *left),
            rejected=tuple(one.document for one in rejected),
            deliver=plan.deliver,
        )

    def _brought(self, tasks: Sequence[Task]) -> Iterator[Task]:
        """Adopt those that are sound by now, each after what it refers to."""
        graph = graph_of(tasks)
        for id_ in graph.order:
            task = graph.tasks[id_]
            if all(name in self._plan.adopted for name in needs(task)) and self._plan.adopts(task, alone=False):
                yield task

    def _delivering(self, plan: Plan) -> tuple[Plan, list[Diagnostic]]:
        """Mend what a plan delivers: a slip in a name is put right, else what nobody uses is delivered."""
        deliver = plan.deliver
        slips = Slips(task.id for task in plan.tasks)
        names = {name: near for name in _names_in(deliver) if (near := slips.only(name)) is not None}
        for mended, what in ((renamed_value(deliver, names), "the names differ by a slip of the pen"), (None, _UNUSED)):
            tried, found = self._plan.repaired(replace(plan, deliver=mended))
            if not found:
                said = "what nobody uses" if mended is None else listed(_names_in(mended))
                change = Change(code="dangling-reference", path="plan.deliver", what=f"names {said}", why=what)
                self._plan.changes.append(change)
                return tried, []
        return plan, self._plan.repaired(plan)[1]


_UNUSED = "what was to be delivered is not in the plan"


def is_task(value: dict[str, Json]) -> bool:
    """Whether an object that stands by itself is a task, and not what an answer says of the whole."""
    form = in_form(value, "", lambda _: False)
    return "skill" in form.document and "id" in form.document and not value.keys() & {"question", "refuse", "deliver"}


def _names_in(value: Json) -> list[str]:
    found = []
    for _, raw in find(value, "deliver"):
        try:
            reference = parse(raw)
        except ValueError:
            continue
        found += [reference.name] if reference.root == "task" else []
    return found


def _content(task: Task) -> str:
    return digest(write_task(task))


def _placing(piece: Piece) -> Callable[[str], str]:
    return lambda path: f"line {piece.line}, column {piece.column} of the answer"


def _text(raw: Json) -> str:
    return " ".join(raw.split()) if isinstance(raw, str) else ""


def _texts(raw: Json) -> tuple[str, ...]:
    """Give texts, also where one alone stands without a list around it."""
    if isinstance(raw, str):
        return (_text(raw),) if raw.strip() else ()
    return tuple(_text(one) for one in raw if _text(one)) if isinstance(raw, list) else ()
