"""docs/notifiers.md says what is so: its snippet runs, its channels are read, its JSON and tables are those in use."""

import asyncio
import json
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

from stretto.channels import KINDS, read_channel
from stretto.core.domain import Notice
from stretto.documents import parse_document
from stretto.notifiers.webhook import body_of

PAGE = (Path(__file__).parents[2] / "docs" / "notifiers.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.S)


def test_the_snippet_runs() -> None:
    (code,) = blocks("python")
    space: dict[str, Any] = {"__name__": "snippet"}
    exec(compile(code, "snippet", "exec"), space)  # noqa: S102
    space["Receiver"].log_message = lambda *_: None
    asyncio.run(asyncio.wait_for(space["main"](), 30))


def test_the_channels_are_read() -> None:
    (text,) = blocks("yaml")
    entries = parse_document(text, "page").value["notify"]
    assert [read_channel(one).transport.name for one in entries] == [
        *("terminal", "webhook https://example.org", "mail smtp.example.org")
    ]


def test_the_json_is_what_is_posted() -> None:
    (text,) = blocks("json")
    assert list(json.loads(text)) == list(asdict(Notice(id="", kind="ended", run="", text="")))
    assert body_of(Notice(**json.loads(text))).decode() == text.rstrip("\n")


def test_every_kind_and_every_field_is_named() -> None:
    assert re.findall(r"^\| `(\w+)` \| (?!all|terminal|webhook|mail)", PAGE, re.M) == list(KINDS)
    for field in ("on", "to", "bell", "secret_env", "insecure", "from", "server", "tls", "user_env", "timeout"):
        assert re.search(rf"^\|.*`{field}`", PAGE, re.M), field
