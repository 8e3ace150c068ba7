INSERT INTO keys (id, name, roles, workspaces, salt, hash, created, expires)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
