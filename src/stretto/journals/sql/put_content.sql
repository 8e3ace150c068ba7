INSERT INTO contents (run, hash, salt, body) VALUES (?, ?, ?, ?)
