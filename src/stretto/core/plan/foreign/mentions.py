"""How the arguments of a task graph refer to results: `<node-0>`, and less exactly where a link bears it out.

The form knows `<node-k>` only. Models write other things as well, such as `output of Text-to-Image` or
`$[Image-to-Text.output]`: these count where they name the one node that a link leads from, and stay text otherwise.
"""

import re
from collections.abc import Collection, Iterator, Sequence

from stretto.core.domain import Json

_NODE = re.compile(r"<node-(\d{1,6})>")
_WHOLE = re.compile(r"\s*<node-(\d{1,6})>((?:\.[A-Za-z_]\w*|\[\d{1,6}\])*)\s*")
_PLACEHOLDER = re.compile(
    r"[^\w$%]*(?:the )?(?:final )?(?:output|results?)(?: text| image| audio| video)? (?:of|from) .+"
    r"|.*\b(?:from|of|in) (?:the )?(?:step|task|node) ?-?\d+\W*"
    r"|[$%]\W*[\[{].*"
    r"|<node-\d+>\S*",
    re.IGNORECASE,
)
_STEP = re.compile(r"\b(?:step|task) ?-?(\d{1,6})\b", re.IGNORECASE)
_INDEX = re.compile(r"<node-(\d{1,6})>|^\W*(\d{1,6})\W", re.IGNORECASE)
_FILE = re.compile(r"\.[A-Za-z]\w{1,4}$")
_LONGEST = 120
_DEEPEST = 40


def reference(number: int, steps: str = "") -> Json:
    """Refer to the result of a node, or to a part of it; `.output` is the result itself."""
    return {"ref": f"node-{number}.output{steps.removeprefix('.output')}"}


def mentioned(value: Json, depth: int = 0) -> Iterator[int]:
    """Give the numbers of the nodes that a value mentions as the form knows it, wherever in it."""
    if isinstance(value, str):
        yield from (int(one) for one in _NODE.findall(value))
    elif isinstance(value, dict | list) and depth < _DEEPEST:
        inside = [*value, *value.values()] if isinstance(value, dict) else value
        for one in inside:
            yield from mentioned(one, depth + 1)


def is_placeholder(text: str) -> bool:
    """Whether a text seems to stand for a result."""
    plain = text.replace("_", " ")
    return len(text) <= _LONGEST and not _FILE.search(text) and _PLACEHOLDER.fullmatch(plain) is not None


class Mentions:
    """Reads the values of one node's arguments; `sources` are the nodes that links to it lead from."""

    def __init__(self, tools: Sequence[str], sources: Collection[int]) -> None:
        self._tools, self._sources = tools, sources
        self.in_text: dict[int, None] = {}
        """The nodes that are mentioned in the middle of a text, which stays as it is."""

    def read(self, value: Json, depth: int = 0) -> Json:
        """Give a value with references in place of what stands for results."""
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, list) and depth < _DEEPEST:
            return [self.read(one, depth + 1) for one in value]
        if isinstance(value, dict) and depth < _DEEPEST:
            self.note([*value])
            plain = {key: self.read(one, depth + 1) for key, one in value.items()}
            return {"literal": plain} if plain.keys() == {"literal"} or "ref" in value else plain
        return value

    def note(self, value: Json) -> None:
        """Keep in mind what is mentioned where no reference can stand."""
        self.in_text.update(dict.fromkeys(mentioned(value)))

    def _text(self, text: str) -> Json:
        if (whole := _WHOLE.fullmatch(text)) is not None:
            return reference(int(whole[1]), whole[2])
        self.note(text)
        if is_placeholder(text):
            meant = self._meant(text.replace("_", " ")) & set(self._sources)
            if len(meant) == 1:
                return reference(meant.pop())
        return text

    def _meant(self, text: str) -> set[int]:
        """Give the nodes that a placeholder may stand for: by their number or the name of their tool."""
        steps = {int(one) - 1 for one in _STEP.findall(text)}
        if steps:
            return steps
        numbers = {int(one or other) for one, other in _INDEX.findall(text)}
        if numbers:
            return numbers
        said = _letters(text)
        named = [tool for tool in dict.fromkeys(self._tools) if _letters(tool) and _letters(tool) in said]
        longest = max((len(_letters(tool)) for tool in named), default=0)
        return {at for at, tool in enumerate(self._tools) if tool in named and len(_letters(tool)) == longest}


def _letters(text: str) -> str:
    return "".join(letter for letter in text.lower() if letter.isalnum())
