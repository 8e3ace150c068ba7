-- How often reviewers were right and wrong, over the runs that ended: a view for trust, never a source.
CREATE TABLE IF NOT EXISTS records (
    name         TEXT PRIMARY KEY,
    hits         INTEGER NOT NULL,
    misses       INTEGER NOT NULL,
    false_alarms INTEGER NOT NULL,
    passes       INTEGER NOT NULL
) WITHOUT ROWID;
