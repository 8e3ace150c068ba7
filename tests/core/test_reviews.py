"""What follows from a review: the result counts, goes back, goes to another agent, or before a person."""

import pytest

from stretto.core.chains import holds
from stretto.core.commands import AnswerRequest, ReportReview, ReportShortened, RetryTask
from stretto.core.domain import (
    Ask,
    Budget,
    Catalogue,
    Chain,
    Completed,
    Delivery,
    Fallback,
    Ladder,
    Request,
    Review,
    Rung,
    RunStatus,
    Score,
    Shortening,
    SideEffect,
    Task,
    TaskStatus,
)
from stretto.core.events import ArgumentsShortened, ResultRejected, ResultReviewed, RunEnded, RungClimbed, TaskCompleted
from stretto.core.trust import NOTHING_KNOWN, TrackRecord, Trials, records, with_those
from tests.core.story import Story, agent

REVISE: Ladder = {"invalid_output": (Rung(do="revise", times=9), Rung(do="backup"))}


def story(*agents: str, ladder: Ladder = REVISE, **goal: object) -> Story:
    cards = tuple(agent(name) for name in agents or ("ann",))
    return Story(Catalogue(agents=cards), Task(id="t", skill="work", ladder=ladder), **goal)  # type: ignore[arg-type]


def judged(score: float, *findings: str, verdict: str = "revise", criterion: str = "kind") -> Review:
    met = not findings
    scores = (Score(criterion=criterion, met=met, score=score),)
    return Review(
        accepted=met and verdict == "revise",
        reviewer="judge",
        by="m",
        findings=findings,
        otherwise=verdict,  # type: ignore[arg-type]
        scores=scores,
    )


def bring(run: Story, output: str, review: Review, *earlier: Review) -> None:
    run.begin("t")
    run.end("t", Completed(output=output))
    run.say(ReportReview(task="t", attempt=run.one("t").attempt, review=review, earlier=earlier))


def tried(run: Story) -> list[tuple[str, str]]:
    return [(event.do, event.agent) for event in run.said(RungClimbed)]


def test_an_accepted_result_counts_and_what_was_said_of_it_is_kept() -> None:
    run = story()
    whole = Review(accepted=True, reviewer="schema+judge")
    bring(run, "one", whole, Review(accepted=True, reviewer="schema"), judged(0.9))
    assert run.one("t").status is TaskStatus.COMPLETED
    assert [one.name for one in run.one("t").reviews] == ["schema", "judge m"]
    assert run.one("t").marks == (0.9,)
    assert run.said(TaskCompleted)[0].reviewer == "schema+judge"


def test_reviews_with_nothing_but_yes_or_no_leave_no_fact_of_their_own() -> None:
    run = story()
    bring(run, "one", Review(accepted=True, reviewer="schema"))
    assert not run.said(ResultReviewed)


def test_a_note_alone_is_kept() -> None:
    run = story()
    noted = Review(accepted=True, reviewer="", notes=("the judge could not be asked",))
    bring(run, "one", Review(accepted=True, reviewer="schema"), noted)
    assert run.one("t").reviews[0].notes == ("the judge could not be asked",)
    assert run.one("t").marks == ()


def test_a_result_to_be_revised_goes_back_with_the_feedback() -> None:
    run = story()
    bring(run, "one", judged(0.2, "kind: say please"))
    assert tried(run) == [("revise", "ann")]
    assert run.one("t").feedback == ("kind: say please",)
    assert run.state.revisions == 1


def test_a_result_to_be_handed_over_goes_to_another_at_once_with_the_feedback() -> None:
    run = story("ann", "bob")
    bring(run, "one", judged(0.0, "kind: it is in French", verdict="hand_over"))
    assert tried(run) == [("backup", "bob")]
    assert run.one("t").feedback == ("kind: it is in French",)
    assert run.one("t").marks == ()
    bring(run, "two", judged(0.9))
    assert run.one("t").agent == "bob"


def test_where_nobody_else_can_a_result_to_be_handed_over_is_revised() -> None:
    run = story("ann")
    bring(run, "one", judged(0.0, "kind: it is in French", verdict="hand_over"))
    assert tried(run) == [("revise", "ann")]


def test_handing_over_twice_leads_through_everybody_and_then_goes_on_as_the_ladder_says() -> None:
    run = story("ann", "bob", ladder={"invalid_output": (Rung(do="backup"),)})
    for number, _ in enumerate(("ann", "bob")):
        bring(run, f"{number}", judged(0.0, f"kind: not like {number}", verdict="hand_over"))
    assert tried(run) == [("backup", "bob")]
    assert run.one("t").status is TaskStatus.FAILED


def test_revisions_whose_score_does_not_rise_are_ended() -> None:
    run = story("ann", "bob")
    for number, score in enumerate((0.4, 0.3, 0.4)):
        bring(run, f"{number}", judged(score, f"kind: not yet, {number}"))
    assert tried(run) == [("revise", "ann"), ("revise", "ann"), ("backup", "bob")]
    assert "no progress, the score did not rise over 2 revisions" in run.said(RungClimbed)[-1].why


def test_revisions_whose_score_rises_go_on() -> None:
    run = story("ann", "bob")
    for number, score in enumerate((0.2, 0.1, 0.3, 0.4, 0.35, 0.5)):
        bring(run, f"{number}", judged(score, f"kind: not yet, {number}"))
    assert {do for do, _ in tried(run)} == {"revise"}


def test_feedback_that_comes_back_unchanged_ends_the_revisions() -> None:
    run = story("ann", "bob")
    bring(run, "one", judged(0.2, "kind: say please"))
    bring(run, "two", judged(0.3, "kind: say please"))
    assert tried(run) == [("revise", "ann"), ("backup", "bob")]
    assert "found fault with in the very same words" in run.said(RungClimbed)[-1].why


def test_revisions_are_bounded_by_the_budget() -> None:
    run = story(budget=Budget(revisions=1))
    for number in range(2):
        bring(run, f"{number}", judged(number / 10, f"kind: not yet, {number}"))
    assert run.one("t").status is TaskStatus.FAILED
    assert "all 1 revisions of the budget are used" in run.one("t").reason


def escalated() -> Story:
    run = story()
    bring(run, "one", judged(0.5, "kind: who can tell", verdict="escalate"), Review(accepted=True, reviewer="schema"))
    return run


def test_a_result_that_is_escalated_is_put_before_a_person_with_the_result() -> None:
    run = escalated()
    (request,) = run.state.requests.values()
    assert (request.kind, request.task, request.result) == ("review", "t", "one")
    assert "kind: who can tell; does it do? Answer approve, retry, done, skip or fail" in request.question
    assert run.one("t").status is TaskStatus.WAITING


def test_a_person_lets_an_escalated_result_count() -> None:
    run = escalated()
    run.answer("approve")
    assert run.one("t").status is TaskStatus.COMPLETED
    assert run.one("t").result.output == "one"  # type: ignore[union-attr]
    assert run.said(TaskCompleted)[0].reviewer == "person:ann"


@pytest.mark.parametrize(("reason", "feedback"), [("say please", "say please"), ("", "kind: who can tell")])
def test_a_person_sends_an_escalated_result_back(reason: str, feedback: str) -> None:
    run = escalated()
    (request,) = run.state.requests
    run.say(AnswerRequest(actor="person:ann", request=request, decision="retry", reason=reason))
    assert run.one("t").feedback == (feedback,)
    assert run.said(ResultRejected)[0].reviewer == "person:ann"
    bring(run, "two", judged(0.9))
    assert run.one("t").result.output == "two"  # type: ignore[union-attr]


def test_a_person_who_says_nothing_more_has_it_done_again_all_the_same() -> None:
    run = story()
    bring(run, "one", Review(accepted=False, reviewer="r", otherwise="escalate"))
    run.answer("retry")
    assert run.one("t").feedback == ("ann wants it done again",)


def test_a_person_brings_the_result_that_was_wanted() -> None:
    run = escalated()
    run.answer("done", "by hand")
    assert run.one("t").status is TaskStatus.REVIEWING
    run.review("t")
    assert run.one("t").result.output == "by hand"  # type: ignore[union-attr]


@pytest.mark.parametrize(("word", "status"), [("skip", TaskStatus.SKIPPED), ("fail", TaskStatus.FAILED)])
def test_a_person_gives_an_escalated_result_up(word: str, status: TaskStatus) -> None:
    run = escalated()
    run.answer(word)
    assert run.one("t").status is status


def test_an_approval_for_data_that_changed_meanwhile_has_it_done_again() -> None:
    tasks = (
        Task(id="w", skill="work", writes="k"),
        Task(id="t", skill="work", inputs={"x": {"ref": "context.k"}}, after=("w",)),
        Task(id="v", skill="work", writes="k", after=("w",)),
    )
    run = Story(Catalogue(agents=(agent(),)), *tasks)
    run.do("w")
    bring(run, "one", judged(0.5, "kind: hm", verdict="escalate"))
    run.do("v")
    run.answer("approve")
    assert run.one("t").status is TaskStatus.PENDING
    assert run.one("t").ready


@pytest.mark.parametrize(
    ("otherwise", "held"),
    [("approve", "approve"), ("skip", "skip"), ("fail", "fail"), ("deny", "fail"), ("wait", "wait")],
)
def test_silence_about_a_result_comes_to_what_the_chain_says(otherwise: Fallback, held: str) -> None:
    chain = Chain(steps=(Ask(within=1.0),), otherwise=otherwise)
    request = Request(id="r", task="t", attempt=1, kind="review", question="?", chain=chain)
    assert holds(request, SideEffect.NONE) == held


# ---- how right reviewers were


def test_a_persons_word_on_an_escalated_result_is_the_truth_about_those_who_judged_it() -> None:
    for word, expected in (("approve", TrackRecord(false_alarms=1)), ("retry", TrackRecord(hits=1))):
        run = escalated()
        run.answer(word)
        assert records(run.events) == {"judge m": expected}


def test_who_found_a_result_good_that_a_person_lets_count_was_right() -> None:
    run = story()
    good = Review(accepted=True, reviewer="criteria", scores=(Score(criterion="short", met=True, score=1.0),))
    bring(run, "one", judged(0.5, "kind: hm", verdict="escalate"), good)
    other = story()
    bring(other, "one", judged(0.5, "kind: hm", verdict="escalate"), good)
    run.answer("approve")
    other.answer("fail")
    assert records(run.events)["criteria"] == TrackRecord(passes=1)
    assert records(other.events)["criteria"] == TrackRecord(misses=1)


def test_a_later_reviewer_on_the_same_ground_shows_what_an_earlier_one_missed() -> None:
    run = story()
    earlier = Review(accepted=True, reviewer="first", scores=(Score(criterion="kind", met=True, score=1.0),))
    bring(run, "one", judged(0.1, "kind: it is rude"), earlier)
    assert records(run.events) == {"first": TrackRecord(misses=1)}


@pytest.mark.parametrize(
    ("feedback", "known"),
    [("it is rude", {"schema": TrackRecord(misses=1), "judge m": TrackRecord(misses=1)}), ("", {})],
)
def test_what_is_done_again_with_feedback_was_missed_by_all_who_accepted_it(
    feedback: str, known: dict[str, TrackRecord]
) -> None:
    run = story()
    whole = Review(accepted=True, reviewer="schema+judge")
    bring(run, "one", whole, Review(accepted=True, reviewer="schema"), judged(0.9))
    run.say(RetryTask(actor="person:ann", revision=1, task="t", feedback=feedback, again=True))
    assert records(run.events) == known


@pytest.mark.parametrize(
    ("word", "value", "expected"),
    [
        ("done", "one", TrackRecord(false_alarms=1)),
        ("done", "another", TrackRecord(hits=1)),
        ("skip", None, TrackRecord(hits=1)),
        ("retry", None, None),
    ],
)
def test_a_person_who_is_asked_about_the_failure_overrules_the_rejection_or_bears_it_out(
    word: str, value: str | None, expected: TrackRecord | None
) -> None:
    run = story(ladder={"invalid_output": (Rung(do="ask"),)})
    bring(run, "one", judged(0.1, "kind: it is rude"))
    run.answer(word, value)
    assert records(run.events).get("judge m") == expected


def test_what_people_accepted_and_questions_of_other_kinds_say_nothing_about_reviewers() -> None:
    run = escalated()
    run.answer("approve")
    run.say(RetryTask(actor="person:ann", revision=1, task="t", feedback="no", again=True))
    assert records(run.events) == {"judge m": TrackRecord(false_alarms=1)}


def test_records_are_handed_over_with_the_end_of_a_run_once() -> None:
    run = escalated()
    run.answer("approve")
    known = {"judge m": TrackRecord(false_alarms=1)}
    end = RunEnded(status=RunStatus.FINISHED, delivery=Delivery())
    trials = Trials()
    for event in run.events[:-2]:
        trials.take(event)
    assert trials.with_end(run.events[-2:]) == {}
    assert trials.with_end([*run.events[-2:], end, end]) == known
    for event in (*run.events[-2:], end):
        trials.take(event)
    assert trials.records() == {}


def test_rates_and_sums() -> None:
    one = TrackRecord(hits=3, misses=1, false_alarms=1, passes=4)
    assert (one.hit_rate, one.false_alarm_rate) == (0.75, 0.2)
    assert (NOTHING_KNOWN.hit_rate, NOTHING_KNOWN.false_alarm_rate) == (None, None)
    assert with_those({"a": one}, {"a": one, "b": one})["a"] == TrackRecord(hits=6, misses=2, false_alarms=2, passes=8)


@pytest.mark.parametrize(
    ("record", "pays"),
    [
        (TrackRecord(false_alarms=9), True),
        (TrackRecord(false_alarms=10), False),
        (TrackRecord(hits=5, false_alarms=5), False),
        (TrackRecord(hits=6, false_alarms=5), True),
        (TrackRecord(misses=10), False),
        (TrackRecord(passes=50), True),
    ],
)
def test_a_reviewer_below_break_even_does_not_pay(record: TrackRecord, pays: bool) -> None:
    assert record.pays is pays


# ---- what an attempt was given


def test_what_an_attempt_got_shortened_is_noted_once_and_forgotten_with_the_next() -> None:
    run = story()
    run.begin("t")
    how = {"text": Shortening(characters=900, kept=90, how="summary")}
    for _ in range(2):
        run.say(ReportShortened(task="t", attempt=1, arguments=how))
    assert len(run.said(ArgumentsShortened)) == 1
    assert run.one("t").shortened == how
    for late in (
        ReportShortened(task="t", attempt=2, arguments={}),
        ReportShortened(task="x", attempt=1, arguments={}),
    ):
        assert not run.say(late)
    run.fail("t")
    run.begin("t")
    assert run.one("t").shortened == {}
