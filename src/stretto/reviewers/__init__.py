"""Judges of results, one module each; a result counts when all of them accept it."""
