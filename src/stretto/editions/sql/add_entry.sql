INSERT INTO entries (at, who, edition, before, outcome, said, changes) VALUES (?, ?, ?, ?, ?, ?, ?)
