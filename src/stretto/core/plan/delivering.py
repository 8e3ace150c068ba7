"""What a plan delivers: values, or a text that is to be written from results.

deliver: {write: "a briefing of two pages for the board", from: [{ref: market.output}, {ref: risks.output}]}

Without `from` it is written from all results that no other task used.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from stretto.core.domain import Json
from stretto.core.plan.diagnostics import Diagnostic, diagnose
from stretto.core.plan.references import is_reference

_MEND = "Write {write: what it should be, from: [{ref: TASK.output}, ...]}."


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A text to be written: what it should be, and the references to what it is written from (none: what is left)."""

    what: str
    sources: tuple[Json, ...] = ()


def written(deliver: Json) -> Written | None:
    """Give the text that a plan delivers; None when it delivers values."""
    if not _is_written(deliver) or any(True for _ in written_defects(deliver)):
        return None
    return Written(what=deliver["write"], sources=tuple(_sources(deliver.get("from"))))


def values_of(deliver: Json) -> Json:
    """Give what a plan delivers as values: of a text the results it is written from, by the names of their tasks."""
    text = written(deliver)
    if text is None:
        return deliver
    named: dict[str, Json] = {}
    for reference in text.sources:
        name = str(reference["ref"])
        named[name.removesuffix(".output")] = reference
    return named or None


def written_defects(deliver: Json) -> Iterator[Diagnostic]:
    """Give what is wrong with a text that a plan delivers; references are held against the plan elsewhere."""
    if not _is_written(deliver):
        return
    if not deliver["write"].strip():
        yield diagnose("bad-deliverable", "deliver.write", "it does not say what is to be written", _MEND)
    if "from" not in deliver:
        return
    sources = _sources(deliver["from"])
    if not sources:
        yield diagnose("bad-deliverable", "deliver.from", "it names nothing that the text is written from", _MEND)
    for number, one in enumerate(sources):
        if not is_reference(one):
            yield diagnose("bad-deliverable", f"deliver.from[{number}]", "this is no reference", _MEND)


def _is_written(deliver: Json) -> bool:
    """Whether a text is meant. A mapping whose `write` is no text holds values by name, as any other mapping does."""
    return isinstance(deliver, dict) and isinstance(deliver.get("write"), str) and deliver.keys() <= {"write", "from"}


def _sources(raw: Json) -> list[Json]:
    if raw is None:
        return []
    return list(raw) if isinstance(raw, list | tuple) else [raw]
