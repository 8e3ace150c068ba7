SELECT name, blob FROM files WHERE edition = ?
