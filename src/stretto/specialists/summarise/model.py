"""What summarising gives, as frozen data."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """One sentence, word for word, and where it stands: `line` counts from 1; `file` is empty for a text given as such.

    `score` is its weight among all sentences, from 0 to 1.
    """

    text: str
    file: str
    line: int
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The chosen sentences in the order of the documents, and all of them as one `text`.

    `considered` counts the sentences they were chosen from; `notes` say what was left out and why.
    """

    text: str
    sentences: list[Sentence]
    considered: int
    language: str
    notes: list[str]
