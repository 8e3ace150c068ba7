"""Agents from functions, files and names: who works, and what a workspace says of them."""

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

from stretto.agent_files import ModelAgentSpec, read_agent_file
from stretto.agents.function import FunctionAgent
from stretto.agents.person import person
from stretto.agents.team import TeamAgent
from stretto.bootstrap.equipping import Equipping, Hired
from stretto.core.canonical import short
from stretto.core.domain import AgentCard, Json
from stretto.core.errors import BadAgent, BadWorkspace
from stretto.declare import is_declared
from stretto.models.prompt import Models
from stretto.ports import Agent
from stretto.settings import Settings, read_settings
from stretto.workspace import AgentSource

AnyAgent: TypeAlias = Agent | Callable[..., Any] | ModelAgentSpec | str | Path

SPECIALISTS = {
    name: f"stretto.specialists.{name}.skills"
    for name in ("retrieve", "query", "logs", "calculate", "verify", "summarise", "fetch", "report")
}

PERSON = ("name", "description", "skills")


def agents_of(given: Sequence[AnyAgent], models: Models) -> list[Agent]:
    """Give the agents that somebody handed over: functions, agents, and Markdown files of agents of kind `model`.

    Raises BadAgent for what cannot be one, BadWorkspace for what is wrong in a file.
    """
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise BadAgent(f"agents are a list of functions and agents, not {given!r}; put it in brackets")
    return Equipping([_agent(one) for one in given], models).all()


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
    module = _load(source.python, source.where)
    functions = _functions(module)
    if not functions:
        raise BadWorkspace(f"{source.where}: {source.python} defines no public function that could be a skill")
    return [carded(FunctionAgent(functions, name=source.name, description=_about(module)), source)]


def carded(agent: FunctionAgent | TeamAgent, source: AgentSource) -> Agent:
    """Put onto an agent's card what the workspace says of it."""
    backups = tuple(dict.fromkeys((*source.backups, *agent.card.backups)))
    agent.card = replace(agent.card, backups=backups, ladder=agent.card.ladder | source.ladder, **source.terms)
    return agent


def specialist(name: str, where: str = "", /, **options: Json) -> FunctionAgent:
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
        raise BadWorkspace(
            f"{source.where}: person has no option {next(iter(options))!r}; it takes {', '.join(PERSON)}"
        )
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


def _about(module: ModuleType) -> str:
    """Give the first paragraph of what a file says of itself; empty where it says nothing."""
    paragraph = (module.__doc__ or "").strip().split("\n\n")[0]
    return " ".join(paragraph.split())


def _functions(module: ModuleType) -> list[Callable[..., Any]]:
    """Give a module's own public functions; only the declared ones where any is declared."""
    own: list[Callable[..., Any]] = [
        one
        for name, one in vars(module).items()
        if inspect.isfunction(one) and one.__module__ == module.__name__ and not name.startswith("_")
    ]
    return [one for one in own if is_declared(one)] or own
