"""Prose: a text parted into paragraphs and lists; this is all the structure a text can have."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A paragraph (one item) or a list (an item per bullet); an item may hold line breaks, no blank line."""

    items: tuple[str, ...]
    bullets: bool


def blocks(text: str) -> tuple[Block, ...]:
    """Part `text` at blank lines and before lines with "- "; a line indented under a bullet belongs to it."""
    found: list[tuple[bool, list[list[str]]]] = []
    parted = True
    for line in text.split("\n"):
        stripped = line.strip()
        in_list = bool(found) and found[-1][0]
        if not stripped:
            parted = True
            continue
        if stripped.startswith("- "):
            if not in_list:
                found.append((True, []))
            found[-1][1].append([stripped[2:].strip()])
        elif found and not parted and (not in_list or line[0] in " \t"):
            found[-1][1][-1].append(stripped)
        else:
            found.append((False, [[stripped]]))
        parted = False
    joined = ((bullets, tuple("\n".join(lines) for lines in items)) for bullets, items in found)
    return tuple(Block(items=items, bullets=bullets) for bullets, items in joined)


def one_line(text: str, *, otherwise: str = "") -> str:
    """Return `text` on one line with single spaces, or `otherwise` if nothing would be seen of it."""
    return " ".join(text.split()) or otherwise


def shortened(text: str, limit: int) -> str:
    """Return `text` on one line, cut to `limit` characters with an ellipsis where it was longer."""
    line = one_line(text)
    return line if len(line) <= limit else f"{line[: limit - 1].rstrip()}…"
