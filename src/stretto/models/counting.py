"""How many tokens a prompt takes: an estimate that errs upward, for models whose tokenizer is not at hand."""

import json
import re

from stretto.models.prompt import Message, Prompt

PER_MESSAGE = 8
"""Tokens around each message: role, delimiters."""
PER_PROMPT = 16
PER_SCHEMA = 48
"""Tokens of the words around a schema, where the provider is told it in words."""

_BLOB = r"(?=[A-Za-z+/=]*[0-9])(?=[a-z0-9+/=]*[A-Z])(?=[A-Z0-9+/=]*[a-z])[A-Za-z0-9+/=]{40,}"
_PIECE = re.compile(_BLOB + r"|[A-Z]?[a-z]+|[A-Z]+|[ \t]?[0-9]|[^\x00-\x7f]|[^\w\s]|_|\n+|[ \t]{2,}|\t")
_LONG_WORD = 6
_BLOB_FROM = 40


def estimate(prompt: Prompt) -> int:
    """Give the tokens that a prompt takes at most, as far as can be told without the model's tokenizer."""
    tokens = PER_PROMPT + sum(PER_MESSAGE + _of_message(message) for message in prompt.messages)
    for tool in prompt.tools:
        tokens += PER_MESSAGE + tokens_in(tool.name) + tokens_in(tool.description) + tokens_in(_json(tool.inputs))
    return tokens + (PER_SCHEMA + tokens_in(_json(prompt.schema)) if prompt.schema is not None else 0)


def tokens_in(text: str) -> int:
    """Give the tokens of a text at most, for the tokenizers in use.

    A word counts a token for every four letters begun, for every three when it is long and every two in capitals; a
    digit one, and one more behind a space; a mark one; a letter beyond ASCII as many as it has bytes but one; data
    written in letters, such as base64, one a letter. A tenth is added. How far that is above a real tokenizer is
    measured in docs/models.md.
    """
    return -(-sum(map(_tokens_of, _PIECE.findall(text))) * 11 // 10)


def _tokens_of(piece: str) -> int:
    if not piece.isascii():
        return max(1, len(piece.encode(errors="replace")) - 1)
    if not piece.isalpha():
        if len(piece) >= _BLOB_FROM:
            return len(piece)
        return 2 if piece[0] in " \t" and piece[-1].isdigit() else 1
    letters = 2 if len(piece) > 1 and piece.isupper() else 3 if len(piece) > _LONG_WORD else 4
    return -(-len(piece) // letters)


def _of_message(message: Message) -> int:
    calls = sum(PER_MESSAGE + tokens_in(call.name) + tokens_in(_json(call.arguments)) for call in message.calls)
    return tokens_in(message.text) + tokens_in(message.name) + tokens_in(message.id) + calls


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
