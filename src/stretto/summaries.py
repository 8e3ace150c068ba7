"""Arguments made to fit a reader's window: by summaries, of which each content has one for all runs of a store.

What cannot be summarised stands with its beginning. Nothing is shortened silently: it is told what, by how much, how.
"""

from stretto.core.canonical import digest
from stretto.core.compress import beginning, fitted, long_texts, size
from stretto.core.domain import PERSONAL_LABELS, Json, Shortening
from stretto.ports import AgentFailure, Caller, Journal, Summariser

STEPS = tuple(100 * 2**step for step in range(1, 16))
"""Characters that summaries take: readers with nearly the same room share one."""


_SAID = 60


class Summaries:
    """Gives summaries to the attempts of one run, which share their caller: a content is summarised once."""

    def __init__(self, summariser: Summariser | None, journal: Journal, caller: Caller) -> None:
        self._summariser, self._journal, self._caller = summariser, journal, caller

    async def fitted(
        self, arguments: dict[str, Json], window: int, labels: frozenset[str]
    ) -> tuple[dict[str, Json], dict[str, Shortening]]:
        """Give arguments that take at most about `window` characters, and how those were shortened that had to be."""
        summaries: dict[str, str] = {}
        failures: dict[str, str] = {}
        for name, texts in long_texts(arguments, window).items():
            for text, most in texts.items():
                try:
                    found = await self._summary(text, most, labels)
                except AgentFailure as failure:
                    failures[name] = f"it could not be summarised ({failure.failure.value}): {failure}"
                    break
                if found is not None:
                    summaries[text] = found

        def shorten(text: str, most: int) -> str:
            if text not in summaries:
                return beginning(text, most)
            return f"{summaries[text]} … [a summary of {len(text):,} characters]"

        cut, names = fitted(arguments, window, shorten)
        texts_of = long_texts(arguments, window)
        return cut, {
            name: Shortening(
                characters=size(arguments[name]),
                kept=size(cut[name]),
                how="summary" if any(text in summaries for text in texts_of.get(name, ())) else "beginning",
                why=failures.get(name, ""),
            )
            for name in names
        }

    async def _summary(self, text: str, most: int, labels: frozenset[str]) -> str | None:
        """Give the summary of a text that fits, made now or before; None where there is none to be had.

        What is personal is not kept beyond its run.
        """
        step = max((one for one in STEPS if one <= most - _SAID), default=0)
        if self._summariser is None or not step:
            return None
        key = digest([text, step, self._summariser.name])
        kept = not labels & PERSONAL_LABELS
        found = await self._journal.summary(key) if kept else None
        if found is None:
            found = await self._summariser.summary(text, step, self._caller, labels)
            if found is not None and kept:
                await self._journal.keep_summary(key, found)
        return found
