DELETE FROM editions WHERE edition = ?
