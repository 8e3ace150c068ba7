SELECT run, goal, status, workspace, started, ended, money, tokens, gaps, tasks, completed, wake, asks
FROM runs WHERE substr(run, 1, length(:begins)) = :begins
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
AND (:statuses IS NULL OR status IN (SELECT value FROM json_each(:statuses)))
AND (:started IS NULL OR started < :started OR (started = :started AND run < :last))
ORDER BY started DESC, run DESC LIMIT :limit
