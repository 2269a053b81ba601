"""The money fields of one account: worth now, and what it gained in a day, a month and in all.

The arithmetic of the accounts API: BTC, USD and the display currency are each reckoned on their
own. Nothing here reads a clock; `as_of` is the moment that the figures speak of.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal

from coffers import money
from coffers.clock import DAY, Millis
from coffers.valuation.history import Amount, History, Series, net_inflow
from coffers.valuation.model import Value

MONTH = Millis(30 * DAY)

RateAt = Callable[[Millis], Decimal | None]
"""USD -> display currency: units of it per USD at a moment, None where that is not known."""


@dataclass(frozen=True, slots=True)
class Gain:
    """A profit in units of its currency, and as a percentage of what it was made from."""

    profit: Decimal
    percentage: Decimal


@dataclass(frozen=True, slots=True)
class CurrencyFigures:
    """One currency's figures. None is unknown: no value yet, or no rate at a needed moment."""

    amount: Decimal | None = None
    day: Gain | None = None
    month: Gain | None = None
    total: Decimal | None = None


UNKNOWN_FIGURES = CurrencyFigures()


@dataclass(frozen=True, slots=True)
class DisplayCurrency:
    """The currency a user reads amounts in, and its rate now and in the past."""

    code: str
    rate_at: RateAt


@dataclass(frozen=True, slots=True)
class Figures:
    """All money fields of an account at one moment."""

    btc: CurrencyFigures
    usd: CurrencyFigures
    display: CurrencyFigures
    display_currency: str


def figures_of(
    as_of: Millis, value: Value | None, history: History | None, display: DisplayCurrency
) -> Figures:
    """Return the figures of an account worth `value` at `as_of`.

    Without a value all is unknown; without a history (no snapshot yet) the profits are.
    """
    if value is None:
        return Figures(UNKNOWN_FIGURES, UNKNOWN_FIGURES, UNKNOWN_FIGURES, display.code)
    btc = _currency_figures(as_of, value, history, _in_btc)
    usd = _currency_figures(as_of, value, history, _in_usd)
    match display.code:
        case "USD":
            shown = usd
        case "BTC":
            shown = btc
        case _:
            shown = _currency_figures(as_of, value, history, _in_display(display.rate_at))
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


def _in_btc(_at: Millis, btc: Decimal, _usd: Decimal) -> Decimal:
    return btc


def _in_usd(_at: Millis, _btc: Decimal, usd: Decimal) -> Decimal:
    return usd


def _in_display(rate_at: RateAt) -> Amount:
    def amount(at: Millis, _btc: Decimal, usd: Decimal) -> Decimal | None:
        rate = rate_at(at)
        return None if rate is None else money.multiply(usd, rate)

    return amount


def _currency_figures(
    as_of: Millis, value: Value, history: History | None, amount: Amount
) -> CurrencyFigures:
    now = amount(as_of, value.btc, value.usd)
    if now is None:
        return UNKNOWN_FIGURES
    series = None if history is None else _series(as_of, now, history, amount)
    if series is None:
        return CurrencyFigures(amount=now)
    earned = series.latest[1]
    return CurrencyFigures(
        amount=now,
        day=_gain_since(series, Millis(as_of - DAY), now),
        month=_gain_since(series, Millis(as_of - MONTH), now),
        total=money.subtract(earned, series.opening[1]),
    )


def _series(as_of: Millis, now: Decimal, history: History, amount: Amount) -> Series | None:
    opening = history.earned(history.opening, amount)
    inflow = net_inflow(history.flows, as_of, amount)
    if opening is None or inflow is None:
        return None
    return Series(opening, history, amount, (as_of, money.subtract(now, inflow)))


def _gain_since(series: Series, moment: Millis, now: Decimal) -> Gain | None:
    before = series.at(moment)
    return None if before is None else _gain(now, money.subtract(series.latest[1], before))


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
