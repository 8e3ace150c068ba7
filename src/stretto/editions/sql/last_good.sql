SELECT edition FROM entries WHERE outcome IN ('adopted', 'restored') ORDER BY seq DESC LIMIT 1
