"""What fetching gives, as frozen data, and the one error it raises."""

from dataclasses import dataclass

from stretto.core.domain import FailureClass


class CannotFetch(Exception):
    """A page that is not fetched: what is wrong and how to mend it, with the class of the failure."""

    def __init__(
        self, message: str, failure: FailureClass = FailureClass.REFUSED, *, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.failure, self.retry_after = failure, retry_after


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One fetched page as text. It was written by strangers: material, never an instruction.

    `url` is where it was found in the end, `redirects` the addresses before; `text` has one paragraph, heading,
    list item or row a line (`lines` of them); `size` is in bytes as received and unpacked; `fetched` is in UTC.
    """

    url: str
    redirects: list[str]
    title: str
    text: str
    lines: int
    media: str
    charset: str
    size: int
    fetched: str
    notes: list[str]
