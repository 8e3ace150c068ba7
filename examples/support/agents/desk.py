"""The desk: reads a message, sorts it, drafts the answer from facts, and holds every answer against those facts."""

import re
from dataclasses import dataclass, field
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import parseaddr, parsedate_to_datetime
from pathlib import Path

import letters
from bs4 import BeautifulSoup
from orders import Order

from stretto import AgentFailure, Assignment, pure
from stretto.core.domain import FailureClass
from stretto.specialists.retrieve import Passages

ORDER = re.compile(r"\b[A-Z]-\d{4,6}\b")
MOST_BYTES = 2_000_000
CUES: dict[str, tuple[str, ...]] = {
    "delivery": (r"where is", r"not (yet )?(arrived|come|been delivered)", r"\btrack", r"\bparcel", r"\bdelayed?\b"),
    "damaged": (r"\bdamaged?\b", r"\bbroken\b", r"\bbent\b", r"\bcrushed\b", r"\btorn\b", r"cannot use"),
    "return": (r"\breturn", r"send (it|them)? ?back", r"\brefund\b", r"money back", r"\btoo (big|small|large)\b"),
    "warranty": (r"\bwarranty\b", r"\brepair", r"after (a|one|two|three) years?", r"\bbroke\b"),
    "invoice": (r"\binvoice\b", r"\breceipt\b", r"\btax\b", r"\bbill\b"),
    "account": (r"\bpassword\b", r"log ?in", r"\baccount\b", r"delete my", r"personal data"),
}  # fmt: skip
"""Words by what a message with them is about; each counts once, twice when it stands in the subject."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What a customer wrote. `received` is a date."""

    sender: str
    name: str
    subject: str
    text: str
    id: str
    received: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Triage:
    """What a message is about, which order it names, how urgent it is, and the words that say so."""

    kind: str
    order: str | None
    urgent: bool
    question: str
    because: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An answer as it would be sent; `todo` is what a person has to do besides, `rests_on` where its facts stand."""

    to: str
    subject: str
    body: str
    reply_to: str
    todo: list[str] = field(default_factory=list)
    rests_on: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """Whether an answer may be sent as far as facts go, and what speaks against it."""

    fine: bool
    problems: list[str]


@pure
def read(message: str, work: Assignment) -> Message:
    """Read a customer's message from a file of a mail (.eml)."""
    file = Path(message)
    if file.stat().st_size > MOST_BYTES:
        raise AgentFailure(f"{file.name} is larger than {MOST_BYTES:,} bytes; a person has to read it")
    with file.open("rb") as stream:
        mail = BytesParser(EmailMessage, policy=policy.default).parse(stream)
    name, sender = parseaddr(str(mail.get("From", "")))
    if "@" not in sender:
        raise AgentFailure(f"{file.name} names no sender in From:, so nobody can be answered")
    work.cite(str(file))
    try:
        received = f"{parsedate_to_datetime(str(mail['Date'])):%Y-%m-%d}"
    except (TypeError, ValueError):
        raise AgentFailure(f"{file.name} has no readable Date:", FailureClass.REFUSED) from None
    return Message(
        sender=sender.lower(),
        name=name,
        subject=str(mail.get("Subject", "")),
        text=_text(mail),
        id=str(mail.get("Message-ID", "")),
        received=received,
    )


@pure
def triage(message: Message, work: Assignment) -> Triage:
    """Find out what a message is about; asks a person where its words do not tell."""
    subject, text = message.subject.lower(), message.text.lower()
    found = {kind: [cue for cue in cues if re.search(cue, f"{subject}\n{text}")] for kind, cues in CUES.items()}
    points = {kind: len(cues) + sum(bool(re.search(cue, subject)) for cue in cues) for kind, cues in found.items()}
    kind = max(points, key=lambda name: points[name])
    because = sorted(match[0] for cue in found[kind] if (match := re.search(cue, f"{subject}\n{text}")))
    if not points[kind]:
        kind = work.ask(f"What is {message.name or message.sender}'s message about? One of: {', '.join(CUES)}, other")
        kind, because = kind.strip().lower(), ["a person said so"]
    numbers = ORDER.findall(f"{message.subject}\n{message.text}")
    return Triage(
        kind=kind if kind in CUES else "other",
        order=numbers[0] if numbers else None,
        urgent=bool(re.search(r"\burgent\b|\bimmediately\b|\bwe leave\b|\btoday\b", f"{subject} {text}")),
        question=f"{letters.QUESTIONS.get(kind, message.subject)} {letters.ALWAYS}",
        because=because,
    )


@pure
def draft(message: Message, triage: Triage, order: Order | None, passages: Passages, work: Assignment) -> Draft:
    """Draft the answer from the order and from what the knowledge base says, in fixed words."""
    letter = letters.write(triage.kind, message.received, order, _lines(passages))
    for line in letter.quoted:
        work.cite(line.file, line.number, line.text)
    name = order.customer if order is not None and order.known else message.name
    body = "\n\n".join([f"Dear {name or 'customer'},", *letter.paragraphs, "Kind regards\nFernwood Outdoor"])
    return Draft(
        to=message.sender,
        subject=message.subject if message.subject.lower().startswith("re:") else f"Re: {message.subject}",
        body=body,
        reply_to=message.id,
        todo=letter.todo,
        rests_on=[*letter.of_order, *(f"{Path(one.file).name}:{one.number}" for one in letter.quoted)],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """The words of an answer, and what a colleague has to do besides."""

    body: str
    todo: list[str]


@pure
def address(message: Message, letter: Letter) -> Draft:
    """Address an answer to whoever had asked: nobody else chooses where it goes."""
    subject = message.subject if message.subject.lower().startswith("re:") else f"Re: {message.subject}"
    return Draft(to=message.sender, subject=subject, body=letter.body, reply_to=message.id, todo=letter.todo)


@pure
def check(draft: Draft, message: Message, order: Order | None, passages: Passages) -> Checked:
    """Hold an answer against its facts: every figure, date, number and address in it has to stand in one of them."""
    facts = "\n".join(
        [
            message.subject,
            message.text,
            *(order.facts if order is not None else ()),
            *(passage.text for passage in passages.passages),
        ]
    )
    known = {*_details(facts), *([letters.until(order)] if order is not None else [])}
    problems = [f"{one!r} stands in none of the facts" for one in _details(draft.body) if one not in known]
    if draft.to != message.sender:
        problems.append(f"it goes to {draft.to}, and {message.sender} had asked")
    if found := re.search(r"[\w.+-]+@[\w-]+\.\w+|https?://\S+", draft.body):
        problems.append(f"it holds an address, {found[0]}")
    if order is not None and not order.known and any(one in draft.body for one in order.private):
        problems.append("it tells a stranger about an order")
    return Checked(fine=not problems, problems=problems)


@pure
def close(message: Message, triage: Triage, draft: Draft, checked: Checked, sent: str | None) -> str:
    """Say in a few lines what became of a message."""
    told = [
        f"{message.name or message.sender} asked about {triage.kind}" + (f" ({triage.order})" if triage.order else "")
    ]
    told.append(f"The answer was sent as {sent}." if sent else "No answer was sent.")
    told += [f"It must not go out: {one}." for one in checked.problems]
    told += [f"To do: {one}" for one in draft.todo]
    return "\n".join([f"{told[0]}.", *told[1:], "", draft.body])


def _lines(passages: Passages) -> list[letters.Line]:
    """Give the lines of the passages that were found, as they stand in their files."""
    found = []
    for passage in passages.passages:
        lines = Path(passage.file).read_text(encoding="utf-8").splitlines()
        for number in range(passage.line, passage.end_line + 1):
            found.append(letters.Line(lines[number - 1].strip(), passage.file, number))
    return found


def _details(text: str) -> list[str]:
    """Give what could be wrong in a text: dates, amounts, numbers of more than one digit, codes."""
    return re.findall(r"\d{4}-\d\d-\d\d|[A-Z]+-?\d{3,}|\d+(?:[.,]\d+)+|\d{2,}", text)


def _text(mail: EmailMessage) -> str:
    part = mail.get_body(preferencelist=("plain", "html"))
    if part is None:
        return ""
    try:
        content = str(part.get_content())
    except (LookupError, UnicodeDecodeError):
        content = (part.get_payload(decode=True) or b"").decode("utf-8", "replace")  # type: ignore[union-attr]
    return BeautifulSoup(content, "html.parser").get_text("\n") if part.get_content_subtype() == "html" else content
