"""Which agents stand in the way of a run, and who takes their place."""

from stretto.core.domain import AgentCard, Catalogue, FailureClass, ForEach, Json, Rung, SideEffect, Skill, Task
from stretto.core.hindrances import around, hindrances, substitutes
from tests.core.story import ANYTHING, Story, agent

AT_ONCE = {"*": (Rung(do="fail"),)}


def lost(story: Story) -> list[tuple[str, str]]:
    return [(one.task, one.agent) for one in hindrances(story.state)]


def test_of_a_fan_out_the_items_say_who_stood_in_the_way() -> None:
    items: list[Json] = [1, 2]
    task = Task(id="a", skill="work", inputs={"n": {"ref": "item"}}, for_each=ForEach(items=items), ladder=AT_ONCE)
    story = Story(Catalogue(agents=(agent(),)), task)
    story.judge("a", items=tuple(items))
    story.do("a[0]")
    story.begin("a[1]")
    story.fail("a[1]")
    assert story.one("a").failure is FailureClass.ERROR
    assert lost(story) == [("a[1]", "worker")]


def test_a_task_that_nobody_began_has_nobody_in_its_way() -> None:
    story = Story(Catalogue(agents=(agent(),)), Task(id="a", skill="work", ladder=AT_ONCE))
    story.judge("a", refusal="what it needs is not there")
    assert (story.one("a").failure, story.one("a").agent) == (FailureClass.REFUSED, None)
    assert lost(story) == []


def test_what_a_person_forbade_is_no_fault_of_an_agent() -> None:
    story = Story(Catalogue(agents=(agent(),)), Task(id="a", skill="work", ladder=AT_ONCE))
    story.judge("a", refusal="not here", failure=FailureClass.DENIED)
    assert lost(story) == []


def test_a_skill_that_takes_and_gives_alike_stands_in_and_one_that_does_more_does_not() -> None:
    takes = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    text = {"type": "string"}

    def card(name: str, skill: str, **more: object) -> AgentCard:
        return AgentCard(name=name, skills=(Skill(name=skill, **{"inputs": takes, "output": text, **more}),))  # type: ignore[arg-type]

    none = {"effect": SideEffect.NONE}
    team = (
        card("first", "count", **none),
        card("like", "tally", **none),
        card("grave", "erase", effect=SideEffect.IRREVERSIBLE),
        card("other", "measure", output={"type": "number"}, **none),
        card("vague", "anything", inputs=ANYTHING, **none),
    )
    story = Story(Catalogue(agents=team), Task(id="a", skill="count", inputs={"n": 1}, ladder=AT_ONCE))
    assert substitutes(story.state, story.one("a").task) == [("first", "count"), ("like", "tally")]
    story.begin("a")
    story.fail("a")
    assert substitutes(story.state, story.one("a").task) == [("like", "tally")]
    left = around(story.state.catalogue, hindrances(story.state))
    assert [one.name for one in left.agents] == ["like", "grave", "other", "vague"]
