SELECT edition, outcome, said FROM entries ORDER BY seq DESC LIMIT 1
