"""A notice on the terminal is one harmless line, and nothing where nobody can read it."""

import asyncio
import contextlib
import errno
import io
import os
import subprocess
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stretto.channels import Terminal
from stretto.core.domain import Notice
from stretto.core.errors import NotifierError
from stretto.notifiers import dispatch
from stretto.notifiers.terminal import TerminalNotifier
from stretto.notifiers.wording import headline

NOTICE = Notice(id="1", kind="request", run="run-1", task="fix", text="Apply the\n diff?", to="ana", urgent=True)


async def test_a_notice_is_one_line_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    await TerminalNotifier().send(NOTICE)
    out, err = capsys.readouterr()
    assert (out, err) == ("", "stretto: urgent request for ana: run run-1, task fix: Apply the diff?\n")


async def test_the_bell_rings_where_it_is_wanted(capsys: pytest.CaptureFixture[str]) -> None:
    await TerminalNotifier(settings=Terminal(bell=True)).send(NOTICE)
    assert capsys.readouterr().err.startswith("\astretto: ")


async def test_what_a_terminal_would_obey_is_shown_instead(capsys: pytest.CaptureFixture[str]) -> None:
    hostile = "x\x1b]0;title\a\x9b2J\r\n\u202etxt\u2066\ufeff\0\ud800 — é 🙂"
    await TerminalNotifier().send(Notice(id="1", kind="halted", run=hostile, task=hostile, to=hostile, text=hostile))
    shown = r"x\x1b]0;title\x07\x9b2J \u202etxt\u2066\ufeff\x00\ud800 — é 🙂"
    assert capsys.readouterr().err == f"stretto: halted for {shown}: run {shown}, task {shown}: {shown}\n"


@given(st.text(st.characters(exclude_categories=()), max_size=300), st.integers(20, 400))
def test_any_text_becomes_one_printable_line_of_bounded_length(text: str, most: int) -> None:
    line = headline(Notice(id="1", kind="ended", run=text, text=text, task=text), most)
    assert len(line) <= most
    assert not {letter for letter in line if unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp")}
    assert not set(line) & set("\u200b\u200e\u200f\u202a\u202e\u2066\u2069\ufeff")


async def test_a_terminal_of_few_letters_gets_the_others_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(raw, encoding="ascii", errors="strict"))
    await TerminalNotifier().send(Notice(id="1", kind="ended", run="r", text="café 🙂"))
    assert raw.getvalue() == b"stretto: ended: run r: caf\\xe9 \\U0001f642\n"


class Broken(io.StringIO):
    def write(self, _: str) -> int:
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")


class ReadOnly(io.StringIO):
    def writable(self) -> bool:
        return False


def closed() -> io.StringIO:
    stream = io.StringIO()
    stream.close()
    return stream


@pytest.mark.parametrize(
    ("stream", "reason"),
    [(None, "it is closed"), (closed(), "it is closed"), (ReadOnly(), "it is closed"), (Broken(), "Broken pipe")],
)
async def test_a_standard_error_that_takes_nothing_is_told(
    monkeypatch: pytest.MonkeyPatch, stream: io.StringIO | None, reason: str
) -> None:
    monkeypatch.setattr(sys, "stderr", stream)
    with pytest.raises(NotifierError, match=f"nothing can be written to standard error: {reason}"):
        await TerminalNotifier().send(NOTICE)


def test_a_process_without_standard_error_goes_on() -> None:
    code = """
import asyncio
from stretto.core.domain import Notice
from stretto.notifiers import dispatch, notifiers_of
notice = Notice(id="1", kind="halted", run="r", text="x")
print(asyncio.run(dispatch(notifiers_of(["terminal"]), notice)))
"""
    done = subprocess.run(
        ["sh", "-c", f'exec "{sys.executable}" -c "$0" 2>&-', code], stdout=subprocess.PIPE, text=True, timeout=60
    )
    assert (done.returncode, done.stdout) == (
        0,
        "(NotifierError('terminal: nothing can be written to standard error: it is closed'),)\n",
    )


def fill(pipe: int) -> None:
    os.set_blocking(pipe, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(pipe, b"x" * 65_536)
    os.set_blocking(pipe, True)


async def test_a_pipe_that_nobody_reads_holds_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    fill(writing)
    with os.fdopen(writing, "w", encoding="utf-8") as stream, os.fdopen(reading, "rb") as reader:
        monkeypatch.setattr(sys, "stderr", stream)
        (error,) = await dispatch([TerminalNotifier()], NOTICE, seconds=0.2)
        assert str(error) == "terminal: not sent within 0.2 s"
        read = b""
        while b"stretto: " not in read:  # now the thread can end
            read += await asyncio.to_thread(reader.read1)
