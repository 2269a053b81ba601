"""Charts as SVG, drawn here: they need no script, and weigh a few kilobytes.

Coordinates are screen positions, the one thing beside spans of time that is a float.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby, pairwise
from math import ceil, floor, log10

from coffers.clock import Millis

WIDTH, HEIGHT = 960, 300
"""Of the whole drawing, in units that stretch with the page."""

SPARK_WIDTH, SPARK_HEIGHT = 192, 56
"""Of a small line."""

# Above the highest line there is room for its label, in the larger letters of a phone too.
_LEFT, _RIGHT, _TOP, _BOTTOM = 8, 952, 34, 266
_EDGE = 4
_LINES = 4
_DATES = 6


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment of a series; `value` is None where it is unknown, `is_carried` where it is old."""

    at: Millis
    value: Decimal | None
    is_carried: bool = False


@dataclass(frozen=True, slots=True)
class Stroke:
    """A line through moments that belong together: solid, or over a gap."""

    path: str
    is_gap: bool = False


@dataclass(frozen=True, slots=True)
class Tick:
    """A line across with what it stands for: a value at a height, or a moment at a place.

    `percent` is the place as a part of the height or the width: labels do not stretch with them.
    """

    place: float
    percent: float
    label: str


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a moment of the series lies whose value is known; `put_in` is the other line's height.

    `number` is that of the moment in the series.
    """

    number: int
    x: float
    y: float
    put_in: float | None


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing of one series with what was put in beside it."""

    value: tuple[Stroke, ...]
    area: str
    put_in: tuple[Stroke, ...]
    heights: tuple[Tick, ...]
    moments: tuple[Tick, ...]
    spots: tuple[Spot, ...]
    width: int = WIDTH
    height: int = HEIGHT


@dataclass(frozen=True, slots=True)
class _Plane:
    since: int
    until: int
    low: float
    high: float

    def x(self, at: int) -> float:
        return _LEFT + (_RIGHT - _LEFT) * (at - self.since) / max(1, self.until - self.since)

    def y(self, value: float) -> float:
        reach = self.high - self.low or 1.0
        return _BOTTOM - (_BOTTOM - _TOP) * (value - self.low) / reach


def chart(
    value: Sequence[Mark],
    put_in: Sequence[Mark],
    named: Callable[[Decimal], str],
    dated: Callable[[Millis], str],
) -> Chart | None:
    """Return the drawing of a series, None where fewer than two of its moments are known."""
    known = [mark for mark in (*value, *put_in) if mark.value is not None]
    if sum(mark.value is not None for mark in value) < 2:  # noqa: PLR2004 - a line has two ends
        return None
    amounts = [float(mark.value) for mark in known if mark.value is not None]
    steps = _steps(min(amounts), max(amounts))
    plane = _Plane(value[0].at, value[-1].at, steps[0], steps[-1])
    return Chart(
        tuple(_strokes(value, plane)),
        _area(value, plane),
        tuple(_strokes(put_in, plane)),
        tuple(_tick(plane.y(step), HEIGHT, named(Decimal(str(step)))) for step in steps),
        tuple(_dates(plane, dated)),
        tuple(_spots(value, put_in, plane)),
    )


def spark(marks: Sequence[Mark]) -> str | None:
    """Return the path of a small line through a series, None where it has fewer than two ends."""
    known = [(mark.at, float(mark.value)) for mark in marks if mark.value is not None]
    if len(known) < 2:  # noqa: PLR2004 - a line has two ends
        return None
    amounts = [amount for _, amount in known]
    low, reach = min(amounts), max(amounts) - min(amounts)
    since, span = known[0][0], max(1, known[-1][0] - known[0][0])
    wide, high = SPARK_WIDTH - 2 * _EDGE, SPARK_HEIGHT - 2 * _EDGE
    tall = high / reach if reach else 0.0
    bottom = _EDGE + (high if reach else high / 2)
    # Whole numbers: a page has a hundred lines of thirty points.
    points = [
        f"{int(_EDGE + wide * (at - since) / span)},{int(bottom - (amount - low) * tall)}"
        for at, amount in known
    ]
    return f"M{'L'.join(points)}"


def _spots(value: Sequence[Mark], put_in: Sequence[Mark], plane: _Plane) -> Iterator[Spot]:
    others = {mark.at: mark.value for mark in put_in}
    for number, mark in enumerate(value):
        if mark.value is not None:
            other = others.get(mark.at)
            height = None if other is None else round(plane.y(float(other)), 1)
            x, y = plane.x(mark.at), plane.y(float(mark.value))
            yield Spot(number, round(x, 1), round(y, 1), height)


def _strokes(marks: Sequence[Mark], plane: _Plane) -> Iterator[Stroke]:
    """Yield the lines of a series; what is carried over a gap has a line of its own."""
    legs = [
        (before, after)
        for before, after in pairwise(marks)
        if before.value is not None and after.value is not None
    ]
    for is_gap, group in groupby(legs, key=lambda leg: leg[1].is_carried):
        path, last = "", None
        for before, after in group:
            if before is not last:
                path += f"M{_point(before, plane)}"
            path += f"L{_point(after, plane)}"
            last = after
        yield Stroke(path, is_gap)


def _area(marks: Sequence[Mark], plane: _Plane) -> str:
    known = [mark for mark in marks if mark.value is not None]
    line = "L".join(_point(mark, plane) for mark in known)
    return f"M{plane.x(known[0].at):.1f},{_BOTTOM}L{line}L{plane.x(known[-1].at):.1f},{_BOTTOM}Z"


def _point(mark: Mark, plane: _Plane) -> str:
    return f"{plane.x(mark.at):.1f},{plane.y(float(mark.value or 0)):.1f}"


def _steps(low: float, high: float) -> list[float]:
    """Return round values that reach from below the lowest to above the highest."""
    reach = (high - low) or abs(high) or 1.0
    rough = reach / _LINES
    size = 10.0 ** floor(log10(rough))
    step = next(size * times for times in (1, 2, 2.5, 5, 10) if size * times >= rough)
    first, last = floor(low / step), ceil(high / step)
    return [round(number * step, 12) for number in range(first, max(last, first + 1) + 1)]


def _dates(plane: _Plane, dated: Callable[[Millis], str]) -> Iterator[Tick]:
    """Yield moments along the way; of a short one, several may have the same name."""
    reach, last = plane.until - plane.since, ""
    for number in range(_DATES):
        at = Millis(plane.since + reach * number // (_DATES - 1))
        if (label := dated(at)) != last:
            yield _tick(plane.x(at), WIDTH, label)
        last = label


def _tick(place: float, whole: int, label: str) -> Tick:
    return Tick(round(place, 1), round(100 * place / whole, 2), label)
