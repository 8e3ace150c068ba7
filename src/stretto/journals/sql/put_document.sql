INSERT INTO documents (hash, body) VALUES (?, ?) ON CONFLICT (hash) DO NOTHING
