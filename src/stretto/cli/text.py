"""Texts for a terminal. What agents, logs and people wrote is shown, and never obeyed."""

import json
import re
import shlex
from datetime import datetime
from pathlib import Path

_HIDDEN = re.compile(
    r"[^\x20-\x7e\u00a0-\uffff\U00010000-\U0010ffff]|[\u200b-\u200f\u2028-\u202f\u2060-\u206f\ud800-\udfff\ufeff]"
)
_HARMLESS = "\u200c\u200d\u200e\u200f"
"""Joiners and marks without which words of some languages, and some emoji, are written wrongly."""


def clean(text: str) -> str:
    """Give text of one or more lines without anything that a terminal would obey or hide."""
    return "\n".join(_plain(line, keep=f"\t{_HARMLESS}") for line in text.splitlines())


def one_line(text: str) -> str:
    """Give text as one line without anything that a terminal would obey or hide."""
    return _plain(" ".join(text.split()), keep=_HARMLESS)


def counted(number: int, what: str) -> str:
    """Give a number of things: 1 task, 2 tasks."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def local(at: float) -> str:
    """Give a moment on the clock of whoever looks."""
    return datetime.fromtimestamp(at).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def indented(text: str, by: str = "  ") -> str:
    """Give cleaned text with every line set in."""
    return "\n".join(f"{by}{line}".rstrip() for line in clean(text).split("\n"))


def as_json(value: object, *, indent: int | None = 2) -> str:
    """Give JSON for people and programs: letters as they are, whatever a terminal would obey escaped."""
    return _HIDDEN.sub(_escaped, json.dumps(value, ensure_ascii=False, indent=indent))


def place(folder: Path | None, store: Path | None) -> str:
    """Give the options by which another command finds the same runs."""
    said = "" if folder is None or folder.resolve() == Path.cwd() else f" -w {_quoted(folder)}"
    return said + (f" --store {_quoted(store)}" if store is not None else "")


def _quoted(path: Path) -> str:
    """Give a path as a shell reads it; `$'...'` where it holds what no terminal should see."""
    text = str(path)
    if one_line(text) == text:
        return shlex.quote(text)
    safe = "".join(letter if letter.isprintable() and letter not in "\\'" else _octal(letter) for letter in text)
    return f"$'{safe}'"


def _octal(letter: str) -> str:
    return "".join(f"\\{byte:03o}" for byte in letter.encode(errors="surrogateescape"))


def answer_command(run: str, task: str, kind: str, place: str = "") -> str:
    """Give the command that answers what a task, or the run itself, waits with; `place` tells where the run is."""
    verb = "approve" if kind == "approval" else "answer"
    if kind == "alternatives":
        return f"stretto answer {run} 'YOUR CHOICE'{place}"
    choices = {
        "approval": "",
        "doubt": " done|retry|fail",
        "failure": " retry|done|skip|fail",
        "review": " approve|retry|done|skip|fail",
    }
    words = choices.get(kind, " 'YOUR ANSWER'")
    return f"stretto {verb} {run}{f' {shlex.quote(task)}' if task else ''}{words}{place}"


def _plain(text: str, keep: str) -> str:
    return "".join(
        letter if letter.isprintable() or letter in keep else " " if letter.isspace() else "\ufffd" for letter in text
    )


def _escaped(match: "re.Match[str]") -> str:
    letter = match[0]
    return letter if letter == "\n" else "".join(f"\\u{ord(unit):04x}" for unit in letter)
