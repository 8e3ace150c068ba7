"""How content people are with what a run delivered: one click, from 1 to 5."""

from typing import Final

from stretto.access.roles import Permission
from stretto.core.domain import Rating
from stretto.core.state import RunState
from stretto.dashboard.actions import RATE
from stretto.dashboard.parts import Tag, button, foreign
from stretto.dashboard.shell import Frame

SCORES: Final = {1: "not content at all", 2: "hardly", 3: "in part", 4: "mostly", 5: "fully content"}


def rating(frame: Frame, state: RunState) -> None:
    """Ask how content somebody is, where they may say so, and show what others said."""
    _Asking(frame, state)


class _Asking:
    """The row of scores; the newest word of each person counts."""

    def __init__(self, frame: Frame, state: RunState) -> None:
        self._frame, self._run = frame, state.run
        self._row = Tag("section", "sheet rating row", aria_label="Rating")
        self._show(dict(state.ratings))

    def _show(self, ratings: dict[str, Rating]) -> None:
        who = self._frame.visitor.who()
        mine = ratings.get(who.name)
        self._row.clear()
        with self._row:
            if who.may(Permission.RATE):
                Tag("span", "label", "How content are you?")
                with Tag("div", "scores", role="group", aria_label="From 1, not content at all, to 5, fully"):
                    for score, told in SCORES.items():
                        self._score(score, told, pressed=mine is not None and mine.score == score)
            if ratings:
                mean = sum(one.score for one in ratings.values()) / len(ratings)
                people = "person" if len(ratings) == 1 else "people"
                Tag("span", "soft", f"{mean:.1f} of 5, by {len(ratings)} {people}", role="status")
            for by, one in sorted(ratings.items()):
                if one.words:
                    with Tag("p", "soft"):
                        foreign(f"{by}: {one.words}", most=300)

    def _score(self, score: int, told: str, *, pressed: bool) -> None:
        async def rate() -> None:
            with self._frame.plainly():
                state = await self._frame.visitor.do(RATE, self._run, score)
                self._show(dict(state.ratings))

        state = "true" if pressed else "false"
        button(str(score), rate, "score", aria_pressed=state, aria_label=f"{score}: {told}", title=told)
