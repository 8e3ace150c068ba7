INSERT INTO events (run, seq, at, actor, type, version, payload, previous, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
