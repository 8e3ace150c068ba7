INSERT INTO texts (rowid, context, body) VALUES (?, ?, ?)
