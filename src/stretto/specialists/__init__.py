"""Specialists that work out of the box, without model or key; each is a folder of plain functions."""
