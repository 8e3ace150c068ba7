INSERT INTO files (edition, name, blob) VALUES (?, ?, ?) ON CONFLICT DO NOTHING
