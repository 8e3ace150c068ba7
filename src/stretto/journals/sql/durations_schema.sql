-- How long attempts took, by agent and skill, over the runs that ended: a view for priorities, never a source.
CREATE TABLE IF NOT EXISTS durations (
    name    TEXT PRIMARY KEY,
    count   INTEGER NOT NULL,
    seconds REAL    NOT NULL
) WITHOUT ROWID;
