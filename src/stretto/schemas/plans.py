"""The schemas of plans and playbooks."""

from stretto.core.domain import Schema
from stretto.core.plan.inclusion import FIELDS as INCLUSION
from stretto.core.plan.shape import (
    CHOICES,
    EFFECTS,
    FOR_EACH,
    INPUT_FIELDS,
    JOIN,
    KINDS,
    LIMITS,
    PLAN_FIELDS,
    REPEAT,
    TASK_FIELDS,
    UNDO,
)
from stretto.schemas.parts import (
    ANYTHING,
    BUDGET,
    COMMON,
    FLAG,
    LENGTH,
    NAMES,
    TEXT,
    document,
    either,
    listed,
    mapping,
    maybe,
    named,
    one_of,
    part,
    told,
    whole,
)

_OBJECT: Schema = {"type": "object"}
_COUNT = maybe(whole(999_999_999))


def plan_schema() -> Schema:
    """Give the schema of a plan's file."""
    body = mapping(PLAN_FIELDS, _plan(part("task")), "tasks")
    return document("Stretto plan", "Tasks, the inputs they ask for, and what they deliver.", body, _definitions())


def playbook_schema() -> Schema:
    """Give the schema of a file in `playbooks`: a plan with intents, whose tasks may include other playbooks."""
    intents = told(maybe(NAMES), 'phrases of goals that it is for, like "onboard {customer}"')
    body = mapping((*PLAN_FIELDS, "intents"), {**_plan(part("step")), "intents": intents}, "tasks")
    more = {"inclusion": mapping(sorted(INCLUSION), _inclusion(), "include"), "step": _step()}
    return document("Stretto playbook", "A plan for goals of a kind.", body, {**_definitions(), **more})


def _plan(task: Schema) -> dict[str, Schema]:
    tasks = either(
        {"type": "object", "additionalProperties": task, "minProperties": 1},
        {"type": "array", "items": {"allOf": [task, {"required": ["id"]}]}, "minItems": 1},
    )
    kinds = one_of(*KINDS)
    inputs = either({"type": "null"}, listed(TEXT), named(either({"type": "null"}, kinds, part("input"))))
    return {
        "name": told(maybe(TEXT), "what it is called"),
        "goal": told(maybe(TEXT), "what it is for"),
        "description": told(maybe(TEXT), "what it does"),
        "inputs": told(inputs, "what a run has to be given, by name"),
        "tasks": told(tasks, "what is to be done, by id"),
        "deliver": told(ANYTHING, "what comes of it: a reference like {ref: TASK.output}, or values that hold some"),
    }


def _definitions() -> dict[str, Schema]:
    return {**COMMON, "input": mapping(INPUT_FIELDS, _input()), "task": mapping(TASK_FIELDS, _task())}


def _input() -> dict[str, Schema]:
    return {
        "kind": one_of(*KINDS),
        "description": maybe(TEXT),
        "default": told(ANYTHING, "what is taken when none is given"),
        "required": told(maybe(FLAG), "whether it has to be given"),
        "labels": told(maybe(NAMES), "labels of its data, like PII"),
    }


def _task() -> dict[str, Schema]:
    choices = {name: maybe(one_of(*allowed)) for name, allowed in CHOICES.items()}
    return {
        "id": told(maybe(TEXT), "its name, where it is not the key"),
        "skill": told(maybe(TEXT), "what is to be done: a skill, like logs.analyse"),
        "objective": told(maybe(TEXT), "in a sentence, what is to come of it"),
        "inputs": told(maybe(_OBJECT), "the skill's arguments: values, and references like {ref: TASK.output}"),
        "after": told(maybe(NAMES), "tasks that must be done before"),
        "agent": told(maybe(TEXT), "who is to do it"),
        "output": told(maybe(_OBJECT), "the JSON Schema that its result has to meet"),
        "criteria": told(maybe(NAMES), "what a result has to meet to be accepted"),
        "effect": told(maybe(one_of(*EFFECTS)), "what it does to the world"),
        "labels": told(maybe(NAMES), "labels of its result"),
        "limits": told(maybe(mapping(LIMITS, _limits())), "what one attempt may use"),
        "when": told(maybe(TEXT), "the condition (CEL) on which it is done"),
        "for_each": told(maybe(_for_each()), "do it for each of a list"),
        "tools": told(maybe(NAMES), "tools that it needs"),
        "permissions": told(maybe(NAMES), "permissions that it needs"),
        "writes": told(maybe(TEXT), "the context entry that its result becomes"),
        "occurrence": told(ANYTHING, "what tells it from a task with the same effect"),
        "ladder": told(maybe(part("ladder")), "what to try next when it fails"),
        "join": told(maybe(_join()), "begin when some of several tasks are done"),
        "repeat": told(maybe(_repeat()), "do it in rounds"),
        "wait": told(maybe(LENGTH), "how long to wait before it begins"),
        "undo": told(maybe(_undo()), "how it is taken back"),
        "budget": told(maybe(BUDGET), "the most it may cost"),
        "ask": told(maybe(part("asks")), "who is asked, until when, and what silence comes to"),
        **choices,
    }


def _limits() -> dict[str, Schema]:
    number: Schema = {"type": ["number", "null"], "exclusiveMinimum": 0, "exclusiveMaximum": 1e9}
    return {
        "timeout": told(number, "seconds of an attempt"),
        "attempts": told(number, "tries at most"),
        "memory_mb": told(number, "memory in MB"),
        "output_kb": told(number, "printed output in KB"),
        "deadline": told(maybe(LENGTH), "until when it has to be done, from its first start"),
    }


def _for_each() -> Schema:
    reference = mapping(("ref", "default"), {"ref": ANYTHING}, "ref")
    literal = mapping(("literal",), {"literal": {"type": "array"}}, "literal")
    items = either({"type": "array"}, reference, literal)
    parts = {
        "items": told(items, "a list, or a reference to one"),
        "max": told(_COUNT, "how many items there may be"),
        "allow_failures": told(maybe(FLAG), "whether items may fail"),
        "parallel": told(_COUNT, "how many at once"),
    }
    return either(*items["anyOf"], mapping(FOR_EACH, parts, "items"))


def _join() -> Schema:
    parts = {
        "of": told(NAMES, "the tasks"),
        "take": told(either(one_of("first", "all"), {"type": "integer"}), "how many of them"),
        "rest": told(maybe(one_of("cancel", "keep")), "what becomes of the others"),
    }
    return either(listed(TEXT), mapping(JOIN, parts, "of"))


def _repeat() -> Schema:
    parts = {
        "max": told(whole(999_999_999), "rounds at most"),
        "until": told(maybe(TEXT), "the condition on which it ends"),
        "pause": told(maybe(LENGTH), "between two rounds"),
        "otherwise": told(maybe(one_of("fail", "keep")), "what holds when the condition never came true"),
    }
    return either(whole(999_999_999), mapping(REPEAT, parts, "max"))


def _undo() -> Schema:
    parts = {"skill": maybe(TEXT), "inputs": maybe(_OBJECT)}
    return either(TEXT, mapping(UNDO, parts))


def _inclusion() -> dict[str, Schema]:
    return {
        "include": told(TEXT, "the playbook whose tasks take this one's place"),
        "with": told(maybe(_OBJECT), "its inputs"),
        "id": maybe(TEXT),
        "after": maybe(NAMES),
        "when": maybe(TEXT),
        "objective": ANYTHING,
    }


def _step() -> Schema:
    return {"if": {"required": ["include"]}, "then": part("inclusion"), "else": part("task")}
