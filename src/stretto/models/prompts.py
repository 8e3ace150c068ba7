"""Prompts lie in Markdown files beside those who use them; what changes from call to call is filled in."""

from functools import cache
from pathlib import Path
from typing import Any


def rendered(file: Path, **values: Any) -> str:
    """Give a prompt with its values, which are plain text and never read as templates themselves."""
    return str(_templates(file.parent).get_template(file.name).render(**values)).strip()


@cache
def _templates(folder: Path) -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # only runs that ask models pay for it

    # A prompt is no page: nothing is to be escaped.
    return Environment(loader=FileSystemLoader(folder), undefined=StrictUndefined, autoescape=False)  # noqa: S701
