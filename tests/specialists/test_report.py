"""A report shows every text and obeys none, in both its forms, and says what is wrong with a bad document."""

import base64
import dataclasses
import hashlib
import itertools
import json
import math
import re
import time
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from pydantic import TypeAdapter, ValidationError

from stretto.specialists.report import (
    BadDocument,
    Chart,
    Citation,
    Code,
    Document,
    Fact,
    Rendered,
    Section,
    Table,
    render,
)

ATTACKS = (
    "<script>alert(1)</script>",
    "</style><script>alert(1)</script>",
    "</title></desc></svg><img src=x onerror=alert(1)>",
    "\" onmouseover=\"alert(1)' onclick='alert(1)",
    "[click](javascript:alert(1)) ![x](https://evil.example/x.png) <https://evil.example>",
    "```\n<script>alert(1)</script>\n```\n~~~",
    "a | b \\| c \\\\| d \\",
    "{{ 7 * 7 }} {% raw %} {# x #}",
    "&lt;script&gt; &amp; &#60;b&#62;",
    "- a\n- b\n\n# c\n\n> d\n1. e\n---\n===\n    f\n|-|-|",
    "\x00\x1b[31m\x7f\x85\u202e\u2066\u2028\ud800\ufffe\r\nz",
)

ELEMENTS = set(
    re.findall(
        r"\S+",
        """
    html head meta title style body main header section nav h1 h2 h3 h4 h5 h6 p ul ol li a dl dt dd div
    span figure figcaption svg desc text line path circle rect details summary table caption thead tbody
    tr th td pre code ins del q
    """,
    )
)
ATTRIBUTES = set(
    re.findall(
        r"\S+",
        """
    lang charset http-equiv content name class id href aria-label aria-labelledby role tabindex scope x
    y x1 x2 y1 y2 dx dy cx cy r rx d width height viewbox preserveaspectratio overflow text-anchor
    vector-effect
    """,
    )
)
VOID = {"meta"}

texts = st.one_of(
    st.sampled_from(ATTACKS),
    st.text(max_size=30),
    st.text(alphabet="<>&\"'`|\\*_[]()#-+=~!:/. \n\tab1\x00\x1b", max_size=30),
    st.text(alphabet=st.characters(), max_size=10),
)
finite = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e300, max_value=1e300)


@st.composite
def documents(draw: st.DrawFn) -> Document:
    citations = st.builds(Citation, file=texts, line=st.none() | st.integers(), text=texts)
    sources = tuple(draw(st.lists(citations, max_size=3)))
    cites = st.lists(st.integers(1, len(sources)), max_size=3).map(tuple) if sources else st.just(())
    cells = st.one_of(texts, st.integers(), finite, st.none())

    @st.composite
    def tables(draw: st.DrawFn) -> Table:
        columns = tuple(draw(st.lists(texts, min_size=1, max_size=4)))
        width = len(columns)
        rows = tuple(draw(st.lists(st.tuples(*[cells] * width), max_size=4)))
        return Table(
            columns=columns,
            rows=rows,
            numeric=tuple(draw(st.lists(st.integers(0, width - 1), max_size=2))),
            caption=draw(texts),
            cites=tuple(draw(cites) for _ in rows) if draw(st.booleans()) else (),
        )

    @st.composite
    def charts(draw: st.DrawFn) -> Chart:
        values = tuple(draw(st.lists(finite, max_size=45)))
        return Chart(
            kind=draw(st.sampled_from(("bar", "line", "timeline"))),
            title=draw(texts),
            labels=tuple(draw(texts) for _ in values),
            values=values,
            unit=draw(texts),
        )

    sections = st.builds(
        Section,
        heading=texts,
        text=texts,
        table=st.none() | tables(),
        chart=st.none() | charts(),
        code=st.none() | st.builds(Code, language=st.sampled_from(("diff", "sh", "")) | texts, text=texts),
        cites=cites,
        level=st.integers(2, 6),
    )
    facts = st.builds(Fact, label=texts, value=texts, tone=st.sampled_from(("plain", "good", "warn", "bad")))
    return Document(
        title=draw(texts),
        summary=draw(texts),
        facts=tuple(draw(st.lists(facts, max_size=2))),
        sections=tuple(draw(st.lists(sections, max_size=3))),
        sources=sources,
        made=draw(texts),
        gaps=tuple(draw(st.lists(texts, max_size=2))),
    )


class Page(HTMLParser):
    """What a reader of the page's HTML meets; fails where elements do not nest."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        assert len(dict(attrs)) == len(attrs)
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open:
            self.texts.append((self._open[-1], data))

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def text(self, tag: str) -> list[str]:
        return [data for name, data in self.texts if name == tag]


def everything(text: str) -> Document:
    """A document with `text` in each field that can hold any."""
    table = Table(columns=(text, text), rows=((text, text), (text, 1)), caption=text, cites=((1,), ()))
    line = Chart(kind="line", title=text, labels=(text,), values=(1,), unit=text)
    return Document(
        title=text,
        summary=text,
        facts=(Fact(label=text, value=text, tone="bad"),),
        sections=(
            Section(
                heading=text,
                text=text,
                table=table,
                chart=Chart(kind="bar", title=text, labels=(text, text), values=(1, 2), unit=text),
                code=Code(language=text, text=text),
                cites=(1,),
            ),
            Section(
                heading=text,
                chart=Chart(kind="timeline", title=text, labels=(text, text), values=(1, 2), unit=text),
                code=Code(language="diff", text=text),
            ),
            Section(heading=text, chart=line),
        ),
        sources=(Citation(file=text, line=3, text=text),),
        made=text,
        gaps=(text,),
    )


def one_table(table: Table, sources: tuple[Citation, ...] = ()) -> Rendered:
    return render(Document(title="t", sections=(Section(heading="h", table=table),), sources=sources))


def one_chart(chart: Chart) -> Rendered:
    return render(Document(title="t", sections=(Section(heading="h", chart=chart),)))


def assert_harmless_page(html: str) -> None:
    html.encode()
    page = Page(html)
    assert html.startswith("<!doctype html>\n<html")
    for tag, attributes in page.elements:
        assert tag in ELEMENTS
        assert set(attributes) <= ATTRIBUTES
        assert (attributes.get("href") or "#").startswith("#")
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in page.elements:
        named = (attributes.get("aria-labelledby") or "").split()
        linked = (attributes.get("href") or "").removeprefix("#").split()
        assert {*named, *linked} <= set(ids)
    for _, attributes in page.elements:
        places = " ".join(str(attributes.get(key)) for key in ("x", "y", "width", "height", "d"))
        assert not re.search("nan|inf", places)


def assert_harmless_markdown(markdown: str) -> None:
    markdown.encode()
    tokens = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).parse(markdown)
    for token in [*tokens, *(child for parent in tokens for child in parent.children or ())]:
        assert token.type not in {
            "html_block",
            "html_inline",
            "image",
            "code_block",
            "hr",
            "blockquote_open",
            "s_open",
        }
        if token.type == "link_open":
            assert token.attrs == {"href": "#sources"}


def as_read(markdown: str) -> list[str]:
    """What a reader of each inline part of the Markdown sees."""
    tokens = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).parse(markdown)
    inlines = [token.children or [] for token in tokens if token.type == "inline"]
    return ["".join(child.content for child in children) for children in inlines]


def cells_per_line(markdown: str) -> set[int]:
    """How many columns the lines of the Markdown's tables have, by their unescaped pipes."""
    lines = [line for line in markdown.split("\n") if line.startswith("| ")]
    return {len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) - 1 for line in lines}


@settings(max_examples=120, suppress_health_check=list(HealthCheck))
@given(documents())
def test_any_sound_document_gives_two_harmless_texts(document: Document) -> None:
    rendered = render(document)
    assert_harmless_page(rendered.html)
    assert_harmless_markdown(rendered.markdown)
    assert rendered == render(document)


@settings(max_examples=150)
@given(texts)
def test_any_text_in_every_field_is_harmless(text: str) -> None:
    rendered = render(everything(text))
    assert_harmless_page(rendered.html)
    assert_harmless_markdown(rendered.markdown)


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_in_every_field_is_harmless(attack: str) -> None:
    rendered = render(everything(attack))
    assert_harmless_page(rendered.html)
    assert_harmless_markdown(rendered.markdown)


@given(texts, texts)
def test_no_text_changes_how_many_columns_a_markdown_table_has(one: str, other: str) -> None:
    table = Table(columns=(one, other, "c"), rows=((one, other, 1), (other, None, one)), cites=((1,), ()))
    markdown = one_table(table, (Citation(file="f"),)).markdown
    assert cells_per_line(markdown) == {4}
    parsed = MarkdownIt("commonmark").enable("table").parse(markdown)
    assert sum(token.type == "td_open" for token in parsed) == 8
    assert sum(token.type == "th_open" for token in parsed) == 4


printable = st.one_of(
    st.text(alphabet=st.characters(exclude_categories=["C", "Z"]), min_size=1),
    st.text(alphabet="<>&;`|\\*_[]()#-+=~!:/.$ab1", min_size=1, max_size=12),
    st.sampled_from(("&lt;b&gt;&#60;&amp;amp;", "C#", "a #", "_a_", "__a__", "a_b", "1.", "~~a~~", "\\|")),
)


@settings(max_examples=400)
@given(printable)
def test_a_printable_text_reads_in_both_forms_as_it_was_given(text: str) -> None:
    rendered = render(
        Document(
            title=text,
            gaps=(text,),
            sections=(Section(heading="h", table=Table(columns=("c",), rows=((text,),))),),
        )
    )
    page = Page(rendered.html)
    assert page.text("h1") == [text]
    assert page.text("td") == [text]
    seen = as_read(rendered.markdown)
    assert seen[0] == text
    assert seen.count(text) >= 3


def test_script_shows_as_text() -> None:
    attack = "<script>alert(1)</script>"
    rendered = render(everything(attack))
    assert "<script" not in rendered.html
    assert Page(rendered.html).text("h1") == [attack]
    outside_code = re.sub(r"(?ms)^```.*?^```$", "", rendered.markdown)
    assert "<script" not in outside_code
    assert attack in as_read(rendered.markdown)


def test_a_text_that_calls_itself_safe_html_is_escaped_all_the_same() -> None:
    class Sly(str):
        def __html__(self) -> str:
            return "<script>alert(1)</script>"

    assert "<script" not in render(everything(Sly("x"))).html


def test_control_characters_and_direction_marks_are_shown_as_signs() -> None:
    rendered = render(Document(title="a\x00\x1b[31m\u202egpj.exe\ud800"))
    assert Page(rendered.html).text("h1") == ["a␀␛[31m⟨U+202E⟩gpj.exe\ufffd"]
    assert rendered.markdown == "# a␀␛\\[31m⟨U+202E⟩gpj.exe\ufffd\n"


def test_a_line_break_in_a_markdown_cell_shows_as_a_sign() -> None:
    assert "| a ↵ b |" in one_table(Table(columns=("c",), rows=(("a\r\nb",),))).markdown


def test_a_code_block_cannot_be_left_from_within() -> None:
    text = "````\n# out\n```"
    markdown = render(
        Document(title="t", sections=(Section(heading="h", code=Code(language="sh", text=text)),))
    ).markdown
    assert f"`````sh\n{text}\n`````" in markdown


def test_markdown_is_not_escaped_more_than_it_must_be() -> None:
    line = "log_level=3.5 -> a-b #2 (ok) 50% <1"
    assert "# log_level=3.5 -> a-b #2 (ok) 50% &lt;1\n" in render(Document(title=line)).markdown


def test_the_page_asks_for_nothing_and_its_policy_allows_its_own_style_only() -> None:
    html = render(everything("x")).html
    page = Page(html)
    policy = next(meta["content"] for meta in page.all("meta") if meta.get("http-equiv"))
    style = "".join(page.text("style"))
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert html.index("Content-Security-Policy") < html.index("<style>")
    assert "url(" not in style
    assert "@import" not in style


def test_headings_go_down_one_step_at_a_time() -> None:
    wanted = (4, 6, 2, 5, 3, 3, 6)
    rendered = render(
        Document(title="t", sections=tuple(Section(heading=f"h{i}", level=v) for i, v in enumerate(wanted)))
    )
    shown = [int(tag[1]) for tag, _ in Page(rendered.html).elements if re.fullmatch("h[1-6]", tag)]
    assert shown[0] == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(shown))
    assert re.findall(r"(?m)^(#+) h\d", rendered.markdown) == ["##", "###", "##", "###", "###", "###", "####"]


def test_every_table_header_has_a_scope_and_every_image_a_title() -> None:
    page = Page(render(everything("x")).html)
    assert all(header["scope"] == "col" for header in page.all("th"))
    for i, (tag, attributes) in enumerate(page.elements):
        if tag == "svg" and attributes.get("role"):
            assert attributes["role"] == "img"
            assert page.elements[i + 1][0] == "title"


def test_every_colour_of_text_has_contrast_enough_in_light_and_dark() -> None:
    style = "".join(Page(render(Document(title="t")).html).text("style"))
    named = style.split("* {")[0].split("@media screen")
    light, dark = (dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", part)) for part in named)
    for theme in (light, {**light, **dark}):
        for ink in ("ink", "soft", "accent", "good", "warn", "bad"):
            for ground in ("page", "card", "sunk"):
                assert contrast(theme[ink], theme[ground]) >= 4.5, (ink, ground)
        assert contrast(theme["warn"], theme["warn-wash"]) >= 4.5
        assert contrast(theme["soft"], theme["warn-wash"]) >= 4.5
        assert contrast(theme["good"], theme["added"]) >= 4.5
        assert contrast(theme["bad"], theme["removed"]) >= 4.5
        assert contrast(theme["mark"], theme["card"]) >= 3


def contrast(one: str, other: str) -> float:
    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_cites_link_to_the_list_of_sources() -> None:
    document = Document(
        title="t",
        sections=(
            Section(heading="a", text="Said.", cites=(2,)),
            Section(heading="b", table=Table(columns=("c",), rows=(("x",), ("y",)), cites=((), (1, 2)))),
        ),
        sources=(Citation(file="a.log", line=7, text="seven | `x`"), Citation(file="b c.log")),
    )
    rendered = render(document)
    assert [link["href"] for link in Page(rendered.html).all("a")] == ["#source-2", "#source-1", "#source-2"]
    assert "Said. [[2]](#sources)" in rendered.markdown
    assert "| y | [[1]](#sources) [[2]](#sources) |" in rendered.markdown
    assert "1. `a.log:7` — “seven \\| \\`x\\`”\n2. `b c.log`" in rendered.markdown


def test_three_or_more_sources_in_a_row_are_cited_as_a_span() -> None:
    sources = tuple(Citation(file="a.csv", line=line, text="x") for line in range(1, 10))
    table = Table(columns=("a",), rows=(("x",),), cites=((9, 1, 2, 4, 5, 6, 7),))
    rendered = one_table(table, sources)
    assert "[[9]](#sources) [[1]](#sources) [[2]](#sources) [[4–7]](#sources)" in rendered.markdown
    assert '<a class="cite" href="#source-4" aria-label="Sources 4–7">[4–7]</a>' in rendered.html
    assert 'href="#source-5"' not in rendered.html


def test_many_sources_of_one_row_are_folded_and_all_of_them_stay() -> None:
    sources = tuple(Citation(file="a.csv", line=line, text="x") for line in range(1, 42))
    odd = tuple(range(1, 42, 2))
    page = one_table(Table(columns=("a",), rows=(("x",),), cites=(odd,)), sources).html
    assert "<summary>21 sources</summary>" in page
    assert all(f'href="#source-{number}"' in page for number in odd)
    assert all(f'id="source-{number}"' in page for number in range(1, 42))


def test_the_summary_and_a_key_figure_can_be_cited() -> None:
    document = Document(
        title="t",
        summary="It grew.",
        cites=(1,),
        facts=(Fact(label="Growth", value="12 %", cites=(2,)),),
        sources=(Citation(file="a.csv", line=1), Citation(file="a.csv", line=2)),
    )
    rendered = render(document)
    assert "It grew. [[1]](#sources)" in rendered.markdown
    assert "- **Growth:** 12 % [[2]](#sources)" in rendered.markdown
    assert rendered.html.count('class="cite"') == 2


@pytest.mark.parametrize(
    ("document", "where"),
    [
        (Document(title="t", cites=(1,)), "cites[0]"),
        (Document(title="t", facts=(Fact(label="a", value="b", cites=(1,)),)), "facts[0].cites[0]"),
    ],
)
def test_a_citation_of_no_source_is_refused_with_its_place(document: Document, where: str) -> None:
    with pytest.raises(BadDocument) as refused:
        render(document)
    assert refused.value.where == where


def test_what_is_missing_stands_before_the_body_and_only_if_something_is() -> None:
    body = (Section(heading="Body"),)
    with_gaps = render(Document(title="t", sections=body, gaps=("No firewall log.",)))
    for text in (with_gaps.html, with_gaps.markdown):
        assert text.index("What is missing and why") < text.index("No firewall log.") < text.rindex("Body")
    without = render(Document(title="t", sections=body))
    assert "missing" not in [*Page(without.html).text("h2"), without.markdown]


def test_text_becomes_paragraphs_and_lists() -> None:
    text = "One\ntwo\n\nThree\n- a\n- b\n  more\n\n- c\nFour"
    rendered = render(Document(title="t", summary=text))
    page = Page(rendered.html)
    assert page.text("p") == ["One\ntwo", "Three", "Four"]
    assert page.text("li") == ["a", "b\nmore", "c"]
    assert rendered.markdown == "# t\n\nOne  \ntwo\n\nThree\n\n- a\n- b  \n  more\n- c\n\nFour\n"


def test_numbers_are_grouped_as_quantities_and_left_alone_elsewhere() -> None:
    rows = ((52114, 1234567), (0.1 + 0.2, 1234.5), (None, None))
    rendered = one_table(Table(columns=("port", "events"), rows=rows, numeric=(1,)))
    assert Page(rendered.html).text("td") == ["52114", "1,234,567", "0.3", "1,234.5", "–", "–"]
    assert "| --- | ---: |\n| 52114 | 1,234,567 |" in rendered.markdown


def test_a_large_number_with_a_fraction_has_no_noise_of_its_float() -> None:
    rendered = one_table(Table(columns=("mean",), rows=((2792571.9790,), (0.1 + 0.2,), (250.0,)), numeric=(0,)))
    assert re.findall(r"^\| ([\d.,]+) \|$", rendered.markdown, re.M) == ["2,792,571.979", "0.3", "250"]


def test_bars_beyond_thirty_are_folded_into_one_that_sums_them() -> None:
    values = tuple(float(i) for i in range(1, 41))
    labels = tuple(f"n{i}" for i in range(1, 41))
    rendered = one_chart(Chart(kind="bar", title="c", labels=labels, values=values))
    assert len([rect for rect in Page(rendered.html).all("rect") if rect["class"] == "mark"]) == 30
    assert re.search(r"(?m)^11 others +█+ 66$", rendered.markdown)
    assert "n40 " in rendered.markdown
    assert "n11 " not in rendered.markdown
    assert Page(rendered.html).text("td").count("n11") == 1, "the figures keep them all"


def test_a_long_timeline_sums_neighbours_and_says_so() -> None:
    chart = Chart(kind="timeline", title="c", labels=tuple(map(str, range(1440))), values=(1.0,) * 1440)
    rendered = one_chart(chart)
    assert len(Page(rendered.html).all("rect")) == 120
    assert "Each column is the sum of 12 neighbouring values." in rendered.html
    assert "Each column is the sum of 30 neighbouring values." in rendered.markdown


def test_a_chart_in_markdown_is_bars_of_text() -> None:
    chart = Chart(kind="bar", title="Tries", labels=("a", "bb", "c"), values=(4, -2, 0), unit="n")
    drawn = f"a   {'█' * 30} 4\nbb  {'░' * 15} -2\nc   0"
    assert f"**Tries (n)**\n\n```text\n{drawn}\n```" in one_chart(chart).markdown


def test_a_chart_or_table_of_nothing_says_so() -> None:
    assert "No values." in one_chart(Chart(kind="line", title="c", labels=(), values=())).markdown
    assert "No rows." in one_table(Table(columns=("c",), rows=())).html


@given(st.lists(finite, min_size=1, max_size=50), st.sampled_from(("bar", "line", "timeline")))
def test_every_chart_stays_within_its_frame(values: list[float], kind: str) -> None:
    labels = tuple(map(str, range(len(values))))
    chart = Chart(kind=kind, title="c", labels=labels, values=tuple(values))  # type: ignore[arg-type]
    page = Page(one_chart(chart).html)
    for rect in page.all("rect"):
        if rect["class"] == "mark":
            left, width = (float(str(rect[key]).rstrip("%")) for key in ("x", "width"))
            assert -0.01 <= left <= left + width <= 100.01
            assert -1.1 <= float(str(rect["y"])) <= 181.1
    for dot in page.all("circle"):
        assert 0 <= float(str(dot["cy"])) <= 180


def test_a_diff_has_its_added_and_removed_lines_marked() -> None:
    text = "--- a\n+++ b\n@@ -1 +1 @@\n-old\n+new\n same"
    section = Section(heading="h", code=Code(language="diff", text=text))
    page = Page(render(Document(title="t", sections=(section,))).html)
    assert page.text("del") == ["-old\n"]
    assert page.text("ins") == ["+new\n"]
    assert page.text("span") == ["--- a\n", "+++ b\n", "@@ -1 +1 @@\n", " same\n"]


def test_blank_titles_and_headings_get_a_name() -> None:
    rendered = render(Document(title=" \n", sections=(Section(heading=""),)))
    assert rendered.markdown == "# Untitled report\n\n## Section 1\n"
    assert Page(rendered.html).text("h2") == ["Section 1"]


TABLE = Table(columns=("a", "b"), rows=((1, 2), (3, 4)))
CHART = Chart(kind="bar", title="c", labels=("a", "b"), values=(1, 2))
PIE = Chart(kind="pie", title="c", labels=(), values=())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("section", "where"),
    [
        (Section(heading="h", level=1), "level"),
        (Section(heading="h", level=7), "level"),
        (Section(heading="h", cites=(1, 2)), "cites[1]"),
        (Section(heading="h", cites=(0,)), "cites[0]"),
        (Section(heading="h", table=dataclasses.replace(TABLE, columns=())), "table.columns"),
        (Section(heading="h", table=dataclasses.replace(TABLE, rows=((1, 2), (3,)))), "table.rows[1]"),
        (Section(heading="h", table=dataclasses.replace(TABLE, rows=((1, math.nan),))), "table.rows[0][1]"),
        (Section(heading="h", table=dataclasses.replace(TABLE, rows=((1, 10**400),))), "table.rows[0][1]"),
        (Section(heading="h", table=dataclasses.replace(TABLE, numeric=(0, 2))), "table.numeric[1]"),
        (Section(heading="h", table=dataclasses.replace(TABLE, cites=((1,),))), "table.cites"),
        (Section(heading="h", table=dataclasses.replace(TABLE, cites=((), (1, 9)))), "table.cites[1][1]"),
        (Section(heading="h", chart=dataclasses.replace(CHART, labels=("a",))), "chart"),
        (Section(heading="h", chart=dataclasses.replace(CHART, values=(1, math.inf))), "chart.values[1]"),
        (Section(heading="h", chart=dataclasses.replace(CHART, values=(1e308, 1))), "chart.values[0]"),
        (Section(heading="h", chart=dataclasses.replace(CHART, values=(1, 10**400))), "chart.values[1]"),
        (Section(heading="h", chart=PIE), "chart.kind"),
    ],
)
def test_a_bad_section_is_refused_with_its_place(section: Section, where: str) -> None:
    document = Document(title="t", sections=(Section(heading="fine"), section), sources=(Citation(file="f"),))
    with pytest.raises(BadDocument) as refusal:
        render(document)
    assert refusal.value.where == f"sections[1].{where}"
    assert str(refusal.value) == f"{refusal.value.where}: {refusal.value.what}; {refusal.value.mend}"
    assert isinstance(refusal.value, ValueError)


def test_an_unknown_tone_is_refused() -> None:
    with pytest.raises(BadDocument, match=r"^facts\[0\]\.tone: 'red' .* use one of plain, good, warn, bad$"):
        render(Document(title="t", facts=(Fact(label="l", value="v", tone="red"),)))  # type: ignore[arg-type]


def test_pydantic_reads_documents_from_json_and_describes_every_field() -> None:
    adapter = TypeAdapter(Document)
    document = everything("x <y>")
    assert adapter.validate_json(json.dumps(dataclasses.asdict(document))) == document
    schema = adapter.json_schema()
    for described in [schema, *schema["$defs"].values()]:
        assert described["additionalProperties"] is False
        assert all(field.get("description") for field in described["properties"].values())
    with pytest.raises(ValidationError):
        adapter.validate_python({"title": "t", "titel": "t"})


def test_the_example_in_the_docs_renders() -> None:
    page = Path(__file__).parents[2] / "docs" / "report.md"
    example = re.findall(r"(?ms)^```json\n(.*?)^```$", page.read_text(encoding="utf-8"))[0]
    rendered = render(TypeAdapter(Document).validate_json(example))
    assert "| Password logins are allowed | 1,755 | [[1]](#sources) [[2]](#sources) |" in rendered.markdown


def test_ten_thousand_rows_render_in_seconds() -> None:
    row = ("May 14 03:58:41 bastion sshd[2904]: Accepted <b>|`", 1234567, 1.5, None, "203.0.113.77", "é")
    table = Table(columns=tuple("abcdef"), rows=(row,) * 10_000, numeric=(1, 2), cites=((1,),) * 10_000)
    began = time.perf_counter()
    rendered = one_table(table, (Citation(file="f"),))
    assert time.perf_counter() - began < 10, "a second or two on an idle machine"
    assert rendered.html.count("<tr>") == 10_001
