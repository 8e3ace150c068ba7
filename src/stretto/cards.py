"""What a plan is checked against when no agent is at hand: agent cards in a file, or another system's list of tools.

Two forms are read: the list that `stretto agents --json` prints, and a mapping with `nodes`, each a tool with
`id`, `desc` and either `input-type` and `output-type` (lists of type names) or named `parameters`.
"""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from stretto.core.domain import AgentCard, Catalogue, Json, Schema, Skill
from stretto.core.errors import UsageError
from stretto.core.plan.diagnostics import shown
from stretto.core.plan.schemas import POSITIONAL
from stretto.documents import Document, Unreadable, read_document

_JSON_TYPES = frozenset({"string", "number", "integer", "boolean", "array", "object"})


def read_cards(path: Path) -> Catalogue:
    """Read cards or tools; raises UsageError with file, line and column of what is wrong."""
    try:
        document = read_document(path)
    except Unreadable as error:
        raise UsageError(f"{error.diagnostic.where}: {error.diagnostic.message}. {error.diagnostic.mend}") from None
    value = document.value
    if isinstance(value, dict) and isinstance(value.get("nodes"), list):
        cards = [_tool(one, f"nodes[{number}]", document) for number, one in enumerate(value["nodes"])]
    elif isinstance(value, list):
        cards = [_card(one, f"[{number}]", document) for number, one in enumerate(value)]
    else:
        raise _bad(document, "", "this is no list of agent cards and has no `nodes`", "See `stretto agents --json`")
    names = Counter(card.name for card in cards)
    if (twice := next((name for name, count in names.items() if count > 1), None)) is not None:
        raise _bad(document, "", f"two are called {shown(twice)}", "Rename one")
    return Catalogue(agents=tuple(cards))


def joined(catalogues: Iterable[Catalogue]) -> Catalogue:
    """Put catalogues together; of two cards with one name the first holds."""
    cards: dict[str, AgentCard] = {}
    for one in catalogues:
        for card in one.agents:
            cards.setdefault(card.name, card)
    return Catalogue(agents=tuple(cards.values()))


def _card(raw: Json, path: str, document: Document) -> AgentCard:
    try:
        return msgspec.convert(raw, AgentCard, strict=False)
    except msgspec.ValidationError as error:
        raise _bad(document, path, f"not an agent card: {error}", "See `stretto agents --json`") from None


def _tool(raw: Json, path: str, document: Document) -> AgentCard:
    """Make a card of a tool: an agent with one skill. What using it does to the world is not known."""
    name = raw.get("id") or raw.get("name") if isinstance(raw, dict) else None
    if not isinstance(name, str):
        raise _bad(document, path, "a tool is a mapping with an `id`", 'Write {"id": "NAME", "desc": "..."}')
    description = raw.get("desc") or raw.get("description") or ""
    if not isinstance(description, str):
        raise _bad(document, f"{path}.desc", "the description is not text", "Write it as text")
    if raw.get("parameters") is not None:
        inputs = _parameters(raw["parameters"], f"{path}.parameters", document)
    else:
        inputs = _positional(_types(raw.get("input-type"), f"{path}.input-type", document))
    output: Schema = {}
    if raw.get("output-type") is not None:
        output = _any_of(_types(raw["output-type"], f"{path}.output-type", document)) or {"title": "nothing"}
    skill = Skill(name=name, description=description, inputs=inputs, output=output)
    return AgentCard(name=name, kind="tool", description=description, skills=(skill,))


def _types(raw: Json, path: str, document: Document) -> list[str]:
    if raw is None:
        return []
    if isinstance(raw, str):
        raw = [raw]
    if not isinstance(raw, list) or not all(isinstance(one, str) for one in raw):
        raise _bad(document, path, "the types are no list of names", 'Write ["text", "image"]')
    return [one.lower() for one in raw]


def _positional(types: list[str]) -> Schema:
    """Say of which types the arguments are. Which is which is not known, nor what they are called."""
    if not types:
        return {"type": "object"}
    one = _any_of(types)
    items = {"anyOf": [{"title": name} for name in types]}
    return {
        "type": "object",
        "properties": {POSITIONAL: {"type": "array", "items": items}},
        "additionalProperties": one,
    }


def _any_of(types: list[str]) -> Schema:
    names = list(dict.fromkeys(types))
    return {"title": names[0]} if len(names) == 1 else {"anyOf": [{"title": name} for name in names]} if names else {}


def _parameters(raw: Json, path: str, document: Document) -> Schema:
    if not isinstance(raw, list):
        raise _bad(document, path, "the parameters are no list", 'Write [{"name": "city", "type": "string"}]')
    properties: dict[str, Any] = {}
    for number, one in enumerate(raw):
        if not isinstance(one, dict) or not isinstance(one.get("name"), str):
            raise _bad(
                document, f"{path}[{number}]", "a parameter is a mapping with a `name`", 'Write {"name": "city"}'
            )
        kind = one.get("type")
        schema: Schema = {"description": str(one.get("desc") or one.get("description") or "")}
        if isinstance(kind, str):
            schema |= {"type": kind} if kind in _JSON_TYPES else {"title": kind.lower()}
        properties[one["name"]] = schema
    return {"type": "object", "properties": properties}


def _bad(document: Document, path: str, message: str, mend: str) -> UsageError:
    return UsageError(f"{document.where(path)}: {message}. {mend}.")
