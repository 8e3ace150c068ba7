SELECT seq, hash FROM events WHERE run = ? ORDER BY seq DESC LIMIT 1
