DELETE FROM measures WHERE run = ?
