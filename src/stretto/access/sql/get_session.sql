SELECT
    keys.id, keys.name, keys.roles, keys.workspaces, keys.created, keys.expires, keys.used, keys.revoked,
    sessions.salt, sessions.hash, sessions.id, sessions.expires, sessions.seen
FROM sessions
JOIN keys ON keys.id = sessions.key
WHERE sessions.id = ?
