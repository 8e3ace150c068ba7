"""Playbooks: read with the place of every defect, met by goals, filled from what is at hand, and one in another."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stretto import Orchestrator, pure
from stretto.bootstrap import open_workspace
from stretto.core.domain import Catalogue, InputSpec, Json, Plan, Playbook, Task
from stretto.core.errors import BadWorkspace
from stretto.core.plan.inclusion import CannotInclude, included
from stretto.planners import playbook
from stretto.planners.proposal import Proposal
from stretto.playbooks import read_playbooks


def write(folder: Path, **books: str) -> Path:
    (folder / "playbooks").mkdir(exist_ok=True)
    for name, text in books.items():
        (folder / "playbooks" / f"{name}.yaml").write_text(text, encoding="utf-8")
    return folder


TASK = "tasks:\n  a: {skill: s}\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("intents: [go\n", r"x.yaml:2:1: "),
        ("intents: 3\n" + TASK, r"x.yaml:1:1 .*`intents` is a list of phrases"),
        ("intents: [go, '']\n" + TASK, r"x.yaml:1:1 .*`intents` is a list of phrases"),
        ("intents:\n  - go\n  - go {there}\n" + TASK, r"x.yaml:3:5 .*no input is called 'there'"),
        ("intents: ['{x}']\ninputs: [x]\n" + TASK, r"x.yaml:1:11 .*no word of its own"),
        ("intents: ['go {x} {y}']\ninputs: [x, y]\n" + TASK, r"x.yaml:1:11 .*side by side"),
        ("intents: ['go {x} or {x}']\ninputs: [x]\n" + TASK, r"x.yaml:1:11 .*appears twice"),
        ("intents: ['go {x']\ninputs: [x]\n" + TASK, r"x.yaml:1:11 .*a brace has no partner"),
        ("intent: [go]\n" + TASK, r"x.yaml:1:1 .*'intent'"),
        ("tasks:\n  a: {skil: s}\n", r"x.yaml:2:7 .*'skil'"),
        ("tasks:\n  a: {include: nothing}\n", r"x.yaml:2:7 .*there is no playbook 'nothing'"),
        ("tasks:\n  a: {include: x}\n", r"x.yaml:2:7 .*x → x include each other"),
        ("tasks:\n  a: {include: y, for_each: [1]}\n", r"x.yaml:2:19 .*an inclusion has no field 'for_each'"),
        ("tasks:\n  a: {include: y, with: {z: 1}}\n", r"x.yaml:2:26 .*'y' has no input 'z'"),
        ("tasks:\n  a: {include: y, when: 3}\n", r"x.yaml:2:19 .*`when` is a condition"),
        ("tasks:\n  a: {include: y, after: 3}\n", r"x.yaml:2:19 .*`after` is a list"),
        ("tasks:\n  a: {include: y}\n  a_b: {skill: s}\n", r"x.yaml:2:3 .*the id 'a_b' of an included task is taken"),
        ("tasks:\n  - {skill: s}\n  - {id: a, include: y}\n", r"x.yaml:2:5 .*needs an id"),
    ],
)
def test_every_defect_of_a_playbook_is_told_with_its_place(tmp_path: Path, text: str, told: str) -> None:
    write(tmp_path, x=text, y="tasks:\n  b: {skill: s}\n")
    with pytest.raises(BadWorkspace, match=told):
        read_playbooks(tmp_path)


def test_the_defects_of_all_playbooks_are_told_at_once(tmp_path: Path) -> None:
    write(tmp_path, x="intents: 3\n" + TASK, y="tasks: 3\n")
    with pytest.raises(BadWorkspace) as error:
        read_playbooks(tmp_path)
    assert re.findall(r"[xy]\.yaml", str(error.value)) == ["x.yaml", "y.yaml"]


def book(name: str, *intents: str, **inputs: InputSpec) -> Playbook:
    plan = Plan(tasks=(Task(id="a", skill="s"),), inputs=inputs, name=name)
    return Playbook(name=name, intents=intents, plan=plan)


VALUE = InputSpec()
BOOKS = (
    book("onboard", "onboard {customer}", "take in the new customer {customer}", customer=VALUE),
    book("move", "move {item} to {place}", item=VALUE, place=VALUE),
    book("review", "{contract} must be reviewed", contract=VALUE),
    book("week", "summarise the weekly numbers"),
    book("greet", "grüße {wen} herzlich", wen=VALUE),
)


def met(goal: str, *books: Playbook, answers: list[tuple[str, str]] | None = None, **inputs: Json) -> Proposal | None:
    return playbook.propose(goal, inputs, Catalogue(agents=(), playbooks=books or BOOKS), answers or [])


@pytest.mark.parametrize(
    ("goal", "name", "inputs"),
    [
        ("onboard Acme", "onboard", {"customer": "Acme"}),
        ("Please onboard Acme Oy.", "onboard", {"customer": "Acme Oy"}),
        ('Onboard "Acme, Ltd"', "onboard", {"customer": "Acme, Ltd"}),
        ("take in our new customer Müller & Söhne", "onboard", {"customer": "Müller & Söhne"}),
        ("Move x.csv to the archive", "move", {"item": "x.csv", "place": "archive"}),
        ("Contract 7 must be reviewed", "review", {"contract": "Contract 7"}),
        ("Condense the weekly figures", "week", {}),
        ("The weekly numbers: summarise", "week", {}),
        ("Grüße Anna herzlich!", "greet", {"wen": "Anna"}),
    ],
)
def test_a_goal_meets_an_intent_by_its_words(goal: str, name: str, inputs: dict[str, Json]) -> None:
    found = met(goal)
    assert found is not None
    assert found.plan is not None
    assert (found.plan.name, found.inputs) == (name, inputs)


@pytest.mark.parametrize(
    "goal",
    ["do not onboard Acme", "Never onboard Acme", "offboard Acme", "the move to Oslo is over", "summarise weekly", ""],
)
def test_a_goal_that_is_about_something_else_meets_no_playbook(goal: str) -> None:
    assert met(goal) is None


@pytest.mark.parametrize(
    ("goal", "why"),
    [
        ("Onboard Acme and send flowers", "asks for more: send flowers"),
        ("Onboard Acme but do not send the letter", "forbids something: do not send the letter"),
    ],
)
def test_a_goal_that_asks_for_more_or_less_than_a_playbook_is_refused(goal: str, why: str) -> None:
    found = met(goal)
    assert found is not None
    assert found.refusal is not None
    assert why in found.refusal.reason


def test_what_an_intent_leaves_open_is_asked_for() -> None:
    asked = met("onboard")
    assert asked is not None
    assert asked.question is not None
    found = met("onboard", answers=[(asked.question.text, "Acme")])
    assert found is not None
    assert found.inputs == {"customer": "Acme"}


def test_playbooks_that_fit_alike_are_asked_about() -> None:
    books = (book("one", "close the books"), book("two", "close the books"))
    asked = met("Close the books", *books)
    assert asked is not None
    assert asked.question is not None
    assert asked.question.choices == ("one", "two")
    for answer in ("two", "2"):
        found = met("Close the books", *books, answers=[(asked.question.text, answer)])
        assert found is not None
        assert found.plan is not None
        assert found.plan.name == "two"
    for answer in ("three", "0", "3", "²"):
        wrong = met("Close the books", *books, answers=[(asked.question.text, answer)])
        assert wrong is not None
        assert f"{answer!r} is none of one, two" in str(wrong.refusal)


FILES: list[Json] = ["/a/x.csv", "/b/x.csv", "/b/y.csv"]


@pytest.mark.parametrize(
    ("goal", "spec", "inputs", "outcome"),
    [
        ("load y.csv", InputSpec(kind="file"), {"files": FILES}, "/b/y.csv"),
        ("load x.csv", InputSpec(kind="file"), {"files": FILES}, "Which file is meant by 'x.csv'?"),
        ("load x.csv", InputSpec(kind="files"), {"files": FILES}, ["/a/x.csv", "/b/x.csv"]),
        ("load z.csv", InputSpec(kind="file"), {"files": FILES}, "there is no such file"),
        ("load", InputSpec(kind="file"), {"files": FILES[:1]}, "/a/x.csv"),
        ("load", InputSpec(kind="file"), {"files": FILES}, "which file is it?"),
        ("load", InputSpec(kind="file"), {}, "needs the input 'what' (file)"),
        ("load", InputSpec(kind="files"), {"what": "/a/x.csv"}, ["/a/x.csv"]),
        ("load", InputSpec(kind="file"), {"what": "nowhere"}, "is to be a file, not 'nowhere'"),
        ("load", InputSpec(default="d", required=False), {}, "d"),
        ("load", InputSpec(required=False), {}, None),
    ],
)
def test_inputs_come_from_words_files_and_defaults(
    goal: str, spec: InputSpec, inputs: dict[str, Json], outcome: Json
) -> None:
    found = met(goal, book("load", "load {what}", what=spec), **inputs)
    assert found is not None
    if found.plan is not None:
        assert found.inputs["what"] == outcome
    else:
        assert str(outcome) in (found.question.text if found.question else str(found.refusal))


INNER: dict[str, Any] = {
    "inputs": {"x": {}, "most": {"default": 2}},
    "tasks": {
        "one": {"skill": "s", "inputs": {"v": {"ref": "inputs.x.part"}}},
        "two-b": {
            "skill": "s",
            "inputs": {"v": {"ref": "one.output"}},
            "after": ["one"],
            "when": "inputs.x.n < inputs.most && ['inputs.x'].exists(one, one != 'one.output')",
        },
    },
    "deliver": {"first": {"ref": "one.output"}, "all": [{"ref": "one.output"}, {"ref": "two-b.output"}]},
}


def inlined(document: dict[str, Any], **books: dict[str, Any]) -> Any:
    return included(document, books.get, ("main",))


def test_references_lead_into_and_out_of_an_inclusion() -> None:
    found = inlined(
        {
            "tasks": {
                "p": {"skill": "s"},
                "in": {"include": "b", "with": {"x": {"part": {"ref": "p.output.k"}, "n": 1}}, "after": ["p"]},
                "q": {
                    "skill": "s",
                    "after": ["in"],
                    "when": "in_ok == 1 || tasks.in.output.first == 'in.output'",
                    "inputs": {"a": {"ref": "in.output.first.z"}, "b": {"ref": "tasks.in.output.all[1]"}},
                },
            },
            "deliver": {"ref": "in.output.all[0]"},
        },
        b=INNER,
    )
    assert list(found["tasks"]) == ["p", "in_one", "in_two-b", "q"]
    assert found["tasks"]["in_one"]["inputs"] == {"v": {"ref": "p.output.k"}}
    assert found["tasks"]["in_two-b"]["after"] == ["in_one", "p"]
    assert found["tasks"]["in_two-b"]["when"] == ("1 < 2 && ['inputs.x'].exists(one, one != 'one.output')")
    assert found["tasks"]["q"] == {
        "skill": "s",
        "after": ["in_one", "in_two-b"],
        "when": "in_ok == 1 || tasks[\"in_one\"].output == 'in.output'",
        "inputs": {"a": {"ref": "in_one.output.z"}, "b": {"ref": "in_two-b.output"}},
    }
    assert found["deliver"] == {"ref": "in_one.output"}


def test_the_variable_of_a_loop_hides_no_task() -> None:
    inner = {"inputs": ["w"], "tasks": {"a": {"skill": "s", "when": "[1].exists(p, p == inputs.w)"}}}
    found = inlined(
        {"tasks": {"p": {"skill": "s"}, "c": {"include": "b", "with": {"w": {"ref": "p.output"}}}}}, b=inner
    )
    assert found["tasks"]["c_a"]["when"] == '[1].exists(p, p == tasks["p"].output)'


PASS = {"inputs": ["x"], "tasks": {"a": {"skill": "s"}}, "deliver": {"ref": "inputs.x"}}


def test_an_inclusion_may_pass_on_what_another_delivers_but_not_in_a_circle() -> None:
    chain = {"c": {"include": "b", "with": {"x": {"ref": "d.output"}}}, "d": {"include": "b", "with": {"x": 5}}}
    assert inlined({"tasks": chain, "deliver": {"ref": "c.output"}}, b=PASS)["deliver"] == 5
    circle = {"c": {"include": "b", "with": {"x": {"ref": "c.output"}}}}
    with pytest.raises(CannotInclude, match="in a circle"):
        inlined({"tasks": circle, "deliver": {"ref": "c.output"}}, b=PASS)


def test_a_part_that_an_inclusion_does_not_deliver_is_told() -> None:
    plan = {"tasks": {"c": {"include": "b", "with": {"x": {"k": 1}}}}, "deliver": {"ref": "c.output.z"}}
    with pytest.raises(CannotInclude, match=r"what 'c' delivers has no part '.z'"):
        inlined(plan, b=PASS)
    plan["deliver"] = {"ref": "c.output.z", "default": 7}
    assert inlined(plan, b=PASS)["deliver"] == {"literal": 7}


def test_inclusions_are_at_most_eight_deep_and_in_no_circle() -> None:
    def nested(depth: int) -> Any:
        books: dict[str, Any] = {f"b{n}": {"tasks": {"t": {"include": f"b{n + 1}"}}} for n in range(depth)}
        books[f"b{depth}"] = {"tasks": {"t": {"skill": "s"}}}
        return included(books["b0"], books.get, ("b0",))

    assert list(nested(7)["tasks"]) == ["_".join(["t"] * 8)]
    with pytest.raises(CannotInclude, match="more than 8 deep"):
        nested(8)
    two = {"a": {"tasks": {"t": {"include": "b"}}}, "b": {"tasks": {"t": {"include": "a"}}}}
    with pytest.raises(CannotInclude, match="a → b → a include each other"):
        included(two["a"], two.get, ("a",))


@pure
def glue(parts: list[str]) -> str:
    return "".join(parts)


names = st.sampled_from(["x", "y", "a-b", "in_"])
words = st.text(alphabet="ab'\"\\\\😀 .", max_size=4)


@settings(max_examples=25)
@given(words, words, names, st.booleans(), st.booleans())
def test_an_inlined_plan_gives_what_the_flat_plan_gives(
    first: str, second: str, id_: str, through: bool, runs: bool
) -> None:
    inner = {
        "inputs": {"word": {}, "gate": {}},
        "tasks": {
            "one": {"skill": "glue", "inputs": {"parts": [{"ref": "inputs.word"}, "1"]}},
            "two": {
                "skill": "glue",
                "when": "inputs.gate == inputs.word",
                "inputs": {"parts": [{"ref": "one.output"}, "2"]},
            },
        },
        "deliver": {"head": {"ref": "one.output"}, "tail": {"ref": "two.output", "default": "-"}},
    }
    word: Json = {"ref": "p.output"} if through else first
    gate: Json = first if runs else f"{first}no"
    p = {"skill": "glue", "inputs": {"parts": [first]}}
    last = {
        "skill": "glue",
        "inputs": {"parts": [{"ref": f"{id_}.output.head"}, {"ref": f"{id_}.output.tail"}, second]},
    }
    nested = {
        "tasks": {"p": p, id_: {"include": "b", "with": {"word": word, "gate": gate}}, "last": last},
        "deliver": {"ref": "last.output"},
    }
    one = f"{id_}_one"
    flat = {
        "tasks": {
            "p": p,
            one: {"skill": "glue", "inputs": {"parts": [word, "1"]}},
            "two": {"skill": "glue", "after": ["p"], "inputs": {"parts": [{"ref": f"{one}.output"}, "2"]}},
            "last": {
                "skill": "glue",
                "inputs": {"parts": [{"ref": f"{one}.output"}, {"ref": "two.output"} if runs else "-", second]},
            },
        },
        "deliver": {"ref": "last.output"},
    }
    team = Orchestrator([glue])
    by_hand = asyncio.run(team.run("by hand", plan=flat))
    by_inclusion = asyncio.run(team.run("by inclusion", plan=inlined(nested, b=inner)))
    assert (
        (by_inclusion.status, by_inclusion.answer) == (by_hand.status, by_hand.answer) == ("finished", by_hand.answer)
    )


async def test_conditions_fan_out_and_inclusion_run_in_a_workspace(tmp_path: Path) -> None:
    (tmp_path / "desk.py").write_text(
        "from stretto import pure\n\n@pure\ndef look_up(name: str) -> list[str]:\n    return list(name)\n\n"
        "@pure\ndef shout(word: str) -> str:\n    return word.upper()\n\n"
        "@pure\ndef glue(words: list[str]) -> str:\n    return '-'.join(words)\n"
    )
    (tmp_path / "workspace.yaml").write_text("name: desk\nagents: [desk.py]\n")
    loud = {
        "inputs": {"words": {}, "loud": {"default": True}},
        "tasks": {
            "each": {
                "skill": "desk.shout",
                "for_each": {"ref": "inputs.words"},
                "inputs": {"word": {"ref": "item"}},
                "when": "inputs.loud && size(inputs.words) > 1",
            },
        },
        "deliver": {"ref": "each.output", "default": ["quiet"]},
    }
    take_in = {
        "intents": ["take in {customer}"],
        "inputs": {"customer": {}},
        "tasks": {
            "look": {"skill": "desk.look_up", "inputs": {"name": {"ref": "inputs.customer"}}},
            "loud": {"include": "loud", "with": {"words": {"ref": "look.output"}}},
            "glue": {"skill": "desk.glue", "inputs": {"words": {"ref": "loud.output"}}},
        },
        "deliver": {"ref": "glue.output"},
    }
    write(tmp_path, loud=json.dumps(loud), take_in=json.dumps(take_in))
    team = open_workspace(tmp_path, store=tmp_path / "runs.db")
    for customer, answer in (("abc", "A-B-C"), ("a", "quiet")):
        run = await team.run(f"Please take in {customer}")
        assert (run.status, run.answer) == ("finished", answer)
        assert run.state.interpretation is not None
        assert run.state.interpretation.planner == "playbook"


def test_an_included_task_is_taken_back_with_its_own_output_and_what_the_inclusion_was_given() -> None:
    books: dict[str, Json] = {
        "trip": {
            "inputs": ["town"],
            "tasks": {
                "book": {
                    "skill": "book",
                    "inputs": {"town": {"ref": "inputs.town"}},
                    "undo": {
                        "skill": "cancel",
                        "inputs": {"number": {"ref": "book.output.number"}, "town": {"ref": "inputs.town"}},
                    },
                }
            },
            "deliver": {"ref": "book.output"},
        }
    }
    main: dict[str, Json] = {
        "tasks": {
            "t": {"include": "trip", "with": {"town": {"ref": "where.output"}}},
            "where": {"skill": "find"},
            "sign": {
                "skill": "sign",
                "after": "t",
                "undo": {"skill": "cancel", "inputs": {"of": {"ref": "t.output.number"}}},
            },
        }
    }
    tasks = included(main, books.get, ("main",))["tasks"]
    assert tasks["t_book"]["undo"]["inputs"] == {
        "number": {"ref": "t_book.output.number"},
        "town": {"ref": "where.output"},
    }
    assert tasks["sign"]["undo"]["inputs"] == {"of": {"ref": "t_book.output.number"}}
