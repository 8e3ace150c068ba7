SELECT status, count(*) FROM runs WHERE substr(run, 1, length(:begins)) = :begins
AND (:workspace IS NULL OR workspace = :workspace)
AND (:since IS NULL OR started >= :since)
AND (:until IS NULL OR started < :until)
AND (NOT :asking OR (ended IS NULL AND coalesce(asks, 1) > 0))
AND (:teams OR instr(run, '.') = 0 OR NOT EXISTS (
    SELECT 1 FROM runs AS above WHERE above.run = substr(runs.run, 1, instr(runs.run, '.') - 1)
))
AND (:words = '[]' OR NOT EXISTS (
    SELECT 1 FROM json_each(:words) WHERE instr(casefold(goal), value) = 0 AND instr(casefold(run), value) = 0
))
GROUP BY status
