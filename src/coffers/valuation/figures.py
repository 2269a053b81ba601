"""The money fields of one account: worth now, and what it gained in a day, a month and in all.

The arithmetic of the accounts API: BTC, USD and the display currency are each reckoned on their
own. Nothing here reads a clock; `as_of` is the moment that the figures speak of.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import compress
from operator import add, mul, sub
from typing import Self, TypeVar, cast

import msgspec

from coffers import money
from coffers.clock import Millis
from coffers.money import percentage
from coffers.valuation.amounts import NEVER, Amount, InDisplay, RateAt, in_btc, in_usd
from coffers.valuation.history import WINDOWS, History, Line
from coffers.valuation.model import Value

T = TypeVar("T")


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


@dataclass(frozen=True, slots=True)
class DisplayCurrency:
    """The currency a user reads amounts in, and its rate now and in the past.

    The rates of moments up to `settled_until` never change, see `InDisplay`.
    """

    code: str
    rate_at: RateAt
    settled_until: Millis = NEVER
    generation: int = 0

    @property
    def amount(self) -> Amount:
        """What tells amounts in it. Those in BTC and in USD need no rate."""
        match self.code:
            case "USD":
                return in_usd
            case "BTC":
                return in_btc
            case _:
                return InDisplay(self.rate_at, self.settled_until, self.generation)


class Figures(msgspec.Struct, frozen=True):
    """All money fields of an account at one moment."""

    btc: CurrencyFigures
    usd: CurrencyFigures
    display: CurrencyFigures
    display_currency: str

    @property
    def lacks_rate(self) -> bool:
        """Whether something is known in USD, but not in the display currency: a rate is missing."""
        return self.display is not self.usd and _lacks_any(
            _known_of(self.display), _known_of(self.usd)
        )


Column = Sequence[Decimal | None]
"""One number of each of several accounts, in the accounts' order. None is unknown."""


class Columns(msgspec.Struct, frozen=True):
    """One currency's figures of several accounts: a column for each of the numbers."""

    amount: Column
    day_profit: Column
    day_percentage: Column
    month_profit: Column
    month_percentage: Column
    total: Column

    @classmethod
    def of(cls, rows: Sequence[CurrencyFigures]) -> Self:
        """Return the columns of accounts whose figures are known one by one."""
        days, months = [row.day for row in rows], [row.month for row in rows]
        return cls(
            [row.amount for row in rows],
            [None if day is None else day.profit for day in days],
            [None if day is None else day.percentage for day in days],
            [None if month is None else month.profit for month in months],
            [None if month is None else month.percentage for month in months],
            [row.total for row in rows],
        )

    def without_gains(self, places: Sequence[bool]) -> Self:
        """Return them without what was gained in a day and in a month, at some places."""

        def hidden(column: Column) -> Column:
            return [None if hides else told for told, hides in zip(column, places, strict=True)]

        return msgspec.structs.replace(
            self,
            day_profit=hidden(self.day_profit),
            day_percentage=hidden(self.day_percentage),
            month_profit=hidden(self.month_profit),
            month_percentage=hidden(self.month_percentage),
        )

    def row(self, place: int) -> CurrencyFigures:
        """Return the figures of the account at a place."""
        return CurrencyFigures(
            self.amount[place],
            _gain(self.day_profit[place], self.day_percentage[place]),
            _gain(self.month_profit[place], self.month_percentage[place]),
            self.total[place],
        )


class Sheet(msgspec.Struct, frozen=True):
    """All money fields of several accounts, column by column.

    To reckon and write a list in columns takes three quarters of the time that it takes account by
    account. `display` may be the very object `usd` or `btc`, where that is the display currency.
    """

    btc: Columns
    usd: Columns
    display: Columns
    display_currency: str

    @classmethod
    def of(cls, rows: Sequence[Figures], display_currency: str) -> Self:
        """Return the sheet of accounts whose figures are known one by one."""
        usd = Columns.of([row.usd for row in rows])
        is_usd = all(row.display is row.usd for row in rows)
        shown = usd if is_usd else Columns.of([row.display for row in rows])
        return cls(Columns.of([row.btc for row in rows]), usd, shown, display_currency)

    def without_gains(self, places: Sequence[bool]) -> Self:
        """Return it without what was gained in a day and in a month, at some places."""
        btc, usd = self.btc.without_gains(places), self.usd.without_gains(places)
        if self.display is self.usd:
            shown = usd
        else:
            shown = btc if self.display is self.btc else self.display.without_gains(places)
        return type(self)(btc, usd, shown, self.display_currency)

    def row(self, place: int) -> Figures:
        """Return the figures of the account at a place."""
        btc, usd = self.btc.row(place), self.usd.row(place)
        if self.display is self.usd:
            shown = usd
        else:
            shown = btc if self.display is self.btc else self.display.row(place)
        return Figures(btc, usd, shown, self.display_currency)

    @property
    def lacks_rate(self) -> list[bool]:
        """Of each account whether a rate is missing for it, as `Figures` tells it."""
        if self.display is self.usd:
            return [False] * len(self.usd.amount)
        rows = zip(_known_in(self.display), _known_in(self.usd), strict=True)
        return [_lacks_any(shown, usd) for shown, usd in rows]


@money.exactly
def sheet_of(
    moments: Sequence[Millis],
    values: Sequence[Value | None],
    histories: Sequence[History | None],
    display: DisplayCurrency,
) -> Sheet:
    """Return the figures of accounts, of each of which there is a moment, a value and a past.

    Without a value all of an account is unknown; without a history (no snapshot yet) its profits
    are.
    """
    btc = columns_of(moments, values, histories, in_btc)
    usd = columns_of(moments, values, histories, in_usd)
    match display.code:
        case "USD":
            shown = usd
        case "BTC":
            shown = btc
        case _:
            shown = columns_of(moments, values, histories, display.amount)
    return Sheet(btc, usd, shown, display.code)


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


@money.exactly
def columns_of(
    moments: Sequence[Millis],
    values: Sequence[Value | None],
    histories: Sequence[History | None],
    amount: Amount,
) -> Columns:
    """Return the figures of accounts in one currency, see `sheet_of`."""
    now = [
        None if value is None else amount(as_of, value.btc, value.usd)
        for as_of, value in zip(moments, values, strict=True)
    ]
    standings = History.standings(moments, now, histories, amount)
    known = [*filter(None, standings)]
    has = [*map(sub, _where(standings, now), [standing.inflow for standing in known])]
    total = [*map(sub, has, [standing.opening[1] for standing in known])]
    earned = _spread(standings, has)
    day, month = (
        _gains(
            moments,
            now,
            earned,
            [None if standing is None else standing.lines[number] for standing in standings],
            window,
        )
        for number, window in enumerate(WINDOWS)
    )
    return Columns(now, *day, *month, _spread(standings, total))


def _gains(
    moments: Sequence[Millis],
    now: Column,
    earned: Column,
    lines: Sequence[Line | None],
    window: Millis,
) -> tuple[Column, Column]:
    """Return the profits of a window and their percentages: of each account whose line is known."""
    known = [*filter(None, lines)]
    # Mostly all are of one moment.
    since = {as_of: Decimal(as_of - window) for as_of in {*moments}}
    begins = [since[as_of] for as_of in _where(lines, moments)]
    slopes = [line.slope for line in known]
    reached = [*map(add, [line.base for line in known], map(mul, slopes, begins))]
    before = money.quotients(reached, [line.span for line in known])
    if not all(slopes):
        # A quotient has 50 digits, and what does not change may have more.
        before = [
            told if line.slope else line.earlier[1]
            for told, line in zip(before, known, strict=True)
        ]
    profits = [*map(sub, _where(lines, earned), before)]
    bases = [*map(sub, _where(lines, now), profits)]
    return _spread(lines, profits), _spread(lines, money.percentages(profits, bases))


def _where(known: Sequence[object | None], column: Sequence[T | None]) -> Iterator[T]:
    """Return those of a column that stand where something is known, and are known there too."""
    return cast("Iterator[T]", compress(column, known))


def _spread(known: Sequence[object | None], numbers: Sequence[Decimal]) -> Column:
    """Return a column with numbers where something is known, in their order."""
    if len(numbers) == len(known):
        return numbers
    told = iter(numbers)
    return [None if each is None else next(told) for each in known]


def _known_of(figures: CurrencyFigures) -> tuple[object, ...]:
    return figures.amount, figures.day, figures.month, figures.total


def _known_in(columns: Columns) -> Iterable[tuple[object, ...]]:
    return zip(columns.amount, columns.day_profit, columns.month_profit, columns.total, strict=True)


def _lacks_any(shown: tuple[object, ...], known: tuple[object, ...]) -> bool:
    """Return whether something that is known is not shown."""
    return None in shown and any(
        told is None and other is not None for told, other in zip(shown, known, strict=True)
    )


def _gain(profit: Decimal | None, in_percent: Decimal | None) -> Gain | None:
    return None if profit is None or in_percent is None else Gain(profit, in_percent)


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
