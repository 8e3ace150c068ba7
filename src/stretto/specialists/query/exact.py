"""Sums and means that add decimals as decimals: 0.1 and 0.2 is 0.3. They replace SQLite's own `sum` and `avg`."""

import sqlite3
from decimal import Context, Decimal, InvalidOperation

_CONTEXT = Context(prec=60)
_LARGEST = 1 << 63


class NotANumber(ValueError):
    """A sum met text that is no number."""


class Totals:
    """Makes the aggregates known to a connection; `problem` says why the last one failed, if it did."""

    def __init__(self) -> None:
        self.problem = ""

    def install(self, store: sqlite3.Connection) -> None:
        """Replace the aggregates of a connection."""
        for name, kind in (("sum", _Sum), ("avg", _Mean)):
            made = type(name, (kind,), {"totals": self, "name": name})
            store.create_window_function(name, 1, made)


class _Sum:
    """The sum of the values that are not NULL; NULL when there is none. Whole numbers stay whole."""

    totals: Totals
    name: str

    def __init__(self) -> None:
        self._whole = 0
        self._parts = Decimal(0)
        self._count = self._fractions = 0

    def step(self, value: object) -> None:
        self._take(value, 1)

    def inverse(self, value: object) -> None:
        self._take(value, -1)

    def value(self) -> int | float | None:
        return self._sum() if self._count else None

    def finalize(self) -> int | float | None:
        return self.value()

    def _take(self, value: object, sign: int) -> None:
        match value:
            case None:
                return
            case int():
                self._whole += sign * value
            case float():
                self._parts = _CONTEXT.add(self._parts, sign * Decimal(repr(value)))
                self._fractions += sign
            case _:
                self._parts = _CONTEXT.add(self._parts, sign * self._read(value))
                self._fractions += sign
        self._count += sign

    def _read(self, value: object) -> Decimal:
        try:
            number = Decimal(str(value).strip()) if isinstance(value, str) else Decimal("nan")
            if number.is_finite():
                return number
        except InvalidOperation:
            pass
        shown = repr(value)[:60]
        self.totals.problem = (
            f"{self.name}() met {shown}, which is no number; leave such rows out, or turn them to numbers, "
            "as in CAST(replace(x, ',', '') AS REAL)"
        )
        raise NotANumber

    def _sum(self) -> int | float:
        if self._fractions:
            return float(_CONTEXT.add(self._parts, Decimal(self._whole)))
        if not -_LARGEST <= self._whole < _LARGEST:
            self.totals.problem = f"{self.name}() is larger than 64 bits hold; sum decimals, as in sum(CAST(x AS REAL))"
            raise OverflowError
        return self._whole


class _Mean(_Sum):
    """The mean of the values that are not NULL; NULL when there is none."""

    def value(self) -> float | None:
        if not self._count:
            return None
        return float(_CONTEXT.divide(_CONTEXT.add(self._parts, Decimal(self._whole)), Decimal(self._count)))
