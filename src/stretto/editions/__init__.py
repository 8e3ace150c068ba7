"""Editions of a workspace: what defines it, kept by content, so that a run ends on the files it began with."""

from stretto.editions.definition import Definition, definition_of
from stretto.editions.keeping import Editions, Entry, FileChange
from stretto.editions.trees import Tree

__all__ = ["Definition", "Editions", "Entry", "FileChange", "Tree", "definition_of"]
