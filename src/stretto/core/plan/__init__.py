"""A plan is a program: its references, its shape on paper, and the checker."""
