"""SQL over files against plain Python: `python bench/query.py --seeds 1 2 3 --queries 150 --rows 1000000`.

Writes random tables as CSV, TSV, JSON, JSON Lines, SQLite and (where DuckDB is installed) Parquet; asks random
questions and recomputes each answer in plain Python from the values that were written, decimals as decimals. Then runs
a list of attacks, every one of which has to be refused, and loads one large CSV. Prints the shares, seconds and memory.
"""

import argparse
import csv
import hashlib
import importlib.util
import json
import random
import resource
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from stretto.specialists.query import Options, RefusedStatement, UnreadableData, Value, run_query

REGIONS = ("north", "south", "ost, west", 'the "middle"', "Übersee", "two\nlines")
Row = dict[str, Any]

ATTACKS = (
    "INSERT INTO data VALUES (1)",
    "UPDATE data SET id = 0",
    "DELETE FROM data",
    "DROP TABLE data",
    "CREATE TABLE x (a)",
    "REPLACE INTO data VALUES (1)",
    "ATTACH 'other.db' AS other",
    "DETACH db",
    "PRAGMA writable_schema = 1",
    "PRAGMA table_info(data)",
    "VACUUM INTO 'copy.db'",
    "REINDEX",
    "ANALYZE",
    "BEGIN; DELETE FROM data; COMMIT",
    "SELECT 1; DELETE FROM data",
    "SELECT 1; SELECT 2",
    "SELECT 1;;; /* */ DROP TABLE data",
    "SELECT 1 /* ; */ ; -- ;\n DELETE FROM data",
    "WITH x AS (SELECT 1) DELETE FROM data",
    "WITH x AS (SELECT 1) INSERT INTO data SELECT * FROM x",
    "WITH x AS (DELETE FROM data RETURNING id) SELECT * FROM x",
    "SELECT load_extension('evil.so')",
    "SELECT LOAD_EXTENSION('evil.so', 'main')",
    "SELECT \"load_extension\"('evil.so')",
    "SELECT writefile('x', 'y')",
    "SELECT readfile('/etc/passwd')",
    "SELECT edit('x')",
    "SELECT fts3_tokenizer('simple')",
    "SELECT randomblob(1000000000)",
    "SELECT zeroblob(1000000000)",
    "SELECT length(zeroblob(1000000000))",
    "SELECT * FROM sqlite_master",
    "SELECT * FROM main.sqlite_schema",
    "SELECT * FROM db.sqlite_schema",
    "SELECT * FROM sqlite_temp_master",
    "SELECT count(*) FROM sqlite_master",
    "SELECT * FROM pragma_database_list",
    "SELECT * FROM pragma_table_info('data')",
    "SELECT * FROM dbstat",
    "SELECT * FROM sqlite_stmt",
    "SELECT * FROM bytecode('SELECT 1')",
    "SELECT * FROM fsdir('/')",
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM '/etc/passwd'",
    "SELECT * FROM secrets",
    "SELECT * FROM hidden_search",
    "SELECT * FROM sly",
    "COPY data TO 'x'",
    "EXPLAIN SELECT * FROM data",
    "VALUES (1)",
    "",
    ";",
    "-- nothing",
    "SELECT",
    "SELECT * FROM data WHERE id = ?",
    "SELECT * FROM data WHERE id = :id",
    "SELECT 1\0; DELETE FROM data",
    "SELECT " + "1 + " * 20_000 + "1",
    "SELECT " + "(" * 500 + "1" + ")" * 500,
    " UNION ALL ".join(["SELECT 1"] * 400),
    "SELECT replace(hex(printf('%1000000d', 1)), '2', hex(printf('%1000000d', 1)))",
    "WITH RECURSIVE c (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c",
    "WITH RECURSIVE c (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x FROM c ORDER BY x DESC",
    "SELECT count(*) FROM data a, data b, data c, data d, data e",
)


def invented(chance: random.Random, count: int) -> list[Row]:
    """Give the rows of a random table; None is no value."""
    kept = chance.uniform(0.7, 1)
    days = [f"20{chance.randint(10, 29)}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}" for _ in range(9)]

    def maybe(value: Any) -> Any:
        return value if chance.random() < kept else None

    return [
        {
            "id": number,
            "region": maybe(chance.choice(REGIONS)),
            "units": maybe(chance.randint(-50, 50)),
            "amount": maybe(Decimal(chance.randint(-99_999, 99_999)) / 100),
            "day": maybe(chance.choice(days)),
            "code": f"{chance.randint(0, 40):03}",
        }
        for number in range(1, count + 1)
    ]


def store(kind: str, rows: list[Row], folder: Path) -> str:
    """Write the rows as a file of a kind; gives its path."""
    file = folder / f"data.{kind}"
    plain = [
        {name: float(value) if isinstance(value, Decimal) else value for name, value in row.items()} for row in rows
    ]
    names = list(rows[0])
    if kind in ("csv", "tsv"):
        with file.open("w", encoding="utf-8", newline="") as out:
            writer = csv.writer(out, delimiter="\t" if kind == "tsv" else ",", lineterminator="\n")
            writer.writerow(names)
            writer.writerows([["" if value is None else str(value) for value in row.values()] for row in rows])
    elif kind == "json":
        file.write_text(json.dumps(plain, indent=1, ensure_ascii=False), encoding="utf-8")
    elif kind == "jsonl":
        file.write_text("".join(json.dumps(row) + "\n" for row in plain), encoding="utf-8")
    elif kind == "db":
        with sqlite3.connect(file) as store:
            store.execute(
                "CREATE TABLE data (id INTEGER, region TEXT, units INTEGER, amount REAL, day TEXT, code TEXT)"
            )
            store.executemany("INSERT INTO data VALUES (:id, :region, :units, :amount, :day, :code)", plain)
        store.close()
    else:
        import duckdb

        connection = duckdb.connect()
        connection.execute(
            "CREATE TABLE d (id INTEGER, region VARCHAR, units INTEGER, amount DECIMAL(12, 2), day DATE, code VARCHAR)"
        )
        connection.executemany("INSERT INTO d VALUES (?, ?, ?, ?, ?, ?)", [list(row.values()) for row in rows])
        connection.execute(f"COPY d TO '{file}' (FORMAT parquet)")
        connection.close()
    return str(file)


@dataclass(frozen=True, slots=True)
class Question:
    """A statement, and its answer as plain Python finds it; `ordered` when the order of the rows is asked for."""

    sql: str
    answer: list[tuple[Any, ...]]
    ordered: bool


def asked(chance: random.Random, rows: list[Row]) -> Question:
    """Give a random question."""
    where, holds = condition(chance)
    held = [row for row in rows if holds(row)]
    match chance.randrange(6):
        case 0:
            columns = chance.sample(list(rows[0]), 3)
            direction = chance.choice((1, -1))
            answer = [tuple(row[name] for name in columns) for row in held[::direction]]
            most = chance.randint(1, 30)
            order = "DESC" if direction < 0 else "ASC"
            return Question(
                f"SELECT {', '.join(columns)} FROM data WHERE {where} ORDER BY id {order} LIMIT {most}",
                answer[:most],
                True,
            )
        case 1:
            name = chance.choice(("units", "amount"))
            values = [row[name] for row in held if row[name] is not None]
            answer = [(len(held), len(values), sum(values) if values else None, mean(values))]
            return Question(
                f"SELECT count(*), count({name}), sum({name}), avg({name}) FROM data WHERE {where}", answer, True
            )
        case 2:
            groups: dict[Any, list[Row]] = {}
            for row in held:
                groups.setdefault(row["region"], []).append(row)
            answer = []
            for region, members in groups.items():
                amounts = [row["amount"] for row in members if row["amount"] is not None]
                answer.append((region, len(members), sum(amounts) if amounts else None, max(amounts, default=None)))
            return Question(
                f"SELECT region, count(*), sum(amount), max(amount) FROM data WHERE {where} GROUP BY region",
                answer,
                False,
            )
        case 3:
            name = chance.choice(("region", "day", "code"))
            values = {row[name] for row in held}
            return Question(f"SELECT DISTINCT {name} FROM data WHERE {where}", [(value,) for value in values], False)
        case 4:
            days = {row["day"] for row in held if row["day"] is not None}
            answer = [(row["id"], other["id"]) for row in held for other in rows if matches(row, other)]
            return Question(
                "SELECT a.id, b.id FROM data a JOIN data b ON a.day = b.day AND a.units = b.units AND a.id < b.id "
                f"WHERE a.id IN (SELECT id FROM data WHERE {where}) AND {len(days)} >= 0 ORDER BY 1, 2",
                sorted(answer),
                True,
            )
        case _:
            values = [row["units"] for row in held]
            running, answer = 0, []
            some = False
            for row, value in zip(held, values, strict=True):
                running, some = running + (value or 0), some or value is not None
                answer.append((row["id"], running if some else None))
            return Question(
                f"WITH part AS (SELECT * FROM data WHERE {where}) "
                "SELECT id, sum(units) OVER (ORDER BY id) FROM part ORDER BY id",
                answer,
                True,
            )


def matches(row: Row, other: Row) -> bool:
    """Whether two rows are joined."""
    same = row["day"] is not None and row["day"] == other["day"] and row["units"] == other["units"]
    return same and row["units"] is not None and row["id"] < other["id"]


def mean(values: list[Any]) -> Any:
    """Give the mean, as decimals have it."""
    return Decimal(sum(values)) / len(values) if values else None


def condition(chance: random.Random) -> tuple[str, Callable[[Row], bool]]:
    """Give a random condition as SQL and as Python; nothing is true of no value."""
    units, amount = chance.randint(-50, 50), Decimal(chance.randint(-99_999, 99_999)) / 100
    region, code = chance.choice(REGIONS), f"{chance.randint(0, 40):03}"
    literal = "'" + region.replace("'", "''") + "'"
    simple: list[tuple[str, Callable[[Row], bool]]] = [
        (f"units > {units}", lambda row: row["units"] is not None and row["units"] > units),
        (f"amount <= {amount}", lambda row: row["amount"] is not None and row["amount"] <= amount),
        (f"region = {literal}", lambda row: row["region"] == region),
        (f"code < '{code}'", lambda row: row["code"] < code),
        ("day IS NULL", lambda row: row["day"] is None),
        ("day >= '2020-01-01'", lambda row: row["day"] is not None and row["day"] >= "2020-01-01"),
        ("day LIKE '%-02-%'", lambda row: row["day"] is not None and "-02-" in row["day"]),
        (
            f"units BETWEEN {units} AND {units + 20}",
            lambda row: row["units"] is not None and units <= row["units"] <= units + 20,
        ),
    ]
    (one, first), (two, second) = chance.sample(simple, 2)
    if chance.random() < 0.5:
        return f"{one} AND {two}", lambda row: first(row) and second(row)
    return f"({one} OR {two})", lambda row: first(row) or second(row)


def same(question: Question, rows: tuple[tuple[Value, ...], ...]) -> bool:
    """Whether two answers are the same, decimals by their nearest double."""
    wanted = [tuple(float(value) if isinstance(value, Decimal) else value for value in row) for row in question.answer]
    found = list(rows)
    if not question.ordered:
        wanted.sort(key=repr)
        found.sort(key=repr)
    return len(wanted) == len(found) and all(
        (a is None) == (b is None) and (a == b)
        for one, two in zip(wanted, found, strict=True)
        for a, b in zip(one, two, strict=True)
    )


def check(seed: int, queries: int) -> Iterator[tuple[bool, bool, float]]:
    """Ask the questions of one seed: whether each is right, whether its lines are, and how long it took."""
    chance = random.Random(seed)
    kinds = ["csv", "tsv", "json", "jsonl", "db"] + ["parquet"] * (importlib.util.find_spec("duckdb") is not None)
    with tempfile.TemporaryDirectory() as name:
        for at in range(queries):
            if at % 10 == 0:
                rows = invented(chance, chance.randint(20, 300))
            kind = kinds[at % len(kinds)]
            file = store(kind, rows, Path(name))
            question = asked(chance, rows)
            begun = time.perf_counter()
            found = run_query(question.sql, [file], Options(rows=100_000))
            seconds = time.perf_counter() - begun
            right = same(question, found.rows)
            if not right:
                print("WRONG", kind, question.sql, question.answer[:3], found.rows[:3], sep="\n  ")
            yield right, lines_hold(file, found.lines, found.rows, [one.name for one in found.columns]), seconds
            Path(file).unlink()


def lines_hold(file: str, lines: tuple[int, ...], rows: tuple[tuple[Value, ...], ...], names: list[str]) -> bool:
    """Whether the line of each row that is traced holds the row's code, where the row has one and is of one line."""
    if not lines or "code" not in names or not file.endswith(("csv", "tsv", "jsonl")):
        return True
    text = Path(file).read_text(encoding="utf-8").split("\n")
    place = names.index("code")
    return all(
        str(row[place]) in text[line - 1] + text[min(line, len(text) - 1)]
        for line, row in zip(lines, rows, strict=True)
    )


def attacked() -> tuple[int, int]:
    """Run the attacks; give how many were refused, and how many files were changed or made."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = invented(random.Random(0), 300)
        files = [store("csv", rows, folder), str(folder / "db.db")]
        with sqlite3.connect(files[1]) as store_:
            store_.executescript(
                "CREATE TABLE plain (a); INSERT INTO plain VALUES (1);"
                "CREATE VIRTUAL TABLE hidden_search USING fts5 (x);"
                "CREATE VIEW sly AS SELECT load_extension('evil.so');"
            )
        store_.close()
        before = {path: hashlib.sha256(path.read_bytes()).digest() for path in folder.iterdir()}
        refused = 0
        for attack in ATTACKS:
            try:
                found = run_query(attack, files, Options(seconds=0.5))
                print("NOT REFUSED", attack[:100], found.rows[:1])
            except (RefusedStatement, UnreadableData):
                refused += 1
        after = {path: hashlib.sha256(path.read_bytes()).digest() for path in folder.iterdir()}
        return refused, len(set(before.items()) ^ set(after.items()))


def large(rows: int) -> tuple[float, float, int]:
    """Load a CSV of so many rows: megabytes of the file, seconds, megabytes of memory this took at most."""
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "large.csv"
        chance = random.Random(0)
        with file.open("w", encoding="utf-8") as out:
            out.write("id,region,amount,day,note\n")
            for number in range(rows):
                amount = f"{chance.randint(0, 99999)}.{chance.randint(10, 99)}"
                out.write(
                    f"{number},r{number % 97},{amount},2024-01-{number % 28 + 1:02},row number {number} of many\n"
                )
        before = memory()
        begun = time.perf_counter()
        found = run_query(
            "SELECT region, count(*), sum(amount) FROM large GROUP BY 1 ORDER BY 3 DESC LIMIT 5", [str(file)]
        )
        seconds = time.perf_counter() - begun
        assert len(found.rows) == 5
        return file.stat().st_size / 1e6, seconds, memory() - before


def memory() -> int:
    """Give the most memory this process has used, in MB."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most // (1 << 20 if sys.platform == "darwin" else 1 << 10)


def main() -> None:
    """Print the figures."""
    reader = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reader.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    reader.add_argument("--queries", type=int, default=150, help="of each seed")
    reader.add_argument("--rows", type=int, default=1_000_000, help="of the large file; 0 for none")
    given = reader.parse_args()
    if given.rows:
        megabytes, seconds, used = large(given.rows)
        print(f"{given.rows:,} rows ({megabytes:.0f} MB) grouped in {seconds:.1f} s, {used} MB of memory more")
    scores = [score for seed in given.seeds for score in check(seed, given.queries)]
    right, traced = sum(one for one, _, _ in scores), sum(one for _, one, _ in scores)
    took = statistics.median(seconds for _, _, seconds in scores) * 1000
    print(f"{right} of {len(scores)} answers right, lines right in {traced}; {took:.0f} ms each (median)")
    refused, changed = attacked()
    print(f"{refused} of {len(ATTACKS)} attacks refused, {changed} files changed")


if __name__ == "__main__":
    main()
