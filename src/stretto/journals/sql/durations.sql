SELECT name, count, seconds FROM durations ORDER BY name
