SELECT text FROM summaries WHERE key = ?
