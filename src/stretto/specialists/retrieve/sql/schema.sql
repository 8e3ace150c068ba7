CREATE TABLE pieces (
    id       INTEGER PRIMARY KEY,
    file     TEXT NOT NULL,
    page     INTEGER,
    headings TEXT NOT NULL,  -- JSON
    lines    TEXT NOT NULL   -- JSON: [number, text, raw]; raw is 1 where it is the text
);

CREATE VIRTUAL TABLE texts USING fts5 (context, body, tokenize = 'porter unicode61 remove_diacritics 2');

CREATE VIRTUAL TABLE sentences USING fts5 (text, content = '', tokenize = 'porter unicode61 remove_diacritics 2');
