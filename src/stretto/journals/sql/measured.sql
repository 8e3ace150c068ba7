SELECT run, upto, edition, workspace, ended, body FROM measures
WHERE edition = ?1 AND (?2 IS NULL OR workspace = ?2) AND (?3 IS NULL OR ended >= ?3) AND (?4 IS NULL OR ended < ?4)
ORDER BY ended, run
