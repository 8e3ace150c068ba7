CREATE TABLE IF NOT EXISTS events (
    run      TEXT    NOT NULL,
    seq      INTEGER NOT NULL,
    at       REAL    NOT NULL,
    actor    TEXT    NOT NULL,
    type     TEXT    NOT NULL,
    version  INTEGER NOT NULL,
    payload  BLOB    NOT NULL,
    previous TEXT    NOT NULL,
    hash     TEXT    NOT NULL,
    PRIMARY KEY (run, seq)
) WITHOUT ROWID;

-- Large or personal content, by salted hash: it can be erased while the chain stays provable.
CREATE TABLE IF NOT EXISTS contents (
    run  TEXT NOT NULL,
    hash TEXT NOT NULL,
    salt BLOB NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (run, hash)
);

-- What many runs have in common, once per hash.
CREATE TABLE IF NOT EXISTS documents (
    hash TEXT PRIMARY KEY,
    body BLOB NOT NULL
);

-- One line per run, rewritten with every append: a view for lists, never a source.
CREATE TABLE IF NOT EXISTS runs (
    run       TEXT PRIMARY KEY,
    goal      TEXT    NOT NULL,
    status    TEXT    NOT NULL,
    workspace TEXT    NOT NULL,
    started   REAL    NOT NULL,
    ended     REAL,
    money     TEXT    NOT NULL,
    tokens    INTEGER NOT NULL,
    gaps      INTEGER NOT NULL,
    tasks     INTEGER NOT NULL,
    completed INTEGER NOT NULL,
    wake      REAL,
    asks      INTEGER
);

CREATE INDEX IF NOT EXISTS runs_by_start ON runs (started DESC);
CREATE INDEX IF NOT EXISTS runs_by_wake ON runs (wake, run) WHERE wake IS NOT NULL;

CREATE TABLE IF NOT EXISTS leases (
    run     TEXT PRIMARY KEY,
    owner   TEXT    NOT NULL,
    fence   INTEGER NOT NULL,
    expires REAL    NOT NULL
);

CREATE TABLE IF NOT EXISTS inbox (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    run     TEXT NOT NULL,
    command BLOB NOT NULL
);

CREATE INDEX IF NOT EXISTS inbox_by_run ON inbox (run, id);
