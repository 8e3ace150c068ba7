"""Beginning a run: a goal, a plan or none, its inputs, its limits, and a look at the plan before anything runs."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from nicegui.elements.upload import Upload
from nicegui.events import GenericEventArguments, UploadEventArguments

from stretto.access.roles import Permission
from stretto.amounts import budget_of
from stretto.core.domain import InputSpec, Json, Plan
from stretto.core.errors import BadPlan, StrettoError, Unauthenticated, UsageError
from stretto.core.plan.forecast import forecast
from stretto.core.plan.graph import graph_of
from stretto.core.plan.inputs import Wanted, wanted
from stretto.core.plan.writing import write_plan
from stretto.core.routing import roster
from stretto.dashboard.actions import PLANS, PROPOSE, SUBMIT, UPLOAD
from stretto.dashboard.fields import Field, choice, text_area, text_line
from stretto.dashboard.parts import Tag, button, foreign, heading
from stretto.dashboard.shell import Frame, run_address, told_of
from stretto.dashboard.words import short
from stretto.desk import Offer
from stretto.given import read_input, told
from stretto.planners.proposal import Proposal
from stretto.telling.words import cost, count, span

MOST_TASKS = 200
"""Tasks of a plan that are shown before it runs."""

_PLANNED: Final = "plan it"
_TOO_LARGE: Final = 413
_REVEAL: Final = "getHtmlElement({id}).scrollIntoView({{block: 'start', behavior: 'smooth'}})"


class FileInput(Upload, component="components/file_input.js"):
    """A field for files, which are handed over as soon as they are chosen."""


async def new_run(frame: Frame) -> None:
    """Build the page."""
    heading(1, "New run", "titled")
    if not frame.visitor.may(Permission.OPERATE):
        foreign("You may look at runs here, not start them. It takes a key with the role operator.", "sheet")
        return
    _Order(frame, await frame.visitor.do(PLANS))


class _Order:
    """The form, and below it the plan once somebody wants to see it."""

    def __init__(self, frame: Frame, offers: Sequence[Offer]) -> None:
        self._frame = frame
        self._offers = {f"{one.kind}:{one.name}": one for one in offers}
        self._answers: list[tuple[str, str]] = []
        self._shown: Proposal | None = None
        workspace = frame.visitor.desk.team.workspace
        with Tag("form", "order stack", novalidate=True) as form, Tag("div", "sheet stack"):
            self._goal = text_area(
                "What do you want done?",
                workspace.goal if workspace else "",
                hint="The goal, in a sentence or more.",
                maxlength=20_000,
                required=True,
            )
            self._plan = choice(
                "How", _choices(offers), hint="A plan of the workspace, or one that is made for the goal."
            )
            self._plan.control.on("change", self._chosen, js_handler="(event) => emit(event.target.value)")
            self._about = foreign("", "soft")
            self._inputs_place = Tag("div", "stack")
            with Tag("div", "columns"):
                self._budget = text_line(
                    "Budget", hint="At most: $2, 100k tokens, 50 steps, 10m. Empty: as the workspace says."
                )
                self._deadline = text_line("Deadline", hint="30m, 2h, or a moment like 2026-12-31T18:00. Empty: none.")
            with Tag("p", "wrong", role="alert", data_tone="bad", hidden=True) as self._wrong:
                self._why = foreign("")
            with Tag("div", "actions"):
                button("Start", self._start, "primary")
                button("Show the plan first", self._show)
        form.on("submit.prevent", lambda: None, args=[])
        self._preview = Tag("div", "stack", aria_live="polite")
        self._inputs: list[_Input] = []
        self._fill()

    @property
    def _offer(self) -> Offer | None:
        return self._offers.get(self._plan.text)

    def _chosen(self, event: GenericEventArguments) -> None:
        self._plan.text = str(event.args)
        self._fill()

    def _fill(self) -> None:
        """Make the fields of the plan that is chosen; those it has in common with the one before stay as they are."""
        self._shown, self._answers = None, []
        self._preview.clear()
        self._refuse("")
        offer = self._offer
        self._about.text = (offer.why or offer.description) if offer is not None else ""
        self._about.attribute("hidden", not self._about.text)
        if offer is not None and offer.plan is not None:
            wants = wanted(offer.plan, roster(self._frame.visitor.desk.team.catalogue))
            asked = [
                _Asked(name, spec, wants.get(name, Wanted()), self._defaults.get(name))
                for name, spec in offer.plan.inputs.items()
            ]
        else:
            files = InputSpec(kind="files", required=False, description="What it should read, where it needs any.")
            asked = [_Asked("files", files, Wanted(), None, "Files to read")]
        for one in self._inputs:
            if one.asked not in asked:
                one.field.whole.delete()
        there = [one for one in self._inputs if one.asked in asked]
        with self._inputs_place:
            self._inputs = [
                next((one for one in there if one.asked == wish), None) or _Input(self._frame, wish) for wish in asked
            ]
        for one in self._inputs:
            one.field.whole.move(self._inputs_place)

    @property
    def _defaults(self) -> Mapping[str, Json]:
        workspace = self._frame.visitor.desk.team.workspace
        return workspace.inputs if workspace else {}

    def _refuse(self, why: str) -> None:
        self._why.text = why
        self._wrong.attribute("hidden", not why)

    def _read(self) -> dict[str, Json] | None:
        """Give the inputs, or None where a field says what is wrong with it."""
        sound = True

        def hold(field: Field, read: Callable[[], Any]) -> Any:
            nonlocal sound
            try:
                return read()
            except UsageError as error:
                field.wrong(str(error))
                sound = False
                return None

        self._refuse("")
        if not self._goal.text.strip():
            self._goal.wrong("Say in a sentence what you want done.")
            sound = False
        if self._budget.text.strip():
            hold(self._budget, lambda: budget_of(self._budget.text.strip()))
        found: dict[str, Json] = {}
        for one in self._inputs:
            value = hold(one.field, one.read)
            if value is not None:
                found[one.name] = value
        if not sound:
            self._frame.client.run_javascript("document.querySelector('[aria-invalid=true]')?.focus()")
        return found if sound else None

    async def _show(self) -> None:
        inputs = self._read()
        if inputs is None:
            return
        self._preview.clear()
        try:
            await self._propose(inputs)
        except Unauthenticated:
            self._frame.leave()
        except StrettoError as error:
            self._refuse(told_of(error))
        else:
            self._frame.client.run_javascript(_REVEAL.format(id=self._preview.id))

    async def _propose(self, inputs: dict[str, Json]) -> None:
        offer = self._offer
        if offer is not None:
            if offer.plan is None:
                raise UsageError(offer.why)
            with self._preview:
                self._plan_shown(offer.plan)
            return
        goal = self._goal.text.strip()
        proposal = await self._frame.visitor.do(PROPOSE, goal, inputs=inputs, answers=self._answers)
        self._shown = proposal if proposal.plan is not None else None
        with self._preview:
            if proposal.question is not None:
                self._ask(proposal)
            elif proposal.refusal is not None:
                with _section("There is no plan for this"):
                    foreign(str(proposal.refusal))
                    for one in proposal.found[:10]:
                        foreign(f"{one.where or one.path}: {one.message} {one.mend}", "soft")
            elif proposal.plan is not None:
                self._meaning(proposal)
                self._plan_shown(proposal.plan)

    def _ask(self, proposal: Proposal) -> None:
        question = proposal.question
        if question is None:
            return
        with _section("One question first"):
            foreign(question.text, "strong")
            if question.choices:
                answer = choice("Your answer", {one: short(one, 120) for one in question.choices})
            else:
                answer = text_line("Your answer")

            async def answered() -> None:
                self._answers.append((question.text, answer.text))
                await self._show()

            with Tag("div", "actions"):
                button("Answer", answered, "primary")

    def _meaning(self, proposal: Proposal) -> None:
        meant = proposal.interpretation
        with _section("What is understood"):
            if meant.restated:
                foreign(meant.restated)
            for title, texts in (("Done when", meant.done), ("Assumed", meant.assumptions), ("Why so", meant.reasons)):
                if texts:
                    heading(3, title)
                    with Tag("ul"):
                        for text in texts[:20]:
                            with Tag("li"):
                                foreign(text, most=600)

    def _plan_shown(self, plan: Plan) -> None:
        graph = graph_of(plan.tasks)
        ahead = forecast(plan, graph, roster(self._frame.visitor.desk.team.catalogue))
        spreads = any(task.for_each is not None for task in plan.tasks)
        abreast = f"up to {ahead.abreast} side by side{', and the items of each fan-out' if spreads else ''}"
        said = [count(len(plan.tasks), "task"), abreast]
        if ahead.undeclared < len(ahead.path):
            said.append(f"{'at least' if ahead.undeclared else 'about'} {span(ahead.seconds)}")
        said.append(f"reserves {cost(ahead.cost)}")
        critical = set(ahead.path)
        with _section("The plan"):
            Tag("p", "", " · ".join(said))
            with (
                Tag("div", "scroll", tabindex="0", role="region", aria_label="Tasks of the plan"),
                Tag("table", "table"),
            ):
                with Tag("thead"), Tag("tr"):
                    for name in ("Task", "Skill", "After", "What for"):
                        Tag("th", "", name, scope="col")
                with Tag("tbody"):
                    for task in plan.tasks[:MOST_TASKS]:
                        with Tag("tr"):
                            with Tag("td", "nowrap"):
                                foreign(task.id, "strong" if task.id in critical else "", 60)
                                if task.id in critical:
                                    Tag("span", "criticalsign inline", title="on the critical path")
                            with Tag("td"):
                                foreign(task.skill, "mono", 80)
                            with Tag("td"):
                                foreign(", ".join(graph.before[task.id]) or "at once", "", 160)
                            with Tag("td"):
                                foreign(task.objective, "", 300)
            if len(plan.tasks) > MOST_TASKS:
                Tag("p", "soft", f"and {len(plan.tasks) - MOST_TASKS:,} more tasks")
            if plan.deliver is not None:
                heading(3, "It delivers")
                with Tag("pre"):
                    foreign(_delivers(plan.deliver)[:2000])

    async def _start(self) -> None:
        inputs = self._read()
        if inputs is None:
            return
        try:
            begun = await self._begin(inputs)
        except Unauthenticated:
            self._frame.leave()
        except BadPlan as error:
            self._refuse(told_of(error))
        except StrettoError as error:
            at = self._deadline if "deadline" in str(error) and self._deadline.text.strip() else None
            if at is not None:
                at.wrong(str(error))
            else:
                self._refuse(told_of(error))
        else:
            if begun:
                self._frame.open(run_address(begun, "graph"))

    async def _begin(self, inputs: dict[str, Json]) -> str:
        """Begin the run and give its id; empty where a question comes first."""
        offer, goal = self._offer, self._goal.text.strip()
        plan: dict[str, Any] | str | None = None
        if offer is not None:
            if offer.plan is None:
                raise UsageError(offer.why)
            plan = None if offer.default else offer.name if offer.kind == "plan" else write_plan(offer.plan)
        elif self._shown is None and any(one.default for one in self._offers.values()):
            self._preview.clear()
            await self._propose(inputs)
            if self._shown is None:
                return ""
        if offer is None and self._shown is not None and self._shown.plan is not None:
            plan, inputs = write_plan(self._shown.plan), {**self._shown.inputs, **inputs}
            inputs = {name: value for name, value in inputs.items() if name in self._shown.plan.inputs}
        state, _ = await self._frame.visitor.do(
            SUBMIT,
            goal,
            plan=plan,
            inputs=inputs,
            budget=self._budget.text.strip() or None,
            deadline=self._deadline.text.strip() or None,
            key=f"page {self._frame.client.id}",
        )
        return state.run


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a field asks for."""

    name: str
    spec: InputSpec
    wants: Wanted
    default: Json
    label: str = ""


class _Input:
    """The field of one input of a plan."""

    def __init__(self, frame: Frame, asked: _Asked) -> None:
        self.asked = asked
        name, spec, wants, default, label = asked.name, asked.spec, asked.wants, asked.default, asked.label
        self.name, self._frame, self._spec, self._wants = name, frame, spec, wants
        begins = default if default is not None else spec.default
        text = begins if isinstance(begins, str) else "" if begins is None else _shown(begins)
        kind = {"file": "a file", "files": "files", "folder": "a folder"}.get(spec.kind, told(wants.types))
        optional = not spec.required or begins is not None
        hint = ". ".join(part.rstrip(".") for part in (spec.description, kind[:1].upper() + kind[1:]) if part)
        hint = f"{hint}{', may stay empty' if optional and begins is None else ''}."
        if spec.kind == "value":
            self.field = text_line(label or name, text, hint=hint)
            return
        hint = f"{hint} A path in the workspace{', or choose one below' if spec.kind != 'folder' else ''}."
        if spec.kind == "files":
            lines = "\n".join(map(str, begins)) if isinstance(begins, list) else text
            self.field = text_area(label or name, lines, hint=f"{hint} One a line.", rows=2)
        else:
            self.field = text_line(label or name, text, hint=hint)
        if spec.kind != "folder":
            with self.field.whole:
                chooser = FileInput(multiple=spec.kind == "files", on_upload=self._handed)
                chooser._props["aria-label"] = f"Choose {kind} for {name}"
                chooser.on("refused", self._refused)

    async def _handed(self, event: UploadEventArguments) -> None:
        try:
            path = await self._frame.visitor.do(UPLOAD, event.file.name, await event.file.read())
        except Unauthenticated:
            self._frame.leave()
        except StrettoError as error:
            self.field.wrong(told_of(error))
        else:
            several = self._spec.kind == "files" and self.field.text.strip()
            self.field.put(f"{self.field.text.rstrip()}\n{path}" if several else path)

    def _refused(self, event: GenericEventArguments) -> None:
        large = event.args == _TOO_LARGE
        self.field.wrong("The file is too large." if large else "The file did not get through; try again.")

    def read(self) -> Json:
        """Give the value; None where the field is empty, so that what the plan says holds. Raises UsageError."""
        text = self.field.text.strip()
        if not text:
            if self._spec.required and self._spec.default is None and self._spec.kind != "value":
                raise UsageError("This is needed: name a path in the workspace, or choose a file.")
            if self._spec.required and self._spec.default is None:
                raise UsageError("This is needed.")
            return None
        match self._spec.kind:
            case "value":
                return read_input(self.name, [self.field.text], self._wants)
            case "files":
                return [self._path(line.strip()) for line in text.splitlines() if line.strip()]
            case _:
                return self._path(text)

    def _path(self, text: str) -> str:
        workspace = self._frame.visitor.desk.team.workspace
        file = (workspace.folder / text if workspace else Path(text)).absolute()
        if not file.exists():
            raise UsageError(f"There is no {text!r} in the workspace.")
        return str(file)


def _choices(offers: Sequence[Offer]) -> dict[str, str]:
    found = {}
    for one in offers:
        kind = "Playbook" if one.kind == "playbook" else "Plan"
        found[f"{one.kind}:{one.name}"] = f"{kind} {one.name}{' (the workspace’s own)' if one.default else ''}"
    planned = {_PLANNED: "Plan it for this goal"}
    return {**found, **planned} if any(one.default for one in offers) else {**planned, **found}


def _delivers(part: Json) -> str:
    """Say what a plan delivers: a reference by its name, a line for each of several parts."""
    match part:
        case {"ref": str(name)}:
            return name
        case dict():
            return "\n".join(f"{name}: {_delivers(one)}" for name, one in part.items())
        case list():
            return "\n".join(map(_delivers, part))
        case str():
            return part
    return _shown(part)


def _shown(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False)


def _section(title: str) -> Tag:
    section = Tag("section", "sheet stack")
    with section:
        heading(2, title)
    return section
