"""The deliverable as one text, where the plan asks for it or its results are prose: written by a model from what was
accepted, every statement marked with the result it rests on, every result used, appended or waived.

Where no model can write it, the results are handed over as they are, and a gap says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from stretto.core.context import labels_of_piece
from stretto.core.domain import Citation, Delivery, Footnote, Gap, Piece, Waiver
from stretto.core.plan.delivering import Written, written
from stretto.core.state import RunState
from stretto.models.prompt import Model
from stretto.ports import AgentFailure, Caller, Synthesiser
from stretto.synthesis.compose import MOST_CITATIONS, leaves
from stretto.synthesis.coverage import used_with, waived
from stretto.synthesis.marks import marks_in
from stretto.synthesis.sources import Source, is_prose, sources_of
from stretto.synthesis.writer import Text, Writer

APPENDED = 1_000
"""Characters of a result up to which it is appended as it is, when the text does not mention it."""
_TOGETHER = "one coherent text that answers the goal with all of these results"


@dataclass(frozen=True, slots=True)
class ModelSynthesiser:
    """Composes as `composer` does, and has a text written where one is wanted. See `stretto.ports.Synthesiser`."""

    composer: Synthesiser
    models: Sequence[Model]

    async def compose(self, state: RunState, caller: Caller) -> Delivery:
        composed = await self.composer.compose(state, caller)
        asked = written(state.deliver)
        if asked is None and self.models and _as_prose(state):
            asked = Written(what=_TOGETHER)
        sources = sources_of(state, asked, leaves(state)) if asked is not None else []
        if asked is None or not sources:
            return composed
        try:
            if not self.models:
                raise AgentFailure("no model is named that writes; name one under `models:` as `synthesiser`")
            labels = labels_of_piece(state, Piece(work="synthesise"))
            writer = Writer(self.models, caller, asked.what, state.goal, composed.contradictions, labels)
            return _delivered(state, composed, await writer.write(sources), sources)
        except AgentFailure as failure:
            why = f"{failure}; the results are handed over as they are"
            return replace(composed, gaps=(*composed.gaps, Gap(task="", what=f"the text: {asked.what}", why=why)))


def _as_prose(state: RunState) -> bool:
    """Whether a text is made of results although the plan does not say so: it names nothing, or each by itself."""
    last = leaves(state)
    if state.deliver is None:
        return is_prose(state, last)
    planned = state.given is None and state.interpretation is not None and state.interpretation.planner == "model"
    each = {id_: {"ref": f"{id_}.output"} for id_ in last}
    return planned and state.deliver == each and is_prose(state, last)


def _delivered(state: RunState, composed: Delivery, text: Text, sources: Sequence[Source]) -> Delivery:
    """Give the delivery of a text: with what its marks stand for, and with what it does not mention."""
    silent = [one for one in sources if one.mark not in {*marks_in(text.text), *text.left_out}]
    appended = [one for one in silent if len(one.text) <= APPENDED]
    whole = "\n\n".join([text.text, *(f"{one.text} [{one.mark}]" for one in appended)])
    marks = marks_in(whole)
    cited = sorted((one for one in sources if one.mark in marks), key=lambda one: marks.index(one.mark))
    used = used_with(state, {state.tasks[one.task].parent or one.task for one in cited if one.task})
    left = [Waiver(task=one.task, why=text.left_out[one.mark]) for one in sources if one.mark in text.left_out]
    left += [Waiver(task=one.task, why="the text does not mention it") for one in silent if one not in appended]
    named = {one.task for one in left}
    citations = dict[Citation, None].fromkeys(citation for one in cited for citation in one.citations)
    for id_ in used:
        result = state.tasks[id_].result
        citations.update(dict.fromkeys(result.citations if result is not None else ()))
    return replace(
        composed,
        answer=whole,
        citations=tuple(citations)[:MOST_CITATIONS],
        footnotes=tuple(Footnote(mark=one.mark, task=one.task, citations=one.citations) for one in cited),
        waived=(*left, *(one for one in waived(state, used) if one.task not in named)),
    )
