"""The market report, run for real once: every number worked out again from the files, every citation followed."""

import csv
import html
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from tests import forked

REPOSITORY = Path(__file__).parents[2]
EXAMPLE = REPOSITORY / "examples/market-report"
STRETTO = [sys.executable, "-c", "from stretto.cli import main; main()"]
HOSTILE = "Quillon <script>alert('x')</script> recalled 5 units in 2025."
_SPAN = re.compile(r"\[\[(\d+)(?:–(\d+))?\]\]\(#sources\)")
_SOURCE = re.compile(r"(\d+)\. `([^`]+):(\d+)` — “(.*)”")


@dataclass(frozen=True)
class Report:
    """A report that was made: its folder of sources, its two forms, and how the run ended."""

    data: Path
    markdown: str
    page: str
    delivery: dict[str, Any]
    code: int

    def sources(self) -> dict[int, tuple[str, int, str]]:
        found = [_SOURCE.fullmatch(line) for line in self.markdown.partition("## Sources\n")[2].splitlines()]
        return {int(one[1]): (one[2], int(one[3]), html.unescape(one[4])) for one in found if one}

    def tables(self) -> dict[str, list[list[str]]]:
        """Give the rows of the table under each heading."""
        found: dict[str, list[list[str]]] = {}
        for part in re.split(r"\n#{2,3} ", self.markdown):
            rows = [line for line in part.splitlines() if line.startswith("| ")]
            cells = [[cell.strip().replace("\\-", "-") for cell in row.strip("|").split(" | ")] for row in rows]
            found[part.partition("\n")[0]] = [row for row in cells[2:] if row]
        return found

    def cited(self, cell: str) -> list[tuple[str, int]]:
        sources = self.sources()
        numbers = [n for one in _SPAN.finditer(cell) for n in range(int(one[1]), int(one[2] or one[1]) + 1)]
        return [sources[number][:2] for number in numbers]


def run(data: Path, out: Path, goal: str = "Write a market report on cargo e-bikes from these sources") -> Report:
    command = [*STRETTO, "run", goal, "-w", str(EXAMPLE), "--input", f"folder={data}", "--no-wait", "--quiet"]
    ended = forked.run([*command, "--store", out / "runs.db", "--output", out / "report"], timeout=90)
    assert ended.returncode in (0, 3), ended.stderr
    made = out / "report"
    return Report(
        data=data,
        markdown=(made / "market-report.md").read_text(),
        page=(made / "market-report.html").read_text(),
        delivery=json.loads((made / "delivery.json").read_text()),
        code=ended.returncode,
    )


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return run(EXAMPLE / "data", tmp_path_factory.mktemp("market"))


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """The same sources without prices, with a survey of another form, a row that is none, and a hostile note."""
    home = tmp_path_factory.mktemp("broken")
    data = home / "data"
    shutil.copytree(EXAMPLE / "data", data)
    (data / "prices.csv").unlink()
    lines = (data / "sales.csv").read_text().splitlines()
    lines[4] = "2023-Q1,Isles,Tovaro,many,774357"
    (data / "sales.csv").write_text("\n".join(lines) + "\n")
    survey = (data / "survey.csv").read_text()
    (data / "survey.csv").write_text(survey.replace("respondents", "asked"))
    (data / "notes" / "hostile.md").write_text(f"# <img src=x onerror=alert(1)>\n\n{HOSTILE}\n")
    return run(data, home)


# --- what is true, worked out with nothing of the project's --------------------------------------------------------


class Truth:
    """The figures of the input files, in exact decimals."""

    def __init__(self, data: Path) -> None:
        self.sales, self.prices, self.survey = (
            list(enumerate(csv.DictReader((data / f"{name}.csv").read_text().splitlines()), start=2))
            for name in ("sales", "prices", "survey")
        )
        feed = (data / "feed.jsonl").read_text().splitlines()
        self.feed = [(number, json.loads(line)) for number, line in enumerate(feed, start=1)]

    def rows(self, period: str, company: str = "", region: str = "") -> list[tuple[int, dict[str, str]]]:
        return [
            (line, row)
            for line, row in self.sales
            if row["quarter"].startswith(period) and company in ("", row["company"]) and region in ("", row["region"])
        ]

    def sum(self, column: str, period: str, company: str = "", region: str = "") -> Decimal:
        return sum((Decimal(row[column]) for _, row in self.rows(period, company, region)), Decimal(0))

    def figure(self, text: str) -> tuple[str, set[tuple[str, int]]]:
        """Give what a figure of the appendix comes to, and the lines it comes from."""
        if found := re.fullmatch(r"(Units|Revenue|Revenue per unit)(?: of (\w+))?(?: in ([A-Z]\w+))? in (\S+)", text):
            what, company, region, period = found[1], found[2] or "", found[3] or "", found[4]
            units, revenue = (self.sum(one, period, company, region) for one in ("units", "revenue_eur"))
            value = units if what == "Units" else revenue if what == "Revenue" else revenue / units
            return f"{whole(value):,}{'' if what == 'Units' else ' EUR'}", self._lines((period,), company, region)
        scope = r"Revenue(?: of (\w+))?(?: in ([A-Z]\w+))?"
        if found := re.fullmatch(rf"{scope} in (\d+), share of all", text):
            part = self.sum("revenue_eur", found[3], found[1] or "", found[2] or "")
            return percent(part / self.sum("revenue_eur", found[3])), self._lines((found[3],))
        if found := re.fullmatch(rf"{scope}, change from (\d+) to (\d+)", text):
            before, after = (self.sum("revenue_eur", found[n], found[1] or "", found[2] or "") for n in (3, 4))
            return percent(after / before - 1), self._lines((found[3], found[4]), found[1] or "", found[2] or "")
        if found := re.fullmatch(rf"{scope} from (\d+) to (\d+), growth per year", text):
            before, after = (self.sum("revenue_eur", found[n], found[1] or "", found[2] or "") for n in (3, 4))
            rate = (after / before) ** (1 / Decimal(int(found[4]) - int(found[3]))) - 1
            return percent(rate), self._lines((found[3], found[4]), found[1] or "", found[2] or "")
        if found := re.fullmatch(r"List price of (\w+) in (\S+)", text):
            line, price = self._price(found[1], found[2])
            return f"{price:,} EUR", {("prices.csv", line)}
        if found := re.fullmatch(r"List price of (\w+), change from (\S+) to (\S+)", text):
            (line, before), (other, after) = self._price(found[1], found[2]), self._price(found[1], found[3])
            return percent(after / before - 1), {("prices.csv", line), ("prices.csv", other)}
        if found := re.fullmatch(r"Respondents of (\w+) (\w+) in (\d+)", text):
            ((line, row),) = [one for one in self.survey if (one[1]["company"], one[1]["year"]) == (found[1], found[3])]
            return percent(Decimal(row[found[2]]) / Decimal(row["respondents"])), {("survey.csv", line)}
        found = re.fullmatch(r"Recalled units of (\w+) in (\d+)", text)
        assert found, f"no rule for {text!r}"
        events = [
            (line, one["units"])
            for line, one in self.feed
            if one["kind"] == "recall" and one["company"] == found[1] and one["date"].startswith(found[2])
        ]
        return f"{sum(units for _, units in events):,}", {("feed.jsonl", line) for line, _ in events}

    def _lines(self, periods: Sequence[str], company: str = "", region: str = "") -> set[tuple[str, int]]:
        return {("sales.csv", line) for period in periods for line, _ in self.rows(period, company, region)}

    def _price(self, company: str, quarter: str) -> tuple[int, Decimal]:
        ((line, row),) = [one for one in self.prices if (one[1]["company"], one[1]["quarter"]) == (company, quarter)]
        return line, Decimal(row["list_price_eur"])


def whole(value: Decimal) -> Decimal:
    return value.quantize(Decimal(1), ROUND_HALF_UP)


def percent(ratio: Decimal) -> str:
    return f"{(ratio * 100).quantize(Decimal('0.1'), ROUND_HALF_UP)} %"


def truth() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((EXAMPLE / "data/truth.json").read_text())
    return found


# --- the tests ------------------------------------------------------------------------------------------------------


def test_the_run_finishes_and_nothing_is_missing(report: Report) -> None:
    assert report.code == 0
    assert report.delivery["status"] == "finished"
    assert "What is missing" not in report.markdown


def test_every_figure_is_worked_out_again_and_cites_exactly_its_lines(report: Report) -> None:
    known = Truth(report.data)
    rows = report.tables()["Every figure and its lines"]
    assert len(rows) == 93
    for text, value, _, cites in rows:
        expected, lines = known.figure(text)
        assert value == expected, text
        assert set(report.cited(cites)) == lines, text


def test_every_number_of_the_tables_is_a_figure_of_the_appendix(report: Report) -> None:
    tables = report.tables()
    figures = {value.removesuffix(" EUR") for _, value, *_ in tables["Every figure and its lines"]}
    for heading in ("Quarters", "Years", "Companies", "Regions", "Prices", "Customers", "Recalls in 2025"):
        assert tables[heading]
        for name, *values, cites in tables[heading]:
            assert {one for one in values if one != "–"} <= figures, (heading, name)
            assert report.cited(cites)


def test_the_tables_say_what_the_generator_knows(report: Report) -> None:
    known, tables = truth(), report.tables()
    for heading, scope in (("Companies", "companies"), ("Regions", "regions")):
        assert {row[0]: row[1:6] for row in tables[heading]} == {
            name: [
                f"{one['units']:,}",
                f"{one['revenue']:,}",
                *(f"{one[key]} %" for key in ("share", "growth", "cagr")),
            ]
            for name, one in known[scope].items()
        }
    assert {row[0]: row[2] for row in tables["Quarters"]} == {
        quarter: f"{revenue:,}" for quarter, revenue in known["quarters"].items()
    }
    assert {row[0]: row[1:3] for row in tables["Prices"]} == {
        name: [f"{one:,}" for one in prices] for name, prices in known["prices"].items()
    }
    assert {row[0]: row[1] for row in tables["Customers"]} == {
        name: f"{one} %" for name, one in known["satisfied"].items()
    }


def test_summary_and_tiles_say_the_same_numbers_and_cite_them(report: Report) -> None:
    head = report.markdown.partition("\n## ")[0]
    revenue = truth()["years"]["2025"][1]
    leader = max(truth()["companies"].items(), key=lambda one: Decimal(one[1]["share"]))
    assert f"Revenue came to {revenue:,} EUR in 2025." in head
    assert f"it grew by {truth()['market']['growth']} %" in head
    assert f"{leader[0]} is the largest company: {leader[1]['share']} % of all revenue in 2025." in head
    tiles = [line for line in head.splitlines() if line.startswith("- **")]
    assert [_SPAN.search(line) is not None for line in tiles] == [True, True, True, True, False]
    assert f"{whole(Decimal(revenue) / 100000) / 10} million EUR" in tiles[0]


def test_every_source_says_what_the_report_quotes(report: Report) -> None:
    sources = report.sources()
    assert list(sources) == list(range(1, len(sources) + 1))
    for file, line, text in sources.values():
        said = (report.data / file).read_text().splitlines()[line - 1]
        assert text.replace("\\", "").replace("&amp;", "&") == said.strip().replace("&amp;", "&"), f"{file}:{line}"


def test_every_contradiction_is_pointed_out_with_both_places_and_nothing_else_is(report: Report) -> None:
    known = {one["text"]: one for one in truth()["statements"]}
    tables = report.tables()
    wrong = {text: one for text, one in known.items() if not one["agrees"]}
    told = {row[0]: row for row in tables["Where notes and tables disagree"]}
    assert len(wrong) == 4
    assert told.keys() == wrong.keys()
    for text, row in told.items():
        assert row[2] == wrong[text]["tables"]
        files = {file for file, _ in report.cited(row[-1])}
        assert f"notes/{wrong[text]['note']}" in files
        assert files & {"sales.csv", "survey.csv"}
    agreeing = {row[0] for row in tables["Where notes and tables agree"]}
    assert agreeing == {text for text, one in known.items() if one["agrees"]}


def test_a_sentence_of_a_note_is_cited_where_it_stands(report: Report) -> None:
    tables = report.tables()
    for heading in ("Where notes and tables disagree", "Where notes and tables agree", "The notes in short"):
        for row in tables[heading]:
            places = [(file, line) for file, line in report.cited(row[-1]) if file.startswith("notes/")]
            lines = [(report.data / file).read_text().splitlines()[line - 1] for file, line in places]
            joined = re.sub(r"<[^>]+>", "", " ".join(" ".join(lines).split()))
            assert row[0] in joined


def test_the_delivery_cites_lines_that_hold(report: Report) -> None:
    cited = [one for one in report.delivery["citations"] if one.get("line")]
    assert len(cited) >= 100
    for one in cited[:400]:
        said = Path(one["file"]).read_text().splitlines()[one["line"] - 1]
        assert " ".join(one["text"].split()) in " ".join(said.split())


def test_the_same_sources_give_the_same_report(report: Report, tmp_path: Path) -> None:
    again = run(report.data, tmp_path)
    assert again.markdown == report.markdown
    assert again.page == report.page


def test_a_missing_and_a_broken_table_give_a_partial_report_that_names_its_gaps(broken: Report) -> None:
    assert broken.code == 3
    assert broken.delivery["status"] == "partial"
    gaps = broken.markdown.partition("## What is missing and why")[2].partition("\n## ")[0]
    assert "There is no readable table 'prices'" in gaps
    assert "survey.csv has no column 'respondents'" in gaps
    assert "sales.csv, line 5: units is 'many', no number; the row is left out." in gaps
    tables = broken.tables()
    assert "Prices" not in tables
    assert "Customers" not in tables
    assert len(tables["Companies"]) == 4


def test_the_row_that_was_left_out_is_in_no_sum(broken: Report) -> None:
    sales = [row.split(",") for row in (broken.data / "sales.csv").read_text().splitlines()[1:]]
    units = sum(int(row[3]) for row in sales if row[0] == "2023-Q1" and row[3] != "many")
    ((_, said, _, cites),) = [row for row in broken.tables()["Quarters"] if row[0] == "2023-Q1"]
    assert said == f"{units:,}"
    assert ("sales.csv", 5) not in broken.cited(cites)


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)


def test_markup_in_a_note_is_shown_and_never_obeyed(broken: Report) -> None:
    tags = _Tags()
    tags.feed(broken.page)
    assert not tags.tags & {"script", "img"}
    assert HOSTILE in html.unescape(broken.page)
    assert "<script" not in broken.markdown
    assert HOSTILE.replace("<", "&lt;") in {row[0] for row in broken.tables()["Where notes and tables disagree"]}


def test_the_generator_writes_the_shipped_files(tmp_path: Path) -> None:
    subprocess.run([sys.executable, str(EXAMPLE / "generate.py"), "--out", str(tmp_path)], check=True, timeout=30)
    shipped = sorted(one.relative_to(EXAMPLE / "data") for one in (EXAMPLE / "data").rglob("*") if one.is_file())
    assert [one.relative_to(tmp_path) for one in sorted(tmp_path.rglob("*")) if one.is_file()] == shipped
    for one in shipped:
        assert (tmp_path / one).read_bytes() == (EXAMPLE / "data" / one).read_bytes()
