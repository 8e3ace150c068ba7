"""Extractive summaries: sentences of the texts themselves, word for word, with their lines; see docs/summarise.md."""

from stretto.specialists.summarise.model import Sentence, Summary
from stretto.specialists.summarise.summary import Unsummarisable, summarise

__all__ = ["Sentence", "Summary", "Unsummarisable", "summarise"]
