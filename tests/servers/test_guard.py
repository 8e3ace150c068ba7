"""What does not come in, however it is tried, and what every answer says to browsers."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stretto.access.rates import Limit, RateLimits
from stretto.access.roles import Role
from stretto.servers.http.addresses import Addresses, Origin, read_addresses
from stretto.servers.http.signing import _local
from tests.servers.house import house, key, says

JSON = {"Content-Type": "application/json"}
TLS = read_addresses(["https://stretto.example.org"], beyond=False)


NO_KEYS = ["", "Basic YTpi", "Bearer", "Bearer stretto_0_0", "Bearer " + "x" * 5000]


async def test_what_is_no_key_opens_nothing(tmp_path: Path) -> None:
    async with house(tmp_path / "w") as here:
        for shown in NO_KEYS:
            answer = await here.nobody.get("/api/runs", headers={"Authorization": shown.encode()})
            if answer.status_code != 400:  # a header that HTTP forbids never gets as far as the door
                says(answer, 401, "unauthenticated")
                assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_a_key_with_one_letter_changed_opens_nothing(tmp_path: Path) -> None:
    async with house(tmp_path / "w") as here:
        right = here.keys["admin"]
        wrong = right[:-1] + ("0" if right[-1] != "0" else "1")
        answer = await here.nobody.get("/api/runs", headers={"Authorization": f"Bearer {wrong}"})
        assert wrong not in says(answer, 401, "unauthenticated")["message"]


STRANGE_HOSTS = [
    "evil.example",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "192.0.2.1",
    "[::1",
    "a b",
    "x" * 300,
]


async def test_the_server_answers_to_its_own_names_alone(tmp_path: Path) -> None:
    async with house(tmp_path / "w") as here:
        for host in STRANGE_HOSTS:
            answer = await here.admin.get("/api/runs", headers={"Host": host})
            assert answer.status_code in (400, 421)
            if answer.status_code == 421:
                says(answer, 421, "unknown_host")


OWN_HOSTS = ["127.0.0.1", "localhost:9", "LOCALHOST", "[::1]:80", "127.1.2.3"]


async def test_any_name_of_the_loopback_leads_here(tmp_path: Path) -> None:
    async with house(tmp_path / "w") as here:
        for host in OWN_HOSTS:
            assert (await here.admin.get("/api/runs", headers={"Host": host})).status_code == 200


FOREIGN = [
    {"Origin": "http://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1:1"},
    {"Origin": "http://127.0.0.1@evil.example"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
]


async def test_pages_of_other_sites_change_nothing(tmp_path: Path) -> None:
    async with house(tmp_path / "w", keys=False) as here:
        for headers in FOREIGN:
            for kind in ("application/json", "text/plain"):
                sent = {"Content-Type": kind, **headers}
                answer = await here.nobody.post("/api/runs", content=b'{"goal": "x"}', headers=sent)
                says(answer, 403, "foreign_origin")
        assert (await here.nobody.get("/api/runs")).json()["runs"] == []


async def test_pages_of_other_sites_may_lead_here_and_load_nothing(tmp_path: Path) -> None:
    async with house(tmp_path / "w", keys=False) as here:
        for headers in (
            {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
            {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"},
            {"Origin": "http://evil.example"},
            {"Origin": "null"},
        ):
            says(await here.nobody.get("/api/runs", headers=headers), 403, "foreign_origin")
        for headers in (
            {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"},
            {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"},
            {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors", "Origin": here.url},
            {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"},
        ):
            assert (await here.nobody.get("/api/runs", headers=headers)).status_code == 200


async def test_websockets_of_other_sites_and_of_nobody_are_refused(tmp_path: Path) -> None:
    async with house(tmp_path / "w") as here:
        ask = (
            "GET /_nicegui_ws/socket.io/?transport=websocket HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
        )
        shown = f"Authorization: Bearer {here.keys['admin']}\r\n"
        for more in ("", f"{shown}Origin: http://evil.example\r\n", f"{shown}Host: evil.example\r\n"):
            assert (await here.raw(f"{ask}{more}\r\n".encode())).split()[1] in (b"403", b"400")


async def test_bodies_are_bounded_however_they_come(tmp_path: Path) -> None:
    async with house(tmp_path / "w") as here:
        large = json.dumps({"goal": "x" * 1_200_000}).encode()
        says(await here.operator.post("/api/runs", content=large, headers=JSON), 413, "too_large")

        async def chunks() -> Any:
            for _ in range(40):
                yield b" " * 65536

        says(await here.operator.post("/api/runs", content=chunks(), headers=JSON), 413, "too_large")
        says(await here.operator.post("/api/files?name=x", content=b"x" * (33 * 1024 * 1024)), 413, "too_large")
        answer = await here.raw(
            b"POST /api/runs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nAuthorization: Bearer "
            + here.keys["operator"].encode()
            + b"\r\nContent-Length: 999999999999\r\n\r\n"
        )
        assert answer.split()[1] == b"413"


async def test_heads_and_addresses_are_bounded(tmp_path: Path) -> None:
    async with house(tmp_path / "w") as here:
        says(await here.viewer.get("/api/runs", params={"q": "x" * 9000}), 414, "too_long")
        answer = await here.raw(b"GET /api/runs HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"x" * 100_000)
        assert answer.split()[1] == b"400"


BODIES: list[tuple[bytes, int, str]] = [
    (b"", 422, "invalid"),
    (b"{", 400, "bad_request"),
    (b"[]", 422, "invalid"),
    (b"null", 422, "invalid"),
    (b'{"goal": NaN}', 400, "bad_request"),
    (b'{"goal": "\xff\xfe"}', 400, "bad_request"),
    (b'{"goal": "\\ud800"}', 400, "bad_request"),
    (b'{"goal": 5}', 422, "invalid"),
    (b'{"goal": "x", "admin": true}', 422, "invalid"),
    (b'{"goal": "   "}', 422, "invalid"),
    (b'{"goal": "x", "plan": 7}', 422, "invalid"),
    (b'{"goal": "x", "plan": ""}', 422, "invalid"),
    (b'{"goal": "x", "plan": "nowhere"}', 422, "invalid"),
    (b'{"goal": "x", "plan": "../../etc/passwd"}', 422, "invalid"),
    (b'{"goal": "x", "plan": "/etc/passwd"}', 422, "invalid"),
    (b'{"goal": "x", "plan": "post\\u0000"}', 422, "invalid"),
    (b'{"goal": "x", "inputs": {"word": "/etc/passwd"}}', 403, "forbidden"),
    (b'{"goal": "x", "inputs": {"word": "../../secret"}}', 201, ""),
    (b'{"goal": "x", "inputs": {"word": "a\\u0000b"}}', 201, ""),
    (b'{"goal": "x", "inputs": {"word": 99999999999999999999999999}}', 400, "bad_request"),
    (b'{"goal": "x", "inputs": {"word": ' + b"[" * 200 + b"]" * 200 + b"}}", 400, "bad_request"),
    (b'{"goal": ' + b"[" * 100_000, 400, "bad_request"),
    (b'{"goal": "x", "budget": "lots"}', 422, "invalid"),
    (b'{"goal": "x", "deadline": "soon"}', 422, "invalid"),
    (b'{"goal": "x", "deadline": 1e308}', 422, "invalid"),
    (b'{"goal": "x", "planner": "witch"}', 422, "invalid"),
]


async def test_bodies_that_are_wrong_are_refused_in_the_one_form(tmp_path: Path) -> None:
    async with house(tmp_path / "w") as here:
        for content, status, code in BODIES:
            answer = await here.operator.post("/api/runs", content=content, headers=JSON)
            assert answer.status_code == status, (content[:80], answer.text)
            if code:
                says(answer, status, code)


async def test_what_is_not_said_to_be_json_is_not_taken_for_it(tmp_path: Path) -> None:
    async with house(tmp_path / "w") as here:
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
            answer = await here.operator.post("/api/runs", content=b'{"goal": "x"}', headers={"Content-Type": kind})
            says(answer, 415, "not_json")


ADDRESSES: list[tuple[str, int, str]] = [
    ("/api/nothing", 404, "not_found"),
    ("/api/runs/", 404, "not_found"),
    ("/api/runs/none", 404, "not_found"),
    ("/api/runs/%00", 404, "not_found"),
    ("/api/runs/..%2f..%2fetc", 404, "not_found"),
    ("/api/runs/@agent", 404, "not_found"),
    ("/api/runs?limit=0", 422, "invalid"),
    ("/api/runs?limit=201", 422, "invalid"),
    ("/api/runs?limit=9999999999999999999999", 422, "invalid"),
    ("/api/runs?cursor=" + "A" * 400, 422, "invalid"),
    ("/api/runs?cursor=" + "A" * 600, 422, "invalid"),
    ("/api/runs?cursor=W251bGwsInIiXQ", 422, "invalid"),
    ("/api/runs?cursor=%F0%9F%98%80", 422, "invalid"),
    ("/api/runs?since=yesterday", 422, "invalid"),
    ("/api/runs?since=" + "9" * 40, 422, "invalid"),
    ("/api/runs?status=great", 422, "invalid"),
    ("/api/runs?q=" + "a+" * 100, 422, "invalid"),
    ("/api/numbers?by=luck", 422, "invalid"),
    ("/api/inbox?limit=0", 422, "invalid"),
    ("/api/workspace/plans/none", 404, "not_found"),
    ("/api/workspace/plans/..%2fplans%2fpost.yaml", 404, "not_found"),
    ("/api/workspace/plans/.hidden", 404, "not_found"),
]


async def test_addresses_that_are_wrong_are_refused_in_the_one_form(tmp_path: Path) -> None:
    async with house(tmp_path / "w") as here:
        for path, status, code in ADDRESSES:
            answer = await here.admin.get(path)
            assert answer.status_code == status, (path, answer.text)
            says(answer, status, code)


async def test_positions_and_names_in_a_run_that_are_not_there_are_told(tmp_path: Path) -> None:
    async with house(tmp_path / "w") as here:
        run, _ = await here.asking()
        for path, status in {
            "?at=0": 422,
            "?at=99999": 422,
            "?at=nobody": 422,
            "/tasks/none": 404,
            "/tasks?cursor=-1": 422,
            "/tasks?status=odd": 422,
            "/context/none@7": 404,
            "/events?after=-1": 422,
            "/events?limit=5000": 422,
            "/audit?limit=100000": 422,
            "/artifacts/post/..%2f..%2f..%2fetc%2fpasswd": 404,
            "/artifacts/..%2f..%2f/runs.db": 404,
        }.items():
            answer = await here.admin.get(f"/api/runs/{run}{path}")
            says(answer, status, "not_found" if status == 404 else "invalid")
        refused = await here.admin.get(f"/api/runs/{run}/events", headers={"Last-Event-ID": "x"})
        says(refused, 422, "invalid")
        said = await here.approver.post(f"/api/runs/{run}/requests/none", json={"decision": "approve"})
        says(said, 422, "invalid")


async def test_methods_that_a_route_does_not_take_are_told_with_those_that_it_does(tmp_path: Path) -> None:
    async with house(tmp_path / "w") as here:
        answer = await here.admin.delete("/api/runs")
        says(answer, 405, "method_not_allowed")
        assert answer.headers["allow"]
        assert (await here.admin.options("/api/runs")).status_code == 405


async def test_every_answer_says_to_browsers_what_they_may_do_with_it(tmp_path: Path) -> None:
    async with house(tmp_path / "w") as here:
        for answer in (
            await here.viewer.get("/api/runs"),
            await here.nobody.get("/api/runs"),
            await here.nobody.get("/login"),
            await here.nobody.get("/health"),
        ):
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["x-frame-options"] == "DENY"
            assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
            assert answer.headers["cache-control"] == "no-store"
            assert answer.headers["referrer-policy"] == "same-origin"
            assert answer.headers["cross-origin-resource-policy"] == "same-origin"
            assert "access-control-allow-origin" not in answer.headers
            assert "server" not in answer.headers
            assert "strict-transport-security" not in answer.headers
        assert "default-src 'none'" in (await here.viewer.get("/api/runs")).headers["content-security-policy"]
        assert "unsafe" not in (await here.nobody.get("/login")).headers["content-security-policy"]


async def test_a_browser_signs_in_works_and_signs_out(tmp_path: Path) -> None:
    async with house(tmp_path / "w") as here, httpx.AsyncClient(base_url=here.url) as browser:
        sent = await browser.get("/runs/x?tab=graph", headers={"Accept": "text/html"})
        assert (sent.status_code, sent.headers["location"]) == (303, "/login?next=/runs/x%3Ftab%3Dgraph")
        form = await browser.get(sent.headers["location"])
        assert 'value="/runs/x?tab=graph"' in form.text
        own = {"Origin": here.url}
        wrong = await browser.post("/login", data={"key": "stretto_x", "next": "/inbox"}, headers=own)
        assert wrong.status_code == 401
        assert 'role="alert"' in wrong.text
        assert "stretto_x" not in wrong.text
        came = await browser.post("/login", data={"key": here.keys["operator"], "next": "/inbox"}, headers=own)
        assert (came.status_code, came.headers["location"]) == (303, "/inbox")
        cookie = came.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        assert "path=/" in cookie
        assert "secure" not in cookie
        assert here.keys["operator"] not in came.headers["set-cookie"]

        me = (await browser.get("/api/session")).json()
        assert me["name"] == "operator"
        order = {"goal": "say hello"}
        says(await browser.post("/api/runs", json=order), 403, "csrf")
        says(await browser.post("/api/runs", json=order, headers=own), 403, "csrf")
        says(await browser.post("/api/runs", json=order, headers={**own, "X-CSRF-Token": "0" * 96}), 403, "csrf")
        token = {"X-CSRF-Token": me["csrf_token"]}
        says(await browser.post("/api/runs", json=order, headers=token), 403, "csrf")
        assert (await browser.post("/api/runs", json=order, headers={**own, **token})).status_code == 201

        page = await browser.get("/logout")
        assert "operator" in page.text
        says(await browser.post("/logout", data={"csrf_token": "x"}, headers=own), 403, "csrf")
        gone = page.text.partition('name="csrf_token" value="')[2].partition('"')[0]
        kept = dict(browser.cookies)
        out = await browser.post("/logout", data={"csrf_token": gone}, headers=own)
        assert (out.status_code, out.headers["location"]) == (303, "/login")
        stolen = {"Cookie": "; ".join(f"{name}={value}" for name, value in kept.items())}
        says(await here.nobody.get("/api/session", headers=stolen), 401, "unauthenticated")


async def test_one_sessions_token_is_none_for_another(tmp_path: Path) -> None:
    async with house(tmp_path / "w") as here:
        sessions = [await here.book.begin_session(here.keys["operator"]) for _ in range(2)]
        headers = {"Origin": here.url, "X-CSRF-Token": sessions[0].csrf_token()}
        for session, status in zip(sessions, (201, 403), strict=True):
            cookie = {"Cookie": f"stretto_session={session.token}"}
            answer = await here.nobody.post("/api/runs", json={"goal": "x"}, headers={**headers, **cookie})
            assert answer.status_code == status


async def test_behind_tls_the_cookie_goes_no_other_way_and_the_public_name_is_known(tmp_path: Path) -> None:
    async with house(tmp_path / "w", addresses=TLS) as here:
        headers = {"Host": "stretto.example.org", "Origin": "https://stretto.example.org"}
        came = await here.nobody.post("/login", data={"key": here.keys["viewer"]}, headers=headers)
        assert "secure" in came.headers["set-cookie"].lower()
        assert came.headers["strict-transport-security"]
        plain = {**headers, "Origin": "http://stretto.example.org"}
        says(await here.nobody.post("/login", data={"key": "x"}, headers=plain), 403, "foreign_origin")


async def test_wrong_keys_are_slowed_down_and_right_ones_are_not(tmp_path: Path) -> None:
    async with house(tmp_path / "w") as here:
        wrong = {"Authorization": "Bearer stretto_" + "0" * 16 + "_" + "0" * 64}
        came = [(await here.nobody.get("/api/runs", headers=wrong)) for _ in range(12)]
        assert [one.status_code for one in came] == [401] * 10 + [429] * 2
        assert int(came[-1].headers["retry-after"]) > 0
        says(came[-1], 429, "too_many_requests")
        form = await here.nobody.post("/login", data={"key": "x"})
        assert form.status_code == 429
        assert (await here.viewer.get("/api/runs")).status_code == 200


async def test_who_asks_too_often_is_told_when_to_ask_again(tmp_path: Path) -> None:
    async with house(tmp_path / "w") as here:
        here.guard._limits = RateLimits(principal=Limit(burst=3, per_second=1))
        here.guard._now = lambda: 0.0
        seen = {(await here.viewer.get("/api/session")).status_code for _ in range(3)}
        assert seen == {200}
        answer = await here.viewer.get("/api/session")
        says(answer, 429, "too_many_requests")
        assert answer.headers["retry-after"] == "1"
        assert (await here.admin.get("/api/session")).status_code == 200


async def test_names_of_artifacts_cannot_write_headers(tmp_path: Path) -> None:
    names = ["a.txt", 'x"; filename="evil.exe', "a\r\nSet-Cookie: x=1", "../../etc/passwd", "日本語.html", "page.html"]
    files = ", ".join(
        f"({name!r}, {media!r})" for name, media in zip(names, ["text/plain"] * 5 + ["text/html"], strict=True)
    )
    async with house(tmp_path / "w") as here:
        pass
    (tmp_path / "w" / "agents" / "office.py").write_text(
        "from stretto import Assignment, pure\n\n\n@pure\nasync def make(work: Assignment) -> str:\n"
        f'    """Make files."""\n    for name, media in [{files}]:\n'
        '        work.attach(name, "<script>alert(1)</script>", media)\n    return "made"\n'
    )
    (tmp_path / "w" / "plans" / "post.yaml").write_text(
        "tasks:\n  - {id: make, skill: office.make}\ndeliver: {ref: make.output}\n"
    )
    async with house(tmp_path / "w") as here:
        run = await here.begun()
        assert await here.ended(run) == "finished"
        listed = (await here.viewer.get(f"/api/runs/{run}/artifacts")).json()["artifacts"]
        assert [one["name"] for one in listed] == names
        for one in listed:
            answer = await here.viewer.get(one["path"])
            assert answer.status_code == 200, one
            assert answer.text == "<script>alert(1)</script>"
            assert answer.headers["content-disposition"].startswith("attachment; filename=")
            assert not {"set-cookie"} & set(answer.headers)
            assert "html" not in answer.headers["content-type"]
            assert "sandbox" in answer.headers["content-security-policy"]


async def test_a_key_never_shows_in_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with house(tmp_path / "w") as here:
        for shown in here.keys.values():
            await here.nobody.get("/api/nothing", headers={"Authorization": f"Bearer {shown}"})
            await here.nobody.post("/login", data={"key": shown[:-1]})
            await here.nobody.get("/api/runs", headers={"Authorization": f"Bearer {shown}x"})
        assert "opens nothing" in caplog.text
        assert not any(shown[-32:-1] in caplog.text for shown in here.keys.values())


async def test_what_nobody_foresaw_is_told_by_an_id_that_stands_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with house(tmp_path / "w") as here:

        async def broken(*_: object) -> None:
            raise RuntimeError("the password is hunter2")

        monkeypatch.setattr(here.service.desk, "agents", broken)
        error = says(await here.viewer.get("/api/agents"), 500, "internal")
        assert "hunter2" not in str(error)
        id_ = error["message"].partition("error ")[2].strip(")")
        assert id_ in caplog.text
        assert (await here.viewer.get("/api/runs")).status_code == 200


async def test_a_viewer_of_one_workspace_by_folder_is_let_in(tmp_path: Path) -> None:
    async with house(tmp_path / "w") as here:
        shown = await key(here.book, "ann", Role.VIEWER, workspaces=frozenset({str((tmp_path / "w").resolve())}))
        assert (await here.nobody.get("/api/runs", headers={"Authorization": f"Bearer {shown}"})).status_code == 200


@pytest.mark.parametrize(
    ("given_", "goes"),
    [
        ("/inbox", "/inbox"),
        ("/runs/x?tab=graph&at=5", "/runs/x?tab=graph&at=5"),
        ("", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("/a\r\nSet-Cookie: x=1", "/"),
        ("/" + "x" * 5000, "/"),
    ],
)
def test_signing_in_leads_to_this_server_alone(given_: str, goes: str) -> None:
    assert _local(given_) == goes


@settings(max_examples=300)
@given(st.text(max_size=60))
def test_no_text_is_taken_for_a_public_name_but_that_name(text: str) -> None:
    found = Addresses((Origin("https", "stretto.example.org", 443),)).own(text)
    if found is not None and found.scheme == "https":
        assert text.lower().removesuffix(":443") == "stretto.example.org"
