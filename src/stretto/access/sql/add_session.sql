INSERT INTO sessions (id, key, salt, hash, expires, seen) VALUES (?, ?, ?, ?, ?, ?)
