SELECT name, body FROM files JOIN blobs ON blobs.hash = files.blob WHERE edition = ? ORDER BY name
