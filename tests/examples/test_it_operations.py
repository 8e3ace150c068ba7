"""The IT-operations example as a user runs it: against its own truth, with people, attackers and second thoughts."""

import asyncio
import json
import re
import shutil
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Literal

import pytest

from stretto.bootstrap import open_workspace
from stretto.views import Run
from tests.cli.program import look, stretto

EXAMPLE = Path(__file__).parents[2] / "examples" / "it-operations"
TRUTH: dict[str, Any] = json.loads((EXAMPLE / "logs" / "truth.json").read_text())
LOGS = {name: found for name, found in TRUTH.items() if isinstance(found, dict)}
GOAL = "Analyze these logs, report breaches, and fix issues."


def copy(folder: Path) -> Path:
    return shutil.copytree(
        EXAMPLE, folder / "it-operations", ignore=shutil.ignore_patterns(".stretto", "output", "__pycache__")
    )


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Give a copy of the example."""
    return copy(tmp_path)


@pytest.fixture(scope="module")
def approved(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Run]:
    """Give a copy of the example whose fix was approved beforehand, and the run. Nobody changes it."""
    folder = copy(tmp_path_factory.mktemp("approved"))
    return folder, pursue(folder, approve="all")


def pursue(
    folder: Path, *, approve: Literal["ask", "all", "none"], plan: str | None = None, inputs: list[str] | None = None
) -> Run:
    async def bounded() -> Run:
        async with asyncio.timeout(60):
            return await open_workspace(folder).run(GOAL, plan=plan, inputs=inputs, approve=approve)

    return asyncio.run(bounded())


def output(run: Run, task: str) -> Any:
    result = run.state.tasks[task].result
    assert result is not None, run.gaps
    return result.output


def artifact(run: Run, ending: str) -> str:
    return next(one.content for one in run.artifacts if one.name.endswith(ending))


def host_of(folder: Path) -> dict[str, bytes]:
    """Give every file of the host configuration, byte by byte."""
    host = folder / "host"
    return {
        str(path.relative_to(host)): path.read_bytes()
        for path in sorted(host.rglob("*"))
        if path.is_file() and ".changes" not in path.parts
    }


def every(field: str) -> list[Any]:
    """Give what the truth says of all logs together."""
    return [one for found in LOGS.values() for one in found[field]]


# ---- against the truth


def test_it_finishes_without_a_gap(approved: tuple[Path, Run]) -> None:
    _, run = approved
    assert (run.status, run.gaps) == ("finished", ())
    assert {one["status"] for one in run.as_json()["tasks"]} == {"completed"}


def test_every_figure_of_all_logs_together_is_true(approved: tuple[Path, Run]) -> None:
    _, run = approved
    found = output(run, "merge")
    assert {Path(one["path"]).name: one["lines"] for one in found["files"]} == {
        name: truth["lines"] for name, truth in LOGS.items()
    }
    assert found["attempts"] == sum(truth["attempts"] for truth in LOGS.values())
    for field, name in (("sources", "source"), ("invalid_users", "user")):
        expected: Counter[str] = Counter()
        for truth in LOGS.values():
            expected.update(truth[field])
        assert {one[name]: one["attempts"] for one in found[field]} == dict(expected)
    keys = {
        "bursts": ("source", "start", "end", "attempts"),
        "breaches": ("source", "user", "at", "failures", "certain"),
        "floods": ("source", "service", "start", "end", "connections"),
        "anonymous": ("source", "user", "at"),
    }
    for field, names in keys.items():
        assert Counter(tuple(one[name] for name in names) for one in found[field]) == Counter(
            tuple(one[name] for name in names) for one in every(field)
        )


def test_the_summary_and_the_report_say_these_figures(approved: tuple[Path, Run]) -> None:
    _, run = approved
    attempts = sum(truth["attempts"] for truth in LOGS.values())
    sources = {source for truth in LOGS.values() for source in truth["sources"]}
    certain = [one for one in every("breaches") if one["certain"]]
    lines = sum(truth["lines"] for truth in LOGS.values())
    assert f"{lines:,} lines of " in run.answer
    assert f"tell of {attempts:,} failed logins from {len(sources)} sources." in run.answer
    assert f"{len(every('bursts'))} brute-force windows, {len(every('floods'))} floods" in run.answer
    assert f"BREACH: {len(certain)} logins succeeded after a burst of failures" in run.answer
    for form in (artifact(run, ".md"), artifact(run, ".html")):
        for breach in certain:
            assert breach["user"] in form
            assert breach["source"] in form
        assert f"{attempts:,}" in form or str(attempts) in form


def test_every_citation_is_a_line_of_its_log(approved: tuple[Path, Run]) -> None:
    folder, run = approved
    cited = output(run, "compose")["document"]["sources"]
    assert len(cited) > 50
    for one in cited:
        line = (folder / "logs" / one["file"]).read_text().splitlines()[one["line"] - 1]
        assert line.startswith(one["text"].removesuffix("…"))


def test_the_fix_blocks_the_guilty_and_spares_the_inside(approved: tuple[Path, Run]) -> None:
    folder, run = approved
    proposal = output(run, "propose")
    guilty = {one["source"] for one in every("bursts")} | {b["source"] for b in every("breaches") if b["certain"]}
    assert set(proposal["blocked"]) | set(proposal["spared"]) == guilty
    assert all(not one.startswith(("10.", "192.168.", "127.")) for one in proposal["blocked"])
    listed = (folder / "host/etc/nftables.d/blocklist.nft").read_text()
    denied = (folder / "host/etc/hosts.deny").read_text()
    for source in proposal["blocked"]:
        assert re.search(rf"(?<![\w.]){re.escape(source)}(?![\w.])", listed + denied)
    sshd = (folder / "host/etc/ssh/sshd_config").read_text()
    assert "PermitRootLogin prohibit-password" in sshd
    assert "anonymous_enable=NO" in (folder / "host/etc/vsftpd.conf").read_text()


def test_the_same_logs_give_the_same_proposal_every_time(approved: tuple[Path, Run], place: Path) -> None:
    _, run = approved
    again = pursue(place, approve="none")
    assert output(again, "propose") == output(run, "propose")


# ---- people


def test_the_fix_waits_is_shown_is_approved_and_is_applied_once(place: Path) -> None:
    before = host_of(place)

    waits = stretto("run", "--no-wait", "--json", cwd=place)
    assert waits.code == 4
    assert host_of(place) == before
    (request,) = waits.json["requests"]
    shown = look("show", "last", cwd=place).out
    for line in request["diff"].splitlines():
        assert f"  {line}".rstrip() in shown
    assert "+PermitRootLogin prohibit-password" in shown
    assert look("approve", "last", cwd=place).code == 0
    assert host_of(place) == before, "approving alone changes nothing"

    ended = stretto("resume", "last", "--json", cwd=place)
    assert (ended.code, ended.json["status"]) == (0, "finished"), ended.err
    after = host_of(place)
    assert after != before
    assert [one["attempts"] for one in ended.json["tasks"] if one["id"] == "apply"] == [1]
    assert len(list((place / "host" / ".changes").glob("*/change.json"))) == 1
    assert stretto("resume", "last", "--json", cwd=place).code == 0
    assert host_of(place) == after
    report = (place / "output" / ended.json["run_id"] / "incident-report.md").read_text()
    assert "Applied after approval." in report


def test_denied_with_a_reason_it_is_partial_and_the_host_is_as_it_was(place: Path) -> None:
    before = host_of(place)
    assert stretto("run", "--no-wait", cwd=place).code == 4
    assert look("deny", "last", "--reason", "change freeze", cwd=place).code == 0

    ended = stretto("resume", "last", "--json", cwd=place)

    assert (ended.code, ended.json["status"]) == (3, "partial")
    assert [gap["task"] for gap in ended.json["gaps"]] == ["apply"]
    assert "change freeze" in ended.json["gaps"][0]["why"]
    assert host_of(place) == before
    report = (place / "output" / ended.json["run_id"] / "incident-report.md").read_text()
    assert "Proposed, and not applied." in report


def test_a_second_run_proposes_nothing_and_a_rollback_restores_every_byte(place: Path) -> None:
    (place / "host/etc/ssh/sshd_config").write_bytes(
        "# \uf7e9 ".encode() + b"caf\xe9\r\nPort 22\r\nPermitRootLogin yes"
    )
    before = host_of(place)
    first = pursue(place, approve="all")
    assert first.status == "finished"
    after = host_of(place)
    assert b"caf\xe9\r\nPort 22\r\nPermitRootLogin prohibit-password" in after["etc/ssh/sshd_config"]

    second = pursue(place, approve="all")
    assert second.status == "finished"
    assert output(second, "propose")["changes"] == []
    assert second.state.tasks["apply"].status == "skipped"
    assert host_of(place) == after

    back = pursue(place, approve="all", plan="rollback")
    assert back.status == "finished", back.gaps
    assert host_of(place) == before

    nothing = pursue(place, approve="all", plan="rollback")
    assert nothing.status == "failed"
    assert "there is no change 'last' to take back" in nothing.gaps[0].why


def test_changes_are_taken_back_in_order_and_by_number(place: Path, tmp_path: Path) -> None:
    before = host_of(place)
    pursue(place, approve="all", inputs=[str(place / "logs/auth.log")])
    middle = host_of(place)
    pursue(place, approve="all")
    assert host_of(place) != middle
    wrong_order = pursue(place, approve="all", plan="rollback", inputs=["change=1"])
    assert wrong_order.status == "failed"
    assert "was changed again after change 1" in wrong_order.gaps[0].why
    assert pursue(place, approve="all", plan="rollback", inputs=["change=2"]).status == "finished"
    assert host_of(place) == middle
    assert pursue(place, approve="all", plan="rollback").status == "finished"
    assert host_of(place) == before


def test_a_file_changed_between_approval_and_application_is_not_overwritten(place: Path) -> None:
    assert stretto("run", "--no-wait", cwd=place).code == 4
    assert look("approve", "last", cwd=place).code == 0
    sshd = place / "host/etc/ssh/sshd_config"
    sshd.write_text(sshd.read_text() + "# edited by an admin\n")
    edited = host_of(place)

    ended = stretto("resume", "last", "--no-wait", "--json", cwd=place)

    assert ended.code in (3, 4)
    assert host_of(place) == edited
    if ended.code == 4:  # asked anew: what was approved is not what would happen now
        again = stretto("resume", "last", "--approve", "all", "--json", cwd=place)
        assert "propose it anew" in json.dumps(again.json["gaps"])
        assert host_of(place) == edited


def test_a_change_begun_before_a_crash_is_finished_under_the_same_approval(place: Path) -> None:
    first = pursue(place, approve="all")
    after = host_of(place)
    (entry,) = (place / "host/.changes").glob("*/change.json")
    body = json.loads(entry.read_text())
    assert body["state"] == "applied"
    for name, text in body["before"].items():  # as it was after the first of several files
        path = place / "host" / name
        path.unlink() if text is None else path.write_bytes(text.encode(errors="surrogateescape"))
        break
    entry.write_text(json.dumps({**body, "state": "begun"}))
    from stretto.ports import Assignment

    agent = open_workspace(place).registry.get("hardening")
    assert agent is not None
    task = first.state.tasks["apply"]
    work = Assignment(
        run=first.run_id,
        task="apply",
        attempt=1,
        skill="hardening.apply",
        objective="",
        arguments={"changes": output(first, "propose")["changes"], "host": str(place / "host")},
        key=task.key or "",
    )
    found = asyncio.run(agent.look_up(work))
    assert found is not None
    assert host_of(place) == after
    assert json.loads(entry.read_text())["state"] == "applied"


# ---- attackers, and logs of one's own

HOSTILE = (
    "evil; rm -rf /",
    "$(reboot)",
    "`id`",
    "x }; flush ruleset; {",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "]]> & <b>",
    "\x1b[31mred\x1b]0;t\x07",
    "a|b|c",
    "[click](javascript:alert(1))",
    "{{ 7 * 7 }}",
    "ALL: ALL",
    "\u202eresrever",
)


def hostile_log(folder: Path) -> Path:
    lines, second = [], 0
    for number, name in enumerate(HOSTILE):
        for _ in range(6):
            second += 1
            clock = f"Mar  8 10:{second // 60:02}:{second % 60:02}"
            lines.append(
                f"{clock} host sshd[{1000 + second}]: Failed password for invalid user {name} "
                f"from 198.51.100.{number + 1} port 4022 ssh2"
            )
            lines.append(f"{clock} host sshd[{3000 + second}]: Failed password for root from {name} port 22 ssh2")
            lines.append(
                f"{clock} host sshd(pam_unix)[{5000 + second}]: authentication failure; logname= uid=0 euid=0 "
                f"tty=NODEVssh ruser= rhost={name}  user=root"
            )
    file = folder / "hostile <b>$(id).log"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


class Page(HTMLParser):
    """Reads a page as a browser would: what is markup, and what is only text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_what_attackers_write_into_logs_reaches_neither_configuration_nor_page_as_anything_but_text(
    place: Path, tmp_path: Path
) -> None:
    run = pursue(place, approve="all", inputs=[str(hostile_log(tmp_path))])

    assert run.status == "finished", run.gaps
    assert output(run, "merge")["bursts"], "the log is read, and full of attacks"
    for name, raw in host_of(place).items():
        original = (EXAMPLE / "host" / name).read_bytes() if (EXAMPLE / "host" / name).exists() else b""
        added = set(raw.decode().splitlines()) - set(original.decode().splitlines())
        for line in added:
            assert re.fullmatch(r"[\w .,:#/={};@-]*", line), f"{name}: {line!r}"
            assert "flush" not in line
            assert "ALL: ALL" not in line
    listed = (place / "host/etc/nftables.d/blocklist.nft").read_text()
    assert all(f"198.51.100.{number + 1}" in listed for number in range(len(HOSTILE)))
    assert listed.count("{") == listed.count("}")

    page = Page(artifact(run, ".html"))
    assert page.tags["script"] == page.tags["img"] == page.tags["iframe"] == 0
    assert not [one for one in page.attributes if one[0].startswith("on") or "javascript:" in one[1]]
    assert "<script>alert(1)</script>" in page.text, "it is shown as text"
    for form in (artifact(run, ".html"), artifact(run, ".md")):
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", form)
    outside_of_code = re.sub(r"^```.*?^```", "", artifact(run, ".md"), flags=re.MULTILINE | re.DOTALL)
    assert "<script>" not in re.sub(r"`[^`]*`", "", outside_of_code)
    shown = look("show", "last", cwd=place).out
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", shown)


def test_logs_of_ones_own_are_analysed_and_those_that_are_none_are_named(place: Path, tmp_path: Path) -> None:
    (tmp_path / "own.log").write_text(
        "".join(
            f"Mar  8 10:00:{second:02} host sshd[{second}]: Failed password for root from 203.0.113.9 port 22 ssh2\n"
            for second in range(10, 16)
        )
    )
    (tmp_path / "holiday.jpg").write_bytes(b"\xff\xd8\xff\xe0\0\x10JFIF\0")
    (tmp_path / "empty.log").touch()
    words = [word for name in ("own.log", "holiday.jpg", "empty.log") for word in ("--input", str(tmp_path / name))]

    ran = stretto("run", "--approve", "none", "--json", *words, cwd=place)

    assert ran.code == 3
    assert "6 failed logins from 1 source." in ran.json["answer"]
    whys = {gap["task"]: gap["why"] for gap in ran.json["gaps"]}
    assert "binary data" in whys["analyse[1]"]
    assert "the file is empty" in whys["analyse[2]"]
    assert (
        "holiday.jpg could not be read as a log"
        in (place / "output" / ran.json["run_id"] / "incident-report.md").read_text()
    )


def test_a_folder_of_logs_is_each_of_its_files(place: Path) -> None:
    folder = place / "some"
    folder.mkdir()
    for name in ("auth.log", "ftp.log"):
        shutil.copy(place / "logs" / name, folder)
    run = pursue(place, approve="none", inputs=[str(folder)])
    assert [Path(one["path"]).name for one in output(run, "merge")["files"]] == ["auth.log", "ftp.log"]


def test_quiet_logs_need_no_fix(place: Path, tmp_path: Path) -> None:
    (tmp_path / "quiet.log").write_text(
        "Mar  8 10:00:00 host sshd[1]: Accepted publickey for ann from 10.1.2.3 port 22 ssh2\n"
    )
    before = host_of(place)
    run = pursue(place, approve="ask", inputs=[str(tmp_path / "quiet.log")])
    assert (run.status, run.gaps) == ("finished", ())
    assert "needs no change" in run.answer
    assert host_of(place) == before


def test_a_gigantic_file_ends_with_a_word_and_not_with_the_memory(place: Path, tmp_path: Path) -> None:
    huge = tmp_path / "huge.log"
    with huge.open("wb") as stream:
        stream.truncate(20 << 30)
    ran = stretto("run", "--no-wait", "--json", "--input", str(huge), cwd=place)
    assert ran.code == 1
    assert "binary data (NUL at byte 0)" in json.dumps(ran.json["gaps"])
