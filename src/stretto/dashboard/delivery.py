"""What a run handed over: its answer, files, what it rests on, and what is missing."""

import json
from typing import Any

from nicegui import ui

from stretto.core.domain import Artifact, Citation, Delivery, Json
from stretto.core.state import RunState
from stretto.dashboard.actions import ARTIFACT
from stretto.dashboard.live import LiveRun
from stretto.dashboard.markdown import MOST, safe_html
from stretto.dashboard.parts import Tag, button, foreign, heading, link
from stretto.dashboard.shell import Frame, run_address
from stretto.dashboard.words import legible, short
from stretto.telling.words import count
from stretto.views import Run, artifact_bytes, artifacts_of

MOST_LISTED = 200
_LONGEST_VALUE = 200_000


async def delivered(frame: Frame, live: LiveRun) -> None:
    """Build the tab; until the end it says what has come so far, and is made anew when that changes."""
    whole = Tag("div", "stack delivery")
    shown: tuple[Any, ...] | None = None

    def show(state: RunState, now: float) -> None:
        nonlocal shown
        found = (state.delivery, state.status, state.completed)
        if found == shown:
            return
        shown = found
        whole.clear()
        with whole:
            _delivery(frame, state)

    live.on_change(show)


def _delivery(frame: Frame, state: RunState) -> None:
    run = Run(state=state)
    if state.delivery is None:
        with Tag("section", "sheet empty"):
            Tag("p", "", "Nothing is delivered yet.")
            link("See how it goes", run_address(state.run, "graph"))
    else:
        _answer(state.delivery)
        rating(frame, state)
    _artifacts(frame, state)
    if run.gaps:
        with _section("What is missing, and why"), Tag("ul", "gaps"):
            for gap in run.gaps[:MOST_LISTED]:
                with Tag("li", "", data_tone="bad" if gap.urgent else None):
                    if gap.task:
                        with link("", run_address(state.run, "tasks", task=gap.task)):
                            foreign(gap.task, "mono")
                        Tag("span", "", " ")
                    foreign(f"{gap.what}: {gap.why}" if gap.what else gap.why, most=2000)
            _rest(len(run.gaps))
    if state.delivery is not None:
        _grounds(state, state.delivery)


def _answer(delivery: Delivery) -> None:
    with Tag("section", "sheet answer"):
        heading(2, "The answer", "visually-hidden")
        if delivery.answer is None:
            Tag("p", "soft", "The run brought no answer.")
        elif isinstance(delivery.answer, str) and len(delivery.answer) <= MOST:
            ui.html(safe_html(delivery.answer), sanitize=True).classes("prose")
        else:
            value(delivery.answer)


def value(found: Json) -> None:
    """Show any value: a text as it stands, else as indented JSON."""
    text = found if isinstance(found, str) else json.dumps(found, indent=2, ensure_ascii=False)
    cut = text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"
    with Tag("pre", "value", tabindex="0"):
        Tag("code", "", legible(cut))


def rating(frame: Frame, state: RunState) -> None:
    """The place for how content somebody is with what was delivered, from 1 to 5."""


def _artifacts(frame: Frame, state: RunState) -> None:
    found = artifacts_of(state)
    if not found:
        return
    with _section("Files"), Tag("ul", "files"):
        for task, artifact in found[:MOST_LISTED]:
            with Tag("li"):
                with Tag("div", "row"):
                    _download(frame, state.run, task, artifact)
                    Tag("span", "soft", f"{artifact.media}, {size(len(artifact_bytes(artifact)))}, from ")
                    foreign(task, "mono soft", 80)
                if artifact.media == "text/markdown" and artifact.encoding == "utf-8":
                    _readable(frame, state.run, task, artifact)
        _rest(len(found))


def _readable(frame: Frame, run: str, task: str, artifact: Artifact) -> None:
    """Let a document be read on the page; it is sent once somebody wants to."""
    if len(artifact.content) > MOST:
        return
    with Tag("details") as opened:
        Tag("summary", "", f"Read {short(artifact.name, 80)} here")
        place = Tag("div", "prose")

    async def read() -> None:
        if place.default_slot.children:
            return
        with frame.plainly():
            one = await frame.visitor.do(ARTIFACT, run, task, artifact.name)
            with place:
                ui.html(safe_html(one.content), sanitize=True)

    opened.on("toggle", read, args=[])


def _download(frame: Frame, run: str, task: str, artifact: Artifact) -> None:
    async def fetch() -> None:
        with frame.plainly():
            one = await frame.visitor.do(ARTIFACT, run, task, artifact.name)
            frame.client.download(
                artifact_bytes(one), one.name.rpartition("/")[2] or "file", "application/octet-stream"
            )

    with button("", fetch, "file", aria_label=f"Download {artifact.name}"):
        Tag("span", "", "↓", aria_hidden="true")
        foreign(artifact.name, "", 120)


def _grounds(state: RunState, delivery: Delivery) -> None:
    """Show what the answer rests on, and what should be known of it."""
    if delivery.footnotes:
        with _section("Footnotes"), Tag("ul", "citations"):
            for note in delivery.footnotes[:MOST_LISTED]:
                with Tag("li"):
                    foreign(f"[{note.mark}] ", "mono")
                    foreign(note.task, "mono soft")
                    for cited in note.citations[:20]:
                        _citation(cited)
            _rest(len(delivery.footnotes))
    if delivery.citations:
        with _section("What it rests on"), Tag("details", open=len(delivery.citations) <= 12):
            Tag("summary", "", count(len(delivery.citations), "citation"))
            with Tag("ul", "citations"):
                for cited in delivery.citations[:MOST_LISTED]:
                    with Tag("li"):
                        _citation(cited)
                _rest(len(delivery.citations))
    if delivery.contradictions:
        with _section("Where results say different things"):
            for one in delivery.contradictions[:MOST_LISTED]:
                foreign(one.subject, "strong")
                with Tag("ul"):
                    for task, text in one.said:
                        with Tag("li"):
                            foreign(f"{task}: {text}", most=1000)
    if delivery.notes:
        with _section("What should be known"), Tag("ul"):
            for task, text in delivery.notes[:MOST_LISTED]:
                with Tag("li"):
                    foreign(f"{task}: {text}", most=1000)
    if delivery.waived:
        with _section("Left out, and why"), Tag("ul"):
            for waived in delivery.waived[:MOST_LISTED]:
                with Tag("li"):
                    foreign(f"{waived.task}: {waived.why}", most=1000)


def _citation(cited: Citation) -> None:
    with Tag("span", "citation"):
        foreign(cited.file if cited.line is None else f"{cited.file}:{cited.line}", "mono")
        if cited.text:
            with Tag("q"):
                foreign(cited.text, most=400)


def _section(title: str) -> Tag:
    section = Tag("section", "sheet")
    with section:
        heading(2, title)
    return section


def _rest(many: int) -> None:
    if many > MOST_LISTED:
        Tag("li", "soft", f"and {many - MOST_LISTED:,} more")


def size(many: int) -> str:
    """Give a number of bytes for people."""
    for unit, name in ((1_000_000, "MB"), (1_000, "kB")):
        if many >= unit:
            return f"{many / unit:.1f} {name}"
    return count(many, "byte")
