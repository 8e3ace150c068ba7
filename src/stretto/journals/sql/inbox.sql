SELECT id, command FROM inbox WHERE run = ? ORDER BY id
