UPDATE keys SET used = ? WHERE id = ? AND (used IS NULL OR used <= ?)
