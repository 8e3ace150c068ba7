"""What a site's robots.txt says (RFC 9309), kept for an hour."""

import time
from urllib.robotparser import RobotFileParser

LARGEST = 500 * 1024
KEPT_SECONDS = 3600.0
MOST_KEPT = 1_000


class Robots:
    """Remembers the rules of sites by origin."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[float, RobotFileParser | None]] = {}

    def known(self, origin: str) -> bool:
        """Whether this site's rules are at hand and fresh."""
        held = self._kept.get(origin)
        return held is not None and time.monotonic() - held[0] < KEPT_SECONDS

    def keep(self, origin: str, status: int, text: str) -> None:
        """Keep what a site answered: 4xx allows everything, 5xx nothing."""
        rules: RobotFileParser | None = None
        if status < 400 or status >= 500:
            rules = RobotFileParser()
            rules.parse(text.splitlines() if status < 400 else ["User-agent: *", "Disallow: /"])
        if len(self._kept) >= MOST_KEPT:
            self._kept.clear()
        self._kept[origin] = (time.monotonic(), rules)

    def allow(self, origin: str, agent: str, url: str) -> bool:
        """Whether a known site lets this agent fetch an address."""
        rules = self._kept[origin][1]
        return rules is None or rules.can_fetch(agent, url)
