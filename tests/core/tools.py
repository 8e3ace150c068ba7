"""A small kitchen of tools with named types, and task graphs over them, written for these tests."""

import itertools
from typing import Any

from stretto.core.domain import AgentCard, Catalogue, Skill
from stretto.core.plan.intake import Intake, take_in

TOOLS = {
    "Photo Reader": ("Reads a photo aloud as text. Also known as optical character recognition.", ["image"], ["text"]),
    "Translation": ("Turns text of one language into text of another.", ["text"], ["text"]),
    "Text Shortener": ("Shortens a text.", ["text"], ["text"]),
    "Text-to-Audio": ("Speaks a text.", ["text"], ["audio"]),
    "Painter": ("Paints an image from words.", ["text"], ["image"]),
    "Comparison": ("Says how alike two texts are.", ["text", "text"], ["text"]),
    "Retoucher": ("Changes an image as a text says.", ["image", "text"], ["image"]),
    "Frame Grabber": ("Extracts a still image from a video.", ["video"], ["image"]),
    "Video-to-Audio": ("Extracts the sound of a video.", ["video"], ["audio"]),
    "Video-to-Image": ("Extracts one picture of a video.", ["video"], ["image"]),
}


def tool(name: str, description: str, takes: list[str], gives: list[str]) -> AgentCard:
    """Make a card of a tool as a list of tools describes it."""
    types = [{"title": one} for one in takes]
    inputs = {
        "type": "object",
        "properties": {"arguments": {"type": "array", "items": {"anyOf": types}}},
        "additionalProperties": {"anyOf": types},
    }
    skill = Skill(name=name, description=description, inputs=inputs, output={"title": gives[0]})
    return AgentCard(name=name, kind="tool", skills=(skill,))


KITCHEN = Catalogue(agents=tuple(tool(name, *rest) for name, rest in TOOLS.items()))


def graph(*nodes: tuple[str, Any], links: list[tuple[str, str]] | None = None) -> dict[str, Any]:
    """Write a task graph: nodes as (tool, arguments), and a chain of links unless others are given."""
    names = [name for name, _ in nodes]
    pairs = list(itertools.pairwise(names)) if links is None else links
    return {
        "task_nodes": [{"task": name, "arguments": arguments} for name, arguments in nodes],
        "task_links": [{"source": source, "target": target} for source, target in pairs],
    }


def taken(document: Any) -> Intake:
    """Take in a task graph against the kitchen."""
    return take_in(document, KITCHEN)


def told(intake: Intake, severity: str = "error") -> dict[str, bool]:
    """Give the codes that were told, each with whether all of it is mended."""
    codes: dict[str, bool] = {}
    for one in intake.found:
        if one.severity == severity:
            codes[one.code] = codes.get(one.code, True) and one.repaired
    return codes
