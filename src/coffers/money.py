"""Exact decimal arithmetic, and the only place where a number is rounded or turned into text.

Amounts are `Decimal` from the first byte to the last. Sums and products are exact: the context
they run in raises `decimal.Inexact` rather than dropping a digit. Quotients carry
`QUOTIENT_DIGITS` significant digits, half-even. `float` never enters: `parse` refuses it.
"""

from collections.abc import Callable, Iterable, Sequence
from decimal import (
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    Clamped,
    Context,
    Decimal,
    DivisionByZero,
    Inexact,
    InvalidOperation,
    Overflow,
    Underflow,
    getcontext,
    setcontext,
)
from functools import wraps
from itertools import repeat
from operator import mul, truediv
from typing import ParamSpec, TypeVar

from coffers.errors import InvalidAmount

P = ParamSpec("P")
R = TypeVar("R")

QUOTIENT_DIGITS = 50
"""Significant digits of every quotient."""

MAX_EXPONENT = 200
"""Numbers from outside must lie within 10**±MAX_EXPONENT, so that exact sums stay small."""

ZERO = Decimal(0)
HUNDRED = Decimal(100)
_HUNDREDFOLD = Decimal("1E2")  # adds no digit

_FAULTS = [DivisionByZero, InvalidOperation, Overflow, Underflow]
_EXACT = Context(prec=4000, rounding=ROUND_HALF_EVEN, traps=[*_FAULTS, Inexact, Clamped])
_QUOTIENT = Context(prec=QUOTIENT_DIGITS, rounding=ROUND_HALF_EVEN, traps=_FAULTS)
_ROUNDING = Context(prec=4000, rounding=ROUND_HALF_UP, traps=_FAULTS)
_PLACES = {places: Decimal(1).scaleb(-places) for places in range(13)}

add = _EXACT.add
"""Exact sum of two decimals."""
subtract = _EXACT.subtract
"""Exact difference of two decimals."""
multiply = _EXACT.multiply
"""Exact product of two decimals."""
scaled = _EXACT.scaleb
"""A decimal times a power of ten, of which the exponent is given."""
shortest = _EXACT.normalize
"""The same number without zeros at its end; one that ends with zeros before the point too."""
divide = _QUOTIENT.divide
"""Quotient with `QUOTIENT_DIGITS` significant digits, half-even; the divisor must not be zero."""


def quotient_down(dividend: Decimal, divisor: Decimal, places: int) -> Decimal:
    """Return dividend / divisor to so many decimal places, the rest cut off; both are positive."""
    whole = _EXACT.divide_int(_EXACT.scaleb(dividend, places), divisor)
    return _EXACT.scaleb(whole, -places)


def quotient_up(dividend: Decimal, divisor: Decimal, places: int) -> Decimal:
    """Return dividend / divisor to so many decimal places, never too little; both are positive."""
    whole, rest = _EXACT.divmod(_EXACT.scaleb(dividend, places), divisor)
    return _EXACT.scaleb(add(whole, Decimal(1)) if rest else whole, -places)


def parse(text: str | int | Decimal) -> Decimal:
    """Return the decimal that an outside source wrote.

    Raises:
        InvalidAmount: for anything that is not a finite number within 10**±200.
        TypeError: for a `float`, whose digits are already lost.
    """
    if isinstance(text, float):
        raise TypeError("a float has already lost digits; pass the text it came from")
    # Python reads underscores and other scripts' digits as well.
    if isinstance(text, str) and (not text.isascii() or "_" in text):
        raise InvalidAmount(text[:80])
    try:
        number = _EXACT.create_decimal(text)
    except (InvalidOperation, Inexact, Clamped) as error:
        raise InvalidAmount(str(text)[:80]) from error
    if not number.is_finite() or (number and abs(number.adjusted()) > MAX_EXPONENT):
        raise InvalidAmount(str(text)[:80])
    is_short = isinstance(text, str) and len(text) <= 2 * MAX_EXPONENT
    if not is_short and len(number.as_tuple().digits) > 2 * MAX_EXPONENT:
        raise InvalidAmount(str(text)[:80])
    return number or ZERO


def _in(context: Context) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let a function's operators on decimals work in a context.

    They take half as long as the context's own methods. Functions that it calls work in it too, and
    it must not await anything: the context is the thread's.
    """

    def decorated(function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def in_context(*args: P.args, **kwargs: P.kwargs) -> R:
            before = getcontext()
            setcontext(context)
            try:
                return function(*args, **kwargs)
            finally:
                setcontext(before)

        return in_context

    return decorated


exactly = _in(_EXACT)
"""Let a function's operators on decimals be exact: `+`, `-`, `*` and `sum`, never `/`.

Functions that it calls work so too. It must not await: the context is the thread's.
"""


def total(amounts: Iterable[Decimal]) -> Decimal:
    """Return the exact sum; zero for no amounts at all."""
    result = ZERO
    for amount in amounts:
        result = add(result, amount)
    return result


def percentage(part: Decimal, base: Decimal) -> Decimal:
    """Return part / base x 100, or zero where the base is zero (figures.md's rule)."""
    return multiply(divide(part, base), HUNDRED) if base else ZERO


@_in(_QUOTIENT)
def quotients(dividends: Sequence[Decimal], divisors: Sequence[Decimal]) -> list[Decimal]:
    """Return a column of quotients as `divide` gives them; no divisor may be zero.

    It takes sequences, as all columns here do: the items of an iterator could be computed in
    another context than they are read in, and be rounded there.
    """
    return [*map(truediv, dividends, divisors)]


@_in(_QUOTIENT)
def percentages(parts: Sequence[Decimal], bases: Sequence[Decimal]) -> list[Decimal]:
    """Return a column of what `percentage` gives."""
    if all(bases):
        return [*map(mul, map(truediv, parts, bases), repeat(_HUNDREDFOLD))]
    return [
        part / base * _HUNDREDFOLD if base else ZERO
        for part, base in zip(parts, bases, strict=True)
    ]


def rounded(number: Decimal, places: int) -> Decimal:
    """Return the number to so many decimal places, half-up."""
    return _ROUNDING.quantize(number, _PLACES[places])


@_in(_ROUNDING)
def all_rounded(numbers: Sequence[Decimal | None], places: int) -> list[Decimal | None]:
    """Return a column of numbers to so many decimal places, half-up; None stays None."""
    return [None if number is None else round(number, places) for number in numbers]


def plain(number: Decimal) -> str:
    """Return the wire's text of a number: plain notation, at least one digit after the point.

    No exponent, no trailing zeros beyond that digit, no negative zero, every digit kept.
    """
    text = str(number)  # plain already, in a third of the time, unless it is very small or large
    if "E" in text:
        text = f"{number:f}"
    if "." not in text:
        return "0.0" if number.is_zero() else text + ".0"
    text = text.rstrip("0")
    if text[-1] == ".":
        text += "0"
    return "0.0" if text == "-0.0" else text


def brief(number: Decimal) -> str:
    """Return a number for a sentence: as `plain`, but a whole one without a point."""
    return plain(number).removesuffix(".0")


__all__ = [
    "HUNDRED",
    "MAX_EXPONENT",
    "QUOTIENT_DIGITS",
    "ZERO",
    "add",
    "all_rounded",
    "brief",
    "divide",
    "exactly",
    "multiply",
    "parse",
    "percentage",
    "percentages",
    "plain",
    "quotient_down",
    "quotient_up",
    "quotients",
    "rounded",
    "scaled",
    "shortest",
    "subtract",
    "total",
]
