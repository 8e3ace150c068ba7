"""Editions are kept once for each content, the index only grows, and nothing is lost or half there."""

import sqlite3
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stretto.core.errors import StoreError, UsageError
from stretto.editions import Editions, definition_of, keeping
from stretto.editions.definition import MOST_FILES, edition_of
from stretto.editions.restoring import restore
from tests.editions.place import Site

DYING = """
import os, signal, sys
from pathlib import Path
from stretto.editions import Editions, keeping

real = keeping._sql
def sql(name):
    if name == sys.argv[2]:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(name)
keeping._sql = sql
editions = Editions(Path(sys.argv[1]))
editions.note(editions.keep({"workspace.yaml": b"name: new"}), "adopted", who="person:p")
"""


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path / "site")


def names(site: Site) -> list[str]:
    return list(definition_of(site.folder).files)


# ---- what defines a workspace


def test_settings_plans_playbooks_prompts_and_the_code_beside_agents_define_a_workspace_and_data_does_not(
    site: Site,
) -> None:
    for name in ("stretto.toml", "plans/a.yaml", "playbooks/b.yaml", "prompts/c.md", "agents/deep/__init__.py"):
        site.write(name, "")
    for name in ("output/run/x.py", ".stretto/y.py", "agents/data.csv", "data/z.yaml", "agents/.hidden.py"):
        site.write(name, "")
    found = definition_of(site.folder)
    there = {name for name, path in found.files.items() if path.exists()}
    assert there == {
        "workspace.yaml", "stretto.toml", "plan.yaml", "plans/a.yaml", "playbooks/b.yaml", "prompts/c.md",
        "agents/job.py", "agents/words.py", "agents/deep/__init__.py", "agents/.hidden.py",
    }  # fmt: skip


def test_a_team_belongs_to_the_edition_of_the_workspace_that_names_it(site: Site, tmp_path: Path) -> None:
    other = Site(tmp_path / "team")
    site.write("workspace.yaml", "agents: [{team: ../team}, agents/job.py]\n")
    other.write("workspace.yaml", "agents: [{team: ../site}, agents/job.py]\n")  # and they may name each other
    assert "../team/agents/words.py" in names(site)


def test_a_file_that_is_no_yaml_still_has_an_edition(site: Site) -> None:
    site.write("workspace.yaml", "agents: [")
    assert definition_of(site.folder).read().keys() == {"workspace.yaml"}


def test_too_much_is_refused_with_the_file_that_is_too_large(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stretto.editions.definition.MOST_BYTES", 2000)
    site.write("plans/large.yaml", "x" * 3000)
    with pytest.raises(UsageError, match=r"plans/large\.yaml: with its 3,000 bytes"):
        definition_of(site.folder).read()
    monkeypatch.setattr("stretto.editions.definition.MOST_FILES", 2)
    with pytest.raises(UsageError, match="files define it"):
        definition_of(site.folder).read()
    assert MOST_FILES > 2


files = st.dictionaries(st.text("ab/.", min_size=1, max_size=6), st.binary(max_size=8), max_size=4)


@given(files, files)
def test_two_editions_have_one_name_only_if_they_hold_the_same(one: dict[str, bytes], other: dict[str, bytes]) -> None:
    assert (edition_of(one) == edition_of(other)) == (one == other)


# ---- keeping


def test_each_content_is_kept_once_and_the_index_says_what_changed(site: Site) -> None:
    editions = Editions(site.folder)
    first = editions.keep({"a": b"same", "b": b"one", "c": b"gone"})
    editions.note(first, "adopted", who="person:ann")
    second = editions.keep({"a": b"same", "b": b"two", "d": b"new"})
    editions.note(second, "refused", who="person:bob", said="workspace.yaml:1:1: no")

    newest, oldest = editions.history()
    assert (oldest.edition, oldest.before, oldest.who) == (first, "", "person:ann")
    assert (newest.edition, newest.before, newest.said) == (second, first, "workspace.yaml:1:1: no")
    assert [(one.name, one.how) for one in newest.changes or ()] == [("b", "changed"), ("c", "removed"), ("d", "added")]
    assert editions.contents(first)["c"] == b"gone"
    assert editions.last_good() == first
    with sqlite3.connect(editions.home / "editions.db") as store:
        assert store.execute("SELECT count(*) FROM blobs").fetchone() == (5,)


def test_what_the_last_entry_says_is_not_said_again(site: Site) -> None:
    editions = Editions(site.folder)
    edition = editions.keep({"a": b"x"})
    assert editions.note(edition, "adopted", who="p") is not None
    assert editions.note(edition, "adopted", who="p") is None
    assert editions.note(edition, "kept", who="p") is None
    assert len(editions.history()) == 1


def test_entries_cannot_be_changed_or_removed(site: Site) -> None:
    editions = Editions(site.folder)
    editions.note(editions.keep({"a": b"x"}), "adopted", who="p")
    with sqlite3.connect(editions.home / "editions.db") as store:
        for statement in ("DELETE FROM entries", "UPDATE entries SET who = 'q'"):
            with pytest.raises(sqlite3.IntegrityError, match="stay as they are"):
                store.execute(statement)


def test_only_the_owner_of_the_folder_can_read_what_is_kept(site: Site) -> None:
    editions = Editions(site.folder)
    editions.keep({"workspace.yaml": b"notify: [{webhook: https://example.org/secret}]"})
    assert stat.S_IMODE(editions.home.stat().st_mode) == 0o700
    assert stat.S_IMODE((editions.home / "editions.db").stat().st_mode) == 0o600


def test_old_contents_go_when_there_is_no_room_and_the_index_remains(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "MOST_EDITIONS", 3)
    clock = iter(range(1000))
    editions = Editions(site.folder, now=lambda: float(next(clock)))
    found = []
    for number in range(6):
        found.append(editions.keep({"workspace.yaml": b"%d" % number}, in_use=found[:1]))
        editions.note(found[-1], "adopted", who="p")
        editions.tree(found[-1])
    assert {one.name for one in (editions.home / "trees").iterdir()} == {found[0], *found[4:]}
    assert (site.folder / "data" / "note.txt").exists()
    assert [bool(editions.contents(one)) for one in found] == [True, False, False, False, True, True]
    assert len(editions.history()) == 6
    assert editions.tree(found[1]) is None


def test_contents_that_were_altered_are_refused(site: Site) -> None:
    editions = Editions(site.folder)
    edition = editions.keep({"workspace.yaml": b"name: a"})
    with sqlite3.connect(editions.home / "editions.db") as store:
        store.execute("UPDATE blobs SET body = x'00'")
    with pytest.raises(StoreError, match="it was altered"):
        editions.tree(edition)


def test_many_writers_at_once_lose_nothing(site: Site) -> None:
    def write(number: int) -> str:
        editions = Editions(site.folder)
        edition = editions.keep({"a": b"%d" % (number % 5), "b": b"same"})
        editions.note(edition, "adopted", who=f"p{number}")
        assert editions.tree(edition) is not None
        return edition

    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(write, range(40)))
    editions = Editions(site.folder)
    assert len(found) == 5
    assert all(len(editions.contents(one)) == 2 for one in found)


@pytest.mark.parametrize("at", ["put_blob", "put_file", "add_entry"])
def test_a_process_killed_while_it_keeps_an_edition_leaves_nothing_half(site: Site, at: str) -> None:
    editions = Editions(site.folder)
    good = editions.keep({"workspace.yaml": b"name: old"})
    editions.note(good, "adopted", who="p")
    died = subprocess.run([sys.executable, "-c", DYING, str(site.folder), at], check=False, timeout=60)
    assert died.returncode == -9

    assert [one.edition for one in editions.history()] == [good]
    new = editions.keep({"workspace.yaml": b"name: new"})
    editions.note(new, "adopted", who="p")
    assert editions.contents(new) == {"workspace.yaml": b"name: new"}
    assert editions.last_good() == new


def test_an_edition_is_found_by_the_beginning_of_its_name_and_an_unknown_one_is_named(site: Site) -> None:
    editions = Editions(site.folder)
    with pytest.raises(UsageError, match="no edition"):
        editions.find("abc")
    edition = editions.keep({"a": b"x"})
    editions.note(edition, "adopted", who="p")
    assert editions.find(edition[:8].upper()) == edition
    with pytest.raises(UsageError, match="no edition"):
        editions.find("%")


# ---- as files


def test_a_tree_holds_the_edition_and_links_the_data_beside_it(site: Site) -> None:
    editions = Editions(site.folder)
    edition = editions.keep(definition_of(site.folder).read())
    site.word("new")
    site.write("agents/late.py", "")
    site.write("playbooks/late.yaml", "")
    tree = editions.tree(edition)
    assert tree is not None
    assert (tree.folder / "agents" / "words.py").read_text() == "WORD = 'old'\n"
    assert (tree.folder / "data").is_symlink()
    assert (tree.folder / "data" / "note.txt").read_text() == "data"
    assert not (tree.folder / "agents" / "late.py").exists()
    assert not (tree.folder / "playbooks").exists()
    assert tree.real(tree.folder / "agents" / "words.py") == site.folder / "agents" / "words.py"


def test_a_tree_that_somebody_changed_is_mended(site: Site) -> None:
    editions = Editions(site.folder)
    edition = editions.keep(definition_of(site.folder).read())
    tree = editions.tree(edition)
    assert tree is not None
    code = tree.folder / "agents" / "words.py"
    code.write_text("WORD = 'bad'\n")
    (tree.folder / "workspace.yaml").unlink()
    editions.tree(edition)
    assert code.read_text() == "WORD = 'old'\n"
    assert (tree.folder / "workspace.yaml").exists()


# ---- going back


def test_going_back_keeps_what_stood_there_and_touches_no_data(site: Site) -> None:
    editions = Editions(site.folder)
    old = editions.keep(definition_of(site.folder).read())
    editions.note(old, "adopted", who="p")
    site.word("new")
    site.write("playbooks/late.yaml", "name: late")
    site.write("data/note.txt", "other")
    (site.folder / "agents" / "job.py").chmod(0o755)
    done = restore(editions, site.folder, old, who="person:ann")

    assert (site.folder / "agents" / "words.py").read_text() == "WORD = 'old'\n"
    assert not (site.folder / "playbooks" / "late.yaml").exists()
    assert (site.folder / "data" / "note.txt").read_text() == "other"
    assert stat.S_IMODE((site.folder / "agents" / "job.py").stat().st_mode) == 0o755
    assert editions.history(1)[0].outcome == "restored"

    restore(editions, site.folder, done.before, who="person:ann")
    assert (site.folder / "agents" / "words.py").read_text() == "WORD = 'new'\n"
    assert (site.folder / "playbooks" / "late.yaml").read_text() == "name: late"


def test_going_back_leaves_a_team_beside_the_folder_alone_and_says_so(site: Site, tmp_path: Path) -> None:
    other = Site(tmp_path / "team")
    site.write("workspace.yaml", "agents: [{team: ../team}]\n")
    editions = Editions(site.folder)
    old = editions.keep(definition_of(site.folder).read())
    other.word("new")
    site.write("stretto.toml", "")
    done = restore(editions, site.folder, old, who="p")
    assert done.outside == (other.folder / "agents" / "words.py",)
    assert (other.folder / "agents" / "words.py").read_text() == "WORD = 'new'\n"


def test_going_back_to_a_broken_edition_removes_nothing_that_it_only_did_not_name(site: Site) -> None:
    site.write("workspace.yaml", "plan: [")
    editions = Editions(site.folder)
    broken = editions.keep(definition_of(site.folder).read())
    site.write("workspace.yaml", "plan: plan.yaml\n")
    restore(editions, site.folder, broken, who="p")
    assert (site.folder / "plan.yaml").exists()
    assert (site.folder / "workspace.yaml").read_text() == "plan: ["


def test_going_back_from_a_workspace_that_cannot_be_read_keeps_what_it_did_not_name(site: Site) -> None:
    editions = Editions(site.folder)
    old = editions.keep(definition_of(site.folder).read())
    site.word("new")
    site.write("workspace.yaml", "agents: [")
    done = restore(editions, site.folder, old, who="p")
    assert {(one.name, one.how) for one in done.changes} == {
        ("agents/words.py", "changed"),
        ("workspace.yaml", "changed"),
    }
    assert (site.folder / "agents" / "words.py").read_text() == "WORD = 'old'\n"
    assert editions.contents(done.before)["agents/words.py"] == b"WORD = 'new'\n"
