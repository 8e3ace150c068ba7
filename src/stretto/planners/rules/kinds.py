"""Kinds of values, as schemas tell them: what fits what, and how well. A small number is a good fit."""

from dataclasses import dataclass
from functools import cached_property

from stretto.core.domain import Json, Schema
from stretto.core.plan.schemas import ANYTHING, mismatch, resolved, types, untitled
from stretto.planners.rules.words import named

TYPE, NAME, ALIKE, SHAPE, WEAK, LOOSE, NOTHING = 0, 1, 3, 8, 15, 25, 30
"""How well a supply fits: type of the same name, same name, last word of the name, only the shape (of something
that is no plain text or number), plain shape, one of the two says nothing, null where it is allowed."""

GENERIC = frozenset(named("text content draft document body message value data input material source passage"))
"""Names that say no more than the type does."""
GOALISH = frozenset(named("goal question request topic prompt task instruction instructions objective subject query"))
"""Names of arguments that take the goal in its own words."""
FILEISH = frozenset(named("file path source document doc log data dataset table input page note csv page report"))
FOLDERISH = frozenset(named("folder directory dir root workspace"))
VAGUE = frozenset(named("path source location"))
"""Names of arguments that take a file or, for want of one, a folder."""
_SCALARS = frozenset({"string", "number", "integer", "boolean"})


@dataclass(frozen=True)
class Kind:
    """What a value is. `root` holds the definitions that `schema` refers to."""

    schema: Schema
    root: Schema

    @cached_property
    def plain(self) -> Schema:
        """The schema itself, without references and without `or null`."""
        here = resolved(self.schema, self.root)
        for word in ("anyOf", "oneOf"):
            choices = here.get(word)
            if isinstance(choices, list):
                real = [one for one in choices if resolved(one, self.root).get("type") != "null"]
                if len(real) == 1:
                    outer = {key: value for key, value in here.items() if key == "title"}
                    return {**resolved(real[0], self.root), **outer}
        return here

    @cached_property
    def name(self) -> tuple[str, ...]:
        """The words of the type's name; none for a bare `str` and the like."""
        title = self.plain.get("title")
        return named(title) if isinstance(title, str) else ()

    @cached_property
    def allowed(self) -> frozenset[str]:
        """The JSON types of the values."""
        return types(self.plain, self.root)

    @cached_property
    def types(self) -> frozenset[str]:
        """The JSON types of the values, null aside."""
        return self.allowed - {"null"}

    @cached_property
    def anything(self) -> bool:
        return len(self.types) > 4 and not self.name

    @cached_property
    def nullable(self) -> bool:
        """Whether the schema names null among what it takes."""
        return not self.anything and "null" in types(resolved(self.schema, self.root), self.root)

    @cached_property
    def many(self) -> bool:
        return self.types == {"array"}

    @cached_property
    def type_name(self) -> tuple[str, ...]:
        """The words of the name of the type, or of a list's items."""
        return self.item.name if self.many else self.name

    @cached_property
    def item(self) -> "Kind":
        """The kind of a list's items."""
        items = self.plain.get("items", ANYTHING)
        return Kind(items if isinstance(items, dict) else ANYTHING, self.root)

    @cached_property
    def fields(self) -> dict[str, "Kind"]:
        """The kinds of an object's fields."""
        found = self.plain.get("properties")
        if not isinstance(found, dict):
            return {}
        return {name: Kind(untitled(name, one), self.root) for name, one in found.items()}

    @property
    def path(self) -> bool:
        """Whether the type itself says that this is a path."""
        return self.plain.get("format") in ("path", "file-path", "directory-path")

    def shows(self) -> str:
        """Say it in a few words."""
        title = self.plain.get("title")
        if isinstance(title, str):
            return title
        if self.many:
            return f"list of {self.item.shows()}"
        return "anything" if self.anything else " or ".join(sorted(self.types - {"integer"} or self.types))


def list_of(kind: Kind) -> Kind:
    """Give the kind of a list of such values."""
    return Kind({"type": "array", "items": kind.schema}, kind.root)


def fit(given: Kind, called: tuple[tuple[str, ...], ...], wanted: Kind, name: tuple[str, ...]) -> int | None:
    """Say how well a value of one kind, with its names, serves an argument; None when it never can."""
    found = _likeness(given, called, wanted, name)
    if found is None or mismatch(with_root(given), wanted.plain, wanted.root) is not None:
        return None
    return found


def _likeness(given: Kind, called: tuple[tuple[str, ...], ...], wanted: Kind, name: tuple[str, ...]) -> int | None:
    """Hold names and types against each other; what is cheap to tell comes first, for this is asked most often."""
    ours, theirs = given.type_name, wanted.type_name
    if ours and theirs:
        return TYPE if ours == theirs and given.many == wanted.many else None
    if not given.allowed & wanted.allowed:
        return None
    if theirs and theirs in called:
        return TYPE  # a bare text that is called like the type
    if name and (name in called or ours == name):
        return NAME
    if name and any(one and one[-1] == name[-1] for one in (*called, ours)):
        return ALIKE
    if given.anything or wanted.anything or bool(ours) != bool(theirs):
        return LOOSE
    if given.many != wanted.many or not given.types & wanted.types:
        return None
    if given.types <= _SCALARS:
        return SHAPE if name and name[-1] in GENERIC and "string" in given.types else WEAK
    return SHAPE


def with_root(kind: Kind) -> Schema:
    """Give a schema that can stand alone."""
    return {**kind.plain, "$defs": kind.root["$defs"]} if "$defs" in kind.root else kind.plain


def of(schema: Json) -> Kind:
    """Give the kind of values that a schema describes."""
    whole: Schema = schema if isinstance(schema, dict) else ANYTHING
    return Kind(whole, whole)
