"""Timestamps of many spellings to seconds; its law: seconds compare, and `at` shows the time as it was written.

A log without years gets years of its own, far before any real time, so that differences are right across
New Year and a leap day; once a line of the same file tells the year, yearless lines take the nearest one.
"""

from __future__ import annotations

import re
from datetime import date

DAY = 86_400
YEARLESS = -1_000_000_000_000  # where the years of yearless logs begin
_BACK_A_YEAR = 90 * DAY  # a step back of more than this is New Year, not disorder
_AHEAD_A_YEAR = 330 * DAY  # a step ahead of more than this is a late record of last year

_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
MONTHS = {name: number for number, name in enumerate(_NAMES, start=1)}
_MONTH_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_DAYS_BEFORE = (0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334)
_EPOCH = date(1970, 1, 1).toordinal()

_ISO = re.compile(r"(\d{4})-(\d\d)-(\d\d)[T _](\d\d:\d\d:\d\d)(?:[.,]\d+)? ?(?:Z|UTC|GMT|([+-]\d\d:?\d\d))?$", re.ASCII)


class Clock:
    """The time of the line at hand (`t` seconds, `at` text) and the span of the times seen so far.

    The `read_` methods return False, and leave the clock as it was, where the text is no time. What stays the same
    from line to line (the day, often the second) is not worked out anew.
    """

    __slots__ = (
        "_day",
        "_day_stamp",
        "_day_text",
        "_first",
        "_known_year",
        "_last",
        "_leap",
        "_new_year",
        "_stamp",
        "_time",
        "t",
    )

    def __init__(self) -> None:
        self.t = 0
        self._stamp = ""  # what the time at hand was read from
        self._day_stamp = ""  # what the day at hand was read from
        self._day = 0  # its start in seconds
        self._day_text = ""  # and as text
        self._time = ""
        self._first: tuple[int, str, str] | None = None
        self._last: tuple[int, str, str] | None = None
        self._new_year = 0  # days before the present year of a yearless log
        self._leap = 0  # 1 once a 29th of February was seen in it
        self._known_year = False

    @property
    def at(self) -> str:
        """The time at hand as text; empty before any."""
        return f"{self._day_text}T{self._time}" if self._time else ""

    @property
    def first(self) -> str | None:
        """The earliest time seen."""
        return f"{self._first[1]}T{self._first[2]}" if self._first is not None else None

    @property
    def last(self) -> str | None:
        """The latest time seen."""
        return f"{self._last[1]}T{self._last[2]}" if self._last is not None else None

    def read_yearless(self, stamp: str) -> bool:
        """Take `Jun 14 15:16:01`, the day filled with a blank or a zero."""
        if stamp == self._stamp:
            return True
        seconds = _seconds(stamp[7:])
        if seconds < 0:
            return False
        if stamp[:6] != self._day_stamp:
            month, day = MONTHS.get(stamp[:3], 0), stamp[4:6].strip()
            if not month or not day.isdecimal() or not 1 <= int(day) <= _MONTH_DAYS[month - 1]:
                return False
            self._set_yearless_day(month, int(day))
            self._day_stamp = stamp[:6]
        self._set(stamp, self._day + seconds, stamp[7:15])
        return True

    def read_dated(self, year: str, month: str, day: str, time: str, zone: str = "") -> bool:
        """Take `2026`, `Jun` or `06`, `14`, `15:16:01` and perhaps `+0200` or `+02:00`."""
        stamp = year + month + day + time + zone
        if stamp == self._stamp:
            return True
        seconds = _seconds(time)
        if seconds < 0:
            return False
        day_stamp = year + month + day + zone
        if day_stamp != self._day_stamp:
            number = MONTHS.get(month) or (int(month) if month.isdecimal() else 0)
            try:
                then = date(int(year), number, int(day))
            except ValueError:
                return False
            self._day = (then.toordinal() - _EPOCH) * DAY - _offset(zone)
            self._day_text, self._day_stamp, self._known_year = then.isoformat(), day_stamp, True
        self._set(stamp, self._day + seconds, time)
        return True

    def read_iso(self, text: str) -> bool:
        """Take `2026-06-14T15:16:01.25+02:00` or the like; a time without a zone is taken as it stands."""
        found = _ISO.match(text)
        if found is None:
            return False
        year, month, day, time, zone = found.groups()
        return self.read_dated(year, month, day, time, zone or "")

    def read_epoch(self, number: float) -> bool:
        """Take seconds, milli-, micro- or nanoseconds since 1970 (told apart by size); shown in UTC."""
        if not 0 <= number < 1e20:  # refuses nan too
            return False
        while number >= 1e11:
            number /= 1000
        days, seconds = divmod(int(number), DAY)
        self._day, self._day_stamp, self._known_year = days * DAY, "", True
        self._day_text = date.fromordinal(days + _EPOCH).isoformat()
        self._set("", int(number), f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}")
        return True

    def _set(self, stamp: str, t: int, time: str) -> None:
        self._stamp, self.t, self._time = stamp, t, time
        if self._first is None or self._last is None:
            self._first = self._last = (t, self._day_text, time)
        elif t > self._last[0]:
            self._last = (t, self._day_text, time)
        elif t < self._first[0]:
            self._first = (t, self._day_text, time)

    def _set_yearless_day(self, month: int, day: int) -> None:
        if self._known_year:
            days = self._nearest(month, day)
            self._day, self._day_text = days * DAY, date.fromordinal(days + _EPOCH).isoformat()
        else:
            self._day = YEARLESS + self._yearless_day(month, day) * DAY
            self._day_text = f"{month:02}-{day:02}"

    def _yearless_day(self, month: int, day: int) -> int:
        if self._first is None:
            return self._day_of_year(month, day)
        now = (self.t - YEARLESS) // DAY
        found = self._new_year + self._day_of_year(month, day)
        step = (found - now) * DAY
        if step < -_BACK_A_YEAR:
            self._new_year += 365 + self._leap
            self._leap = 0
            found = self._new_year + self._day_of_year(month, day)
        elif step > _AHEAD_A_YEAR:
            found -= 365
        return found

    def _day_of_year(self, month: int, day: int) -> int:
        if month == 2 and day == 29:
            self._leap = 1
        return _DAYS_BEFORE[month - 1] + day - 1 + (self._leap if month > 2 else 0)

    def _nearest(self, month: int, day: int) -> int:
        now = self.t // DAY
        year = date.fromordinal(now + _EPOCH).year
        options = []
        for candidate in (year - 1, year, year + 1):
            if not 1 < candidate < 9999:
                continue
            first = date(candidate, month, 1).toordinal() - _EPOCH
            options.append(first + day - 1)  # a 29th of February outside a leap year becomes the 1st of March
        return min(options, key=lambda days: abs(days - now), default=now)


def _seconds(time: str) -> int:
    """Seconds of `15:16:01` since midnight, or -1; a leap second is the second before it."""
    try:
        hours, minutes, seconds = int(time[0:2]), int(time[3:5]), int(time[6:8])
    except ValueError:
        return -1
    if hours > 23 or minutes > 59 or seconds > 60:
        return -1
    return hours * 3600 + minutes * 60 + min(seconds, 59)


def _offset(zone: str) -> int:
    """Seconds of `+0200` or `-02:30` ahead of UTC; none where there is no zone."""
    if not zone:
        return 0
    seconds = int(zone[1:3]) * 3600 + int(zone[-2:]) * 60
    return -seconds if zone[0] == "-" else seconds
