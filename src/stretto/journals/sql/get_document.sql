SELECT body FROM documents WHERE hash = ?
