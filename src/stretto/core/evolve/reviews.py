"""What reviewers said of a result is kept with its task: how good it was tells whether revisions get anywhere."""

from statistics import fmean

from stretto.core.events import ResultReviewed
from stretto.core.evolve.queues import changed
from stretto.core.state import RunState


def reviewed(state: RunState, event: ResultReviewed) -> RunState:
    """Keep what was said; the mark of a result is the mean of its scores."""
    scores = [score.score for review in event.reviews for score in review.scores]
    marks = state.tasks[event.task].marks
    return changed(state, event.task, reviews=event.reviews, marks=(*marks, fmean(scores)) if scores else marks)
