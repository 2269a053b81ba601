"""The money fields of one account: worth now, and what it gained in a day, a month and in all.

The arithmetic of the accounts API: BTC, USD and the display currency are each reckoned on their
own. Nothing here reads a clock; `as_of` is the moment that the figures speak of.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal

import msgspec

from coffers import money
from coffers.clock import DAY, Millis
from coffers.money import divide, percentage
from coffers.valuation.history import (
    MONTH,
    Amount,
    History,
    Line,
    Point,
    Standing,
    in_btc,
    in_usd,
)
from coffers.valuation.model import Value

RateAt = Callable[[Millis], Decimal | None]
"""USD -> display currency: units of it per USD at a moment, None where that is not known."""


class Gain(msgspec.Struct, frozen=True):
    """A profit in units of its currency, and as a percentage of what it was made from."""

    profit: Decimal
    percentage: Decimal


class CurrencyFigures(msgspec.Struct, frozen=True):
    """One currency's figures. None is unknown: no value yet, or no rate at a needed moment."""

    amount: Decimal | None = None
    day: Gain | None = None
    month: Gain | None = None
    total: Decimal | None = None


UNKNOWN_FIGURES = CurrencyFigures()


class Baseline(msgspec.Struct, frozen=True):
    """What a profit is reckoned from: the series at a past moment, and how it was found.

    It lies on the straight line from `earlier` to `later`. Where one point alone tells it (it is
    of that very moment, or the opening, with nothing before it) there is no `later`.
    """

    moment: Millis
    earned: Decimal
    earlier: Point
    later: Point | None


class Reckoning(msgspec.Struct, frozen=True):
    """One currency's figures with what they come from; None is unknown, as in the figures.

    `opening` and `latest` are the first point of the series and the last one; each baseline is
    what a window's profit is reckoned from.
    """

    figures: CurrencyFigures
    opening: Point | None = None
    latest: Point | None = None
    day: Baseline | None = None
    month: Baseline | None = None


UNKNOWN_RECKONING = Reckoning(UNKNOWN_FIGURES)


@dataclass(frozen=True, slots=True)
class DisplayCurrency:
    """The currency a user reads amounts in, and its rate now and in the past."""

    code: str
    rate_at: RateAt


class Figures(msgspec.Struct, frozen=True):
    """All money fields of an account at one moment."""

    btc: CurrencyFigures
    usd: CurrencyFigures
    display: CurrencyFigures
    display_currency: str

    @property
    def lacks_rate(self) -> bool:
        """Whether something is known in USD, but not in the display currency: a rate is missing."""
        shown, usd = self.display, self.usd
        return shown is not usd and (
            (shown.amount is None and usd.amount is not None)
            or (shown.day is None and usd.day is not None)
            or (shown.month is None and usd.month is not None)
            or (shown.total is None and usd.total is not None)
        )


@money.exactly
def figures_of(
    as_of: Millis, value: Value | None, history: History | None, display: DisplayCurrency
) -> Figures:
    """Return the figures of an account worth `value` at `as_of`.

    Without a value all is unknown; without a history (no snapshot yet) the profits are.
    """
    if value is None:
        return Figures(UNKNOWN_FIGURES, UNKNOWN_FIGURES, UNKNOWN_FIGURES, display.code)
    btc = _currency_figures(as_of, value, history, in_btc)
    usd = _currency_figures(as_of, value, history, in_usd)
    match display.code:
        case "USD":
            shown = usd
        case "BTC":
            shown = btc
        case _:
            shown = _currency_figures(as_of, value, history, in_display(display.rate_at))
    return Figures(btc, usd, shown, display.code)


@money.exactly
def summary_of(figures: Iterable[Figures], display_currency: str) -> Figures:
    """Return the figures of several accounts taken together: the exact sums of theirs.

    What is unknown of one account is unknown of the sum.
    """
    accounts = tuple(figures)
    return Figures(
        _sum(account.btc for account in accounts),
        _sum(account.usd for account in accounts),
        _sum(account.display for account in accounts),
        display_currency,
    )


def in_display(rate_at: RateAt) -> Amount:
    """Return what tells amounts in a display currency: USD by the rate of the moment."""

    def amount(at: Millis, _btc: Decimal, usd: Decimal) -> Decimal | None:
        rate = rate_at(at)
        return None if rate is None else money.multiply(usd, rate)

    return amount


@money.exactly
def reckoned(as_of: Millis, value: Value, history: History | None, amount: Amount) -> Reckoning:
    """Return the figures of one currency, with the points of the past that they come from."""
    now = amount(as_of, value.btc, value.usd)
    standing = None if history is None or now is None else history.standing(as_of, now, amount)
    if now is None or standing is None:
        return Reckoning(CurrencyFigures(now))
    figures = _since(standing, as_of, now)
    latest = as_of, now - standing.inflow
    day, month = standing.lines
    return Reckoning(
        figures,
        standing.opening,
        latest,
        _baseline(figures.day, day, Millis(as_of - DAY), latest),
        _baseline(figures.month, month, Millis(as_of - MONTH), latest),
    )


def _currency_figures(
    as_of: Millis, value: Value, history: History | None, amount: Amount
) -> CurrencyFigures:
    now = amount(as_of, value.btc, value.usd)
    standing = None if history is None or now is None else history.standing(as_of, now, amount)
    if now is None or standing is None:
        return CurrencyFigures(now)
    return _since(standing, as_of, now)


def _since(standing: Standing, as_of: Millis, now: Decimal) -> CurrencyFigures:
    """Return the figures of an account of which the past is known."""
    earned = now - standing.inflow
    day, month = standing.lines
    return CurrencyFigures(
        now,
        None if day is None else _gain_on(day, as_of - DAY, earned, now),
        None if month is None else _gain_on(month, as_of - MONTH, earned, now),
        earned - standing.opening[1],
    )


def _gain_on(line: Line, moment: int, earned: Decimal, now: Decimal) -> Gain:
    # A quotient has 50 digits, and what does not change may have more.
    if not line.slope or moment == line.earlier[0]:
        profit = earned - line.earlier[1]
    else:
        profit = earned - divide(line.base + line.slope * moment, line.span)
    return Gain(profit, percentage(profit, now - profit))


def _baseline(
    gain: Gain | None, line: Line | None, moment: Millis, latest: Point
) -> Baseline | None:
    if gain is None or line is None:
        return None
    later = None if moment == line.earlier[0] else line.later
    return Baseline(moment, latest[1] - gain.profit, line.earlier, later)


def _sum(parts: Iterable[CurrencyFigures]) -> CurrencyFigures:
    figures = tuple(parts)
    amount = _total(part.amount for part in figures)
    if amount is None:
        return UNKNOWN_FIGURES
    return CurrencyFigures(
        amount=amount,
        day=_total_gain(amount, (part.day for part in figures)),
        month=_total_gain(amount, (part.month for part in figures)),
        total=_total(part.total for part in figures),
    )


def _total_gain(amount: Decimal, gains: Iterable[Gain | None]) -> Gain | None:
    profit = _total(None if gain is None else gain.profit for gain in gains)
    return None if profit is None else Gain(profit, percentage(profit, amount - profit))


def _total(amounts: Iterable[Decimal | None]) -> Decimal | None:
    known: list[Decimal] = []
    for amount in amounts:
        if amount is None:
            return None
        known.append(amount)
    return money.total(known)
