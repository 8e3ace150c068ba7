"""What a condition (`when`) looks at, told from its text alone: no library, never more than linear work."""

import re
from collections.abc import Callable, Iterator
from functools import lru_cache

LONGEST = 1000
LOOPS = 2

# Strings and comments are blanked with as many spaces, so that places stay the same.
_QUIET = re.compile(
    r'(?:\b[rRbB]{1,2}(?=["\']))?(?:"""(?:\\.|[^\\])*?"""|\'\'\'(?:\\.|[^\\])*?\'\'\'|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\')|//[^\n]*',
    re.DOTALL,
)
_LOOP = re.compile(r"\.\s*(?:map|filter|all|exists|exists_one|existsOne)\s*\(\s*(?:([A-Za-z_]\w*)\s*,)?")
_ROOT = re.compile(r"(\.\s*)?(?<!\w)([A-Za-z_]\w*)(?!\w)(?!\s*\()")
_FIELD = re.compile(r"\s*\.\s*([A-Za-z_]\w*)(?!\w)(\s*\()?")
_KEYED = re.compile(r"\s*\[\s*(?=[\"'])")
_NUMBERED = re.compile(r"\s*\[\s*(\d{1,9})\s*\]")
_TEXT = re.compile(r"\"([^\"\\\n]*)\"\s*\]|'([^'\\\n]*)'\s*\]")
_LITERALS = ("true", "false", "null", "in")
_TYPES = ("int", "uint", "double", "bool", "string", "bytes", "list", "map", "type", "null_type", "dyn")
_WORDS = frozenset((*_LITERALS, *_TYPES))


@lru_cache(maxsize=1 << 12)
def condition_problem(condition: str) -> str | None:
    """Say why a condition is refused unseen: too long, or too many loops inside each other."""
    if not condition.strip():
        return "the condition is empty"
    if len(condition) > LONGEST:
        return f"the condition has {len(condition)} characters; the limit is {LONGEST}"
    loops = sum(1 for _ in _LOOP.finditer(_quiet(condition)))
    return f"the condition has {loops} loops; the limit is {LOOPS}" if loops > LOOPS else None


def named_in_condition(condition: str) -> set[str]:
    """Give the ids of the tasks whose outputs a condition looks at (`fix.output.n`, `tasks["a-b"].output`)."""
    return {name for root, name in looks_at(condition) if root == "task"}


OF_A_ROUND = frozenset({"output", "round"})
"""What `until` sees besides what a condition sees: the round's output and its number."""


def named_in_until(until: str) -> set[str]:
    """Give the ids of the tasks whose outputs the `until` of a repetition looks at."""
    return named_in_condition(until) - OF_A_ROUND


@lru_cache(maxsize=1 << 12)
def looks_at(condition: str) -> frozenset[tuple[str, str]]:
    """Give what a condition looks at: (`task`, id), (`inputs`, name), (`item`, ""), or (`name`, any other root).

    A condition that is too long looks at nothing: it is refused anyway.
    """
    return frozenset(_looks_at(condition)) if len(condition) <= LONGEST else frozenset()


def _looks_at(condition: str) -> Iterator[tuple[str, str]]:
    quiet = _quiet(condition)
    loop_variables = {match[1] for match in _LOOP.finditer(quiet) if match[1]}
    for match in _ROOT.finditer(quiet):
        root = match[2]
        if match[1] or root in loop_variables or root in _WORDS:
            continue
        field, called, _ = _member(condition, quiet, match.end())
        if root == "item":
            yield "item", ""
        elif root == "inputs":
            if field is not None:
                yield "inputs", field
        elif root == "tasks":
            if field is not None:
                yield "task", field
        elif field == "output":
            yield "task", root
        elif not called:  # `math.least(...)` is a function with a long name, as far as anyone can tell
            yield "name", root


def _member(condition: str, quiet: str, at: int) -> tuple[str | None, bool, int]:
    """Give the name after a root, `.name` or `["name"]`, whether it is called like a function, and where it ends."""
    if field := _FIELD.match(quiet, at):
        return field[1], field[2] is not None, field.end(1)
    if (keyed := _KEYED.match(condition, at)) and (text := _TEXT.match(condition, keyed.end())):
        return (text[1] if text[1] is not None else text[2]), False, text.end()
    return None, False, at


def _quiet(condition: str) -> str:
    return _QUIET.sub(lambda match: " " * len(match[0]), condition)


def rewritten(condition: str, stands_for: Callable[[str], str | None]) -> str:
    """Give a condition with its references to tasks and inputs replaced by the expressions that stand for them.

    `stands_for` gets a reference as plans write it (`TASK.output.rows[0]`, `inputs.NAME`); None leaves it as it is.
    """
    quiet = _quiet(condition)
    loop_variables = {match[1] for match in _LOOP.finditer(quiet) if match[1]}
    parts, done = [], 0
    for match in _ROOT.finditer(quiet):
        root = match[2]
        if match[1] or root in loop_variables or root in _WORDS:
            continue
        steps, end = _steps(condition, quiet, match.end())
        if root == "tasks" and steps:
            root, steps = steps[0].lstrip("."), steps[1:]
        found = stands_for("".join([root, *steps]))
        if found is not None:
            parts += [condition[done : match.start(2)], found]
            done = end
    return "".join([*parts, condition[done:]])


def _steps(condition: str, quiet: str, at: int) -> tuple[list[str], int]:
    """Give the steps after a root as references write them, and where they end."""
    steps = []
    while True:
        field, called, end = _member(condition, quiet, at)
        if field is not None and not called and not set(field) & set(".[]"):
            steps.append(f".{field}")
            at = end
        elif number := _NUMBERED.match(quiet, at):
            steps.append(f"[{number[1]}]")
            at = number.end()
        else:
            return steps, at
