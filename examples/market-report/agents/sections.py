"""The report's document, section by section; a number is in it only when its claim was verified."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from pathlib import Path

import figures
from figures import REVENUE, UNITS, Figure
from statements import Notes, lines_of
from tables import Market

from stretto.core.domain import Citation as Place
from stretto.specialists.calculate import BadExpression, evaluate
from stretto.specialists.query.lines import quoted_lines
from stretto.specialists.report import Chart, Citation, Document, Fact, Section, Table
from stretto.specialists.retrieve import Passages
from stretto.specialists.summarise import Summary
from stretto.specialists.verify import Claim, Verdict

LONGEST = 400
_FROM_SOURCES = re.compile(
    r"^(?:on|about|for)\s+|\s+(?:from|based on|using|with)\s+(?:these|those|this|the|my|our)\b.*$", re.IGNORECASE
)
"""What a goal says of its sources is no part of the topic."""


@dataclass(frozen=True, kw_only=True)
class Material:
    """Everything the report is made of."""

    topic: str
    folder: str
    market: Market
    figures: Sequence[Figure]
    claims: Sequence[Claim]
    verdicts: Sequence[Verdict]
    notes: Notes
    held: Sequence[Verdict]
    answers: Sequence[Passages]
    gist: Summary | None
    has_notes: bool

    @cached_property
    def proved(self) -> Mapping[str, str]:
        """What each verified figure comes to, as it is shown."""
        pairs = zip(self.claims, self.verdicts, strict=True)
        return dict(_parted(claim.text) for claim, verdict in pairs if verdict.verdict == "supported")

    def said(self, figure: Figure | None) -> str | None:
        """Give a figure as it is shown; None when there is none or it did not hold."""
        return self.proved.get(figure.text) if figure is not None else None


class _Sources:
    """All lines that the report rests on, by file and line, numbered from 1: neighbours have neighbouring numbers."""

    def __init__(self, material: Material) -> None:
        self._lines: dict[str, list[str]] = {}
        folder = Path(material.folder)
        found: dict[str, set[int]] = {}
        for file, lines in _places_of(material, self):
            found.setdefault(file, set()).update(lines)
        places = [(file, line) for file, lines in found.items() for line in sorted(lines)]
        self._numbers = {place: number for number, place in enumerate(places, start=1)}
        texts = {file: dict(quoted_lines(file, sorted(lines))) for file, lines in found.items()}
        self.places = [Place(file=file, line=line, text=texts[file].get(line, "")) for file, line in places]
        self.list = tuple(Citation(file=_name(one.file, folder), line=one.line, text=one.text) for one in self.places)

    def cite(self, *places: tuple[str, Iterable[int]]) -> tuple[int, ...]:
        """Give the numbers of some lines, each once, in order."""
        return tuple(sorted({self._numbers[file, line] for file, lines in places for line in lines}))

    def figures(self, *some: Figure | None) -> tuple[int, ...]:
        """Give the numbers of the lines that some figures come from."""
        return self.cite(*((one.file, one.lines) for one in some if one is not None))

    def sentence(self, file: str, first: int, text: str) -> list[int]:
        """Give the lines over which a sentence of a note stands."""
        if file not in self._lines:
            self._lines[file] = Path(file).read_text(encoding="utf-8", errors="replace").split("\n")
        return lines_of(self._lines[file], first, text)


def document_of(material: Material) -> tuple[Document, list[Place]]:
    """Write the report; also give the lines it cites."""
    sources = _Sources(material)
    held = [one.verdict for one in material.held].count
    summary, cites = _summary(material, sources)
    document = Document(
        title=f"Market report: {_FROM_SOURCES.sub('', material.topic)}",
        made=(
            f"{len(material.proved)} of {len(material.figures)} figures were worked out and held against their lines; "
            f"{held('supported')} of {len(material.held)} statements of the notes agree with the tables."
        ),
        summary=summary,
        cites=cites,
        facts=tuple(_facts(material, sources)),
        gaps=tuple(_gaps(material)),
        sections=tuple(
            section
            for part in (_contradictions, _quarters, _years, _companies, _regions, _prices, _customers, _events,
                         _answers, _gist, _agreements, _appendix)
            for section in part(material, sources)
        ),
        sources=sources.list,
    )  # fmt: skip
    return document, sources.places


# --- what one must know ---------------------------------------------------------------------------------------------


def _summary(material: Material, sources: _Sources) -> tuple[str, tuple[int, ...]]:
    market, said, used = material.market, material.said, list[Figure | None]()
    lines = []

    def say(text: str, *some: Figure | None) -> None:
        values = [value for one in some if (value := said(one)) is not None]
        if len(values) == len(some):
            amounts = [value.removeprefix("-") for value in values] if " fell by " in text else values
            lines.append(f"- {text.format(*amounts)}")
            used.extend(some)

    if market.years:
        first, last = market.years[0], market.years[-1]
        say(f"Revenue came to {{}} in {last}.", figures.total(market, REVENUE, last))
        if len(market.years) > 1:
            changed = _growths(market, market.years[-2:])
            way = "fell" if (said(changed[0]) or "").startswith("-") else "grew"
            say(f"From {market.years[-2]} to {last} it {way} by {{}}.", *changed)
        if len(market.years) > 2:
            say(
                f"From {first} to {last} the change was {{}} per year.",
                figures.yearly_growth(market, REVENUE, first, last),
            )
        leader = _greatest(material, [figures.share(market, REVENUE, last, one) for one in market.companies()])
        if leader is not None:
            name = next(one for one in market.companies() if figures.share(market, REVENUE, last, one) == leader)
            say(f"{name} is the largest company: {{}} of all revenue in {last}.", leader)
    against = sum(one.verdict == "contradicted" for one in material.held)
    if against:
        lines.append(f"- The notes contradict the tables in {_counted(against, 'place')}; each is named below.")
    if not lines:
        lines.append("No figure of the whole market could be worked out; what is missing is named below.")
    return "\n".join(lines), sources.figures(*used)


def _facts(material: Material, sources: _Sources) -> Iterator[Fact]:
    market = material.market
    wanted: list[tuple[str, Figure | None]] = []
    if market.years:
        first, last = market.years[0], market.years[-1]
        wanted.append((f"Revenue {last}", figures.total(market, REVENUE, last)))
        wanted.append((f"Units {last}", figures.total(market, UNITS, last)))
        wanted += [(f"Change from {market.years[-2]}", one) for one in _growths(market, market.years[-2:])]
        if len(market.years) > 2:
            wanted.append((f"Per year since {first}", figures.yearly_growth(market, REVENUE, first, last)))
    for label, figure in wanted:
        if (value := material.said(figure)) is not None:
            yield Fact(label=label, value=_short(value), cites=sources.figures(figure))
    against = sum(one.verdict == "contradicted" for one in material.held)
    if not material.held:
        return
    yield Fact(label="Contradictions", value=str(against), tone="warn" if against else "good")


def _gaps(material: Material) -> Iterator[str]:
    yield from material.market.gaps
    yield from material.notes.gaps
    if not material.has_notes:
        yield "There are no notes in the folder notes; nothing is held against the tables."
    claimed = {_parted(one.text)[0] for one in material.claims}
    for figure in material.figures:
        if figure.text not in claimed:
            yield f"“{figure.text}” could not be worked out{_why_not(figure)}."
    for claim, verdict in zip(material.claims, material.verdicts, strict=True):
        if verdict.verdict != "supported":
            yield f"“{claim.text}” did not hold against its lines and is left out: {verdict.reason}."


def _contradictions(material: Material, sources: _Sources) -> Iterator[Section]:
    rows, cites = [], []
    for statement, verdict in zip(material.notes.statements, material.held, strict=True):
        if verdict.verdict != "contradicted":
            continue
        figure, sentence = statement.figure, statement.sentence
        rows.append((sentence.text, statement.stated, _reckoned(figure), figure.text))
        cites.append((sources.cite((sentence.file, sentence.lines)), sources.figures(figure)))
    if rows:
        yield Section(
            heading="Where notes and tables disagree",
            text="The first sources are the note's, the others the rows of the table.",
            table=Table(
                columns=("The note says", "It says", "The tables say", "Of"),
                rows=tuple(rows),
                numeric=(1, 2),
                cites=tuple((*note, *table) for note, table in cites),
            ),
        )


# --- the tables -----------------------------------------------------------------------------------------------------


def _quarters(material: Material, sources: _Sources) -> Iterator[Section]:
    market = material.market
    rows = [
        (quarter, [figures.total(market, UNITS, quarter), figures.total(market, REVENUE, quarter)])
        for quarter in market.quarters
    ]
    if rows:
        chart = _chart("line", "Revenue by quarter", material, [(name, some[1]) for name, some in rows])
        yield _section(material, sources, "Quarters", ("Quarter", "Units", "Revenue"), rows, chart)


def _years(material: Material, sources: _Sources) -> Iterator[Section]:
    market = material.market
    rows = [
        (
            year,
            [
                figures.total(market, UNITS, year),
                figures.total(market, REVENUE, year),
                figures.per_unit(market, year),
                *_growths(market, market.years[max(place - 1, 0) : place + 1]),
            ],
        )
        for place, year in enumerate(market.years)
    ]
    if rows:
        columns = ("Year", "Units", "Revenue", "Revenue per unit", "Change of revenue")
        yield _section(material, sources, "Years", columns, rows)


def _companies(material: Material, sources: _Sources) -> Iterator[Section]:
    scopes = [(one, one, "") for one in material.market.companies()]
    yield from _scopes(material, sources, "Companies", "Company", scopes)


def _regions(material: Material, sources: _Sources) -> Iterator[Section]:
    scopes = [(one, "", one) for one in material.market.regions()]
    yield from _scopes(material, sources, "Regions", "Region", scopes)


def _scopes(
    material: Material, sources: _Sources, heading: str, column: str, scopes: Sequence[tuple[str, str, str]]
) -> Iterator[Section]:
    market = material.market
    if not market.years:
        return
    first, last = market.years[0], market.years[-1]
    rows = []
    for name, company, region in scopes:
        some = [figures.total(market, amount, last, company, region) for amount in (UNITS, REVENUE)]
        some.append(figures.share(market, REVENUE, last, company, region))
        some += _growths(market, market.years[-2:], company, region)
        if len(market.years) > 1:
            some.append(figures.yearly_growth(market, REVENUE, first, last, company, region))
        rows.append((name, some))
    rows.sort(key=lambda row: -_number(material.said(row[1][1])))
    columns = (column, "Units", "Revenue", "Share of revenue", "Change of revenue", f"Per year since {first}")
    chart = _chart("bar", f"Revenue in {last}", material, [(name, some[1]) for name, some in rows])
    text = f"All figures are of {last}."
    yield _section(material, sources, heading, columns[: len(rows[0][1]) + 1] if rows else columns, rows, chart, text)


def _prices(material: Material, sources: _Sources) -> Iterator[Section]:
    market = material.market
    rows, span = [], set[tuple[str, str]]()
    for company in market.companies():
        quarters = sorted({one.period for one in market.sheet("prices").chosen(company=company)})
        if quarters:
            first, last = quarters[0], quarters[-1]
            span.add((first, last))
            some = [figures.price(market, first, company), figures.price(market, last, company)]
            rows.append((company, [*some, figures.price_change(market, first, last, company)]))
    if rows:
        named = next(iter(span)) if len(span) == 1 else ("the first quarter", "the last quarter")
        columns = ("Company", f"List price {named[0]}", f"List price {named[1]}", "Change")
        yield _section(material, sources, "Prices", columns, rows)


def _customers(material: Material, sources: _Sources) -> Iterator[Section]:
    market = material.market
    year = max((one.period for one in market.sheet("survey").entries), default="")
    rows = [
        (company, [figures.answered(market, answer, year, company) for answer in ("satisfied", "recommend")])
        for company in market.companies()
    ]
    if year:
        text = f"The parts of those asked in {year} who are satisfied, and who would recommend what they bought."
        columns = ("Company", "Satisfied", "Would recommend")
        yield _section(material, sources, "Customers", columns, rows, text=text)


def _events(material: Material, sources: _Sources) -> Iterator[Section]:
    sheet = material.market.sheet("feed")
    if not sheet.entries:
        return
    events = sorted(sheet.entries, key=lambda one: (one.period, one.line))
    year = events[-1].period[:4]
    recalls = [
        (company, [figure])
        for company in material.market.companies()
        if (figure := figures.recalled(material.market, year, company)) is not None
    ]
    yield Section(
        heading="What happened",
        table=Table(
            columns=("Date", "Kind", "Company", "What"),
            rows=tuple((one.period, one.texts["kind"], one.company, one.texts["text"]) for one in events),
            cites=tuple(sources.cite((sheet.file, [one.line])) for one in events),
        ),
    )
    if recalls:
        yield _section(material, sources, f"Recalls in {year}", ("Company", "Units"), recalls, level=3)


# --- the notes ------------------------------------------------------------------------------------------------------


def _answers(material: Material, sources: _Sources) -> Iterator[Section]:
    found = [one for one in material.answers if one.passages]
    if found:
        yield Section(heading="What the notes say", text="Passages word for word, the best first.")
    for one in found:
        yield Section(
            heading=one.question,
            level=3,
            table=Table(
                columns=("Passage", "Note"),
                rows=tuple((_shortened(p.text), Path(p.file).name) for p in one.passages),
                cites=tuple(sources.cite((p.file, _passage_lines(p.file, p.line, p.end_line))) for p in one.passages),
            ),
        )


def _gist(material: Material, sources: _Sources) -> Iterator[Section]:
    if material.gist is not None:
        sentences = material.gist.sentences
        yield Section(
            heading="The notes in short",
            table=Table(
                columns=("Sentence", "Note"),
                rows=tuple((one.text, Path(one.file).name) for one in sentences),
                cites=tuple(
                    sources.cite((one.file, sources.sentence(one.file, one.line, one.text))) for one in sentences
                ),
            ),
        )


def _agreements(material: Material, sources: _Sources) -> Iterator[Section]:
    pairs = list(zip(material.notes.statements, material.held, strict=True))
    agreeing = [statement for statement, verdict in pairs if verdict.verdict == "supported"]
    unsure = [
        (one.sentence, verdict.reason) for one, verdict in pairs if verdict.verdict not in ("supported", "contradicted")
    ]
    unsure += [(one, "no table is known to speak of it") for one in material.notes.others]
    if agreeing:
        yield Section(
            heading="Where notes and tables agree",
            table=Table(
                columns=("The note says", "The tables say"),
                rows=tuple((one.sentence.text, _reckoned(one.figure)) for one in agreeing),
                numeric=(1,),
                cites=tuple(
                    (*sources.cite((one.sentence.file, one.sentence.lines)), *sources.figures(one.figure))
                    for one in agreeing
                ),
            ),
        )
    if unsure:
        yield Section(
            heading="Numbers that only the notes know",
            table=Table(
                columns=("The note says", "Why it was not held against a table"),
                rows=tuple((sentence.text, why) for sentence, why in unsure),
                cites=tuple(sources.cite((sentence.file, sentence.lines)) for sentence, _ in unsure),
            ),
        )


def _appendix(material: Material, sources: _Sources) -> Iterator[Section]:
    held = [one for one in material.figures if one.text in material.proved]
    if held:
        yield Section(
            heading="Every figure and its lines",
            text="The values are those of the lines named beside each figure: of two periods, before and after.",
            table=Table(
                columns=("Figure", "Value", "Worked out as"),
                rows=tuple((one.text, material.proved[one.text], one.expression.partition(" * 1 ")[0]) for one in held),
                numeric=(1,),
                cites=tuple(sources.figures(one) for one in held),
            ),
        )


# --- small things ---------------------------------------------------------------------------------------------------


def _section(
    material: Material,
    sources: _Sources,
    heading: str,
    columns: tuple[str, ...],
    rows: Sequence[tuple[str, Sequence[Figure | None]]],
    chart: Chart | None = None,
    text: str = "",
    level: int = 2,
) -> Section:
    """Give a section with one row of figures for each name; a figure that did not hold is a dash."""
    width = len(columns) - 1
    shown = [(name, [*some, *[None] * width][:width]) for name, some in rows]
    units = [_unit_of(some[place] for _, some in shown) for place in range(width)]
    table = Table(
        columns=(
            columns[0],
            *(f"{name} ({unit})" if unit else name for name, unit in zip(columns[1:], units, strict=True)),
        ),
        rows=tuple(
            (name, *(_without(material.said(one), unit) for one, unit in zip(some, units, strict=True)))
            for name, some in shown
        ),
        numeric=tuple(range(1, width + 1)),
        cites=tuple(sources.figures(*(one for one in some if material.said(one) is not None)) for _, some in shown),
    )
    return Section(heading=heading, text=text, chart=chart, table=table, level=level)


def _unit_of(column: Iterable[Figure | None]) -> str:
    """Give the currency that all figures of a column share, for its head; percentages keep their sign."""
    units = {one.unit for one in column if one is not None}
    return next(iter(units - {"%"}), "") if len(units) == 1 else ""


def _short(said: str) -> str:
    """Write an amount of millions for a tile: 151.9 million EUR."""
    number, _, unit = said.partition(" ")
    amount = Decimal(number.replace(",", ""))
    return f"{amount / 10**6:,.1f} million {unit}".strip() if abs(amount) >= 10**6 else said


def _without(said: str | None, unit: str) -> str | None:
    return said.removesuffix(f" {unit}") if said is not None and unit else said


def _chart(kind: str, title: str, material: Material, points: Iterable[tuple[str, Figure | None]]) -> Chart | None:
    held = [(name, figure, value) for name, figure in points if (value := material.said(figure)) is not None]
    if not held:
        return None
    unit = held[0][1].unit if held[0][1] is not None else ""
    return Chart(
        kind="line" if kind == "line" else "bar",
        title=title,
        labels=tuple(name for name, _, _ in held),
        values=tuple(_number(value) for _, _, value in held),
        unit=unit,
    )


def _growths(market: Market, years: Sequence[str], company: str = "", region: str = "") -> list[Figure | None]:
    """Give the change of revenue between two years; nothing when there is only one."""
    return [figures.growth(market, REVENUE, years[0], years[1], company, region)] if len(years) == 2 else []


def _greatest(material: Material, some: Sequence[Figure | None]) -> Figure | None:
    return max(
        (one for one in some if material.said(one) is not None),
        key=lambda one: _number(material.said(one)),
        default=None,
    )


def _places_of(material: Material, sources: _Sources) -> Iterator[tuple[str, Iterable[int]]]:
    """Give every place that the report rests on: the tables first, the notes after them."""
    for figure in material.figures:
        yield figure.file, figure.lines
    feed = material.market.sheet("feed")
    if feed.entries:
        yield feed.file, [one.line for one in feed.entries]
    for statement in material.notes.statements:
        yield statement.figure.file, statement.figure.lines
    for sentence in (*(one.sentence for one in material.notes.statements), *material.notes.others):
        yield sentence.file, sentence.lines
    for answer in material.answers:
        for passage in answer.passages:
            yield passage.file, _passage_lines(passage.file, passage.line, passage.end_line)
    for one in material.gist.sentences if material.gist is not None else ():
        yield one.file, sources.sentence(one.file, one.line, one.text)


def _passage_lines(file: str, first: int, last: int) -> list[int]:
    """Give the lines of a passage that are not empty."""
    return [number for number, text in quoted_lines(file, range(first, last + 1)) if text]


def _reckoned(figure: Figure) -> str:
    try:
        return figures.shown(evaluate(figure.expression, dict(figure.values)), figure.unit)
    except BadExpression as error:
        return f"nothing: {error.what}"


def _why_not(figure: Figure) -> str:
    try:
        evaluate(figure.expression, dict(figure.values))
    except BadExpression as error:
        return f": {error.what}"
    return ""


def _parted(claim: str) -> tuple[str, str]:
    """Part a claim into the figure it is of and what it is said to be."""
    text, _, said = claim.rpartition(": ")
    return text, said


def _number(said: str | None) -> float:
    """Give the number of a figure as it is shown."""
    return float(said.split(" ")[0].replace(",", "")) if said else 0.0


def _name(file: str, folder: Path) -> str:
    return str(Path(file).relative_to(folder)) if Path(file).is_relative_to(folder) else Path(file).name


def _shortened(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= LONGEST else f"{flat[:LONGEST].rpartition(' ')[0]} …"


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
