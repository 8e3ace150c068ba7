"""How single tasks are taken back: with what, how often it is tried, and when a person has to see to it."""

from stretto.core.domain import Catalogue, FailureClass, Rung, SideEffect, Task, TaskStatus, Undo
from stretto.core.events import CompensationPlanned, RetryScheduled
from stretto.core.undoing import TRIES
from tests.core.story import Story, agent, booker

AT_ONCE = {"*": (Rung(do="fail"),)}
PAYER = agent("payer", "pay", SideEffect.IRREVERSIBLE)
PAYMENT = Task(id="payment", skill="pay", after=("hotel",), ladder=AT_ONCE)


def fall(story: Story) -> None:
    """Let the payment fail, so that the hotel has to be taken back."""
    story.begin("payment")
    story.fail("payment")


def test_what_can_be_undone_by_nobody_fails_and_says_which_skill_is_missing() -> None:
    """Its check looked at the agent that comes first; the one that did it names another skill."""
    other = agent("other", "book", SideEffect.REVERSIBLE, undo="return")
    story = Story(
        Catalogue(agents=(booker(concurrency=1), other, PAYER)),
        Task(id="flight", skill="book", inputs={"by": "air"}),
        Task(id="hotel", skill="book", wait=5.0),
        PAYMENT,
    )
    story.begin("flight")
    story.fire("wait/hotel", story.now + 5)
    story.begin("hotel")
    assert (story.one("flight").agent, story.one("hotel").agent) == ("booker", "other")
    story.succeed("flight", "hotel")
    fall(story)
    undo = story.one("undo-hotel")
    assert (undo.status, undo.reason) == (TaskStatus.FAILED, "no agent has the skill 'return'")
    assert not story.one("hotel").undone


def test_an_undoing_that_needs_what_the_task_did_not_bring_fails_and_says_so() -> None:
    booking = Task(id="hotel", skill="book", undo=Undo(skill="unbook", inputs={"id": {"ref": "hotel.output.id"}}))
    story = Story(Catalogue(agents=(booker(), PAYER)), booking, PAYMENT)
    story.do("hotel", output={"booked": True})
    fall(story)
    undo = story.one("undo-hotel")
    assert undo.status is TaskStatus.FAILED
    assert undo.reason == "what it needs is not there: task 'hotel': there is no 'id' in dict"


def test_an_undoing_takes_a_name_that_no_task_of_the_plan_has() -> None:
    taken = [Task(id=name, skill="book", inputs={"n": name}) for name in ("undo-hotel", "undo-hotel-2")]
    story = Story(Catalogue(agents=(booker(), PAYER)), Task(id="hotel", skill="book"), *taken, PAYMENT)
    story.do("hotel", "undo-hotel", "undo-hotel-2")
    fall(story)
    (planned,) = story.said(CompensationPlanned)
    assert (planned.task, planned.undo.id) == ("hotel", "undo-hotel-3")


def test_an_undoing_that_fails_is_tried_so_often_and_then_a_person_is_asked() -> None:
    story = Story(Catalogue(agents=(booker(), PAYER)), Task(id="hotel", skill="book"), PAYMENT)
    story.do("hotel")
    fall(story)
    for _ in range(TRIES):
        story.begin("undo-hotel")
        story.fail("undo-hotel")
        assert not story.state.requests
    story.begin("undo-hotel")
    story.fail("undo-hotel")
    (request,) = story.state.requests.values()
    assert (request.kind, request.task) == ("doubt", "undo-hotel")
    assert f"could not be undone after {TRIES + 1} attempts: it broke" in request.question


def test_an_undoing_that_must_not_happen_twice_is_tried_again_only_where_nothing_can_have_happened() -> None:
    grave = (
        agent("b", "book", SideEffect.REVERSIBLE, undo="unbook"),
        agent("u", "unbook", SideEffect.IRREVERSIBLE),
        PAYER,
    )
    for failure, again in ((FailureClass.UNAVAILABLE, True), (FailureClass.ERROR, False)):
        story = Story(Catalogue(agents=grave), Task(id="hotel", skill="book"), PAYMENT)
        story.do("hotel")
        fall(story)
        story.begin("undo-hotel")
        story.fail("undo-hotel", failure)
        assert bool(story.said(RetryScheduled)) is again
        assert [one.kind for one in story.state.requests.values()] == ([] if again else ["doubt"])
