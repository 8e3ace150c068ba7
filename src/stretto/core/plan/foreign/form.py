"""The form of a task graph: where a document keeps its nodes, links and steps, and what they are called.

{"task_steps": ["Step 1: ..."],
 "task_nodes": [{"task": "TOOL", "arguments": ["a.jpg", "<node-0>", {"name": "language", "value": "fr"}]}],
 "task_links": [{"source": "TOOL", "target": "TOOL"}]}

The graph may stand under `result` or the like, its lists may be packed as text, and nodes and links may be called
`tool_...` or `sampled_...`.
"""

import json
import re
from dataclasses import dataclass
from typing import TypeAlias

from stretto.core.domain import Json
from stretto.core.plan.diagnostics import under

_FORMS = (("task_nodes", "task_links"), ("tool_nodes", "tool_links"), ("sampled_nodes", "sampled_links"))
_STEPS = ("task_steps", "tool_steps")
_WRAPPERS = ("", "result", "plan", "output", "response", "prediction")
_GOALS = ("user_request", "instruction", "request", "goal")
_TOOL = ("task", "tool", "id", "name")
_ENDS = (("source", "target"), ("from", "to"))
_STEP = re.compile(r"^\s*step\s+\d+\s*:\s*", re.IGNORECASE)

Argument: TypeAlias = tuple[str | None, Json]
"""A name, if the argument has one, and a value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskGraph:
    """A task graph as it stands, with what was packed as text unpacked.

    `at_nodes` and `at_links` are the paths of its lists in the document.
    """

    nodes: list[Json]
    links: Json
    steps: list[str]
    goal: str
    at_nodes: str
    at_links: str

    def tool(self, number: int) -> str:
        """Give the tool that a node names; no text when it names none."""
        node = self.nodes[number]
        if isinstance(node, str):
            return node
        named = (node.get(one) for one in _TOOL) if isinstance(node, dict) else ()
        return next((one for one in named if isinstance(one, str)), "")

    def arguments(self, number: int) -> Json:
        """Give what a node has for arguments, or None."""
        node = self.nodes[number]
        return node.get("arguments") if isinstance(node, dict) else None

    @property
    def is_bare(self) -> bool:
        """Whether no node at all has arguments: then the links alone say what goes where."""
        return not any(isinstance(one, dict) and "arguments" in one for one in self.nodes)

    def objective(self, number: int) -> str:
        """Give what the steps say about a node, where there is a step for each."""
        return _STEP.sub("", self.steps[number]) if len(self.steps) == len(self.nodes) else ""


def task_graph(document: Json) -> TaskGraph | None:
    """Find the task graph in a document, or say with None that there is none."""
    if not isinstance(document, dict):
        return None
    for wrapper in _WRAPPERS:
        body = unpacked(document.get(wrapper)) if wrapper else document
        if not isinstance(body, dict):
            continue
        for nodes, links in _FORMS:
            if isinstance(found := unpacked(body.get(nodes)), list):
                steps = next((unpacked(body[one]) for one in _STEPS if one in body), None)
                goals = (holder[one] for holder in (body, document) for one in _GOALS if one in holder)
                return TaskGraph(
                    nodes=[_node(one) for one in found],
                    links=unpacked(body.get(links)),
                    steps=steps if isinstance(steps, list) and all(isinstance(one, str) for one in steps) else [],
                    goal=next((one for one in goals if isinstance(one, str)), ""),
                    at_nodes=under(wrapper, nodes),
                    at_links=under(wrapper, links),
                )
    return None


def _node(raw: Json) -> Json:
    return {**raw, "arguments": unpacked(raw["arguments"])} if isinstance(raw, dict) and "arguments" in raw else raw


def ends(link: Json) -> tuple[str | None, str | None]:
    """Give the names that a link joins, or None for what it does not say."""
    if isinstance(link, dict):
        named = next(((link.get(a), link.get(b)) for a, b in _ENDS if a in link or b in link), (None, None))
    elif isinstance(link, list) and len(link) == 2:
        named = link[0], link[1]
    else:
        return None, None
    source, target = (one if isinstance(one, str) else None for one in named)
    return source, target


def argument(raw: Json) -> Argument:
    """Give an argument: `{"name": ..., "value": ...}` has a name, anything else is a value."""
    if isinstance(raw, dict) and isinstance(raw.get("name"), str) and raw.keys() <= {"name", "value", "type"}:
        return (raw["name"], raw["value"]) if "value" in raw else (None, raw["name"])
    return None, raw


def unpacked(value: Json) -> Json:
    """Give what a text holds that is JSON itself, as some writers pack their lists."""
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value
