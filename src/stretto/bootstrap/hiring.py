"""Agents from functions, files and names: who works, and what a workspace says of them.

Agents of kind `model` are hired last, for their tools are skills of the others.
"""

import importlib
import importlib.util
import inspect
import sys
import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any, TypeAlias, cast

from stretto.agent_files import ModelAgentSpec, name_of, read_agent_file
from stretto.agents.function import FunctionAgent
from stretto.agents.model import ModelAgent
from stretto.agents.person import person
from stretto.agents.team import TeamAgent
from stretto.agents.tools import tools_named
from stretto.core.canonical import short
from stretto.core.domain import AgentCard, Json, Skill
from stretto.core.errors import BadAgent, BadWorkspace, UsageError
from stretto.core.plan.names import Names
from stretto.declare import is_declared
from stretto.models.prompt import Model, Models
from stretto.ports import Agent
from stretto.settings import Settings, read_settings
from stretto.validation import JsonSchemas
from stretto.workspace import AgentSource

AnyAgent: TypeAlias = Agent | Callable[..., Any] | ModelAgentSpec | str | Path
Hired: TypeAlias = Agent | ModelAgentSpec

SPECIALISTS = {
    name: f"stretto.specialists.{name}.skills"
    for name in ("retrieve", "query", "logs", "calculate", "verify", "summarise", "fetch", "report")
}

_PERSON = "name, description, skills"


def agents_of(given: Sequence[AnyAgent], models: Models) -> list[Agent]:
    """Give the agents that somebody handed over: functions, agents, and Markdown files of agents of kind `model`.

    Raises BadAgent for what cannot be one, BadWorkspace for what is wrong in a file.
    """
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise BadAgent(f"agents are a list of functions and agents, not {given!r}; put it in brackets")
    return _Hiring([_agent(one) for one in given], models).all()


def hired(source: AgentSource, settings: Settings) -> list[Hired]:
    """Give the agents that an entry of a workspace stands for, unless it is a team; raises BadWorkspace."""
    if source.builtin == "person":
        return [_person(source)]
    if source.builtin is not None:
        ships = specialist(source.builtin, source.where, **{**_options(source.builtin, settings), **source.options})
        return [carded(ships, source)]
    if source.spec is not None:
        return [_with_neighbours(source.spec)]
    if source.python is None or source.name is None:
        return []
    functions = _functions(_load(source.python, source.where))
    if not functions:
        raise BadWorkspace(f"{source.where}: {source.python} defines no public function that could be a skill")
    return [carded(FunctionAgent(functions, name=source.name), source)]


def carded(agent: FunctionAgent | TeamAgent, source: AgentSource) -> Agent:
    """Put onto an agent's card what the workspace says of it."""
    backups = tuple(dict.fromkeys((*source.backups, *agent.card.backups)))
    agent.card = replace(agent.card, backups=backups, ladder=agent.card.ladder | source.ladder, **source.terms)
    return agent


def specialist(name: str, where: str = "", **options: Json) -> FunctionAgent:
    """Give an agent that ships with Stretto, with its options: `specialist("fetch", allow=["example.org"])`.

    Raises BadWorkspace for an unknown agent, and for options that it does not take.
    """
    module = SPECIALISTS.get(name)
    if module is None:
        place = f"{where}: " if where else ""
        raise BadWorkspace(f"{place}no agent {name!r} ships with Stretto; it has {', '.join(SPECIALISTS)}")
    skills = importlib.import_module(module)
    description = (skills.__doc__ or "").split("\n")[0]
    return FunctionAgent(_configured(skills, name, where, options), name=name, description=description)


def specialists(settings: Settings | None = None) -> list[Agent]:
    """Give every agent that ships with Stretto, as the settings have it."""
    chosen = settings or read_settings(None)
    return [specialist(name, **_options(name, chosen)) for name in SPECIALISTS]


class _Hiring:
    """Hires a crew: each agent of kind `model` once those are hired whose skills are its tools."""

    def __init__(self, crew: Sequence[Hired], models: Models) -> None:
        self._crew, self._models = crew, models
        self._schemas = JsonSchemas()
        self._done: dict[int, Agent] = {}
        self._names = [one.name if isinstance(one, ModelAgentSpec) else one.card.name for one in crew]

    def all(self) -> list[Agent]:
        """Give everybody, in the order in which they were handed over."""
        return [self._hire(one, ()) for one in self._crew]

    def _hire(self, one: Hired, path: tuple[str, ...]) -> Agent:
        if not isinstance(one, ModelAgentSpec):
            return one
        if id(one) not in self._done:
            for name in one.card["backups"]:
                if name not in self._names:
                    mend = Names(lambda: self._names).mend(name)
                    raise one.bad("backups", f"there is no agent {name!r}. {mend}")
            tools = tools_named(self._tools(one, (*path, one.name)))
            self._done[id(one)] = ModelAgent(one, self._models_of(one), tools, self._schemas)
        return self._done[id(one)]

    def _models_of(self, spec: ModelAgentSpec) -> tuple[Model, ...]:
        try:
            named = [model for name in spec.models for model in self._models.named(name)]
        except UsageError as error:
            raise spec.bad("model", str(error)) from None
        return tuple(dict.fromkeys(named)) if spec.models else self._models.of("worker")

    def _tools(self, spec: ModelAgentSpec, path: tuple[str, ...]) -> Iterable[tuple[str, Agent, Skill]]:
        """Give the tools that a description names: functions of its own, or skills of other agents."""
        named = [one for one in spec.functions if name_of(one) in spec.tools]
        own = FunctionAgent(named, description=spec.description) if named else None
        functions = {skill.name: skill for skill in own.card.skills} if own is not None else {}
        for number, name in enumerate(spec.tools):
            place = f"tools[{number}]" if len(spec.tools) > 1 else "tools"
            found = [
                (one, skill) for one in self._crew if one is not spec for skill in _skills(one) if skill.name == name
            ]
            if own is not None and name in functions:
                if found:
                    raise spec.bad(place, f"{name!r} is a function beside it, and a skill as well; rename the function")
                yield name, own, functions[name]
                continue
            if not found:
                known = [
                    *map(name_of, spec.functions),
                    *(skill.name for one in self._crew if one is not spec for skill in _skills(one)),
                ]
                raise spec.bad(place, f"there is no skill or function {name!r}. {Names(lambda: known).mend(name)}")  # noqa: B023
            one, skill = found[0]
            if isinstance(one, ModelAgentSpec):
                if one.name in path:
                    raise spec.bad(place, f"{' -> '.join((*path, one.name))}: they would be tools of each other")
                agent = self._hire(one, path)
                yield name, agent, next(each for each in agent.card.skills if each.name == name)
            elif one.card.kind in ("team", "person"):
                raise spec.bad(
                    place, f"{name!r} is done by a {one.card.kind}, and no tool of a model; give the plan a task for it"
                )
            else:
                yield name, one, skill


def _skills(one: Hired) -> Sequence[Skill]:
    return one.skills if isinstance(one, ModelAgentSpec) else one.card.skills


def _with_neighbours(spec: ModelAgentSpec) -> ModelAgentSpec:
    """Give a description with the functions of the Python file beside it, of which its tools may be some."""
    beside = spec.file.with_suffix(".py") if spec.file is not None else None
    if beside is None or not spec.tools or not beside.is_file():
        return spec
    return replace(spec, functions=tuple(_functions(_load(beside, str(spec.file)))))


def _agent(given: AnyAgent) -> Hired:
    if isinstance(given, ModelAgentSpec):
        return given
    if isinstance(given, str | Path) and str(given).endswith(".md"):
        return _with_neighbours(read_agent_file(Path(given)))
    if isinstance(getattr(given, "card", None), AgentCard):
        return cast(Agent, given)
    if callable(given) and not isinstance(given, type):
        return FunctionAgent([given])
    if isinstance(given, str) and given in SPECIALISTS:
        raise BadAgent(f"{given!r} is a name; the agent is `stretto.bootstrap.specialist({given!r})`")
    raise BadAgent(
        f"{given!r} is no agent; hand over functions, `Agent([f, g], name=...)` made of some, or the path of a "
        "Markdown file that describes one"
    )


def _person(source: AgentSource) -> Agent:
    options = dict(source.options)
    name, skills = options.pop("name", ""), options.pop("skills", ())
    description = str(options.pop("description", "") or "")
    if options:
        raise BadWorkspace(f"{source.where}: person has no option {next(iter(options))!r}; it takes {_PERSON}")
    try:
        return person(name, skills, description)
    except BadAgent as error:
        raise BadWorkspace(f"{source.where}: {error}") from None


def _options(name: str, settings: Settings) -> dict[str, Json]:
    """Give what the settings say of an agent that ships."""
    return {"allow": settings.fetch_allow} if name == "fetch" else {}


def _configured(module: ModuleType, name: str, where: str, options: dict[str, Json]) -> list[Callable[..., Any]]:
    """Give a specialist's functions: its `skills(**options)` where it has one, else those of the module."""
    place = f"{where}: " if where else ""
    factory = getattr(module, "skills", None)
    known = list(inspect.signature(factory).parameters) if factory is not None else []
    unknown = sorted(set(options) - set(known))
    if unknown:
        told = f"it takes {', '.join(known)}" if known else "it takes none"
        raise BadWorkspace(f"{place}{name} has no option {unknown[0]!r}; {told}")
    if factory is None:
        return _functions(module)
    try:
        found: list[Callable[..., Any]] = factory(**options)
    except BadWorkspace as error:
        raise BadWorkspace(f"{place}{error}") from None
    return found


def _load(file: Path, where: str) -> ModuleType:
    """Load a workspace's Python file under a name of its own; raises BadWorkspace with file and line."""
    name = f"stretto_workspace_{file.stem}_{short(str(file), 8)}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise BadWorkspace(f"{where}: {file} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    before = set(sys.modules)
    sys.path.insert(0, str(file.parent))
    try:
        spec.loader.exec_module(module)
    except SyntaxError as error:
        place = ":".join(str(part) for part in (error.filename or file, error.lineno, error.offset) if part)
        raise BadWorkspace(f"{place}: {error.msg}") from None
    except Exception as error:
        lines = [one.lineno for one in traceback.extract_tb(error.__traceback__) if one.filename == str(file)]
        place = f"{file}:{lines[-1]}" if lines else str(file)
        raise BadWorkspace(f"{place}: {type(error).__name__}: {error}") from error
    finally:
        sys.path.remove(str(file.parent))
        # Its neighbours stay its own: another workspace may have files of the same names.
        for fresh in set(sys.modules) - before:
            if str(getattr(sys.modules[fresh], "__file__", "")).startswith(f"{file.parent}/"):
                del sys.modules[fresh]
    return module


def _functions(module: ModuleType) -> list[Callable[..., Any]]:
    """Give a module's own public functions; only the declared ones where any is declared."""
    own: list[Callable[..., Any]] = [
        one
        for name, one in vars(module).items()
        if inspect.isfunction(one) and one.__module__ == module.__name__ and not name.startswith("_")
    ]
    return [one for one in own if is_declared(one)] or own
