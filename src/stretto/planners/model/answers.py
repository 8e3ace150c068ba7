"""One answer of a model, as it comes: its tasks, under names of its own, those that wait, and what is wrong with it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from stretto.core.domain import Json, Plan, Task
from stretto.core.plan.diagnostics import Diagnostic, errors, listed, shown
from stretto.core.plan.graph import graph_of
from stretto.core.plan.inclusion import renamed, renamed_value
from stretto.core.plan.mending import Change
from stretto.core.plan.names import Slips
from stretto.core.plan.references import find, needs, parse
from stretto.planners.draft import FOLLOWING, Draft
from stretto.planners.model.adopting import Adoption
from stretto.planners.model.forms import Form, in_form, in_form_value
from stretto.planners.model.scanning import Piece
from stretto.streams import Part, part_of


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
        elif is_task(piece):
            yield from self._task(piece, part)
        else:
            found = piece.value.items() if piece.kind == "line" else [(piece.key, piece.value)]
            for key, value in found:
                self._field(key, value, part)

    def _field(self, key: str, value: Json, part: Part) -> None:
        if key == "deliver":
            deliver, changes = in_form_value(self._named(value), "plan.deliver", self._leads)
            self._plan.changes += changes
            self._draft.delivers(replace(part, delivers=True, deliver=deliver))
        else:
            self._fields.setdefault(key, value)

    def _named(self, deliver: Json) -> Json:
        """Give what is delivered with references for bare names of tasks: the names themselves answer no goal."""
        if isinstance(deliver, list):
            return [self._named(one) for one in deliver]
        return {"ref": deliver} if isinstance(deliver, str) and self._leads(deliver) else deliver

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
        held = [one for one in self._held.values() if one.task is not None and one.id not in self._plan.adopted]
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


def is_task(piece: Piece) -> bool:
    """Whether a part of an answer is a task; an object that stands by itself may say something of the whole as well."""
    if piece.kind != "line":
        return piece.kind == "task"
    document = in_form(piece.value, "", lambda _: False).document
    return {"id", "skill"} <= document.keys() and not piece.value.keys() & {"question", "refuse", "deliver"}


def _names_in(value: Json) -> list[str]:
    found = []
    for _, raw in find(value, "deliver"):
        try:
            reference = parse(raw)
        except ValueError:
            continue
        found += [reference.name] if reference.root == "task" else []
    return found


def _placing(piece: Piece) -> Callable[[str], str]:
    return lambda path: f"line {piece.line}, column {piece.column} of the answer"


def _text(raw: Json) -> str:
    return " ".join(raw.split()) if isinstance(raw, str) else ""


def _texts(raw: Json) -> tuple[str, ...]:
    """Give texts, also where one alone stands without a list around it."""
    if isinstance(raw, str):
        return (_text(raw),) if raw.strip() else ()
    return tuple(_text(one) for one in raw if _text(one)) if isinstance(raw, list) else ()
