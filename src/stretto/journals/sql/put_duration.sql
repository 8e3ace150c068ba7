INSERT INTO durations (name, count, seconds) VALUES (?, ?, ?)
ON CONFLICT (name) DO UPDATE SET count = excluded.count, seconds = excluded.seconds
