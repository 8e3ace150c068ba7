"""What counts as a failed login, and how the records of one process are joined to attempts."""

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stretto.specialists.logs import Analysis, Options, analyse_file, merge

Read = Callable[..., Analysis]
REAL = Path(__file__).parents[3] / "shared/data/linux_2k.log"
PAM = "pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost="


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def analyse(text: str, name: str = "x.log", **options: int) -> Analysis:
        (tmp_path / name).write_text(textwrap.dedent(text).lstrip("\n"), encoding="utf-8")
        return analyse_file(tmp_path / name, Options(**options))

    return analyse


def sources(analysis: Analysis) -> dict[str, int]:
    return {source.source: source.attempts for source in analysis.sources}


def invalid(analysis: Analysis) -> dict[str, int]:
    return {user.user: user.attempts for user in analysis.invalid_users}


def at(second: int, text: str, pid: int | str = 7, program: str = "sshd") -> str:
    tag = f"{program}[{pid}]" if pid != "" else program
    return f"Jun 14 15:{second // 60:02}:{second % 60:02} h {tag}: {text}\n"


def failed(second: int, source: str = "192.0.2.1", user: str = "root", pid: int = 7) -> str:
    return at(second, f"Failed password for {user} from {source} port 22 ssh2", pid)


# --- one attempt, many voices ---------------------------------------------------------------------------------------


def test_the_records_of_one_attempt_count_once(read: Read) -> None:
    found = read(
        at(0, "Invalid user bob from 192.0.2.1 port 4022")
        + at(0, "input_userauth_request: invalid user bob [preauth]")
        + at(0, "Failed none for invalid user bob from 192.0.2.1 port 4022 ssh2")
        + at(1, "pam_unix(sshd:auth): check pass; user unknown")
        + at(1, f"{PAM}192.0.2.1 ")
        + at(3, "Failed password for invalid user bob from 192.0.2.1 port 4022 ssh2")
        + at(4, "Connection closed by invalid user bob 192.0.2.1 port 4022 [preauth]")
    )
    assert found.attempts == 1
    assert invalid(found) == {"bob": 1}
    assert found.sources[0].users == ("bob",)
    assert len(found.sources[0].lines) == 6  # the end of the process tells nothing more


def test_equal_records_of_one_process_are_attempts_of_their_own(read: Read) -> None:
    assert read(failed(0) + failed(3) + failed(5)).attempts == 3


def test_failures_of_several_tries_in_one_process_are_matched_in_order(read: Read) -> None:
    text = "".join(
        at(second, "pam_unix(sshd:auth): check pass; user unknown")
        + (at(second, f"{PAM}192.0.2.1 ") if second == 0 else "")
        + at(second + 2, "Failed password for invalid user bob from 192.0.2.1 port 22 ssh2")
        for second in (0, 5, 11)
    )
    found = read(at(0, "Invalid user bob from 192.0.2.1 port 22") + text)
    assert found.attempts == 3
    assert invalid(found) == {"bob": 3}


def test_pam_alone_is_an_attempt(read: Read) -> None:
    assert sources(read(at(0, f"{PAM}host.example  user=root"))) == {"host.example": 1}


def test_pam_and_sshd_are_two_attempts_when_more_than_ten_seconds_apart(read: Read) -> None:
    assert read(at(0, f"{PAM}192.0.2.1  user=root") + failed(10)).attempts == 1
    assert read(at(0, f"{PAM}192.0.2.1  user=root") + failed(11)).attempts == 2


def test_a_user_may_take_the_login_grace_time_to_type(read: Read) -> None:
    asked = at(0, "Invalid user bob from 192.0.2.1 port 22")
    answered = "Failed password for invalid user bob from 192.0.2.1 port 22 ssh2"
    assert read(asked + at(120, answered)).attempts == 1
    assert read(asked + at(121, answered)).attempts == 2


def test_a_pid_that_comes_back_after_two_minutes_is_another_process(read: Read) -> None:
    closing = "Connection closed by authenticating user root 192.0.2.1 port 22 [preauth]"
    assert read(failed(0) + at(100, closing)).attempts == 1
    assert read(failed(0) + at(200, closing)).attempts == 2


def test_the_end_of_a_process_counts_only_if_nothing_else_did(read: Read) -> None:
    for closing in (
        "Connection closed by authenticating user root 192.0.2.1 port 22 [preauth]",
        "Connection reset by invalid user x 192.0.2.1 port 22 [preauth]",
        "error: maximum authentication attempts exceeded for root from 192.0.2.1 port 22 ssh2 [preauth]",
    ):
        assert read(at(0, closing)).attempts == 1
        assert read(failed(0) + at(1, closing)).attempts == 1
    assert read(at(0, "Connection closed by 192.0.2.1 port 22 [preauth]")).attempts == 0


def test_pams_closing_count_adds_only_what_was_not_told(read: Read) -> None:
    first = at(0, f"{PAM}192.0.2.1  user=root")
    more = at(9, "PAM 2 more authentication failures; logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.1  user=root")
    assert read(first + more).attempts == 3
    assert read(first + failed(2) + failed(5) + more).attempts == 3
    assert read(first + failed(2) + failed(5) + failed(8) + more).attempts == 3
    assert read(more).attempts == 2


def test_old_pam_counts_the_failure_and_its_unknown_user_once(read: Read) -> None:
    check = "Jun 14 15:16:02 combo sshd(pam_unix)[19937]: check pass; user unknown\n"
    failure = (
        "Jun 14 15:16:02 combo sshd(pam_unix)[19937]: authentication failure; "
        "logname= uid=0 euid=0 tty=NODEVssh ruser= rhost=192.0.2.4 \n"
    )
    for text in (check + failure, failure + check):
        found = read(text)
        assert sources(found) == {"192.0.2.4": 1}
        assert invalid(found) == {"(unknown)": 1}


def test_kerberos_tells_one_attempt_in_two_records_however_they_interleave(read: Read) -> None:
    one = "Authentication failed from 192.0.2.9 (192.0.2.9): Permission denied in replay cache code "
    two = "Kerberos authentication failed "
    found = read(
        at(0, one, 1, "klogind") + at(0, one, 2, "klogind") + at(0, two, 1, "klogind") + at(0, two, 2, "klogind")
    )
    assert sources(found) == {"192.0.2.9": 2}


def test_a_refused_user_is_known_to_the_host_and_counts_once(read: Read) -> None:
    found = read(
        at(0, "User root from 192.0.2.1 not allowed because not listed in AllowUsers")
        + at(0, "input_userauth_request: invalid user root [preauth]")
        + at(2, "Failed password for invalid user root from 192.0.2.1 port 22 ssh2")
        + at(5, "Failed password for invalid user root from 192.0.2.1 port 22 ssh2")
    )
    assert found.attempts == 2
    assert invalid(found) == {}


def test_a_keyboard_interactive_failure_counts_once(read: Read) -> None:
    found = read(
        at(0, "error: PAM: Authentication failure for illegal user bob from host.example")
        + at(0, "Failed keyboard-interactive/pam for invalid user bob from 192.0.2.1 port 22 ssh2")
    )
    assert sources(found) == {"192.0.2.1": 1}
    assert invalid(found) == {"bob": 1}


def test_a_connections_name_and_address_are_one_source_under_the_address(read: Read) -> None:
    more = "PAM 5 more authentication failures; logname= uid=0 euid=0 tty=ssh ruser= rhost=a.example  user=root"
    found = read(
        at(0, f"{PAM}a.example  user=root")
        + failed(2)
        + at(12, "message repeated 5 times: [ Failed password for root from 192.0.2.1 port 22 ssh2]")
        + at(12, more)
    )
    assert sources(found) == {"192.0.2.1": 6}


def test_without_a_pid_records_join_within_the_second(read: Read) -> None:
    pam, answer = f"{PAM}192.0.2.1  user=root", "Failed password for root from 192.0.2.1 port 22 ssh2"
    assert read(at(0, pam, "") + at(0, answer, "")).attempts == 1
    assert read(at(0, pam, "") + at(1, answer, "")).attempts == 2


def test_one_process_serving_two_sources_keeps_them_apart(read: Read) -> None:
    found = read(failed(0, "192.0.2.1") + failed(0, "192.0.2.2") + at(0, f"{PAM}192.0.2.2  user=root"))
    assert sources(found) == {"192.0.2.1": 1, "192.0.2.2": 1}


# --- repeats --------------------------------------------------------------------------------------------------------


def test_a_repeated_message_counts_its_number(read: Read) -> None:
    found = read(at(0, "message repeated 4 times: [ Failed password for root from 192.0.2.1 port 22 ssh2]"))
    assert found.attempts == 4


def test_last_message_repeated_counts_more_of_the_same_hosts_last_record(read: Read) -> None:
    assert (
        read(
            failed(0)
            + "Jun 14 15:00:01 other kernel: link up\n"
            + "Jun 14 15:00:02 h last message repeated 3 times\n"
            + "Jun 14 15:00:03 h kernel: link up\n"
            + "Jun 14 15:00:04 h last message repeated 7 times\n"
        ).attempts
        == 4
    )


def test_a_huge_repetition_costs_nothing(read: Read) -> None:
    found = read(at(0, "message repeated 900000000 times: [ Failed password for root from 192.0.2.1 port 22 ssh2]"))
    assert found.attempts == 900_000_000
    assert found.bursts[0].attempts == 900_000_000


def test_repeated_failures_join_what_pam_told_before(read: Read) -> None:
    pam = at(0, f"message repeated 3 times: [ {PAM}192.0.2.1  user=root]")
    assert read(pam + failed(1)).attempts == 3
    again = at(1, "message repeated 2 times: [ Failed password for root from 192.0.2.1 port 22 ssh2]")
    assert read(pam + again + failed(2) + failed(3)).attempts == 4


# --- names an attacker chose ----------------------------------------------------------------------------------------

LIES = st.one_of(
    st.sampled_from(
        [
            "root from 10.0.0.1",
            "root from 10.0.0.1 port 22 ssh2",
            "x from 10.0.0.1 port 22 ssh2: RSA SHA256:abc",
            "a 10.0.0.1 port 9",
            "x rhost=10.0.0.1  user=root",
            "invalid user y from 10.0.0.1",
            "] FAIL LOGIN: Client",
            "message repeated 5 times: [ Failed password for root from 10.0.0.1 port 22 ssh2]",
            " [preauth]",
        ]
    ),
    st.text(st.characters(blacklist_categories=("Cs", "Cc", "Zl", "Zp")), max_size=40),
)


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture], max_examples=150)
@given(user=LIES)
def test_no_user_name_changes_where_an_attempt_came_from(read: Read, user: str) -> None:
    found = read(
        at(0, f"Invalid user {user} from 203.0.113.9 port 22")
        + at(2, f"Failed password for invalid user {user} from 203.0.113.9 port 22 ssh2")
        + at(3, f"Connection closed by invalid user {user} 203.0.113.9 port 22 [preauth]")
        + at(9, f"Invalid user {user} from 203.0.113.9", 8)
        + at(9, f"error: PAM: Authentication failure for illegal user {user} from 203.0.113.9", 9)
    )
    assert sources(found) == {"203.0.113.9": 3}


def test_no_ftp_user_name_changes_where_an_attempt_came_from(read: Read) -> None:
    ftp = "pam_unix(vsftpd:auth): authentication failure; logname= uid=0 euid=0 tty=ftp ruser={} rhost=203.0.113.9"
    found = read(
        at(0, ftp.format("x rhost=10.0.0.1"), 1, "vsftpd")
        + at(9, '[x] OK LOGIN: Client "10.0.0.1"] FAIL LOGIN: Client "203.0.113.9"', 2, "vsftpd")
        + at(9, "(?@203.0.113.9) [WARNING] Authentication failed for user [x) (?@10.0.0.1)]", 3, "pure-ftpd")
    )
    assert sources(found) == {"203.0.113.9": 3}


def test_another_programs_words_are_not_believed(read: Read) -> None:
    found = read(at(0, "Failed password for root from 192.0.2.1 port 22 ssh2", 5, "webshop"))
    assert found.attempts == 0


def test_control_characters_are_not_passed_on(read: Read) -> None:
    found = read(at(0, "Invalid user \x1b[31mroot\u202egnp from 192.0.2.1 port 22"))
    shown = found.sources[0].lines[0].text + found.invalid_users[0].user
    assert "\x1b" not in shown
    assert "\u202e" not in shown


# --- local and other services ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("program", "text", "source", "user"),
    [
        (
            "su",
            "pam_unix(su:auth): authentication failure; logname=dana uid=1 euid=0 tty=1 ruser=dana rhost=  user=root",
            "(local)",
            "root",
        ),
        (
            "su(pam_unix)",
            "authentication failure; logname=dana uid=1 euid=0 tty= ruser=dana rhost=  user=root",
            "(local)",
            "root",
        ),
        (
            "gdm-password]",
            "pam_unix(gdm:auth): authentication failure; logname= uid=0 tty=:1 ruser= rhost=  user=dana",
            "(local)",
            "dana",
        ),
        ("login", "FAILED LOGIN 1 FROM 192.0.2.1 FOR root, Authentication failure", "192.0.2.1", "root"),
        ("login", "FAILED LOGIN (1) on '/dev/tty1' FOR 'dana', Authentication failure", "(local)", "dana"),
        ("ftpd", "FTP LOGIN FAILED FROM a.example [192.0.2.1], dana", "192.0.2.1", "dana"),
        (
            "ftpd",
            "FTP LOGIN REFUSED (username in denied-users file) FROM a.example [192.0.2.1], root",
            "192.0.2.1",
            "root",
        ),
        ("ftpd", "failed login from a.example [192.0.2.1]", "192.0.2.1", None),
        (
            "proftpd",
            "ftp.example (a.example[192.0.2.1]) - USER dana (Login failed): Incorrect password",
            "192.0.2.1",
            "dana",
        ),
        (
            "proftpd",
            "ftp.example (a.example[192.0.2.1]) - USER bob: no such user found from a.example [192.0.2.1]",
            "192.0.2.1",
            "bob",
        ),
        ("pure-ftpd", "(?@192.0.2.1) [WARNING] Authentication failed for user [dana]", "192.0.2.1", "dana"),
        ("vsftpd", '[dana] FAIL LOGIN: Client "::ffff:192.0.2.1"', "192.0.2.1", "dana"),
        ("dropbear", "Bad password attempt for 'dana' from 192.0.2.1:4022", "192.0.2.1", "dana"),
        (
            "postfix/smtpd",
            "warning: unknown[192.0.2.1]: SASL LOGIN authentication failed: UGFzc3dvcmQ6",
            "192.0.2.1",
            None,
        ),
        (
            "sshd-session",
            "Failed publickey for git from 2001:db8::1 port 22 ssh2: ED25519 SHA256:abc",
            "2001:db8::1",
            "git",
        ),
    ],
)
def test_every_service_tells_of_its_failures(
    read: Read, program: str, text: str, source: str, user: str | None
) -> None:
    found = read(at(0, text, 5, program))
    assert sources(found) == {source: 1}
    assert found.sources[0].users == ((user,) if user else ())


def test_dovecot_counts_the_failures_of_a_connection(read: Read) -> None:
    text = "imap-login: Aborted login (auth failed, 3 attempts in 9 secs): user=<a>, rip=10.0.0.1>, rip=192.0.2.1"
    assert sources(read(at(0, text, "", "dovecot"))) == {"192.0.2.1": 3}


def test_sessions_of_cron_and_su_are_neither_attempts_nor_breaches(read: Read) -> None:
    text = "".join(failed(second, user="backup", pid=second + 10) for second in range(6))
    for service in ("cron", "su", "sudo", "systemd-user"):
        text += at(30, f"pam_unix({service}:session): session opened for user backup(uid=34) by (uid=0)", 99, service)
    assert read(text).breaches == ()


# --- findings -------------------------------------------------------------------------------------------------------


def test_a_burst_needs_its_attempts_within_its_window(read: Read) -> None:
    answer = "Failed password for root from 192.0.2.1 port 2 ssh2"
    slow = "".join(f"Jun 14 {15 + i // 4}:{i % 4 * 15:02}:00 h sshd[{i}]: {answer}\n" for i in range(12))
    assert read(slow).bursts == ()
    assert read(slow).sources[0].attempts == 12
    assert len(read(slow, window_seconds=3600).bursts) == 1


def test_windows_that_overlap_are_one_burst_and_others_are_two(read: Read) -> None:
    times = [0, 1, 2, 3, 4, 500, 590, 600, 1000, 3000, 3001, 3002, 3003, 3004]
    found = read("".join(failed(t, pid=t + 10) for t in times), threshold=5, window_seconds=600)
    assert [(b.start, b.end, b.attempts) for b in found.bursts] == [
        ("06-14T15:00:00", "06-14T15:10:00", 8),
        ("06-14T15:50:00", "06-14T15:50:04", 5),
    ]


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture], max_examples=80)
@given(
    times=st.lists(st.integers(0, 3599), min_size=1, max_size=60),
    threshold=st.integers(1, 7),
    window=st.integers(1, 900),
)
def test_bursts_are_the_union_of_all_windows(read: Read, times: list[int], threshold: int, window: int) -> None:
    times.sort()
    text = "".join(failed(t, pid=n + 10) for n, t in enumerate(times))
    found = read(text, threshold=threshold, window_seconds=window)
    members = {
        index
        for first, start in enumerate(times)
        for size in [sum(start <= t <= start + window for t in times[first:])]
        if size >= threshold
        for index in range(first, first + size)
    }
    assert sum(burst.attempts for burst in found.bursts) == len(members)
    assert all(len(burst.lines) + burst.more_lines == burst.attempts for burst in found.bursts)


def test_a_login_after_failures_of_its_source_is_a_breach(read: Read) -> None:
    fails = "".join(failed(second, pid=second + 10) for second in range(5))
    good = at(30, "Accepted password for root from 192.0.2.1 port 22 ssh2", 99) + at(
        30, "pam_unix(sshd:session): session opened for user root(uid=0) by (uid=0)", 99
    )
    (breach,) = read(fails + good).breaches
    assert (breach.source, breach.user, breach.failures, breach.certain) == ("192.0.2.1", "root", 5, True)
    assert breach.at == "06-14T15:00:30"
    assert breach.lines[-1].text.endswith("Accepted password for root from 192.0.2.1 port 22 ssh2")
    assert read(fails + good.replace("192.0.2.1", "192.0.2.2")).breaches == ()
    assert read(fails + good, breach_failures=6).breaches == ()
    assert read(fails + good, breach_window_seconds=20).breaches == ()


def test_further_logins_of_one_breach_are_counted_with_it(read: Read) -> None:
    fails = "".join(failed(second, pid=second + 10) for second in range(5))
    again = "".join(
        at(second, "Accepted password for root from 192.0.2.1 port 2 ssh2", second) for second in (30, 90, 900)
    )
    (breach,) = read(fails + again).breaches
    assert breach.logins == 3


def test_a_session_of_unknown_origin_after_failures_for_its_user_is_a_possible_breach(read: Read) -> None:
    fails = "".join(failed(s, f"192.0.2.{s % 2}", "test", pid=s + 10) for s in range(6))
    opened = "Jun 14 15:10:00 h sshd(pam_unix)[99]: session opened for user test by (uid=509)\n"
    (breach,) = read(fails + opened).breaches
    assert (breach.source, breach.user, breach.failures, breach.certain) == ("(unknown)", "test", 6, False)
    assert breach.candidates == ("192.0.2.0", "192.0.2.1")


def test_connections_of_one_source_within_a_minute_are_a_flood_under_its_address(read: Read) -> None:
    lines = "".join(
        at(n, f"connection from 192.0.2.1 (a.example) at Sun Jun 14 15:00:{n:02} 2026", 100 + n, "ftpd")
        for n in range(25)
    )
    (flood,) = read(lines).floods
    assert (flood.source, flood.service, flood.connections) == ("192.0.2.1", "ftp", 25)
    assert len(flood.lines) == 20
    assert flood.more_lines == 5
    assert read(lines).attempts == 0
    assert read(lines, flood_threshold=26).floods == ()


def test_the_decisive_record_is_always_shown(read: Read) -> None:
    lines = "".join(at(n, "connection from 192.0.2.1 () at x", 100 + n, "ftpd") for n in range(40))
    (flood,) = read(lines, flood_threshold=30, max_lines=3).floods
    assert [line.line for line in flood.lines] == [1, 2, 30]


def test_anonymous_ftp_logins_are_listed_and_no_breaches(read: Read) -> None:
    fails = "".join(at(n, "FTP LOGIN FAILED FROM 192.0.2.1, ftp", n + 10, "ftpd") for n in range(6))
    found = read(fails + at(9, "ANONYMOUS FTP LOGIN FROM 192.0.2.1,  (anonymous)", 99, "ftpd"))
    assert [(each.source, each.user) for each in found.anonymous] == [("192.0.2.1", "anonymous")]
    assert found.breaches == ()


def test_disorder_of_some_seconds_loses_nothing(read: Read) -> None:
    late = failed(8, pid=1) + failed(3, pid=2) + failed(9, pid=3) + failed(1, pid=4) + failed(5, pid=5)
    found = read(late)
    assert found.attempts == 5
    assert found.bursts[0].attempts == 5
    assert (found.sources[0].first, found.sources[0].last) == ("06-14T15:00:01", "06-14T15:00:09")


def test_merging_sums_sources_and_lists_findings_with_their_file(read: Read) -> None:
    one = read("".join(failed(s, pid=s + 10) for s in range(6)), "one.log")
    two = read(failed(0) + failed(1, "192.0.2.7", pid=8), "two.log")
    both = merge([one, two])
    assert both.attempts == 8
    assert sources(both) == {"192.0.2.1": 7, "192.0.2.7": 1}
    assert [Path(file.path).name for file in both.files] == ["one.log", "two.log"]
    assert Path(both.bursts[0].file).name == "one.log"
    with pytest.raises(ValueError, match="nothing to merge"):
        merge([])


def test_options_must_be_positive() -> None:
    with pytest.raises(ValueError, match="threshold"):
        Options(threshold=0)


@pytest.mark.skipif(not REAL.exists(), reason="the real log is not here")
def test_a_real_log_gives_the_figures_counted_by_hand() -> None:
    found = analyse_file(REAL)
    text = REAL.read_text()
    assert found.attempts == text.count("authentication failure;") + text.count("Authentication failed from")
    assert sum(sources(found).values()) == found.attempts
    assert found.invalid_users[0].attempts == text.count("check pass; user unknown")
    assert len(found.anonymous) == text.count("ANONYMOUS FTP LOGIN")
