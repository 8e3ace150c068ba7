"""What arguments can be made of: inputs of the run, what the goal says literally, and the results of skills."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from stretto.core.domain import InputSpec, Json, Schema
from stretto.core.plan.schemas import type_of
from stretto.planners.rules.goals import Clause, Said
from stretto.planners.rules.kinds import (
    ALIKE,
    FILEISH,
    FOLDERISH,
    GOALISH,
    LOOSE,
    NAME,
    NOTHING,
    SHAPE,
    TYPE,
    VAGUE,
    Kind,
    fit,
    list_of,
    of,
)
from stretto.planners.rules.words import named

_TEXT: Schema = {"type": "string"}
_NAMES: dict[str, str] = {
    "address": "address recipient email",
    "url": "url address link",
    "sql": "sql query statement",
    "expression": "expression formula sum",
}
_EACH, _WRAPPED, _PART = 4, 4, 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Supply:
    """A value that is there, or that a skill makes (`maker`); `steps` lead into the result, as in `.rows`.

    `spread` says that it is the list of a fan-out. `called` are its names; `files` tells paths apart from other
    text: they serve only what asks for paths, and first of all when the clause points to them.
    """

    value: Json
    kind: Kind
    called: tuple[tuple[str, ...], ...] = ()
    nothing: bool = False
    files: str = ""
    pointed: bool = False
    maker: str | None = None
    steps: str = ""
    spread: bool = False
    own_words: bool = False

    def shows(self) -> str:
        """Say it in a few words."""
        if self.maker is not None:
            return f"{self.maker}{self.steps}"
        if isinstance(self.value, dict) and "ref" in self.value:
            return str(self.value["ref"])
        if self.pointed and isinstance(self.value, list):
            return ", ".join(str(one["ref"]) for one in self.value)
        if self.nothing:
            return "left empty"
        return "the goal's own words" if self.own_words else repr(self.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One way to give an argument: from a supply, for each of its items or as the only item of a list."""

    supply: Supply
    penalty: int
    each: bool = False
    wrapped: bool = False


def from_inputs(inputs: dict[str, Json], specs: dict[str, InputSpec]) -> Iterator[Supply]:
    """Give the inputs of a run as supplies."""
    for name, value in inputs.items():
        kind = specs.get(name, InputSpec()).kind
        reference = {"ref": f"inputs.{name}"}
        called = (named(name),)
        if kind == "files":
            yield Supply(value=reference, kind=of({"type": "array", "items": _TEXT}), called=called, files="files")
            if isinstance(value, list) and len(value) == 1:
                yield Supply(value={"ref": f"inputs.{name}[0]"}, kind=of(_TEXT), called=called, files="file")
        elif kind in ("file", "folder"):
            yield Supply(value=reference, kind=of(_TEXT), called=called, files=kind)
        else:
            yield Supply(value=reference, kind=of({"type": type_of(value)}), called=called)


def from_words(
    clause: Clause, said: tuple[Said, ...], inputs: dict[str, Json], specs: dict[str, InputSpec]
) -> Iterator[Supply]:
    """Give what a clause says literally, or else the goal, the files it names, and the clause's own words."""
    yield from _named_files(clause, inputs, specs)
    for one in clause.said or said:
        if one.what == "path":
            continue
        names = _NAMES.get(one.what, one.noun)
        called = tuple((stemmed,) for word in names.split() for stemmed in named(word)) if names else ()
        if one.what == "text":
            called = tuple((stemmed,) for stemmed in named("text phrase quote title"))
        yield Supply(value=one.value, kind=of({"type": type_of(one.value)}), called=called)
    yield Supply(value=clause.text, kind=of(_TEXT), own_words=True)
    yield Supply(value=None, kind=of({"type": "null"}), nothing=True)


def _named_files(clause: Clause, inputs: dict[str, Json], specs: dict[str, InputSpec]) -> Iterator[Supply]:
    """Give the inputs that a clause names by their paths: those files, and no others."""
    found: list[Json] = []
    for one in clause.said:
        if one.what == "path":
            found += list(references_to(str(one.value), inputs, specs).values())[:1]
    if found:
        yield Supply(value=found, kind=of({"type": "array", "items": _TEXT}), files="files", pointed=True)
    if len(found) == 1:
        yield Supply(value=found[0], kind=of(_TEXT), files="file", pointed=True)


def references_to(path: str, inputs: dict[str, Json], specs: dict[str, InputSpec]) -> dict[str, Json]:
    """Give the files among the inputs that a goal may mean by a path, each with the reference to it."""
    found: dict[str, Json] = {}
    for name, value in inputs.items():
        if specs.get(name, InputSpec()).kind == "value":
            continue
        for number, one in enumerate(value if isinstance(value, list) else [value]):
            if one == path or str(one).endswith("/" + path.lstrip("./~")):
                place = f"inputs.{name}[{number}]" if isinstance(value, list) else f"inputs.{name}"
                found.setdefault(str(one), {"ref": place})
    return {path: found[path]} if path in found else found


def made_by(skill: str, output: Schema) -> Iterator[Supply]:
    """Give what a skill's result supplies: the whole of it, and its fields."""
    whole = of(output)
    noun = named(skill.rpartition(".")[2])
    yield Supply(value=None, kind=whole, called=(whole.name, noun) if whole.name else (noun,), maker=skill)
    for name, kind in whole.fields.items():
        yield Supply(value=None, kind=kind, called=(named(name),), maker=skill, steps=f".{name}")


def spread_out(supply: Supply) -> Supply:
    """Give a supply as a fan-out makes it: a list of what one run makes."""
    return replace(supply, kind=list_of(supply.kind), spread=True)


def options(supply: Supply, wanted: Kind, name: str, *, required: bool) -> Iterator[Option]:
    """Give the ways in which a supply can serve an argument."""
    words = named(name)
    if supply.files:
        yield from _paths(supply, wanted, words)
        return
    if supply.own_words:
        if words and words[-1] in GOALISH and "string" in wanted.types and not wanted.path:
            yield Option(supply=supply, penalty=NAME)
        return
    if supply.nothing:
        if wanted.nullable and required:
            yield Option(supply=supply, penalty=NOTHING)
        return
    if wanted.path:
        return
    part = _PART if supply.steps else 0
    direct = fit(supply.kind, supply.called, wanted, words) if not (supply.spread and supply.steps) else None
    if direct is not None and (not part or direct <= ALIKE):
        yield Option(supply=supply, penalty=direct + part)
    if supply.maker is None and direct is not None:
        return
    if supply.kind.many and not wanted.many:
        one = fit(supply.kind.item, supply.called, wanted, words)
        if one is not None and one <= (LOOSE if supply.spread and not part else ALIKE):
            yield Option(supply=supply, penalty=one + part + _EACH, each=True)
    if wanted.many and not supply.kind.many:
        one = fit(list_of(supply.kind), supply.called, wanted, words)
        if one is not None and one <= ALIKE:
            yield Option(supply=supply, penalty=one + part + _WRAPPED, wrapped=True)


def _paths(supply: Supply, wanted: Kind, words: tuple[str, ...]) -> Iterator[Option]:
    """Serve an argument that asks for paths, by its type or by its name."""
    item = wanted.item if wanted.many else wanted
    fitting = FOLDERISH if supply.files == "folder" else FILEISH
    exactly = words in supply.called
    called = bool(words) and (exactly or words[-1] in fitting)
    vaguely = bool(words) and words[-1] in VAGUE
    if not (called or vaguely or item.path) or "string" not in item.types:
        return
    penalty = TYPE if exactly or supply.pointed else NAME if called else SHAPE
    if wanted.many == supply.kind.many:
        yield Option(supply=supply, penalty=penalty)
    elif wanted.many:
        yield Option(supply=supply, penalty=penalty + 1, wrapped=True)
    else:
        yield Option(supply=supply, penalty=penalty + _EACH, each=True)
