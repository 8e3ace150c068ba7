-- Who may come in. A revoked or expired key stays, so that it is known what it was.
CREATE TABLE keys (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    roles      TEXT NOT NULL,
    workspaces TEXT NOT NULL,
    salt       BLOB NOT NULL,
    hash       BLOB NOT NULL,
    created    REAL NOT NULL,
    expires    REAL,
    used       REAL,
    revoked    REAL
);

-- Browsers that came in with a key. A session counts only as long as its key does.
CREATE TABLE sessions (
    id      TEXT PRIMARY KEY,
    key     TEXT NOT NULL REFERENCES keys (id),
    salt    BLOB NOT NULL,
    hash    BLOB NOT NULL,
    expires REAL NOT NULL,
    seen    REAL NOT NULL
);

CREATE INDEX sessions_by_key ON sessions (key, seen);
