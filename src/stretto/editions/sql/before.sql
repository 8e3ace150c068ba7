SELECT edition FROM entries WHERE outcome <> 'refused' ORDER BY seq DESC LIMIT 1
