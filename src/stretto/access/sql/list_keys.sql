SELECT id, name, roles, workspaces, created, expires, used, revoked FROM keys ORDER BY created, id
