"""HTTP: the API, and what guards it."""
