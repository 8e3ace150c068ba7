"""Whatever a plan holds, the answer is diagnostics: never a traceback, and soon."""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from stretto.bootstrap import Orchestrator
from stretto.cli import app
from stretto.core.domain import ForEach, Limits, Plan, Task
from stretto.core.errors import BadPlan
from stretto.core.plan.diagnostics import CODES, Diagnostic, errors
from stretto.core.plan.shape import read_plan
from stretto.documents import Unreadable, parse_document
from stretto.settings import Settings
from tests.plans.cases import CASES
from tests.plans.team import TEAM, checked

FUZZ = settings(max_examples=200)
SECONDS = 5.0
"""Far more than any of these takes, and far less than a trap would."""

WHOLE = """\
name: whole
goal: "everything a plan can say"
inputs:
  logs: {kind: files, labels: [pii], description: the logs}
  host: value
tasks:
  each:
    skill: find
    for_each: {items: {ref: inputs.logs}, max: 5, allow_failures: true}
    inputs: {topic: {ref: item}, most: 0x10}
    limits: {timeout: 1.5, attempts: 2}
  write:
    objective: 'write it''s "text"'
    skill: write
    when: size(each.output) > 0 && "a" in inputs.host
    inputs: {facts: {ref: "each.output[0]", default: []}, title: "a\\tb"}
    output: {type: string}
    criteria: [short]
    writes: text
  post: {skill: hands.post, after: write, inputs: {text: {ref: context.text}}, approval: ask, occurrence: 1}
deliver: {all: [{ref: post.output}, {literal: {ref: x}}]}
"""


def verdict(text: str, *, is_json: bool = False) -> list[Diagnostic]:
    """Give what the checker says to a text."""
    try:
        document = parse_document(text, "plan", is_json=is_json)
    except Unreadable as error:
        return [error.diagnostic]
    plan, found = read_plan(document.value, TEAM.size)
    return document.placed([*found, *TEAM.check(plan)])


def sane(found: list[Diagnostic]) -> None:
    for one in found:
        assert one.code in CODES
        assert len(str(one)) < 3000
        assert str(one).isprintable()


# ---- texts


@pytest.mark.parametrize("is_json", [False, True])
def test_a_text_that_breaks_off_anywhere_is_told_with_its_place(is_json: bool) -> None:
    whole = parse_document(WHOLE, "plan").value
    text = json.dumps(whole, indent=1) if is_json else WHOLE
    assert not errors(verdict(text, is_json=is_json))
    for end in range(len(text)):
        found = verdict(text[:end], is_json=is_json)
        sane(found)
        if is_json:
            assert [one.code for one in found] == ["unreadable"]
            assert found[0].where.startswith("plan:")


@FUZZ
@given(st.data())
def test_a_text_with_wounds_is_answered(data: st.DataObject) -> None:
    text = data.draw(
        st.sampled_from([WHOLE, json.dumps(parse_document(WHOLE, "plan").value), *(one.text for one in CASES)])
    )
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text)))
        cut = data.draw(st.integers(0, 8))
        wound = data.draw(
            st.text(max_size=3) | st.sampled_from([*"{}[]&*!|>%@`\"'#:,-?\t\0 \n\r\u2028\ufeff", "<<: ", "- ", "---\n"])
        )
        text = text[:at] + wound + text[at + cut :]
    sane(verdict(text))
    sane(verdict(text, is_json=True))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("[" * 100_000, "too-large"),
        ("{a: " * 5_000 + "1" + "}" * 5_000, "too-large"),
        ('{"a":' * 100_000 + "1" + "}" * 100_000, "too-large"),
        ("\n".join(" " * n + "a:" for n in range(1_000)), "too-large"),
        ("- " * 3_000 + "a", "too-large"),
        ("a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
            f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(9)
        ), "too-large"),
        ("a: &a\n  b: *a\n", "unreadable"),
        ("tasks: !!python/object/apply:os.system ['true']\n", "unreadable"),
        ("tasks: {a: {skill: find}}\n---\ntasks: {}\n", "unreadable"),
        ("tasks:\n  a: {skill: find}\n  a: {skill: write}\n", "unreadable"),
        ('{"tasks": {"a": 1, "a": 2}}', "unreadable"),
        ('{"tasks": NaN}', "not-a-plan"),
        ('{"tasks": 1e999}', "unreadable"),
        ("tasks: .inf\n", "unreadable"),
        ("tasks: " + "9" * 5_000, "unreadable"),
        ('{"tasks": ' + "9" * 5_000 + "}", "unreadable"),
        ("tasks: \0\n", "unreadable"),
        ('{"tasks": {"a": {"skill": "\\ud800"}}}', "bad-value"),
        ('{"tasks": {"\\ud800": {"skill": "find"}}}', "bad-value"),
        ('{"tasks": {"a": {"skill": "find", "inputs": {"topic": "x", "' + "k" * 1_000_000 + '": 1}}}}', "bad-value"),
        ("? [a, b]\n: 1\n", "unreadable"),
        ("", "not-a-plan"),
        ("just text", "not-a-plan"),
        ("- a\n- b\n", "not-a-plan"),
        ("tasks: 2026-11-21\n", "not-a-plan"),
        ("\ttasks: {}\n", "unreadable"),
        ("tasks: {a: {skill: find, inputs: {topic: x}, limits: {timeout: 1e300}}}", "bad-value"),
        (f"tasks: {{a: {{skill: find, wait: '{'9' * 400}'}}}}", "bad-value"),
        (f"tasks: {{a: {{skill: find, wait: '1{' ' * 100_000}x'}}}}", "bad-value"),
        (f"tasks: {{a: {{skill: find, ask: {{within: '{'9' * 60}x'}}}}}}", "bad-value"),
        (f"tasks: {{a: {{skill: find, budget: '1{' ' * 100_000}!'}}}}", "bad-value"),
        (f"tasks: {{a: {{skill: find, ladder: {{error: {{retry: 1, pause: '{'9' * 48}x'}}}}}}}}", "bad-value"),
    ],
)  # fmt: skip
def test_a_hostile_text_has_its_code(text: str, code: str) -> None:
    begin = time.perf_counter()
    found = verdict(text)
    assert time.perf_counter() - begin < SECONDS
    sane(found)
    assert code in {one.code for one in found}, found


@pytest.mark.parametrize(
    ("raw", "place"),
    [
        (b"tasks:\n  a: {skill: f\xffnd}\n", ":2:15"),
        (b"\xff\xfet\0a\0", ":1:1"),
        ("tasks: ü".encode("latin-1"), ":1:8"),
    ],
)
def test_bytes_that_are_not_utf_8_are_told_with_their_place(raw: bytes, place: str, tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_bytes(raw)
    (only,) = checked(path)
    assert (only.code, only.where) == ("unreadable", f"{path}{place}")


def test_a_byte_order_mark_is_no_defect(tmp_path: Path) -> None:
    for name, text in (("plan.yaml", WHOLE), ("plan.json", json.dumps(parse_document(WHOLE, "x").value))):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8-sig")
        assert not errors(checked(path))


@pytest.mark.parametrize("make", [Path.mkdir, lambda path: path.symlink_to(path), lambda path: None])
def test_what_is_no_file_is_told(make: Callable[[Path], Any], tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    make(path)
    (only,) = checked(path)
    assert only.code == "unreadable"
    said = CliRunner().invoke(app, ["plan", "--file", str(path)])
    assert said.exit_code != 0
    assert "Traceback" not in said.output


def test_limits_come_from_the_settings_and_from_the_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text("tasks:\n" + "".join(f"  t{n}: {{skill: logs.merge}}\n" for n in range(9)), encoding="utf-8")
    for name, value in (("plan_tasks", 8), ("plan_bytes", 40), ("plan_depth", 3)):
        (tmp_path / "workspace.yaml").write_text("agents: [logs]\nplan: plan.yaml\n", encoding="utf-8")
        (tmp_path / "stretto.toml").write_text(f"{name} = {value}\n", encoding="utf-8")
        said = CliRunner().invoke(app, ["plan", "-w", str(tmp_path)])
        assert said.exit_code == 1
        assert "[too-large]" in said.output or name == "plan_depth", said.output
        (tmp_path / "stretto.toml").unlink()
        monkeypatch.setenv(f"STRETTO_{name.upper()}", str(value))
        assert "[too-large]" in CliRunner().invoke(app, ["plan", "-w", str(tmp_path)]).output or name == "plan_depth"
        monkeypatch.delenv(f"STRETTO_{name.upper()}")


def test_a_terminal_is_never_obeyed(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    trap = "\x1b]0;owned\x07\x1b[2J\u202e"
    body = {"name": trap, "tasks": {"a": {"skill": trap, "when": f"'{trap}' == 'x'", "agent": trap, trap: 1}}}
    path.write_text(json.dumps(body), encoding="utf-8")
    for more in ([], ["--json"]):
        said = CliRunner().invoke(app, ["plan", "--file", str(path), *more]).output
        assert not {"\x1b", "\x07", "\u202e"} & set(said)


# ---- values


WORDS = st.sampled_from([*Task.__dataclass_fields__, "tasks", "deliver", "ref", "default", "items", "max", "kind", "a"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | WORDS
    | st.sampled_from(["a.output", "inputs.x", "item", "context.k", "find", "write", "a.output[0].b", "1 +"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS | st.text(max_size=4), inner, max_size=5),
    max_leaves=25,
)  # fmt: skip


def places_of(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, one in inner for place in places_of(one, (*path, key)))]


def put(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    changed = value.copy()
    changed[path[0]] = put(value[path[0]], path[1:], new)
    return changed


@FUZZ
@given(JSON)
def test_any_value_is_answered(value: Any) -> None:
    plan, found = read_plan(value)
    sane([*found, *TEAM.check(plan)])


@FUZZ
@given(st.data())
def test_a_plan_with_one_value_of_any_other_kind_is_answered(data: st.DataObject) -> None:
    whole = parse_document(WHOLE, "plan").value
    path = data.draw(st.sampled_from(places_of(whole)))
    plan, found = read_plan(put(whole, path, data.draw(JSON)))
    sane([*found, *TEAM.check(plan)])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", 7), ("id", None), ("id", "a b"), ("skill", 5), ("skill", None), ("when", 3), ("inputs", [1]),
        ("after", 7), ("after", (1,)), ("agent", {}), ("output", "text"), ("labels", "pii"),
        ("limits", {"timeout": "x"}),
        ("for_each", [1]), ("effect", "banana"), ("risk", "hi"), ("approval", True), ("writes", ["k"]),
        ("inputs", {"x": object()}), ("inputs", {"x": float("nan")}), ("inputs", {"x": "\ud800"}), ("inputs", {1: 2}),
    ],
)  # fmt: skip
async def test_a_plan_made_in_python_with_a_wrong_type_is_told(field: str, value: Any) -> None:
    plan = Plan(tasks=(replace(Task(id="a", skill="anything"), **{field: value}), Task(id="b", skill="anything")))
    found = TEAM.check(plan)
    sane(found)
    assert {"bad-value", "bad-id"} & {one.code for one in errors(found)}, found
    with pytest.raises(BadPlan):
        await TEAM.run("go", plan=plan)


@pytest.mark.parametrize("plan", [7, None, Plan(tasks=(7,)), Plan(deliver=object()), Plan(inputs=3)])  # type: ignore[arg-type, list-item]
def test_what_is_no_plan_at_all_is_told(plan: Any) -> None:
    found = TEAM.check(plan)
    sane(found)
    assert plan is None or errors(found)


def test_a_value_that_holds_itself_is_told() -> None:
    endless: list[Any] = []
    endless.append(endless)
    assert [one.code for one in read_plan({"tasks": {"a": {"skill": "anything", "inputs": {"x": endless}}}})[1]] == [
        "too-large"
    ]
    assert errors(TEAM.check(Plan(tasks=(Task(id="a", skill="anything", inputs={"x": endless}),))))


# ---- sizes


def many(**fields: Any) -> Plan:
    return Plan(tasks=tuple(Task(id=f"t{n}", skill="anything", **fields) for n in range(10_000)))


def ref(name: str) -> dict[str, str]:
    return {"ref": f"{name}.output"}


N = 10_000
LARGE: dict[str, Callable[[], Plan]] = {
    "equal tasks": many,
    "equal effects": lambda: many(effect=None, agent="nobody"),
    "one id": lambda: Plan(tasks=(Task(id="a", skill="anything"),) * N),
    "one circle": lambda: Plan(
        tasks=tuple(Task(id=f"t{n}", skill="anything", after=(f"t{(n + 1) % N}",)) for n in range(N))
    ),
    "every task names itself": lambda: Plan(
        tasks=tuple(Task(id=f"t{n}", skill="anything", inputs={"x": ref(f"t{n}")}) for n in range(N))
    ),
    "small circles": lambda: Plan(
        tasks=tuple(Task(id=f"t{n}", skill="anything", after=(f"t{n ^ 1}",)) for n in range(N))
    ),
    "unknown names near each other": lambda: Plan(
        tasks=tuple(Task(id=f"task_number_{n}", skill=f"anythin{n}", after=(f"task_numbr_{n}",)) for n in range(N))
    ),
    "unknown inputs near each other": lambda: Plan(
        tasks=(Task(id="a", skill="find", inputs={f"topic{n}": n for n in range(N)}),)
    ),
    "a dense graph": lambda: Plan(
        tasks=tuple(
            Task(id=f"t{n}", skill="anything", after=tuple(f"t{m}" for m in range(max(0, n - 500), n)))
            for n in range(600)
        )
    ),
    "conditions full of quotes": lambda: many(when="'" * 999),
    "conditions full of loops": lambda: many(when="x.map(" * 160),
    "conditions full of names": lambda: many(when="a." * 499 + "a"),
    "conditions full of spaces": lambda: many(when="a" + " " * 998 + "."),
    "references full of steps": lambda: many(inputs={"x": {"ref": "t0.output" + "[0]" * 500}}),
    "a wide for_each": lambda: Plan(
        tasks=(Task(id="a", skill="anything", for_each=ForEach(items=list(range(100_000)))),)
    ),
    "readers racing with writers": lambda: Plan(
        tasks=(
            Task(id="first", skill="anything", writes="k"),
            *(Task(id=f"w{n}", skill="anything", after=("first",), writes="k") for n in range(N // 2)),
            *(
                Task(id=f"r{n}", skill="anything", after=("first",), inputs={"x": {"ref": "context.k"}})
                for n in range(N // 2)
            ),
        )
    ),
    "limits": lambda: many(limits=Limits(timeout=1.0)),
}


@pytest.mark.parametrize("name", LARGE)
def test_a_large_plan_is_answered_soon_and_shortly(name: str) -> None:
    plan = LARGE[name]()
    begin = time.process_time()
    found = TEAM.check(plan)
    assert time.process_time() - begin < SECONDS
    sane(found)
    assert len(found) < 6_000


def test_more_tasks_than_the_limit_are_refused_before_they_are_looked_at() -> None:
    body = {"tasks": {f"t{n}": {"skill": "anything"} for n in range(101)}}
    team = Orchestrator(settings=Settings(plan_tasks=100))
    with pytest.raises(BadPlan, match="101 tasks; the limit is 100"):
        team.read_plan(body)
