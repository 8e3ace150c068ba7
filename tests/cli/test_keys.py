"""`stretto keys`: who may use the server. A key is shown once, alone, and found nowhere after that."""

import asyncio
import json
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stretto.access.book import AccessBook
from stretto.access.roles import EVERYWHERE, Role
from stretto.core.errors import Unauthenticated
from tests.cli.program import Done, Place, look, stretto

PLAN = "tasks:\n  a: {skill: job.echo, inputs: {text: x}}\ndeliver: {ref: a.output}\n"
KEY = re.compile(r"stretto_([0-9a-f]{16})_([0-9a-f]{64})\n")


@pytest.fixture
def place(make: Callable[[str], Place]) -> Place:
    return make(PLAN)


def id_of(done: Done) -> str:
    found = KEY.fullmatch(done.out)
    assert found is not None, done
    return found[1]


def secret_of(done: Done) -> str:
    return done.out.strip().rpartition("_")[2]


def test_the_key_goes_to_standard_output_alone_and_the_words_elsewhere(place: Place) -> None:
    done = place.stretto("keys", "add", "ann", "--role", "operator", "--role", "approver", "--expires", "90d")
    assert done.code == 0
    assert id_of(done) in done.err
    assert "ann (approver, operator)" in done.err
    assert "in tests, until 20" in done.err
    assert secret_of(done) not in done.err


def test_what_was_made_opens_the_door_as_it_says(place: Place) -> None:
    made = place.look("keys", "add", "ann", "--role", "viewer", "--role", "approver")

    async def come_in() -> Any:
        book = AccessBook(place.folder / ".stretto" / "access.db")
        principal = await book.authenticate(made.out.strip())
        await book.close()
        return principal

    principal = asyncio.run(come_in())
    assert (principal.name, principal.roles) == ("ann", {Role.VIEWER, Role.APPROVER})
    assert principal.workspaces == {"tests"}


def test_the_secret_is_in_no_file_and_no_later_output(place: Place) -> None:
    made = place.look("keys", "add", "ann", "--role", "admin")
    said = [place.look("keys", *words) for words in (["list"], ["list", "--json"], ["revoke", id_of(made)], ["list"])]
    assert [one.code for one in said] == [0] * 4
    for one in said:
        assert secret_of(made) not in one.out + one.err
    for file in place.folder.rglob("*"):
        assert not file.is_file() or secret_of(made).encode() not in file.read_bytes()


def test_a_folder_made_for_the_keys_is_the_owners_alone(place: Place) -> None:
    place.look("keys", "add", "ann", "--role", "admin")
    folder = place.folder / ".stretto"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "access.db").stat().st_mode) == 0o600


def test_a_key_as_json_has_what_the_list_has_and_the_key(place: Place) -> None:
    words = ("keys", "add", "ann", "--role", "admin", "--workspace", "all", "--expires", "2100-01-01T00:00:00+00:00")
    made = place.look(*words, "--json").json
    (listed,) = place.look("keys", "list", "--json").json
    assert KEY.fullmatch(made.pop("key") + "\n")
    assert made == listed
    assert listed == {
        "id": listed["id"],
        "name": "ann",
        "roles": ["admin"],
        "workspaces": ["*"],
        "created": listed["created"],
        "expires": "2100-01-01T00:00:00.000Z",
        "used": None,
        "revoked": None,
        "standing": "valid",
    }


def test_the_list_shows_every_key_and_how_it_stands(place: Place) -> None:
    ann = place.look("keys", "add", "ann", "--role", "viewer")
    place.look("keys", "add", "bob", "--role", "operator", "--workspace", "all", "--expires", "1d")
    place.look("keys", "revoke", id_of(ann))
    head, *rows = place.look("keys", "list").out.splitlines()
    assert head.split() == ["id", "name", "roles", "workspaces", "made", "used", "ends"]
    assert re.fullmatch(
        r"\w{16}  ann   viewer    tests  .*  never  revoked \S+ \S+", re.sub(r"tests +", "tests  ", rows[0])
    )
    assert "bob" in rows[1]
    assert "all" in rows[1]


def test_without_keys_the_list_is_empty_and_makes_no_file(place: Place) -> None:
    assert place.look("keys", "list").out.startswith("no keys yet")
    assert place.look("keys", "list", "--json").json == []
    assert not (place.folder / ".stretto").exists()


def test_a_revoked_key_opens_nothing_in_a_process_that_goes_on(place: Place) -> None:
    made = place.look("keys", "add", "ann", "--role", "admin")

    async def server() -> None:
        book = AccessBook(place.folder / ".stretto" / "access.db")
        session = await book.begin_session(made.out.strip())
        assert (await asyncio.to_thread(place.stretto, "keys", "revoke", made.out.strip())).code == 0
        with pytest.raises(Unauthenticated):
            await book.session(session.token)
        with pytest.raises(Unauthenticated, match="was revoked"):
            await book.authenticate(made.out.strip())
        await book.close()

    asyncio.run(server())
    assert place.look("keys", "list", "--json").json[0]["standing"] == "revoked"


def test_revoking_twice_says_when_it_was(place: Place) -> None:
    made = place.look("keys", "add", "ann", "--role", "admin")
    first, second = place.look("keys", "revoke", id_of(made), "--json"), place.look("keys", "revoke", id_of(made))
    assert first.json["standing"] == "revoked"
    assert second.code == 0
    assert "revoked 20" in second.out


def test_a_key_is_for_the_workspaces_that_are_named(place: Place) -> None:
    (place.folder / "other").mkdir()
    words = ("keys", "add", "ann", "--role", "viewer", "--workspace", "support", "--workspace", "./other", "--json")
    assert place.look(*words).json["workspaces"] == [str((place.folder / "other").resolve()), "support"]


def test_without_a_workspace_a_key_is_for_the_whole_store(tmp_path: Path) -> None:
    store = tmp_path / "kept" / "runs.db"
    made = look("keys", "add", "ann", "--role", "viewer", "--store", str(store), cwd=tmp_path)
    assert "in all workspaces" in made.err
    assert (store.parent / "access.db").exists()
    assert look("keys", "list", "--store", str(store), "--json", cwd=tmp_path).json[0]["workspaces"] == list(EVERYWHERE)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["add", "ann"], "a key needs a role: give one or more of viewer, operator, approver, admin"),
        (["add", "ann", "--role", "boss"], "there is no role 'boss'; roles are viewer, operator, approver, admin"),
        (["add", "a b", "--role", "viewer"], "'a b' cannot be the name of a key"),
        (["add", "a\x1b[31m", "--role", "viewer"], "cannot be the name of a key"),
        (["add", "ann", "--role", "viewer", "--expires", "soon"], "'soon' is no length of time"),
        (["add", "ann", "--role", "viewer", "--expires", "0d"], "more than 0 seconds"),
        (["add", "ann", "--role", "viewer", "--expires", "2020-01-01"], "has passed already"),
        (["add", "ann", "--role", "viewer", "--expires", "0001-01-01"], "beyond any clock"),
        (["add", "ann", "--role", "viewer", "--expires", "999999999d"], "within a hundred years"),
        (["add", "ann", "--role", "viewer", "--workspace", ""], "'' is no name of a workspace"),
        (
            ["add", "ann", "--role", "viewer", "--workspace", "all", "--workspace", "x"],
            "for all workspaces or for some",
        ),
        (["add", "ann", "--role", "viewer", "--workspace", "no/such"], "there is no folder"),
        (["add", "ann", "--role", "viewer", "-w", "no/such"], "there is no folder"),
        (["revoke", "abc"], "there are no keys to"),
    ],
)
def test_bad_input_is_told_and_leaves_nothing_behind(place: Place, words: list[str], told: str) -> None:
    done = place.look("keys", *words)
    assert done.code == 2
    assert told in done.err
    assert "\x1b" not in done.err
    assert done.out == ""
    assert not (place.folder / ".stretto").exists()


def test_an_id_that_is_none_is_told(place: Place) -> None:
    place.look("keys", "add", "ann", "--role", "viewer")
    done = place.look("keys", "revoke", "abc")
    assert (done.code, done.err) == (2, "stretto: there is no key 'abc'; `stretto keys list` shows them\n")


def test_a_broken_file_of_keys_is_told_by_name(place: Place) -> None:
    (place.folder / ".stretto").mkdir()
    file = place.folder / ".stretto" / "access.db"
    file.write_bytes(b"no database" * 100)
    done = stretto("keys", "list", cwd=place.folder)
    assert done.code == 1
    assert str(file) in done.err
    assert "Traceback" not in done.err


def test_the_page_names_every_field_of_a_listed_key(place: Place) -> None:
    page = (Path(__file__).parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")
    place.look("keys", "add", "ann", "--role", "viewer")
    (listed,) = json.loads(place.look("keys", "list", "--json").out)
    assert f"`{' '.join(listed)}`" in page.replace("\n", " ")
