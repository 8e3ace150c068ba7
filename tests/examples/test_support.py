"""The support example as a user runs it: every message of its inbox, people, strangers, crashes and hostile mails."""

import asyncio
import json
import shutil
import sqlite3
import subprocess
import sys
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import Any, Literal

import pytest

from stretto.bootstrap import open_workspace
from stretto.views import Run
from tests.cli.program import stretto

EXAMPLE = Path(__file__).parents[2] / "examples" / "support"
TRUTH: dict[str, Any] = json.loads((EXAMPLE / "data" / "truth.json").read_text())
CLEAR = [name for name, told in TRUTH.items() if told["kind"] != "unclear"]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Give a copy of the example."""
    return shutil.copytree(
        EXAMPLE, tmp_path / "support", ignore=shutil.ignore_patterns(".stretto", "output", "__pycache__")
    )


def answer(place: Path, message: Path, *, approve: Literal["ask", "all", "none"] = "all") -> Run:
    async def bounded() -> Run:
        async with asyncio.timeout(60):
            return await open_workspace(place).run("Answer it", inputs={"message": str(message)}, approve=approve)

    return asyncio.run(bounded())


def sent(place: Path) -> list[EmailMessage]:
    """Give the mails of the outbox."""
    read = BytesParser(EmailMessage, policy=policy.default).parsebytes
    return [read(file.read_bytes()) for file in sorted((place / "outbox" / "new").glob("*"))]


def output(run: Run, task: str) -> Any:
    result = run.state.tasks[task].result
    assert result is not None, run.gaps
    return result.output


def arrived(place: Path, text: str, *, sender: str = "Ada <ada.lindqvist@mail.example>", **headers: str) -> Path:
    mail = EmailMessage()
    mail["From"], mail["Subject"], mail["Date"] = (
        sender,
        headers.get("subject", "hello"),
        "Tue, 17 Mar 2026 09:30:00 +0000",
    )
    mail.set_content(text, subtype=headers.get("subtype", "plain"))
    file = place / "inbox" / "arrived.eml"
    file.write_bytes(bytes(mail))
    return file


@pytest.mark.parametrize("name", CLEAR)
def test_each_message_is_sorted_answered_from_its_facts_and_sent_to_who_asked(place: Path, name: str) -> None:
    truth = TRUTH[name]
    run = answer(place, place / "inbox" / name)
    assert run.status == "finished"
    assert output(run, "triage")["kind"] == truth["kind"]
    assert output(run, "triage")["order"] == truth["order"]
    (mail,) = sent(place)
    assert str(mail["To"]) == output(run, "read")["sender"]
    body = " ".join(mail.get_content().split())
    assert [words for words in truth["says"] if words not in body] == []
    assert run.answer.splitlines()[1] == f"The answer was sent as {mail['Message-ID']}."


def test_every_rule_in_an_answer_is_cited_by_its_line(place: Path) -> None:
    run = answer(place, place / "inbox" / "09-warranty.eml")
    cited = {(Path(one.file).name, one.line): one.text for one in run.citations}
    lines = (place / "knowledge" / "warranty.md").read_text().splitlines()
    assert cited["warranty.md", 3] == lines[2]
    for (file, line), text in cited.items():
        if line:
            assert text in (place / "knowledge" / file).read_text().splitlines()[line - 1]


def test_nothing_is_sent_before_somebody_has_seen_it_and_once_only(place: Path) -> None:
    first = stretto("run", "-w", str(place), "--no-wait", cwd=place)
    assert first.code == 4
    assert sent(place) == []
    shown = stretto("show", "last", "-w", str(place), cwd=place)
    assert "tracking number" in shown.out
    assert stretto("approve", "last", "-w", str(place), cwd=place).code == 0
    assert stretto("resume", "last", "-w", str(place), cwd=place).code == 0
    assert stretto("resume", "last", "-w", str(place), cwd=place).code == 0
    assert len(sent(place)) == 1


def test_a_denied_answer_is_not_sent_and_the_run_says_so(place: Path) -> None:
    run = answer(place, place / "inbox" / "01-where.eml", approve="none")
    assert run.status == "partial"
    assert sent(place) == []
    assert any("send" in one.task for one in run.gaps)


def test_a_stranger_learns_nothing_of_an_order(place: Path) -> None:
    run = answer(place, place / "inbox" / "07-stranger.eml")
    order = output(run, "order")
    assert (order["known"], order["customer"], order["tracking"], order["items"]) == (False, "", None, [])
    with sqlite3.connect(place / "data" / "orders.db") as store:
        told = store.execute(
            "select c.name, o.tracking, o.placed from orders o join customers c on c.id = o.customer where number = ?",
            (TRUTH["07-stranger.eml"]["order"],),
        ).fetchone()
    store.close()
    (mail,) = sent(place)
    assert [one for one in told if one in mail.get_content()] == []


def test_orders_in_a_message_change_neither_who_is_written_to_nor_what_is_done(place: Path) -> None:
    run = answer(place, place / "inbox" / "08-hostile.eml")
    (mail,) = sent(place)
    assert str(mail["To"]) == "mina.sato@mail.example"
    assert "collector" not in str(mail)
    assert "5,000" not in str(mail)
    assert set(run.state.tasks) == {"read", "triage", "order", "research", "draft", "check", "send", "close"}


def test_what_a_message_is_about_is_asked_when_its_words_do_not_tell(place: Path) -> None:
    first = stretto(
        "run", "-w", str(place), "--no-wait", "--input", f"message={place / 'inbox' / '10-unclear.eml'}", cwd=place
    )
    assert first.code == 4
    assert stretto("answer", "last", "triage", "invoice", "-w", str(place), cwd=place).code == 0
    gone = stretto("resume", "last", "-w", str(place), "--approve", "all", cwd=place)
    assert gone.code == 0
    (mail,) = sent(place)
    assert "number of your order" in mail.get_content()


def test_an_order_number_is_looked_up_as_text_whatever_it_holds(place: Path) -> None:
    file = arrived(place, "Where is my order F-20011'; drop table orders; -- ? It has not arrived.")
    run = answer(place, file)
    assert output(run, "order")["number"] == "F-20011"
    with sqlite3.connect(place / "data" / "orders.db") as store:
        assert store.execute("select count(*) from orders").fetchone()[0] > 100
    store.close()


def test_a_message_in_html_is_read_as_its_text(place: Path) -> None:
    file = arrived(place, "<p>Where is my <b>parcel</b>, order F-20011? It has not arrived.</p>", subtype="html")
    assert output(answer(place, file), "triage")["order"] == "F-20011"


def test_a_subject_with_line_breaks_adds_no_header_to_the_answer(place: Path) -> None:
    file = place / "inbox" / "folded.eml"
    head = "From: ada.lindqvist@mail.example\nDate: Tue, 17 Mar 2026 09:30:00 +0000\n"
    file.write_text(
        f"{head}Subject: =?utf-8?q?invoice=0D=0ABcc=3A_evil=40collector=2Eexample?=\n\nMy invoice, please\n"
    )
    answer(place, file)
    (mail,) = sent(place)
    assert mail["Bcc"] is None
    assert len(mail.get_all("To") or []) == 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Subject: hi\nDate: Tue, 17 Mar 2026 09:30:00 +0000\n\nhello\n", "names no sender"),
        ("From: a@b.example\nSubject: hi\n\nhello\n", "no readable Date"),
    ],
)
def test_a_message_that_cannot_be_answered_is_named_with_why(place: Path, text: str, told: str) -> None:
    file = place / "inbox" / "odd.eml"
    file.write_text(text)
    run = answer(place, file)
    assert run.status == "failed"
    assert told in " ".join(one.why for one in run.gaps)


def test_the_messages_and_the_truth_are_what_the_generator_writes(place: Path) -> None:
    before = {file: file.read_bytes() for file in sorted(place.glob("inbox/*.eml"))}
    shutil.rmtree(place / "inbox")
    (place / "inbox").mkdir()
    subprocess.run([sys.executable, str(place / "generate.py")], check=True, timeout=60)
    assert {file: file.read_bytes() for file in sorted(place.glob("inbox/*.eml"))} == before
    assert json.loads((place / "data" / "truth.json").read_text()) == TRUTH
