"""Content on spans: what of it may leave is told; what may not is named, with the labels that speak against it."""

from collections.abc import Callable, Iterable

from stretto.core.canonical import digest
from stretto.core.context import Missing, labels, labels_of_piece, resolve
from stretto.core.domain import Delivery, Json, Piece
from stretto.core.events import AttemptStarted
from stretto.core.state import RunState
from stretto.telemetry import names
from stretto.telemetry.disclosure import Disclosure, as_text, message, shortened
from stretto.telemetry.shape import Begun

_IN_PARTS = frozenset({names.INPUT_MESSAGES, names.OUTPUT_MESSAGES})
"""Content whose parts were shortened one by one."""


class Contents:
    """Puts content on spans, as far as a disclosure goes; where it is not `asked` for there is nothing to do."""

    def __init__(self, disclosure: Disclosure) -> None:
        self._disclosure, self.asked = disclosure, disclosure.content

    def tell(self, begun: Begun, name: str, seen: Iterable[str], text: Callable[[], str]) -> None:
        """Put content on a span, or say that it was kept back, and for which labels."""
        if not self.asked:
            return
        kept_back = self._disclosure.kept_back(set(seen))
        if not kept_back:
            begun.attributes[name] = text() if name in _IN_PARTS else shortened(text())
            return
        for key, more in ((names.WITHHELD, {name}), (names.WITHHELD_LABELS, kept_back)):
            known = begun.attributes.get(key, ())
            begun.attributes[key] = tuple(sorted({*(known if isinstance(known, tuple) else ()), *more}))

    def tell_of(self, begun: Begun, name: str, state: RunState, of: Piece, text: Callable[[], str]) -> None:
        """Put content on a span that belongs to a piece of work, by the labels of all that this sees."""
        if self.asked:
            self.tell(begun, name, self._labels(state, of), text)

    def may_tell(self, state: RunState, of: Piece) -> bool:
        """Whether the content of a piece of work may leave."""
        return self.asked and not self._disclosure.kept_back(self._labels(state, of))

    def tell_run(self, root: Begun, state: RunState, delivery: Delivery) -> None:
        """Tell a run's goal and inputs, and what it delivers; the inputs may be read out of the words of the goal."""
        if not self.asked:
            return
        asked = {label for spec in state.specs.values() for label in spec.labels}
        self.tell(root, names.INPUT_MESSAGES, asked, lambda: as_text(message("user", state.goal)))
        self._tell_inputs(root, state)
        if delivery.answer is not None:
            everything = labels_of_piece(state, Piece(work="synthesise"))
            self.tell(root, names.OUTPUT_MESSAGES, everything, lambda: as_text(message("assistant", delivery.answer)))

    def tell_arguments(self, begun: Begun, state: RunState, event: AttemptStarted) -> None:
        """Tell what an attempt was asked; its objective may be made from the goal."""
        one = state.tasks.get(event.task) if self.asked else None
        if one is None:
            return
        try:
            arguments = resolve(state, one)
        except Missing:
            return
        if digest(arguments) != event.arguments:
            return  # they are those of another attempt
        seen = self._labels(state, Piece(work="run", task=event.task, number=event.attempt))
        seen |= {label for spec in state.specs.values() for label in spec.labels}
        asked: list[Json] = [one.task.objective, arguments] if one.task.objective else [arguments]
        self.tell(begun, names.INPUT_MESSAGES, seen, lambda: as_text(message("user", *asked)))

    def _tell_inputs(self, root: Begun, state: RunState) -> None:
        """Tell each input of a run by its own labels."""
        of = {name: set(state.specs[name].labels) if name in state.specs else set() for name in state.inputs}
        told = {name: value for name, value in state.inputs.items() if not self._disclosure.kept_back(of[name])}
        if told:
            self.tell(root, names.RUN_INPUTS, (), lambda: as_text(told))
        for name in state.inputs.keys() - told.keys():
            self.tell(root, f"{names.RUN_INPUTS}.{name}", of[name], str)

    def _labels(self, state: RunState, of: Piece) -> set[str]:
        """Give the labels of what a piece of work sees; of a task that is gone, all that the run knows."""
        one = state.tasks.get(of.task)
        own = labels(state, one) if one is not None else frozenset()
        return {*labels_of_piece(state, of), *own}
