DELETE FROM sessions
WHERE key = ?1
    AND id NOT IN (SELECT id FROM sessions WHERE key = ?1 ORDER BY seen DESC, rowid DESC LIMIT ?2)
