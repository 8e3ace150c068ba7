SELECT run, goal, status, workspace, started, ended, money, tokens, gaps, tasks, completed, wake, asks, owner, expires
FROM runs LEFT JOIN leases USING (run)
WHERE wake <= ?1 AND ended IS NULL AND run NOT IN (SELECT run FROM inbox)
ORDER BY wake, run
