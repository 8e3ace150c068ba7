"""What does not hold is not in the report: failed claims, figures that cannot be worked out, tables that are empty."""

from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from stretto.specialists.calculate import evaluate
from stretto.specialists.query import Table
from stretto.specialists.verify import check
from tests.examples.workshop import DATA, loaded_tables, market_agents


@pytest.fixture(scope="module")
def agents() -> Iterator[SimpleNamespace]:
    with market_agents() as found:
        yield found


def document_of(agents: SimpleNamespace, tables: list[Table | None], wrong: str = "") -> Any:
    """Compose the report of some tables; the claim that begins with `wrong` says a number that is not true."""
    market = agents.tables.market_of(tables)
    figures = agents.market.figures(tables)
    numbers = [evaluate(one.expression, one.values) for one in figures]
    claims = [
        replace(one, text=f"{one.text.rpartition(': ')[0]}: 1,234") if wrong and one.text.startswith(wrong) else one
        for one in agents.market.claim(figures, numbers)
    ]
    material = agents.sections.Material(
        topic="tea",
        folder=str(DATA),
        market=market,
        figures=figures,
        claims=claims,
        verdicts=check(claims).verdicts,
        notes=agents.statements.notes_of(market, []),
        held=[],
        answers=[],
        gist=None,
        has_notes=True,
    )
    return agents.sections.document_of(material)[0]


def table(document: Any, heading: str) -> dict[str, tuple[Any, ...]]:
    section = next(one for one in document.sections if one.heading == heading)
    return {row[0]: row[1:] for row in section.table.rows}


def test_a_claim_that_does_not_hold_is_a_gap_with_its_reason_and_no_number(agents: SimpleNamespace) -> None:
    document = document_of(agents, loaded_tables(), wrong="Units of Quillon in 2025")
    (gap,) = document.gaps
    assert gap.startswith("“Units of Quillon in 2025: 1,234” did not hold against its lines and is left out: ")
    assert "sum(units) = 4309" in gap
    assert table(document, "Companies")["Quillon"][0] is None
    assert "Units of Quillon in 2025" not in table(document, "Every figure and its lines")


def test_without_any_table_the_report_says_so(agents: SimpleNamespace) -> None:
    document = document_of(agents, [])
    assert document.summary.startswith("No figure of the whole market could be worked out")
    assert [gap.split("'")[1] for gap in document.gaps] == ["sales", "prices", "survey", "feed"]


def test_a_table_without_a_usable_row_is_a_gap(agents: SimpleNamespace) -> None:
    sales, *others = loaded_tables()
    document = document_of(agents, [replace(sales, rows=(), lines=()), *others])
    assert document.gaps == ("sales.csv has no row that can be used; what it would show is missing.",)


def test_a_year_without_its_four_quarters_is_compared_with_no_other(agents: SimpleNamespace) -> None:
    sales, *others = loaded_tables()
    kept = [place for place, row in enumerate(sales.rows) if row[0] != "2025-Q4"]
    shorter = replace(sales, rows=tuple(sales.rows[n] for n in kept), lines=tuple(sales.lines[n] for n in kept))
    document = document_of(agents, [shorter, *others])
    assert document.gaps == ("The sales of 2025 cover 3 of 4 quarters; the year is not compared with others.",)
    assert list(table(document, "Years")) == ["2023", "2024"]


def test_a_quarter_that_a_company_skips_and_a_row_that_stands_twice_are_named(agents: SimpleNamespace) -> None:
    sales, *others = loaded_tables()
    rows, lines = list(sales.rows), list(sales.lines)
    skipped = rows.index(next(row for row in rows if row[:3] == ("2024-Q2", "Isles", "Tovaro")))
    del rows[skipped], lines[skipped]
    rows.append(rows[0])
    lines.append(999)
    market = agents.tables.market_of([replace(sales, rows=tuple(rows), lines=tuple(lines)), *others])
    assert market.gaps == (
        "sales.csv, lines 2 and 999: two rows for 2023-Q1, Brennick, Isles; both are counted.",
        "sales.csv has no usable row for Tovaro in Isles in 2024-Q2; its sales count as nothing.",
    )
