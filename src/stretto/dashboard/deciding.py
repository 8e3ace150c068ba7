"""What may be said to a request, in the words of the buttons: exactly what `stretto.answering.words_for` allows."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

from stretto.core.chains import coming
from stretto.core.domain import Json, Request
from stretto.core.errors import UsageError
from stretto.core.state import RunState
from stretto.results import is_result, result_of

Needs: TypeAlias = Literal["nothing", "reason", "answer", "arguments", "result"]
"""What somebody has to write, or may, before a word is said."""


@dataclass(frozen=True, slots=True)
class Word:
    """A decision: what its button says, what is written first, what is said once it is done, and its key."""

    label: str
    done: str
    needs: Needs = "nothing"
    tone: str = ""
    key: str = ""


_DENY: Final = Word("Deny…", "Denied", "reason", "bad", "d")
_GIVE_UP: Final = Word("Give it up…", "Given up", "reason", "bad", "d")
_BY_HAND: Final = Word("I did it myself…", "Done by hand", "result")
_LEAVE_OUT: Final = Word("Leave it out…", "Left out", "reason")

WORDS: Final[Mapping[str, Mapping[str, Word]]] = MappingProxyType(
    {
        "approval": {
            "approve": Word("Approve", "Approved", key="a"),
            "deny": _DENY,
            "edit": Word("Edit the arguments…", "Approved with other arguments", "arguments"),
            "done": _BY_HAND,
        },
        "question": {
            "answer": Word("Answer…", "Answered", "answer", key="a"),
            "deny": Word("Refuse to answer…", "Refused", "reason", "bad", "d"),
            "fail": Word("Give it up…", "Given up", "reason", "bad"),
            "done": _BY_HAND,
        },
        "doubt": {
            "done": Word("It happened…", "Taken as done", "result", key="a"),
            "retry": Word("It did not: do it again", "To be done again"),
            "fail": _GIVE_UP,
        },
        "goal": {
            "answer": Word("Answer…", "Answered", "answer", key="a"),
            "deny": Word("Do not pursue it…", "Not pursued", "reason", "bad", "d"),
        },
        "failure": {
            "retry": Word("Try again", "To be tried again", key="a"),
            "done": _BY_HAND,
            "skip": _LEAVE_OUT,
            "fail": _GIVE_UP,
        },
        "alternatives": {"answer": Word("Go on with…", "Chosen", "answer", key="a")},
        "review": {
            "approve": Word("Accept the result", "Accepted", key="a"),
            "retry": Word("Send it back…", "Sent back", "reason", key="d"),
            "done": Word("Give another result…", "Another result given", "result"),
            "skip": _LEAVE_OUT,
            "fail": Word("Give it up…", "Given up", "reason", "bad"),
        },
    }
)
"""By kind of request and decision."""

KINDS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "approval": ("!", "Approval"),
        "question": ("?", "Question"),
        "doubt": ("≈", "Did it happen?"),
        "goal": ("?", "What is meant?"),
        "failure": ("✗", "What now?"),
        "alternatives": ("⑂", "How to go on?"),
        "review": ("✎", "Is it good enough?"),
    }
)
"""By kind of request: a sign, and what it is called."""

_SILENCE: Final = MappingProxyType(
    {
        "deny": "it is denied",
        "fail": "it is given up",
        "skip": "it is left out",
        "approve": "it is approved",
        "answer": "it is answered as the chain says",
        "wait": "it stays open",
    }
)


def after_silence(request: Request) -> str:
    """Say who is asked next if nobody answers in time, and what holds at last; nothing where there is no end."""
    steps = coming(request)
    if not steps:
        return ""
    *people, otherwise = steps
    asked = [f"{name} is asked" for name in people]
    return ", then ".join([*asked, _SILENCE.get(otherwise, otherwise)])


def value_of(state: RunState, request: Request, needs: Needs, text: str) -> Json:
    """Read what somebody wrote, by what it has to be; raises UsageError with what is wrong with it."""
    match needs:
        case "answer" if request.kind == "question" and is_result(state, request):
            return result_of(state, request, text)
        case "answer":
            if not text.strip():
                raise UsageError("write an answer first")
            return text.strip()
        case "result":
            return result_of(state, request, text) if text.strip() else None
        case "arguments":
            return _arguments(text)
    return None


def _arguments(text: str) -> Json:
    try:
        value = json.loads(text, parse_constant=_no_number)
    except RecursionError:
        raise UsageError("this is nested too deep") from None
    except ValueError as error:
        place = f" (line {error.lineno}, column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
        why = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
        raise UsageError(f"this is no JSON{place}: {why}") from None
    if not isinstance(value, dict):
        raise UsageError('the arguments are an object, by name: {"name": value}')
    return value


def _no_number(word: str) -> Json:
    """Raise ValueError for what Python writes as a number, and JSON (RFC 8259, 6) does not know."""
    raise ValueError(f"{word} is no number")
