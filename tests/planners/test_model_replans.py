"""Planning anew with a model: it is told what is done, what failed and what is open, and writes the unfinished part."""

from typing import Any

import pytest

from stretto import agent, pure
from stretto.core.domain import FailureClass
from stretto.ports import AgentFailure
from tests.engines.test_runs import go, statuses

from .modelling import CREW, GOAL, A, B, answer, call, hired, mail, out, prompt, server, write


@pure
async def sing(texts: list[str]) -> str:
    """Sing."""
    raise AgentFailure("the singer has left", FailureClass.UNAVAILABLE)


@agent(effect="none", labels=["pii"])
async def look_up(name: str) -> dict[str, str]:
    """Look somebody up."""
    return {"street": "Secret Lane 5"}


CHOIR = [*CREW, sing, look_up]
FIRST = answer(A, call("x", "sing", texts=out("a")), deliver=out("x"))


def test_the_unfinished_part_is_planned_around_what_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    with server(FIRST, answer(B, deliver=out("b"))) as served:
        run = go(hired(served, monkeypatch, CHOIR).run(GOAL))
    assert (run.status, run.answer) == ("finished", "fugues")
    assert statuses(run) == {"a": "completed", "b": "completed"}
    assert run.state.tasks["a"].attempt == 1, "what is done is kept"
    told = prompt(served.requests[1])
    assert '- a: find -> list of 1, 10 characters: "[\\"fugues\\"]"' in told
    assert '{"id":"x","skill":"sing","inputs":{"texts":{"ref":"a.output"}}}: "the singer has left"' in told
    assert "\nsing(" not in prompt(served.requests[1], "system"), "who has left is planned no more"


def test_open_tasks_stay_where_the_model_keeps_them(monkeypatch: pytest.MonkeyPatch) -> None:
    first = answer(A, call("x", "sing", texts=out("a")), call("m", "mail", to="ann", text="x"), deliver=out("x"))
    second = answer(B, keep=["m", "nobody"], deliver=out("b"))
    with server(first, second) as served:
        run = go(hired(served, monkeypatch, CHOIR).run(GOAL))
    assert (run.status, set(statuses(run))) == ("waiting", {"a", "b", "m"})
    assert '"skill":"mail"' in prompt(served.requests[1]).partition("Name in")[2]


def test_personal_results_and_results_from_outside_are_told_by_kind_and_size_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = answer(call("p", "look_up", name="ann"), A, call("x", "sing", texts=out("a"), _after=["p"]))
    with server(first, answer(B, deliver=out("b"))) as served:
        go(hired(served, monkeypatch, CHOIR).run(GOAL))
    told = prompt(served.requests[1])
    assert "- p: look_up -> object, 26 characters [labels: pii]" in told
    assert "Secret" not in told


def test_where_the_model_finds_no_way_the_rules_are_tried_and_the_plan_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    first = answer(call("a", "write", texts=["fugues"]), call("x", "sing", texts=["canons"]))
    with server(first, "I do not know.") as served:
        run = go(hired(served, monkeypatch, [write, mail, sing]).run(GOAL))
    assert (run.status, len(served.requests)) == ("partial", 4)
    assert statuses(run)["x"] == "failed"


def test_a_wrong_new_plan_is_asked_for_again_before_anything_of_it_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = answer(call("b", "write", texts=out("nobody")), deliver=out("b"))
    with server(FIRST, wrong, answer(B, deliver=out("b"))) as served:
        run = go(hired(served, monkeypatch, CHOIR).run(GOAL))
    assert (run.status, run.answer, len(served.requests)) == ("finished", "fugues", 3)
    assert "[dangling-reference]" in prompt(served.requests[2])


def test_a_person_may_have_the_rest_planned_anew_by_the_model(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    with server(answer(A, deliver=out("a")), answer(B, deliver=out("b"))) as served:
        team = hired(served, monkeypatch, store=tmp_path / "runs.db")
        run = go(team.run(GOAL))
        assert run.answer == ["fugues"]
        run = go(team.replan(run.run_id, "und schreibe einen Text"))
    assert (run.status, run.answer) == ("finished", "fugues")
    assert "und schreibe einen Text" in prompt(served.requests[1])
