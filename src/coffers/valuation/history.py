"""An account's past: its snapshots and flows, and the series that profits are read from.

A profit between two moments is the change of *value less everything put in so far*. Snapshots are
interpolated on that series, not on the value itself: between two readings with a deposit in
between, a straight line through the values would count part of the deposit as gain.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

import msgspec

from coffers import money
from coffers.clock import DAY, Millis
from coffers.valuation.amounts import FIXED, Amount, InDisplay, key_of
from coffers.valuation.inflows import Inflow
from coffers.valuation.model import Flow, Snapshot

Point = tuple[Millis, Decimal]
"""A moment, and the value less all net inflow at that moment."""

_EVER: Final = Millis(2**62)

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
    at least those around the moments asked for. `flows` are all that came after the opening, but
    for those that are summed up in `earlier`, between the `cuts`: of these nobody asks for more.
    `has_unvalued_flows` tells whether one is left out of the profits, since its worth is not known.
    """

    opening: Snapshot
    snapshots: tuple[Snapshot, ...]
    flows: tuple[Flow, ...] = ()
    earlier: tuple[Inflow, ...] = ()
    cuts: tuple[Millis, ...] = ()
    has_unvalued_flows: bool = field(init=False, repr=False, compare=False)
    # By amount: in BTC, in USD and in one display currency, since a new price book asks for the
    # same again. A display currency's key is the generation of its rates: the amount itself would
    # keep rates alive that nobody needs any more.
    _standings: dict[Amount | int, Standing] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        is_lacking = any(flow.value is None for flow in self.flows) or any(
            each.unvalued for each in self.earlier
        )
        object.__setattr__(self, "has_unvalued_flows", is_lacking)

    @property
    def last_at(self) -> Millis:
        """The moment of the last flow, of the opening where there is none."""
        return max(self._moments(), default=self.opening.at)

    def tells(self, amount: Amount) -> bool:
        """Return whether it can be asked in a currency: what is summed up may be so in another."""
        return not self.earlier or amount in FIXED or self.earlier[0].key == key_of(amount)

    def inflow(self, until: Millis, amount: Amount) -> Decimal | None:
        """Return deposits less withdrawals up to a moment, each at its worth when it happened.

        A flow whose worth is not known is left out (`has_unvalued_flows` tells); None where a worth
        is known but cannot be told in this currency.
        """
        result = net_inflow(self.flows, until, amount)
        for each in self.earlier:
            if each.at <= until and result is not None:
                told = each.told(amount)
                result = None if told is None else money.add(result, told)
        return result

    def standing(self, as_of: Millis, now: Decimal, amount: Amount) -> Standing | None:
        """Return what the gains come from of an account that is worth `now` at `as_of`.

        The series that they are read from is straight between its points: the snapshots, and what
        the account is worth now. Before the opening it stays at the opening's value, so that an
        account younger than a window starts there. Only the snapshots around the windows are
        reckoned: two to four of the dozens that an account has.

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

        None also where an account has no past, or its worth is not known.
        """
        key = key_of(amount)
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
        opening, inflow = self.earned(self.opening, amount), self.inflow(as_of, amount)
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
        elif amount not in FIXED:
            return
        self._standings[key_of(amount)] = standing

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
        moments += [each.valued_at for each in self.earlier]
        return max([standing.opening[0], *(at for at, _ in ends), *moments])

    def earned(self, snapshot: Snapshot, amount: Amount) -> Point | None:
        """Return a snapshot's value less all net inflow until then, None where it is not known."""
        worth = amount(snapshot.at, snapshot.value.btc, snapshot.value.usd)
        inflow = None if worth is None else self.inflow(snapshot.at, amount)
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

    def _moments(self) -> list[Millis]:
        return [*(each.at for each in self.earlier), *(flow.at for flow in self.flows)]

    def _span(
        self, as_of: Millis, opening: Point, lines: Sequence[Line | None]
    ) -> tuple[Millis, Millis]:
        """Return the first and the last moment with this inflow and windows on these lines."""
        paid = self._moments()
        since = max((at for at in paid if at <= as_of), default=opening[0])
        until = min((Millis(at - 1) for at in paid if at > as_of), default=_EVER)
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
    """Return what flows come to that are kept one by one, see `History.inflow`."""
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


def edge_of(snapshots: Sequence[Snapshot], since: Millis) -> Millis:
    """Return up to when no more than the sum of flows is asked for at any moment from `since` on.

    That is the last snapshot before the longest window: all windows begin on lines behind it.
    """
    after = bisect_right(snapshots, since - MONTH, key=_moment)
    return snapshots[after - 1].at if after else Millis(0)


def _moment(snapshot: Snapshot) -> Millis:
    return snapshot.at
