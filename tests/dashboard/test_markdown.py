"""What others wrote is shown as formatted text, and can do nothing."""

import time

import pytest
from bs4 import BeautifulSoup

from stretto.dashboard.markdown import MOST, safe_html

HOSTILE = [
    "<script>alert(1)</script>",
    '<img src=x onerror="alert(1)">',
    "![a cat](https://elsewhere.example/cat.png)",
    "[click](javascript:alert(1))",
    "[click](JaVaScRiPt:alert(1))",
    "[click](data:text/html;base64,PHNjcmlwdD4=)",
    "[click](java\nscript:alert(1))",
    '[a](https://ok.example" onmouseover="alert(1))',
    "<iframe src='https://elsewhere.example'></iframe>",
    "<style>body{display:none}</style>",
    "<svg><script>alert(1)</script></svg>",
    "<a href='javascript:alert(1)'>x</a>",
    "<!-- comment --><b onclick='x()'>b</b>",
    "[ref]\n\n[ref]: javascript:alert(1)",
    "<javascript:alert(1)>",
    "| a |\n|---|\n| <script>alert(1)</script> |",
    "```html\n<script>alert(1)</script>\n```",
    "# <img src=x onerror=alert(1)>",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_in_a_text_becomes_active(text: str) -> None:
    soup = BeautifulSoup(safe_html(text), "html.parser")
    assert not soup.find_all(["script", "img", "iframe", "style", "svg", "object", "embed", "form", "input", "link"])
    for element in soup.find_all(True):
        assert not [name for name in element.attrs if name.startswith("on") or name in ("style", "src", "id", "class")]
        assert str(element.get("href", "https://")).startswith(("https://", "http://", "mailto:"))


def test_raw_html_is_shown_as_text() -> None:
    assert "&lt;b&gt;bold&lt;/b&gt;" in safe_html("<b>bold</b>")


def test_tables_lists_and_code_keep_their_form() -> None:
    made = safe_html("# A\n\n- one\n- two\n\n| x | y |\n|---|---|\n| 1 | 2 |\n\n```\ncode\n```\n")
    for tag in ("<h3>", "<li>", "<td>1</td>", "<pre"):
        assert tag in made


def test_links_to_the_web_open_apart_and_tell_nobody_where_from() -> None:
    link = BeautifulSoup(safe_html("[site](https://ok.example/a?b=1&c=2)"), "html.parser").a
    assert link is not None
    assert link["href"] == "https://ok.example/a?b=1&c=2"
    assert link["target"] == "_blank"
    assert "noreferrer" in str(link["rel"])


def test_headings_stand_below_those_of_the_page_and_skip_none() -> None:
    soup = BeautifulSoup(safe_html("### deep\n\n# top\n\n#### deeper\n"), "html.parser")
    assert [one.name for one in soup.find_all(["h1", "h2", "h3", "h4", "h5", "h6"])] == ["h3", "h3", "h4"]


def test_marks_that_turn_the_reading_direction_are_spelt_out() -> None:
    assert "\\u202e" in safe_html("abc\u202edef")


BUSY = {
    "brackets": "[",
    "backticks": "`",
    "links": "[a](",
    "images": "![a](",
    "titles": '[a](b "',
    "comments": "<!--",
    "fences": "```",
    "pipes": "|",
    "quotes": "> ",
    "closed": "# a#",
    "lists": "- " * 200 + "a\n",
    "references": "[a]: b\n",
}


@pytest.mark.parametrize("kind", BUSY)
def test_no_text_keeps_whoever_shows_it_busy(kind: str) -> None:
    """What backtracks takes minutes for such a text; this is a second or two of the slowest machine."""
    text = BUSY[kind] * (MOST // len(BUSY[kind]))
    begun = time.process_time()
    assert safe_html(text)
    assert time.process_time() - begun < 10


def test_images_become_their_descriptions_and_code_is_scrolled_by_keyboard() -> None:
    assert "[image: a &lt;cat&gt;]" in safe_html("![a <cat>](https://elsewhere.example/cat.png)")
    assert safe_html("```sh\nls <x>\n```") == '<pre tabindex="0"><code>ls &lt;x&gt;\n</code></pre>\n'
