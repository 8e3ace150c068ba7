SELECT DISTINCT edition FROM entries WHERE substr(edition, 1, length(:begins)) = :begins AND edition <> '' LIMIT 2
