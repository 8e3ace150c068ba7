"""A run as people see it in a terminal. What is shown is computed purely; `live` alone draws it."""
