SELECT name, hits, misses, false_alarms, passes FROM records ORDER BY name
