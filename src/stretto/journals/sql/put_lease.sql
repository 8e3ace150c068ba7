INSERT INTO leases (run, owner, fence, expires) VALUES (?, ?, ?, ?)
ON CONFLICT (run) DO UPDATE SET owner = excluded.owner, fence = excluded.fence, expires = excluded.expires
