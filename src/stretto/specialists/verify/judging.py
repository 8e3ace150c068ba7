"""One claim against its evidence: quotes, names, subject, figures, who and which column, direction, negation."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property

from stretto.specialists.verify import lexicon
from stretto.specialists.verify.derived import agrees, reckoned
from stretto.specialists.verify.evidence import Line, quotes
from stretto.specialists.verify.figures import Figure, figures_of, same, same_digits
from stretto.specialists.verify.model import Judgement
from stretto.specialists.verify.words import (
    Clause,
    clauses_of,
    compounds_of,
    content_of,
    directions_in,
    names_of,
    openers_of,
    quotes_of,
    sides_of,
    stem,
    tokens_of,
)

LEAST_COVERED = 0.55
"""The part of a claim's content words that its evidence must share; of fewer than `FEW` words it is half."""
FEW = 4
_PERIODS = frozenset({"year", "date", "period", "quarter", "month", "week", "day", "season"})
_FROM_TO = re.compile(r"\bfrom\s+(.{1,40}?)\s+(?:in \d{4} )?to\s+(.{1,40})", re.IGNORECASE)
_COUNTED = re.compile(r"(?:\s+of(?:\s+(?:the|these|those|its|their|all))?\b)?((?:[-\s]+[^\W\d]+){1,3})")
_THAN = re.compile(
    r"\b(more|higher|larger|greater|bigger|longer|faster|less|fewer|lower|smaller|shorter|slower)\b.*?\bthan\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that speaks against a claim, and the line it was seen in."""

    verdict: Judgement
    reason: str
    line: Line | None = None


@dataclass
class Case:
    """A claim with its cited lines. `explained` figures were worked out; `checked` fills with what holds."""

    text: str
    lines: Sequence[Line]
    checked: list[str] = field(default_factory=list)
    explained: list[Figure] = field(default_factory=list)

    @cached_property
    def figures(self) -> list[Figure]:
        return figures_of(self.text)

    @cached_property
    def stated(self) -> list[tuple[Figure, Line]]:
        return [(one, line) for line in self.lines for one in figures_of(line.text)]

    @cached_property
    def clauses(self) -> list[tuple[Clause, Line]]:
        return [(one, line) for line in self.lines for one in clauses_of(line.text)]

    @cached_property
    def whole(self) -> str:
        return "\n".join(f"{line.context}\n{line.text}" for line in self.lines)

    @cached_property
    def words(self) -> frozenset[str]:
        found = tokens_of(self.whole)
        parts = [part for one in found for part in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+", one)]
        return frozenset(one.casefold() for one in [*found, *parts])

    @cached_property
    def stems(self) -> frozenset[str]:
        return frozenset(stem(one) for one in self.words)

    def findings(self) -> Iterator[Finding]:
        """Give what speaks against the claim, the gravest of each kind first."""
        yield from self._quotes()
        yield from self._names()
        yield from self._subject()
        yield from self._figures()
        yield from self._ways()

    def _quotes(self) -> Iterator[Finding]:
        for said in quotes_of(self.text):
            if any(quotes(line, said) for line in self.lines):
                self.checked.append(f"“{said}” stands there")
            elif " " in said:
                yield Finding("unsupported", f"the cited lines do not say “{said}”")

    def _names(self) -> Iterator[Finding]:
        missing = [one for one in dict.fromkeys(names_of(self.text, self.figures)) if not self._mentions(one)]
        missing += [one for one in compounds_of(self.text) if not self._mentions(one) and not self._mentions_part(one)]
        openers = [one for one in openers_of(self.text) if not self._mentions(one)]
        strangers = {name for clause, _ in self.clauses for name in clause.names} - {
            one.casefold() for one in tokens_of(self.text)
        }
        if openers and strangers:
            missing += openers
        if missing:
            yield Finding("unsupported", f"the cited lines do not name {_listed(missing)}")
        elif named := list(dict.fromkeys(names_of(self.text, self.figures))):
            self.checked.append(f"names {_listed(named)}")

    def _mentions_part(self, compound: str) -> bool:
        return any(self._mentions(part) for part in compound.split("-") if len(part) > 1)

    def _mentions(self, name: str) -> bool:
        low = name.casefold()
        if low in self.words or stem(low) in self.stems or (not name.isalnum() and low in self.whole.casefold()):
            return True
        parts = [one for one in low.split("-") if one]
        return len(parts) > 1 and name.replace("-", "").isalpha() and all(one in self.words for one in parts)

    def _subject(self) -> Iterator[Finding]:
        spoken = sides_of(self.whole)
        opposed = {
            stem(one) for one in tokens_of(self.text) if lexicon.OPPOSITES.get(one.casefold(), (None,))[0] in spoken
        }
        content = content_of(self.text, self.figures) - opposed
        shared = content & self.stems
        if len(shared) < (len(content) / 2 if len(content) < FEW else len(content) * LEAST_COVERED):
            told = f"{len(shared)} of {len(content)} words of the claim stand in the cited lines"
            yield Finding("unsupported", f"the evidence speaks of something else: {told}")
        elif (
            not content
            and not self.figures
            and not self.checked
            and not names_of(self.text)
            and not openers_of(self.text)
        ):
            yield Finding("unsupported", "the claim says nothing that can be looked up")

    def _figures(self) -> Iterator[Finding]:
        matched: list[Figure] = []
        for claimed in self.figures:
            if claimed in self.explained:
                continue
            found = [(one, line) for one, line in self.stated if same(claimed, one)]
            if found:
                matched += [one for one, _ in found]
                misplaced = self._misplaced(claimed, found)
                if misplaced is not None:
                    yield misplaced
                else:
                    self.checked.append(f"{claimed.text} stands in line {found[0][1].number or '?'}")
            elif (told := self._otherwise(claimed)) is not None:
                self.checked.append(told)
            else:
                yield self._missing(claimed, matched)

    def _otherwise(self, claimed: Figure) -> str | None:
        """Say how a figure that does not stand in the lines is borne out all the same."""
        if claimed.kind == "" and any(same(claimed, one) for line in self.lines for one in figures_of(line.context)):
            return f"{claimed.text} stands in the heading"
        if _is_year(claimed) and (period := _period_of(claimed, self.lines)):
            return f"{claimed.text} stands in {period}"
        if claimed.kind == "%" and re.search(
            r"%|percent|rate|share|pct", " ".join(one.context for one in self.lines), re.I
        ):
            hundred = [one for one, _ in self.stated if one.kind == "" and one.amount == claimed.amount * 100]
            if hundred:
                return f"{claimed.text} stands in a column of percentages"
        if claimed.kind not in ("", "%", "points", "date"):
            plain = [
                one for one, _ in self.stated if one.kind == "" and one.text == re.sub(r"[^\d.,]", "", claimed.text)
            ]
            unit = re.sub(r"[\d.,\s]", "", claimed.text).casefold()
            if plain and any(unit == one.casefold() for one in re.split(r"[\W_\d]+", self.whole)):
                return f"{claimed.text} stands there"
        if claimed.amount == 0 and any(clause.negated for clause, _ in self.clauses):
            return f"{claimed.text}: the line says that there is none"
        for one in reckoned(self.text, claimed, [figure for figure, _ in self.stated]):
            if agrees(claimed, one):
                return f"{claimed.text} = {one.how}"
        return None

    def _missing(self, claimed: Figure, matched: Sequence[Figure]) -> Finding:
        for one, line in self.stated:
            if same_digits(claimed, one):
                return Finding("contradicted", f"the line says {one.text}, not {claimed.text}", line)
        free = [
            (one, line)
            for one, line in self.stated
            if one not in matched and claimed.kind == one.kind and not any(same(other, one) for other in self.figures)
        ]
        free = [pair for pair in free if _alike(claimed, pair[0])] or free
        results = {one.how: one for one in reckoned(self.text, claimed, [figure for figure, _ in self.stated])}
        if len(results) == 1 and not free:
            found = next(iter(results.values()))
            return Finding("contradicted", f"{found.how} makes {_shown(found.amount, found.kind)}, not {claimed.text}")
        if free:
            one, line = min(free, key=lambda pair: abs(pair[0].amount - claimed.amount))
            return Finding("contradicted", f"the line says {one.text}, not {claimed.text}", line)
        return Finding("unsupported", f"{claimed.text} does not stand in the cited lines")

    def _misplaced(self, claimed: Figure, found: Sequence[tuple[Figure, Line]]) -> Finding | None:
        """Tell a figure that stands there, but of somebody or something else."""
        tests = (self._other_column, self._other_year, self._other_name, self._other_noun)
        return next((told for test in tests if (told := test(claimed, found)) is not None), None)

    def _other_column(self, claimed: Figure, found: Sequence[tuple[Figure, Line]]) -> Finding | None:
        said = {one.casefold() for one in tokens_of(self.text)} | {one.text for one in self.figures}
        for _, line in found:
            if len(line.header) != len(line.cells) or not line.header:
                return None
            named = [place for place, label in enumerate(line.header) if label and _label(label) <= said]
            holding = [
                place for place, cell in enumerate(line.cells) if any(same(claimed, one) for one in figures_of(cell))
            ]
            if not holding or claimed.text in line.header or not named or set(named) & set(holding):
                return None
            if _is_year(claimed) and any(_label(line.header[place]) & _PERIODS for place in holding):
                return None
            other = [place for place in named if figures_of(line.cells[place])]
            if not other:
                return None
        column = line.header[other[0]]
        return Finding("contradicted", f"under {column} the line says {line.cells[other[0]]}, not {claimed.text}", line)

    def _other_year(self, claimed: Figure, found: Sequence[tuple[Figure, Line]]) -> Finding | None:
        """Tell `48 in 2023` from `48 in 2021 and 31 in 2023`."""
        years = [one.text for one in self.figures if _is_year(one)]
        if len(years) != 1 or _is_year(claimed):
            return None
        dated = [(figure, line, year) for figure, line in self.stated if (year := _year_after(line.text, figure))]
        own = {year for figure, _, year in dated if any(figure is one for one, _ in found)}
        rival = next(((figure, line) for figure, line, year in dated if year == years[0]), None)
        if not own or years[0] in own or rival is None or not _alike(claimed, rival[0]):
            return None
        return Finding("contradicted", f"of {years[0]} the line says {rival[0].text}, not {claimed.text}", rival[1])

    def _other_name(self, claimed: Figure, found: Sequence[tuple[Figure, Line]]) -> Finding | None:
        own = next((one for one in clauses_of(self.text) if any(same(f, claimed) for f in one.figures)), None)
        if own is None:
            return None
        named = {one for one in own.names if one in self.words}
        holding = [(one, line) for one, line in self.clauses if any(same(claimed, figure) for figure in one.figures)]
        if not named or not holding or any(named & one.names or not one.names for one, _ in holding):
            return None
        for one, line in self.clauses:
            rivals = [figure for figure in one.figures if _alike(claimed, figure)]
            if named & one.names and rivals:
                said = f"of {_listed(sorted(named & one.names))} the line says {rivals[0].text}, not {claimed.text}"
                return Finding("contradicted", said, line)
        return None

    def _other_noun(self, claimed: Figure, found: Sequence[tuple[Figure, Line]]) -> Finding | None:
        if claimed.kind:
            return None
        nouns = _nouns_after(self.text, claimed)
        if not nouns or any(nouns & _nouns_of(line.text, one) for one, line in found):
            return None
        for one, line in self.stated:
            if nouns & _nouns_after(line.text, one) and not same(claimed, one) and one.kind == "":
                return Finding("contradicted", f"the line says {one.text} of these, not {claimed.text}", line)
        return None

    def _ways(self) -> Iterator[Finding]:
        compared = self._compared()
        if compared is not None:
            if compared.verdict != "supported":
                yield compared
            return
        for own in clauses_of(self.text):
            other, line = self._counterpart(own)
            if other is None or line is None:
                continue
            yield from self._direction(own, other, line)

    def _direction(self, own: Clause, other: Clause, line: Line) -> Iterator[Finding]:
        turn, back = (-1 if own.negated else 1), (-1 if other.negated else 1)
        if own.direction and other.direction:
            if own.direction * turn != other.direction * back:
                yield Finding("contradicted", f"the line says the opposite: {_words_of_way(other.text)}", line)
            else:
                self.checked.append("the direction agrees")
            return
        sides, others = sides_of(own.text), sides_of(other.text)
        both = [pair for pair in sides if sides[pair] and others.get(pair)]
        for pair in both:
            if sides[pair] * turn != others[pair] * back:
                yield Finding("contradicted", "the line says the opposite", line)
                return
        if _moves(own) and not any(map(bool, directions_in(line.text))):
            way = self._computed_way()
            if way == 0:
                yield Finding("unsupported", "the cited lines do not say which way it went")
            elif way != own.direction * turn:
                yield Finding("contradicted", f"the figures went {'up' if way > 0 else 'down'}", line)
            else:
                self.checked.append("the direction follows from the figures")
            return
        none = any(one.amount == 0 for one in (*own.figures, *other.figures))
        if not both and own.negated != other.negated and not none:
            yield Finding("contradicted", f"the line {'denies' if other.negated else 'affirms'} it", line)

    def _counterpart(self, own: Clause) -> tuple[Clause | None, Line | None]:
        """Give the clause of the evidence that speaks of the same."""
        best: tuple[Clause | None, Line | None] = self.clauses[0] if len(self.clauses) == 1 else (None, None)
        most = 0.0
        for one, line in self.clauses:
            figures = sum(any(same(mine, theirs) for theirs in one.figures) for mine in own.figures)
            score = 3 * len(own.names & one.names) + len(own.stems & one.stems) + 3 * figures
            agreeing = own.direction == one.direction and own.negated == one.negated
            if score and score + agreeing / 2 > most:
                best, most = (one, line), score + agreeing / 2
        return best

    def _computed_way(self) -> int:
        """Give 1 or -1 when the figures went up or down: `from 3 to 5`, or two lines in the order of their periods."""
        for line in self.lines:
            if found := _FROM_TO.search(line.text):
                before, after = figures_of(found[1]), figures_of(found[2])
                if before and after and before[0].kind == after[0].kind:
                    return (after[0].amount > before[0].amount) - (after[0].amount < before[0].amount)
        rows = [*self._columns()]
        for line in self.lines if not rows else ():
            figures = figures_of(line.text)
            periods = [one for one in figures if _is_year(one) or one.kind == "date"]
            amounts = [one for one in figures if one not in periods]
            if len(periods) == 1 and amounts:
                wanted = [one for one in amounts if any(same(mine, one) for mine in self.figures)] or amounts
                rows.append((periods[0].amount, wanted[0]))
        rows.sort(key=lambda row: row[0])
        if len(rows) < 2 or rows[0][1].kind != rows[-1][1].kind:
            return 0
        return (rows[-1][1].amount > rows[0][1].amount) - (rows[-1][1].amount < rows[0][1].amount)

    def _columns(self) -> Iterator[tuple[Fraction, Figure]]:
        """Give the figures of a table's row under the years of its head, those that the claim names if it does."""
        for line in self.lines:
            if len(line.header) != len(line.cells):
                continue
            cells = [
                (year.amount, figure)
                for label, cell in zip(line.header, line.cells, strict=True)
                for year in figures_of(label)[:1]
                for figure in figures_of(cell)[:1]
                if _is_year(year)
            ]
            named = [one for one in cells if any(one[0] == mine.amount for mine in self.figures)]
            yield from named if len(named) > 1 else cells

    def _compared(self) -> Finding | None:
        """Work out `A has more than B` from the figures of both; None when that cannot be done."""
        than = _THAN.search(self.text)
        if than is None:
            return None
        lefts = self._figure_of(self.text[: than.start()])
        rights = self._figure_of(self.text[than.end() :])
        if lefts is None or rights is None or lefts[0].kind != rights[0].kind or lefts[0].amount == rights[0].amount:
            return None
        more = than[1].casefold() in lexicon.UP
        said = f"{lefts[0].text} against {rights[0].text}"
        if (lefts[0].amount > rights[0].amount) == more:
            self.checked.append(said)
            return Finding("supported", said)
        return Finding("contradicted", f"the figures say the opposite: {said}", lefts[1])

    def _figure_of(self, text: str) -> tuple[Figure, Line] | None:
        named = {one.casefold() for one in [*names_of(text), *openers_of(text)]}
        for clause, line in self.clauses:
            amounts = [one for one in clause.figures if not _is_year(one) and one.kind != "date"]
            if named & clause.names and amounts:
                return amounts[0], line
        return None


def _alike(claimed: Figure, stated: Figure) -> bool:
    """Whether one could stand in the place of the other."""
    return claimed.kind == stated.kind and _is_year(claimed) == _is_year(stated)


def _is_year(figure: Figure) -> bool:
    return figure.kind == "" and len(figure.text) == 4 and figure.text.isdigit() and 1900 <= figure.amount <= 2100


def _period_of(year: Figure, lines: Sequence[Line]) -> str:
    """Give a part of that year that a line names: `2025-Q3`, `2025-03`, `2025-03-31`."""
    pattern = re.compile(
        rf"(?<![\w.,-]){year.text}[-/ ]?[QHW]\d{{1,2}}\b|(?<![\w.,-]){year.text}[-/]\d\d(?:[-/]\d\d)?\b"
    )
    return next((found[0] for line in lines if (found := pattern.search(line.text))), "")


def _nouns_after(text: str, figure: Figure) -> set[str]:
    """Give the things that are counted: up to three words after a number, before anything else."""
    words = _COUNTED.match(text[figure.end :])
    nouns = set()
    for word in re.findall(r"[^\W\d]+", words[1]) if words else []:
        if word.casefold() in lexicon.STOP | lexicon.UP | lexicon.DOWN | lexicon.NEGATIONS:
            break
        nouns.add(stem(word))
    return nouns


def _year_after(text: str, figure: Figure) -> str:
    """Give the year that a figure is of: `48 days in 2021`."""
    found = re.match(r"(?:\s+[^\W\d]+){0,3}?\s+(?:in|for|of|by)\s+((?:19|20)\d\d)\b", text[figure.end :])
    return found[1] if found else ""


def _moves(own: Clause) -> bool:
    """Whether a clause says that something went up or down, and does not just compare."""
    ups, downs = directions_in(own.text)
    return bool(own.direction) and bool((ups | downs) - lexicon.COMPARATIVES)


def _nouns_of(text: str, figure: Figure) -> set[str]:
    """Give the things that are counted, also those of `logins: 44` and `logins = 44`."""
    before = re.search(r"([^\W\d]+)\s*[:=|]\s*$", text[: figure.start])
    return _nouns_after(text, figure) | ({stem(before[1])} if before else set())


def _label(text: str) -> set[str]:
    return {one.casefold() for one in tokens_of(text.replace("_", " "))}


def _words_of_way(text: str) -> str:
    ups, downs = directions_in(text)
    return ", ".join(sorted(ups | downs))


def _shown(amount: object, kind: str) -> str:
    number = float(amount)  # type: ignore[arg-type]
    return f"{number * 100:.6g} %" if kind in ("%", "points") else f"{number:.10g}"


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:4])
    return shown if len(names) <= 4 else f"{shown} and {len(names) - 4} more"
