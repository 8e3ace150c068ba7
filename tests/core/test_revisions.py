"""Plans that are made anew beside a running one, and what makes two tasks alike."""

from dataclasses import replace
from typing import Any

from stretto.core.commands import (
    AddTask,
    AnswerRequest,
    ClarifyGoal,
    ClosePlan,
    Command,
    FailPlan,
    FireTimer,
    InterpretGoal,
    Judged,
    Replan,
    ReportOutcome,
    ReportReview,
    SubmitGoal,
)
from stretto.core.decide import step
from stretto.core.domain import (
    AgentCard,
    Catalogue,
    Completed,
    Failed,
    FailureClass,
    ForEach,
    Interpretation,
    Join,
    Review,
    RunStatus,
    SideEffect,
    Skill,
    Task,
    TaskStatus,
    Undo,
    Verdict,
)
from stretto.core.effects import MakePlan
from stretto.core.events import RevisionRefused
from stretto.core.hindrances import around, hindrances
from stretto.core.plan.likeness import signatures
from stretto.core.reconcile import reconcile
from stretto.core.state import RunState

ANY = {"type": "object"}
ALLOW = Verdict(decision="allow", rule="test")
CATALOGUE = Catalogue(
    agents=(
        AgentCard(
            name="reader", skills=(Skill(name="read", effect=SideEffect.NONE, inputs=ANY, labels=("untrusted",)),)
        ),
        AgentCard(name="writer", skills=(Skill(name="write", effect=SideEffect.REVERSIBLE, inputs=ANY),)),
        AgentCard(name="other", skills=(Skill(name="read", effect=SideEffect.NONE, inputs=ANY),)),
    )
)


class Loop:
    """A run that is told what happens."""

    def __init__(self) -> None:
        self.state = RunState()
        self.say(SubmitGoal(run="r", goal="g", catalogue=CATALOGUE))

    def say(self, *commands: Command) -> list[str]:
        """Give the facts that follow, by name."""
        said = []
        for command in commands:
            events, self.state = step(self.state, command)
            said += [type(event).__name__ for event in events]
        return said

    def plan(self, *tasks: Task, deliver: str | None = None) -> list[str]:
        """Write a plan to its end."""
        revision = self.state.revision
        adds = [AddTask(revision=revision, task=task) for task in tasks]
        return self.say(*adds, ClosePlan(revision=revision, deliver={"ref": deliver} if deliver else None))

    def do(self, id_: str, failure: FailureClass | None = None) -> list[str]:
        """Have a ready task done, or fail."""
        attempt = self.state.tasks[id_].attempt + 1
        agent = self.state.roster.candidates(self.state.tasks[id_].task)[0]
        outcome = Completed(output=id_) if failure is None else Failed(failure=failure, message="no")
        return self.say(
            Judged(task=id_, attempt=attempt, agent=agent, verdict=ALLOW, arguments={}),
            ReportOutcome(task=id_, attempt=attempt, outcome=outcome),
            ReportReview(task=id_, attempt=attempt, review=Review(accepted=True, reviewer="r")),
        )


def test_a_plan_refused_at_its_end_is_made_anew_and_what_is_done_stays() -> None:
    loop = Loop()
    read = Task(id="a", skill="read", inputs={"x": 1})
    loop.say(AddTask(revision=1, task=read))
    loop.do("a")
    told = loop.plan(Task(id="b", skill="read", inputs={"x": {"ref": "nowhere.output"}}))
    assert told[-1] == "RevisionBegun"
    assert MakePlan(revision=2) in reconcile(loop.state)
    assert loop.say(AddTask(revision=1, task=Task(id="late", skill="read"))) == []
    again = loop.plan(replace(read, id="renamed"), Task(id="b", skill="read", inputs={"x": {"ref": "renamed.output"}}))
    assert again == ["TaskDrafted", "TaskDrafted", "PlanRevised"]
    assert loop.state.tasks["renamed"].status is TaskStatus.COMPLETED
    assert loop.state.tasks["b"].ready
    assert set(loop.state.tasks) == {"renamed", "b"}


def test_a_plan_that_is_given_up_is_planned_anew_where_its_planner_says_so() -> None:
    loop = Loop()
    loop.say(AddTask(revision=1, task=Task(id="a", skill="read")))
    assert loop.say(FailPlan(revision=1, reason="no more", anew=True)) == ["RevisionBegun"]
    assert loop.state.draft is not None
    assert loop.state.draft.why == "the plan broke off: no more"
    assert loop.say(FailPlan(revision=2, reason="never", anew=True)) == ["PlanRefused"]
    empty = Loop()
    assert empty.say(FailPlan(revision=1, reason="nothing", anew=True))[0] == "PlanRefused", "there is no rest of it"


def test_what_a_model_began_is_finished_when_its_plan_is_refused() -> None:
    for planner, status in (("model", TaskStatus.COMPLETED), ("rules", TaskStatus.CANCELLED)):
        loop = Loop()
        meant = Interpretation(planner=planner)
        loop.say(InterpretGoal(revision=1, interpretation=meant), AddTask(revision=1, task=Task(id="a", skill="read")))
        loop.say(Judged(task="a", attempt=1, agent="reader", verdict=ALLOW, arguments={}))
        loop.say(FailPlan(revision=1, reason="no"), ReportOutcome(task="a", attempt=1, outcome=Completed(output=1)))
        loop.say(ReportReview(task="a", attempt=1, review=Review(accepted=True, reviewer="r")))
        assert loop.state.tasks["a"].status is status


def test_plans_are_made_anew_so_often_and_no_more() -> None:
    loop = Loop()
    loop.say(AddTask(revision=1, task=Task(id="a", skill="read")))
    loop.do("a")
    defective = Task(id="b", skill="read", inputs={"x": {"ref": "nowhere.output"}})
    assert loop.plan(defective)[-1] == "RevisionBegun"
    assert loop.plan(defective)[-1] == "PlanRefused", "it never had a whole plan"
    assert not loop.state.planning


def test_a_lost_agent_begins_a_revision_and_no_way_around_it_offers_alternatives() -> None:
    loop = Loop()
    loop.plan(Task(id="a", skill="read", agent="reader", inputs={"x": 1}), Task(id="b", skill="read", inputs={"x": 2}))
    for _ in range(3):
        if (until := loop.state.tasks["a"].retry_at) is not None:
            loop.say(FireTimer(timer="retry/a", at=until))
        loop.do("a", FailureClass.UNAVAILABLE)
    assert loop.state.draft is not None
    (lost,) = hindrances(loop.state)
    assert (lost.skill, lost.agent) == ("read", "reader")
    left = around(CATALOGUE, (lost,))
    assert [card.name for card in left.agents] == ["writer", "other"]
    told = loop.say(FailPlan(revision=loop.state.revision, reason="there is no other way"))
    assert told == ["RevisionRefused", "PersonAsked"]
    (request,) = loop.state.requests.values()
    assert request.kind == "alternatives"
    assert "hand it to other (read)" in request.choices
    assert not loop.state.settled


def test_after_untrusted_reading_a_new_side_effect_asks_and_a_known_one_does_not() -> None:
    loop = Loop()
    read = Task(id="a", skill="read", agent="reader", inputs={"x": 1})
    write = Task(id="w", skill="write", inputs={"to": "ann"})
    loop.plan(read, write)
    loop.do("a")
    assert loop.say(Replan(revision=loop.state.revision)) == ["RevisionBegun"]
    loop.plan(read, write, replace(write, id="v", inputs={"to": "eve"}), Task(id="c", skill="read", inputs={"x": 3}))
    approvals = {id_: one.task.approval for id_, one in loop.state.tasks.items()}
    assert approvals == {"a": "policy", "w": "policy", "v": "ask", "c": "policy"}
    assert loop.state.status is RunStatus.RUNNING


def test_a_task_of_a_new_plan_that_comes_twice_is_drafted_once() -> None:
    loop = Loop()
    loop.plan(Task(id="a", skill="read"))
    loop.say(Replan(revision=1))
    again = AddTask(revision=2, task=Task(id="b", skill="read"))
    assert loop.say(again, again) == ["TaskDrafted"]
    assert loop.say(ClosePlan(revision=2)) == ["PlanRevised"]
    assert set(loop.state.tasks) == {"b"}


def test_a_new_plan_that_drops_an_action_under_way_is_refused_and_the_old_one_goes_on() -> None:
    loop = Loop()
    write = Task(id="w", skill="write", undo=Undo(skill="read"))
    loop.plan(write)
    loop.say(Judged(task="w", attempt=1, agent="writer", verdict=ALLOW, arguments={}))
    loop.say(Replan(revision=1))
    loop.say(AddTask(revision=2, task=Task(id="b", skill="read")))
    (refused,) = step(loop.state, ClosePlan(revision=2))[0]
    assert isinstance(refused, RevisionRefused)
    assert refused.reason == "'w' is at work, and its action may not be repeated; wait until it has ended"
    assert loop.say(ClosePlan(revision=2)) == ["RevisionRefused"]
    assert loop.state.draft is None
    assert loop.state.tasks["w"].status is TaskStatus.RUNNING


def test_a_fan_out_over_nothing_is_done_and_never_grows_old() -> None:
    loop = Loop()
    none = Task(id="a", skill="read", for_each=ForEach(items=[]), inputs={"x": {"ref": "item"}})
    loop.plan(none, Task(id="b", skill="read"))
    assert loop.say(Judged(task="a", attempt=1, agent="reader", items=())) == ["TaskExpanded", "TaskCompleted"]
    loop.say(Replan(revision=1))
    loop.plan(none, Task(id="c", skill="read"))
    assert loop.state.tasks["a"].status is TaskStatus.COMPLETED


def test_who_will_not_say_what_a_new_plan_is_to_mean_keeps_the_old_one() -> None:
    loop = Loop()
    loop.plan(Task(id="a", skill="read"))
    loop.say(Replan(revision=1, words="better"))
    assert loop.say(ClarifyGoal(revision=2, round=0, question="better how?")) == ["PersonAsked"]
    (request,) = loop.state.requests
    deny = AnswerRequest(actor="person:ann", request=request, decision="deny", reason="never mind")
    said = step(loop.state, deny)[0]
    assert [getattr(one, "reason", "") for one in said] == [
        "never mind", "ann would not say: better how?: never mind"
    ]  # fmt: skip
    assert loop.say(deny) == ["PersonAnswered", "RevisionRefused"]
    assert (loop.state.draft, loop.state.unclear, list(loop.state.tasks)) == (None, None, ["a"])
    assert loop.do("a")[-1] == "TaskCompleted"


def test_a_question_about_the_goal_is_asked_once_and_only_in_its_turn() -> None:
    loop = Loop()
    first = ClarifyGoal(revision=1, round=0, question="which way?")
    for moot in (replace(first, round=1), replace(first, revision=2)):
        assert loop.say(moot) == []
    assert loop.say(first, first) == ["PersonAsked"]
    (request,) = loop.state.requests
    loop.say(AnswerRequest(request=request, decision="answer", value="left"))
    assert loop.say(first) == [], "it was answered"
    assert loop.say(replace(first, round=1, question="how far?")) == ["PersonAsked"]


def test_what_needs_a_task_that_was_lost_before_it_was_planned_is_left_out_at_once() -> None:
    loop = Loop()
    loop.say(AddTask(revision=1, task=Task(id="a", skill="read", agent="reader")))
    loop.do("a", FailureClass.REFUSED)
    later = Task(id="b", skill="read", inputs={"x": {"ref": "a.output"}})
    assert loop.say(AddTask(revision=1, task=later)) == ["TaskAdded", "TaskSkipped"]
    one = loop.state.tasks["b"]
    assert (one.reason, one.wanted) == ("it needs 'a', which failed", False)
    soft = Task(id="c", skill="read", inputs={"x": {"ref": "a.output", "default": None}})
    assert loop.say(AddTask(revision=1, task=soft)) == ["TaskAdded"]


# ---- likeness


def test_a_signature_follows_content_and_not_names_or_wording() -> None:
    a = Task(id="a", skill="read", inputs={"x": {"ref": "inputs.n"}})
    b = Task(id="b", skill="write", inputs={"y": [{"ref": "a.output.z"}]}, when="a.output.ok", after=("a",))
    known = signatures([a, b], {"n": 1})
    renamed = signatures(
        [
            replace(
                b, id="bb", inputs={"y": [{"ref": "aa.output.z"}]}, when="aa.output.ok", after=(), objective="well"
            ),
            replace(a, id="aa", approval="ask", risk="high"),
        ],
        {"n": 1},
    )
    assert (renamed["aa"], renamed["bb"]) == (known["a"], known["b"])
    assert signatures([a, b], {"n": 2}).items().isdisjoint(known.items())
    for other in (
        replace(b, when="!a.output.ok"),
        replace(b, occurrence=2),
        replace(b, agent="x"),
        replace(b, for_each=ForEach(items=[1])),
        replace(b, inputs={"y": [{"ref": "a.output.z", "default": None}]}),
        replace(b, effect=SideEffect.IRREVERSIBLE),
    ):
        assert signatures([a, other], {"n": 1})["b"] != known["b"]


def test_a_signature_sees_who_writes_the_context_that_a_task_reads() -> None:
    writer = Task(id="w", skill="read", inputs={"x": 1}, writes="k")
    reader = Task(id="r", skill="read", inputs={"x": {"ref": "context.k"}}, after=("w",))
    known = signatures([writer, reader], {})["r"]
    assert signatures([replace(writer, inputs={"x": 2}), reader], {})["r"] != known
    assert signatures([reader, writer, Task(id="z", skill="read")], {})["r"] == known


def test_a_signature_sees_what_a_join_takes_of_whom_and_not_what_they_are_called() -> None:
    def known(first: str, second: str, n: int = 1, taken: str = "joined[0]", **join: Any) -> str:
        members = [Task(id=id_, skill="read", inputs={"x": x}) for id_, x in ((first, 1), (second, n))]
        joining = Task(id="j", skill="write", join=Join(of=(first, second), **join), inputs={"y": {"ref": taken}})
        return signatures([*members, joining], {})["j"]

    assert known("c", "d") == known("a", "b")
    assert len({known("a", "b"), known("a", "b", 2), known("a", "b", taken="joined"), known("a", "b", take=1)}) == 4


def test_a_signature_sees_through_items_rounds_and_literals_and_bears_what_cannot_be_read() -> None:
    def known(**fields: Any) -> str:
        return signatures([Task(id="a", skill="read", **fields)], {})["a"]

    each = ForEach(items=[1])
    assert known(for_each=each, inputs={"x": {"ref": "item"}}) == known(for_each=each, inputs={"x": {"ref": "item"}})
    assert known(for_each=each, inputs={"x": {"ref": "item"}}) != known(for_each=each, inputs={"x": {"ref": "item.y"}})
    literal = {"literal": {"ref": "b.output"}}
    assert known(inputs={"x": literal}) != known(inputs={"x": {"ref": "b.output"}})
    assert known(inputs={"x": {"ref": "[broken"}}) != known(inputs={"x": {"ref": "[worse"}})


def test_a_reader_of_one_entry_does_not_see_who_writes_another() -> None:
    writers = [Task(id=f"w{key}", skill="read", inputs={"x": 1}, writes=key) for key in "kl"]
    readers = [
        Task(id=f"r{key}", skill="read", inputs={"x": {"ref": f"context.{key}"}}, after=("wk", "wl")) for key in "kl"
    ]
    known = signatures([*writers, *readers], {})
    other = signatures([writers[0], replace(writers[1], inputs={"x": 2}), *readers], {})
    assert known["rl"] != other["rl"]
    assert known["wk"] == other["wk"]
