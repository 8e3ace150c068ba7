"""How many tokens a prompt takes: an estimate that errs upward, for models whose tokenizer is not at hand."""

import json
import re

from stretto.models.prompt import Message, Prompt

PER_MESSAGE = 8
"""Tokens around each message: role, delimiters."""
PER_PROMPT = 16

_WORD = re.compile(r"[A-Za-z]+|[0-9]|[^\x00-\x7f]|[^\w\s]|_|\n+|[ \t]{2,}|\t")
_LETTERS = 4


def estimate(prompt: Prompt) -> int:
    """Give the tokens that a prompt takes at most, as far as can be told without the model's tokenizer."""
    tokens = PER_PROMPT + sum(PER_MESSAGE + _of_message(message) for message in prompt.messages)
    for tool in prompt.tools:
        tokens += PER_MESSAGE + tokens_in(tool.name) + tokens_in(tool.description) + tokens_in(_json(tool.inputs))
    return tokens + (tokens_in(_json(prompt.schema)) if prompt.schema is not None else 0)


def tokens_in(text: str) -> int:
    """Give the tokens of a text at most, for the tokenizers in use.

    A word counts one token for every four letters begun, a digit one, a mark one, a letter beyond ASCII as many as its
    bytes but one. How far that is above a real tokenizer is measured in docs/models.md.
    """
    count = 0
    for piece in _WORD.findall(text):
        if piece.isascii():
            count += -(-len(piece) // _LETTERS) if piece.isalpha() else 1
        else:
            count += max(1, len(piece.encode(errors="replace")) - 1)
    return count


def _of_message(message: Message) -> int:
    calls = sum(PER_MESSAGE + tokens_in(call.name) + tokens_in(_json(call.arguments)) for call in message.calls)
    return tokens_in(message.text) + tokens_in(message.name) + tokens_in(message.id) + calls


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
