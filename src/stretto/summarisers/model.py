"""Summaries by a model, in any window: of a text that fits at once, of a longer one by its parts, and then of those."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from stretto.core.canonical import short
from stretto.core.compress import beginning
from stretto.models.asking import ask
from stretto.models.fencing import fenced
from stretto.models.prompt import Message, Model, Prompt
from stretto.models.prompts import rendered
from stretto.ports import AgentFailure, Caller

LEAST = 200
"""Characters in which nothing worth reading can be said."""
_PROMPTS = Path(__file__).parent / "prompts"
THOUGHT = 2_000
"""Tokens that models may take that think first; at most a quarter of the window."""
_LETTERS_A_TOKEN = 2
_MOST_LEVELS = 8


@dataclass(frozen=True, slots=True)
class ModelSummariser:
    """See `stretto.ports.Summariser`."""

    models: Sequence[Model]

    @property
    def name(self) -> str:
        return self.models[0].name if self.models else ""

    async def summary(self, text: str, most: int, caller: Caller, labels: frozenset[str]) -> str | None:
        if not self.models or most < LEAST:
            return None
        most = min(most, max(self.models[0].window // 2, LEAST))  # an answer takes at most a quarter of the window
        said = text
        for _ in range(_MOST_LEVELS):
            parts = await self._parts(said, most)
            each = max(most // len(parts), LEAST) if len(parts) > 1 else most
            said = "\n".join([await self._asked(part, each, caller, labels) for part in parts])
            if len(parts) == 1 or len(said) <= most:
                break
        return said if len(said) <= most else beginning(said, most)

    async def _asked(self, text: str, most: int, caller: Caller, labels: frozenset[str]) -> str:
        key = f"summary/{short([text, most])}"
        prompt = self._prompt(text, most)
        reply = await ask(self.models, prompt, caller, key=key, role="summariser", labels=labels)
        return reply.text.strip()

    async def _parts(self, text: str, most: int) -> list[str]:
        """Give a text in parts that fit the model's window, each with the answer."""
        model, prompt = self.models[0], self._prompt(text, most)
        if await model.count(prompt) + (prompt.most or 0) <= model.window:
            return [text]
        if len(text) <= LEAST:
            raise AgentFailure(f"{model.name} takes {model.window:,} tokens, too few to sum up anything")
        middle = text.rfind(" ", len(text) // 4, len(text) // 2)
        middle = middle if middle > 0 else len(text) // 2
        return [*await self._parts(text[:middle], most), *await self._parts(text[middle:], most)]

    def _prompt(self, text: str, most: int) -> Prompt:
        messages = (
            Message(role="system", text=rendered(_PROMPTS / "summarise.md")),
            Message(role="user", text=f"At most {most} characters.\n\n{fenced('text', text)}"),
        )
        thought = min(THOUGHT, self.models[0].window // 4)
        return Prompt(messages=messages, most=max(most // _LETTERS_A_TOKEN, LEAST) + thought)
