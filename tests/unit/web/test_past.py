"""The line of what was put in, beside what accounts are worth."""

from decimal import Decimal

from coffers.clock import DAY, HOUR, Millis
from coffers.portfolio.charts import Payment, Point
from coffers.valuation.figures import DisplayCurrency
from coffers.valuation.model import NOTHING, Value
from coffers.web.past import _put_in

MIDNIGHT = Millis(20_000 * DAY)
RISEN = Millis(MIDNIGHT + 2 * HOUR)
"""Until then a dollar is half a euro, and from then on two."""


def rate_at(at: Millis) -> Decimal | None:
    if at < MIDNIGHT:
        return None
    return Decimal("0.5") if at < RISEN else Decimal(2)


EURO = DisplayCurrency("EUR", rate_at)


def worth(usd: int) -> Value:
    return Value(Decimal(0), Decimal(usd))


def paid(usd: int, at: int, valued_at: int | None = None) -> Payment:
    return Payment(Millis(at), worth(usd), Millis(at if valued_at is None else valued_at))


def put_in(*payments: Payment, deposited: Value | None = NOTHING) -> list[Decimal | None]:
    opening = paid(100, MIDNIGHT)
    points = [
        Point(MIDNIGHT, worth(100), worth(100), payments=(opening,)),
        Point(Millis(MIDNIGHT + DAY), worth(100), deposited, payments=payments),
        Point(Millis(MIDNIGHT + 2 * DAY), worth(100), NOTHING),
    ]
    return [mark.value for mark in _put_in(points, EURO)]


def test_each_payment_counts_at_the_rate_of_its_own_moment_and_not_of_the_point() -> None:
    assert put_in(paid(10, RISEN - 1), paid(-4, RISEN)) == [50, 47, 47]
    assert put_in(paid(10, RISEN + 1, valued_at=RISEN - 1)) == [50, 55, 55]


def test_once_something_is_unknown_so_is_every_later_sum() -> None:
    assert put_in(paid(10, RISEN, valued_at=MIDNIGHT - 1)) == [50, None, None]
    assert put_in(deposited=None) == [50, None, None]
