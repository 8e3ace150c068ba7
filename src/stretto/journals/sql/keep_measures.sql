INSERT INTO measures (run, upto, edition, workspace, ended, body)
SELECT ?1, ?2, ?3, ?4, ?5, ?6 WHERE ?2 = (SELECT max(seq) FROM events WHERE run = ?1)
ON CONFLICT (run) DO UPDATE SET
    upto = excluded.upto, edition = excluded.edition, workspace = excluded.workspace, ended = excluded.ended,
    body = excluded.body
