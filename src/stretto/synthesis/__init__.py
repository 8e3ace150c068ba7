"""From accepted results to one deliverable."""
