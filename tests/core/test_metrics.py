"""What runs amount to: told as small stories, with every count known beforehand; and adding up in any grouping."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stretto.core.chains import TIMER
from stretto.core.commands import (
    Cancel,
    ChangeLimits,
    Continue,
    Deliver,
    EditPlan,
    InterpretGoal,
    LookedUp,
    Pause,
    RateRun,
    Recover,
    ReportReview,
    RetryTask,
)
from stretto.core.domain import (
    Ask,
    Budget,
    Catalogue,
    Chain,
    Completed,
    Cost,
    Delivery,
    Failed,
    FailureClass,
    ForEach,
    Gap,
    InputRequired,
    Interpretation,
    Ladder,
    Plan,
    Review,
    Rung,
    SideEffect,
    Task,
    Unknown,
)
from stretto.core.effects import Wait
from stretto.core.events import RunForked
from stretto.core.measures import AgentSkill, Contribution, Measures, RunMeasures
from stretto.core.metrics import measured
from stretto.core.sketch import BORDERS, STEP_TARGET, Sketch
from tests.core.story import ASK, Story, agent
from tests.core.world import World, catalogues, plans

BACKUP: Ladder = {"*": (Rung(do="backup"),)}
ANN, BEN = agent("ann", version="1"), agent("ben", version="2")


def told(*agents: Any, tasks: Sequence[Task] = (Task(id="t", skill="work"),), **goal: Any) -> Story:
    return Story(Catalogue(agents=agents or (ANN,)), *tasks, **goal)


def ended(run: Story, *gaps: Gap) -> RunMeasures:
    """End a run, and give what it amounts to."""
    run.say(Deliver(delivery=Delivery(gaps=gaps)))
    found = measured(run.events)
    assert found is not None
    return found


def share(found: RunMeasures, name: str, skill: str = "work") -> Measures:
    (one,) = [one.measures for one in found.agents if (one.who.agent, one.who.skill) == (name, skill)]
    return one


# ---- the run


def test_a_run_that_goes_on_has_no_measures() -> None:
    run = told()
    run.do("t")
    assert measured(run.events) is None
    assert measured([]) is None


def test_a_run_that_nobody_helped_finished_unaided() -> None:
    run = told()
    run.begin("t")
    run.now += 2
    run.succeed("t")
    found = ended(run)
    assert (found.run, found.ended) == ("run", run.now)
    whole = found.whole
    assert (whole.runs, whole.finished, whole.unaided, whole.completion) == (1, 1, 1, 1.0)
    assert (whole.tasks, whole.attempts, whole.successes, whole.accepted) == (1, 1, 1, 1)
    assert (whole.seconds.count, whole.seconds.microseconds, whole.failures) == (1, 2_000_000, {})
    assert (whole.errors, whole.misallocation, whole.success) == (0.0, 0.0, 1.0)
    assert (whole.hallucinations, whole.satisfaction, whole.handoff) == (None, None, None)


def test_a_run_with_a_gap_is_no_completion() -> None:
    run = told()
    run.do("t")
    whole = ended(run, Gap(task="u", what="x", why="y")).whole
    assert (whole.runs, whole.finished, whole.unaided) == (1, 0, 0)


def test_an_approval_is_an_intervention() -> None:
    run = told()
    run.judge("t", verdict=ASK, arguments={})
    run.answer("approve")
    run.do("t")
    whole = ended(run).whole
    assert (whole.finished, whole.unaided) == (1, 0)


def test_what_a_chain_says_when_nobody_answers_is_no_intervention() -> None:
    chain = Chain(steps=(Ask(who="ann", within=60.0),), otherwise="answer", value="blue")
    run = told(tasks=[Task(id="t", skill="work", ask={"question": chain})])
    run.begin("t")
    run.end("t", InputRequired(question="which colour?"))
    (timer,) = [one.timer for one in run.due(Wait) if one.timer.startswith(TIMER)]
    run.fire(timer, run.now + 61)
    run.do("t")
    assert ended(run).whole.unaided == 1


def test_a_person_whom_the_plan_names_as_agent_does_not_intervene() -> None:
    run = told(agent("ann", kind="person"))
    run.begin("t")
    run.end("t", InputRequired(question="please do it"))
    run.answer("answer", "signed")
    run.review("t")
    found = ended(run)
    assert found.whole.unaided == 1
    assert (share(found, "ann").attempts, share(found, "ann").successes, share(found, "ann").accepted) == (1, 1, 1)
    assert found.whole.seconds.count == 0, "the time of people is no time of an attempt"


@pytest.mark.parametrize(
    "word",
    [
        ChangeLimits(budget=Budget(steps=99)),
        Pause(actor="person:ann"),
        Cancel(actor="person:ann"),
    ],
)
def test_other_limits_a_pause_and_a_cancellation_are_interventions(word: Any) -> None:
    run = told()
    run.say(word)
    run.say(Continue(actor="system"))
    if not run.state.status.final:
        run.do("t")
        ended(run)
    found = measured(run.events)
    assert found is not None
    assert (found.whole.runs, found.whole.unaided) == (1, 0)


def test_a_retry_of_a_person_is_an_intervention_though_the_run_had_finished_before() -> None:
    run = told()
    run.do("t")
    assert ended(run).whole.unaided == 1
    run.say(RetryTask(actor="person:ann", revision=1, task="t", again=True))
    assert measured(run.events) is None
    run.do("t")
    whole = ended(run).whole
    assert (whole.runs, whole.finished, whole.unaided) == (1, 1, 0)
    assert (whole.accepted, whole.wrong) == (2, 0), "nobody said what was wrong with it"


def test_an_edit_of_a_person_is_an_intervention_and_what_it_renames_stays_whose_it_is() -> None:
    run = told(tasks=[Task(id="a", skill="work")])
    run.begin("a")
    run.say(EditPlan(actor="person:ann", revision=1, tasks=(Task(id="a", skill="work"), Task(id="b", skill="work"))))
    run.succeed("a")
    run.do("b")
    found = ended(run)
    assert found.whole.unaided == 0
    assert (found.whole.tasks, share(found, "ann").accepted) == (2, 2)


# ---- handoffs


def test_a_handoff_is_counted_for_the_run_and_for_the_agent_that_starts() -> None:
    run = told(ANN, agent("cat", "read"), tasks=[Task(id="a", skill="work"), Task(id="b", skill="read", after=("a",))])
    run.do("a")
    run.now += 7
    run.do("b")
    found = ended(run)
    assert (found.whole.handoffs.count, found.whole.handoffs.longest) == (1, 7.0)
    assert found.whole.handoffs.under_target == 0.0
    assert share(found, "cat", "read").handoffs == found.whole.handoffs
    assert share(found, "ann").handoffs.count == 0


# ---- attempts


def test_failures_are_counted_by_class_and_agent() -> None:
    run = told(tasks=[Task(id="t", skill="work", ladder={"*": (Rung(do="retry", times=9),)})])
    run.begin("t")
    run.now += 3
    run.fail("t", FailureClass.TRANSIENT)
    run.begin("t")
    run.end("t", Completed(output="x"))
    run.review("t", accepted=False)
    run.do("t")
    one = share(ended(run), "ann")
    assert (one.attempts, one.successes) == (3, 1)
    assert one.failures == {"transient": 1, "invalid_output": 1}
    assert one.seconds.count == 3
    assert one.success == pytest.approx(1 / 3)


def test_an_attempt_that_asks_or_is_lost_is_neither_a_success_nor_a_failure() -> None:
    run = told()
    run.begin("t")
    run.end("t", InputRequired(question="?"))
    run.answer("answer", "42")
    run.do("t")
    whole = ended(run).whole
    assert (whole.attempts, whole.successes, whole.failures) == (2, 1, {})
    assert whole.seconds.count == 1


def test_an_attempt_of_which_nobody_knows_failed_whatever_a_person_makes_of_it() -> None:
    run = told(agent("ann", effect=SideEffect.IRREVERSIBLE))
    run.begin("t")
    run.end("t", Unknown(message="the line broke"))
    run.answer("done", "sent")
    run.review("t")
    found = ended(run)
    assert (found.whole.failures, found.whole.successes, found.whole.accepted) == ({"unknown": 1}, 0, 1)
    assert share(found, "ann").accepted == 0, "the result is the person's"


def test_a_doubt_that_a_look_up_settles_is_a_success() -> None:
    run = told(agent("ann", effect=SideEffect.IRREVERSIBLE, looks_up=True))
    run.begin("t")
    run.say(Recover())
    run.now += 50
    run.say(LookedUp(task="t", attempt=1, outcome=Completed(output="sent")))
    run.review("t")
    whole = ended(run).whole
    assert (whole.successes, whole.failures, whole.seconds.count) == (1, {}, 0)


def test_cost_is_counted_for_the_run_and_for_the_agent_at_its_skill() -> None:
    both = replace(ANN, skills=(*ANN.skills, replace(ANN.skills[0], name="read")))
    run = told(both, tasks=[Task(id="a", skill="work"), Task(id="b", skill="read")])
    for id_, cents in (("a", "0.25"), ("b", "0.5")):
        run.begin(id_)
        run.end(id_, Completed(output=1, cost=Cost(money=Decimal(cents), tokens=10)))
        run.review(id_)
    found = ended(run)
    assert (found.whole.money, found.whole.tokens, found.whole.cost_per_run) == (Decimal("0.75"), 20, 0.75)
    assert share(found, "ann").money == Decimal("0.25")
    assert share(found, "ann", "read").money == Decimal("0.5")


def test_a_version_is_that_of_the_card_or_a_hash_of_it() -> None:
    run = told(
        agent("ann"), BEN, tasks=[Task(id="a", skill="work", agent="ann"), Task(id="b", skill="work", agent="ben")]
    )
    run.do("a", "b")
    versions = {one.who.agent: one.who.version for one in ended(run).agents}
    assert versions["ben"] == "2"
    assert len(versions["ann"]) == 12


# ---- allocation


def test_a_task_that_a_backup_takes_over_was_misallocated_once() -> None:
    run = told(ANN, BEN, tasks=[Task(id="t", skill="work", ladder=BACKUP), Task(id="u", skill="work")])
    run.begin("t")
    run.fail("t")
    run.do("t", "u")
    found = ended(run)
    assert (found.whole.tasks, found.whole.moved, found.whole.misallocation) == (2, 1, 0.5)
    assert (share(found, "ann").tasks, share(found, "ann").moved) == (2, 1)
    assert (share(found, "ben").tasks, share(found, "ben").moved) == (1, 0)


def test_a_person_who_gives_a_finished_task_to_another_agent_moves_it() -> None:
    run = told(ANN, BEN)
    run.do("t")
    run.say(RetryTask(actor="person:p", revision=1, task="t", agent="ben", again=True))
    run.do("t")
    found = ended(run)
    assert (found.whole.tasks, found.whole.moved, share(found, "ann").moved) == (1, 1, 1)


def test_a_task_that_its_own_agent_does_again_was_not_moved() -> None:
    run = told(tasks=[Task(id="t", skill="work", ladder={"*": (Rung(do="retry"),)})])
    run.begin("t")
    run.fail("t")
    run.do("t")
    assert ended(run).whole.moved == 0


def test_the_items_of_a_fan_out_are_the_tasks_and_the_results() -> None:
    run = told(tasks=[Task(id="t", skill="work", for_each=ForEach(items=[1, 2, 3]))])
    run.judge("t", items=(1, 2, 3))
    run.do("t[0]", "t[1]", "t[2]")
    whole = ended(run).whole
    assert (whole.tasks, whole.accepted, whole.attempts) == (3, 3, 3)


# ---- what was wrong


def test_an_accepted_result_that_is_sent_back_with_feedback_was_wrong() -> None:
    run = told(
        ANN, BEN, tasks=[Task(id="a", skill="work", agent="ann"), Task(id="b", skill="work", agent="ben", after=("a",))]
    )
    run.do("a", "b")
    run.say(Deliver(delivery=Delivery()))
    run.say(RetryTask(actor="person:p", revision=1, task="a", again=True, feedback="the sum is off"))
    run.do("a", "b")
    found = ended(run)
    assert (found.whole.accepted, found.whole.wrong, found.whole.errors) == (4, 1, 0.25)
    assert share(found, "ann").wrong == 1
    assert share(found, "ben").wrong == 0, "it was done again because of the other"


def test_of_a_fan_out_that_was_wrong_every_item_was() -> None:
    run = told(tasks=[Task(id="t", skill="work", for_each=ForEach(items=[1, 2]))])
    run.judge("t", items=(1, 2))
    run.do("t[0]", "t[1]")
    run.say(Deliver(delivery=Delivery()))
    run.say(RetryTask(actor="person:p", revision=1, task="t", again=True, feedback="no"))
    run.judge("t", items=(1, 2))
    run.do("t[0]", "t[1]")
    whole = ended(run).whole
    assert (whole.accepted, whole.wrong) == (4, 2)


def test_claims_without_support_are_the_agents_and_those_of_a_judge_are_not() -> None:
    run = told()
    run.begin("t")
    run.end("t", Completed(output="x"))
    evidence = Review(accepted=True, reviewer="evidence", checked=7, unsupported=2)
    judge = Review(accepted=True, reviewer="judge", by="m", checked=3, unsupported=1)
    whole = Review(accepted=True, reviewer="evidence+judge")
    run.say(ReportReview(task="t", attempt=1, review=whole, earlier=(evidence, judge)))
    found = ended(run)
    assert (found.whole.checked, found.whole.unsupported, found.whole.hallucinations) == (10, 3, 0.3)
    assert (share(found, "ann").checked, share(found, "ann").unsupported) == (7, 2)


# ---- ratings, forks, teams


def test_the_newest_rating_of_each_person_counts_and_is_no_intervention() -> None:
    run = told()
    run.do("t")
    ended(run)
    for by, score in (("ann", 1), ("ben", 4), ("ann", 5)):
        run.say(RateRun(actor=f"person:{by}", score=score))
    found = measured(run.events)
    assert found is not None
    whole = found.whole
    assert (whole.ratings, whole.stars, whole.satisfaction, whole.unaided) == (2, 9, 4.5, 1)
    assert share(found, "ann").satisfaction == 4.5


def test_a_fork_counts_what_it_did_itself_and_a_person_began_it() -> None:
    run = told(tasks=[Task(id="a", skill="work"), Task(id="b", skill="work", after=("a",))])
    run.begin("a")
    run.end("a", Completed(output=1, cost=Cost(tokens=5)))
    run.review("a")
    before = len(run.events)
    fork = RunForked(at=run.now, parent="run", fork_at=before, root="run")
    run.do("b")
    run.say(Deliver(delivery=Delivery()))
    found = measured([*run.events[:before], fork, *run.events[before:]])
    assert found is not None
    whole = found.whole
    assert (whole.runs, whole.unaided, whole.attempts, whole.accepted, whole.tokens) == (1, 0, 1, 1, 0)
    assert (whole.tasks, whole.handoffs.count) == (1, 1)


def test_the_items_that_a_fork_begins_are_handed_over_by_the_fork() -> None:
    many = Task(id="b", skill="work", after=("a",), for_each=ForEach(items=[1, 2]))
    run = told(tasks=[Task(id="a", skill="work"), many])
    run.do("a")
    run.judge("b", items=(1, 2))
    run.do("b[0]")
    run.now += 1000
    before = len(run.events)
    fork = RunForked(at=run.now, parent="run", fork_at=before, root="run")
    run.now += 2
    run.do("b[1]")
    run.say(Deliver(delivery=Delivery()))
    found = measured([*run.events[:before], fork, *run.events[before:]])
    assert found is not None
    handoffs = found.whole.handoffs
    assert (handoffs.count, round(handoffs.longest)) == (1, 2)


def test_an_attempt_under_way_at_the_fork_is_the_forks_from_there_on() -> None:
    run = told()
    run.begin("t")
    run.now += 1000
    before = len(run.events)
    fork = RunForked(at=run.now, parent="run", fork_at=before, root="run")
    run.now += 2
    run.succeed("t")
    run.say(Deliver(delivery=Delivery()))
    found = measured([*run.events[:before], fork, *run.events[before:]])
    assert found is not None
    whole = found.whole
    assert (whole.tasks, whole.attempts, whole.successes, whole.seconds.longest) == (1, 1, 1, 2.0)


def test_the_run_of_a_team_counts_for_its_agents_alone() -> None:
    run = told(parent="above")
    run.do("t")
    found = ended(run)
    assert found.whole == Measures()
    assert (share(found, "ann").accepted, share(found, "ann").runs) == (1, 0)


@pytest.mark.parametrize(
    ("goal", "name"),
    [
        ({"plan": Plan(name="respond"), "workspace": "/srv/ops"}, "ops/respond"),
        ({"plan": Plan()}, "plan without a name"),
        ({"streamed": True, "workspace": "/srv/ops/"}, "ops/streamed plan"),
        ({}, "planned goal"),
    ],
)
def test_a_workflow_is_named_after_workspace_and_plan(goal: dict[str, Any], name: str) -> None:
    run = told(**goal)
    run.do("t")
    assert ended(run).workflow.title == name


def test_a_run_by_a_playbook_is_an_instance_of_it() -> None:
    run = told(closed=False)
    run.say(InterpretGoal(revision=1, interpretation=Interpretation(planner="playbook", playbook="onboard")))
    run.close()
    run.do("t")
    assert ended(run).workflow.name == "onboard"


# ---- adding up

SECONDS = st.floats(0, 1e6, allow_nan=False)
COUNT = st.integers(0, 1000)
SKETCHES = st.builds(Sketch.of, st.lists(SECONDS, max_size=5))
MEASURES = st.builds(
    Measures,
    runs=COUNT,
    unaided=COUNT,
    handoffs=SKETCHES,
    wrong=COUNT,
    stars=COUNT,
    failures=st.dictionaries(st.sampled_from(["error", "refused", "unknown"]), st.integers(1, 9)),
    seconds=SKETCHES,
    money=st.decimals(0, 100, places=4),
    tokens=COUNT,
)


@settings(deadline=None)
@given(st.lists(MEASURES, max_size=8), st.data())
def test_measures_add_up_to_the_same_in_any_split_and_order(many: list[Measures], data: st.DataObject) -> None:
    mixed = data.draw(st.permutations(many))
    cut = data.draw(st.integers(0, len(many)))
    assert Measures.total(mixed[:cut]) + Measures.total(mixed[cut:]) == Measures.total(many)
    step = Measures()
    for one in many:
        step += one
    assert step == Measures.total(many)


@settings(deadline=None)
@given(MEASURES)
def test_what_is_kept_as_bytes_comes_back_the_same(one: Measures) -> None:
    assert msgspec.json.decode(msgspec.json.encode(one), type=Measures) == one


@settings(deadline=None)
@given(st.lists(SECONDS, min_size=1, max_size=200), st.sampled_from([0.5, 0.95, 1.0]))
def test_a_quantile_of_a_sketch_is_near_that_of_the_lengths(lengths: list[float], of: float) -> None:
    ordered = sorted(lengths)
    exact = ordered[max(-int(-of * len(ordered) // 1), 1) - 1]
    found = Sketch.of(lengths).quantile(of)
    assert found is not None
    if BORDERS[0] < exact < BORDERS[-1]:
        assert exact / 1.1 <= found <= exact * 1.1
    assert found <= max(lengths)


@settings(deadline=None)
@given(st.lists(st.sampled_from([0.0, 4.999999, 5.0, 5.000001, 80.0]), min_size=1))
def test_the_share_under_the_target_is_exact(lengths: list[float]) -> None:
    exact = sum(one < STEP_TARGET for one in lengths) / len(lengths)
    assert Sketch.of(lengths).under_target == exact


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_any_run_has_measures_that_hold_together(data: st.DataObject) -> None:
    world = World(data.draw)
    world.submit(data.draw(plans()), data.draw(catalogues), Budget(), None)
    for _ in range(data.draw(st.integers(0, 80))):
        if not world.under_way:
            break
        effect = data.draw(st.sampled_from(sorted(world.under_way.values(), key=lambda one: one.key)))
        for command in world.answers(effect):
            world.say(command)
    if not world.state.status.final:
        world.say(Cancel(actor="person:ann"))
    found = measured(world.events)
    assert found is not None
    whole, agents = found.whole, Measures.total(one.measures for one in found.agents)
    assert whole.unaided <= whole.finished <= whole.runs == 1
    assert whole.moved <= whole.tasks
    assert whole.successes + sum(whole.failures.values()) <= whole.attempts
    assert (whole.money, whole.tokens) == (world.state.spent.money, world.state.spent.tokens)
    assert (agents.attempts, agents.successes, agents.failures) == (whole.attempts, whole.successes, whole.failures)
    assert agents.handoffs == whole.handoffs
    assert agents.accepted <= whole.accepted


def test_an_agent_at_two_skills_is_two_rows() -> None:
    both = replace(ANN, skills=(*ANN.skills, replace(ANN.skills[0], name="read")))
    run = told(both, tasks=[Task(id="a", skill="work"), Task(id="b", skill="read")])
    run.do("a", "b")
    found = ended(run)
    assert [one.who for one in found.agents] == [AgentSkill("ann", "1", "work"), AgentSkill("ann", "1", "read")]
    assert all(isinstance(one, Contribution) and one.measures.runs == 1 for one in found.agents)


def test_a_failure_that_no_other_agent_takes_is_no_move() -> None:
    run = told(tasks=[Task(id="t", skill="work", ladder={"*": (Rung(do="fail"),)})])
    run.begin("t")
    run.end("t", Failed(failure=FailureClass.REFUSED, message="no"))
    whole = ended(run, Gap(task="t", what="x", why="y")).whole
    assert (whole.failures, whole.moved, whole.accepted) == ({"refused": 1}, 0, 0)
