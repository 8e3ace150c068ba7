SELECT run, goal, status, workspace, started, ended, money, tokens, gaps, tasks, completed, wake
FROM runs WHERE substr(run, 1, length(?1)) = ?1
AND (?3 OR instr(run, '.') = 0 OR NOT EXISTS (
    SELECT 1 FROM runs AS above WHERE above.run = substr(runs.run, 1, instr(runs.run, '.') - 1)
))
ORDER BY started DESC, run DESC LIMIT ?2
