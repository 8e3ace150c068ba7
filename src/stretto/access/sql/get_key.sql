SELECT id, name, roles, workspaces, created, expires, used, revoked, salt, hash FROM keys WHERE id = ?
