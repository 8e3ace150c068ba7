SELECT pieces.id, pieces.file, pieces.page, pieces.headings, pieces.lines, -bm25(texts, :context, 1.0) AS score
FROM texts JOIN pieces ON pieces.id = texts.rowid
WHERE texts MATCH :expression
ORDER BY score DESC, pieces.id
LIMIT :limit
