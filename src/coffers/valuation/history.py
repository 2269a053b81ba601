"""An account's past: its snapshots and flows, and the series that profits are read from.

A profit between two moments is the change of *value less everything put in so far*. Snapshots are
interpolated on that series, not on the value itself: between two readings with a deposit in
between, a straight line through the values would count part of the deposit as gain.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

import msgspec

from coffers import money
from coffers.clock import DAY, Millis
from coffers.valuation.model import Flow, Snapshot

Amount = Callable[[Millis, Decimal, Decimal], Decimal | None]
"""Picks one currency's amount out of (moment, BTC, USD); None where it is not known then."""

RateAt = Callable[[Millis], Decimal | None]
"""USD -> display currency: units of it per USD at a moment, None where that is not known."""

Point = tuple[Millis, Decimal]
"""A moment, and the value less all net inflow at that moment."""

NEVER: Final = Millis(-1)
_EVER: Final = Millis(2**62)


def in_btc(_at: Millis, btc: Decimal, _usd: Decimal) -> Decimal:
    """Pick the amount in BTC."""
    return btc


def in_usd(_at: Millis, _btc: Decimal, usd: Decimal) -> Decimal:
    """Pick the amount in USD."""
    return usd


_FIXED: Final[frozenset[Amount]] = frozenset({in_btc, in_usd})
"""What picks amounts that never change."""


@dataclass(frozen=True, slots=True)
class InDisplay:
    """Tells amounts in a display currency: USD by the rate of the moment.

    What it tells of moments up to `settled_until` never changes, and is what any other tells of
    them that has rates of the same `generation`.
    """

    rate_at: RateAt
    settled_until: Millis = NEVER
    generation: int = 0

    def __call__(self, at: Millis, _btc: Decimal, usd: Decimal) -> Decimal | None:
        """Return the amount of a moment."""
        rate = self.rate_at(at)
        return None if rate is None else money.multiply(usd, rate)


MONTH: Final = Millis(30 * DAY)

WINDOWS: Final = (Millis(DAY), MONTH)
"""The spans of time that gains are told of."""


class Line(msgspec.Struct, frozen=True):
    """A straight line between two points: (`base` + `slope` x t) / `span`.

    Where one point alone tells the value (it is of that very moment, or it is the opening, with
    nothing before it) there is no `later`, and no slope. After the last snapshot a line leads to
    what the account is worth now.
    """

    earlier: Point
    later: Point | None
    base: Decimal
    slope: Decimal
    span: Decimal
    leads_to_now: bool = False

    @classmethod
    def between(cls, earlier: Point, later: Point, *, leads_to_now: bool = False) -> "Line":
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
            leads_to_now,
        )

    @classmethod
    def level(cls, point: Point) -> "Line":
        """Return the line on which all is as at one point."""
        return cls(point, None, point[1], money.ZERO, Decimal(1))


class Standing(msgspec.Struct, frozen=True):
    """What an account's gains come from in one currency, besides what it is worth now.

    `opening` is the first point of its series, `inflow` all that was put in since. `lines` are the
    ones that the windows begin on, in the order of `WINDOWS`; None where one of a line's ends is
    not known. It is the same for every moment in `since`..`until`, but for lines that lead to what
    the account is worth now: `is_past` says that there are none.
    """

    opening: Point
    inflow: Decimal
    lines: tuple[Line | None, ...]
    is_past: bool
    since: Millis
    until: Millis


@dataclass(frozen=True, slots=True)
class History:
    """What profits need of the past.

    `opening` is the first snapshot: the opening deposit. `snapshots` are in order of time and hold
    at least those around the moments asked for. `flows` are all that came after the opening;
    `has_unvalued_flows` tells whether one is left out of the profits, since its worth is not known.
    """

    opening: Snapshot
    snapshots: tuple[Snapshot, ...]
    flows: tuple[Flow, ...] = ()
    has_unvalued_flows: bool = field(init=False, repr=False, compare=False)
    # In BTC, in USD and in one display currency: a new price book asks for the same again. That of
    # rates has their generation for a key: it would keep rates alive that nobody needs any more.
    _standings: dict[Amount | int, Standing] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        is_lacking = any(flow.value is None for flow in self.flows)
        object.__setattr__(self, "has_unvalued_flows", is_lacking)

    def standing(self, as_of: Millis, now: Decimal, amount: Amount) -> Standing | None:
        """Return what the gains come from of an account that is worth `now` at `as_of`.

        The series that they are read from is straight between its points: the snapshots, and what
        the account is worth now. Before the opening it is the opening's, so that an account younger
        than a window starts there. Of the snapshots only those that are asked for are reckoned: two
        to four of the dozens that an account has.

        None where an amount is not known in the currency.
        """
        return self.standings((as_of,), (now,), (self,), amount)[0]

    @classmethod
    def standings(
        cls,
        moments: Iterable[Millis],
        now: Iterable[Decimal | None],
        histories: Iterable["History | None"],
        amount: Amount,
    ) -> list[Standing | None]:
        """Return what the gains of several accounts come from, see `standing`.

        None also where an account has no past, or is worth nobody knows what.
        """
        key = _key(amount)
        return [
            None
            if history is None or worth is None
            else history._reckoned(as_of, worth, amount)  # noqa: SLF001 - of this class
            if (kept := history._standings.get(key)) is None  # noqa: SLF001 - of this class
            or not kept.since <= as_of <= kept.until
            else kept
            if kept.is_past
            else _led_to(kept, (as_of, money.subtract(worth, kept.inflow)))
            for as_of, worth, history in zip(moments, now, histories, strict=True)
        ]

    def _reckoned(self, as_of: Millis, now: Decimal, amount: Amount) -> Standing | None:
        opening, inflow = self.earned(self.opening, amount), net_inflow(self.flows, as_of, amount)
        if opening is None or inflow is None:
            return None
        latest = as_of, money.subtract(now, inflow)
        lines = tuple(
            self._line(Millis(as_of - window), opening, latest, amount) for window in WINDOWS
        )
        is_past = not any(line is not None and line.leads_to_now for line in lines)
        standing = Standing(opening, inflow, lines, is_past, *self._span(as_of, opening, lines))
        self._keep(standing, amount)
        return standing

    def _keep(self, standing: Standing, amount: Amount) -> None:
        """Keep what will be the same when it is asked for again."""
        if isinstance(amount, InDisplay):
            if None in standing.lines or self._newest(standing) > amount.settled_until:
                return
            for other in [each for each in self._standings if isinstance(each, int)]:
                del self._standings[other]
        elif amount not in _FIXED:
            return
        self._standings[_key(amount)] = standing

    def _newest(self, standing: Standing) -> Millis:
        """Return the last of the past moments whose amounts are in it, or may be."""
        ends = [
            end
            for line in standing.lines
            if line is not None
            for end in (line.earlier, None if line.leads_to_now else line.later)
            if end is not None
        ]
        moments = [flow.valued_at or flow.at for flow in self.flows]
        return max([standing.opening[0], *(at for at, _ in ends), *moments])

    def earned(self, snapshot: Snapshot, amount: Amount) -> Point | None:
        """Return a snapshot's value less all net inflow until then, None where it is not known."""
        worth = amount(snapshot.at, snapshot.value.btc, snapshot.value.usd)
        inflow = None if worth is None else net_inflow(self.flows, snapshot.at, amount)
        if worth is None or inflow is None:
            return None
        return snapshot.at, money.subtract(worth, inflow)

    def _line(self, moment: Millis, opening: Point, latest: Point, amount: Amount) -> Line | None:
        """Return the line that a moment lies on, None where one of its ends is not known."""
        if moment <= opening[0]:
            return Line.level(opening)
        after = bisect_right(self.snapshots, moment, key=_moment)
        earlier = self.earned(self.snapshots[after - 1], amount) if after else opening
        if earlier is not None and earlier[0] == moment:
            return Line.level(earlier)
        is_past = after < len(self.snapshots)
        later = self.earned(self.snapshots[after], amount) if is_past else latest
        if earlier is None or later is None:
            return None
        return Line.between(earlier, later, leads_to_now=not is_past)

    def _span(
        self, as_of: Millis, opening: Point, lines: Sequence[Line | None]
    ) -> tuple[Millis, Millis]:
        """Return the first and the last moment with this inflow and windows on these lines."""
        since = max((flow.at for flow in self.flows if flow.at <= as_of), default=opening[0])
        until = min((Millis(flow.at - 1) for flow in self.flows if flow.at > as_of), default=_EVER)
        for window, line in zip(WINDOWS, lines, strict=True):
            if line is None or (line.later is None and line.earlier is not opening):
                return as_of, as_of
            if line.later is None:
                until = Millis(min(until, opening[0] + window))
            else:
                # At the moment of its first end itself that end alone tells it.
                since = Millis(max(since, line.earlier[0] + window + 1))
                if not line.leads_to_now:
                    until = Millis(min(until, line.later[0] + window - 1))
        return since, until


def _key(amount: Amount) -> Amount | int:
    return amount.generation if isinstance(amount, InDisplay) else amount


def _led_to(standing: Standing, latest: Point) -> Standing:
    """Return what was kept, with the lines to now led to the present value."""
    lines = tuple(
        Line.between(line.earlier, latest, leads_to_now=True)
        if line is not None and line.leads_to_now
        else line
        for line in standing.lines
    )
    return msgspec.structs.replace(standing, lines=lines)


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


def _moment(snapshot: Snapshot) -> Millis:
    return snapshot.at
