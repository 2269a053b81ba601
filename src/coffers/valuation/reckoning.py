"""One currency's figures of an account with the points of its past that they come from.

What an explanation needs: the figures are those of `valuation.figures`, to the last digit.
"""

from decimal import Decimal
from typing import Self

import msgspec

from coffers import money
from coffers.clock import Millis
from coffers.valuation.amounts import Amount
from coffers.valuation.figures import CurrencyFigures, Gain, columns_of
from coffers.valuation.history import WINDOWS, History, Line, Point
from coffers.valuation.model import Value


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

    def without_gains(self) -> Self:
        """Return it without what was gained in a day and in a month."""
        figures = msgspec.structs.replace(self.figures, day=None, month=None)
        return msgspec.structs.replace(self, figures=figures, day=None, month=None)


@money.exactly
def reckoned(
    as_of: Millis, value: Value | None, history: History | None, amount: Amount
) -> Reckoning:
    """Return the figures of one currency, with the points of the past that they come from."""
    figures = columns_of([as_of], [value], [history], amount).row(0)
    now = figures.amount
    standing = None if history is None or now is None else history.standing(as_of, now, amount)
    if now is None or standing is None:
        return Reckoning(figures)
    latest = as_of, now - standing.inflow
    day, month = (
        _baseline(gain, line, Millis(as_of - window), latest)
        for gain, line, window in zip(
            (figures.day, figures.month), standing.lines, WINDOWS, strict=True
        )
    )
    return Reckoning(figures, standing.opening, latest, day, month)


def _baseline(
    gain: Gain | None, line: Line | None, moment: Millis, latest: Point
) -> Baseline | None:
    if gain is None or line is None:
        return None
    return Baseline(moment, latest[1] - gain.profit, line.earlier, line.later)
