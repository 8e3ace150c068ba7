"""What was asked of the scripted server: kept for asserts, and read by rules."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from stretto.core.domain import Json
from stretto.core.plan.diagnostics import printable
from stretto.testing.models.tokens import calls_in, compact, content_text, member, members, schema_of

End: TypeAlias = Literal["", "whole", "cut", "left"]


@dataclass(slots=True, kw_only=True, eq=False)
class Request:
    """One request, and what became of it.

    `at` is in seconds since the epoch, `began` the same moment on `time.monotonic`. `rule` is the one that answered
    (`default`, or empty where none did), `fault` what went wrong by the script, `problem` what was wrong with the
    request or with the script. `input` and `output` are the tokens that were read and sent, whatever was reported.
    `end` says whether the answer was sent `whole`, `cut` by the script or the server's end, or the client had `left`;
    empty while it is under way, which took `seconds` in the end.
    """

    number: int
    at: float
    began: float
    method: str
    path: str
    headers: Mapping[str, str]
    body: Json = None
    rule: str = ""
    fault: str = ""
    problem: str = ""
    status: int = 0
    input: int = 0
    output: int = 0
    end: End = ""
    seconds: float = 0.0
    groups: dict[str, str] = field(default_factory=dict)
    """The groups of the patterns that met, by name and by number."""

    @property
    def model(self) -> str:
        """The model that was asked for."""
        return str(self.body.get("model", "")) if isinstance(self.body, dict) else ""

    @property
    def messages(self) -> list[dict[str, Json]]:
        """The messages, as they came."""
        return members(self.body, "messages")

    @property
    def system(self) -> str:
        """What the system said."""
        return "\n".join(content_text(one) for one in self.messages if one.get("role") in ("system", "developer"))

    @property
    def user(self) -> str:
        """What the user said last."""
        return next((content_text(one) for one in reversed(self.messages) if one.get("role") == "user"), "")

    @property
    def conversation(self) -> str:
        """Every message as `role: text`, and every call as `assistant: name {arguments}`, on lines of their own."""
        lines = []
        for one in self.messages:
            calls = [f"assistant: {name} {arguments}" for name, arguments in calls_in(one)]
            if (text := content_text(one)) or not calls:
                lines.append(f"{one.get('role')}: {text}")
            lines += calls
        return "\n".join(lines)

    @property
    def turn(self) -> int:
        """How often the model has answered before."""
        return sum(one.get("role") == "assistant" for one in self.messages)

    @property
    def results(self) -> list[str]:
        """What the tools gave, in order."""
        return [content_text(one) for one in self.messages if one.get("role") == "tool"]

    @property
    def tools(self) -> list[str]:
        """The names of the tools on offer."""
        return [str(member(one, "function").get("name", "")) for one in members(self.body, "tools")]

    @property
    def schema(self) -> Json | None:
        """The JSON Schema that the answer has to fit, `{}` for any JSON object, or None."""
        return schema_of(self.body)

    @property
    def streams(self) -> bool:
        """Whether the answer is wanted as a stream."""
        return isinstance(self.body, dict) and self.body.get("stream") is True

    def holds(self, pattern: str) -> bool:
        """Whether a pattern is found anywhere in the conversation."""
        return re.search(pattern, self.conversation) is not None

    def __str__(self) -> str:
        asked = f" {compact(self.user[:60])}" if self.messages else ""
        outcome = self.fault or self.problem or self.rule or self.end or "under way"
        return printable(f"{self.number}: {self.method} {self.path}{asked} -> {self.status} ({outcome})")
