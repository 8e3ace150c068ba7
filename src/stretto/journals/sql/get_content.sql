SELECT body FROM contents WHERE run = ? AND hash = ?
