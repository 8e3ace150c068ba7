"""From a task graph to a plan of ours: node k becomes the task `node-k`, `<node-k>` a reference, a link `after`.

What cannot be said in a plan of ours, because the arguments or a link cannot be read, is settled here where that
is safe, and told. The rest is left to the checker and to `repair`.
"""

from collections import Counter
from dataclasses import dataclass, field, replace

from stretto.core.domain import Json, Plan, Task
from stretto.core.plan.arguments import by_name
from stretto.core.plan.diagnostics import Diagnostic, Findings, diagnose, shown, under
from stretto.core.plan.foreign.form import TaskGraph, argument, task_graph
from stretto.core.plan.foreign.links import argument_circle, read_links, references_of
from stretto.core.plan.foreign.mentions import Mentions, is_placeholder, mentioned, reference
from stretto.core.plan.references import RESERVED
from stretto.core.plan.schemas import POSITIONAL, misnamed
from stretto.core.plan.shape import DEFAULT_SIZE, Size, measure
from stretto.core.routing import Roster


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What was read: the plan, what is wrong with its form, and where its parts stand in the document.

    `places` maps the beginning of a path in the plan to that in the document (`tasks.node-1` to `task_nodes[1]`).
    """

    plan: Plan = field(default_factory=Plan)
    found: list[Diagnostic]
    places: dict[str, str] = field(default_factory=dict)
    goal: str = ""

    def place(self, path: str) -> str:
        """Give the place in the document of a part of the plan."""
        here = path
        while here and here not in self.places:
            here = here[: max(here.rfind("."), here.rfind("["), 0)]
        return self.places[here] + path[len(here) :] if here else path


def read_task_graph(document: Json, agents: Roster, size: Size = DEFAULT_SIZE) -> Reading | None:
    """Read a task graph whose tools are skills of these agents; None when the document holds none.

    Its limits hold for what is packed as text too.
    """
    graph = task_graph(document)
    if graph is None:
        return None
    unpacked = {graph.at_nodes: graph.nodes, graph.at_links: graph.links}
    if (unfit := measure(document, size) or measure(unpacked, size)) is not None:
        return Reading(found=[unfit])
    if not graph.nodes:
        mend = "Add at least one node with a tool."
        return Reading(found=[diagnose("empty-plan", graph.at_nodes, "the plan has no task", mend)])
    if len(graph.nodes) > size.tasks:
        message = f"{len(graph.nodes)} tasks; the limit is {size.tasks}"
        return Reading(found=[diagnose("too-large", graph.at_nodes, message, "Split the plan.")])
    return _Reader(graph, agents).read()


class _Reader:
    def __init__(self, graph: TaskGraph, agents: Roster) -> None:
        self._graph, self._agents = graph, agents
        self._tools = [graph.tool(number) for number in range(len(graph.nodes))]
        self._links = read_links(graph)
        self._sources = self._links.by_target()
        self._findings = Findings()
        self._places: dict[str, str] = {}

    def read(self) -> Reading:
        tasks = tuple(self._task(number) for number in range(len(self._tools)))
        self._findings.add(self._links.found)
        self._findings.add([one for one in (argument_circle(self._graph),) if one is not None])
        self._compare_links()
        return Reading(plan=Plan(tasks=tasks), found=self._findings.all(), places=self._places, goal=self._graph.goal)

    def _say(self, code: str, path: str, message: str, mend: str, *, repaired: bool = False) -> None:
        self._findings.add([replace(diagnose(code, path, message, mend), repaired=repaired)])

    def _task(self, number: int) -> Task:
        id_, place = f"node-{number}", under(self._graph.at_nodes, number)
        self._places[f"tasks.{id_}"] = place
        self._places[f"tasks.{id_}.skill"] = f"{place}.task"
        self._places[f"tasks.{id_}.after"] = self._graph.at_links
        task = Task(
            id=id_,
            skill=self._tools[number],
            objective=self._graph.objective(number),
            inputs=self._arguments(number, f"{place}.arguments"),
            after=tuple(f"node-{one}" for one in self._sources.get(number, ())),
        )
        candidates = self._agents.candidates(task)
        if not candidates:
            return task
        return replace(task, inputs=by_name(task.inputs, self._agents.skill(task, candidates[0]).inputs))

    def _arguments(self, number: int, place: str) -> dict[str, Json]:
        raw = self._graph.arguments(number)
        if isinstance(raw, list):
            return self._inputs(number, raw, place)
        if self._graph.is_bare:
            return self._brought(number)
        if isinstance(raw, dict):
            inputs = self._inputs(number, [{"name": name, "value": one} for name, one in raw.items()], place)
            what, how = "a mapping", "They were taken by name."
        elif raw is not None:
            inputs, what, how = self._inputs(number, [raw], place), "a single value", "It was taken as the only one."
        else:
            inputs, what, how = self._brought(number), "missing", "The results that links bring were taken."
        message = f"the arguments of node {number} are {what}, not a list"
        mend = how if inputs else "Write a list of arguments; an empty one if it takes none."
        self._say("bad-value", place, message, mend, repaired=bool(inputs))
        return inputs

    def _brought(self, number: int) -> dict[str, Json]:
        """Give the results that links bring to a node, unless one has a type that the tool does not take."""
        sources = [one for one in self._sources.get(number, ()) if one != number]
        if not sources or any(self._misfit(source, number) for source in sources):
            return {}
        return {POSITIONAL: [reference(one) for one in sources]}

    def _inputs(self, number: int, raw: list[Json], place: str) -> dict[str, Json]:
        """Give arguments by name where they have one, the others in their order, and results told of within texts."""
        mentions = Mentions(self._tools, [one for one in self._sources.get(number, ()) if one != number])
        here = f"tasks.node-{number}.inputs"
        inputs: dict[str, Json] = {}
        positional: list[Json] = []
        again: Counter[str] = Counter()
        for at, one in enumerate(raw):
            name, value = argument(one)
            if name is not None and any(True for _ in mentioned(name)):  # name and value changed places
                name, value = (value if isinstance(value, str) and value else None), name
            value = mentions.read(value)
            if isinstance(value, str) and is_placeholder(value):
                message = f"{shown(value)} seems to stand for a result, and no link tells which"
                self._say("placeholder", under(place, at), message, "Write <node-0>, counted from 0.")
            if name is None or name == POSITIONAL or any(letter in name for letter in ".[]"):
                self._places[f"{here}.{POSITIONAL}[{len(positional)}]"] = under(place, at)
                positional.append(value)
            else:
                name = _free(name, inputs, again)
                self._places[under(here, name)] = under(place, at)
                inputs[name] = value
        if positional:
            inputs[POSITIONAL] = positional
        for other in mentions.in_text:
            name = _free(f"node-{other}", inputs, again)
            self._places[under(here, name)] = place
            inputs[name] = reference(other)
        return inputs

    def _compare_links(self) -> None:
        """Say which references no link tells of, and which links join types that do not fit."""
        referred = dict.fromkeys(references_of(self._graph))
        for source, target in referred:
            if source != target and (source, target) not in self._links.pairs:
                message = f"node {target} takes the result of node {source}, and no link says so"
                path = under(self._graph.at_nodes, target)
                self._say("undeclared-link", path, message, "The reference holds by itself; add the link.")
        for (source, target), place in self._links.pairs.items():
            if (source, target) not in referred and (problem := self._misfit(source, target)):
                message = f"the link from node {source} to node {target} brings {problem}"
                self._say("type-mismatch", place, message, "Convert it in between, or link other nodes.")

    def _misfit(self, source: int, target: int) -> str | None:
        """Say why a tool can take nothing of what another gives, or None when it may, or nothing is known."""
        one, other = (Task(id="x", skill=self._tools[number]) for number in (source, target))
        giving, taking = self._agents.candidates(one), self._agents.candidates(other)
        if not giving or not taking:
            return None
        given = self._agents.skill(one, giving[0]).output
        wanted = self._agents.skill(other, taking[0]).inputs.get("additionalProperties")
        return misnamed(given, wanted, wanted) if isinstance(wanted, dict) else None


def _free(name: str, taken: dict[str, Json], again: Counter[str]) -> str:
    """Give a name that no other argument has: the second of a name gets a 2 behind it."""
    free = name
    while free in taken or free in RESERVED:
        again[name] += 1
        free = f"{name}_{again[name] + 1}"
    return free
