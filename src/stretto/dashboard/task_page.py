"""One task with everything that is known of it; see `stretto.details`."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final

from stretto.core.state import RunState
from stretto.dashboard.actions import TASK
from stretto.dashboard.live import LiveRun
from stretto.dashboard.parts import Tag, chip, foreign, heading, link, when
from stretto.dashboard.shell import Frame, run_address
from stretto.dashboard.values import cut_value, fold, json_text, shown_value
from stretto.dashboard.words import TASK_STATUS, Told
from stretto.telling.rows import kind_of
from stretto.telling.words import span

VERDICTS: Final = {
    "allow": Told("✓", "Allowed", "good"),
    "deny": Told("✗", "Denied", "bad"),
    "ask": Told("?", "A person is asked", "asking"),
}
_ENDINGS: Final = {
    "under way": Told("▸", "Under way", "active"),
    "in review": Told("▸", "In review", "active"),
    "accepted": Told("✓", "Accepted", "good"),
    "sent back": Told("↻", "Sent back", "partly"),
    "failed": Told("✗", "Failed", "bad"),
    "asked": Told("?", "Asked a person", "asking"),
    "in doubt": Told("≈", "Nobody knows", "asking"),
    "never happened": Told("–", "Never happened", "off"),
    "lost": Told("×", "Its process died", "partly"),
    "withdrawn": Told("×", "Withdrawn", "off"),
    "done before": Told("✓", "Done before", "good"),
}
MOST_LISTED: Final = 100


def moment_of(text: str) -> float:
    """Give the seconds of a moment that was told as text."""
    return datetime.fromisoformat(text).timestamp()


async def task_page(frame: Frame, live: LiveRun, id_: str) -> None:
    """Build the page of a task. It is shown anew whenever the task has changed."""
    with Tag("p", "row"):
        link("← All tasks", run_address(live.run, "tasks", at=live.at or ""))
    body = Tag("div", "stack task-page")
    page = _Page(frame, live, id_, body)
    await page.show()
    seen = live.state.tasks.get(id_)

    async def refresh() -> None:
        with body, frame.plainly():
            await page.show()

    def changed(state: RunState, now: float) -> None:
        nonlocal seen
        if state.tasks.get(id_) is not seen:
            seen = state.tasks.get(id_)
            frame.while_open(refresh)

    live.on_change(changed)


class _Page:
    """What is told of a task, section by section; a section without anything to say is left out."""

    def __init__(self, frame: Frame, live: LiveRun, id_: str, body: Tag) -> None:
        self._frame, self._live, self._id, self._body = frame, live, id_, body

    async def show(self) -> None:
        """Ask for everything, and show it."""
        told = await self._frame.visitor.do(TASK, self._live.run, self._id, at=self._live.at)
        self._body.clear()
        with self._body:
            self._head(told)
            self._result(told)
            self._assignments(told["assignments"])
            self._verdicts(told["verdicts"])
            self._requests(told["requests"])
            self._calls(told["calls"])
            self._context(told["context"])
            self._asked_for(told)
            self._story(told["story"])

    def _head(self, told: Mapping[str, Any]) -> None:
        one = self._live.state.tasks[self._id]
        with Tag("section", "sheet stack"):
            with Tag("div", "row"):
                with heading(2, ""):
                    foreign(self._id)
                chip(TASK_STATUS[kind_of(one)])
            if told["objective"]:
                with Tag("p", "objective"):
                    foreign(told["objective"])
            if told["reason"]:
                with Tag("p", "", data_tone="bad"):
                    foreign(told["reason"])
            with Tag("dl", "facts"):
                _fact("Skill", told["skill"])
                _fact("Agent", told["agent"] or "nobody yet")
                _fact("Attempts", str(told["attempts"]))
                if told["cost"]["money"] or told["cost"]["tokens"]:
                    _fact("Cost", f"${told['cost']['money']:g}, {told['cost']['tokens']:,} tokens")
                if told["effect"] not in (None, "none"):
                    _fact("Side effect", told["effect"])
                if told["labels"]:
                    _fact("Labels of its data", ", ".join(told["labels"]))
                self._links("Waits for", told["needs"])
                self._links("Needed by", told["needed_by"])
                if told["parent"]:
                    self._links("Part of", [told["parent"]])
                if told["items"]:
                    _fact("Items", ", ".join(f"{many} {status}" for status, many in told["items"].items()))
                if told["undo"]:
                    self._links("Taken back by", [told["undo"]])
                if told["undoes"]:
                    self._links("Takes back", [told["undoes"]])
                if told["undone_because"]:
                    _fact("Undone because", told["undone_because"])
                if told["taken_by"]:
                    _fact("Done by hand by", told["taken_by"])
                if told["run"]:
                    Tag("dt", "", "The team's run")
                    with Tag("dd"), link("", run_address(told["run"])):
                        foreign(told["run"], "mono")

    def _links(self, name: str, ids: Sequence[str]) -> None:
        if not ids:
            return
        Tag("dt", "", name)
        with Tag("dd", "row links"):
            for id_ in ids[:MOST_LISTED]:
                with link("", run_address(self._live.run, "tasks", task=id_, at=self._live.at or "")):
                    foreign(id_, most=60)
            if len(ids) > MOST_LISTED:
                Tag("span", "soft", f"and {len(ids) - MOST_LISTED:,} more")

    def _result(self, told: Mapping[str, Any]) -> None:
        result = told["result"]
        if result is None:
            return
        with _section("What it brought"):
            cut_value(result["output"])
            for artifact in result["artifacts"]:
                with Tag("p"):
                    Tag("span", "soft", "File ")
                    foreign(artifact["name"], "mono")
                    Tag("span", "soft", f" {artifact['media']}, {artifact['bytes']:,} bytes")
            if result["citations"]:
                _lines("Rests on", [f"{one['file']}:{one['line'] or ''} {one['text']}" for one in result["citations"]])
            if result["gaps"]:
                _lines("Lacks", [f"{one['what']}: {one['why']}" for one in result["gaps"]])

    def _assignments(self, attempts: Sequence[Mapping[str, Any]]) -> None:
        if not attempts:
            return
        with _section("Attempts"):
            for one in attempts:
                with Tag("article", "attempt stack"):
                    self._attempt(one)

    def _attempt(self, one: Mapping[str, Any]) -> None:
        with Tag("header", "row"):
            heading(3, f"{one['attempt']}." if one["attempt"] else "")
            chip(_ENDINGS[one["ending"]])
            foreign(one["agent"])
            if one["seconds"] is not None:
                Tag("span", "soft", f"took {span(one['seconds'])}")
            when(moment_of(one["begin"]), self._live.now, "soft")
        if one["message"]:
            with Tag("p"):
                Tag("span", "soft", f"{one['failure'] or 'It said'}: ")
                foreign(one["message"])
        if one["findings"]:
            _lines(f"{one['judged_by']} sent it back", one["findings"])
        elif one["judged_by"]:
            with Tag("p", "soft"):
                Tag("span", "", "Accepted by ")
                foreign(one["judged_by"])
        self._choice(one["choice"])
        for review in one["reviews"]:
            self._review(review)
        self._arguments(one)
        for key, versions in one["stale"].items():
            with Tag("p"):
                foreign(key, "mono")
                Tag("span", "", f" was written anew meanwhile: read {versions['read']}, now {versions['now']}")

    def _choice(self, choice: Mapping[str, Any] | None) -> None:
        if choice is None:
            return
        with Tag("p"):
            Tag("span", "soft", "Why this agent: ")
            foreign(choice["why"])
        if choice["others"]:
            _lines("Who else could", [f"{one['agent']}: {one['why']}" for one in choice["others"]])

    def _review(self, review: Mapping[str, Any]) -> None:
        by = f" ({review['model']})" if review["model"] else ""
        with Tag("p"):
            Tag("span", "soft", "Review by ")
            foreign(f"{review['reviewer']}{by}: {review['verdict']}")
        if review["scores"]:
            with Tag("div", "scroll", tabindex="0", role="region", aria_label="Scores"), Tag("table", "table"):
                with Tag("thead"), Tag("tr"):
                    for name in ("Criterion", "Met", "Score", "In its words", "What to do"):
                        Tag("th", "", name, scope="col")
                with Tag("tbody"):
                    for score in review["scores"]:
                        with Tag("tr"):
                            _cell(score["criterion"])
                            Tag("td", "", "✓ met" if score["met"] else "✗ missed")
                            Tag("td", "number", f"{score['score']:.2f}")
                            _cell(" … ".join(score["quotes"]))
                            _cell(score["feedback"])
        if review["findings"] or review["notes"]:
            _lines("It says", [*review["findings"], *review["notes"]])

    def _arguments(self, one: Mapping[str, Any]) -> None:
        arguments, shortened = one["arguments"], one["shortened"]
        if arguments is None:
            if one["arguments_sha256"]:
                Tag("p", "soft", "What it got cannot be told any more: the values it came from have changed.")
            return

        def build() -> None:
            with Tag("dl", "facts values"):
                for name, told in arguments.items():
                    with Tag("dt"):
                        foreign(name, "mono")
                    with Tag("dd"):
                        cut_value(told)
                        if name in shortened:
                            how = shortened[name]
                            said = f"Shortened to {how['kept']:,} of {how['characters']:,} characters ({how['how']})"
                            Tag("p", "soft", said)

        if arguments:
            fold(f"What it got: {len(arguments)} argument{'s' if len(arguments) != 1 else ''}", build)

    def _verdicts(self, verdicts: Sequence[Mapping[str, Any]]) -> None:
        if not verdicts:
            return
        with _section("Verdicts of the policies"), Tag("ul", "plain"):
            for one in verdicts[-MOST_LISTED:]:
                with Tag("li", "row"):
                    chip(VERDICTS[one["decision"]])
                    foreign(one["call"] or one["agent"])
                    Tag("span", "soft", f"rule {one['rule']}, event {one['seq']}")
                    foreign(one["reason"])

    def _requests(self, requests: Sequence[Mapping[str, Any]]) -> None:
        if not requests:
            return
        with _section("What people were asked"):
            for one in requests:
                with Tag("article", "attempt"):
                    with Tag("p"):
                        foreign(one["question"])
                    answer = one["answer"]
                    if answer is None:
                        Tag("p", "soft", "Not answered." if one["expired"] is None else "Nobody answered in time.")
                        continue
                    with Tag("p"):
                        foreign(answer["by"])
                        Tag("span", "", f" said {answer['decision']} ")
                        when(moment_of(answer["at"]), self._live.now, "soft")
                        if answer["reason"]:
                            Tag("span", "", ": ")
                            foreign(answer["reason"])
                    if answer["value"] is not None:
                        shown_value(answer["value"])

    def _calls(self, calls: Sequence[Mapping[str, Any]]) -> None:
        if not calls:
            return
        with _section(f"Inner calls ({len(calls)})"):
            for one in calls[:MOST_LISTED]:
                tokens = f", {one['input']:,} tokens in, {one['output']:,} out" if one["input"] or one["output"] else ""
                title = f"{one['what']} ({one['key']}): {one['status']}, ${one['money']:g}{tokens}"
                fold(title, partial(self._call, one))

    def _call(self, one: Mapping[str, Any]) -> None:
        with Tag("dl", "facts values"):
            _fact("For", f"{one['of']}, as {one['role']}")
            _fact(
                "Verdict", f"{one['verdict']['decision']} by rule {one['verdict']['rule']}: {one['verdict']['reason']}"
            )
            for name in ("arguments", "result"):
                if one[name] is not None:
                    Tag("dt", "", name.capitalize())
                    with Tag("dd"):
                        cut_value(one[name])
            if one["message"]:
                _fact(one["failure"] or "Message", one["message"])

    def _context(self, context: Mapping[str, Any]) -> None:
        if not context["read"] and not context["written"]:
            return
        with _section("Shared context"), Tag("dl", "facts values"):
            for key, version in context["read"].items():
                _fact("Read", f"{key}@{version}")
            for one in context["written"]:
                _fact("Wrote", f"{one['key']}@{one['version']}{'' if one['newest'] else ' (superseded)'}")

    def _asked_for(self, told: Mapping[str, Any]) -> None:
        with Tag("section", "sheet"):
            fold("The task as the plan has it", lambda: shown_value(json_text(told["plan"])))

    def _story(self, story: Sequence[Mapping[str, Any]]) -> None:
        def build() -> None:
            with Tag("ol", "plain"):
                for line in story[-MOST_LISTED:]:
                    with Tag("li", "row"):
                        link(
                            f"event {line['seq']}",
                            run_address(self._live.run, "tasks", task=self._id, at=str(line["seq"])),
                        )
                        foreign(line["text"], most=240)

        with Tag("section", "sheet"):
            fold(f"All that happened to it ({len(story)} events)", build)


def _section(title: str) -> Tag:
    with Tag("section", "sheet stack") as section:
        heading(2, title)
    return section


def _fact(name: str, text: str) -> None:
    Tag("dt", "", name)
    with Tag("dd"):
        foreign(text)


def _cell(text: str) -> None:
    with Tag("td"):
        foreign(text)


def _lines(title: str, lines: Sequence[str]) -> None:
    with Tag("div"):
        Tag("p", "soft", f"{title}:")
        with Tag("ul"):
            for line in lines[:MOST_LISTED]:
                with Tag("li"):
                    foreign(line, most=1000)
