"""The inbox: what waits for a person in all runs, what has waited longest first, each with one click to decide.

Nothing is decided by accident: a request that is settled keeps its place for a moment, so that a second click meets
nothing else, and each word is bound to the request that was shown.
"""

import time
from dataclasses import dataclass, field
from typing import Final

from stretto.access.roles import Permission
from stretto.answering import why_settled, words_for
from stretto.core.chains import answers_for
from stretto.core.domain import Json, Request
from stretto.core.errors import Conflict, StrettoError, UnknownRun
from stretto.dashboard.actions import ANSWER, INBOX, RECORDED
from stretto.dashboard.deciding import KINDS, WORDS, Word, after_silence, value_of
from stretto.dashboard.fields import Field, text_area
from stretto.dashboard.parts import Tag, button, chip, foreign, heading, link, when
from stretto.dashboard.shell import Frame, run_address, told_of
from stretto.dashboard.values import diff, json_text, shown_value, values_by_name
from stretto.dashboard.visitor import Visitor
from stretto.dashboard.words import Told
from stretto.desk import Asked

SHOWN: Final = 20
"""Requests that are shown at once; more on demand."""

LOOK_SECONDS: Final = 1.0
"""Seconds between two looks for all open pages together."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What a look found; two looks are the same where the same is asked."""

    asked: tuple[Asked, ...] = field(compare=False)
    requests: tuple[Request, ...]


async def look(visitor: Visitor) -> Waiting:
    """Look at what waits."""
    asked = await visitor.do(INBOX)
    return Waiting(tuple(asked), tuple(one.request for one in asked))


async def inbox(frame: Frame) -> None:
    """Build the page."""
    page = _Inbox(frame)
    page.show(await frame.board.shared(look, every=LOOK_SECONDS).again(frame.visitor))
    frame.while_open(page.follow)


class _Inbox:
    """The page of one visitor."""

    def __init__(self, frame: Frame) -> None:
        self.frame = frame
        self._cards: dict[tuple[str, str], _Card] = {}
        self._most = SHOWN
        self._seen: Waiting | None = None
        with Tag("div", "row spread titled"):
            heading(1, "Inbox")
            self._count = Tag("p", "soft", "", role="status")
        with Tag("p", "keys soft", aria_label="Keys"):
            for key, what in (("j", "next"), ("k", "previous"), ("a", "approve"), ("d", "deny")):
                Tag("kbd", "", key)
                Tag("span", "", what)
        self._list = Tag("div", "stack requests")
        with Tag("div", "row pages") as self._foot:
            self._more = button("", self._show_more)
        self._empty = Tag("div", "empty sheet", "Nothing waits for a person.", hidden=True)

    async def follow(self) -> None:
        """Show what is new as long as the page is open."""
        async with self.frame.board.shared(look, every=LOOK_SECONDS).watching(self.frame.visitor) as watched:
            while True:
                seen = await watched.after(self._seen)
                self.frame.visitor.who()
                self.show(seen)
                await self._say_what_became(seen)

    def show(self, seen: Waiting) -> None:
        """Show what waits; what is settled by now keeps its place."""
        self._seen = seen
        for one in seen.asked[: self._most]:
            key = (one.run, one.request.id)
            card = self._cards.get(key)
            if card is None:
                with self._list:
                    self._cards[key] = _Card(self, one)
            else:
                card.asked_of(one)
        waiting, hidden = len(seen.asked), max(0, len(seen.asked) - self._most)
        self._count.text = f"{waiting:,} waiting for a person" if waiting else ""
        self._foot.attribute("hidden", not hidden)
        self._more.text = f"Show {min(hidden, SHOWN)} more of {hidden:,}"
        self._empty.attribute("hidden", bool(waiting or self._cards))

    def _show_more(self) -> None:
        self._most += SHOWN
        if self._seen is not None:
            self.show(self._seen)

    async def _say_what_became(self, seen: Waiting) -> None:
        """Settle the cards of what is asked no longer, with who decided it."""
        open_ = {(one.run, one.request.id) for one in seen.asked}
        for (run, request), card in self._cards.items():
            if (run, request) in open_ or card.settled or card.speaking:
                continue
            try:
                recorded = await self.frame.visitor.do(RECORDED, run)
            except UnknownRun:
                recorded = ()
            why = why_settled([one.event for one in recorded], request) or "It is asked no longer"
            card.settle(f"{why}.", "off", mine=False)


class _Card:
    """One request: what is asked, what to know for it, and what may be said."""

    def __init__(self, page: _Inbox, asked: Asked) -> None:
        self._page, self._asked = page, asked
        self.settled = False
        self.speaking = False  # a word is on its way from here, and says itself what came of it
        request, now = asked.request, time.time()
        sign, name = KINDS[request.kind]
        with Tag("article", "sheet request", tabindex="-1") as self._whole:
            title = f"request-{self._whole.id}"
            self._whole.attribute("aria_labelledby", title)
            with Tag("header", "row spread"):
                with Tag("div", "row"):
                    chip(Told(sign, name, "asking"))
                    with link("", run_address(asked.run, "tasks", task=request.task), "about"):
                        foreign(request.task or "the goal", most=120)
                with Tag("div", "row soft since"):
                    Tag("span", "", "asked")
                    when(request.asked, now)
            with Tag("h2", "question", id=title):
                foreign(request.question)
            with Tag("p", "soft goal"):
                Tag("span", "", "In ")
                with link("", run_address(asked.run)):
                    foreign(asked.goal or asked.run, most=160)
            self._put_to = Tag("p", "soft put-to")
            with Tag("div", "shown stack"):
                self._material(request)
            self._words = Tag("div", "words")
            self._outcome = Tag("p", "outcome", "", hidden=True)
        self.asked_of(asked)
        self._offer()

    def asked_of(self, asked: Asked) -> None:
        """Show of whom it is asked by now, until when, and what comes then."""
        self._asked, request = asked, asked.request
        self._put_to.clear()
        with self._put_to:
            Tag("span", "", "Put to ")
            foreign(request.to or "anybody who may decide")
            if request.due is not None:
                Tag("span", "", " until ")
                when(request.due, time.time())
                Tag("span", "", f"; then {after_silence(request)}" if after_silence(request) else "")
            for who, _ in request.missed:
                Tag("span", "", "; asked before: ")
                foreign(who or "anybody")

    def _material(self, request: Request) -> None:
        """Show what the decision rests on: the whole of it."""
        if request.diff:
            diff(request.diff)
        if request.tool:
            with Tag("p"):
                Tag("span", "soft", "It would call ")
                foreign(request.tool, "mono")
        if isinstance(request.arguments, dict) and request.arguments:
            Tag("h3", "", "With these arguments")
            values_by_name(request.arguments)
        elif request.arguments not in (None, {}):
            shown_value(request.arguments)
        if request.kind == "review":
            Tag("h3", "", "The result")
            shown_value(request.result)

    def _offer(self) -> None:
        """Make the buttons of what this visitor may say."""
        request = self._asked.request
        who = self._page.frame.visitor.who()
        with self._words:
            if not who.may(Permission.DECIDE):
                Tag("p", "soft", "You may look at this. To decide it takes the role approver.")
                return
            if not answers_for(request, who.actor):
                with Tag("p", "soft"):
                    Tag("span", "", "Only ")
                    foreign(request.to)
                    Tag("span", "", " may decide this now.")
                return
            with Tag("div", "actions", role="group", aria_label="Decide"):
                if request.choices:
                    for number, choice in enumerate(request.choices):
                        self._choice(choice, first=not number)
                for decision in words_for(request):
                    if not (request.kind == "alternatives" and request.choices):
                        self._button(decision, WORDS[request.kind][decision])
            self._form = Tag("div", "form stack", hidden=True)

    def _choice(self, choice: str, *, first: bool) -> None:
        word = WORDS[self._asked.request.kind]["answer"]

        async def choose() -> None:
            await self._say("answer", word, value=choice)

        made = button("", choose, "primary" if first else "", data_decides=True)
        with made:
            foreign(choice, most=200)

    def _button(self, decision: str, word: Word) -> None:
        async def clicked() -> None:
            if word.needs == "nothing":
                await self._say(decision, word)
            else:
                self._ask_first(decision, word)

        main = word.key == "a" and not self._asked.request.choices
        attributes = {"data_key": word.key or None, "aria_keyshortcuts": word.key or None, "data_decides": True}
        button(word.label, clicked, "primary" if main else "", **attributes)

    def _ask_first(self, decision: str, word: Word) -> None:
        """Open the form of a word that takes something written."""
        self._form.clear()
        self._form.attribute("hidden", False)
        with self._form:
            written = self._field(word)

            async def agreed() -> None:
                await self._say_written(decision, word, written)

            with Tag("div", "actions"):
                button(
                    word.label.removesuffix("…"),
                    agreed,
                    "primary",
                    data_tone=word.tone or None,
                    data_decides=True,
                    data_submit=True,
                )
                button("Back", self._close_form, data_key="Escape")
        self._page.frame.client.run_javascript(f"document.getElementById('{written.name}')?.focus()")

    def _field(self, word: Word) -> Field:
        request = self._asked.request
        match word.needs:
            case "reason":
                return text_area("Why?", hint="May stay empty. It stands in the record, and the agent reads it.")
            case "arguments":
                text = json_text(request.arguments if request.arguments is not None else {})
                rows = min(24, text.count("\n") + 2)
                hint = "JSON. It is held against what the skill takes; then it is done with these."
                return text_area("The arguments to go on with", text, hint=hint, rows=rows, spellcheck="false")
            case "result":
                hint = "JSON, or a text where a text is wanted. May stay empty where nobody knows the result."
                return text_area("The result", hint=hint, spellcheck="false")
        return text_area("Your answer")

    def _close_form(self) -> None:
        self._form.attribute("hidden", True)
        self._form.clear()
        self._page.frame.client.run_javascript(f"getHtmlElement({self._whole.id})?.focus()")

    async def _say_written(self, decision: str, word: Word, written: Field) -> None:
        text = written.text
        try:
            value = value_of(self._asked.state, self._asked.request, word.needs, text)
            await self._tell(decision, word, value=value, reason=text.strip() if word.needs == "reason" else "")
        except Conflict as error:
            self.settle(f"{error}.", "partly")
        except StrettoError as error:
            written.wrong(told_of(error))

    async def _say(self, decision: str, word: Word, *, value: Json = None) -> None:
        try:
            await self._tell(decision, word, value=value)
        except Conflict as error:
            self.settle(f"{error}.", "partly")
        except StrettoError as error:
            self._page.frame.say(told_of(error))

    async def _tell(self, decision: str, word: Word, *, value: Json = None, reason: str = "") -> None:
        visitor = self._page.frame.visitor
        if self.settled:
            return
        self.speaking = True
        try:
            await visitor.do(ANSWER, self._asked.run, self._asked.request.id, decision, value=value, reason=reason)
        finally:
            self.speaking = False
        self.settle(f"{word.done} by {visitor.who().name}.", "good")

    def settle(self, text: str, tone: str, *, mine: bool = True) -> None:
        """Say what became of it; it keeps its place for a moment, and the next one is in front."""
        if self.settled:
            return
        self.settled = True
        self._words.clear()
        self._whole.attribute("data_settled", "mine" if mine else "others")
        self._outcome.tone(tone)
        self._outcome.attribute("hidden", False)
        self._outcome.attribute("role", "status")
        with self._outcome:
            foreign(text)
        if mine:
            self._page.frame.client.run_javascript(f"stretto.inbox.settled(getHtmlElement({self._whole.id}))")
