"""Who may do what on a server: roles, keys, sessions, and how often."""
