SELECT run, seq, at, actor, type, version, payload, previous, hash FROM events WHERE run = ? AND seq > ? ORDER BY seq
