"""Who may do what, rule by rule: nobody is asked about what does no harm, and not twice about the same."""

from dataclasses import replace
from typing import Any

import pytest

from stretto.core.commands import Cancel
from stretto.core.domain import AgentCard, Call, Catalogue, Piece, Rules, SideEffect, Skill, Task, Verdict
from stretto.core.policy import DEFAULT, approval, call_judgement, judge
from stretto.core.reconcile import judgements
from stretto.core.state import RunState
from tests.core.story import ANYTHING, Story, agent, booker


def said_of(run: Story, id_: str) -> Verdict:
    effect = next(one for one in judgements(run.state) if one.task == id_)
    return judge(run.state, effect, DEFAULT)


def verdict(skill: Skill, **task: Any) -> tuple[str, str]:
    card = AgentCard(name="w", skills=(replace(skill, name="work", inputs=ANYTHING),))
    found = said_of(Story(Catalogue(agents=(card,)), Task(id="t", skill="work", **task)), "t")
    return found.decision, found.reason


HARMLESS = Skill(name="work", effect=SideEffect.NONE)


@pytest.mark.parametrize(
    ("skill", "task", "reason"),
    [
        (Skill(name="work", effect=SideEffect.IRREVERSIBLE), {}, "it cannot be undone"),
        (HARMLESS, {"effect": SideEffect.IRREVERSIBLE}, "it cannot be undone"),
        (HARMLESS, {"risk": "high"}, "its risk is high"),
        (HARMLESS, {"approval": "ask"}, "it is declared to need approval"),
        (replace(HARMLESS, approval="ask"), {}, "it is declared to need approval"),
    ],
)
def test_a_person_is_asked_before_what_is_grave_or_said_to_need_it(
    skill: Skill, task: dict[str, Any], reason: str
) -> None:
    assert verdict(skill, **task) == ("ask", reason)


def test_nobody_is_asked_before_what_does_no_harm() -> None:
    assert verdict(HARMLESS) == ("allow", "no rule speaks against it")


def test_nobody_is_asked_again_before_something_is_taken_back() -> None:
    takes_back = Skill(name="unbook", effect=SideEffect.IDEMPOTENT, inputs=ANYTHING, approval="ask")
    card = booker()
    card = replace(card, skills=(card.skills[0], takes_back))
    run = Story(Catalogue(agents=(card,)), Task(id="t", skill="book"))
    run.do("t")
    run.say(Cancel(actor="person:ann", undo=True))
    (undoing,) = run.state.undoing
    assert said_of(run, undoing).decision == "allow"
    of = Piece(work="run", task=undoing, number=1)
    call = Call(key="k", role="tool", what="unbook", effect=SideEffect.IRREVERSIBLE)
    assert approval(run.state, call_judgement(run.state, of, call)) is None


@pytest.mark.parametrize(
    ("call", "skill", "reason"),
    [
        (Call(key="k", role="tool", what="send", effect=SideEffect.IRREVERSIBLE), HARMLESS, "it cannot be undone"),
        (Call(key="k", role="tool", what="send", approval="ask"), HARMLESS, "it is declared to need approval"),
        (Call(key="k", role="tool", what="send"), replace(HARMLESS, approval="ask"), "it is declared to need approval"),
        (Call(key="k", role="tool", what="send"), HARMLESS, None),
        (Call(key="k", role="worker", what="send"), replace(HARMLESS, approval="ask"), None),
    ],
)
def test_a_person_is_asked_before_a_call_as_it_or_the_skill_that_it_names_says(
    call: Call, skill: Skill, reason: str | None
) -> None:
    sender = AgentCard(name="sender", skills=(replace(skill, name="send"),))
    run = Story(Catalogue(agents=(agent(), sender)), Task(id="t", skill="work"))
    found = approval(run.state, call_judgement(run.state, Piece(work="run", task="t", number=1), call))
    assert (found.reason if found is not None else None) == reason


def test_the_first_rule_to_speak_decides() -> None:
    def never(state: RunState, effect: object) -> Verdict:
        return Verdict(decision="deny", rule="never")

    run = Story(Catalogue(agents=(agent(),), rules=Rules()), Task(id="t", skill="work", risk="high"))
    (effect,) = judgements(run.state)
    assert judge(run.state, effect, (approval, never)).decision == "ask"
    assert judge(run.state, effect, (never, approval)).decision == "deny"
