"""Retrieval against seeded truth: `python bench/retrieval.py --seeds 1 2 3 --documents 300 --questions 200`.

Builds a corpus of runbooks, policies, minutes and pages in Markdown, HTML and text. Every fact stands on one known
line; the question is asked in the words of the fact, in other forms of them, or with synonyms and filler (a
paraphrase). Distractors share the subject or the attribute of the fact but not both, and near-copies of documents
stand in an archive. Prints recall@1 and @5 (the passage holds the line of the answer), MRR over the first ten, how
often the best quote is that very line, and seconds.
"""

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from stretto.specialists.retrieve import Passages, search_files

SERVICES = (
    "billing",
    "invoicing",
    "search",
    "checkout",
    "login",
    "archive",
    "mail",
    "inventory",
    "pricing",
    "shipping",
    "reporting",
    "ledger",
    "catalogue",
)
PLACES = (
    "Oslo",
    "Lyon",
    "Porto",
    "Graz",
    "Turku",
    "Ghent",
    "Split",
    "Cork",
    "Bergen",
    "Trento",
    "Leipzig",
    "Zürich",
    "Málaga",
    "Łódź",
)
TEAMS = ("harbour", "falcon", "juniper", "cobalt", "meadow", "lantern", "quarry", "saffron", "willow", "tundra")

FACTS = {
    # attribute: the sentence of the fact, a question in its words, in other forms of them, as a paraphrase
    "retention": (
        "The {s} service in {p} keeps its backups for {n} days.",
        "How many days does the {s} service in {p} keep its backups?",
        "How long is a backup of {s} kept in {p}?",
        "For how long do we store backup copies of {s} at the {p} site before they are deleted?",
    ),
    "timeout": (
        "Requests to the {s} gateway in {p} time out after {n} seconds.",
        "After how many seconds do requests to the {s} gateway in {p} time out?",
        "What is the timeout of a request to {s} in {p}, in seconds?",
        "When does the gateway in {p} give up waiting for {s}?",
    ),
    "owner": (
        "Team {t} is on call for {s} in {p}.",
        "Which team is on call for {s} in {p}?",
        "Who is on-call when {s} fails in {p}?",
        "Whom do I phone at night about trouble with {s} over in {p}, which team?",
    ),
    "capacity": (
        "The {s} cluster at {p} was sized for {n} concurrent sessions.",
        "For how many concurrent sessions was the {s} cluster at {p} sized?",
        "What is the size of the {s} cluster at {p} in sessions?",
        "How many people can use {s} at the same time in {p} with the cluster we bought?",
    ),
    "rotation": (
        "Signing keys of {s} are rotated every {n} weeks in {p}.",
        "How often are the signing keys of {s} rotated in {p}?",
        "What is the key rotation interval for {s} in {p}?",
        "When will the {p} keys for {s} be exchanged again?",
    ),
    "window": (
        "Maintenance of {s} in {p} is allowed on day {n} of the month only.",
        "On which day of the month is maintenance of {s} in {p} allowed?",
        "When may {s} be maintained in {p}?",
        "I want to take {s} down for maintenance work at {p}; what day is permitted?",
    ),
}
FORMS = ("same words", "other forms", "paraphrase")
FILLER = (
    "This page is reviewed twice a year by the people who wrote it.",
    "Nothing here replaces the contract with the customer.",
    "See the appendix for the history of changes and for open points.",
    "The numbers were taken from the monitoring of the last quarter.",
    "Escalate through the usual channel when in doubt.",
    "The audit found no deviations, and none were reported since.",
    "Costs are charged to the department that asked for the change.",
    "A rehearsal takes place each spring, with all teams taking part.",
)
DISTRACTORS = (
    "The {s} service was moved to {p} last year, and its dashboards with it.",
    "Backups, timeouts and keys of {s} are explained in the general handbook.",
    "In {p} the on-call rota is published on Mondays.",
    "The {s} team met in {p} to discuss sessions, clusters and maintenance.",
)


@dataclass(frozen=True, slots=True)
class Truth:
    """A question, how it is put, and where its answer stands."""

    question: str
    form: str
    file: str
    line: int


def build(folder: Path, seed: int, documents: int, questions: int) -> list[Truth]:
    """Write a corpus; give the questions with the lines of their answers."""
    chance = random.Random(seed)
    subjects = [(attribute, s, p) for attribute in FACTS for s in SERVICES for p in PLACES]
    chance.shuffle(subjects)
    shares: list[list[tuple[str, str, str]]] = [[] for _ in range(documents)]
    for at, subject in enumerate(subjects):
        shares[at % documents].append(subject)
    told: list[tuple[tuple[str, str, str], str, int]] = []
    for number, share in enumerate(shares):
        kind = chance.choice(("md", "md", "html", "txt"))
        name = f"{chance.choice(TEAMS)}/{chance.choice(('notes', 'runbook', 'policy', 'minutes'))}-{number:03}.{kind}"
        lines, places = write(chance, kind, share)
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        told += [(subject, str(path), line) for subject, line in places]
        if number % 20 == 7:  # a copy in the archive, a word changed
            copy = folder / "zz-archive" / f"copy-{number:03}.{kind}"
            copy.parent.mkdir(exist_ok=True)
            copy.write_text("\n".join(lines).replace("usual", "known") + "\n", encoding="utf-8")
    chance.shuffle(told)
    asked = []
    for at, ((attribute, s, p), file, line) in enumerate(told[:questions]):
        form = at % 3
        asked.append(Truth(FACTS[attribute][form + 1].format(s=s, p=p), FORMS[form], file, line))
    return asked


def write(
    chance: random.Random, kind: str, share: list[tuple[str, str, str]]
) -> tuple[list[str], list[tuple[tuple[str, str, str], int]]]:
    """Give the lines of one document, and on which of them each fact stands."""
    lines: list[str] = ["<html><body>"] if kind == "html" else []
    places = []
    lines.append(heading(kind, 1, f"{chance.choice(TEAMS).title()} {chance.choice(('handbook', 'review', 'guide'))}"))
    for subject in share:
        if chance.random() < 0.5:
            lines += ["", heading(kind, 2, f"{chance.choice(('On', 'About', 'Status of'))} {subject[1]}"), ""]
        sentences = [chance.choice(FILLER) for _ in range(chance.randint(1, 3))]
        sentences += [
            chance.choice(DISTRACTORS).format(s=chance.choice(SERVICES), p=chance.choice(PLACES))
            for _ in range(chance.randint(0, 2))
        ]
        fact = FACTS[subject[0]][0].format(s=subject[1], p=subject[2], n=chance.randint(2, 90), t=chance.choice(TEAMS))
        at = chance.randint(0, len(sentences))
        sentences.insert(at, fact)
        lines.append("")
        for place, sentence in enumerate(sentences):
            if kind == "html":
                sentence = f"<p>{sentence.replace('service', '<b>service</b>')}</p>"
            elif kind == "md" and len(sentences) > 4:
                sentence = f"- {sentence}"
            lines.append(sentence)
            if place == at:
                places.append((subject, len(lines)))
        lines.append("")
    return lines, places


def heading(kind: str, level: int, text: str) -> str:
    """Give a heading as this kind of document has it."""
    return {"md": f"{'#' * level} {text}", "html": f"<h{level}>{text}</h{level}>", "txt": text.upper()}[kind]


def rank_of(truth: Truth, found: Passages) -> int | None:
    """Give the place, from 1, of the passage with the answer; a folded copy counts as its passage."""
    for rank, passage in enumerate(found.passages, start=1):
        if passage.file == truth.file and passage.line <= truth.line <= passage.end_line:
            return rank
        if any(also.file == truth.file for also in passage.also):
            return rank
    return None


@dataclass(frozen=True, slots=True)
class Score:
    """What became of one question."""

    form: str
    rank: int | None
    right_line: bool
    seconds: float


def measure(seed: int, documents: int, questions: int) -> Iterator[Score]:
    """Ask the questions of one seed."""
    with tempfile.TemporaryDirectory() as name:
        for truth in build(Path(name), seed, documents, questions):
            begun = time.perf_counter()
            found = search_files(truth.question, [name], 10)
            seconds = time.perf_counter() - begun
            rank = rank_of(truth, found)
            lines = [quote.line for quote in found.passages[rank - 1].quotes[:1]] if rank else []
            yield Score(truth.form, rank, truth.line in lines, seconds)


def show(name: str, scores: list[Score]) -> None:
    """Print one line of figures."""
    ranks = [score.rank for score in scores]
    at = {most: sum(rank is not None and rank <= most for rank in ranks) / len(ranks) for most in (1, 5)}
    mrr = statistics.mean(1 / rank if rank else 0 for rank in ranks)
    right = sum(score.right_line for score in scores) / max(1, sum(rank is not None for rank in ranks))
    seconds = statistics.median(score.seconds for score in scores)
    print(
        f"{name:12}  {len(scores):4} questions  recall@1 {at[1]:.3f}  recall@5 {at[5]:.3f}  MRR {mrr:.3f}  "
        f"line right {right:.3f}  {seconds:.2f} s"
    )


def main() -> None:
    """Print the figures."""
    reader = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reader.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    reader.add_argument("--documents", type=int, default=300)
    reader.add_argument("--questions", type=int, default=200, help="of each seed")
    given = reader.parse_args()
    scores = [score for seed in given.seeds for score in measure(seed, given.documents, given.questions)]
    for form in FORMS:
        show(form, [score for score in scores if score.form == form])
    show("all", scores)


if __name__ == "__main__":
    main()
