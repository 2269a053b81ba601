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
from coffers.valuation.history import Amount, Baseline, History, Series, in_btc, in_usd
from coffers.valuation.model import Value

MONTH = Millis(30 * DAY)

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


class Reckoning(msgspec.Struct, frozen=True):
    """One currency's figures with what they come from; None is unknown, as in the figures.

    Each baseline is what a window's profit is reckoned from; `series` tells the first point and
    the last one.
    """

    figures: CurrencyFigures
    series: Series | None = None
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
        return (
            (shown.amount is None and usd.amount is not None)
            or (shown.day is None and usd.day is not None)
            or (shown.month is None and usd.month is not None)
            or (shown.total is None and usd.total is not None)
        )


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


def _currency_figures(
    as_of: Millis, value: Value, history: History | None, amount: Amount
) -> CurrencyFigures:
    return reckoned(as_of, value, history, amount).figures


def reckoned(as_of: Millis, value: Value, history: History | None, amount: Amount) -> Reckoning:
    """Return the figures of one currency, with the points of the past that they come from."""
    now = amount(as_of, value.btc, value.usd)
    if now is None:
        return UNKNOWN_RECKONING
    series = None if history is None else _series(as_of, now, history, amount)
    if series is None:
        return Reckoning(CurrencyFigures(amount=now))
    day = series.baseline(Millis(as_of - DAY))
    month = series.baseline(Millis(as_of - MONTH))
    figures = CurrencyFigures(
        amount=now,
        day=_gain_since(series, day, now),
        month=_gain_since(series, month, now),
        total=money.subtract(series.latest[1], series.opening[1]),
    )
    return Reckoning(figures, series, day, month)


def _series(as_of: Millis, now: Decimal, history: History, amount: Amount) -> Series | None:
    opening = history.earned(history.opening, amount)
    inflow = history.net_inflow(as_of, amount)
    if opening is None or inflow is None:
        return None
    return Series(opening, history, amount, (as_of, money.subtract(now, inflow)))


def _gain_since(series: Series, before: Baseline | None, now: Decimal) -> Gain | None:
    if before is None:
        return None
    return _gain(now, money.subtract(series.latest[1], before.earned))


def _gain(now: Decimal, profit: Decimal) -> Gain:
    return Gain(profit, money.percentage(profit, money.subtract(now, profit)))


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
    return None if profit is None else _gain(amount, profit)


def _total(amounts: Iterable[Decimal | None]) -> Decimal | None:
    known: list[Decimal] = []
    for amount in amounts:
        if amount is None:
            return None
        known.append(amount)
    return money.total(known)
