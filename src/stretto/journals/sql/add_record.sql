INSERT INTO records (name, hits, misses, false_alarms, passes) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (name) DO UPDATE SET
    hits = hits + excluded.hits,
    misses = misses + excluded.misses,
    false_alarms = false_alarms + excluded.false_alarms,
    passes = passes + excluded.passes
