INSERT INTO pieces (id, file, page, headings, lines) VALUES (?, ?, ?, ?, ?)
