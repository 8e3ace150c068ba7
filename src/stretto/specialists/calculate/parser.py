"""Reads an expression and works it out on the way: a precedence-climbing parser, written for people's spelling.

expression := sum (("in" | "to" | "as") (product | "%"))*
sum        := product (("+" | "-") product)*
product    := signed (("*" | "/" | "of" | "mod" | "per") signed)*
signed     := ("-" | "+" | "√") signed | joined
joined     := power+ joined?              5 km, 2 USD, 1 h 30 min: binds tighter than "*" and "/"
power      := postfix ("^" signed)?
postfix    := atom ("%" | "!")*
atom       := number | date | name | name "(" expression, ... ")" | "(" expression ")" | currency atom
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from fractions import Fraction

from stretto.specialists.calculate import units as unit
from stretto.specialists.calculate.amounts import MOST_BITS, WORKING_DIGITS
from stretto.specialists.calculate.functions import FUNCTIONS, call, remainder
from stretto.specialists.calculate.model import BadExpression, Step
from stretto.specialists.calculate.tokens import CURRENCY_SIGNS, KEYWORDS, Token, tokens_of
from stretto.specialists.calculate.values import Value, add, convert, divide, multiply, negative, raised

DEEPEST = 60
MOST_STEPS = 200

SCALES = {
    "hundred": 100, "thousand": 10**3, "million": 10**6, "mn": 10**6, "mio": 10**6,
    "billion": 10**9, "bn": 10**9, "trillion": 10**12, "tn": 10**12, "dozen": 12,
}  # fmt: skip
SUFFIXES = {"k": 10**3, "K": 10**3, "m": 10**6, "M": 10**6, "b": 10**9, "B": 10**9, "bn": 10**9, "T": 10**12}
"""Of amounts of money only: elsewhere these are units."""
_PI = Fraction(31415926535897932384626433832795028841971693993751, 10**49)
_E = Fraction(27182818284590452353602874713526624977572470937000, 10**49)
CONSTANTS = {"pi": _PI, "π": _PI, "e": _E}
WORDS = {"percent": "%", "plus": "+", "minus": "-", "times": "*"}


class Parser:
    """Evaluates one expression. `names` are the values it may use; `steps` and `notes` tell what was done."""

    def __init__(self, text: str, names: Mapping[str, Sequence[Value]]) -> None:
        self.text, self.names = text, names
        self.steps: list[Step] = []
        self.notes: list[str] = []
        self._tokens = tokens_of(text)
        self._at = 0
        self._depth = 0

    def value(self) -> Value:
        """Give what the whole expression comes to; raises BadExpression."""
        if not self.text.strip():
            raise BadExpression("the expression is empty", mend="write one like 12 km / 2 h in m/s")
        found = self._expression()
        if self._here.kind != "end":
            raise self._unexpected()
        return found

    @property
    def _here(self) -> Token:
        return self._tokens[self._at]

    @property
    def _next(self) -> Token:
        return self._tokens[min(self._at + 1, len(self._tokens) - 1)]

    def _take(self) -> Token:
        token = self._here
        self._at = min(self._at + 1, len(self._tokens) - 1)
        return token

    def _is(self, *texts: str) -> bool:
        token = self._here
        return token.kind in ("sign", "name") and WORDS.get(token.text, token.text) in texts

    def _expression(self) -> Value:
        self._depth += 1
        if self._depth > DEEPEST:
            raise BadExpression(f"parentheses more than {DEEPEST} deep", column=self._here.column)
        start = self._here.start
        found = self._sum()
        while self._is("in", "to", "as"):
            found = self._conversion(found, start)
        self._depth -= 1
        return found

    def _conversion(self, found: Value, start: int) -> Value:
        word = self._take()
        if self._is("%"):
            self._take()
            if found.units:
                found = self._work(start, word, lambda: convert(found, ()), told=False)
            return self._told(start, replace(found, percent=True))
        target = self._product()
        if target.amount != 1 or target.day:
            raise BadExpression(
                f"after {word.text!r} comes a unit alone, not {target}", column=word.column, mend="like: 5 mile in km"
            )
        if found.percent and not target.units:
            return replace(found, percent=False)
        return self._work(start, word, lambda: convert(found, target.units))

    def _sum(self) -> Value:
        start = self._here.start
        found = self._product()
        while self._is("+", "-"):
            sign = self._take()
            right = self._product()
            left, way = found, 1 if WORDS.get(sign.text, sign.text) == "+" else -1
            if right.percent and not left.percent and not left.day:
                self._note(f"{left} {'+' if way > 0 else '-'} {right} is read as {right} of {left} "
                           f"{'more' if way > 0 else 'less'}")  # fmt: skip
            found = self._work(start, sign, lambda left=left, right=right, way=way: add(left, right, way))  # type: ignore[misc]
        return found

    def _product(self) -> Value:
        start = self._here.start
        found, plain_number = self._signed(), self._at - 1
        while self._is("*", "/", "of", "mod", "per"):
            sign = self._take()
            first = self._at
            right = self._signed()
            left, what = found, WORDS.get(sign.text, sign.text)
            if what == "of" and not left.percent and self._tokens[first - 2].kind != "name":
                self._note(f"'of' multiplies: {left} of {right}")
            if what == "/" and not left.units and right.units and self._at - first > 1 and plain_number == first - 2:
                self._note(
                    f"{left}/({right}) divides by the quantity; write ({left}/…) in parentheses for a part of it"
                )
            work = {"*": multiply, "of": multiply, "/": divide, "per": divide, "mod": remainder}[what]
            found = self._work(start, sign, lambda work=work, left=left, right=right: work(left, right))  # type: ignore[misc]
        return found

    def _signed(self) -> Value:
        if not self._is("-", "+", "√"):
            return self._joined()
        self._depth += 1
        if self._depth > DEEPEST:
            raise BadExpression(f"more than {DEEPEST} signs in a row", column=self._here.column)
        start, sign = self._here.start, self._take()
        inner = self._signed()
        self._depth -= 1
        if sign.text == "√":
            return self._work(start, sign, lambda: call("sqrt", [inner]))
        if sign.text in ("-", "minus"):
            return self._work(start, sign, lambda: negative(inner), told=False)
        return inner

    def _joined(self) -> Value:
        """Read a number with its unit; the unit binds tighter than any sign between."""
        first = self._here
        found = self._power()
        while self._unit_follows():
            token = self._here
            scale = SCALES.get(token.text.lower())
            if scale is not None and token.text not in self.names:
                self._take()
                found = replace(found, amount=found.amount * scale)
                continue
            right = self._power()
            if unit.is_offset(right.units) and right.amount == 1 and not found.units and not found.day:
                found = replace(found, units=right.units, percent=False)
            else:
                left = found
                found = self._work(first.start, token, lambda left=left, right=right: multiply(left, right), told=False)  # type: ignore[misc]
        if (
            found.units
            and self._here.kind == "number"
            and self._next.kind == "name"
            and self._next.text not in KEYWORDS - {"in"}
        ):
            token, left = self._here, found
            rest = self._joined()
            if not rest.units or not unit.compatible(rest.units, left.units) or unit.is_offset(rest.units):
                raise BadExpression(f"{rest} does not go on from {left}", column=token.column)
            found = self._work(first.start, token, lambda: add(left, rest), told=False)
        return found

    def _unit_follows(self) -> bool:
        token = self._here
        if token.kind == "sign":
            return token.text in CURRENCY_SIGNS
        if token.kind != "name" or token.text in WORDS or (token.text in FUNCTIONS and self._next.text == "("):
            return False
        if token.text == "in":  # inches, unless a unit to convert to follows
            after = self._next
            follows = after.kind == "name" or after.text in ("%", "(", *CURRENCY_SIGNS)
            third = self._tokens[min(self._at + 2, len(self._tokens) - 1)]
            return not follows or (after.text in ("in", "to", "as") and third.kind != "end")
        return token.text not in KEYWORDS

    def _power(self) -> Value:
        start = self._here.start
        base = self._postfix()
        if not self._is("^"):
            return base
        sign = self._take()
        exponent = self._signed_power()
        return self._work(start, sign, lambda: raised(base, exponent), told=bool(not base.units))

    def _signed_power(self) -> Value:
        """Read an exponent: powers are right-associative, and a sign may stand before one."""
        if self._is("-", "+"):
            self._depth += 1
            if self._depth > DEEPEST:
                raise BadExpression(f"more than {DEEPEST} signs in a row", column=self._here.column)
            sign = self._take()
            inner = self._signed_power()
            self._depth -= 1
            return negative(inner) if sign.text == "-" else inner
        self._depth += 1
        if self._depth > DEEPEST:
            raise BadExpression(f"more than {DEEPEST} powers in a row", column=self._here.column)
        found = self._power()
        self._depth -= 1
        return found

    def _postfix(self) -> Value:
        start = self._here.start
        found = self._atom()
        while self._is("%", "‰", "!"):
            sign = self._take()
            if sign.text == "!":
                inner = found
                found = self._work(start, sign, lambda inner=inner: call("factorial", [inner]))  # type: ignore[misc]
                continue
            if found.units or found.day or found.percent:
                raise BadExpression(f"{found} is no percentage", column=sign.column)
            if self._operand_follows():
                raise BadExpression(
                    "'%' is percent here, and a number follows it",
                    column=sign.column,
                    mend="write `mod` for the remainder, `of` for a part, `*` to multiply",
                )
            found = replace(found, amount=found.amount / (1000 if sign.text == "‰" else 100), percent=True)
        return found

    def _operand_follows(self) -> bool:
        return self._here.kind in ("number", "date") or self._here.text == "("

    def _atom(self) -> Value:
        token = self._take()
        if token.kind == "number":
            return Value(Fraction(token.text))
        if token.kind == "date":
            return self._date(token)
        if token.kind == "name" and token.text not in KEYWORDS | set(WORDS):
            return self._named(token)
        if token.kind == "name" and token.text == "in" and not self._unit_would_follow():
            return self._unit(token)
        if token.text == "(":
            found = self._expression()
            self._expect(")")
            if self._here.kind == "number" or self._here.text == "(":
                raise BadExpression("something is missing between ')' and what follows", column=self._here.column,
                                    mend="write * to multiply")  # fmt: skip
            return found
        if token.text in CURRENCY_SIGNS:
            return self._money(token)
        self._at -= token.kind != "end"
        raise self._unexpected()

    def _unit_would_follow(self) -> bool:
        return self._here.kind == "name" and self._here.text not in KEYWORDS

    def _date(self, token: Token) -> Value:
        try:
            return Value(Fraction(date.fromisoformat(token.text).toordinal()), day=True)
        except ValueError:
            raise BadExpression(f"there is no day {token.text}", column=token.column) from None

    def _named(self, token: Token) -> Value:
        if token.text in FUNCTIONS and self._here.text == "(":
            return self._call(token)
        if token.text in self.names:
            held = self.names[token.text]
            if len(held) != 1:
                raise BadExpression(
                    f"{token.text} is a list of {len(held)} values", column=token.column, mend=f"like sum({token.text})"
                )
            return held[0]
        if token.text in CONSTANTS:
            self._note(f"{token.text} is taken to {WORKING_DIGITS} digits")
            return Value(CONSTANTS[token.text], rounded=True)
        return self._unit(token)

    def _unit(self, token: Token) -> Value:
        name = unit.unit_named(token.text)
        if name is None:
            if self._here.text == "(":
                what = f"there is no function {token.text!r}"
            elif token.text in FUNCTIONS:
                raise BadExpression(f"{token.text} is a function", column=token.column,
                                    mend=f"write {FUNCTIONS[token.text].usage}")  # fmt: skip
            else:
                what = f"{token.text!r} is no value, function or unit that is known"
            known = [*FUNCTIONS, *self.names, *unit.CURRENCIES, *_COMMON_UNITS]
            raise BadExpression(what, column=token.column, mend=unit.suggestion(token.text, known))
        return Value(Fraction(1), ((name, 1),))

    def _call(self, token: Token) -> Value:
        self._take()
        arguments: list[Value] = []
        while not self._is(")"):
            held = self.names.get(self._here.text) if self._here.kind == "name" else None
            if held is not None and len(held) != 1 and self._next.text in (",", ")"):
                self._take()
                arguments += held
            else:
                arguments.append(self._expression())
            if not self._is(","):
                break
            self._take()
            if self._is(")"):
                raise self._unexpected()
        self._expect(")")
        return self._work(token.start, token, lambda: call(token.text, arguments))

    def _money(self, token: Token) -> Value:
        """Read `$5`, `$2.5M`, `€3 bn`."""
        currency = ((CURRENCY_SIGNS[token.text], 1),)
        before = self._tokens[self._at - 2] if self._at > 1 else None
        if self._here.kind != "number":
            if before is not None and before.kind in ("number", "sign", "name"):  # 5 $, 5 $/h, 10 in $
                return Value(Fraction(1), currency)
            raise self._unexpected()
        number = self._take()
        amount = Fraction(number.text)
        suffix = self._here
        if suffix.kind == "name" and suffix.start == number.end and suffix.text in SUFFIXES:
            self._take()
            amount *= SUFFIXES[suffix.text]
        elif suffix.kind == "name" and suffix.text.lower() in SCALES and suffix.text not in self.names:
            self._take()
            amount *= SCALES[suffix.text.lower()]
        return Value(amount, currency)

    def _work(self, start: int, token: Token, work: Callable[[], Value], *, told: bool = True) -> Value:
        """Carry an operation out, note it as a step, and point at it when it cannot be done."""
        try:
            found = work()
            if found.amount.numerator.bit_length() > MOST_BITS or found.amount.denominator.bit_length() > MOST_BITS:
                raise BadExpression("a number in it has grown too large", mend="round or scale on the way")
        except BadExpression as error:
            if error.column is not None:
                raise
            raise BadExpression(error.what, column=token.column, mend=error.mend) from None
        return self._told(start, found) if told else found

    def _told(self, start: int, found: Value) -> Value:
        said = self.text[start : self._tokens[self._at - 1].end].strip()
        if len(self.steps) < MOST_STEPS:
            self.steps.append(Step(expression=said, result=str(found)))
        elif len(self.steps) == MOST_STEPS:
            self.steps.append(Step(expression="…", result=f"only the first {MOST_STEPS} steps are listed"))
        return found

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)

    def _expect(self, text: str) -> None:
        if not self._is(text):
            raise self._unexpected(f"{text!r} is missing")
        self._take()

    def _unexpected(self, what: str = "") -> BadExpression:
        token = self._here
        if token.kind == "end":
            return BadExpression(what or "the expression breaks off", column=token.column, mend="complete it")
        said = f"{what} before {token.text!r}" if what else f"{token.text!r} does not fit here"
        return BadExpression(said, column=token.column)


_COMMON_UNITS = (
    "meter", "km", "mile", "foot", "inch", "gram", "kilogram", "pound", "second", "minute", "hour", "day", "week",
    "month", "year", "liter", "gallon", "watt", "kilowatt_hour", "joule", "byte", "degC", "degF", "kelvin", "percent",
)  # fmt: skip
