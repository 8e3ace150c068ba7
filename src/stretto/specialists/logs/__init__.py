"""A streaming analyser of logs: who tried to log in, who got in, who flooded; pure, and on the standard library.

`analyse_file` reads one log, `merge` makes several analyses one; the rules are in docs/logs.md.
"""

from __future__ import annotations

from .analysis import analyse_file
from .merging import merge
from .model import (
    LOCAL,
    OTHERS,
    UNKNOWN,
    Analysis,
    AnonymousLogin,
    Breach,
    Burst,
    Flood,
    InvalidUser,
    Line,
    LogFile,
    Options,
    Source,
)
from .reading import UnreadableLog

__all__ = [
    "LOCAL",
    "OTHERS",
    "UNKNOWN",
    "Analysis",
    "AnonymousLogin",
    "Breach",
    "Burst",
    "Flood",
    "InvalidUser",
    "Line",
    "LogFile",
    "Options",
    "Source",
    "UnreadableLog",
    "analyse_file",
    "merge",
]
