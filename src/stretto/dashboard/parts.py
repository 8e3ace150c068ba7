"""The parts that pages are made of: plain HTML elements, whose text is always text.

Attributes are set as values and never parsed, so nothing that comes from outside can become markup or a property.
"""

from collections.abc import Callable
from typing import Any

from nicegui.elements.mixins.text_element import TextElement

from stretto.dashboard.words import Told, ago, exact, iso, legible, short


class Tag(TextElement):
    """An HTML element. `text` may change; attributes are given with `_` for `-`, and left out where None or False."""

    def __init__(self, name: str, classes: str = "", text: str = "", /, **attributes: Any) -> None:
        super().__init__(tag=name, text=text)
        self.default_attributes(attributes)
        if classes:
            self._classes += classes.split()

    def default_attributes(self, attributes: dict[str, Any]) -> None:
        for key, value in attributes.items():
            self.attribute(key, value)

    def attribute(self, key: str, value: Any) -> None:
        """Set one attribute, or take it away with None or False."""
        name = key.strip("_").replace("_", "-")
        wanted = "" if value is True else value
        if value is None or value is False:
            self._props.pop(name, None)
        elif self._props.get(name) != wanted:
            self._props[name] = wanted

    def tone(self, tone: str) -> None:
        """Give the element the colour of a tone."""
        self.attribute("data_tone", tone or None)


class Foreign(Tag):
    """An element with a text that others wrote: nothing in it is hidden from the reader."""

    def _text_to_model_text(self, text: str) -> None:
        super()._text_to_model_text(legible(text))


def heading(level: int, text: str, classes: str = "") -> Tag:
    """Give a heading."""
    return Tag(f"h{level}", classes, text)


def link(text: str, href: str, classes: str = "", **attributes: Any) -> Tag:
    """Give a link; the address is ours, with what comes from outside quoted in it."""
    return Tag("a", classes, text, href=href, **attributes)


def button(text: str, on_click: Callable[..., Any], classes: str = "", **attributes: Any) -> Tag:
    """Give a button; while its work is under way a second click does nothing."""
    made = Tag("button", f"button {classes}", text, type="button", **attributes)
    made.on("click", once_at_a_time(made, on_click), args=[])
    return made


def foreign(text: str, classes: str = "", most: int | None = None) -> Tag:
    """Give a text that others wrote, whose direction stays its own, cut to `most` characters."""
    made = Foreign("bdi", f"foreign {classes}", text if most is None else short(text, most))
    if most is not None and len(text) > most:
        made.attribute("title", short(text, 2000))
    return made


def chip(told: Told, classes: str = "") -> Tag:
    """Give a status: sign, word and colour."""
    with Tag("span", f"chip {classes}", data_tone=told.tone) as made:
        Tag("span", "sign", told.sign, aria_hidden="true")
        Tag("span", "", told.word)
    return made


def when(at: float, now: float, classes: str = "") -> Tag:
    """Give a moment: how long ago, kept right by the page itself, and exactly when it is pointed at."""
    return Tag("time", classes, ago(at, now), datetime=iso(at), title=exact(at), data_relative=True)


def once_at_a_time(sender: Tag, work: Callable[..., Any]) -> Callable[..., Any]:
    """Give a handler that does nothing while it is at work already, and shows that it is."""
    at_work = False

    async def handle() -> None:
        nonlocal at_work
        if at_work:
            return
        at_work = True
        sender.attribute("aria_busy", "true")
        try:
            done = work()
            if hasattr(done, "__await__"):
                await done
        finally:
            at_work = False
            if not sender.is_deleted:  # what it did may have put something else in its place
                sender.attribute("aria_busy", None)

    return handle
