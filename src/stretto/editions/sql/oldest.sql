SELECT edition, bytes FROM editions ORDER BY used
