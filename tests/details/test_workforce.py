"""How agents are told: health by their breakers, load by the runs that go on, rates by the last minute."""

from typing import Any

from stretto.core.commands import HearOf
from stretto.core.domain import NO_BREAKER, Breaker, Catalogue, Hold, Provider, Rate, Rules, Task
from stretto.core.events import AgentHeld, BreakerClosed, BreakerOpened, Event, RateUsed
from stretto.views import moment
from stretto.workforce import workforce
from tests.core.story import Story, agent

NOW = 2_000.0
OPENED = BreakerOpened(at=NOW - 10, agent="worker", until=NOW + 20, why="5 of its last 10 attempts failed", run="r1")


def health(*facts: Event, now: float = NOW, **card: Any) -> dict[str, Any]:
    (one,) = workforce(Catalogue(agents=(agent(**card),)), {"worker": facts}, [], now)
    told: dict[str, Any] = one["health"]
    return told


def test_a_breaker_is_closed_open_half_open_and_closed_again() -> None:
    assert health()["state"] == "closed"
    told = health(OPENED)
    assert (told["state"], told["why"]) == ("open", "5 of its last 10 attempts failed")
    assert (told["since"], told["until"]) == (moment(NOW - 10), moment(NOW + 20))
    later = health(OPENED, now=NOW + 21)
    assert (later["state"], later["until"], later["next_pause"]) == ("half-open", None, 60.0)
    assert health(OPENED, BreakerClosed(at=NOW + 22, agent="worker", run="r1"), now=NOW + 23)["state"] == "closed"


def test_an_agent_that_asked_for_a_pause_is_held_and_one_without_a_breaker_says_so() -> None:
    held = AgentHeld(at=NOW, agent="worker", until=NOW + 5, why="it asked for a pause", asked=True, run="r1")
    assert (health(held)["state"], health(held, now=NOW + 6)["state"]) == ("held", "closed")
    assert health(breaker=NO_BREAKER)["state"] == "off"


def test_a_probe_under_way_is_told() -> None:
    story = Story(Catalogue(agents=(agent(),)), Task(id="a", skill="work"))
    hold = Hold(until=story.now + 30, why="it failed too often")
    story.say(HearOf(agent="worker", upto=1, hold=hold, tripped=1, run="other"))
    story.fire("hold/worker", story.now + 30)
    story.begin("a")
    opened = BreakerOpened(at=1000.0, agent="worker", until=1030.0, why="it failed too often", run="other")
    (one,) = workforce(story.state.catalogue, {"worker": [opened]}, [story.state], story.now)
    assert (one["health"]["state"], one["health"]["probing"]) == ("half-open", True)


def test_load_is_what_unfinished_runs_have_under_way_and_ready() -> None:
    crew = Catalogue(agents=(agent(concurrency=2),))
    stories = [Story(crew, *(Task(id=name, skill="work") for name in "abc")) for _ in range(2)]
    stories[0].begin("a", "b")
    stories[1].begin("a")
    (one,) = workforce(crew, {}, [story.state for story in stories], NOW)
    assert one["load"] == {"under_way": 3, "limit": 2, "waiting": 3, "runs": ["run", "run"]}


def test_a_rate_tells_what_the_last_minute_used_and_when_there_is_room() -> None:
    facts = [RateUsed(at=NOW - age, agent="worker", run="r1", attempt=f"a/{age}", tokens=100) for age in (70, 50, 20)]
    crew = Catalogue(agents=(agent(rate=Rate(requests=2, tokens=1000)),))
    (one,) = workforce(crew, {"worker": facts}, [], NOW)
    assert one["rate"]["requests"] == {"used": 2, "limit": 2}
    assert one["rate"]["tokens"] == {"used": 200, "limit": 1000}
    assert one["rate"]["free_at"] == moment(NOW + 10)
    (other,) = workforce(Catalogue(agents=(agent(),)), {}, [], NOW)
    assert other["rate"] is None


def test_a_provider_is_told_with_the_agents_that_draw_on_it() -> None:
    crew = Catalogue(
        agents=(agent(provider="cloud"),),
        providers={"cloud": Provider(concurrency=4, breaker=Breaker(failures=2))},
        rules=Rules(breaker=Breaker(failures=3)),
    )
    opened = BreakerOpened(at=NOW, agent="provider:cloud", until=NOW + 9, why="too many failed", run="r1")
    (one,) = workforce(crew, {"provider:cloud": [opened]}, [], NOW)
    assert (one["provider"]["name"], one["provider"]["limit"], one["provider"]["health"]["state"]) == (
        "cloud",
        4,
        "open",
    )
    assert (one["provider"]["breaker"]["failures"], one["breaker"]["failures"]) == (2, 3)
