-- Summaries of long texts, by content, length and who made them: kept so that they are made once, never a source.
CREATE TABLE IF NOT EXISTS summaries (
    key  TEXT PRIMARY KEY,
    text TEXT NOT NULL
) WITHOUT ROWID;
