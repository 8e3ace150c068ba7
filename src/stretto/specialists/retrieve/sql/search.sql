WITH
    whole (id, score) AS MATERIALIZED (
        SELECT rowid, -bm25(texts, :context, 1.0) FROM texts WHERE texts MATCH :expression
    ),
    parts (id, score) AS MATERIALIZED (
        SELECT rowid >> :bits, -bm25(sentences) FROM sentences WHERE sentences MATCH :words
    ),
    best (id, score) AS MATERIALIZED (
        SELECT id, max(score) FROM parts GROUP BY id
    )
SELECT
    pieces.id, pieces.file, pieces.page, pieces.headings, pieces.lines,
    whole.score + :sentence * coalesce(best.score, 0) AS score
FROM whole LEFT JOIN best ON best.id = whole.id JOIN pieces ON pieces.id = whole.id
ORDER BY 6 DESC, 1
LIMIT :limit
