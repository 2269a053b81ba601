"""The past of accounts as a drawing: what they were worth, beside what was put in."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from coffers import money
from coffers.clock import DAY, Millis
from coffers.portfolio.balances import shown_in
from coffers.portfolio.charts import Charts, Point
from coffers.store.records import User
from coffers.valuation.figures import DisplayCurrency
from coffers.valuation.model import Value
from coffers.web.drawing import Chart, Mark, chart
from coffers.web.formats import formats_of
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


@dataclass(frozen=True, slots=True)
class Past:
    """A drawing of a span, None where too little is known; `has_gaps` says that readings miss."""

    span: str
    chart: Chart | None
    has_gaps: bool
    has_unknown_deposits: bool


async def past_of(
    rooms: Rooms, user: User, ids: Sequence[int], span: str | None, display: DisplayCurrency
) -> Past:
    """Return the past of accounts together over a span; an unknown one is the usual one."""
    chosen = span if span in RANGES else USUAL
    length, now = RANGES[chosen], rooms.clock.now()
    since = EVER if length is None else Millis(now - length)
    points = await Charts(rooms.store, rooms.clock).draw(user.id, ids, since, None)
    value = [Mark(p.at, shown_in(display, p.value, p.at), p.carried > 0) for p in points]
    put_in, formats = _put_in(points, display), formats_of(user)
    drawn = chart(
        value,
        put_in,
        lambda amount: formats.rough(amount, display.code),
        formats.dated(points[-1].at - points[0].at if points else 0),
    )
    return Past(
        chosen,
        drawn,
        any(mark.is_carried for mark in value),
        any(mark.value is None for mark in put_in),
    )


def _put_in(points: Sequence[Point], display: DisplayCurrency) -> list[Mark]:
    """Return what was there at the start of a span and what was put in since, less what left."""
    marks: list[Mark] = []
    total: Decimal | None = None
    for number, point in enumerate(points):
        added = _shown(display, point.value if number == 0 else point.deposited, point.at)
        # Once something is unknown, so is every later sum.
        if number == 0:
            total = added
        elif total is not None:
            total = None if added is None else money.add(total, added)
        marks.append(Mark(point.at, total))
    return marks


def _shown(display: DisplayCurrency, value: Value | None, at: Millis) -> Decimal | None:
    return None if value is None else shown_in(display, value, at)
