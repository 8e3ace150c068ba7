"""How much a model reads and writes at most."""

from collections.abc import Mapping

from stretto.models.definition import Definition
from stretto.models.prices import is_own, listed_window
from stretto.models.reference import LOCAL

LOCAL_WINDOW = 8192
"""The window of the small local model, in tokens."""
OLLAMA_WINDOW = 4096
"""What Ollama gives a model unless told otherwise. It cuts longer prompts without a word, so they must not reach it."""
OWN_WINDOW = 32_768
"""Taken for models at the user's own addresses, which the price list does not know."""
HOSTED_WINDOW = 128_000
"""Taken for hosted models that the price list does not know."""

LONGEST_ANSWER = 16_384
"""Tokens of an answer at most, where neither the prompt nor the model's definition says it."""
SHORTEST_ANSWER = 256
"""Tokens that a prompt has to leave for the answer where none are asked for."""


def window_of(definition: Definition, environment: Mapping[str, str]) -> int:
    """Give a model's window in tokens, prompt and answer together."""
    if definition.window is not None:
        return definition.window
    match definition.model.provider:
        case "ollama":
            told = environment.get("OLLAMA_CONTEXT_LENGTH", "")
            return int(told) if told.isdecimal() and int(told) > 0 else OLLAMA_WINDOW
        case provider if provider == LOCAL:
            return LOCAL_WINDOW
    return listed_window(definition.model) or (OWN_WINDOW if is_own(definition.model) else HOSTED_WINDOW)


def longest_answer(window: int, counted: int, wanted: int | None, usual: int = LONGEST_ANSWER) -> int:
    """Give the tokens that an answer may take: as wanted, else what the prompt leaves, up to what is usual.

    0 where the prompt does not leave room for it.
    """
    room = window - counted
    least = wanted if wanted is not None else min(SHORTEST_ANSWER, usual, window // 4)
    return min(wanted or usual, room) if room >= max(least, 1) else 0
