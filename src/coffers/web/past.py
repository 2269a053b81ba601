"""The past of accounts as a drawing: what they were worth, beside what was put in."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from coffers import money
from coffers.clock import DAY, MINUTE, Millis
from coffers.portfolio.balances import shown_in
from coffers.portfolio.charts import Charts, Point
from coffers.valuation.amounts import Amount, key_of
from coffers.valuation.figures import DisplayCurrency
from coffers.web.drawing import Chart, Mark, chart
from coffers.web.formats import Formats
from coffers.web.rooms import Rooms

EVER: Final = Millis(0)
RANGES: Final = {
    "1d": DAY,
    "1w": Millis(7 * DAY),
    "1m": Millis(30 * DAY),
    "1y": Millis(365 * DAY),
    "all": None,
}
USUAL: Final = "1m"
KEPT: Final = 64
"""Pasts whose points are kept."""

SHORT: Final = 10
"""Points up to which they are not."""

SpotRow = list[str | float | bool | None]


@dataclass(frozen=True, slots=True)
class Past:
    """A drawing of a span, None where too little is known.

    `spots` are its moments in order: where each lies across and how high, how high the other line
    is there, and in words when it was, what was there, what was put in; and whether it was carried.
    `unknown` is of how many accounts nothing is known up to its end.
    """

    span: str
    chart: Chart | None
    spots: list[SpotRow]
    has_unknown_deposits: bool
    ends_now: bool
    unknown: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whose past: of which accounts together, at which of the user's events, over which span."""

    user_id: int
    ids: tuple[int, ...]
    head: int
    span: str | None


class Pasts:
    """Draws pasts, and keeps their points for a minute: only the last one moves with prices."""

    def __init__(self, rooms: Rooms) -> None:
        self._charts = Charts(rooms.store, rooms.clock)
        self._clock = rooms.clock
        self._kept: OrderedDict[tuple[Wanted, int, Amount | int], list[Point]] = OrderedDict()

    async def of(
        self, wanted: Wanted, display: DisplayCurrency, amount: Decimal | None, formats: Formats
    ) -> Past:
        """Return the past of accounts over a span that ends with what they are worth now.

        Where `amount`, which is that, is unknown, it ends before: snapshots are of those accounts
        alone that have some. A span that is unknown is the usual one.
        """
        chosen = wanted.span if wanted.span in RANGES else USUAL
        points = await self._points(wanted, chosen, display.amount)
        value = [Mark(p.at, shown_in(display, p.value, p.at), p.carried > 0) for p in points]
        if value:
            value[-1] = Mark(value[-1].at, amount, value[-1].is_carried)
        put_in = _put_in(points, display)
        drawn = chart(
            value,
            put_in,
            lambda scale: formats.rough(scale, display.code),
            formats.dated(points[-1].at - points[0].at if points else 0),
        )
        return Past(
            chosen,
            drawn,
            [] if drawn is None else _told(drawn, value, put_in, formats, display.code),
            any(mark.value is None for mark in put_in),
            amount is not None,
            len(wanted.ids) - points[-1].accounts if points else 0,
        )

    async def _points(self, wanted: Wanted, chosen: str, shown: Amount) -> list[Point]:
        now, length = self._clock.now(), RANGES[chosen]
        key = replace(wanted, span=chosen), now // MINUTE, key_of(shown)
        kept = self._kept.get(key)
        if kept is None:
            since = EVER if length is None else Millis(now - length)
            kept = await self._charts.draw(wanted.user_id, wanted.ids, since, None, shown)
            # Of a short past each reading is seen, and it costs little.
            if len(kept) > SHORT:
                self._kept[key] = kept
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return kept


def _told(
    drawn: Chart, value: Sequence[Mark], put_in: Sequence[Mark], formats: Formats, currency: str
) -> list[SpotRow]:
    told: list[SpotRow] = []
    for spot in drawn.spots:
        mark, other = value[spot.number], put_in[spot.number]
        when, worth = formats.moment(mark.at), formats.money(mark.value, currency)
        put = None if other.value is None else formats.money(other.value, currency)
        told.append([spot.x, spot.y, spot.put_in, when, worth, put, mark.is_carried])
    return told


def _put_in(points: Sequence[Point], display: DisplayCurrency) -> list[Mark]:
    """Return what was there at the start of a span and what was put in since, less what left."""
    marks: list[Mark] = []
    total: Decimal | None = None
    for number, point in enumerate(points):
        # Once something is unknown, so is every later sum.
        if number == 0:
            total = shown_in(display, point.value, point.at)
        elif total is not None:
            added = _added(point, display)
            total = None if added is None else money.add(total, added)
        marks.append(Mark(point.at, total))
    return marks


def _added(point: Point, display: DisplayCurrency) -> Decimal | None:
    """Return what was put in since the point before, each at the rate of its own moment."""
    worths = [each.told(display.amount) for each in point.payments]
    known = [worth for worth in worths if worth is not None]
    is_known = point.deposited is not None and len(known) == len(worths)
    return money.total(known) if is_known else None
