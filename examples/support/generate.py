"""Makes the orders and the messages of this example from a seed: `python generate.py`. People and shop are invented."""

import json
import random
import sqlite3
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

from ruamel.yaml import YAML

HERE = Path(__file__).parent
TODAY = datetime(2026, 3, 17, 9, 30, tzinfo=UTC)
GOODS = [
    ("TEN-2", "Larch tent for two", 24990),
    ("TEN-4", "Larch tent for four", 38990),
    ("STO-1", "Ember gas stove", 5990),
    ("BAG-35", "Ridge backpack 35 l", 11900),
    ("BAG-60", "Ridge backpack 60 l", 16900),
    ("MAT-R", "Moss sleeping mat", 7990),
    ("SLE-0", "Frost sleeping bag", 18900),
    ("LAM-S", "Glow head lamp", 3490),
    ("POT-3", "Brook pot set", 4590),
    ("FIL-1", "Spring water filter", 6490),
]
NAMES = [
    "Ada Lindqvist", "Boris Amsel", "Carla Monti", "Deniz Aydin", "Elena Petrova", "Finn O'Dea", "Gala Ruiz",
    "Hugo Brandt", "Ines Moreau", "Jonas Weber", "Kira Novak", "Liam Byrne", "Mina Sato", "Noor Haddad",
]  # fmt: skip

STRANGER, STRANGERS_FRIEND = "Somebody <curious@elsewhere.example>", 1

SCHEMA = """
create table customers (id integer primary key, name text not null, email text not null unique);
create table orders (
    number text primary key, customer integer not null references customers, placed text not null,
    status text not null check (status in ('open', 'shipped', 'delivered', 'cancelled')), promised text not null,
    shipped text, carrier text, tracking text, delivered text, shipping_cents integer not null
);
create table items (
    number text not null references orders, sku text not null, title text not null, quantity integer not null,
    price_cents integer not null
);
create index by_customer on orders (customer);
create index by_order on items (number);
"""


def main() -> None:
    """Write the database, the messages and what is true of them."""
    chance = random.Random(20260317)
    database = HERE / "data" / "orders.db"
    database.unlink(missing_ok=True)
    truth: dict[str, dict[str, object]] = {}
    with sqlite3.connect(database) as store:
        store.executescript(SCHEMA)
        people = [(number, name, _address(name)) for number, name in enumerate(NAMES)]
        store.executemany("insert into customers values (?, ?, ?)", people)
        for number in range(120):
            _order(store, chance, f"F-{10001 + number * 7}", chance.randrange(len(NAMES)), chance.randrange(20, 500))
        for number, one in enumerate(YAML(typ="safe").load(HERE / "data" / "messages.yaml")):
            order = f"F-{20011 + number * 13}"
            owner = STRANGERS_FRIEND if one["customer"] is None else one["customer"]
            facts = {"order": order, **_order(store, chance, order, owner, one["days"], one["status"])}
            sender = f"{NAMES[owner]} <{_address(NAMES[owner])}>" if one["customer"] is not None else STRANGER
            subject, text = one["subject"].format(**facts), one["text"].format(**facts)
            _write(HERE / "inbox" / one["file"], sender, subject, text)
            named = order if order in subject + text else None
            says = [words.format(**facts) for words in one["says"]]
            truth[one["file"]] = {"kind": one["kind"], "order": named, "says": says}
    store.close()
    (HERE / "data" / "truth.json").write_text(json.dumps(truth, indent=2) + "\n")


def _order(
    store: sqlite3.Connection, chance: random.Random, number: str, customer: int, days: int, status: str = ""
) -> dict[str, str]:
    placed = TODAY - timedelta(days=days)
    status = status or ("cancelled" if chance.random() < 0.05 else "delivered")
    shipped = placed + timedelta(days=1)
    delivered = shipped + timedelta(days=chance.choice([2, 3, 4])) if status == "delivered" else None
    promised = placed + timedelta(days=5)
    sent = status in ("shipped", "delivered")
    tracking = f"NP{chance.randrange(10**9, 10**10)}" if sent else None
    carrier = "NordPost" if sent else None
    row = (number, customer, _day(placed), status, _day(promised), _day(shipped) if sent else None, carrier, tracking)
    store.execute("insert into orders values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", (*row, _day(delivered), 490))
    for sku, title, price in chance.sample(GOODS, chance.choice([1, 1, 2, 3])):
        store.execute("insert into items values (?, ?, ?, ?, ?)", (number, sku, title, chance.choice([1, 1, 2]), price))
    until = _day(delivered + timedelta(days=30)) if delivered else None
    facts = {"tracking": tracking, "promised": _day(promised), "delivered": _day(delivered), "until": until}
    return {name: value or "" for name, value in facts.items()}


def _day(moment: datetime | None) -> str | None:
    return None if moment is None else f"{moment:%Y-%m-%d}"


def _address(name: str) -> str:
    first, last = name.lower().replace("'", "").split(" ")
    return f"{first}.{last}@mail.example"


def _write(file: Path, sender: str, subject: str, text: str) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, "help@fernwood.example", subject
    message["Date"] = TODAY
    message["Message-ID"] = f"<{file.stem}@mail.example>"
    message.set_content(text)
    file.write_bytes(bytes(message))


if __name__ == "__main__":
    main()
