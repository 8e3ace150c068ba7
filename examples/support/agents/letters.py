"""What answers say: fixed words around facts, each fact from the order or from a line of the knowledge base."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from orders import Order

RETURN_DAYS = 30
QUESTIONS = {
    "delivery": "How long does delivery take, when is a search for a late parcel started?",
    "damaged": "What happens with goods that arrive damaged, which photo is needed?",
    "return": "How can goods be returned, until when, and when is the refund made?",
    "warranty": "How long is the warranty, what is needed for a warranty case?",
    "invoice": "How is a lost invoice sent again?",
    "account": "How can a password be reset, how is an account deleted?",
}
"""What the knowledge base is asked, by what a message is about."""
ALWAYS = "With which address are orders discussed?"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the knowledge base."""

    text: str
    file: str
    number: int


@dataclass(slots=True)
class Letter:
    """The paragraphs of an answer, what a person has to do besides, and what its facts rest on."""

    paragraphs: list[str] = field(default_factory=list)
    todo: list[str] = field(default_factory=list)
    of_order: list[str] = field(default_factory=list)
    quoted: list[Line] = field(default_factory=list)

    def say(self, text: str, order: Order | None = None) -> None:
        """Add a paragraph of our own words around facts of an order."""
        self.paragraphs.append(text)
        if order is not None and f"order {order.number}" not in self.of_order:
            self.of_order.append(f"order {order.number}")

    def quote(self, lines: Sequence[Line], *about: str) -> None:
        """Add what the knowledge base says: its lines with one of these words, as they stand there."""
        found = []
        for words in about:
            line = next((one for one in lines if words.lower() in one.text.lower()), None)
            if line is not None and line not in found:
                found.append(line)
        self.quoted += found
        if found:
            self.paragraphs.append(" ".join(one.text for one in found))


def write(kind: str, today: str, order: Order | None, lines: Sequence[Line]) -> Letter:
    """Write the answer to a message of a kind, received on a day."""
    letter = Letter()
    if order is not None and not order.known:
        letter.say("thank you for your message. We cannot tell you about this order from the address you wrote from.")
        letter.quote(lines, "only discussed")
        letter.todo.append("nothing, unless the customer writes from the address of the order")
        return letter
    if kind == "account":
        letter.say("thank you for your message about your account.")
        letter.quote(lines, "Forgotten password", "never ask", "we delete")
    elif kind not in _ABOUT_ORDERS:
        letter.say("thank you for your message. A colleague will read it and answer you.")
        letter.todo.append("read the message and answer it")
    elif order is None:
        letter.say("thank you for your message. Please send us the number of your order, it begins with F-.")
    else:
        _ABOUT_ORDERS[kind](letter, today, order, lines)
    return letter


def until(order: Order) -> str:
    """Give the last day on which goods of an order can be returned; empty before it is delivered."""
    return f"{date.fromisoformat(order.delivered) + timedelta(days=RETURN_DAYS)}" if order.delivered else ""


def _delivery(letter: Letter, today: str, order: Order, lines: Sequence[Line]) -> None:
    if order.status == "delivered":
        letter.say(f"your order {order.number} was delivered on {order.delivered}.", order)
        letter.todo.append("ask the carrier for the proof of delivery if the customer does not have it")
    elif order.status == "shipped":
        letter.say(
            f"your order {order.number} left our warehouse on {order.shipped} with {order.carrier}, tracking number "
            f"{order.tracking}. It was promised for {order.promised}.",
            order,
        )
        if today > order.promised:
            letter.say("We are sorry that it is late.")
            letter.quote(lines, "start a search", "up to ten", "not found")
            letter.todo.append(f"look whether a search for {order.tracking} has to be started")
    elif order.status == "cancelled":
        letter.say(f"your order {order.number} was cancelled.", order)
        letter.todo.append("tell the customer why it was cancelled")
    else:
        letter.say(f"your order {order.number} is being packed. It was promised for {order.promised}.", order)


def _damaged(letter: Letter, today: str, order: Order, lines: Sequence[Line]) -> None:
    del today
    letter.say(f"we are sorry that goods of your order {order.number} arrived damaged.", order)
    letter.quote(lines, "replaced free of charge", "photo of the damage", "No damaged goods")
    letter.todo.append(f"when the photos are there: send a replacement for order {order.number}")


def _return(letter: Letter, today: str, order: Order, lines: Sequence[Line]) -> None:
    last = until(order)
    if not last:
        letter.say(f"your order {order.number} has not been delivered yet. You can return it once it is there.", order)
        letter.quote(lines, "within 30 days")
    elif today > last:
        letter.say(
            f"your order {order.number} was delivered on {order.delivered}. The time for returning it ended on {last}.",
            order,
        )
        letter.quote(lines, "within 30 days")
    else:
        letter.say(f"you can return unused goods of your order {order.number} until {last}.", order)
        letter.quote(lines, "return label", "original box", "refund is made", "used outdoors")
        letter.todo.append(f"send the return label for order {order.number}")


def _warranty(letter: Letter, today: str, order: Order, lines: Sequence[Line]) -> None:
    del today
    letter.say(f"we are sorry about the trouble with goods of your order {order.number}.", order)
    letter.quote(lines, "warranty of three years", "photo of the fault", "three weeks", "wrong use")
    letter.todo.append(f"look whether order {order.number} is a warranty case")


def _invoice(letter: Letter, today: str, order: Order, lines: Sequence[Line]) -> None:
    del today
    letter.say(f"we send the invoice of your order {order.number} ({order.total}) to you again.", order)
    letter.quote(lines, "lost invoice")
    letter.todo.append(f"send the invoice of order {order.number} again")


_ABOUT_ORDERS: dict[str, Callable[[Letter, str, Order, Sequence[Line]], None]] = {
    "delivery": _delivery,
    "damaged": _damaged,
    "return": _return,
    "warranty": _warranty,
    "invoice": _invoice,
}
