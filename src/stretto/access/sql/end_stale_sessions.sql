DELETE FROM sessions
WHERE expires <= ?1
    OR seen <= ?2
    OR key IN (SELECT id FROM keys WHERE revoked IS NOT NULL OR expires <= ?1)
