"""Escaping for Markdown: any text becomes one line, or one fenced block, that shows that same text."""

import re

_RETURN = " ↵ "
# Not `#`, `-`, `.` and their like: they mean something at the start of a line only, and text full of
# backslashes is hard to read as it stands.
_ANYWHERE = re.compile(r"[\\`*\[\]|~$]")
# Between letters and digits an underscore is never emphasis, so log_level stays log_level.
_UNDERSCORES = re.compile(r"(?<![^\W_])_+|_+(?![^\W_])")
_ENTITY = re.compile(r"&(?=#?\w+;)")
# Some renderers make links of bare addresses; those in a log are nobody's to click on.
_ADDRESS = re.compile(r":(?=//)")
_WWW = re.compile(r"(?i)(?<=www)\.")
_LINE_START = re.compile(r"[-#+=>:]|\d{1,9}(?=[.)](?:\s|$))")
_CLOSING_HASHES = re.compile(r"#+$")
_LANGUAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_+.#-]{0,19}")


def inline(text: str) -> str:
    """Return clean `text` as one line of Markdown that shows it; a line break in it shows as ↵."""
    line = _RETURN.join(" ".join(part.split()) for part in text.strip().split("\n"))
    line = _ANYWHERE.sub(r"\\\g<0>", line)
    line = _UNDERSCORES.sub(lambda match: r"\_" * len(match[0]), line)
    line = _ADDRESS.sub(r"\\:", line)
    line = _WWW.sub(r"\\.", line)
    # An entity where a backslash would do: it holds in renderers that look for tags before anything else.
    line = _ENTITY.sub("&amp;", line).replace("<", "&lt;")
    line = _CLOSING_HASHES.sub(lambda match: r"\#" * len(match[0]), line)
    if start := _LINE_START.match(line):
        at = start.end() if start[0].isdigit() else 0
        line = f"{line[:at]}\\{line[at:]}"
    return line


def fence(text: str, language: str) -> str:
    """Return clean `text` as a fenced code block, with a fence longer than any in the text."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    ticks = "`" * max(3, longest + 1)
    return f"{ticks}{known_language(language)}\n{text.rstrip()}\n{ticks}"


def known_language(language: str) -> str:
    """Return `language` if it looks like the name of one, or nothing."""
    return language if _LANGUAGE.fullmatch(language) else ""
