"""What is told of one task: attempts, arguments, reviews, verdicts, requests, calls, and why this agent."""

from collections.abc import Sequence
from typing import Any

import pytest

from stretto.core.commands import HearOf, ReportReview, RetryTask
from stretto.core.domain import (
    Catalogue,
    Completed,
    Hold,
    Review,
    Rung,
    Score,
    SideEffect,
    Task,
)
from stretto.core.errors import UsageError
from stretto.core.events import Event
from stretto.details import MOST, task_details
from stretto.ports import Recorded
from tests.core.story import ASK, Story, agent


def told(story: Story, id_: str, *, whole: bool = False) -> dict[str, Any]:
    return task_details(story.state, as_recorded(story.events), id_, whole=whole)


def as_recorded(events: Sequence[Event]) -> list[Recorded]:
    return [Recorded(seq=number, actor="system", event=event) for number, event in enumerate(events, 1)]


def test_an_attempt_is_told_with_what_it_got_and_what_came_of_it() -> None:
    story = Story(
        Catalogue(agents=(agent(),)),
        Task(id="a", skill="work"),
        Task(id="b", skill="work", inputs={"text": {"ref": "a.output"}, "n": 3}),
    )
    story.do("a", output="hello")
    story.now += 5
    story.begin("b")
    story.now += 2
    story.succeed("b", output={"rows": [1, 2]})
    found = told(story, "b")
    (attempt,) = found["assignments"]
    assert attempt["arguments"] == {
        "text": {"value": "hello", "characters": 5, "cut": False},
        "n": {"value": 3, "characters": 1, "cut": False},
    }
    assert (attempt["agent"], attempt["ending"], attempt["seconds"], attempt["judged_by"]) == (
        "worker",
        "accepted",
        2.0,
        "r",
    )
    assert attempt["choice"] == {"ground": "only", "why": "only worker has the skill work", "others": []}
    assert found["result"]["output"]["value"] == {"rows": [1, 2]}
    assert (found["needs"], told(story, "a")["needed_by"]) == (["a"], ["b"])
    assert [one["decision"] for one in found["verdicts"]] == ["allow"]


def test_each_attempt_keeps_the_arguments_that_it_had_although_they_changed_later() -> None:
    ladder = {"error": (Rung(do="with", arguments={"depth": 1}),)}
    story = Story(
        Catalogue(agents=(agent(),)), Task(id="a", skill="work", inputs={"depth": 9, "q": "x"}, ladder=ladder)
    )
    story.begin("a")
    story.fail("a")
    story.begin("a")
    story.succeed("a")
    first, second = told(story, "a")["assignments"]
    assert [one["arguments"]["depth"]["value"] for one in (first, second)] == [9, 1]
    assert (first["ending"], first["failure"], first["message"]) == ("failed", "error", "it broke")
    assert second["ending"] == "accepted"


def test_why_an_agent_was_chosen_is_what_routing_knew_then() -> None:
    crew = Catalogue(agents=(agent("one", concurrency=1), agent("two"), agent("three")))
    story = Story(crew, *(Task(id=name, skill="work") for name in "ab"))
    story.begin("a", "b")
    story.succeed("a", "b")
    first, second = (told(story, name)["assignments"][0]["choice"] for name in "ab")
    assert (first["ground"], first["why"]) == ("first", "one comes first of those with the skill work")
    assert [one["agent"] for one in first["others"]] == ["two", "three"]
    assert second["why"] == "two was the first that was free of those with the skill work"
    assert second["others"] == [
        {"agent": "one", "why": "had 1 of at most 1 attempts under way"},
        {"agent": "three", "why": "was free too, and comes later in the order"},
    ]


def test_an_agent_that_was_held_is_named_with_the_reason() -> None:
    story = Story(Catalogue(agents=(agent("one"), agent("two"))), Task(id="a", skill="work"))
    hold = Hold(until=story.now + 60, why="5 of its last 10 attempts failed")
    story.say(HearOf(agent="one", upto=1, hold=hold, tripped=1, run="other"))
    story.do("a")
    choice = told(story, "a")["assignments"][0]["choice"]
    assert choice["why"] == "two was the first that was free of those with the skill work"
    assert choice["others"] == [{"agent": "one", "why": "it got no work then: 5 of its last 10 attempts failed"}]


def test_a_stand_in_and_an_agent_of_the_plan_are_told_apart() -> None:
    crew = Catalogue(agents=(agent("one", backups=("two",)), agent("two", skill="two.work")))
    ladder = {"error": (Rung(do="backup"),)}
    story = Story(crew, Task(id="a", skill="work", ladder=ladder), Task(id="b", skill="work", agent="one"))
    story.begin("a")
    story.fail("a")
    story.do("a")
    story.do("b")
    first, second = told(story, "a")["assignments"]
    assert first["choice"]["others"] == [{"agent": "two", "why": "stands in where those before it fail"}]
    assert (second["agent"], second["choice"]["ground"]) == ("two", "ladder")
    assert second["choice"]["why"] == "two took over when one failed (error)"
    assert told(story, "b")["assignments"][0]["choice"]["why"] == "the plan names one"


def test_what_was_asked_and_answered_is_told_with_the_verdicts() -> None:
    story = Story(
        Catalogue(agents=(agent(effect=SideEffect.IRREVERSIBLE),)), Task(id="a", skill="work", inputs={"n": 1})
    )
    story.judge("a", verdict=ASK, arguments={"n": 1})
    story.now += 30
    story.answer("edit", {"n": 2})
    story.judge("a", verdict=ASK, arguments={"n": 2})
    story.succeed("a")
    found = told(story, "a")
    (request,) = found["requests"]
    assert request["arguments"] == {"n": 1}
    assert {name: request["answer"][name] for name in ("by", "decision", "value")} == {
        "by": "ann",
        "decision": "edit",
        "value": {"n": 2},
    }
    assert [(one["decision"], one["rule"]) for one in found["verdicts"]] == [("ask", "test"), ("allow", "test")]
    assert found["assignments"][0]["arguments"]["n"]["value"] == 2


def test_reviews_are_told_with_scores_and_what_was_sent_back() -> None:
    story = Story(Catalogue(agents=(agent(),)), Task(id="a", skill="work"))
    story.begin("a")
    story.end("a", Completed(output="draft"))
    score = Score(criterion="at most 10 words", met=False, score=0.2, quotes=("too much",), feedback="cut it")
    review = Review(accepted=False, reviewer="criteria", findings=("too long",), scores=(score,), by="m")
    story.say(ReportReview(task="a", attempt=1, review=review))
    (first, *_) = told(story, "a")["assignments"]
    assert (first["ending"], first["judged_by"], first["findings"]) == ("sent back", "criteria", ["too long"])
    assert first["reviews"][0]["scores"][0] == {
        "criterion": "at most 10 words",
        "met": False,
        "score": 0.2,
        "quotes": ["too much"],
        "feedback": "cut it",
    }


def test_a_task_that_a_person_opens_again_shows_its_former_attempts() -> None:
    story = Story(Catalogue(agents=(agent("one"), agent("two"))), Task(id="a", skill="work"))
    story.do("a")
    story.say(RetryTask(actor="person:ann", revision=1, task="a", agent="two", feedback="again", again=True))
    story.do("a")
    first, second = told(story, "a")["assignments"]
    assert (first["agent"], first["ending"]) == ("one", "accepted")
    assert (second["agent"], second["choice"]["ground"]) == ("two", "person")


def test_a_long_output_is_cut_unless_the_whole_is_asked_for() -> None:
    story = Story(Catalogue(agents=(agent(),)), Task(id="a", skill="work"))
    story.do("a", output="x" * (MOST + 5))
    output = told(story, "a")["result"]["output"]
    assert (len(output["value"]), output["characters"], output["cut"]) == (MOST, MOST + 5, True)
    assert len(told(story, "a", whole=True)["result"]["output"]["value"]) == MOST + 5


def test_items_of_a_fan_out_are_counted_and_told_one_by_one() -> None:
    from stretto.core.commands import Judged
    from stretto.core.domain import ForEach

    story = Story(
        Catalogue(agents=(agent(),)),
        Task(id="a", skill="work", inputs={"n": {"ref": "item"}}, for_each=ForEach(items=[4, 5])),
    )
    story.say(Judged(task="a", attempt=1, agent="worker", items=(4, 5)))
    story.do("a[0]", "a[1]")
    assert told(story, "a")["items"] == {"completed": 2}
    assert told(story, "a")["result"]["output"]["value"] == ["done", "done"]
    item = told(story, "a[1]")
    assert item["assignments"][0]["arguments"]["n"]["value"] == 5
    assert item["item"]["value"] == 5


def test_a_task_that_is_not_there_is_refused_with_the_one_that_may_be_meant() -> None:
    story = Story(Catalogue(agents=(agent(),)), Task(id="collect", skill="work"))
    with pytest.raises(UsageError, match=r"no task 'colect'.*'collect'"):
        told(story, "colect")
