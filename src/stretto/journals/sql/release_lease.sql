UPDATE leases SET expires = 0 WHERE run = ? AND fence = ?
