"""Chains of people as processes meet them: who is asked until when, what runs out, who answers, what takes over."""

import json
from collections.abc import Callable

import pytest

from tests.cli.program import Place, eventually, on_terminal

Make = Callable[[str], Place]

WRITE = """
tasks:
  write: {skill: job.write, inputs: {file: WORLD, text: deed}}
deliver: {ref: write.output, default: nothing}
"""
SIGN = """
tasks:
  sign: {skill: legal.sign_off, inputs: {contract: lease}}
deliver: {ref: sign.output}
"""
LEGAL = """{use: person, name: legal, skills: [{name: sign_off, description: Sign the contract, who: ann,
  inputs: {contract: string}, output: {type: object, properties: {signed: {type: boolean}}, required: [signed]}}]}"""


def with_people(place: Place, ask: str, agents: str = "agents/job.py") -> Place:
    """Give the workspace people and chains."""
    (place.folder / "workspace.yaml").write_text(
        f"name: tests\ngoal: Do the job.\nagents: [{agents}]\nplan: plan.yaml\n"
        f"people: {{ann: {{mail: ann@example.org}}, bob: {{}}}}\nask: {ask}\n"
    )
    return place


def test_a_chain_that_runs_out_while_no_process_is_alive_goes_on_in_order_when_the_run_is_resumed(make: Make) -> None:
    place = with_people(make(WRITE), "{approval: [{who: ann, within: 4s, remind: 1h}, {who: bob, within: 2h}, deny]}")
    process = place.start("run", "--wait")
    eventually(lambda: place.look("show", "last").code == 0 and place.show()["status"] == "waiting")
    process.kill()
    process.wait(20)
    assert "asked is ann until " in place.look("show", "last").out
    assert "then bob, then deny" in place.look("show", "last").out
    eventually(lambda: "overdue" in place.look("requests").out)
    again = place.stretto("resume", "last")
    assert again.code == 4
    assert "write waits for bob now" in again.err
    shown = place.look("show", "last").out
    assert "asked is bob until " in shown
    assert "no answer from ann by" in shown
    assert place.show()["requests"][0]["missed"][0]["who"] == "ann"


def test_a_run_that_may_not_wait_leaves_far_ends_and_reminders_to_later(make: Make) -> None:
    place = with_people(make(WRITE), "{approval: [{who: ann, within: 2h, remind: 0.2s}, deny]}")
    ran = place.stretto("run")
    assert ran.code == 4
    assert "asked is ann until " in place.look("show", "last").out


def test_a_run_that_waits_lets_its_chain_run_out_and_says_so(make: Make) -> None:
    place = with_people(make(WRITE), "[{who: ann, within: 0.2s, remind: 0.1s}, {who: bob, within: 0.1s}, deny]")
    ended = place.stretto("run", "--wait")
    assert ended.code == 1
    for told in (
        "write still waits for ann",
        "write waits for bob now",
        "nobody answered: ann by ",
        "that is a denial",
    ):
        assert told in ended.err


def test_requests_lists_what_waits_for_whom_over_all_runs(make: Make) -> None:
    place = with_people(make(WRITE), "{approval: [{who: ann, within: 2h}, {who: bob, within: 1d}, deny]}")
    place.stretto("run")
    place.stretto("run")
    (first, second) = place.look("requests", "--json").json
    assert first["run_id"] != second["run_id"]
    assert (first["to"], first["then"], first["task"], first["goal"]) == (
        "ann",
        ["bob", "deny"],
        "write",
        "Do the job.",
    )
    assert place.show()["requests"][0]["due"] in (first["due"], second["due"])
    table = place.look("requests", "--for", "ann").out
    assert table.count(" write ") == 2
    assert "1h59 left" in table
    assert place.look("requests", "--for", "bob").out == "nothing waits for bob\n"
    place.stretto("cancel", first["run_id"])
    assert len(place.look("requests", "--json").json) == 1


def test_who_answers_is_recorded_and_a_chain_for_those_in_charge_refuses_others(make: Make) -> None:
    place = with_people(make(WRITE), "{approval: [{who: ann, within: 2h}, {only: true}]}")
    place.stretto("run")
    refused = place.look("approve", "last")
    assert (refused.code, refused.err) == (2, "stretto: only ann may answer this now; say who you are with --as\n")
    assert place.look("approve", "last", "--as", "ann").code == 0
    ended = place.stretto("resume", "last", "--json")
    assert (ended.code, ended.json["answer"]) == (0, "deed")


def test_a_person_takes_a_task_over_and_the_result_is_theirs(make: Make) -> None:
    place = make(WRITE)
    place.stretto("run")
    assert place.look("answer", "last", "write", "--done", "by hand", "--as", "ann").code == 0
    ended = place.stretto("resume", "last", "--json")
    assert (ended.code, ended.json["answer"]) == (0, "by hand")
    assert ended.json["tasks"][0]["taken_by"].startswith("ann (typed by ")
    assert not place.world.exists(), "no agent has done anything"


def test_a_task_is_taken_over_inline(make: Make) -> None:
    place = make(WRITE)
    with on_terminal("run", cwd=place.folder) as terminal:
        terminal.until("[t]ake over, [l]ater: ")
        terminal.type("t\n")
        terminal.until("the result: ")
        terminal.type("by hand\n")
        assert terminal.end() == 0
    assert place.show()["answer"] == "by hand"


def test_a_skill_that_a_person_does_asks_until_the_answer_is_what_it_must_be(make: Make) -> None:
    place = with_people(make(SIGN), "{}", f"agents/job.py, {LEGAL}")
    ran = place.stretto("run")
    assert ran.code == 4
    assert "waits for ann: sign: Sign the contract" in ran.out
    assert '"contract": "lease"' in place.look("show", "last").out
    assert "the result is a JSON object, not 'yes'" in place.look("answer", "last", "yes").err
    place.look("answer", "last", '{"signed": 1}')
    again = place.stretto("resume", "last")
    assert again.code == 4
    assert "Sign the contract (sent back: signed: 1 is not of type 'boolean')" in again.out
    place.look("answer", "last", '{"signed": true}')
    ended = place.stretto("resume", "last", "--json")
    assert (ended.code, ended.json["answer"]) == (0, {"signed": True})


def test_a_person_who_denies_refuses_the_task(make: Make) -> None:
    place = with_people(make(SIGN), "{}", f"agents/job.py, {LEGAL}")
    place.stretto("run")
    place.look("deny", "last", "--reason", "not mine")
    ended = place.stretto("resume", "last", "--json")
    assert ended.code == 1
    assert ended.json["tasks"][0]["failure"] == "refused"


@pytest.mark.parametrize(
    ("ask", "column", "says"),
    [
        ("[{who: carl, within: 2h}]", 1, "'carl' is not among the people: ann, bob"),
        (
            "[{who: ann}, deny]",
            1,
            "'ann' is asked without an end, so 'deny' never comes; say until when, like within: 2h",
        ),
        ("[{who: ann}, {who: bob}]", 1, "'ann' is asked without an end, so 'bob' never comes"),
        ("[deny]", 1, "a chain begins with who is asked"),
        ("{approval: [{who: ann, within: 2h}, skip]}", 7, "nobody answering cannot come to 'skip' here"),
        ("{aproval: [ann]}", 7, "there is no kind of request 'aproval'"),
        ("[{who: ann, within: soon}]", 18, "'soon' is no length of time"),
        ("[{who: ann, within: 0}]", 18, "a length of time is more than 0 seconds"),
        ("[{hwo: ann}]", 8, "a step has no field 'hwo'"),
        ("[7]", 7, "a chain names people"),
        ("{steps: [ann], ohterwise: deny}", 21, "a chain has no field 'ohterwise'"),
    ],
)
def test_a_chain_that_cannot_be_is_told_with_its_place(ask: str, column: int, says: str, make: Make) -> None:
    place = with_people(make(WRITE), ask)
    refused = place.look("run")
    assert refused.code == 2
    assert says in refused.err
    assert f"workspace.yaml:6:{column}: " in refused.err


@pytest.mark.parametrize(
    ("agent", "says"),
    [
        ("{use: person}", "a person needs a name"),
        ("{use: person, name: legal}", "legal needs skills"),
        ("{use: person, name: legal, skills: [sign]}", "a skill of legal is a mapping with a `name`"),
        ("{use: person, name: legal, skills: [{name: sign, how: by hand}]}", "has no field 'how'"),
        ("{use: person, name: legal, skills: [{name: sign, output: {type: nothing}}]}", "output is no JSON Schema"),
        ("{use: person, name: legal, skills: [{name: sign, who: ann, ask: [ann]}]}", "say `who` or `ask`, not both"),
        (
            "{use: person, name: legal, skills: [{name: sign, who: zoe}]}",
            "would ask 'zoe', who is not among the people",
        ),
        ("{use: person, name: legal, colour: red, skills: [{name: sign}]}", "person has no option 'colour'"),
    ],
)
def test_a_person_that_cannot_be_an_agent_is_told(agent: str, says: str, make: Make) -> None:
    place = with_people(make(WRITE), "{}", f"agents/job.py, {agent}")
    refused = place.look("run")
    assert refused.code == 2
    assert says in refused.err


def test_the_view_says_who_has_how_long_and_what_comes_then(make: Make) -> None:
    place = with_people(make(WRITE), "{approval: [{who: ann, within: 2h}, {who: bob, within: 1d}, deny]}")
    with on_terminal("run", cwd=place.folder, COLUMNS="200") as terminal:
        terminal.until("[l]ater: ")
        terminal.type("l\n")
        terminal.until("(for ann, 1h59 left")
    assert json.loads(place.look("requests", "--json").out)[0]["to"] == "ann"
