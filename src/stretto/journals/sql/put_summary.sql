INSERT INTO summaries (key, text) VALUES (?, ?) ON CONFLICT (key) DO NOTHING
