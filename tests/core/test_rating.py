"""People say how content they are with what a run delivered: once it has ended, from 1 to 5, the newest word counts."""

from typing import Any

import pytest

from stretto.codec import Codec, decode_command, encode_command
from stretto.core.commands import Deliver, RateRun, RetryTask
from stretto.core.decide.rating import why_no_rating
from stretto.core.domain import Catalogue, Delivery, Review, Task
from stretto.core.events import ResultReviewed, RunForked, RunRated
from stretto.core.evolve import evolve
from stretto.core.forking import before_the_end
from stretto.core.reconcile import reconcile
from stretto.core.state import RunState
from stretto.views import Run
from tests.core.story import Story, agent


def over(**goal: Any) -> Story:
    run = Story(Catalogue(agents=(agent(),)), Task(id="t", skill="work"), **goal)
    run.do("t")
    run.now += 1
    run.say(Deliver(delivery=Delivery()))
    return run


def rating(score: Any = 4, by: str = "ann", words: str = "") -> RateRun:
    return RateRun(actor=f"person:{by}", score=score, words=words)


def test_a_rating_is_kept_with_who_gave_it_and_when() -> None:
    run = over()
    run.now += 60
    (said,) = run.say(rating(4, words="nearly"))
    assert said == RunRated(at=run.now, by="ann", score=4, words="nearly")
    shown = Run(state=run.state)
    assert (shown.rating, shown.status) == (4.0, "finished")
    assert shown.as_json()["ratings"] == [
        {"by": "ann", "score": 4, "words": "nearly", "at": "1970-01-01T00:17:41.000Z"}
    ]


def test_the_newest_word_of_each_person_counts() -> None:
    run = over()
    for score, by in ((1, "ann"), (3, "ben"), (4, "ann")):
        run.say(rating(score, by))
    assert [(one.by, one.score) for one in Run(state=run.state).ratings] == [("ann", 4), ("ben", 3)]
    assert Run(state=run.state).rating == 3.5


def test_a_rating_makes_nothing_due_and_ends_nothing_anew() -> None:
    run = over()
    ended = run.state.ended
    run.now += 60
    run.say(rating())
    assert reconcile(run.state) == []
    assert run.state.ended == ended


@pytest.mark.parametrize("score", [0, 6, -1, 4.5, "4", True, None])
def test_other_scores_are_refused(score: Any) -> None:
    run = over()
    assert list(run.say(rating(score))) == []
    assert "from 1 (not content at all) to 5 (fully)" in str(why_no_rating(run.state, rating(score)))


def test_a_run_that_goes_on_a_teams_run_and_none_at_all_are_not_rated() -> None:
    going = Story(Catalogue(agents=(agent(),)), Task(id="t", skill="work"))
    team = over(parent="above")
    for run, why in ((going, "it is running; what it delivers is rated once it has ended"), (team, "rate that one")):
        assert list(run.say(rating())) == []
        assert why in str(why_no_rating(run.state, rating()))
    assert why_no_rating(RunState(), rating()) == "there is no such run"


def test_a_run_that_was_reopened_is_rated_again_only_when_it_has_ended_again() -> None:
    run = over()
    run.say(rating(2))
    run.say(RetryTask(actor="person:ann", revision=1, task="t", again=True))
    assert list(run.say(rating(5))) == []
    run.do("t")
    run.say(Deliver(delivery=Delivery()))
    run.say(rating(5))
    assert Run(state=run.state).rating == 5.0


def test_a_fork_has_no_ratings_and_one_that_was_rated_is_forked_before_its_end() -> None:
    run = over()
    run.say(rating())
    assert before_the_end(run.events) == len(run.events) - 2
    forked = evolve(run.state, RunForked(parent="run", fork_at=len(run.events), root="run"))
    assert Run(state=forked).ratings == ()


def test_a_persons_words_lie_beside_the_chain() -> None:
    said = RunRated(at=1.0, by="ann", score=5, words="wonderful")
    stored = Codec().encode(said)
    assert b"wonderful" not in stored.payload
    bodies = {mark: body for mark, _, body in stored.contents}
    assert Codec().decode("RunRated", 1, stored.payload, 1.0, lambda mark, _: bodies[mark]) == said


def test_a_rating_may_be_left_in_an_inbox() -> None:
    assert decode_command(encode_command(rating(3, words="ü"))) == rating(3, words="ü")


def test_reviews_of_an_older_release_are_read() -> None:
    old = b'{"attempt":1,"personal":false,"reviews":[{"accepted":true,"reviewer":"schema"}],"task":"t"}'
    read = Codec().decode("ResultReviewed", 1, old, 1.0, lambda mark, _: b"")
    assert read == ResultReviewed(
        at=1.0, task="t", attempt=1, reviews=(Review(accepted=True, reviewer="schema", checked=0, unsupported=0),)
    )
