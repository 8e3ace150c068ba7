SELECT highlight(texts, 1, char(2), char(3)) FROM texts WHERE texts MATCH :expression AND rowid = :id
