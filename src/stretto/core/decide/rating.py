"""What a person says of a delivery once the run has ended."""

from stretto.core.commands import RateRun
from stretto.core.decide.draft import Draft
from stretto.core.events import RunRated
from stretto.core.state import RunState

LEAST, MOST = 1, 5
"""The scores there are: not content at all, and fully."""


def rate(draft: Draft, command: RateRun) -> None:
    """Note a person's rating of an ended run."""
    if why_no_rating(draft.state, command) is None:
        by = command.actor.removeprefix("person:")
        draft.say(RunRated, by=by, score=command.score, words=command.words)


def why_no_rating(state: RunState, command: RateRun) -> str | None:
    """Say why a run cannot be rated so; None when it can."""
    score: object = command.score
    if isinstance(score, bool) or not isinstance(score, int) or not LEAST <= score <= MOST:
        return f"a rating is a whole number from {LEAST} (not content at all) to {MOST} (fully), not {score!r}"
    if not state.run:
        return "there is no such run"
    if state.parent:
        return f"it is a team's work for run {state.parent}; rate that one"
    if not state.status.final:
        return f"it is {state.standing.value}; what it delivers is rated once it has ended"
    return None
