"""What a model's answer has to be: asked for by schema, read tolerantly, held against it, and told what is wrong."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from stretto.core.domain import Citation, Json, Schema
from stretto.core.plan.diagnostics import shown
from stretto.models.reading import Unreadable, read_json
from stretto.ports import Schemas

_CITATIONS: Schema = {
    "type": "array",
    "description": "What the answer rests on: a file that you were shown, the line, and the words that stand there.",
    "items": {
        "type": "object",
        "properties": {
            "file": {"type": "string"},
            "line": {"type": ["integer", "null"], "minimum": 1},
            "text": {"type": "string"},
        },
        "required": ["file", "line", "text"],
        "additionalProperties": False,
    },
}


class Misfit(Exception):
    """An answer is not what was asked for; the message tells the model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """The form of an answer: plain text, or JSON that fits `schema`.

    `output` is the schema of the result itself. What is no object, and what comes with citations, is put into one,
    under `answer`: providers hold answers to objects alone.
    """

    output: Schema
    evidence: bool
    schema: Schema | None
    wrapped: bool

    @property
    def asked(self) -> str:
        """Say to the model in which form to answer."""
        if self.schema is None:
            return "Answer with the result itself and nothing around it."
        parts = "`answer` is the result" if self.wrapped else ""
        if self.evidence:
            parts += "; `citations` name what it rests on, word for word, from files that you were shown"
        return f"Answer with one JSON object that fits the schema{f': {parts}' if parts else ''}. Nothing around it."

    def read(self, text: str, schemas: Schemas, is_shown: Callable[[str], bool]) -> tuple[Json, list[Citation]]:
        """Give the result and what it cites; raises Misfit. `is_shown` tells whether a file may be cited."""
        if self.schema is None:
            answer = text.strip()
            _require(schemas.problems(answer, self.output), "the answer")
            return answer, []
        try:
            value = read_json(text)
        except Unreadable as error:
            raise Misfit(f"It cannot be read as JSON: {error}.") from None
        inside = value["answer"] if self.wrapped and isinstance(value, dict) and "answer" in value else value
        if self.wrapped and inside is value and self.evidence:
            raise Misfit("The object has no `answer`, with the result, and `citations` beside it.")
        _require(schemas.problems(inside, self.output), "the answer")
        if not self.evidence:
            return inside, []
        return inside, _citations(value.get("citations"), schemas, is_shown)


def form_of(output: Schema, *, evidence: bool) -> Form:
    """Give the form in which a result of a schema is asked for."""
    if is_text(output) and not evidence:
        return Form(output=output, evidence=False, schema=None, wrapped=False)
    if output.get("type") == "object" and not evidence:
        return Form(output=output, evidence=False, schema=output, wrapped=False)
    inner = {name: value for name, value in output.items() if name not in ("$defs", "$schema", "$id")}
    properties: dict[str, Any] = {"answer": inner if output else {"type": "string"}}
    if evidence:
        properties["citations"] = _CITATIONS
    schema: Schema = {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
    if "$defs" in output:
        schema["$defs"] = output["$defs"]
    return Form(output=output, evidence=evidence, schema=schema, wrapped=True)


def is_text(output: Schema) -> bool:
    """Whether a result is free text, which needs no JSON around it."""
    return not output or (output.get("type") == "string" and "enum" not in output and "const" not in output)


def _citations(raw: Json, schemas: Schemas, is_shown: Callable[[str], bool]) -> list[Citation]:
    _require(schemas.problems(raw, _LENIENT), "citations")
    if not raw:
        raise Misfit("It cites nothing; name under `citations` what the answer rests on: file, line and words.")
    for one in raw:
        if not is_shown(one["file"]):
            raise Misfit(f"It cites {shown(one['file'])}, which is no file that you were shown; cite those alone.")
    return [Citation(file=one["file"], line=one.get("line"), text=one.get("text") or "") for one in raw]


_LENIENT: Schema = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {
            "file": {"type": "string", "minLength": 1},
            "line": {"type": ["integer", "null"], "minimum": 1},
            "text": {"type": ["string", "null"]},
        },
        "required": ["file"],
    },
}


def _require(problems: Sequence[str], what: str) -> None:
    if problems:
        raise Misfit(f"{what[:1].upper()}{what[1:]} does not fit what was asked for: {'; '.join(problems)}.")
