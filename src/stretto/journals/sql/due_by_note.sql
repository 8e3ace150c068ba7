SELECT run, goal, status, workspace, started, ended, money, tokens, gaps, tasks, completed, wake, asks, owner, expires
FROM runs LEFT JOIN leases USING (run)
WHERE run IN (SELECT run FROM inbox) AND ended IS NULL
ORDER BY coalesce(wake, 0), run
