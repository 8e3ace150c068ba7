"""Which facts people are told of, and in which words."""

import pytest

from stretto.core.commands import Deliver
from stretto.core.domain import Ask, Catalogue, Chain, Delivery, Rung, SideEffect, Task
from stretto.core.effects import Notify
from stretto.core.events import AgentHeld, BreakerOpened, Event, RunPaused
from stretto.core.notices import noticed
from stretto.core.state import RunState
from tests.core.story import ASK, Story, agent, booker

ALL = ("request", "reminder", "escalated", "compensation", "breaker", "stalled", "halted", "ended")
LISTENING = RunState(run="run", catalogue=Catalogue(notify=ALL))


def alerts(story: Story) -> list[tuple[str, str, str, bool]]:
    """Give what people are told: kind, task, words, and whether it is urgent."""
    notices = [story.state.notices[one.notice].notice for one in story.due(Notify)]
    return [(one.kind, one.task, one.text, one.urgent) for one in notices]


@pytest.mark.parametrize(("alarm", "kind"), [(True, "stalled"), (False, "halted")])
def test_a_run_that_pauses_by_itself_is_an_alarm_and_one_that_a_person_pauses_is_none(alarm: bool, kind: str) -> None:
    (alert,) = noticed(LISTENING, RunPaused(by="system", reason="nothing new", alarm=alarm)).notices.values()
    assert (alert.notice.kind, alert.notice.urgent) == (kind, alarm)
    assert alert.notice.text == "the run is paused: nothing new"


@pytest.mark.parametrize(
    "event",
    [
        AgentHeld(agent="a", until=60.0, why="its rate is 5 a minute"),
        BreakerOpened(agent="a", until=60.0, why="2 of 2", times=2),
        BreakerOpened(agent="a", until=60.0, why="2 of 2", times=1, run="other"),
    ],
)
def test_pauses_and_what_was_told_before_or_by_others_alert_nobody(event: Event) -> None:
    assert not noticed(LISTENING, event).notices


def test_each_turn_of_a_chain_is_told_in_its_own_words() -> None:
    chain = Chain(steps=(Ask(who="ann", within=60.0, remind=40.0), Ask(who="bob", within=60.0)), otherwise="deny")
    team = Catalogue(agents=(agent(),), notify=ALL, ask={"approval": chain})
    story = Story(team, Task(id="a", skill="work", objective="work"))
    story.judge("a", verdict=ASK, arguments={})
    (request,) = story.state.requests
    for timer, at in (("0/remind/1", 1040.0), ("0/due", 1060.0), ("1/due", 1120.0)):
        story.fire(f"ask/{request}/{timer}", at)
    question = "work: see to it"
    assert alerts(story)[:4] == [
        ("request", "a", f"a waits for ann: {question}", False),
        ("reminder", "a", f"a still waits for ann: {question}", False),
        ("escalated", "a", f"a waits for bob now: {question}", True),
        (
            "escalated",
            "a",
            "a: nobody answered: ann by 1970-01-01 00:17:40 UTC, bob by 1970-01-01 00:18:40 UTC; it comes to deny",
            True,
        ),
    ]


def test_the_end_counts_the_tasks_of_the_plan_and_not_those_that_took_others_back() -> None:
    team = Catalogue(agents=(booker(), agent("payer", "pay", SideEffect.IRREVERSIBLE)), notify=("ended",))
    payment = Task(id="payment", skill="pay", after=("hotel",), ladder={"*": (Rung(do="fail"),)})
    story = Story(team, Task(id="hotel", skill="book"), Task(id="sight", skill="book", inputs={"n": 2}), payment)
    story.do("hotel", "sight")
    story.begin("payment")
    story.fail("payment")
    story.do("undo-hotel")
    story.say(Deliver(delivery=Delivery()))
    assert [text for _, _, text, _ in alerts(story)] == ["the run is finished: 1 of 3 tasks done"]
