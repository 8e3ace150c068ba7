INSERT INTO runs (run, goal, status, workspace, started, ended, money, tokens, gaps, tasks, completed, wake, asks)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (run) DO UPDATE SET
    goal = excluded.goal, status = excluded.status, workspace = excluded.workspace, started = excluded.started,
    ended = excluded.ended, money = excluded.money, tokens = excluded.tokens, gaps = excluded.gaps,
    tasks = excluded.tasks, completed = excluded.completed, wake = excluded.wake, asks = excluded.asks
