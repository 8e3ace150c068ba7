"""A workspace: a folder whose `workspace.yaml` names its agents, plans, inputs and rules."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, TypeVar

from stretto.agent_files import ModelAgentSpec, read_agent_file
from stretto.amounts import budget_of
from stretto.channels import read_channel
from stretto.core.domain import Asks, Budget, ContextSpec, FailureClass, InputSpec, Json, Ladder, Plan, Provider, Rules
from stretto.core.errors import BadChannel, BadPlan, BadWorkspace, UsageError
from stretto.core.limits import CHOICES_OF_RULES, OF_AGENTS, OF_RULES, listed_or, provider_of
from stretto.core.plan.asking import BadChain, place_of, read_asks, strangers
from stretto.core.plan.diagnostics import Diagnostic, diagnose, errors
from stretto.core.plan.inputs import Wanted
from stretto.core.plan.ladders import agents_in, read_ladder
from stretto.core.plan.shape import DEFAULT_SIZE, Size, read_plan
from stretto.documents import LARGEST, Document, Unreadable, read_document
from stretto.given import read_input
from stretto.models.definition import NO_MODELS, BadModel, ModelsSpec, chosen, models_of

T = TypeVar("T")

LONGEST_PATH = 4096
FILE, PLANS = "workspace.yaml", "plans"
FIELDS = (
    "name", "description", "goal", "agents", "plan", "inputs", "rules", "ladder", "budget", "context", "notify",
    "providers", "people", "ask", "models",
)  # fmt: skip
ON_CARDS = ("backups", "ladder", *OF_AGENTS)
PYTHON_FIELDS = ("python", "name", *ON_CARDS)
MODEL_FIELDS = ("file", "name", "model", *ON_CARDS)
TEAM_FIELDS = ("team", "name", "budget", "partial", *ON_CARDS)
RULES = tuple(one.name for one in fields(Rules) if one.name != "ladder")
"""What may stand in the file, with agents of each kind, and under `rules`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentSource:
    """Where an agent comes from: `builtin` names one that ships, `python` is a file with functions, `team` is the
    folder of another workspace, `spec` what a Markdown file describes.

    `options` are for the agent that ships, as `fetch` takes `allow`. `backups`, `ladder` and `terms` go onto its card.
    """

    builtin: str | None = None
    python: Path | None = None
    team: Path | None = None
    name: str | None = None
    where: str = ""
    options: dict[str, Json] = field(default_factory=dict)
    backups: tuple[str, ...] = ()
    ladder: Ladder = field(default_factory=dict)
    terms: dict[str, Any] = field(default_factory=dict)
    spec: ModelAgentSpec | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """What a workspace's file says. Paths are absolute; `notify` are channels of alerts as written, checked.

    `files` is where its own files are read: its folder, or a kept edition of it (see `stretto.editions`). What inputs
    name, the store and outputs are in its `folder` all the same.
    """

    folder: Path
    files: Path
    name: str
    description: str = ""
    goal: str = ""
    agents: tuple[AgentSource, ...] = ()
    plan: str | None = None
    inputs: dict[str, Json] = field(default_factory=dict)
    rules: dict[str, Json] = field(default_factory=dict)
    budget: Budget = field(default_factory=Budget)
    context: dict[str, ContextSpec] = field(default_factory=dict)
    notify: tuple[dict[str, Json], ...] = ()
    ladder: Ladder = field(default_factory=dict)
    providers: dict[str, Provider] = field(default_factory=dict)
    people: dict[str, dict[str, str]] = field(default_factory=dict)  # by name: where they can be reached
    ask: Asks = field(default_factory=dict)
    models: ModelsSpec = NO_MODELS

    @property
    def store(self) -> Path:
        """Where runs are kept unless somebody says otherwise."""
        return self.folder / ".stretto" / "runs.db"

    def plan_file(self, name: str | None = None) -> Path:
        """Find a plan: a path, or a name in the folder `plans`; raises BadWorkspace."""
        wanted = name or self.plan
        if wanted is None:
            raise BadWorkspace(f"{self.folder / FILE} names no plan; add `plan: FILE`, or hand one over with --plan")
        for path in (Path(wanted) if name else self.files / wanted, self.files / wanted, *self._named(wanted)):
            if path.is_file():
                return path
        known = ", ".join(sorted(path.stem for path in (self.files / PLANS).glob("*.y*ml")))
        raise BadWorkspace(f"there is no plan {wanted!r} in {self.folder}" + (f"; it has {known}" if known else ""))

    def _named(self, name: str) -> list[Path]:
        return [self.files / PLANS / f"{name}{suffix}" for suffix in (".yaml", ".yml", ".json")]


def read_workspace(folder: Path, laid: Callable[[Path], Path] = Path) -> Workspace:
    """Read `workspace.yaml`; raises BadWorkspace with file, line and column.

    `laid` gives where a file is read that an agent is named by, when that is elsewhere (see `stretto.editions`).
    """
    if not folder.exists():
        raise BadWorkspace(f"there is no folder {folder}; `stretto init {folder}` makes a workspace")
    file = folder / FILE if folder.is_dir() else folder
    if not file.exists():
        raise BadWorkspace(f"{folder} is no workspace, it has no {FILE}; `stretto init {folder}` makes one")
    try:
        document = read_document(file)
    except Unreadable as error:
        raise BadWorkspace(str(error.diagnostic)) from None
    return _Reader(document, file.parent.resolve(), laid).workspace()


def read_plan_file(
    path: Path, *, size: Size = DEFAULT_SIZE, largest: int = LARGEST
) -> tuple[Plan, list[Diagnostic], Document | None]:
    """Read a plan's file: the plan, what is wrong with its text and shape, and where things stand in it."""
    try:
        document = read_document(path, largest=largest)
    except Unreadable as error:
        return Plan(), [error.diagnostic], None
    plan, found = read_plan(document.value, size)
    return plan, document.placed(found), document


def resolve_inputs(
    plan: Plan,
    given: Mapping[str, Json] | Iterable[str],
    defaults: Mapping[str, Json],
    folder: Path | None,
    wanted: Mapping[str, Wanted],
) -> dict[str, Json]:
    """Give the inputs of a run: as given, else the workspace's defaults, else the plan's own; raises UsageError.

    They are given as values by name, or as texts: `NAME=VALUE`, read as what is `wanted` there, or a bare path.
    Files and folders become absolute paths; a folder given for `files` means the files in it.
    """
    if isinstance(given, Mapping):
        values, texts = {_known(plan, name, name): value for name, value in given.items()}, {}
    else:
        values, texts = {}, _texts(plan, given)
    found: dict[str, Json] = {}
    for name, spec in plan.inputs.items():
        if name in texts:
            is_value = spec.kind == "value"
            raw = read_input(name, texts[name], wanted.get(name, Wanted())) if is_value else list(texts[name])
            found[name] = _value(name, spec, raw, Path.cwd())
        elif name in values:
            found[name] = _value(name, spec, values[name], Path.cwd())
        elif name in defaults:
            found[name] = _value(name, spec, defaults[name], folder or Path.cwd())
        elif spec.default is not None or not spec.required:
            found[name] = spec.default
        else:
            told = f"{spec.kind}: {spec.description}" if spec.description else spec.kind
            raise UsageError(f"the plan needs the input {name!r} ({told}); give it with --input {name}=...")
    return found


def _texts(plan: Plan, given: Iterable[str]) -> dict[str, list[str]]:
    named: dict[str, list[str]] = {}
    for text in given:
        name, value = _split(text, plan)
        named.setdefault(name, []).append(value)
    return named


def goal_inputs(
    given: dict[str, Json] | Iterable[str],
    defaults: dict[str, Json],
    folder: Path | None,
    mentioned: Iterable[str],
    wanted: Mapping[str, Wanted],
) -> tuple[dict[str, Json], dict[str, InputSpec]]:
    """Give the inputs of a run whose goal is still to be planned, and of which kind each is.

    `NAME=VALUE`, read as what is `wanted` by that name, and bare paths as given, else the workspace's defaults; a
    value that is the path of something there is a file or folder. Bare paths, and those the goal mentions, are the
    input `files`.
    """
    values: dict[str, Json] = {}
    kinds: dict[str, InputSpec] = {}
    bare: list[Path] = []

    def take(name: str, value: Json, base: Path) -> None:
        values[name], kinds[name] = _told(value, base)

    for name, value in defaults.items():
        take(name, value, folder or Path.cwd())
    if isinstance(given, dict):
        for name, value in given.items():
            take(name, value, Path.cwd())
    else:
        several: dict[str, list[str]] = {}
        for text in given:
            name, equals, value = text.partition("=")
            if equals and name.isidentifier() and not Path(text).exists():
                several.setdefault(name, []).append(value)
            elif (path := Path(text).expanduser().absolute()).exists():
                bare.append(path)
            else:
                raise UsageError(f"--input {text!r}: there is no such file; values are given as NAME=VALUE")
        for name, found in several.items():
            take(name, read_input(name, found, wanted.get(name, Wanted())), Path.cwd())
    known = [one for value in values.values() for one in (value if isinstance(value, list) else [value])]
    for text in mentioned:
        places = [base / Path(text).expanduser() for base in (Path.cwd(), folder) if base is not None]
        there = next((path.absolute() for path in places if path.exists()), None)
        if there is not None and str(there) not in known:
            bare.append(there)
    files = [str(one) for one in dict.fromkeys(bare) if one.is_file()]
    if files:
        values["files"] = [*values.get("files", []), *files]
        kinds["files"] = InputSpec(kind="files")
    for number, one in enumerate([one for one in dict.fromkeys(bare) if one.is_dir()], 1):
        name = "folder" if number == 1 else f"folder_{number}"
        values[name], kinds[name] = str(one), InputSpec(kind="folder")
    return values, kinds


def _told(value: Json, base: Path) -> tuple[Json, InputSpec]:
    """Tell files and folders from plain values; their paths become absolute."""
    many = value if isinstance(value, list) else [value]
    if many and all(isinstance(one, str | Path) and str(one) for one in many):
        paths = [(base / Path(one).expanduser()).absolute() for one in many if len(str(one)) < LONGEST_PATH]
        if len(paths) == len(many) and all(path.is_file() for path in paths):
            if isinstance(value, list):
                return [str(path) for path in paths], InputSpec(kind="files")
            return str(paths[0]), InputSpec(kind="file")
        if len(paths) == 1 == len(many) and paths[0].is_dir():
            return str(paths[0]), InputSpec(kind="folder")
    return (str(value) if isinstance(value, Path) else value), InputSpec()


def _split(text: str, plan: Plan) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if equals and name in plan.inputs:
        return name, value
    files = [one for one, spec in plan.inputs.items() if spec.kind in ("files", "file")]
    if files and (not equals or Path(text).exists()):
        return files[0], text
    return _known(plan, name if equals else "", f"--input {text!r}"), value


def _known(plan: Plan, name: str, shown: str) -> str:
    if name not in plan.inputs:
        known = ", ".join(plan.inputs) or "none"
        raise UsageError(f"{shown} names no input of the plan; it has {known}, given as NAME=VALUE")
    return name


def _value(name: str, spec: InputSpec, raw: Json, base: Path) -> Json:
    if spec.kind == "value" or (raw is None and not spec.required):
        return raw
    paths = []
    for one in raw if isinstance(raw, list | tuple) else [raw]:
        if not isinstance(one, str | Path) or not str(one):
            raise UsageError(f"the input {name!r} is a path, not {one!r}")
        path = (base / Path(one).expanduser()).absolute()
        if not path.exists():
            raise UsageError(f"the input {name!r}: there is no {path}")
        if spec.kind == "files" and path.is_dir():
            inside = sorted(inner for inner in path.iterdir() if inner.is_file() and not inner.name.startswith("."))
            if not inside:
                raise UsageError(f"the input {name!r}: there is no file in the folder {path}; name one that has some")
            paths += inside
        else:
            paths.append(path)
    wrong = [path for path in paths if path.is_dir() != (spec.kind == "folder")]
    if wrong:
        raise UsageError(f"the input {name!r} wants a {'folder' if spec.kind == 'folder' else 'file'}: {wrong[0]}")
    if spec.kind == "files":
        return [str(path) for path in dict.fromkeys(paths)]
    if len(paths) != 1:
        raise UsageError(f"the input {name!r} takes one path, not {len(paths)}")
    return str(paths[0])


class _Reader:
    """Reads one workspace file, with the place of whatever is wrong."""

    def __init__(self, document: Document, folder: Path, laid: Callable[[Path], Path]) -> None:
        self._document, self._folder, self._laid = document, folder, laid

    def workspace(self) -> Workspace:
        body = self._document.value
        if not isinstance(body, dict):
            raise self._bad("", "a workspace is a mapping; begin with `name:`")
        for name in body:
            if name not in FIELDS:
                raise self._bad(name, f"a workspace has no field {name!r}; known: {', '.join(FIELDS)}")
        agents = body.get("agents") or []
        if not isinstance(agents, list):
            raise self._bad("agents", "`agents` is a list")
        inputs = body.get("inputs") or {}
        if not isinstance(inputs, dict):
            raise self._bad("inputs", "`inputs` is a mapping from names to values")
        sources = tuple(self._agent(one, f"agents[{number}]") for number, one in enumerate(agents))
        ladder = self._ladder(body.get("ladder"), "ladder")
        self._know_each_other(sources, ladder)
        return Workspace(
            folder=self._folder,
            files=self._folder,
            name=self._text(body, "name") or self._folder.name,
            description=self._text(body, "description"),
            goal=self._text(body, "goal"),
            agents=sources,
            plan=self._text(body, "plan") or None,
            inputs=inputs,
            rules=self._rules(body.get("rules") or {}),
            budget=self._budget(body.get("budget")),
            context=self._context(body.get("context") or {}),
            notify=self._notify(body.get("notify") or []),
            ladder=ladder,
            providers=self._providers(body.get("providers") or {}),
            people=self._people(body.get("people") or {}),
            ask=self._asks(body.get("ask") or {}, body.get("people") or {}),
            models=self._models(body.get("models") or {}),
        )

    def _agent(self, raw: Json, path: str) -> AgentSource:
        where = self._document.where(path)
        if isinstance(raw, str):
            if raw.endswith(".py"):
                raw = {"python": raw}
            elif raw.endswith(".md"):
                raw = {"file": raw}
            else:
                return AgentSource(builtin=raw, where=where)
        if isinstance(raw, dict) and isinstance(raw.get("use"), str):
            options = {name: value for name, value in raw.items() if name not in ("use", *ON_CARDS)}
            return AgentSource(builtin=raw["use"], where=where, options=options, **self._on_card(raw, path))
        if isinstance(raw, dict) and isinstance(raw.get("team"), str):
            return self._team(raw, path)
        if isinstance(raw, dict) and isinstance(raw.get("file"), str):
            return self._described(raw, path)
        if not isinstance(raw, dict) or not isinstance(raw.get("python"), str):
            raise self._bad(
                path,
                "an agent is the name of one that ships, `use: NAME` with options, `file: FILE.md`, `python: FILE` or "
                "`team: FOLDER`",
            )
        for name in raw:
            if name not in PYTHON_FIELDS:
                raise self._bad(f"{path}.{name}", f"an agent has no field {name!r}; known: {', '.join(PYTHON_FIELDS)}")
        file = self._laid(self._folder / raw["python"]).resolve()
        if not file.is_file():
            raise self._bad(f"{path}.python", f"there is no file {file}")
        return AgentSource(
            python=file, name=self._name(raw, path) or file.stem, where=where, **self._on_card(raw, path)
        )

    def _described(self, raw: dict[str, Json], path: str) -> AgentSource:
        """Read an agent of kind `model` from its file; what the entry says of it goes before what the file says."""
        for name in raw:
            if name not in MODEL_FIELDS:
                raise self._bad(f"{path}.{name}", f"an agent has no field {name!r}; known: {', '.join(MODEL_FIELDS)}")
        file = self._laid(self._folder / raw["file"]).resolve()
        if not file.is_file():
            raise self._bad(f"{path}.file", f"there is no file {file}")
        spec = read_agent_file(file)
        models = raw.get("model") or spec.models
        names = (models,) if isinstance(models, str) else models
        if not isinstance(names, list | tuple) or not all(isinstance(one, str) and one for one in names):
            raise self._bad(f"{path}.model", f"`model` names a model, or several in a list; not {models!r}")
        own = self._on_card(raw, path)
        card = {**spec.card, **own["terms"], "backups": own["backups"] or spec.card["backups"]}
        card["ladder"] = {**spec.card["ladder"], **own["ladder"]}
        if name := self._name(raw, path):
            spec = spec.called(name)
        spec = replace(spec, models=tuple(names), card=card)
        return AgentSource(spec=spec, name=spec.name, where=self._document.where(path), **own)

    def _name(self, raw: dict[str, Json], path: str) -> str:
        name = raw.get("name") or ""
        if not isinstance(name, str):
            raise self._bad(f"{path}.name", f"an agent's name is text, not {name!r}; put it in quotes")
        return name

    def _on_card(self, raw: dict[str, Json], path: str) -> dict[str, Any]:
        """Read what an entry says of an agent's card besides what the agent itself declares."""
        backups = raw.get("backups") or ()
        names = [backups] if isinstance(backups, str) else backups
        if not isinstance(names, list | tuple) or not all(isinstance(one, str) and one for one in names):
            raise self._bad(f"{path}.backups", "`backups` is a list of agents' names")
        return {
            "backups": tuple(names),
            "ladder": self._ladder(raw.get("ladder"), f"{path}.ladder"),
            "terms": self._terms(raw, path),
        }

    def _know_each_other(self, sources: Sequence[AgentSource], ladder: Ladder) -> None:
        """Make sure that whoever is to take over is there."""
        known = [str(one.name or one.builtin) for one in sources]
        wanted = [(f"agents[{n}].backups", name) for n, one in enumerate(sources) for name in one.backups]
        wanted += [(f"ladder.{path}", name) for path, name in agents_in(ladder)]
        for number, one in enumerate(sources):
            wanted += [(f"agents[{number}].ladder.{path}", name) for path, name in agents_in(one.ladder)]
        for path, name in wanted:
            if name not in known:
                raise self._bad(path, f"there is no agent {name!r}; known: {', '.join(known)}")

    def _terms(self, raw: dict[str, Json], path: str) -> dict[str, Any]:
        """Read what holds for an agent as a whole: its provider, rate, breaker and attempts at once."""
        return {name: self._read(OF_AGENTS[name], raw[name], f"{path}.{name}") for name in OF_AGENTS if name in raw}

    def _providers(self, raw: Json) -> dict[str, Provider]:
        if not isinstance(raw, dict):
            raise self._bad("providers", "`providers` is a mapping from names to what each takes")
        return {str(name): self._read(provider_of, one, f"providers.{name}") for name, one in raw.items()}

    def _read(self, reader: Callable[[Any], T], raw: Json, path: str) -> T:
        try:
            return reader(raw)
        except UsageError as error:
            raise self._bad(path, str(error)) from None

    def _ladder(self, raw: Json, path: str) -> Ladder:
        if raw is None:
            return {}
        ladder, wrong = read_ladder(raw, path)
        if wrong:
            raise self._bad(wrong[0].path, f"{wrong[0].message}. {wrong[0].mend}")
        return ladder

    def _team(self, raw: dict[str, Json], path: str) -> AgentSource:
        for name in raw:
            if name not in TEAM_FIELDS:
                raise self._bad(f"{path}.{name}", f"a team has no field {name!r}; known: {', '.join(TEAM_FIELDS)}")
        folder = self._laid(self._folder / raw["team"]).resolve()
        if not (folder / FILE).is_file():
            raise self._bad(f"{path}.team", f"{folder} is no workspace, it has no {FILE}")
        if raw.get("partial", "refuse") not in ("refuse", "accept"):
            raise self._bad(f"{path}.partial", f"partial is refuse or accept, not {raw['partial']!r}")
        if "budget" in raw:
            try:
                budget_of(str(raw["budget"]))
            except UsageError as error:
                raise self._bad(f"{path}.budget", str(error)) from None
        options: dict[str, Json] = {name: raw[name] for name in ("budget", "partial") if name in raw}
        where = self._document.where(path)
        name = self._name(raw, path) or folder.name
        return AgentSource(team=folder, name=name, where=where, options=options, **self._on_card(raw, path))

    def _rules(self, raw: Json) -> dict[str, Json]:
        if not isinstance(raw, dict):
            raise self._bad("rules", "`rules` is a mapping")
        for name, value in raw.items():
            if name not in RULES:
                raise self._bad(f"rules.{name}", f"rules have no field {name!r}; known: {', '.join(RULES)}")
            if name == "retries":
                if not isinstance(value, dict) or not all(isinstance(one, int) and one >= 0 for one in value.values()):
                    raise self._bad("rules.retries", "`retries` maps classes of failure to numbers of tries")
                if unknown := next((one for one in value if one not in list(FailureClass)), None):
                    told = f"there is no class of failure {unknown!r}; known: {', '.join(FailureClass)}"
                    raise self._bad(f"rules.retries.{unknown}", told)
            elif name in OF_RULES:
                self._read(OF_RULES[name], value, f"rules.{name}")
            elif name in CHOICES_OF_RULES:
                if value not in CHOICES_OF_RULES[name]:
                    raise self._bad(f"rules.{name}", f"{name} is {listed_or(CHOICES_OF_RULES[name])}, not {value!r}")
            elif name == "replans":
                if isinstance(value, bool) or not isinstance(value, int) or value < 0:
                    raise self._bad("rules.replans", f"replans is a whole number, 0 or more, not {value!r}")
            elif isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
                raise self._bad(f"rules.{name}", f"{name} is a number above 0, not {value!r}")
        return raw

    def _context(self, raw: Json) -> dict[str, ContextSpec]:
        if not isinstance(raw, dict):
            raise self._bad("context", "`context` is a mapping from entries to their JSON Schemas")
        from stretto.validation import JsonSchemas  # loads jsonschema: only for those who declare a context

        found = {}
        for name, schema in raw.items():
            path = f"context.{name}"
            if not name or any(letter in name for letter in ".[]"):
                raise self._bad(path, f"{name!r} cannot be referred to; use a name without dots and brackets")
            if isinstance(schema, str):
                schema = {"type": schema}
            if not isinstance(schema, dict):
                raise self._bad(path, f"the schema of {name!r} is a mapping like {{type: string}}")
            if problem := JsonSchemas().problem_of(schema):
                raise self._bad(path, f"this is no JSON Schema: {problem}")
            found[name] = ContextSpec(schema=schema, description=str(schema.get("description", "")))
        return found

    def _notify(self, raw: Json) -> tuple[dict[str, Json], ...]:
        if not isinstance(raw, list):
            raise self._bad("notify", "`notify` is a list of channels, like `- terminal` or `- {webhook: URL}`")
        for number, entry in enumerate(raw):
            try:
                read_channel(entry)
            except BadChannel as error:
                place = f"notify[{number}].{error.field}" if error.field else f"notify[{number}]"
                raise self._bad(place, error.problem) from None
        return tuple({entry: True} if isinstance(entry, str) else entry for entry in raw)

    def _people(self, raw: Json) -> dict[str, dict[str, str]]:
        """Give who is there; their addresses stay in the workspace, and never go into the journal."""
        if isinstance(raw, list):
            raw = {str(one): None for one in raw}
        if not isinstance(raw, dict):
            raise self._bad(
                "people", "`people` is a mapping from names to where they are reached, like {mail: a@b.org}"
            )
        found = {}
        for name, body in raw.items():
            ways = {} if body is None else body
            if not isinstance(ways, dict) or not all(isinstance(one, str) for one in ways.values()):
                raise self._bad(f"people.{name}", f"{name!r} is reached by ways like {{mail: {name}@example.org}}")
            found[str(name)] = ways
        return found

    def _asks(self, raw: Json, people: Collection[str]) -> Asks:
        try:
            found = read_asks(raw) if raw else {}
        except BadChain as error:
            raise self._bad(place_of(error, "ask"), str(error)) from None
        if unknown := strangers(found, people):
            raise self._bad("ask", f"{unknown[0]!r} is not among the people: {', '.join(people)}")
        return found

    def _models(self, raw: Json) -> ModelsSpec:
        try:
            spec = models_of(raw)
            chosen([spec])
        except BadModel as error:
            raise self._bad(f"models.{error.field}" if error.field else "models", error.problem) from None
        return spec

    def _budget(self, raw: Json) -> Budget:
        if raw is None:
            return Budget()
        try:
            return budget_of(str(raw))
        except UsageError as error:
            raise self._bad("budget", str(error)) from None

    def _text(self, body: dict[str, Json], name: str) -> str:
        value = body.get(name, "")
        if value is not None and not isinstance(value, str):
            raise self._bad(name, f"{name} is text, not {value!r}")
        return value or ""

    def _bad(self, path: str, message: str) -> BadWorkspace:
        return BadWorkspace(f"{self._document.where(path)}: {message}")


def require(plan: Plan, found: list[Diagnostic]) -> Plan:
    """Give the plan, or raise BadPlan when there are errors."""
    if not plan.tasks and not errors(found):
        found = [*found, diagnose("empty-plan", "tasks", "the plan has no task", "Add at least one task.")]
    if errors(found):
        raise BadPlan(found)
    return plan
