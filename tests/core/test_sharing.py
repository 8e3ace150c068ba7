"""What runs tell each other of agents and providers: what counts against a rate, and nothing else."""

from stretto.core.domain import Catalogue, Cost, Provider, Rate, Task
from stretto.core.events import AttemptCompleted, AttemptForgotten, HoldEnded, RateUsed, RunSubmitted
from stretto.core.sharing import hears, told
from tests.core.story import Story, agent


def used(tokens: int, run: str = "run") -> RateUsed:
    return RateUsed(at=0.0, agent="worker", run=run, attempt="a/1", tokens=tokens)


def test_the_end_of_an_attempt_is_told_where_tokens_count_and_it_took_others_than_were_reserved() -> None:
    card = agent(rate=Rate(tokens=100), provider="cloud", cost=Cost(tokens=10))
    team = Catalogue(agents=(card,), providers={"cloud": Provider(rate=Rate(requests=5))})
    story = Story(team, Task(id="a", skill="work"))
    story.begin("a")
    assert story.one("a").reserved.tokens == 10
    for tokens, news in ((10, []), (3, [("worker", used(3))])):
        done = AttemptCompleted(task="a", attempt=1, cost=Cost(tokens=tokens))
        assert list(told(story.state, done)) == news
    assert list(told(story.state, AttemptForgotten(task="a", attempt=1))) == [("worker", used(0))]


def test_what_is_told_of_an_attempt_later_counts_from_its_beginning() -> None:
    first = RateUsed(at=100.0, agent="worker", run="other", attempt="a/1", tokens=10)
    then = RateUsed(at=130.0, agent="worker", run="other", attempt="a/1", tokens=3)
    news = hears("worker", "run", 2, [first, then], 131.0)
    assert news is not None
    assert [(one.at, one.tokens, one.attempt) for one in news.starts] == [(100.0, 3, "other/a/1")]
    assert hears("worker", "run", 2, [first, then], 160.0) is None, "it is more than a minute ago"


def test_facts_of_other_kinds_are_no_news() -> None:
    begun = RunSubmitted(run="other", goal="a goal", inputs={}, catalogue=Catalogue())
    assert hears("worker", "run", 2, [begun, HoldEnded(agent="worker", probing=False)], 0.0) is None
