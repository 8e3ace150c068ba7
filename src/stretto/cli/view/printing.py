"""Prints lines: in colour and cut to its width on a terminal, whole and plain elsewhere."""

import os
import sys
from collections.abc import Sequence
from typing import TextIO

from stretto.cli.view.lines import Line, Signs, plain_text, signs_for


def width_for(stream: TextIO | None = None) -> int | None:
    """Give the columns of a terminal; None for a stream that is none."""
    stream = stream or sys.stdout
    if not stream.isatty():
        return None
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except OSError:
        return 80


def signs_of(stream: TextIO | None = None) -> Signs:
    """Give the signs that a stream can show."""
    return signs_for((stream or sys.stdout).encoding)


def write(lines: Sequence[Line], stream: TextIO | None = None) -> None:
    """Print lines."""
    stream = stream or sys.stdout
    if not stream.isatty():
        stream.write(plain_text(lines) + "\n" if lines else "")
        return
    from rich.console import Console

    from stretto.cli.view.picture import Picture

    Console(file=stream, highlight=False, markup=False, emoji=False, soft_wrap=True).print(Picture(lines))
