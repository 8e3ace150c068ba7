SELECT run FROM runs WHERE ended IS NOT NULL
AND NOT EXISTS (SELECT 1 FROM measures WHERE measures.run = runs.run AND edition = ?1)
ORDER BY ended, run
