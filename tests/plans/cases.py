"""One plan for each code, in YAML and in JSON; `»` stands right before the place that the diagnostic must name."""

from dataclasses import dataclass

MARK = "»"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A plan in one form on paper, and the code it must raise at its mark; no mark means the file as a whole."""

    code: str
    form: str
    text: str
    budget: str | None = None
    seconds: float | None = None

    @property
    def plain(self) -> str:
        return self.text.replace(MARK, "")

    @property
    def place(self) -> str:
        """The `:line:column` of the mark."""
        before, mark, _ = self.text.partition(MARK)
        if not mark:
            return ""
        return f":{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}"


PLANS: dict[str, tuple[str, str]] = {
    "unreadable": (
        "tasks:\n  a: {skill: find\n»",
        '{"tasks": {"a": {"skill": "find"»',
    ),
    "too-large": (
        "»tasks:\n  a:\n    skill: anything\n    inputs:\n      x: " + "[" * 60 + "]" * 60,
        '»{"tasks": {"a": {"skill": "anything", "inputs": {"x": ' + "[" * 60 + "]" * 60 + "}}}}",
    ),
    "not-a-plan": (
        "name: x\n»tasks: none of them\n",
        '{"name": "x",\n »"tasks": 7}',
    ),
    "empty-plan": (
        "name: x\n»tasks: {}\n",
        '{"name": "x",\n »"tasks": []}',
    ),
    "bad-value": (
        "tasks:\n  a:\n    skill: find\n    inputs: {topic: x}\n    limits:\n      »timeout: -3\n",
        '{"tasks": {"a": {"skill": "find", "inputs": {"topic": "x"},\n  "limits": {»"timeout": -3}}}}',
    ),
    "missing-field": (
        "tasks:\n  »a:\n    objective: find it\n",
        '{"tasks": {\n  »"a": {"objective": "find it"}}}',
    ),
    "unknown-field": (
        "tasks:\n  a:\n    skill: find\n    inputs: {topic: x}\n    »dependson: []\n",
        '{"tasks": {"a": {"skill": "find", "inputs": {"topic": "x"},\n  »"dependson": []}}}',
    ),
    "bad-id": (
        "tasks:\n  »first task: {skill: find, inputs: {topic: x}}\n",
        '{"tasks": [{"skill": "find", "id": "b", "inputs": {"topic": "x"}},\n  »{"skill": "find", "id": "1"}]}',
    ),
    "duplicate-id": (
        "tasks:\n- {id: a, skill: find, inputs: {topic: x}}\n- »{id: a, skill: find, inputs: {topic: y}}\n",
        '{"tasks": [\n {"id": "a", "skill": "find", "inputs": {"topic": "x"}},\n »{"id": "a", "skill": "find"}]}',
    ),
    "bad-reference": (
        "tasks:\n  a: {skill: find, inputs: {topic: x}}\n  b:\n    skill: write\n    inputs:\n"
        "      »facts: {ref: a.result}\n",
        '{"tasks": {"a": {"skill": "find", "inputs": {"topic": "x"}},\n'
        '  "b": {"skill": "write", "inputs": {»"facts": {"ref": "a"}}}}}',
    ),
    "dangling-reference": (
        "tasks:\n  a: {skill: find, inputs: {topic: x}}\n  b:\n    skill: write\n    inputs:\n"
        "      »facts: {ref: aa.output}\n",
        '{"tasks": {"a": {"skill": "find", "inputs": {"topic": "x"},\n  »"after": ["gone"]}}}',
    ),
    "undeclared-reference": (
        "inputs: [subject]\ntasks:\n  a:\n    skill: find\n    inputs:\n      »topic: {ref: inputs.subjects}\n",
        '{"tasks": {"a": {"skill": "find", "inputs": {\n  »"topic": {"ref": "item"}}}}}',
    ),
    "self-reference": (
        "tasks:\n  a:\n    skill: write\n    inputs:\n      »facts: {ref: a.output}\n",
        '{"tasks": {"a": {"skill": "find", "inputs": {"topic": "x"},\n  »"when": "size(a.output) > 0"}}}',
    ),
    "cycle": (
        "tasks:\n  »a: {skill: anything, after: [b]}\n  b: {skill: anything, after: [a]}\n",
        '{"tasks": {\n »"a": {"skill": "anything", "after": ["b"]},\n'
        ' "b": {"skill": "anything", "inputs": {"x": {"ref": "a.output"}}}}}',
    ),
    "unknown-skill": (
        "tasks:\n  a:\n    »skill: fnid\n",
        '{"tasks": {"a": {\n  »"skill": "web_search"}}}',
    ),
    "unknown-agent": (
        "tasks:\n  a:\n    skill: find\n    »agent: hands\n    inputs: {topic: x}\n",
        '{"tasks": {"a": {"skill": "find", "inputs": {"topic": "x"},\n  »"agent": "nobody"}}}',
    ),
    "missing-input": (
        "tasks:\n  a:\n    skill: find\n    »inputs: {most: 3}\n",
        '{"tasks": {\n »"a": {"skill": "find"}}}',
    ),
    "unknown-input": (
        "tasks:\n  a:\n    skill: find\n    inputs:\n      topic: x\n      »depth: 3\n",
        '{"tasks": {"a": {"skill": "find", "inputs": {"topic": "x",\n »"tpoic": "y"}}}}',
    ),
    "bad-condition": (
        "tasks:\n  a:\n    skill: find\n    inputs: {topic: x}\n    »when: 1 +\n",
        '{"tasks": {"a": {"skill": "find", "inputs": {"topic": "x"},\n »"when": " "}}}',
    ),
    "missing-tool": (
        "tasks:\n  a:\n    skill: browse\n    inputs: {url: x}\n    »tools: [browser, printer]\n",
        '{"tasks": {"a": {"skill": "find", "inputs": {"topic": "x"},\n »"tools": ["browser"]}}}',
    ),
    "missing-permission": (
        "tasks:\n  a:\n    skill: browse\n    inputs: {url: x}\n    »permissions: [root]\n",
        '{"tasks": {"a": {"skill": "find", "inputs": {"topic": "x"},\n »"permissions": ["net"]}}}',
    ),
    "irreversible-without-approval": (
        "tasks:\n  a:\n    skill: hands.erase\n    inputs: {path: x}\n    »approval: never\n",
        '{"tasks": {"a": {"skill": "hands.post", "effect": "irreversible", "inputs": {"text": "x"},\n'
        ' »"approval": "never"}}}',
    ),
    "perimeter": (
        "inputs:\n  patients: {kind: value, labels: [phi]}\ntasks:\n"
        "  »a: {skill: publish, inputs: {text: {ref: inputs.patients}}}\n",
        '{"tasks": {"s": {"skill": "find", "labels": ["secret"], "inputs": {"topic": "x"}},\n'
        ' »"a": {"skill": "publish", "after": ["s"], "inputs": {"text": "x"}}}}',
    ),
    "over-budget": (
        "»tasks:\n  a: {skill: browse, inputs: {url: x}}\n  b: {skill: browse, inputs: {url: y}}\n",
        '{»"tasks": {"a": {"skill": "browse", "inputs": {"url": "x"}}, "b": {"skill": "browse", "inputs": {"url": "y"}}}}',
    ),
    "unordered-writers": (
        "tasks:\n  a: {skill: find, inputs: {topic: x}, writes: facts}\n"
        "  b:\n    skill: find\n    inputs: {topic: y}\n    »writes: facts\n",
        '{"tasks": {"a": {"skill": "anything", "writes": "k"},\n "b": {"skill": "anything", »"writes": "k"}}}',
    ),
    "equal-effects": (
        "tasks:\n  a: {skill: hands.post, inputs: {text: x}}\n  »b: {skill: hands.post, inputs: {text: x}}\n",
        '{"tasks": [{"id": "a", "skill": "hands.erase", "inputs": {"path": "x"}},\n'
        ' »{"id": "b", "skill": "hands.erase", "inputs": {"path": "x"}}]}',
    ),
    "unreachable-deliverable": (
        "tasks:\n  a: {skill: no_such}\n  b: {skill: write, inputs: {facts: {ref: a.output}}}\n"
        "»deliver: {ref: b.output}\n",
        '{"tasks": {"a": {"skill": "write", "inputs": {"facts": {"ref": "a.output"}}}},\n'
        ' "deliver": {»"text": {"ref": "a.output"}}}',
    ),
    "type-mismatch": (
        "tasks:\n  a:\n    skill: find\n    inputs:\n      »topic: 7\n",
        '{"tasks": {"a": {"skill": "find", "inputs": {"topic": "x"}},\n'
        ' "b": {"skill": "hands.post", "inputs": {»"text": {"ref": "a.output"}}}}}',
    ),
    "unknown-output": (
        "tasks:\n  a: {skill: find, inputs: {topic: x}}\n  b:\n    skill: write\n    inputs:\n"
        "      »facts: {ref: a.output.rows}\n",
        '{"tasks": {"a": {"skill": "find", "inputs": {"topic": "x"}}},\n »"deliver": {"ref": "a.output.rows"}}',
    ),
    "late": (
        "»tasks:\n  a: {skill: browse, inputs: {url: x}}\n",
        '{\n »"tasks": {"a": {"skill": "browse", "inputs": {"url": "x"}}}}',
    ),
    "unused-result": (
        "tasks:\n  a: {skill: find, inputs: {topic: x}}\n  »b: {skill: find, inputs: {topic: y}}\n"
        "deliver: {ref: a.output}\n",
        '{"tasks": [{"id": "a", "skill": "find", "inputs": {"topic": "x"}},\n'
        ' »{"id": "b", "skill": "find", "inputs": {"topic": "y"}}], "deliver": {"ref": "a.output"}}',
    ),
    "no-backup": (
        "»tasks:\n  a: {skill: find, inputs: {topic: x}}\n",
        '{»"tasks": {"a": {"skill": "find", "inputs": {"topic": "x"}}}}',
    ),
}
_LIMITS: dict[str, dict[str, float | str]] = {"over-budget": {"budget": "$0.90"}, "late": {"seconds": 30.0}}

CASES = [
    Case(code=code, form=form, text=text, **_LIMITS.get(code, {}))  # type: ignore[arg-type]
    for code, texts in PLANS.items()
    for form, text in zip(("yaml", "json"), texts, strict=True)
]
