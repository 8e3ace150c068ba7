"""Scripts of the scripted model: from files and from Python they are the same, and their defects are told in place."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stretto.testing.models import (
    FAULTS,
    Answer,
    BadScript,
    Chance,
    ModelServer,
    Pace,
    RateLimited,
    Rule,
    Script,
    ServerError,
    Stall,
    ToolUse,
    Usage,
    When,
    parse_script,
    read_script,
)

WHOLE = """
models: [planner, worker]
window: 8000
pace: {first: 0.6, rate: 60}
default: I have nothing to say.
random: {rate: 0.2, seed: 7, faults: [rate_limited, {kind: server_error, status: 503}]}
rules:
  - name: plan
    when: {system: "You plan", user: "Compare (?P<a>\\\\w+) and (\\\\w+)", schema: true, nth: [1, 2]}
    say: {json: {tasks: []}}
    pace: {first: 0.2, turn: 1}
    usage: {input: 1200, cached: 1000}
  - when: look
    say:
      - {text: Let me see., calls: [{name: look_up, arguments: {id: 7}}, {name: stop}]}
      - {template: "It is {1}"}
    faults: [{kind: stall, after: 3, seconds: 2, times: 2}, {kind: rate_limited, retry_after: 30, date: true}]
  - {when: {tool: [a, b], turn: 0, results: 0, stream: false}, faults: {kind: server_error, times: always}}
  - {say: "no braces { are special } here", usage: off}
"""


def test_a_file_says_all_that_python_can_say_but_functions() -> None:
    text = WHOLE.replace("when: look", 'when: "look (.+)"')
    assert parse_script(text, "here") == Script(
        name="here",
        models=("planner", "worker"),
        window=8000,
        pace=Pace(first=0.6, rate=60),
        default="I have nothing to say.",
        random=Chance(rate=0.2, seed=7, faults=(RateLimited(), ServerError(status=503))),
        rules=(
            Rule(
                name="plan",
                when=When(system="You plan", user=r"Compare (?P<a>\w+) and (\w+)", schema=True, nth=(1, 2)),
                say=Answer(json={"tasks": []}),
                pace=Pace(first=0.2, turn=1),
                usage=Usage(input=1200, cached=1000),
            ),
            Rule(
                when=When(user="look (.+)"),
                say=(
                    Answer(
                        text="Let me see.", calls=(ToolUse(name="look_up", arguments={"id": 7}), ToolUse(name="stop"))
                    ),
                    Answer(template="It is {1}"),
                ),
                faults=(Stall(after=3, seconds=2, times=2), RateLimited(retry_after=30, date=True)),
            ),
            Rule(when=When(tool=("a", "b"), turn=0, results=0, stream=False), faults=(ServerError(times="always"),)),
            Rule(say="no braces { are special } here", usage=Usage(report=False)),
        ),
    )


def test_a_list_of_rules_is_a_script(tmp_path: Path) -> None:
    file = tmp_path / "script.json"
    file.write_text('[{"when": "a", "say": "b"}]', encoding="utf-8")
    assert read_script(file).rules == (Rule(when=When(user="a"), say="b"),)
    assert ModelServer(str(file)).script.name == str(file)


@pytest.mark.parametrize("kind", FAULTS)
def test_every_fault_has_a_name_in_files(kind: str) -> None:
    (rule,) = parse_script(f"rules: [{{faults: {kind}}}]").rules
    assert rule.faults == (FAULTS[kind](),)


@pytest.mark.parametrize(
    ("text", "place", "told", "mend"),
    [
        ("rules: [", "s.yaml:1", "not YAML", ""),
        ("", "s.yaml", "mapping", "Write `rules:`"),
        ("hello", "s.yaml:1:1", "mapping", "Write `rules:`"),
        ("{}", "s.yaml:1:1", "no rule and no default", "Write `rules:`"),
        ("rules: 3", "s.yaml:1:1 (rules)", "a list, not 3", "- "),
        ("rules:\n  - sya: x", "s.yaml:2:5 (rules[0].sya)", "no field 'sya'", "when, say, faults, pace, usage, name"),
        ("rules:\n  - when: {usr: x}\n    say: y", "s.yaml:2:12", "no field 'usr'", "user, system"),
        ("rules:\n  - when: x", "s.yaml:2:5 (rules[0])", "neither says anything nor fails", "Write a text"),
        ("rules:\n  - say: 3", "s.yaml:2:5 (rules[0].say)", "not 3", "Write a text"),
        ("rules:\n  - say: []", "s.yaml:2:5 (rules[0].say)", "empty", "Write a text"),
        ("rules:\n  - say: {}", "s.yaml:2:5 (rules[0].say)", "nothing at all", "Write a text"),
        ("rules:\n  - say: {text: a, json: 1}", "s.yaml:2:5", "`text` and `json` in one answer", "Keep one"),
        ("rules:\n  - say: {calls: [{arguments: {}}]}", "(rules[0].say.calls[0])", "`name` is missing", "look_up"),
        ("rules:\n  - say: {calls: [{name: a, arguments: 3}]}", ".arguments)", "expected", ""),
        ('rules:\n  - when: "a("\n    say: b', "(rules[0].when.user)", "broken at character 2", "Mend the pattern"),
        ('rules:\n  - when: "a"\n    say: {template: "{b}"}', "say.template)", "no group 'b'", "Known: 0;"),
        ('rules:\n  - when: "a"\n    say: {template: ["x", "{"]}', "template[1])", "no partner", "twice"),
        ('rules:\n  - when: "(a)"\n    say: {template: "{1.real}"}', "template)", "no group '1.real'", "0, 1"),
        ('rules:\n  - when: "(a)"\n    say: {template: "{1!r}"}', "template)", "no group '1'", "0, 1"),
        ('rules:\n  - when: {system: "(a)", user: "b"}\n    say: {template: "{1}"}', "template)", "no group '1'", ""),
        ("rules:\n  - when: {nth: 0}\n    say: a", "(rules[0].when.nth)", ">= 1", "a number from 1"),
        ("rules:\n  - when: {turn: first}\n    say: a", "(rules[0].when.turn)", "expected `int", "answered before"),
        ("rules:\n  - say: {calls: [3]}", "(rules[0].say.calls[0])", "a mapping, not 3", "look_up"),
        ("rules:\n  - say: {calls: look_up}", "(rules[0].say.calls)", "a list, not 'look_up'", "- "),
        ("default: a\nrandom: often", "(random)", "a mapping, not 'often'", "rate: 0.2"),
        ("rules:\n  - faults: explode", "(rules[0].faults)", "no fault 'explode'", "rate_limited, quota_exceeded"),
        ("rules:\n  - faults: [3]", "(rules[0].faults[0])", "3 is no fault", "kind: stall"),
        ("rules:\n  - faults: {times: 3}", "(rules[0].faults)", "no `kind`", "rate_limited"),
        ("rules:\n  - faults: {kind: stall, secs: 3}", "faults.secs)", "no field 'secs'", "times, seconds, after"),
        ("rules:\n  - faults: {kind: stall, seconds: -1}", "faults.seconds)", ">= 0", "Write seconds"),
        ("rules:\n  - faults: {kind: stall, times: often}", "faults.times)", "'often'", "`always`"),
        ("rules:\n  - faults: {kind: server_error, status: 404}", "faults.status)", ">= 500", "status of HTTP"),
        ("rules:\n  - faults: [{kind: cut, times: always}, empty]", "faults[0])", "after this never comes", "number"),
        ("rules:\n  - {say: a, name: x}\n  - {say: b, name: x}", "(rules[0].name)", "two rules are called 'x'", "Re"),
        ("default: a\npace: fast", "s.yaml:2:1 (pace)", "not 'fast'", "first, rate, turn"),
        ("default: a\npace: {rate: 0}", "(pace.rate)", "> 0", "above 0"),
        ("default: a\nrandom: {seed: 1}", "s.yaml:2:1 (random)", "`rate` is missing", "rate: 0.2"),
        ("default: a\nrandom: {rate: 2}", "(random.rate)", "<= 1", "0 to 1"),
        ("default: a\nmodels: {a: 1}", "(models)", "expected", "list of names"),
        ("default: a\nname: x", "(name)", "no field 'name'", "rules, default"),
        ("default: a\nrules:\n  - {say: b, usage: many}", "(rules[0].usage)", "not 'many'", "usage: off"),
    ],
)
def test_a_defect_is_told_with_its_place_and_a_way_to_mend_it(text: str, place: str, told: str, mend: str) -> None:
    with pytest.raises(BadScript) as caught:
        parse_script(text, "s.yaml")
    said = str(caught.value)
    assert said.startswith("s.yaml")
    assert place in said
    assert told in said
    assert mend in said


def test_all_defects_are_told_at_once() -> None:
    with pytest.raises(BadScript) as caught:
        parse_script("rules:\n  - {say: 1, nmae: x}\n  - {faults: 2}\npaec: {}", "s.yaml")
    assert len(caught.value.diagnostics) == 4


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadScript, match="No such file"):
        ModelServer(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("rules", "place", "told"),
    [
        ([Rule(when="a", say="b")], "rules[0].when", "this is a When, not 'a'"),  # type: ignore[arg-type]
        ([Rule(say="b", faults=Stall())], "rules[0].faults", "a tuple of Fault"),  # type: ignore[arg-type]
        ([Rule(say="b", faults=(Stall(after=-1),))], "rules[0].faults[0].after", ">= 0"),
        ([Rule(say=3)], "rules[0].say", "3 cannot be said"),  # type: ignore[arg-type]
        ([Rule(say=Answer(json={1, 2}))], "rules[0].say.json", "no JSON"),
        ([Rule(say=Answer(json=float("nan")))], "rules[0].say.json", "no JSON"),
        ([Rule(say=Answer(text=3))], "rules[0].say.text", "expected `str"),  # type: ignore[arg-type]
        ([Rule(say=["a", Answer(calls=("b",))])], "rules[0].say[1].calls[0]", "a ToolUse"),  # type: ignore[arg-type]
        (["a"], "rules[0]", "this is a Rule, not 'a'"),
        ([], "", "no rule and no default"),
    ],
)
def test_python_is_held_to_the_same(rules: Any, place: str, told: str) -> None:
    with pytest.raises(BadScript) as caught:
        ModelServer(rules)
    assert str(caught.value).startswith(place)
    assert told in str(caught.value)


WORDS = st.sampled_from(
    [
        *("rules", "default", "pace", "random", "models", "window", "when", "say", "faults", "usage", "name", "user"),
        *("system", "turn", "tool", "nth", "text", "json", "template", "calls", "arguments", "kind", "times", "after"),
        *("seconds", "rate", "seed", "first", "status", "stall", "always", "{0}", "{", "(", "off", "a"),
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 600) | st.floats(allow_nan=False, allow_infinity=False) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=16,
)


@given(VALUES | st.fixed_dictionaries({"rules": st.lists(st.dictionaries(WORDS, VALUES, max_size=3), max_size=3)}))
def test_whatever_is_written_is_a_script_or_told_what_it_lacks(raw: Any) -> None:
    try:
        script, wrong = parse_script(json.dumps(raw), "s"), ()
    except BadScript as error:
        script, wrong = Script(default="x"), error.diagnostics
    assert all(one.where.startswith("s") and one.message for one in wrong)
    assert ModelServer(script).script == script
