"""The past of accounts as a drawing: what they were worth, beside what was put in."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from coffers import money
from coffers.clock import DAY, Millis
from coffers.portfolio.balances import shown_in
from coffers.portfolio.charts import Charts, Point
from coffers.valuation.figures import DisplayCurrency
from coffers.valuation.model import Value
from coffers.web.drawing import Chart, Mark, chart
from coffers.web.numbers import rough
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
_LONG: Final = Millis(300 * DAY)


@dataclass(frozen=True, slots=True)
class Past:
    """A drawing of a span, None where too little is known; `has_gaps` says that readings miss."""

    span: str
    chart: Chart | None
    has_gaps: bool
    has_unknown_deposits: bool


async def past_of(
    rooms: Rooms, user_id: int, ids: Sequence[int], span: str | None, display: DisplayCurrency
) -> Past:
    """Return the past of accounts together over a span; an unknown one is the usual one."""
    chosen = span if span in RANGES else USUAL
    length, now = RANGES[chosen], rooms.clock.now()
    since = EVER if length is None else Millis(now - length)
    points = await Charts(rooms.store, rooms.clock).draw(user_id, ids, since, None)
    value = [Mark(p.at, shown_in(display, p.value, p.at), p.carried > 0) for p in points]
    put_in = _put_in(points, display)
    drawn = chart(
        value,
        put_in,
        lambda amount: rough(amount, display.code),
        _dated(Millis(points[-1].at - points[0].at)) if points else str,
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


def _dated(length: Millis) -> Callable[[Millis], str]:
    form = "%H:%M" if length <= 2 * DAY else "%-d %b" if length < _LONG else "%b %Y"
    return lambda at: datetime.fromtimestamp(at / 1000, UTC).strftime(form)
