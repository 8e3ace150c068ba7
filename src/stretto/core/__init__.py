"""The rules of a run, pure: no async, clock, randomness, I/O or logging is found below this folder."""
