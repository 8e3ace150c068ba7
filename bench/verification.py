"""How often `verify` is right: `python bench/verification.py`.

Documents are written from random facts (prose, a table in CSV, a list in Markdown); claims are true sentences about
them in other words than the document's, and false ones of known kinds. A hit is a false claim that is not called
supported; a false alarm is a true claim that is not called supported.
"""

import argparse
import random
import time
from collections import Counter
from dataclasses import dataclass, replace

from stretto.core.domain import Citation
from stretto.specialists.verify import Claim, check

COMPANIES = [
    "Acme",
    "Borealis",
    "Cormorant",
    "Dunmore",
    "Everhart",
    "Falkirk",
    "Granville",
    "Hollis",
    "Ingram",
    "Jasper",
    "Kestrel",
    "Lowell",
]
METRICS = ("revenue", "profit", "headcount", "output", "backlog", "capacity")
PLACES = ["Lisbon", "Porto", "Gdansk", "Turin", "Leeds", "Malmo", "Bergen", "Aarhus"]
FEATURES = ("password logins", "remote access", "guest accounts", "file sharing", "telemetry")
HOSTS = ("bastion-1", "web-02", "db-primary", "10.0.4.17", "mail.example.org")
THINGS = ("orders", "complaints", "inspections", "shipments", "visitors")
MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
NUMBER_WORDS = (
    "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen",
    "fifteen", "sixteen", "seventeen", "eighteen",
)  # fmt: skip
UP, DOWN = ("rose", "grew", "increased", "climbed"), ("fell", "dropped", "declined", "decreased")


@dataclass(frozen=True)
class Fact:
    """A line of a document, with true sentences about it and, by kind, false ones."""

    line: str
    true: dict[str, str]
    false: dict[str, str]


class Author:
    """Writes facts."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def two(self, names: tuple[str, ...] | list[str]) -> tuple[str, str]:
        one, other = self.random.sample(list(names), 2)
        return one, other

    def change(self) -> Fact:
        (company, other), metric = self.two(COMPANIES), self.random.choice(METRICS)
        rate, year = self.random.randrange(2, 60), self.random.randrange(2010, 2026)
        ways, back = (UP, DOWN) if self.random.random() < 0.5 else (DOWN, UP)
        way, way_back = self.random.choice(ways), self.random.choice(back)
        amount, off = self.random.randrange(11, 990) / 10, self.random.randrange(1, 9)
        another = self.random.choice([one for one in ways if one != way])
        line = f"In {year}, {company}'s {metric} {way} {rate} percent to ${amount} million."
        return Fact(
            line,
            {
                "other words": f"{company}'s {metric} {another} by {rate} % in {year}.",
                "money in full": f"The {metric} of {company} was {round(amount * 10**6):,} USD in {year}.",
                "rounded": f"{company}'s {metric} {another} to about {round(amount)} million dollars.",
            },
            {
                "changed number": f"{company}'s {metric} {another} by {rate + off} % in {year}.",
                "flipped direction": f"{company}'s {metric} {way_back} by {rate} % in {year}.",
                "swapped name": f"{other}'s {metric} {another} by {rate} % in {year}.",
                "wrong unit": f"The {metric} of {company} was €{amount} million in {year}.",
                "wrong year": f"{company}'s {metric} {another} by {rate} % in {year - self.random.randrange(1, 9)}.",
                "other subject": f"{company}'s dividend policy and board elections took {rate} % of {year}.",
            },
        )

    def pair(self) -> Fact:
        (one, other), thing = self.two(COMPANIES), self.random.choice(THINGS)
        few, many = sorted(self.random.sample(range(100, 9000), 2))
        (a, x), (b, y) = self.random.sample([(one, few), (other, many)], 2)
        larger, smaller = (a, b) if x > y else (b, a)
        line = f"{a} counted {x:,} {thing} and {b} counted {y:,} {thing}."
        return Fact(
            line,
            {
                "one of two": f"{b} counted {y} {thing}.",
                "a sum": f"Together, {a} and {b} counted {x + y:,} {thing}.",
                "a comparison": f"{larger} counted more {thing} than {smaller}.",
                "a difference": f"{larger} counted {abs(x - y):,} more {thing} than {smaller}.",
            },
            {
                "number of another": f"{b} counted {x:,} {thing}.",
                "wrong sum": f"Together, {a} and {b} counted {x + y + self.random.randrange(1, 500):,} {thing}.",
                "flipped comparison": f"{smaller} counted more {thing} than {larger}.",
                "changed number": f"{a} counted {x + self.random.randrange(1, 90)} {thing}.",
            },
        )

    def setting(self) -> Fact:
        feature, (host, other) = self.random.choice(FEATURES), self.two(HOSTS)
        on = self.random.random() < 0.5
        state, opposite = ("enabled", "disabled") if on else ("disabled", "enabled")
        verb = "are" if feature.endswith("s") else "is"
        return Fact(
            f"On {host}, {feature} {verb} {state}.",
            {
                "same state": f"{feature.capitalize()} {verb} {state} on {host}.",
                "double negation": f"{feature.capitalize()} {verb} not {opposite} on {host}.",
            },
            {
                "opposite state": f"{feature.capitalize()} {verb} {opposite} on {host}.",
                "negation": f"{feature.capitalize()} {verb} not {state} on {host}.",
                "swapped name": f"{feature.capitalize()} {verb} {state} on {other}.",
            },
        )

    def dated(self) -> Fact:
        (company, other), (place, elsewhere) = self.two(COMPANIES), self.two(PLACES)
        day, month, year = self.random.randrange(1, 27), self.random.randrange(12), self.random.randrange(2010, 2026)
        hired = self.random.randrange(20, 900)
        when = f"{day} {MONTHS[month]} {year}"
        line = f"{company} opened its plant in {place} on {when} and hired {hired} workers there."
        return Fact(
            line,
            {
                "date another way": f"{company} opened a plant in {place} on {year}-{month + 1:02}-{day:02}.",
                "a bound": f"{company} hired more than {hired - hired % 10 - 10} employees in {place}.",
                "a quote": f"{company} “hired {hired} workers” in {place}.",
            },
            {
                "wrong date": f"{company} opened a plant in {place} on {MONTHS[month]} {day + 1}, {year}.",
                "swapped name": f"{company} opened a plant in {elsewhere} on {when}.",
                "swapped company": f"{other} hired {hired} workers in {place}.",
                "opposite": f"{company} closed its plant in {place} on {when}.",
                "misquote": f"{company} “dismissed {hired} workers” in {place}.",
                "false bound": f"{company} hired more than {hired + 40} employees in {place}.",
            },
        )

    def counted(self) -> Fact:
        (one, other), total = self.two(list(THINGS)), self.random.randrange(400, 4000)
        part, late = self.random.randrange(20, 300), self.random.randrange(3, 19)
        line = f"The audit found {total:,} {one} and {part} {other}; {late} of the {other} were late."
        return Fact(
            line,
            {
                "thousands unparted": f"The audit found {total} {one}.",
                "number words": f"{NUMBER_WORDS[late - 3].capitalize()} {other} were late.",
            },
            {
                "number of another": f"The audit found {total:,} {other}.",
                "changed number": f"The audit found {total + self.random.randrange(1, 300):,} {one}.",
                "negation": f"None of the {late} {other} were late.",
            },
        )


def rows(author: Author) -> tuple[str, list[Fact]]:
    """Give a table and facts about its rows, whose first is in line 2."""
    names = author.random.sample(COMPANIES, 6)
    facts = []
    for name in names:
        before, after = author.random.sample(range(100, 999), 2)
        ways = (UP, DOWN) if after > before else (DOWN, UP)
        change = abs(after / before - 1) * 100
        other = author.random.choice([one for one in names if one != name])
        facts.append(
            Fact(
                f"{name},{before},{after}",
                {
                    "a cell": f"{name} had {after} in 2024.",
                    "a change": f"{name} {ways[0][0]} {change:.1f} % from 2023 to 2024.",
                },
                {
                    "wrong column": f"{name} had {before} in 2024.",
                    "swapped name": f"{other} had {after} in 2024.",
                    "flipped direction": f"{name} {ways[1][0]} {change:.1f} % from 2023 to 2024.",
                    "wrong change": f"{name} {ways[0][0]} {change + 3.1:.1f} % from 2023 to 2024.",
                },
            )
        )
    return "\n".join(["company,2023,2024", *(one.line for one in facts)]), facts


def cases(documents: int, seed: int) -> tuple[dict[str, str], list[tuple[str, bool, Claim]]]:
    """Give documents by name, and claims with their kind and whether they are true."""
    author = Author(seed)
    sources: dict[str, str] = {}
    found: list[tuple[str, bool, Claim]] = []
    makers = (author.change, author.pair, author.setting, author.dated, author.counted)
    for number in range(documents):
        facts = [make() for make in makers for _ in range(2)]
        author.random.shuffle(facts)
        name, table = f"report-{number}.md", f"table-{number}.csv"
        listed = number % 2
        sources[name] = "# Findings\n\n" + "\n".join(f"- {one.line}" if listed else one.line for one in facts)
        sources[table], cells = rows(author)
        for file, first, among in ((name, 3, facts), (table, 2, cells)):
            for place, fact in enumerate(among):
                here = Citation(file=file, line=first + place)
                found += [(kind, True, Claim(text=text, citations=[here])) for kind, text in fact.true.items()]
                found += [(kind, False, Claim(text=text, citations=[here])) for kind, text in fact.false.items()]
                text = author.random.choice(list(fact.true.values()))
                elsewhere = replace(here, line=first + (place + 1) % len(among))
                invented = replace(here, text="as the auditors confirmed in writing")
                found.append(("wrong line", False, Claim(text=text, citations=[elsewhere])))
                found.append(("invented citation", False, Claim(text=text, citations=[invented])))
                found.append(("no such line", False, Claim(text=text, citations=[replace(here, line=999)])))
    return sources, found


@dataclass(frozen=True)
class Rates:
    """What came of a measurement, by kind of claim."""

    tried: Counter[tuple[bool, str]]
    right: Counter[tuple[bool, str]]
    wrong: list[tuple[str, str, str]]
    seconds: float

    def rate(self, true: bool) -> float:
        """The part of the true claims that is supported, or of the false ones that is not."""
        kinds = [one for one in self.tried if one[0] is true]
        return sum(self.right[one] for one in kinds) / sum(self.tried[one] for one in kinds)


def measure(documents: int, seed: int) -> Rates:
    """Check all claims and count by kind."""
    sources, found = cases(documents, seed)
    began = time.perf_counter()
    verdicts = check([claim for _, _, claim in found], sources=sources).verdicts
    took = time.perf_counter() - began
    tried: Counter[tuple[bool, str]] = Counter()
    right: Counter[tuple[bool, str]] = Counter()
    wrong = []
    for (kind, true, claim), verdict in zip(found, verdicts, strict=True):
        tried[true, kind] += 1
        if (verdict.verdict == "supported") is true:
            right[true, kind] += 1
        else:
            line = claim.citations[0].line or 0
            cited = sources[claim.citations[0].file].split("\n")[line - 1] if line < 900 else ""
            wrong.append((f"{'true' if true else 'false'}, {kind}", f"{claim.text}  <-  {cited}", verdict.reason))
    return Rates(tried, right, wrong, took)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", type=int, default=0, help="how many wrong verdicts to print")
    options = parser.parse_args()
    found = measure(options.documents, options.seed)
    for true, title in ((False, "false claims: hits"), (True, "true claims: supported")):
        print(f"{title} {found.rate(true):.1%}")
        for (kind_true, kind), number in sorted(found.tried.items()):
            if kind_true is true:
                share = found.right[kind_true, kind] / number
                print(f"  {kind:<20} {share:>7.1%} of {number:,}")
    total = sum(found.tried.values())
    print(f"{total:,} claims, {found.seconds / total * 1e6:.0f} us each")
    for kind, said, reason in found.wrong[: options.show]:
        print(f"{kind}: {said}\n    {reason}")


if __name__ == "__main__":
    main()
