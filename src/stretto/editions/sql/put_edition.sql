INSERT INTO editions (edition, bytes, used) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET used = excluded.used
