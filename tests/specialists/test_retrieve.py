"""Questions against documents: what is found, where it is said to stand, and what is said of the rest."""

import builtins
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reportlab.pdfgen.canvas import Canvas

from stretto.core.domain import Citation
from stretto.reviewers.grounding import unsupported
from stretto.specialists.retrieve import (
    BadQuestion,
    Options,
    Passages,
    UnreadableDocument,
    read_document,
    search_files,
)

Write = Callable[..., str]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def put(name: str, content: str | bytes) -> str:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    return put


def pdf(path: Path, *pages: list[str]) -> str:
    canvas = Canvas(str(path))
    for lines in pages:
        for at, line in enumerate(lines):
            canvas.drawString(72, 780 - 20 * at, line)
        canvas.showPage()
    canvas.save()
    return str(path)


def quoted(found: Passages) -> list[str]:
    """Say which quotes do not stand in their files."""
    return unsupported(
        [Citation(file=one.file, line=quote.line, text=quote.text) for one in found.passages for quote in one.quotes]
    )


# --- what is found --------------------------------------------------------------------------------------------------


def test_an_answer_comes_with_file_line_and_headings(write: Write) -> None:
    file = write(
        "a.md", "# Handbook\n\nWelcome.\n\n## Backups\n\nKept for 30 days,\nthen deleted.\n\n## Keys\n\nRotated.\n"
    )
    best = search_files("how long are backups kept", [file]).passages[0]
    assert (best.file, best.line, best.end_line, best.headings) == (file, 7, 8, ("Handbook", "Backups"))
    assert best.text == "Kept for 30 days,\nthen deleted."
    assert best.quotes[0].line == 7


def test_words_are_matched_by_their_stems_and_without_diacritics(write: Write) -> None:
    write("a.txt", "The café rotated its key.")
    write("b.txt", "Nothing of the kind.")
    found = search_files("cafe key rotation", [str(Path(write("c.txt", "x")).parent)])
    assert [Path(one.file).name for one in found.passages] == ["a.txt"]


def test_a_quoted_phrase_must_stand_as_it_is(write: Write) -> None:
    one = write("1.txt", "dead letter queue")
    two = write("2.txt", "the letter was dead in the queue of letters")
    assert [p.file for p in search_files('"dead letter" queue', [one, two]).passages] == [one]
    assert search_files('"letter dead queue"', [one, two]).passages == ()


def test_nothing_found_is_an_answer_that_names_the_words(write: Write) -> None:
    found = search_files("where is the unicorn", [write("a.txt", "Horses only.")])
    assert found.passages == ()
    assert found.notes == ("no passage holds any of: unicorn",)


def test_a_question_of_stop_words_is_asked_as_it_is(write: Write) -> None:
    assert search_files("to be or not to be", [write("a.txt", "To be or not to be.")]).passages


def test_texts_without_spaces_are_found(write: Write) -> None:
    file = write("a.txt", "会議は東京都で行われます。\n\n大阪は別です。")
    assert search_files("東京都", [file]).passages[0].line == 1


def test_the_same_text_in_two_files_is_one_passage_with_both_places(write: Write) -> None:
    text = (
        "Backups of the ledger are kept for thirty days and then they are deleted for good by the night job, which "
        "writes a line to the journal, tells the owner, and stops when the disk is nearly full.\n"
    )
    one, two = write("a/1.md", text), write("b/2.md", text.replace("night", "nightly"))
    found = search_files("ledger backups", [one, two])
    assert len(found.passages) == 1
    assert {found.passages[0].file, *(also.file for also in found.passages[0].also)} == {one, two}


def test_texts_that_differ_in_a_number_are_two_passages(write: Write) -> None:
    text = (
        "The contract of the lessee ends after {} months unless one of the two parties has written before that day.\n"
    )
    files = [write(f"{months}.md", text.format(months) * 3) for months in (12, 24)]
    assert len(search_files("when does the contract end", files).passages) == 2


def test_results_are_the_same_every_time(write: Write, tmp_path: Path) -> None:
    for number in range(30):
        write(f"{number % 7}/{number}.md", f"# T{number}\n\nThe pump number {number} is red and leaks.\n")
    first = search_files("which pump leaks", [str(tmp_path)], 20)
    assert search_files("which pump leaks", [str(tmp_path)], 20) == first


def test_code_tables_and_items_are_found_with_their_lines(write: Write) -> None:
    file = write(
        "a.md", "Intro:\n\n```sh\nmake frobnicate\n```\n\n| part | price |\n|---|---|\n| gizmo | 4 |\n\n- zebra item\n"
    )
    for question, line in (("frobnicate", 4), ("gizmo price", 9), ("zebra", 11)):
        assert search_files(question, [file]).passages[0].quotes[0].line in (line, 7)


def test_a_paragraph_on_one_long_line_is_quoted_around_its_words(write: Write) -> None:
    file = write("a.txt", "Nothing here. " * 300 + "The beacon is at Vardø. " + "Nothing there. " * 300)
    found = search_files("beacon", [file])
    assert "The beacon is at Vardø." in found.passages[0].quotes[0].text
    assert len(found.passages[0].text) < 1_500
    assert quoted(found) == []


# --- kinds of files -------------------------------------------------------------------------------------------------


def test_html_is_read_without_markup_and_with_the_lines_of_the_file(write: Write) -> None:
    page = (
        "<!doctype html>\n<title>Pumps</title>\n<script>var leak = 1;</script>\n<style>leak {}</style>\n"
        "<h2>Valves &amp; pumps</h2>\n<p>A pump\n  that <b>leaks</b> is\n  replaced.</p><ul><li>one<li>two</ul>\n"
    )
    found = search_files("leaking pump", [write("a.html", page)])
    best = found.passages[0]
    assert (best.line, best.headings) == (6, ("Pumps", "Valves & pumps"))
    assert best.text.startswith("A pump\nthat leaks is\nreplaced.")
    assert quoted(found) == []


def test_a_page_with_everything_on_one_line_is_taken_apart(write: Write) -> None:
    rows = "".join(f"<p>The lamp {n} stands in hall {n}. {'It shines. ' * 40}</p>" for n in range(9))
    found = search_files("lamp 7", [write("a.html", f"<html><body>{rows}</body></html>")], 1)
    assert found.passages[0].text.startswith("The lamp 7")
    assert quoted(found) == []


@pytest.mark.parametrize(
    "page",
    [
        "<p>İ before <!-- lamp > --> the lantern</p>",
        "<SCRIPT>if (a<!b) lamp()</Script ><p>the lantern",
        "<svg/><p>the lantern</p><svg>lamp</svg>",
        "<![if lamp]><p>the lantern<![endif]>",
        "<?xml lamp?><p>the <b>lantern</b><!-- lamp",
        "<p>the lantern</p><script>lamp > 1",
    ],
)
def test_what_a_browser_does_not_show_is_not_found(write: Write, page: str) -> None:
    file = write("a.html", page)
    found = search_files("lantern", [file])
    assert len(found.passages) == 1
    assert quoted(found) == []
    assert search_files("lamp", [file]).passages == ()


@pytest.mark.parametrize("piece", ["<!--", "<![CDATA[", "<a ", "<a href='", "<", "&", "<!doctype ", "<script>", "<svg"])
def test_markup_made_to_be_slow_is_not(write: Write, piece: str) -> None:
    assert read_document(write("a.html", piece * 30_000 + "> the lantern")).format == "HTML"


def test_pdf_passages_have_their_page(tmp_path: Path) -> None:
    file = pdf(tmp_path / "a.pdf", ["Annual report", "Nothing."], ["The turbine was serviced in May."])
    best = search_files("turbine service", [file]).passages[0]
    assert best.page == 2
    assert "serviced in May" in best.text
    assert best.line == read_document(file).text.split("\n").index("The turbine was serviced in May.") + 1


def test_pdf_without_its_library_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = pdf(tmp_path / "a.pdf", ["x"])
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name.startswith("pypdf"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(UnreadableDocument, match=r"stretto\[docs\]"):
        search_files("x", [file])


@pytest.mark.parametrize("cut", [20, 200, 600])
def test_a_damaged_pdf_is_named_and_the_rest_is_searched(tmp_path: Path, write: Write, cut: int) -> None:
    whole = Path(pdf(tmp_path / "whole.pdf", ["x"])).read_bytes()
    broken, good = write("b.pdf", whole[:cut]), write("a.txt", "lamp")
    found = search_files("lamp", [broken, good])
    assert found.passages[0].file == good
    assert [one.file for one in found.skipped] in ([broken], [])


@pytest.mark.parametrize(
    ("encoding", "note"), [("utf-8-sig", ""), ("utf-16", ""), ("latin-1", "Latin-1"), ("cp1252", "Windows-1252")]
)
def test_encodings_are_told_apart_and_quotes_hold(write: Write, encoding: str, note: str) -> None:
    text = "Première ligne\n\nLe café “fermé”\n" if encoding != "latin-1" else "Première ligne\n\nLe café fermé\n"
    found = search_files("café ferme", [write("a.txt", text.encode(encoding))])
    assert found.passages[0].quotes[0].text.startswith("Le café")
    assert note in " ".join(found.notes)
    assert quoted(found) == []


def test_one_broken_byte_does_not_spoil_a_utf8_file(write: Write) -> None:
    found = search_files("naïve", [write("a.txt", "naïve café déjà vu ".encode() * 20 + b"\xff\n")])
    assert "naïve" in found.passages[0].text
    assert "U+FFFD" in found.notes[0]


# --- which files ----------------------------------------------------------------------------------------------------


def test_binary_huge_and_linked_files_are_skipped_by_name(write: Write, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    write("in/a.txt", "lamp")
    write("in/b.bin", b"\0\1\2lamp")
    write("in/c.txt", "lamp " * 1000)
    write("in/d.docx", b"PK\x03\x04lamp")
    write("in/.hidden/e.txt", "lamp")
    secret = write("out/secret.txt", "lamp secret")
    (folder / "link.txt").symlink_to(secret)
    (folder / "up").symlink_to(tmp_path / "out", target_is_directory=True)
    found = search_files("lamp", [str(folder)], options=Options(file_bytes=1_000))
    assert found.files == (str(folder / "a.txt"),)
    assert {Path(one.file).name for one in found.skipped} == {"b.bin", "c.txt", "d.docx", "link.txt", "up"}
    assert all(one.why for one in found.skipped)


def test_a_file_named_twice_is_searched_once(write: Write, tmp_path: Path) -> None:
    file = write("a.txt", "lamp")
    assert search_files("lamp", [file, str(tmp_path), file]).files == (file,)


@pytest.mark.parametrize("sources", [["missing.txt"], [], [""], ["a\0b"]])
def test_a_source_that_is_not_there_is_an_error(sources: list[str]) -> None:
    with pytest.raises(UnreadableDocument):
        search_files("x", sources)


@pytest.mark.parametrize("question", ["", "  ", "?!", '""', "x" * 5_000])
def test_a_question_without_words_is_refused(write: Write, question: str) -> None:
    with pytest.raises(BadQuestion):
        search_files(question, [write("a.txt", "x")])


# --- nothing is obeyed ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "question",
    ['lamp" OR "x', "body : lamp", "lamp NEAR(x, 1)", "lamp*", "NOT lamp", "lamp AND", "^lamp", "{lamp} : -x"],
)
def test_the_index_language_is_not_spoken(write: Write, question: str) -> None:
    assert search_files(question, [write("a.txt", "The lamp.")]).terms


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(question=st.text(max_size=60), text=st.text(max_size=400))
def test_any_question_of_any_text_gives_passages_that_hold(tmp_path: Path, question: str, text: str) -> None:
    for suffix in ("md", "txt", "html"):
        (tmp_path / f"any.{suffix}").write_text(text, encoding="utf-8", errors="replace", newline="")
    try:
        found = search_files(question, [str(tmp_path)])
    except (BadQuestion, UnreadableDocument):
        return
    assert quoted(found) == []
    for passage in found.passages:
        assert 1 <= passage.line <= passage.end_line


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(
    lines=st.lists(st.sampled_from(["# A", "text one", "", "- item", "```", "| a | b |", "|---|---|", "    x", "==="]))
)
def test_every_line_of_markdown_is_in_a_passage_or_a_heading(tmp_path: Path, lines: list[str]) -> None:
    (tmp_path / "a.md").write_text("\n".join([*lines, "", "token"]))
    document = read_document(str(tmp_path / "a.md"))
    found = search_files("token text one item x a b", [str(tmp_path)], 100)
    held = "\n".join([one.text for one in found.passages] + [one.text for one in document.headings])
    for word in ("text one", "item", "token"):
        assert word not in "\n".join(lines) or word in held


# --- one document ---------------------------------------------------------------------------------------------------


def test_a_document_is_read_a_stretch_at_a_time(write: Write) -> None:
    file = write("a.md", "# One\n" + "".join(f"line {n}\n" for n in range(2, 11)))
    part = read_document(file, first_line=2, lines=3)
    assert (part.text, part.last_line, part.next_line, part.lines) == ("line 2\nline 3\nline 4", 4, 5, 10)
    assert part.headings[0].text == "One"
    assert read_document(file, first_line=8).next_line is None


@pytest.mark.parametrize(("first", "lines"), [(0, 1), (1, 0), (99, 1)])
def test_lines_that_are_not_there_are_an_error(write: Write, first: int, lines: int) -> None:
    with pytest.raises(ValueError, match="line"):
        read_document(write("a.txt", "x\n"), first, lines)
