"""Near-miss names: which known name was meant. Near linear, however many names are known or missed."""

from collections.abc import Callable, Iterable
from difflib import get_close_matches

from stretto.core.plan.diagnostics import listed

_LONGEST = 100
_FEW = 200
_SEARCHES = 30
_NEAR = 0.6


class Names:
    """Known names, searched by misspelt ones. They are looked at with the first search, not before.

    Few names are compared one by one, a bounded number of times. Many are found by their deletions: two names
    that meet when each loses at most one letter differ by one slip or two swapped letters.
    """

    def __init__(self, known: Callable[[], Iterable[str]]) -> None:
        self._give = known
        self._held: list[str] | None = None
        self._plain: dict[str, str] = {}
        self._shortened: dict[str, str] | None = None
        self._listed: str | None = None
        self._searches = 0

    def nearest(self, name: str) -> str | None:
        """Give the known name closest to a slip of the pen, or None."""
        known = self._known()
        if len(name) > _LONGEST or not known:
            return None
        if (close := self._plain.get(_plain(name))) is not None:
            return close
        if len(known) <= _FEW and self._searches < _SEARCHES:
            self._searches += 1
            near = get_close_matches(name, known, 1, _NEAR)
            return near[0] if near else None
        if self._shortened is None:
            self._shortened = {less: one for one in reversed(known) for less in _shorter(one)}
        return next((self._shortened[less] for less in _shorter(name) if less in self._shortened), None)

    def mend(self, name: str, otherwise: str = "") -> str:
        """Say which name may be meant; else `otherwise`, else which names there are."""
        close = self.nearest(name)
        if close is not None:
            return f"Did you mean {close!r}?"
        if otherwise:
            return otherwise
        if self._listed is None:
            self._listed = f"Known: {listed(self._known())}." if self._known() else "There is none at all."
        return self._listed

    def _known(self) -> list[str]:
        if self._held is None:
            self._held = [one for one in self._give() if isinstance(one, str) and len(one) <= _LONGEST]
            self._plain = {_plain(one): one for one in reversed(self._held)}
        return self._held


def one_slip(name: str, known: Iterable[str]) -> str | None:
    """Give the one known name that differs by case, spaces and punctuation only, else the one within a slip of the pen.

    A slip is a letter too many, missing, changed, or swapped with its neighbour; a digit is none. Two that fit
    are none either: a name that is to replace another must be beyond doubt. Names of fewer than four letters have
    no slips.
    """
    if len(name) > _LONGEST:
        return None
    digits = _digits(name)
    names = [one for one in dict.fromkeys(known) if len(one) <= _LONGEST and _digits(one) == digits]
    same = [one for one in names if _plain(one) == _plain(name)]
    if not same and len(_plain(name)) >= 4:
        same = [one for one in names if len(_plain(one)) >= 4 and _is_slip(_plain(one), _plain(name))]
    return same[0] if len(same) == 1 else None


def _is_slip(one: str, other: str) -> bool:
    """Whether one edit leads from one to the other: Damerau and Levenshtein's distance is 1."""
    if abs(len(one) - len(other)) > 1:
        return False
    start = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    left, right = one[start:], other[start:]
    return (
        left[1:] == right
        or left == right[1:]
        or left[1:] == right[1:]
        or (left[2:] == right[2:] and left[:2] == right[1::-1])
    )


def _digits(name: str) -> str:
    return "".join(letter for letter in name if letter.isdigit())


def _plain(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum()) or name


def _shorter(name: str) -> list[str]:
    if len(name) < 4:  # every short name is near every other
        return [name]
    return [name, *(name[:at] + name[at + 1 :] for at in range(len(name)))]
