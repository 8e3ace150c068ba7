"""Writers of plans, one module each."""
