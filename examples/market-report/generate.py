"""Write the example's tables and notes and what is true of them; its law: the truth comes from the choices.

    python generate.py --seed 11 --out data

The market, its land and its companies are invented. Every number is noted in a ledger before it is written; the truth
is worked out from the ledger with exact decimals, so it knows nothing of the report that is measured against it.
"""

from __future__ import annotations

import argparse
import json
import random
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

YEARS = (2023, 2024, 2025)
REGIONS = {"Northreach": 1.0, "Southvale": 0.72, "Isles": 0.38}
SEASON = (0.7, 1.35, 1.25, 0.8)
WIDTH = 96


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """A company: units a quarter in the first year, growth a year, list price, price steps, how content people are."""

    name: str
    units: int
    growth: float
    price: int
    step: int
    content: float


COMPANIES = (
    Company(name="Larkwheel", units=940, growth=1.16, price=4890, step=20, content=0.78),
    Company(name="Brennick", units=1180, growth=0.95, price=4190, step=-15, content=0.66),
    Company(name="Tovaro", units=610, growth=1.28, price=5490, step=35, content=0.84),
    Company(name="Quillon", units=450, growth=1.04, price=3690, step=10, content=0.59),
)


@dataclass(slots=True)
class Ledger:
    """What was chosen: (quarter, region, company) to units and revenue, and the rest by its own key."""

    sales: dict[tuple[str, str, str], tuple[int, int]] = field(default_factory=dict)
    prices: dict[tuple[str, str], int] = field(default_factory=dict)
    survey: dict[tuple[int, str], tuple[int, int, int]] = field(default_factory=dict)
    events: list[dict[str, str | int]] = field(default_factory=list)

    def units(self, period: str = "", company: str = "", region: str = "") -> int:
        """Units sold in a year or quarter."""
        return sum(one[0] for one in self._chosen(period, company, region))

    def revenue(self, period: str = "", company: str = "", region: str = "") -> int:
        """Revenue in EUR."""
        return sum(one[1] for one in self._chosen(period, company, region))

    def recalled(self, year: int, company: str = "") -> int:
        """Units called back in a year."""
        return sum(
            int(one["units"])
            for one in self.events
            if one["kind"] == "recall" and str(one["date"]).startswith(str(year)) and company in ("", one["company"])
        )

    def _chosen(self, period: str, company: str, region: str) -> Iterable[tuple[int, int]]:
        for (quarter, where, who), sold in self.sales.items():
            if quarter.startswith(period) and company in ("", who) and region in ("", where):
                yield sold


def ledger_of(rng: random.Random) -> Ledger:
    """Choose every number of the market."""
    ledger = Ledger()
    quarters = [f"{year}-Q{number}" for year in YEARS for number in (1, 2, 3, 4)]
    for company in COMPANIES:
        for place, quarter in enumerate(quarters):
            ledger.prices[quarter, company.name] = company.price + company.step * place
            for region, size in REGIONS.items():
                wanted = company.units * size * SEASON[place % 4] * company.growth ** (place / 4)
                units = round(wanted * rng.uniform(0.94, 1.06))
                paid = ledger.prices[quarter, company.name] * rng.uniform(0.88, 0.95)
                ledger.sales[quarter, region, company.name] = (units, round(units * paid))
        for year in YEARS:
            asked = rng.randint(180, 420)
            content = min(0.97, company.content + 0.02 * (year - YEARS[0]) + rng.uniform(-0.03, 0.03))
            ledger.survey[year, company.name] = (asked, round(asked * content), round(asked * content * 0.87))
    ledger.events = events(rng)
    return ledger


def events(rng: random.Random) -> list[dict[str, str | int]]:
    """Choose what the trade's news feed tells."""
    told = (
        ("2024-02-13", "launch", "Tovaro", 0, "Tovaro shows the T4, its first model with a belt drive"),
        ("2024-05-21", "recall", "Quillon", rng.randint(300, 600), "Front forks may crack under full load"),
        ("2024-09-03", "dealers", "Larkwheel", 0, "Larkwheel opens shops in the harbour towns of the Isles"),
        ("2025-01-28", "launch", "Brennick", 0, "Brennick shows the Hauler Two at a lower price"),
        ("2025-03-11", "recall", "Quillon", rng.randint(700, 1100), "Battery housings let water in"),
        ("2025-06-17", "recall", "Brennick", rng.randint(200, 400), "Brake cables wear too fast"),
        ("2025-10-07", "dealers", "Tovaro", 0, "Tovaro ends direct sales in Southvale and turns to dealers"),
    )
    return [
        {"date": date, "kind": kind, "company": company, "units": units, "text": text}
        for date, kind, company, units, text in told
    ]


# --- notes: what people say, true and false -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A sentence of a note; `agrees` is None when no table speaks of it, `tables` is what they say."""

    text: str
    agrees: bool | None = None
    tables: str = ""


def talk(text: str) -> Said:
    """A sentence that no table speaks of."""
    return Said(text=text)


def right(text: str, tables: str) -> Said:
    """A sentence that the tables bear out."""
    return Said(text=text, agrees=True, tables=tables)


def wrong(text: str, tables: str) -> Said:
    """A sentence that the tables contradict."""
    return Said(text=text, agrees=False, tables=tables)


def notes_of(ledger: Ledger) -> dict[str, tuple[str, list[list[Said]]]]:
    """Write the notes: a title and paragraphs of sentences for each file."""
    first, before, last = YEARS[0], YEARS[-2], YEARS[-1]
    lark, bren, tova, quil = (one.name for one in COMPANIES)
    market, earlier = ledger.revenue(str(last)), ledger.revenue(str(before))
    grown = percent(market - earlier, earlier)
    share = percent(ledger.revenue(str(last), lark), market)
    fallen = percent(ledger.units(str(last), bren) - ledger.units(str(before), bren), ledger.units(str(before), bren))
    tovaro_grown = percent(
        ledger.revenue(str(last), tova) - ledger.revenue(str(before), tova), ledger.revenue(str(before), tova)
    )
    asked, content, _ = ledger.survey[last, tova]
    asked_quillon, content_quillon, _ = ledger.survey[last, quil]
    isles = ledger.units(f"{last}-Q2", region="Isles")
    overstated = round(isles * 1.3 / 10) * 10
    south = ledger.units(str(last), tova, "Southvale")
    price = ledger.prices[f"{last}-Q4", lark]
    called = ledger.recalled(last, quil)
    return {
        "analyst-note.md": (
            "The year in cargo e-bikes",
            [
                [
                    talk("Families buy cargo e-bikes instead of a second car, and towns help with grants."),
                    right(
                        f"Revenue of the whole market came to {millions(market)} million EUR in {last}.",
                        f"{market:,} EUR",
                    ),
                    right(f"The market grew by {grown} % in {last}.", f"{grown} %"),
                ],
                [
                    right(f"{lark} holds a share of {share} % of revenue in {last}.", f"{share} %"),
                    talk("Grants are the main risk: where a town stops paying, orders fall within weeks."),
                    talk("Analysts expect that prices will fall by 5 % in 2026 once the new factory delivers."),
                ],
            ],
        ),
        "press-larkwheel.md": (
            "Larkwheel: a record year",
            [
                [
                    wrong(
                        f"{lark} holds a share of {Decimal(share) + 7:.1f} % of revenue in {last}, "
                        "further ahead than ever.",
                        f"{share} %",
                    ),
                    right(
                        f"The list price of {lark} was {price:,} EUR in the fourth quarter of {last}.", f"{price:,} EUR"
                    ),
                ],
                [talk("The company says that its new shops shorten the wait for repairs from weeks to days.")],
            ],
        ),
        "press-brennick.html": (
            "Brennick cuts prices",
            [
                [
                    right(
                        f"{bren} sold {ledger.units(str(last), bren):,} units in {last}.",
                        f"{ledger.units(str(last), bren):,}",
                    ),
                    talk("The new model costs less because it has a simpler frame & fewer parts."),
                ],
                [
                    wrong(
                        f"Units sold by {bren} rose by {abs(Decimal(fallen))} % in {last}.",
                        f"{fallen} %",
                    )
                ],
            ],
        ),
        "interview-dealer.md": (
            "A dealer in Southvale",
            [
                [
                    talk("Customers ask about the battery first, and about the price last."),
                    talk("Most complaints are about spare parts: batteries for older models take months to arrive."),
                    right(f"{tova} sold about {south:,} units in Southvale in {last}.", f"{south:,}"),
                ],
                [talk("Repairs are the better business, says the dealer, because nobody haggles over them.")],
            ],
        ),
        "interview-isles.txt": (
            "Notes from the Isles",
            [
                [
                    wrong(
                        f"In the second quarter of {last} the shops of the Isles sold {overstated:,} units.",
                        f"{isles:,}",
                    ),
                    talk("Supply is the problem here: the ferry brings spare parts only once a week."),
                ],
                [talk("Salt water ruins connectors, so customers complain about electrics more than on the mainland.")],
            ],
        ),
        "survey-comment.md": (
            "What customers told us",
            [
                [
                    right(
                        f"Of the customers of {tova}, {percent(content, asked)} % were satisfied in {last}.",
                        f"{percent(content, asked)} %",
                    ),
                    wrong(
                        f"Of the customers of {quil}, {Decimal(percent(content_quillon, asked_quillon)) + 15:.1f} % "
                        f"were satisfied in {last}.",
                        f"{percent(content_quillon, asked_quillon)} %",
                    ),
                ],
                [talk("Those who complain name the weight of the bike, slow repairs and the price of a battery.")],
            ],
        ),
        "recalls.txt": (
            "Recalls and what they cost",
            [
                [
                    right(f"{quil} recalled {called:,} units in {last}.", f"{called:,}"),
                    talk("The supplier of the battery housings has changed its seals, but deliveries are late."),
                ]
            ],
        ),
        "letter-tovaro.md": (
            "Letter to the owners of Tovaro",
            [
                [
                    right(f"Revenue of {tova} rose by {tovaro_grown} % in {last}.", f"{tovaro_grown} %"),
                    talk("Prices went up because cells became dearer, and because buyers chose larger batteries."),
                ],
                [talk(f"We began in {first} with a single shop and want to have forty dealers by 2030.")],
            ],
        ),
    }


def page(name: str, title: str, paragraphs: list[list[Said]]) -> str:
    """Write a note in the form of its file: Markdown with broken lines, HTML, or plain text."""
    if name.endswith(".html"):
        body = "\n".join(f"<p>{escaped(' '.join(one.text for one in paragraph))}</p>" for paragraph in paragraphs)
        return f'<!doctype html>\n<html lang="en">\n<title>{title}</title>\n<h1>{title}</h1>\n{body}\n</html>\n'
    if name.endswith(".txt"):
        body = "\n\n".join("\n".join(one.text for one in paragraph) for paragraph in paragraphs)
        return f"{title.upper()}\n\n{body}\n"
    body = "\n\n".join(textwrap.fill(" ".join(one.text for one in paragraph), WIDTH) for paragraph in paragraphs)
    return f"# {title}\n\n{body}\n"


def escaped(text: str) -> str:
    """Write text as HTML."""
    return text.replace("&", "&amp;").replace("<", "&lt;")


# --- the truth ------------------------------------------------------------------------------------------------------


def percent(part: int, whole: int) -> str:
    """Give `part` of `whole` in percent with one decimal place, halves away from zero."""
    return str((Decimal(part) * 100 / Decimal(whole)).quantize(Decimal("0.1"), ROUND_HALF_UP))


def millions(amount: int) -> str:
    """Give an amount in millions with one decimal place."""
    return str((Decimal(amount) / 10**6).quantize(Decimal("0.1"), ROUND_HALF_UP))


def truth_of(ledger: Ledger, notes: dict[str, tuple[str, list[list[Said]]]]) -> dict[str, object]:
    """Give every figure that the report must have, and every statement of the notes with what the tables say."""
    first, before, last = map(str, (YEARS[0], YEARS[-2], YEARS[-1]))

    def grown(**scope: str) -> str:
        was = ledger.revenue(before, **scope)
        return percent(ledger.revenue(last, **scope) - was, was)

    def yearly(**scope: str) -> str:
        ratio = Decimal(ledger.revenue(last, **scope)) / Decimal(ledger.revenue(first, **scope))
        rate = ratio ** (Decimal(1) / Decimal(int(last) - int(first))) - 1
        return str((rate * 100).quantize(Decimal("0.1"), ROUND_HALF_UP))

    def part(**scope: str) -> str:
        return percent(ledger.revenue(last, **scope), ledger.revenue(last))

    def row(**scope: str) -> dict[str, str | int]:
        return {
            "revenue": ledger.revenue(last, **scope),
            "units": ledger.units(last, **scope),
            "share": part(**scope),
            "growth": grown(**scope),
            "cagr": yearly(**scope),
        }

    return {
        "quarters": {quarter: ledger.revenue(quarter) for quarter in sorted({key[0] for key in ledger.sales})},
        "years": {str(year): [ledger.units(str(year)), ledger.revenue(str(year))] for year in YEARS},
        "market": {"growth": grown(), "cagr": yearly()},
        "companies": {one.name: row(company=one.name) for one in COMPANIES},
        "regions": {region: row(region=region) for region in REGIONS},
        "prices": {
            one.name: [ledger.prices[f"{first}-Q1", one.name], ledger.prices[f"{last}-Q4", one.name]]
            for one in COMPANIES
        },
        "satisfied": {
            one.name: percent(ledger.survey[int(last), one.name][1], ledger.survey[int(last), one.name][0])
            for one in COMPANIES
        },
        "recalled": {one.name: ledger.recalled(int(last), one.name) for one in COMPANIES},
        "statements": [
            {"note": name, "text": said.text, "agrees": said.agrees, "tables": said.tables}
            for name, (_, paragraphs) in notes.items()
            for paragraph in paragraphs
            for said in paragraph
            if said.agrees is not None
        ],
    }


def generate(seed: int, out: Path) -> None:
    """Write the tables, the feed, the notes and truth.json into a folder."""
    ledger = ledger_of(random.Random(seed))
    notes = notes_of(ledger)
    (out / "notes").mkdir(parents=True, exist_ok=True)
    sales = [f"{quarter},{region},{company},{units},{revenue}" for (quarter, region, company), (units, revenue) in
             sorted(ledger.sales.items(), key=lambda one: (one[0][0], one[0][1], one[0][2]))]  # fmt: skip
    prices = [f"{quarter},{company},{price}" for (quarter, company), price in ledger.prices.items()]
    survey = [f"{year},{company},{','.join(map(str, counts))}" for (year, company), counts in ledger.survey.items()]
    files = {
        "sales.csv": ["quarter,region,company,units,revenue_eur", *sales],
        "prices.csv": ["quarter,company,list_price_eur", *prices],
        "survey.csv": ["year,company,respondents,satisfied,recommend", *survey],
        "feed.jsonl": [json.dumps(event) for event in ledger.events],
    }
    for name, lines in files.items():
        (out / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    for name, (title, paragraphs) in notes.items():
        (out / "notes" / name).write_text(page(name, title, paragraphs), encoding="utf-8")
    truth = {"seed": seed, **truth_of(ledger, notes)}
    (out / "truth.json").write_text(json.dumps(truth, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def main() -> None:
    """Take the seed and the folder from the command line."""
    parser = argparse.ArgumentParser(description="Write the example's tables and notes and what is true of them.")
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "data")
    options = parser.parse_args()
    generate(options.seed, options.out)


if __name__ == "__main__":
    main()
