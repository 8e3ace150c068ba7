SELECT seq, at, who, edition, before, outcome, said, changes FROM entries ORDER BY seq DESC LIMIT ?
