"""Which lines are understood, how times are read, and what is said of a file that cannot be."""

import gzip
import json
import os
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from stretto.specialists.logs import Analysis, UnreadableLog, analyse_file

FAILED = "Failed password for root from 192.0.2.1 port 22 ssh2"


def read(path: Path, *lines: str | dict[str, object]) -> Analysis:
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    path.write_text("\n".join(texts) + "\n", encoding="utf-8")
    return analyse_file(path)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "x.log"


# --- formats --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "kind", "at"),
    [
        (f"Jun  4 15:16:01 h sshd[1]: {FAILED}", "syslog", "06-04T15:16:01"),
        (f"Jun 4 15:16:01 h sshd[1]: {FAILED}", "syslog", "06-04T15:16:01"),
        (f"<34>Jun 14 15:16:01 h sshd[1]: {FAILED}", "syslog", "06-14T15:16:01"),
        (f"Jun 14 15:16:01.123456 h sshd[1]: {FAILED}", "syslog", "06-14T15:16:01"),
        (f"Jun 14 15:16:01 sshd[1]: {FAILED}", "syslog", "06-14T15:16:01"),
        (f"Jun 14 15:16:01 h auth.info sshd[1]: {FAILED}", "syslog", "06-14T15:16:01"),
        (f"2026-06-14T15:16:01.5+02:00 h sshd[1]: {FAILED}", "syslog with year", "2026-06-14T15:16:01"),
        (f"2026-06-14T15:16:01Z h sshd[1]: {FAILED}", "syslog with year", "2026-06-14T15:16:01"),
        (f"2026-06-14T15:16:01+0000 h sshd[1]: {FAILED}", "syslog with year", "2026-06-14T15:16:01"),
        (f"2026-06-14 15:16:01 h sshd[1]: {FAILED}", "syslog with year", "2026-06-14T15:16:01"),
        (f"2026 Jun 14 15:16:01 h sshd[1]: {FAILED}", "syslog with year", "2026-06-14T15:16:01"),
        (f"Jun 14 2026 15:16:01 h sshd[1]: {FAILED}", "syslog with year", "2026-06-14T15:16:01"),
        (f"<34>1 2026-06-14T15:16:01.003Z h sshd 1 - - {FAILED}", "syslog RFC 5424", "2026-06-14T15:16:01"),
        (
            f'<34>1 2026-06-14T15:16:01Z h sshd 1 ID [a b="]\\""][c] \ufeff{FAILED}',
            "syslog RFC 5424",
            "2026-06-14T15:16:01",
        ),
        ('Sun Jun 14 15:16:01 2026 [pid 2] [bob] FAIL LOGIN: Client "192.0.2.1"', "vsftpd", "2026-06-14T15:16:01"),
        (
            '192.0.2.1 - bob [14/Jun/2026:15:16:01 +0000] "GET / HTTP/1.1" 401 5 "-" "x"',
            "nginx access",
            "2026-06-14T15:16:01",
        ),
        (
            '2026/06/14 15:16:01 [error] 12#12: *3 user "bob": password mismatch, client: 192.0.2.1, server: _',
            "nginx error",
            "2026-06-14T15:16:01",
        ),
        (
            {"time": "2026-06-14T15:16:01Z", "event": "login", "outcome": "failure", "ip": "192.0.2.1"},
            "JSON lines",
            "2026-06-14T15:16:01",
        ),
        (
            {"MESSAGE": FAILED, "_PID": "1", "SYSLOG_IDENTIFIER": "sshd", "__REALTIME_TIMESTAMP": "1781450161000000"},
            "JSON lines",
            "2026-06-14T15:16:01",
        ),
    ],
)
def test_every_format_is_told_by_its_lines(log: Path, line: str | dict[str, object], kind: str, at: str) -> None:
    found = read(log, line)
    assert (found.files[0].format, found.files[0].recognised) == (kind, 1)
    assert [(source.source, source.attempts, source.first) for source in found.sources] == [("192.0.2.1", 1, at)]


def test_one_file_may_mix_formats(log: Path) -> None:
    found = read(
        log,
        f"2026-06-14T15:16:01Z h sshd[1]: {FAILED}",
        f"Jun 14 15:17:01 h sshd[2]: {FAILED}",
        {"time": 1781450161, "msg": "login failed", "client_ip": "192.0.2.1"},
        '192.0.2.1 - - [14/Jun/2026:15:16:01 +0000] "POST /wp-login.php HTTP/1.1" 403 5 "-" "x"',
        "no log at all",
    )
    assert (found.attempts, found.files[0].lines, found.files[0].recognised) == (4, 5, 4)
    assert found.sources[0].last == "2026-06-14T15:17:01"  # the year is known from the line before


@pytest.mark.parametrize(
    ("request_", "status", "user", "attempts"),
    [
        ("GET / HTTP/1.1", 401, "-", 0),  # the challenge
        ("GET / HTTP/1.1", 401, "bob", 1),
        ("GET / HTTP/1.1", 200, "bob", 0),
        ("POST /login HTTP/1.1", 401, "-", 1),
        ("POST /api/Session HTTP/2", 403, "-", 1),
        ("POST /orders?from=/login HTTP/1.1", 403, "-", 0),
        ("POST /login HTTP/1.1", 302, "-", 0),
        ("GET /login HTTP/1.1", 403, "-", 0),
    ],
)
def test_only_refused_logins_of_the_web_are_attempts(
    log: Path, request_: str, status: int, user: str, attempts: int
) -> None:
    line = f'192.0.2.1 - {user} [14/Jun/2026:15:16:01 +0200] "{request_}" {status} 5 "-" "x"'
    assert read(log, line).attempts == attempts


def test_nginxs_two_records_of_one_refusal_count_once(log: Path) -> None:
    found = read(
        log,
        '2026/06/14 15:16:01 [error] 12#12: *3 user "bob" was not found in "/etc/x", client: 192.0.2.1, server: _',
        '192.0.2.1 - bob [14/Jun/2026:15:16:01 +0000] "GET / HTTP/1.1" 401 5 "-" "x"',
    )
    assert found.attempts == 1
    assert found.invalid_users[0].user == "bob"


@pytest.mark.parametrize(
    ("record", "attempts"),
    [
        ({"event": "user.login", "outcome": "failure", "source": {"ip": "192.0.2.1"}, "user": {"name": "bob"}}, 1),
        ({"event": {"action": "login", "outcome": "failure"}, "client": {"ip": "192.0.2.1"}}, 1),
        ({"message": "Login failed for user bob", "ip": "192.0.2.1"}, 1),
        ({"event": "LOGIN_FAILURE", "remote_addr": "192.0.2.1"}, 1),
        ({"event": "auth.login", "success": False, "ip": "192.0.2.1"}, 1),
        ({"msg": "invalid password", "ip": "192.0.2.1"}, 1),
        ({"method": "POST", "path": "/api/login", "status": 401, "ip": "192.0.2.1"}, 1),
        ({"event": "user.login", "outcome": "success", "ip": "192.0.2.1"}, 0),
        ({"event": "user.logout", "outcome": "failure", "ip": "192.0.2.1"}, 0),
        ({"event": "order.created", "outcome": "failure", "ip": "192.0.2.1"}, 0),
        ({"message": "author update failed", "ip": "192.0.2.1"}, 0),
        ({"message": "failed to load the login page", "ip": "192.0.2.1"}, 0),
        ({"message": "authorization denied for /admin", "ip": "192.0.2.1"}, 0),
    ],
)
def test_json_lines_fail_only_where_they_say_so(log: Path, record: dict[str, object], attempts: int) -> None:
    found = read(log, {"time": "2026-06-14T15:16:01Z", **record})
    assert found.attempts == attempts
    assert [source.source for source in found.sources] == ["192.0.2.1"] * attempts


def test_a_json_success_after_failures_is_a_breach(log: Path) -> None:
    def line(second: int, outcome: str) -> dict[str, object]:
        return {
            "time": f"2026-06-14T15:16:{second:02}Z",
            "event": "login",
            "outcome": outcome,
            "ip": "192.0.2.1",
            "user": "bob",
        }

    found = read(log, *[line(second, "failure") for second in range(5)], line(9, "success"))
    assert [(breach.source, breach.user, breach.certain) for breach in found.breaches] == [("192.0.2.1", "bob", True)]


def test_journalds_message_may_be_bytes_and_its_records_join_by_process(log: Path) -> None:
    base = {"_PID": "7", "SYSLOG_IDENTIFIER": "sshd", "_HOSTNAME": "h"}
    pam = "pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.1  user=root"
    found = read(
        log,
        {**base, "__REALTIME_TIMESTAMP": "1781450161000000", "MESSAGE": pam},
        {**base, "__REALTIME_TIMESTAMP": "1781450163000000", "MESSAGE": list(FAILED.encode())},
    )
    assert found.attempts == 1


# --- times ----------------------------------------------------------------------------------------------------------


def syslog(*stamps: str) -> list[str]:
    return [f"{stamp} h sshd[{number}]: {FAILED}" for number, stamp in enumerate(stamps, start=1)]


def test_new_year_is_seen_without_a_year(log: Path) -> None:
    stamps = ["Dec 31 23:59:56", "Dec 31 23:59:58", "Jan  1 00:00:01", "Dec 31 23:59:59", "Jan  1 00:00:02"]
    found = read(log, *syslog(*stamps))
    assert [(burst.start, burst.end, burst.attempts) for burst in found.bursts] == [
        ("12-31T23:59:56", "01-01T00:00:02", 5)
    ]
    assert (found.files[0].first, found.files[0].last) == ("12-31T23:59:56", "01-01T00:00:02")


@pytest.mark.parametrize("between", [[], ["Feb 29 12:00:00"]])
def test_february_ends_with_or_without_a_leap_day(log: Path, between: list[str]) -> None:
    before = ["Feb 28 23:59:57", "Feb 28 23:59:58", "Feb 28 23:59:59"]
    after = ["Mar  1 00:00:01", "Mar  1 00:00:02"]
    found = read(log, *syslog(*before, *between, *after))
    assert found.attempts == 5 + len(between)
    assert len(found.bursts) == (0 if between else 1)


def test_a_day_that_does_not_exist_is_no_time(log: Path) -> None:
    found = read(
        log, *syslog("Feb 30 00:00:00", "Jun 14 25:00:00", "Jun 14 15:16:60"), "2026-02-29T00:00:00Z h sshd[1]: x"
    )
    assert (found.files[0].recognised, found.attempts) == (1, 1)  # a leap second exists


def test_zones_are_reckoned_with_but_shown_as_written(log: Path) -> None:
    lines = [
        f"2026-06-14T{hour}:00:0{n}{zone} h sshd[{n}]: {FAILED}"
        for n, (hour, zone) in enumerate([("15", "Z"), ("17", "+02:00"), ("15", "Z"), ("10", "-05:00"), ("15", "Z")])
    ]
    (burst,) = read(log, *lines).bursts
    assert (burst.start, burst.end, burst.attempts) == ("2026-06-14T15:00:00", "2026-06-14T15:00:04", 5)


# --- files ----------------------------------------------------------------------------------------------------------


def test_gzip_is_read_as_it_is_whatever_its_name(tmp_path: Path) -> None:
    for name in ("x.log.gz", "x.log"):
        (tmp_path / name).write_bytes(gzip.compress("\n".join(syslog("Jun 14 15:16:01")).encode()))
        assert analyse_file(tmp_path / name).attempts == 1


def test_dos_line_ends_and_a_missing_last_one_are_fine(log: Path) -> None:
    log.write_bytes("\r\n".join([*syslog("Jun 14 15:16:01"), "", *syslog("Jun 14 15:16:02")]).encode())
    found = analyse_file(log)
    assert (found.attempts, found.files[0].lines) == (1 + 1, 3)
    assert found.sources[0].lines[1].line == 3


def test_undecodable_bytes_are_replaced(log: Path) -> None:
    log.write_bytes(b"Jun 14 15:16:01 h sshd[1]: Invalid user b\xe9b from 192.0.2.1 port 22\n")
    assert analyse_file(log).invalid_users[0].user == "b\ufffdb"


@pytest.mark.parametrize("size", [64 * 1024 - 5, 64 * 1024, 64 * 1024 + 5, 300_000, 3_000_000])
def test_of_a_monstrous_line_the_head_is_read_and_the_rest_skipped(log: Path, size: int) -> None:
    first, last = syslog("Jun 14 15:16:01", "Jun 14 15:16:02")
    log.write_text(f"{first}\nJun 14 15:16:02 h app: {'x' * size}\n{'y' * size}\n{last}\n")
    found = analyse_file(log)
    assert (found.attempts, found.files[0].lines, found.files[0].recognised) == (2, 4, 3)
    assert found.sources[0].lines[1].line == 4


def test_records_shown_are_cut_at_three_hundred_characters(log: Path) -> None:
    found = read(log, f"Jun 14 15:16:01 h sshd[1]: Invalid user {'u' * 900} from 192.0.2.1 port 22")
    assert len(found.sources[0].lines[0].text) == 300
    assert found.sources[0].lines[0].text.endswith("…")
    assert len(found.invalid_users[0].user) == 64


def make(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (b"\n  \n\t\n", "empty"),
        (b"\x7fELF\x02\x01\x00\x00\x00", "binary"),
        (bytes(range(128, 256)) * 20, "binary"),
        ("Jun 14 15:16:01 h x: y\n".encode("utf-16"), "UTF-16"),
        (b"hello\nworld\n", "known format.*syslog.*vsftpd.*nginx.*JSON"),
        (b"[1, 2]\n{}\n", "known format"),
        (gzip.compress(b"Jun 14 15:16:01 h x: y\n" * 99, mtime=0)[:-12], "gzip data is damaged"),
    ],
)
def test_an_unreadable_file_says_what_is_wrong_and_where(tmp_path: Path, data: bytes, says: str) -> None:
    path = make(tmp_path / "bad.log", data)
    with pytest.raises(UnreadableLog, match=says) as caught:
        analyse_file(path)
    assert str(path) in str(caught.value)
    assert "; " in str(caught.value)  # how to mend it


def test_missing_files_directories_and_odd_paths_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(UnreadableLog, match="no such file"):
        analyse_file(tmp_path / "none.log")
    with pytest.raises(UnreadableLog, match="is a directory"):
        analyse_file(tmp_path)
    with pytest.raises(UnreadableLog, match="not a usable path"):
        analyse_file("a\0b")
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(UnreadableLog, match="not a regular file"):
        analyse_file(tmp_path / "fifo")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_forbidden_file_says_so(tmp_path: Path) -> None:
    path = make(tmp_path / "x.log", b"x")
    path.chmod(0)
    with pytest.raises(UnreadableLog, match="permission denied"):
        analyse_file(path)


def test_a_run_of_nul_in_the_midst_of_a_log_is_passed_over(log: Path) -> None:
    noise = b"Jun 14 15:16:00 h app: fine\n" * 20_000
    log.write_bytes(noise + b"\0" * 5000 + "\n".join(syslog("Jun 14 15:16:01")).encode())
    assert analyse_file(log).attempts == 1


# --- any input ------------------------------------------------------------------------------------------------------

PIECES = st.sampled_from(
    """Jun 14 15:16:01 |h |sshd[1]: |Failed password for |Invalid user | from 192.0.2.1| port 22| ssh2|rhost=| user=|[|]
    |"|pam_unix(sshd:auth): |authentication failure; |message repeated 3 times: [ |last message repeated |POST /login
    |" 401 |{"time":1,"event":"login"|,"outcome":"failure"}|<34>1 |2026-06-14T15:16:01Z |ftpd: |FTP LOGIN FROM
    |FAIL LOGIN: Client "|Sun Jun 14 15:16:01 2026 [pid 2] |1.2.3.4 - - [14/Jun/2026:15:16:01 +0000] "|Dec 31 23:59:59
    |Feb 29 00:00:00 |99999999999999999999999999|session opened for user |Accepted |%
    """.replace("\n    ", "")
    .replace("%", "\n")
    .split("|")
)


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture], max_examples=300)
@given(text=st.lists(st.one_of(PIECES, st.text(max_size=8)), max_size=40).map("".join))
def test_no_text_breaks_the_analyser(log: Path, text: str) -> None:
    log.write_text(text, encoding="utf-8", errors="replace")
    try:
        found = analyse_file(log)
    except UnreadableLog:
        return
    assert sum(source.attempts for source in found.sources) == found.attempts


def test_an_analysis_goes_through_json_and_back(log: Path) -> None:
    adapter = TypeAdapter(Analysis)
    found = read(log, *syslog(*[f"Jun 14 15:16:0{n}" for n in range(7)]))
    schema = adapter.json_schema()
    assert set(schema["required"]) >= {"files", "attempts", "sources", "bursts"}
    assert adapter.validate_json(adapter.dump_json(found)) == found
    assert adapter.validate_python(json.loads(adapter.dump_json(found))) == found


def test_sshds_words_are_known_in_json_without_its_name(log: Path) -> None:
    found = read(
        log, {"@timestamp": "2026-06-14T15:16:01Z", "message": "Failed password for bob from 192.0.2.1 port 22 ssh2"}
    )
    assert [(source.source, source.users) for source in found.sources] == [("192.0.2.1", ("bob",))]


def test_older_lines_after_newer_ones_are_judged_by_their_own_time(log: Path) -> None:
    good = "Accepted password for root from 192.0.2.1 port 22 ssh2"
    newer = syslog(*[f"Jun 14 15:16:{n:02}" for n in range(10)])
    older = [*syslog("Jun  7 10:00:00", "Jun  7 10:00:01"), f"Jun  7 10:00:05 h sshd[99]: {good}"]
    found = read(log, *newer, *older)
    assert found.attempts == 12
    assert found.breaches == ()


def test_hostile_lines_cost_little(log: Path) -> None:
    started = "Jun 14 15:16:01 h "
    heads = [
        (f"{started}sshd[1]: Failed password for ", " from x port 1"),
        (f"{started}sshd[1]: message repeated 5 times: [ x", " "),
        (f"{started}sshd[1]: error: PAM: a for ", " for x"),
        (f"{started}vsftpd[1]: pam_unix(vsftpd:auth): authentication failure; ", "ruser= rhost= user="),
        (f"{started}login[1]: FAILED LOGIN 1 FROM x FOR ", ",a"),
        ("1.2.3.4 - ", "a [14/Jun/2026:15:16:01 +0000] "),
        ("<34>1 2026-06-14T15:16:01Z h a 1 - ", '["a"]'),
        ('{"a":', '{"a":'),
        ('{"msg":"', "auth"),
    ]
    begun = time.process_time()
    read(log, f"{started}app: fine", *[head + body * (60_000 // len(body)) + "!" for head, body in heads])
    assert time.process_time() - begun < 5
