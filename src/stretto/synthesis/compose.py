"""Composes the deliverable: what the plan names, or else the results that nobody else used; gaps are named.

Every accepted result is used or waived with a reason, and what results say against each other is pointed out.
"""

from collections.abc import Iterator

from stretto.core.canonical import canonical
from stretto.core.claims import Said, contradictions
from stretto.core.context import Missing, value_of
from stretto.core.domain import Citation, Delivery, Gap, Json, TaskStatus
from stretto.core.plan.delivering import values_of
from stretto.core.plan.references import is_reference
from stretto.core.state import RunState, TaskState, accepted, gaps, is_undone
from stretto.ports import Caller
from stretto.synthesis.coverage import used_by, used_with, waived

MOST_CITATIONS = 1000


class Composer:
    """See `stretto.ports.Synthesiser`."""

    async def compose(self, state: RunState, caller: Caller) -> Delivery:
        missing = list(gaps(state))
        answer: Json = None
        used: set[str] = set()
        wanted = values_of(state.deliver)
        if wanted is not None:
            answer, used = _fill(state, wanted, missing, "the deliverable"), used_by(state, wanted)
        if wanted is None or (answer is None and missing):
            left = leaves(state)
            answer, used = _together(state, left), used_with(state, left)
        artifacts, citations = [], dict[Citation, None]()
        for id_, parent in _completed(state):
            result = state.tasks[id_].result
            if result is None:
                continue
            artifacts += [(id_, artifact.name) for artifact in result.artifacts]
            if (parent or id_) in used:
                citations.update(dict.fromkeys(result.citations))
        return Delivery(
            answer=answer,
            artifacts=tuple(artifacts),
            citations=tuple(citations)[:MOST_CITATIONS],
            gaps=tuple(missing),
            waived=waived(state, used),
            contradictions=contradictions(_results(state)),
            notes=tuple(_notes(state)),
        )


def leaves(state: RunState) -> list[str]:
    """Give the accepted tasks whose results no other accepted task used, in the order of the plan."""
    done = {id_: state.tasks[id_] for id_, parent in _completed(state) if parent is None}
    used = {name for one in done.values() for name in one.needs}
    return [id_ for id_ in done if id_ not in used]


def _notes(state: RunState) -> Iterator[tuple[str, str]]:
    """Give what should be known of how the accepted results were reviewed."""
    for id_, _ in _completed(state):
        for review in state.tasks[id_].reviews:
            yield from ((id_, note) for note in review.notes)


def _completed(state: RunState) -> Iterator[tuple[str, str | None]]:
    """Give the accepted tasks in the order of the plan, each with the fan-out it is an item of; none that is undone."""
    for position in range(len(state.ids)):
        one = state.tasks[state.ids[position]]
        id_ = state.ids[position]
        if one.status is not TaskStatus.COMPLETED or one.task.undoes is not None or is_undone(state, id_):
            continue
        if not _superseded(state, one):
            yield id_, one.parent


def _superseded(state: RunState, one: TaskState) -> bool:
    """Whether a round was followed by another: only the last one counts."""
    if one.parent is None or one.task.repeat is None:
        return False
    return one.number != (state.tasks[one.parent].children or 0) - 1


def _results(state: RunState) -> Iterator[Said]:
    """Give what the accepted results say."""
    for id_, _ in _completed(state):
        one = state.tasks[id_]
        if one.result is not None:
            given = canonical([one.task.inputs, one.item])
            yield Said(task=id_, skill=one.task.skill, given=given, value=one.result.output)


def _fill(state: RunState, wanted: Json, missing: list[Gap], what: str) -> Json:
    """Give the deliverable with every part that is there; parts that are not become gaps."""
    if isinstance(wanted, dict) and not is_reference(wanted) and wanted.keys() != {"literal"}:
        return {name: _fill(state, part, missing, f"{what}: {name}") for name, part in wanted.items()}
    try:
        return value_of(state, wanted)
    except (Missing, ValueError) as error:
        if not missing:  # a named gap already says why; this is for what the plan itself left out
            missing.append(Gap(task="", what=what, why=str(error)))
        return None


def _together(state: RunState, ids: list[str]) -> Json:
    """Give one result as it is, several by task."""
    if not ids:
        return None
    return accepted(state, ids[0]) if len(ids) == 1 else {id_: accepted(state, id_) for id_ in ids}
