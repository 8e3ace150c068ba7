UPDATE leases SET expires = ? WHERE run = ? AND fence = ?
