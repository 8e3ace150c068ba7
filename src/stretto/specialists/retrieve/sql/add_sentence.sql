INSERT INTO sentences (rowid, text) VALUES (?, ?)
