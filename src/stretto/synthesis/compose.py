"""Composes the deliverable: what the plan names, or else the results that nobody else used; gaps are named."""

from stretto.core.context import Missing, value_of
from stretto.core.domain import Citation, Delivery, Gap, Json, TaskStatus
from stretto.core.plan.references import is_reference
from stretto.core.state import RunState, accepted, gaps

MOST_CITATIONS = 1000


class Composer:
    """See `stretto.ports.Synthesiser`."""

    async def compose(self, state: RunState) -> Delivery:
        missing = list(gaps(state))
        answer = _leaves(state) if state.deliver is None else _fill(state, state.deliver, missing, "the deliverable")
        if answer is None and missing:
            answer = _leaves(state)
        artifacts, citations = [], dict[Citation, None]()
        for position in range(len(state.ids)):
            one = state.tasks[state.ids[position]]
            if one.status is not TaskStatus.COMPLETED or one.result is None:
                continue
            artifacts += [(state.ids[position], artifact.name) for artifact in one.result.artifacts]
            citations.update(dict.fromkeys(one.result.citations))
        return Delivery(
            answer=answer,
            artifacts=tuple(artifacts),
            citations=tuple(citations)[:MOST_CITATIONS],
            gaps=tuple(missing),
        )


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


def _leaves(state: RunState) -> Json:
    """Give the accepted results that no other accepted task used: one as it is, several by task."""
    done = {
        id_
        for position, id_ in state.ids.items()
        if state.tasks[id_].status is TaskStatus.COMPLETED and state.tasks[id_].parent is None
    }
    used = {name for id_ in done for name in state.tasks[id_].needs}
    left = sorted(done - used, key=lambda id_: state.tasks[id_].position)
    if not left:
        return None
    if len(left) == 1:
        return accepted(state, left[0])
    return {id_: accepted(state, id_) for id_ in left}
