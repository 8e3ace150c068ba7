"""Looks orders up in the shop's database, and never changes it."""

import sqlite3
from dataclasses import dataclass, field
from pathlib import Path

from stretto import AgentFailure, pure
from stretto.core.domain import FailureClass


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One line of an order; the price is in euros, of one piece."""

    title: str
    quantity: int
    price: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order as the database has it. Dates are YYYY-MM-DD.

    `known` says that whoever asked has placed it: nobody else is told about it. A stranger's question gives an order
    without anything in it.
    """

    number: str
    known: bool
    customer: str = ""
    status: str = ""
    placed: str = ""
    promised: str = ""
    shipped: str | None = None
    carrier: str | None = None
    tracking: str | None = None
    delivered: str | None = None
    total: str = ""
    items: list[Item] = field(default_factory=list)

    @property
    def facts(self) -> list[str]:
        """What may be said of it."""
        told = (self.number, self.placed, self.promised, self.shipped, self.tracking, self.delivered, self.total)
        return [str(one) for one in told if one] + [f"{one.quantity} {one.title} {one.price}" for one in self.items]

    @property
    def private(self) -> list[str]:
        """What only its customer is told."""
        return [one for one in (self.customer, self.tracking, *(item.title for item in self.items)) if one]


@pure(labels=["pii"])
def look_up(number: str, sender: str, database: str) -> Order | None:
    """Look an order up by its number, for the mail address that asks; null when there is none of that number."""
    with _open(database) as store:
        row = store.execute(
            "select o.*, c.name, c.email from orders o join customers c on c.id = o.customer where o.number = ?",
            (number,),
        ).fetchone()
        if row is None:
            return None
        if row["email"].lower() != sender.lower():
            return Order(number=number, known=False)
        items = store.execute("select * from items where number = ? order by sku", (number,)).fetchall()
    total = row["shipping_cents"] + sum(one["quantity"] * one["price_cents"] for one in items)
    return Order(
        number=number,
        known=True,
        customer=row["name"],
        status=row["status"],
        placed=row["placed"],
        promised=row["promised"],
        shipped=row["shipped"],
        carrier=row["carrier"],
        tracking=row["tracking"],
        delivered=row["delivered"],
        total=_euros(total),
        items=[Item(title=one["title"], quantity=one["quantity"], price=_euros(one["price_cents"])) for one in items],
    )


def _open(database: str) -> sqlite3.Connection:
    """Open the database to read; it is closed with the last use of it."""
    file = Path(database).resolve()
    try:
        store = sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)
        store.row_factory = sqlite3.Row
        store.execute("select 1 from orders limit 1")
    except sqlite3.Error as error:
        raise AgentFailure(f"{file.name} is not the shop's database: {error}", FailureClass.UNAVAILABLE) from None
    return store


def _euros(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d} EUR"
