"""Fields that people fill in: each with its label, a hint, and a place for what is wrong with it."""

from collections.abc import Mapping
from typing import Any

from nicegui.events import GenericEventArguments

from stretto.dashboard.parts import Tag, foreign

_VALUE = "(event) => emit(event.target.value)"
_CHECKED = "(event) => emit(event.target.checked)"


class Field:
    """A field around its control; `text` is what stands in it by now."""

    def __init__(self, label: str, control: str, text: str = "", *, hint: str = "", **attributes: Any) -> None:
        self.text = text
        with Tag("div", "field") as self.whole:
            self._label = Tag("label", "", label)
            self.control = Tag(control, "input", "", **attributes)
            name = f"field-{self.control.id}"
            self.control.attribute("id", name)
            self._label.attribute("for", name)
            if hint:
                Tag("span", "hint", hint, id=f"{name}-hint")
            with Tag("span", "error", id=f"{name}-error", role="alert", hidden=True) as self._error:
                self._wrong = foreign("")
        if control != "select":
            self.control.attribute("value", text)
        self.control.attribute("aria_describedby", f"{name}-hint {name}-error" if hint else f"{name}-error")
        self.control.on("input", self._typed, js_handler=_VALUE)

    def _typed(self, event: GenericEventArguments) -> None:
        self.text = str(event.args)
        self.wrong("")

    def put(self, text: str) -> None:
        """Put a text into the field."""
        self.text = text
        self.control.attribute("value", text)
        self.wrong("")

    def wrong(self, why: str) -> None:
        """Say what is wrong with what stands in the field; nothing is, where that is empty."""
        self._wrong.text = why
        self._error.attribute("hidden", not why)
        self.control.attribute("aria_invalid", "true" if why else None)


class Check:
    """A box to tick."""

    def __init__(self, label: str, checked: bool = False) -> None:
        self.checked = checked
        with Tag("label", "row check"):
            box = Tag("input", "", type="checkbox", checked=checked)
            Tag("span", "", label)
        box.on("change", self._ticked, js_handler=_CHECKED)

    def _ticked(self, event: GenericEventArguments) -> None:
        self.checked = bool(event.args)


def text_line(label: str, text: str = "", *, hint: str = "", **attributes: Any) -> Field:
    """Give a field of one line."""
    return Field(label, "input", text, hint=hint, type="text", autocomplete="off", **attributes)


def text_area(label: str, text: str = "", *, hint: str = "", rows: int = 3, **attributes: Any) -> Field:
    """Give a field of several lines."""
    return Field(label, "textarea", text, hint=hint, rows=rows, **attributes)


def choice(label: str, options: Mapping[str, str], *, chosen: str = "", hint: str = "") -> Field:
    """Give a field with one of several values to choose: value and what is shown for it."""
    first = chosen if chosen in options else next(iter(options), "")
    field = Field(label, "select", first, hint=hint)
    with field.control:
        for value, text in options.items():
            Tag("option", "", text, value=value, selected=value == first)
    return field
