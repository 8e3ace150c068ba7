INSERT INTO inbox (run, command) VALUES (?, ?)
