"""Summarises texts by choosing sentences of theirs, word for word; it writes none of its own and reads no PDF."""

from stretto.core.domain import FailureClass
from stretto.declare import pure
from stretto.ports import AgentFailure, Assignment
from stretto.specialists.summarise import Summary, Unsummarisable
from stretto.specialists.summarise import summarise as summarise_texts


@pure(timeout=600)
def summarise(
    work: Assignment, text: str | None = None, files: list[str] | None = None, sentences: int = 5, question: str = ""
) -> Summary:
    """Choose the sentences that say most of a text or of several text files, with their file and line.

    Give either `text` or `files`; a `question` bends the choice to what it asks.
    """
    try:
        found = summarise_texts(text or "", files=files or (), sentences=sentences, question=question)
    except Unsummarisable as error:
        raise AgentFailure(str(error), FailureClass.REFUSED) from None
    for one in found.sentences:
        if one.file:
            work.cite(one.file, one.line)
    return found
