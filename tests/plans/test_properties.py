"""Laws of the checker over generated plans, and of reading and writing them."""

import asyncio
import json
import re
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from stretto.core.domain import ForEach, InputSpec, Limits, Plan, SideEffect, Task
from stretto.core.plan.graph import graph_of
from stretto.core.plan.shape import read_plan
from stretto.core.plan.text import NotPlain, read_plain
from stretto.core.plan.writing import write_plan
from stretto.documents import parse_document
from tests.plans.team import TEAM

EXAMPLES = settings(max_examples=80)


def ref(number: int) -> dict[str, str]:
    return {"ref": f"t{number}.output"}


@st.composite
def sound(draw: st.DrawFn, least: int = 1) -> dict[str, Any]:
    """A plan without a defect, in the order of its tasks; each waits in some way for some of those before."""
    count = draw(st.integers(least, 8))
    tasks: dict[str, Any] = {}
    for number in range(count):
        body: dict[str, Any] = {"skill": "anything", "inputs": {"n": number}}
        for earlier in draw(st.sets(st.integers(0, number - 1), max_size=3)) if number else ():
            match draw(st.sampled_from(["input", "default", "after", "when", "part"])):
                case "input":
                    body["inputs"][f"x{earlier}"] = ref(earlier)
                case "default":
                    body["inputs"][f"x{earlier}"] = {"deep": [{**ref(earlier), "default": None}]}
                case "after":
                    body.setdefault("after", []).append(f"t{earlier}")
                case "when":
                    body["when"] = f"size(t{earlier}.output) > 0"
                case _:
                    spread = "for_each" in tasks[f"t{earlier}"]
                    part = f"t{earlier}.output{'[0]' if spread else ''}.n"
                    body["inputs"][f"x{earlier}"] = {"ref": part}
        if draw(st.booleans()) and draw(st.booleans()):
            body["for_each"] = draw(st.lists(st.integers(), min_size=1, max_size=3))
            body["inputs"]["item"] = {"ref": "item"}
        tasks[f"t{number}"] = body
    return {"tasks": tasks, "deliver": [ref(number) for number in range(count)]}


def codes(document: dict[str, Any]) -> set[str]:
    plan, found = read_plan(document)
    return {one.code for one in [*found, *TEAM.check(plan)]}


def reordered(draw: st.DrawFn, document: dict[str, Any]) -> dict[str, Any]:
    names = draw(st.permutations(list(document["tasks"])))
    return {**document, "tasks": {name: document["tasks"][name] for name in names}}


@EXAMPLES
@given(sound(), st.data())
def test_a_sound_plan_checks_clean_in_whatever_order_it_is_written(
    document: dict[str, Any], data: st.DataObject
) -> None:
    written = reordered(data.draw, document)
    assert codes(written) == {"no-backup"}
    graph = graph_of(read_plan(written)[0].tasks)
    place = {name: number for number, name in enumerate(graph.order)}
    assert place.keys() == written["tasks"].keys()
    assert all(place[earlier] < place[name] for name, before in graph.before.items() for earlier in before)


@settings(EXAMPLES, max_examples=30)
@given(sound(), st.data(), st.integers(1, 4))
def test_a_sound_plan_runs_to_one_answer_in_whatever_order(
    document: dict[str, Any], data: st.DataObject, parallel: int
) -> None:
    answers = []
    for plan in (document, reordered(data.draw, document)):
        run = asyncio.run(TEAM.run("go", plan=plan))
        assert (run.status, run.gaps) == ("finished", ())
        answers.append(run.answer)
    assert answers[0] == answers[1]


Mutation = Callable[[dict[str, Any], dict[str, Any]], Any]
"""Changes a sound plan of at least two tasks, given its tasks; t0 waits for nothing."""


def _chain(plan: dict[str, Any], tasks: dict[str, Any]) -> None:
    tasks["t1"]["after"] = ["t0"]
    tasks["t0"]["after"] = ["t1"]


def _twins(plan: dict[str, Any], tasks: dict[str, Any]) -> None:
    for name in ("u0", "u1"):
        tasks[name] = {"skill": "hands.post", "inputs": {"text": "x"}}


def _writers(plan: dict[str, Any], tasks: dict[str, Any]) -> None:
    for name in ("u0", "u1"):
        tasks[name] = {"skill": "anything", "writes": "k"}


def _as_list_with_a_twin(plan: dict[str, Any], tasks: dict[str, Any]) -> None:
    plan["tasks"] = [*({"id": name, **body} for name, body in tasks.items()), {"id": "t0", "skill": "anything"}]


MUTATIONS: dict[str, tuple[str, Mutation]] = {
    "a task that others need is gone": ("dangling-reference", lambda plan, tasks: tasks.pop("t0")),
    "a condition names no task": ("dangling-reference", lambda plan, tasks: tasks["t0"].update(when="u.output == 1")),
    "a task waits for itself": ("self-reference", lambda plan, tasks: tasks["t1"].update(after=["t1"])),
    "two tasks wait for each other": ("cycle", _chain),
    "a slip in a skill": ("unknown-skill", lambda plan, tasks: tasks["t0"].update(skill="anyhting")),
    "an agent that lacks the skill": ("unknown-agent", lambda plan, tasks: tasks["t0"].update(agent="find")),
    "no skill": ("missing-field", lambda plan, tasks: tasks["t0"].pop("skill")),
    "an argument too few": ("missing-input", lambda plan, tasks: tasks["t0"].update(skill="find", inputs={})),
    "an argument too many": (
        "unknown-input",
        lambda plan, tasks: tasks["t0"].update(skill="find", inputs={"topic": "x", "n": 1}),
    ),
    "an argument of another type": (
        "type-mismatch",
        lambda plan, tasks: tasks["t0"].update(skill="find", inputs={"topic": 1}),
    ),
    "a reference without output": ("bad-reference", lambda plan, tasks: tasks["t1"]["inputs"].update(x={"ref": "t0"})),
    "an input nobody declares": (
        "undeclared-reference",
        lambda plan, tasks: tasks["t1"]["inputs"].update(x={"ref": "inputs.logs"}),
    ),
    "an item of nothing": (
        "undeclared-reference",
        lambda plan, tasks: tasks.update(u={"skill": "anything", "inputs": {"x": {"ref": "item"}}}),
    ),
    "context nobody writes": (
        "undeclared-reference",
        lambda plan, tasks: tasks["t1"]["inputs"].update(x={"ref": "context.k"}),
    ),
    "a broken condition": ("bad-condition", lambda plan, tasks: tasks["t0"].update(when="1 +")),
    "a field of no task": ("unknown-field", lambda plan, tasks: tasks["t0"].update(dependsOn=[])),
    "an id that is no name": ("bad-id", lambda plan, tasks: tasks.update({"1 2": {"skill": "anything"}})),
    "one id twice": ("duplicate-id", _as_list_with_a_twin),
    "a field of another type": ("bad-value", lambda plan, tasks: tasks["t0"].update(after=7)),
    "two writers": ("unordered-writers", _writers),
    "one effect twice": ("equal-effects", _twins),
    "a tool nobody has": ("missing-tool", lambda plan, tasks: tasks["t0"].update(tools=["saw"])),
    "a permission nobody has": ("missing-permission", lambda plan, tasks: tasks["t0"].update(permissions=["root"])),
    "no leave for what cannot be undone": (
        "irreversible-without-approval",
        lambda plan, tasks: tasks["t0"].update(effect="irreversible", approval="never"),
    ),
    "labels to the public": (
        "perimeter",
        lambda plan, tasks: tasks.update(
            u={"skill": "publish", "labels": ["phi"], "inputs": {"text": "x"}},
        ),
    ),
    "a deliverable behind an error": ("unreachable-deliverable", lambda plan, tasks: tasks["t0"].update(skill="none")),
    "no tasks": ("empty-plan", lambda plan, tasks: tasks.clear()),
    "tasks of no kind": ("not-a-plan", lambda plan, tasks: plan.update(tasks="t0")),
    "a result for nobody": ("unused-result", lambda plan, tasks: plan.update(deliver=[])),
}  # fmt: skip


@pytest.mark.parametrize("name", MUTATIONS)
@settings(EXAMPLES, max_examples=8)
@given(document=sound(least=2))
def test_each_kind_of_slip_has_its_code(name: str, document: dict[str, Any]) -> None:
    code, mutate = MUTATIONS[name]
    assert code not in codes(document)
    mutate(document, document["tasks"])
    assert code in codes(document)


# ---- reading and writing

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
NAMES = st.from_regex(r"[a-z_][a-z0-9_-]{0,6}", fullmatch=True).filter(
    lambda name: name not in ("item", "inputs", "context", "tasks")
)
NUMBERS = st.integers(-(10**15), 10**15) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
SEVERAL = st.lists(TEXT, max_size=3).map(tuple)
COUNTS = st.none() | st.integers(1, 1000)
LIMITS = st.builds(Limits, timeout=st.none() | st.floats(0.1, 1e6), attempts=COUNTS, memory_mb=COUNTS, output_kb=COUNTS)
FOR_EACH = st.builds(
    ForEach,
    items=st.lists(VALUES, max_size=3) | st.just({"ref": "inputs.x"}),
    max=COUNTS,
    allow_failures=st.booleans(),
)
TASKS = st.builds(
    Task,
    id=NAMES,
    skill=TEXT.filter(bool),
    objective=TEXT,
    inputs=st.dictionaries(TEXT, VALUES, max_size=3),
    after=SEVERAL,
    agent=st.none() | TEXT,
    output=st.none() | st.just({"type": "object", "properties": {"n": {"type": "integer"}}}),
    criteria=SEVERAL,
    effect=st.none() | st.sampled_from([one for one in SideEffect if one is not SideEffect.UNDECLARED]),
    risk=st.sampled_from(["low", "medium", "high"]),
    labels=SEVERAL,
    limits=LIMITS,
    when=st.none() | TEXT,
    for_each=st.none() | FOR_EACH,
    tools=SEVERAL,
    permissions=SEVERAL,
    writes=st.none() | TEXT,
    approval=st.sampled_from(["policy", "ask", "never"]),
    occurrence=VALUES,
)
PLANS = st.builds(
    Plan,
    tasks=st.lists(TASKS, min_size=1, max_size=4, unique_by=lambda task: task.id).map(tuple),
    inputs=st.dictionaries(
        NAMES,
        st.builds(
            InputSpec,
            kind=st.sampled_from(["value", "file", "files", "folder"]),
            description=TEXT,
            default=VALUES,
            required=st.booleans(),
            labels=SEVERAL,
        ),
        max_size=2,
    ),
    deliver=VALUES,
    name=TEXT,
)


@EXAMPLES
@given(PLANS)
def test_a_plan_that_was_written_is_read_as_itself(plan: Plan) -> None:
    read, found = read_plan(json.loads(json.dumps(write_plan(plan))))
    assert not found
    assert read == plan


@EXAMPLES
@given(PLANS)
def test_a_plan_that_was_written_as_yaml_is_read_as_itself(plan: Plan) -> None:
    text = StringIO()
    writer = YAML(typ="safe", pure=True)
    writer.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    writer.default_flow_style, writer.allow_unicode = False, False  # else it writes some texts as others
    writer.width = 1_000_000  # it breaks lines within what it escapes
    writer.dump(write_plan(plan), text)
    read, found = read_plan(parse_document(text.getvalue(), "plan").value)
    assert not found
    assert read == plan


PIECES = [
    *"abc:-#'\"{}[],|>&*!%@`?=<~\\/().+_$^ \n\t0157", "x y", "a.b", "k-1", ": ", "  ", "    ", "- ", "\n  ", "\n- ",
    "\n  - ", " # c", "''", "\\n", "\\t", '\\"', "-1", "1.5", ".5", "1e3", "-.5e-3", "0x1F", "0o17", "007", "1_000",
    "0b1", "true", "True", "null", "Null", "yes", "No", "ref: a.output", "{ref: a.output}", "[a, b]", "'q'", '"q"',
    ".inf", ".nan", "<<", "2001-01-01", "12:30", "? ", "---", "...", "ü", "😀", "\u2028", "\x85", "\xa0", "\ufeff",
    "\r\n", "null a", "{}", "[]", "[1, {a: b}]",
]  # fmt: skip
ENTRIES = st.tuples(
    st.sampled_from(["", "  ", "    "]),
    st.sampled_from(["", "", "", "- ", "# "]),
    st.sampled_from(["a: ", "b: ", "c:", "k.d: ", ""]),
    st.lists(st.sampled_from([piece for piece in PIECES if "\n" not in piece]), max_size=4).map("".join),
).map("".join)
YAMLS = st.lists(ENTRIES, min_size=1, max_size=6).map("\n".join) | st.lists(st.sampled_from(PIECES)).map("".join)


@settings(EXAMPLES, max_examples=800)
@given(YAMLS)
def test_the_quick_reader_of_yaml_agrees_with_ruamel_on_whatever_it_accepts(text: str) -> None:
    places: dict[str, tuple[int, int]] = {}
    try:
        value = read_plain(text, places)
    except NotPlain:
        event("given up")
        return
    event("accepted")
    node = YAML(typ="safe", pure=True).compose(StringIO(text))
    assert repr(value) == repr(_value(node))
    full = parse_document(f"%YAML 1.2\n---\n{text}", "x").places()  # a directive is left to the full parser
    assert {path: (line - 2, column) for path, (line, column) in full.items()} == places


def _value(node: Any) -> Any:
    """Give what a node of ruamel's stands for by the core schema (YAML 1.2.2, 10.3.2); keys are text as written."""
    if node.id == "mapping":
        return {key.value: _value(inner) for key, inner in node.value}
    if node.id == "sequence":
        return [_value(inner) for inner in node.value]
    text = node.value
    if node.style is not None:
        return text
    if re.fullmatch("null|Null|NULL|~|", text):
        return None
    if re.fullmatch("true|True|TRUE|false|False|FALSE", text):
        return text.lower() == "true"
    if re.fullmatch("[-+]?[0-9]+", text):
        return int(text)
    if re.fullmatch("0o[0-7]+|0x[0-9a-fA-F]+", text):
        return int(text, 0)
    if re.fullmatch(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", text):
        return float(text)
    assert not re.fullmatch(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)", text), "no JSON can say it"
    return text
