"""The figures of a market as expressions over rows: what each is called, how it is worked out, from which lines."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from tables import Entry, Market

from stretto.specialists.calculate import Number

REVENUE, UNITS = "revenue_", "units"
_CHANGE, _PART = "growth(sum(before), sum(after))", "sum(part) / sum(whole) in %"
_CALLED = {REVENUE: "Revenue", UNITS: "Units"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A number to be worked out. `text` says what it is and names it; `unit` is a currency, `%` or empty."""

    text: str
    expression: str
    values: dict[str, list[float]]
    unit: str
    file: str
    lines: list[int]


def total(market: Market, amount: str, period: str, company: str = "", region: str = "") -> Figure | None:
    """Revenue or units of a year or a quarter."""
    rows = market.sheet("sales").chosen(period, company, region)
    text, name = f"{_CALLED[amount]}{_of(company, region)} in {period}", amount.rstrip("_")
    return _figure(market, "sales", text, f"sum({name})", _unit(market, amount), **{name: (amount, rows)})


def per_unit(market: Market, period: str, company: str = "", region: str = "") -> Figure | None:
    """Revenue per unit sold."""
    rows = market.sheet("sales").chosen(period, company, region)
    text, unit = f"Revenue per unit{_of(company, region)} in {period}", _unit(market, REVENUE)
    return _figure(
        market, "sales", text, "sum(revenue) / sum(units)", unit, revenue=(REVENUE, rows), units=(UNITS, rows)
    )


def growth(market: Market, amount: str, before: str, after: str, company: str = "", region: str = "") -> Figure | None:
    """The change from one period to another, in percent of the first."""
    earlier = market.sheet("sales").chosen(before, company, region)
    later = market.sheet("sales").chosen(after, company, region)
    text = f"{_CALLED[amount]}{_of(company, region)}, change from {before} to {after}"
    return _figure(market, "sales", text, _CHANGE, "%", before=(amount, earlier), after=(amount, later))


def yearly_growth(
    market: Market, amount: str, first: str, last: str, company: str = "", region: str = ""
) -> Figure | None:
    """The compound annual growth rate between two years that are not the same."""
    earlier = market.sheet("sales").chosen(first, company, region)
    later = market.sheet("sales").chosen(last, company, region)
    text = f"{_CALLED[amount]}{_of(company, region)} from {first} to {last}, growth per year"
    expression = f"cagr(sum(before), sum(after), {last} - {first})"
    return _figure(market, "sales", text, expression, "%", before=(amount, earlier), after=(amount, later))


def share(market: Market, amount: str, period: str, company: str = "", region: str = "") -> Figure | None:
    """The part of the whole market, in percent."""
    part = market.sheet("sales").chosen(period, company, region)
    whole = market.sheet("sales").chosen(period)
    text = f"{_CALLED[amount]}{_of(company, region)} in {period}, share of all"
    return _figure(market, "sales", text, _PART, "%", part=(amount, part), whole=(amount, whole))


def price(market: Market, quarter: str, company: str) -> Figure | None:
    """The list price of a quarter; none when several are listed."""
    rows = market.sheet("prices").chosen(quarter, company)
    unit = market.sheet("prices").currency
    text = f"List price of {company} in {quarter}"
    return _figure(market, "prices", text, "sum(price)", unit, price=("list_price_", rows)) if len(rows) == 1 else None


def price_change(market: Market, first: str, last: str, company: str) -> Figure | None:
    """The change of a list price from one quarter to another, in percent."""
    before = market.sheet("prices").chosen(first, company)
    after = market.sheet("prices").chosen(last, company)
    if len(before) != 1 or len(after) != 1 or first == last:
        return None
    text = f"List price of {company}, change from {first} to {last}"
    columns = {"before": ("list_price_", before), "after": ("list_price_", after)}
    return _figure(market, "prices", text, _CHANGE, "%", **columns)


def answered(market: Market, answer: str, year: str, company: str = "") -> Figure | None:
    """The part of those asked who are satisfied, or recommend, in percent."""
    rows = market.sheet("survey").chosen(year, company)
    text = f"Respondents{_of(company, '')} {answer} in {year}"
    return _figure(market, "survey", text, _PART, "%", part=(answer, rows), whole=("respondents", rows))


def recalled(market: Market, year: str, company: str = "") -> Figure | None:
    """Units that were called back in a year."""
    rows = market.sheet("feed").chosen(year, company, kind="recall")
    return _figure(
        market, "feed", f"Recalled units{_of(company, '')} in {year}", "sum(units)", "", units=("units", rows)
    )


def every(market: Market) -> Iterator[Figure | None]:
    """Give all figures that the report shows, as far as there are rows for them."""
    for quarter in market.quarters:
        yield from (total(market, amount, quarter) for amount in (UNITS, REVENUE))
    for place, year in enumerate(market.years):
        yield from (total(market, amount, year) for amount in (UNITS, REVENUE))
        yield per_unit(market, year)
        if place:
            yield growth(market, REVENUE, market.years[place - 1], year)
    scopes = [("", ""), *((one, "") for one in market.companies()), *(("", one) for one in market.regions())]
    if market.years:
        first, last = market.years[0], market.years[-1]
        for company, region in scopes:
            yield from (total(market, amount, last, company, region) for amount in (UNITS, REVENUE))
            if company or region:
                yield share(market, REVENUE, last, company, region)
            if len(market.years) > 1:
                yield growth(market, REVENUE, market.years[-2], last, company, region)
                yield yearly_growth(market, REVENUE, first, last, company, region)
    for company in market.companies():
        quarters = sorted({one.period for one in market.sheet("prices").chosen(company=company)})
        for quarter in dict.fromkeys([*quarters[:1], *quarters[-1:]]):
            yield price(market, quarter, company)
        if quarters:
            yield price_change(market, quarters[0], quarters[-1], company)
        if asked := _latest(market, "survey"):
            yield from (answered(market, answer, asked, company) for answer in ("satisfied", "recommend"))
        if told := _latest(market, "feed"):
            yield recalled(market, told, company)


def shown(number: Number, unit: str) -> str:
    """Write a result for people: money and counts whole (small amounts of money with cents), percent to one place."""
    exact = Fraction(number.exact or str(number.value)) * (100 if unit == "%" else 1)
    places = 1 if unit == "%" else 2 if unit and abs(exact) < 100 else 0
    amount = (Decimal(exact.numerator) / Decimal(exact.denominator)).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    return f"{amount:,}{' ' if unit else ''}{unit}"


def _figure(
    market: Market, sheet: str, text: str, expression: str, unit: str, **columns: tuple[str, Sequence[Entry]]
) -> Figure | None:
    if not all(rows for _, rows in columns.values()):
        return None
    lines = sorted({one.line for _, rows in columns.values() for one in rows})
    return Figure(
        text=text,
        expression=f"{expression} * 1 {unit}" if unit not in ("", "%") else expression,
        values={name: [one.amounts[amount] for one in rows] for name, (amount, rows) in columns.items()},
        unit=unit,
        file=market.sheet(sheet).file,
        lines=lines,
    )


def _of(company: str, region: str) -> str:
    return (f" of {company}" if company else "") + (f" in {region}" if region else "")


def _unit(market: Market, amount: str) -> str:
    return market.sheet("sales").currency if amount == REVENUE else ""


def _latest(market: Market, sheet: str) -> str:
    """Give the last year that a table speaks of; empty when it has no rows."""
    return max((one.period[:4] for one in market.sheet(sheet).entries), default="")
