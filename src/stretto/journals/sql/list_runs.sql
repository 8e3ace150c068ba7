SELECT run, goal, status, workspace, started, ended, money, tokens, gaps, tasks, completed, wake
FROM runs WHERE substr(run, 1, length(?1)) = ?1 ORDER BY started DESC, run DESC LIMIT ?2
