"""Files as tables: layouts, types, lines; statements and their answers; what columns hold."""

import hashlib
import json
import sqlite3
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stretto.specialists.query import (
    Options,
    RefusedStatement,
    TableInfo,
    UnreadableData,
    Value,
    describe_files,
    list_tables,
    run_query,
)
from stretto.specialists.query.parquet import _opened

Write = Callable[..., str]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def put(name: str, content: str | bytes) -> str:
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(tmp_path / name)

    return put


def only(file: str) -> TableInfo:
    (table,) = list_tables([file]).tables
    return table


def types(file: str) -> dict[str, str]:
    return {column.name: column.type for column in only(file).columns}


def rows(sql: str, *files: str) -> list[tuple[Value, ...]]:
    return list(run_query(sql, files).rows)


# --- CSV and TSV ----------------------------------------------------------------------------------------------------


def test_types_are_found_and_no_digit_is_lost(write: Write) -> None:
    file = write(
        "a.csv",
        "whole,decimal,zip,day,moment,money,long,word,none\n"
        '1,1.10,01234,2024-02-29,2024-01-02T03:04:05Z,"1,234",12345678901234567890,x,\n'
        '-2,.5,99999,2024-12-31,2024-01-02 03:04,"9,000.50",1,"",\n',
    )
    assert types(file) == {
        "whole": "integer", "decimal": "decimal", "zip": "text", "day": "date", "moment": "datetime", "money": "text",
        "long": "text", "word": "text", "none": "text",
    }  # fmt: skip
    first = rows("SELECT * FROM a", file)[0]
    assert first[:4] == (1, 1.1, "01234", "2024-02-29")
    assert first[5:] == ("1,234", "12345678901234567890", "x", None)
    notes = " ".join(only(file).notes)
    assert "money: left as text: numbers with thousands separators, such as 1,234" in notes
    assert "zip: left as text: leading zeros" in notes
    assert "long: left as text" in notes


def test_a_day_that_does_not_exist_is_text(write: Write) -> None:
    assert types(write("a.csv", "day\n2023-02-29\n2024-02-29\n")) == {"day": "text"}


def test_missing_values_of_a_number_column_are_null_and_said(write: Write) -> None:
    file = write("a.csv", "n,word\n1,NA\nNA,x\n,y\n3,z\n")
    assert rows("SELECT n, word FROM a", file) == [(1, "NA"), (None, "x"), (None, "y"), (3, "z")]
    assert only(file).notes == ("n: NA read as null",)


@pytest.mark.parametrize(("sign", "name"), [(",", "a.csv"), (";", "a.csv"), ("\t", "a.tsv"), ("|", "a.txt")])
def test_the_delimiter_is_found(write: Write, sign: str, name: str) -> None:
    file = write(name, f'id{sign}text\n1{sign}"a{sign} b; c, d"\n2{sign}e\n')
    assert rows("SELECT * FROM a", file) == [(1, f"a{sign} b; c, d"), (2, "e")]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("name,age\nann,3\nbob,4\n", ["name", "age"]),
        ("1,2\n3,4\n", ["column1", "column2"]),
        ("ann,3\nbob,4\n", ["column1", "column2"]),
        ("country,2019,2020\nFrance,1,2\n", ["country", "2019", "2020"]),
        ("name,Name,NAME\na,b,c\n", ["column1", "column2", "column3"]),
        ("id,value,value\n1,2,3\n", ["column1", "column2", "column3"]),
        ("first,last\nann,lee\n", ["first", "last"]),
        (",a,b\n0,x,1\n1,y,2\n", ["column1", "a", "b"]),
        ("only\n", ["only"]),
    ],
)
def test_a_header_is_told_from_values(write: Write, text: str, names: list[str]) -> None:
    assert [column.name for column in only(write("a.csv", text)).columns] == names


def test_rows_are_traced_to_the_lines_where_they_begin(write: Write) -> None:
    file = write("a.csv", '\ufeffid,text\n1,"two\nlines"\n\n2,one\r\n3,"x ""y"""\n')
    found = run_query("SELECT id, text FROM a ORDER BY 1 DESC", [file])
    assert found.rows == ((3, 'x "y"'), (2, "one"), (1, "two\nlines"))
    assert (found.file, found.lines) == (file, (6, 5, 2))


@pytest.mark.parametrize(
    ("sql", "lines"),
    [
        ("SELECT n FROM a WHERE n > 1", (3, 4)),
        ("SELECT upper(w) AS big FROM a x WHERE EXISTS (SELECT 1 FROM a WHERE n = x.n + 1) LIMIT 1", (2,)),
        ("SELECT n - (SELECT max(n) FROM a) FROM a ORDER BY n DESC", (4, 3, 2)),
        ('SELECT n FROM "a"', (2, 3, 4)),
        ("SELECT count(*) FROM a", ()),
        ("SELECT DISTINCT w FROM a", ()),
        ("SELECT w FROM a GROUP BY w", ()),
        ("SELECT n FROM a UNION SELECT 7", ()),
        ("SELECT a.n FROM a JOIN a b ON a.n = b.n", ()),
        ("SELECT x.n FROM a x, a y WHERE x.n = y.n", ()),
        ("SELECT n FROM (SELECT * FROM a)", ()),
        ("SELECT sum(n) OVER () FROM a", ()),
        ("WITH b AS (SELECT * FROM a) SELECT n FROM b", ()),
        ("SELECT 1", ()),
    ],
)
def test_only_rows_of_one_line_are_traced(write: Write, sql: str, lines: tuple[int, ...]) -> None:
    found = run_query(sql, [write("a.csv", "n,w\n1,x\n2,y\n3,x\n")])
    assert found.lines == lines
    assert not lines or len(lines) == len(found.rows)


def test_titles_above_a_table_are_left_out(write: Write) -> None:
    file = write("a.csv", "# Sales of 2024\nin euros\n\nid,sum\n1,2\n3,4\n")
    assert run_query("SELECT id, sum FROM a", [file]).lines == (5, 6)
    assert only(file).notes == ("the first 2 lines were left out: they stand above the table",)


def test_uneven_rows_are_named_with_their_lines(write: Write) -> None:
    file = write("a.csv", "a,b\n1,2\n3\n4,5,6\n7,8,\n")
    assert rows("SELECT * FROM a", file) == [(1, 2), (3, None), (4, 5), (7, 8)]
    assert only(file).notes == (
        "line 3: 1 fields under 2 columns; the missing ones are null",
        "line 4: 3 fields under 2 columns; the rest was left out",
    )


@pytest.mark.parametrize("rest", ["", '"\n3,4\n'])
def test_a_quotation_mark_left_open_is_pointed_out(write: Write, rest: str) -> None:
    file = write("a.csv", 'a,b\n1,"open\n' + "7,8\n" * 150 + rest)
    assert only(file).notes == ("line 2: a field of more than 100 lines; is a quotation mark left open?",)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252", "latin-1"])
def test_encodings_are_told_apart(write: Write, encoding: str) -> None:
    file = write("a.csv", "ort,n\nMünchen,1\n".encode(encoding))
    assert rows("SELECT ort, n FROM a", file) == [("München", 1)]


def test_the_line_that_names_the_separator_is_heeded(write: Write) -> None:
    assert rows("SELECT b FROM a", write("a.csv", "sep=;\na;b\n1;2,5\n")) == [("2,5",)]


def test_names_that_are_no_words_can_be_asked_for(write: Write) -> None:
    file = write("2024 sales-report.csv", 'First Name,"a""b",select,rowid\nann,1,2,3\n')
    assert rows('SELECT "First Name", "a""b", "select", "rowid" FROM t_2024_sales_report', file) == [("ann", 1, 2, 3)]
    assert run_query("SELECT rowid FROM t_2024_sales_report", [file]).lines == (2,)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"\n\n", "empty"),
        (b"a,b\n1,\0\n", "binary"),
        (b"a,b\r1,2\r", "carriage return"),
        (b'a,b\n1,"' + b"x" * 200_000, "quotation mark"),
        (b"\x1f\x8babc", "unpack"),
    ],
)
def test_a_file_that_is_no_table_is_an_error_that_says_why(write: Write, content: bytes, said: str) -> None:
    with pytest.raises(UnreadableData, match=said):
        list_tables([write("a.csv", content)])


@settings(max_examples=80, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(content=st.text(alphabet='ab1,;\t"\n\r.é-', max_size=80))
def test_any_text_is_a_table_or_a_clear_error(tmp_path: Path, content: str) -> None:
    (tmp_path / "any.csv").write_bytes(content.encode())
    try:
        table = only(str(tmp_path / "any.csv"))
    except UnreadableData:
        with pytest.raises(UnreadableData, match=r"any\.csv"):
            run_query("SELECT * FROM any", [str(tmp_path / "any.csv")])
    else:
        assert len(run_query("SELECT * FROM any", [str(tmp_path / "any.csv")]).rows) == table.rows


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(
    values=st.lists(
        st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-(10**9), max_value=10**9), min_size=1
    )
)
def test_decimals_come_back_and_add_up_exactly(tmp_path: Path, values: list[Decimal]) -> None:
    (tmp_path / "d.csv").write_text("id,amount\n" + "".join(f"{n},{value:f}\n" for n, value in enumerate(values)))
    file = str(tmp_path / "d.csv")
    assert [Decimal(repr(row[0])) for row in rows("SELECT amount FROM d ORDER BY id", file)] == values
    assert rows("SELECT sum(amount) FROM d", file) == [(float(sum(values)),)]


# --- JSON -----------------------------------------------------------------------------------------------------------


def test_objects_become_dotted_columns_and_lists_stay_json(write: Write) -> None:
    text = (
        '[\n {"id": 1, "who": {"name": "ann", "at": {"city": "Oslo"}}, "tags": ["x", "y"]},\n {"id": 2, "ok": true}\n]'
    )
    file = write("a.json", text)
    assert types(file) == {"id": "integer", "who.name": "text", "who.at.city": "text", "tags": "json", "ok": "boolean"}
    found = run_query('SELECT id, "who.at.city", ok FROM a', [file])
    assert found.rows == ((1, "Oslo", None), (2, None, 1))
    assert found.lines == (2, 3)
    assert rows("SELECT value FROM a, json_each(a.tags)", file) == [("x",), ("y",)]


def test_json_lines_are_told_by_their_content(write: Write) -> None:
    file = write("a.json", '{"x": 1}\n\n{"x": 2.5, "y": null}\n')
    assert run_query("SELECT x FROM a", [file]).lines == (1, 3)
    assert types(file) == {"x": "decimal", "y": "null"}


def test_an_object_with_lists_of_objects_is_several_tables(write: Write) -> None:
    file = write("shop.json", json.dumps({"version": 3, "orders": [{"id": 1}], "people": [{"n": "a"}, {"n": "b"}]}))
    assert {table.name: table.rows for table in list_tables([file]).tables} == {
        "shop": 1, "shop_orders": 1, "shop_people": 2,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("[1, 2]", [(1,), (2,)]),
        ("[[1, 2], [3]]", [(1, 2), (3, None)]),
        ('"x"', [("x",)]),
        ('[{"a": 1}, 5]', [(1, None), (None, 5)]),
    ],
)
def test_values_that_are_no_objects_are_rows_too(write: Write, text: str, answer: list[tuple[Value, ...]]) -> None:
    assert rows("SELECT * FROM a", write("a.json", text)) == answer


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('[\n{"a": 1},\n{"a": }]', 3),
        ('[{"a": 1}\n{"a": 2}]', 2),
        ('{"a": NaN}', 1),
        ("[1]\n]", 2),
        ("[" * 100_000, 1),
        ('{"a": [{"b": 1}\n', 2),
    ],
)
def test_broken_json_is_told_with_its_line(write: Write, text: str, line: int) -> None:
    with pytest.raises(UnreadableData, match=rf"a\.json:{line}: "):
        list_tables([write("a.json", text)])


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(
    records=st.lists(
        st.dictionaries(
            st.text(max_size=5), st.none() | st.booleans() | st.integers() | st.text(max_size=5), min_size=1
        ),
        min_size=1,
        max_size=6,
    ),
    indent=st.sampled_from([None, 1]),
)
def test_any_records_are_as_many_rows(tmp_path: Path, records: list[dict[str, object]], indent: int | None) -> None:
    (tmp_path / "r.json").write_text(json.dumps(records, indent=indent))
    found = run_query("SELECT * FROM r", [str(tmp_path / "r.json")])
    assert len(found.rows) == len(found.lines) == len(records)


# --- SQLite and Parquet ---------------------------------------------------------------------------------------------


def database(path: Path, *, wal: bool = False) -> sqlite3.Connection:
    store = sqlite3.connect(path)
    if wal:
        store.execute("PRAGMA journal_mode = WAL")
        store.execute("PRAGMA wal_autocheckpoint = 0")
    store.executescript(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO t VALUES (1, 'ann'), (2, 'bob')"
    )
    return store


@pytest.mark.parametrize("state", ["plain", "wal", "wal in use"])
def test_a_database_is_read_and_nothing_is_written_in_or_beside_it(tmp_path: Path, state: str) -> None:
    store = database(tmp_path / "s.db", wal=state != "plain")
    if state != "wal in use":
        store.close()
    before = {path.name: hashlib.sha256(path.read_bytes()).digest() for path in tmp_path.iterdir()}
    assert rows("SELECT name FROM t ORDER BY id", str(tmp_path / "s.db")) == [("ann",), ("bob",)]
    assert {path.name: hashlib.sha256(path.read_bytes()).digest() for path in tmp_path.iterdir()} == before
    store.close()


def test_a_database_in_a_folder_that_cannot_be_written_is_read(tmp_path: Path) -> None:
    database(tmp_path / "s.db", wal=True).close()
    tmp_path.chmod(0o500)
    try:
        assert rows("SELECT count(*) FROM t", str(tmp_path / "s.db")) == [(2,)]
    finally:
        tmp_path.chmod(0o700)


def test_files_of_different_kinds_are_joined(tmp_path: Path, write: Write) -> None:
    database(tmp_path / "s.db").close()
    duckdb.sql(f"COPY (SELECT 1 AS id, 2.50::DECIMAL(9, 2) AS due, [1, 2] AS l) TO '{tmp_path}/p.parquet'")
    file = write("a.csv", "id,town\n1,Oslo\n")
    found = run_query(
        "SELECT t.name, a.town, p.due, p.l FROM t JOIN a ON a.id = t.id JOIN p ON p.id = t.id",
        [file, str(tmp_path / "s.db"), str(tmp_path / "p.parquet")],
    )
    assert found.rows == (("ann", "Oslo", 2.5, "[1,2]"),)


def test_a_table_of_a_taken_name_is_asked_for_by_its_database(tmp_path: Path, write: Write) -> None:
    database(tmp_path / "s.db").close()
    files = [write("t.csv", "x\n9\n"), str(tmp_path / "s.db")]
    assert [table.name for table in list_tables(files).tables] == ["t", "s.t"]
    assert rows("SELECT (SELECT x FROM t), count(*) FROM s.t", *files) == [(9, 2)]


@pytest.mark.parametrize("name", ["a.parquet", "a.db"])
def test_damaged_binary_files_are_an_error(write: Write, name: str) -> None:
    head = b"PAR1" if name.endswith("parquet") else b"SQLite format 3\0" + b"\1\0\1\1" * 30
    with pytest.raises(UnreadableData, match=name):
        list_tables([write(name, head + b"junk" * 100)])


@pytest.mark.parametrize("files", [[], ["missing.csv"], ["."], ["a\0b"]])
def test_files_that_are_not_there_are_an_error(files: list[str]) -> None:
    with pytest.raises(UnreadableData):
        list_tables(files)


# --- answers --------------------------------------------------------------------------------------------------------


def test_a_result_is_bounded_and_says_so(write: Write) -> None:
    file = write("a.csv", "n,w\n" + "".join(f"{n},{'x' * 50}\n" for n in range(20)))
    found = run_query("SELECT w, n FROM a", [file], Options(rows=3, cell=10))
    assert found.truncated
    assert [row[0] for row in found.rows] == ["x" * 10 + "…"] * 3
    assert len(found.lines) == 3
    assert found.notes == ("3 cells were cut at 10 characters", "these are the first 3 rows; there are more")
    assert not run_query("SELECT n FROM a", [file], Options(rows=20)).truncated


def test_sums_are_of_decimals(write: Write) -> None:
    file = write("a.csv", "n,x\n" + "1,0.1\n" * 10)
    assert rows("SELECT sum(x), avg(x), sum(n) FROM a", file) == [(1.0, 0.1, 10)]
    assert rows("SELECT sum(x), avg(x) FROM a WHERE n = 0", file) == [(None, None)]


def test_a_sum_over_text_is_refused_rather_than_wrong(write: Write) -> None:
    file = write("a.csv", 'id,money\n1,"1,000"\n2,"2,000"\n')
    with pytest.raises(RefusedStatement, match="met '1,000', which is no number"):
        run_query("SELECT sum(money) FROM a", [file])
    assert rows("SELECT sum(CAST(replace(money, ',', '') AS INTEGER)) FROM a", file) == [(3000,)]


def test_a_wrong_name_is_told_with_the_right_ones(write: Write) -> None:
    with pytest.raises(RefusedStatement, match=r"no such column: agee; there are: people \(name, age\)"):
        run_query("SELECT agee FROM people", [write("people.csv", "name,age\nann,3\n")])


def test_a_statement_that_takes_too_long_is_stopped(write: Write) -> None:
    endless = "WITH RECURSIVE c (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c"
    with pytest.raises(RefusedStatement, match=r"longer than 0\.2 s"):
        run_query(endless, [write("a.csv", "x\n1\n")], Options(seconds=0.2))


# --- what columns hold ----------------------------------------------------------------------------------------------


def test_columns_are_described(write: Write) -> None:
    file = write("a.csv", "n,w\n1,x\n2,y\n,x\n0.5,\n2,x\n")
    number, word = describe_files([file]).columns
    assert (number.type, number.count, number.nulls, number.distinct) == ("decimal", 4, 1, 3)
    assert (number.min, number.max, number.mean) == (0.5, 2.0, 1.375)
    assert [(top.value, top.count) for top in word.top] == [("x", 3), ("y", 1)]
    assert word.mean is None


def test_duckdb_may_read_the_named_file_and_nothing_else(tmp_path: Path, write: Write) -> None:
    duckdb.sql(f"COPY (SELECT 1 AS id) TO '{tmp_path}/it''s.parquet'")
    assert rows("SELECT id FROM it_s", str(tmp_path / "it's.parquet")) == [(1,)]
    with _opened(str(tmp_path / "it's.parquet")) as reading, pytest.raises(duckdb.Error, match="Permission"):
        reading.execute("SELECT * FROM read_csv(?)", [write("secret.csv", "x\n1\n")])
