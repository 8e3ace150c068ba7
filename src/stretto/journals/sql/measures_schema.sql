-- What runs that ended amount to, a row each, until they have another event: a view for numbers, never a source.
CREATE TABLE IF NOT EXISTS measures (
    run       TEXT PRIMARY KEY,
    upto      INTEGER NOT NULL,
    edition   INTEGER NOT NULL,
    workspace TEXT    NOT NULL,
    ended     REAL    NOT NULL,
    body      BLOB    NOT NULL
);
