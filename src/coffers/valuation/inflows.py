"""Very many flows as a few sums: of what lies before all moments in question no more is needed.

An account may have half a million flows. Each by itself takes a kilobyte of every process that
lists the account.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import msgspec

from coffers import money
from coffers.clock import Millis
from coffers.valuation.amounts import NEVER, Amount, InDisplay, in_btc, in_usd, key_of
from coffers.valuation.model import Flow, Value

FEW = 100
"""Flows of an account that are kept one by one, however old they are."""


class Inflow(msgspec.Struct, frozen=True):
    """What was put in by several flows, less what was taken out.

    `at` is the last moment of one of them, `valued_at` the last one of which a worth is. `unvalued`
    says of how many of the `count` the worth is not known: they are in no sum. `shown` is the sum
    in the currency that `key` names, without the `unrated`, of whose moments there is no rate.
    """

    at: Millis
    valued_at: Millis
    count: int
    unvalued: int
    value: Value
    shown: Decimal
    unrated: int
    key: Amount | int

    def told(self, amount: Amount) -> Decimal | None:
        """Return it in a currency, None where that is not known."""
        if amount is in_btc:
            return self.value.btc
        if amount is in_usd:
            return self.value.usd
        return self.shown if self.key == key_of(amount) and not self.unrated else None


@dataclass(slots=True)
class _Sum:
    """An inflow that grows."""

    at: Millis
    valued_at: Millis = NEVER
    count: int = 0
    unvalued: int = 0
    btc: Decimal = money.ZERO
    usd: Decimal = money.ZERO
    shown: Decimal = money.ZERO
    unrated: int = 0

    @classmethod
    def of(cls, each: Inflow) -> "_Sum":
        value, counts = each.value, (each.count, each.unvalued)
        return cls(each.at, each.valued_at, *counts, value.btc, value.usd, each.shown, each.unrated)

    def inflow(self, key: Amount | int) -> Inflow:
        value, counts = Value(self.btc, self.usd), (self.count, self.unvalued)
        return Inflow(self.at, self.valued_at, *counts, value, self.shown, self.unrated, key)


@dataclass(slots=True)
class Inflows:
    """Sums flows up, for whoever asks for their sums at no other moments than the `cuts`.

    `shown` is the currency in which they are summed besides BTC and USD.
    """

    cuts: Sequence[Millis]
    shown: Amount
    _sums: dict[int, _Sum] = field(default_factory=dict)

    @classmethod
    def of(cls, cuts: Sequence[Millis], shown: Amount, known: Sequence[Inflow]) -> "Inflows":
        """Return what goes on with sums that were made with the same cuts and currency."""
        made = cls(cuts, shown)
        for each in known:
            made._sums[bisect_left(cuts, each.at)] = _Sum.of(each)
        return made

    def add(self, flow: Flow) -> bool:
        """Add a flow, unless it has to be kept by itself: return whether it is in the sums.

        That is one behind all cuts, and one of whose moment the rate may still change.
        """
        place = bisect_left(self.cuts, flow.at)
        if place == len(self.cuts) or self._may_change(flow):
            return False
        self._change(self._sums.setdefault(place, _Sum(flow.at)), flow, 1)
        return True

    def remove(self, flow: Flow) -> None:
        """Take a flow out that is in the sums."""
        self._change(self._sums[bisect_left(self.cuts, flow.at)], flow, -1)

    def sums(self) -> tuple[Inflow, ...]:
        """Return the sums in order of time, one between each two cuts where there is something."""
        key = key_of(self.shown)
        return tuple(each.inflow(key) for _, each in sorted(self._sums.items()))

    def _may_change(self, flow: Flow) -> bool:
        shown = self.shown
        if flow.value is None or not isinstance(shown, InDisplay):
            return False
        at = flow.valued_at or flow.at
        # Where no rate at all is kept, the present one alone is known, and later not of this.
        return at > shown.settled_until and (
            shown.settled_until != NEVER or shown.rate_at(at) is not None
        )

    def _change(self, into: _Sum, flow: Flow, by: int) -> None:
        into.at = max(into.at, flow.at)
        into.count += by
        if flow.value is None:
            into.unvalued += by
            return
        at, value = flow.valued_at or flow.at, flow.value
        into.valued_at = max(into.valued_at, at)
        change = money.add if (flow.direction == "in") is (by > 0) else money.subtract
        into.btc = change(into.btc, value.btc)
        into.usd = change(into.usd, value.usd)
        if not isinstance(self.shown, InDisplay):
            return
        worth = self.shown(at, value.btc, value.usd)
        if worth is None:
            into.unrated += by
        else:
            into.shown = change(into.shown, worth)
