"""An account's past: its snapshots and flows, and the series that profits are read from.

A profit between two moments is the change of *value less everything put in so far*. Snapshots are
interpolated on that series, not on the value itself: between two readings with a deposit in
between, a straight line through the values would count part of the deposit as gain.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

import msgspec

from coffers import money
from coffers.clock import Millis
from coffers.valuation.model import Flow, Snapshot

Amount = Callable[[Millis, Decimal, Decimal], Decimal | None]
"""Picks one currency's amount out of (moment, BTC, USD); None where it is not known then."""

Point = tuple[Millis, Decimal]
"""A moment, and the value less all net inflow at that moment."""


def in_btc(_at: Millis, btc: Decimal, _usd: Decimal) -> Decimal:
    """Pick the amount in BTC."""
    return btc


def in_usd(_at: Millis, _btc: Decimal, usd: Decimal) -> Decimal:
    """Pick the amount in USD."""
    return usd


_FIXED: Final[frozenset[Amount]] = frozenset({in_btc, in_usd})
"""What picks amounts that never change."""

_KEPT_POINTS: Final = 16
"""Points of a past that are kept: those of the windows' ends and of the opening, in BTC and USD."""

_KEPT_LINES: Final = 2
"""Lines of a past that are kept in each currency: those that the two windows begin on."""


class Baseline(msgspec.Struct, frozen=True):
    """What a profit is reckoned from: the series at a past moment, and how it was found.

    It lies on the straight line from `earlier` to `later`. Where one point alone tells it (it is
    of that very moment, or the opening, with nothing before it) there is no `later`.
    """

    moment: Millis
    earned: Decimal
    earlier: Point
    later: Point | None = None


class _Line(msgspec.Struct, frozen=True):
    """The straight line between two points that never change: (`base` + `slope` x t) / `span`."""

    earlier: Point
    later: Point
    base: Decimal
    slope: Decimal
    span: Decimal

    @classmethod
    def between(cls, earlier: Point, later: Point) -> "_Line":
        """Return the line; `later` is later."""
        (start, first), (end, last) = earlier, later
        return cls(
            earlier,
            later,
            money.subtract(
                money.multiply(first, Decimal(end)), money.multiply(last, Decimal(start))
            ),
            money.subtract(last, first),
            Decimal(end - start),
        )

    def at(self, moment: Millis) -> Decimal:
        """Return the value at a moment."""
        if not self.slope or moment == self.earlier[0]:
            return self.earlier[1]
        rise = money.multiply(self.slope, Decimal(moment))
        return money.divide(money.add(self.base, rise), self.span)


@dataclass(frozen=True, slots=True)
class History:
    """What profits need of the past.

    `opening` is the first snapshot: the opening deposit. `snapshots` are in order of time and hold
    at least those around the moments asked for. `flows` are all that came after the opening.
    """

    opening: Snapshot
    snapshots: tuple[Snapshot, ...]
    flows: tuple[Flow, ...] = ()
    # What was reckoned before, of amounts that never change: most is asked for with every new book.
    _points: dict[tuple[Amount, Millis], Point] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    _lines: dict[Amount, list[_Line]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    _inflows: dict[Amount, tuple[list[Millis], list[Decimal]]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @property
    def has_unvalued_flows(self) -> bool:
        """Whether a flow is left out of the profits, since its worth is not known."""
        return any(flow.value is None for flow in self.flows)

    def earned(self, snapshot: Snapshot, amount: Amount) -> Point | None:
        """Return a snapshot's value less all net inflow until then, None where it is not known."""
        if amount not in _FIXED:
            return self._earned_by(snapshot, amount)
        key = amount, snapshot.at
        known = self._points.get(key)
        if known is None:
            known = self._earned_by(snapshot, amount)
            if known is not None:
                if len(self._points) >= _KEPT_POINTS:
                    self._points.clear()
                self._points[key] = known
        return known

    def line(self, moment: Millis, amount: Amount) -> _Line | None:
        """Return the line between two snapshots that was kept for a moment, None where none was."""
        for line in self._lines.get(amount, ()):
            if line.earlier[0] <= moment < line.later[0]:
                return line
        return None

    def keep(self, line: _Line, amount: Amount) -> None:
        """Keep a line between two snapshots, where its currency's amounts never change."""
        if amount in _FIXED:
            kept = self._lines.setdefault(amount, [])
            if len(kept) >= _KEPT_LINES:
                kept.clear()
            kept.append(line)

    def _earned_by(self, snapshot: Snapshot, amount: Amount) -> Point | None:
        worth = amount(snapshot.at, snapshot.value.btc, snapshot.value.usd)
        if worth is None or not self.flows:
            return None if worth is None else (snapshot.at, worth)
        inflow = self.net_inflow(snapshot.at, amount)
        return None if inflow is None else (snapshot.at, money.subtract(worth, inflow))

    def net_inflow(self, until: Millis, amount: Amount) -> Decimal | None:
        """Return deposits less withdrawals up to a moment, as the function of this name does."""
        if amount not in _FIXED:
            return net_inflow(self.flows, until, amount)
        if not self.flows:
            return money.ZERO
        moments, sums = self._inflows.get(amount) or self._summed(amount)
        return sums[bisect_right(moments, until)]

    def _summed(self, amount: Amount) -> tuple[list[Millis], list[Decimal]]:
        """Return the moments of the flows, and what had come in before the first, after each."""
        ordered = sorted(self.flows, key=_moment_of_flow)
        found = [flow.at for flow in ordered], [*_running(ordered, amount)]
        self._inflows[amount] = found
        return found


class Series(msgspec.Struct, frozen=True):
    """Value less net inflow over time, in one currency; `latest` is its last point.

    `opening` is the first. Of the snapshots between, only those that are asked for are reckoned:
    two of the dozens that an account has.
    """

    opening: Point
    history: History
    amount: Amount
    latest: Point

    def baseline(self, moment: Millis) -> Baseline | None:
        """Return the series at a moment: linear in time between the two points around it.

        Before the opening it is the opening's: an account younger than a window starts there.
        None where the currency's amount is not known at one of the points.
        """
        if moment <= self.opening[0]:
            return Baseline(moment, self.opening[1], self.opening)
        line = self.history.line(moment, self.amount) or self._line(moment)
        if line is None:
            return None
        later = None if moment == line.earlier[0] else line.later
        return Baseline(moment, line.at(moment), line.earlier, later)

    def _line(self, moment: Millis) -> _Line | None:
        """Return the line that a moment after the opening lies on."""
        snapshots = self.history.snapshots
        after = bisect_right(snapshots, moment, key=_moment)
        earlier = self._earned(snapshots[after - 1]) if after else self.opening
        if earlier is not None and earlier[0] == moment:
            return _Line.between(earlier, earlier)
        is_past = after < len(snapshots)
        later = self._earned(snapshots[after]) if is_past else self.latest
        if earlier is None or later is None:
            return None
        line = _Line.between(earlier, later)
        if is_past:
            self.history.keep(line, self.amount)
        return line

    def _earned(self, snapshot: Snapshot) -> Point | None:
        return self.history.earned(snapshot, self.amount)


def net_inflow(flows: Sequence[Flow], until: Millis, amount: Amount) -> Decimal | None:
    """Return deposits less withdrawals up to a moment, each at its worth when it happened.

    A flow whose worth is not known is left out (`History.has_unvalued_flows` tells); None where
    a worth is known but cannot be told in this currency.
    """
    result = money.ZERO
    for flow in flows:
        if flow.value is None or flow.at > until:
            continue
        worth = amount(flow.valued_at or flow.at, flow.value.btc, flow.value.usd)
        if worth is None:
            return None
        change = money.add if flow.direction == "in" else money.subtract
        result = change(result, worth)
    return result


def _running(flows: Iterable[Flow], amount: Amount) -> Iterator[Decimal]:
    """Return the net inflow before the first of some flows and after each of them."""
    result = money.ZERO
    yield result
    for flow in flows:
        worth = net_inflow((flow,), flow.at, amount)
        if worth is not None:
            result = money.add(result, worth)
        yield result


def _moment(snapshot: Snapshot) -> Millis:
    return snapshot.at


def _moment_of_flow(flow: Flow) -> Millis:
    return flow.at
