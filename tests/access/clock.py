"""A clock for tests."""


class Clock:
    """Stands still until it is moved."""

    def __init__(self, at: float = 2_000_000_000.0) -> None:
        self.at = at

    def __call__(self) -> float:
        return self.at

    def move(self, seconds: float) -> None:
        self.at += seconds
