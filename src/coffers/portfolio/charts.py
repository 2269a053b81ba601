"""What accounts were worth over a span of time: evenly spaced points, of which none is missing.

A point tells the last snapshot at or before its moment, so that a gap between readings is carried
forward. The points of a span are as dense as fits into `MOST_POINTS`: hours, days, or some days.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from coffers.clock import DAY, HOUR, Clock, Millis
from coffers.portfolio.listing import joined_in
from coffers.store.engine import Store, Transaction
from coffers.store.pasts import Counted
from coffers.valuation.amounts import Amount, in_usd
from coffers.valuation.history import History
from coffers.valuation.inflows import Inflow
from coffers.valuation.model import NOTHING, Snapshot, Value

MOST_POINTS = 400
"""Points of a chart: every day of a year, and every tenth of ten years."""

HOURLY = Millis(3 * DAY)
"""The longest span that has a point every hour."""


@dataclass(frozen=True, slots=True)
class Payment:
    """What was put in at a moment, or with a minus taken out, as it was worth at `valued_at`.

    `summed` tells of what it is the sum, where that are several flows.
    """

    at: Millis
    value: Value
    valued_at: Millis
    summed: Inflow | None = None

    def told(self, amount: Amount) -> Decimal | None:
        """Return it in a currency, by the rates of then; None where these are not known."""
        if self.summed is not None:
            return self.summed.told(amount)
        return amount(self.valued_at, self.value.btc, self.value.usd)


@dataclass(frozen=True, slots=True)
class Point:
    """What accounts were worth at a moment, and what was put in since the point before it.

    `deposited` is less what was taken out. At an account's first snapshot it is all that is there;
    a flow whose worth is not known is left out. What moved from one of them to another is taken
    out when it leaves and put in, as much of it, when it arrives. It is None while the value of one
    of them is an imported one: what was put in then is not known. `payments` are what it is the sum
    of: in a currency with rates each counts at that of its own moment.

    `seen_at` is the oldest of the snapshots that the value is of, and `carried` how many of them
    were carried forward: in the hour or the day before the point there was none of the account.
    `accounts` is how many accounts it is of: nothing was known of the others yet.
    """

    at: Millis
    value: Value
    deposited: Value | None
    seen_at: Millis | None = None
    carried: int = 0
    payments: tuple[Payment, ...] = ()
    accounts: int = 0


@dataclass(frozen=True, slots=True)
class Before:
    """What an account was worth before its opening at `until`, as another service reckoned it."""

    values: tuple[Snapshot, ...]
    until: Millis | None

    def at(self, moment: Millis) -> Snapshot | None:
        """Return the last value at or before a moment, None where the account's own count."""
        is_over = self.until is not None and moment >= self.until
        return None if is_over else _last(self.values, moment)


class Charts:
    """Draws the past of accounts."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def draw(
        self,
        user_id: int,
        ids: Sequence[int],
        since: Millis,
        until: Millis | None,
        shown: Amount = in_usd,
    ) -> list[Point]:
        """Return the points of accounts together, from the first snapshot in a span on.

        `until` is the present moment where it is None or later than that. Nothing was known
        before the first snapshot: there are no points then. Payments can be told in BTC, in USD,
        and in the currency that is `shown`.
        """
        now = self._clock.now()
        last = now if until is None else min(until, now)
        async with self._store.reading() as tx:
            openings = await tx.history.openings(user_id, ids)
            earlier = await tx.imports.openings(user_id, ids)
            opened = [*openings.values(), *earlier.values()]
            moments = moments_of(since, last, opened)
            if not moments:
                return []
            counted = Counted(await tx.choices.of(user_id), shown)
            past = await tx.history.at_moments(user_id, list(openings), moments, counted)
            before = await _before(tx, user_id, list(earlier), moments, openings)
            joined = await joined_in(tx, user_id, past, counted)
        slot = slot_of(Millis(last - max(since, min(opened))))
        return points_of([*joined.values()], moments, before, slot)


def moments_of(since: Millis, until: Millis, openings: Iterable[Millis]) -> list[Millis]:
    """Return the moments of a chart in order; none where nothing was known in the span.

    They begin with the hour or the day (in UTC) that the span begins in, or with the first
    opening if that is later, and end with the end of the span.
    """
    opened = [opening for opening in openings if opening <= until]
    if since > until or not opened:
        return []
    opening = min(opened)
    first = max(since, opening)
    step = _step(Millis(until - first))
    slot = min(step, DAY)
    start = first // slot * slot
    grid = {Millis(at) for at in range(start, until, step) if at >= opening}
    return sorted(grid | {until} | ({opening} if opening >= start else set()))


def slot_of(span: Millis) -> Millis:
    """Return the time before a point of a span in which a reading is expected: an hour or a day."""
    return min(_step(span), DAY)


def points_of(
    pasts: Sequence[History],
    moments: Sequence[Millis],
    before: Sequence[Before] = (),
    slot: Millis = DAY,
) -> list[Point]:
    """Return the points of accounts together; each counts from its opening on, or from before."""
    paid = sorted((each for past in pasts for each in _payments(past)), key=_at)
    done = bisect_right(paid, moments[0] - 1, key=_at) if moments else 0
    points: list[Point] = []
    for at in moments:
        due = bisect_right(paid, at, key=_at)
        imported = [each for each in (past.at(at) for past in before) if each is not None]
        found = (_last(past.snapshots, at) for past in pasts)
        known = [*imported, *(each for each in found if each is not None)]
        carried = sum(at - each.at >= slot for each in known)
        seen_at = min((each.at for each in known), default=None)
        payments = tuple(paid[done:due])
        deposited = None if imported else _total(payments)
        points.append(
            Point(at, _total(known), deposited, seen_at, carried, payments, accounts=len(known))
        )
        done = due
    return points


async def _before(
    tx: Transaction,
    user_id: int,
    ids: Sequence[int],
    moments: Sequence[Millis],
    openings: Mapping[int, Millis],
) -> list[Before]:
    if not ids:
        return []
    found = await tx.imports.at_moments(user_id, ids, moments)
    return [Before(tuple(known), openings.get(which)) for which, known in found.items()]


def _step(span: Millis) -> Millis:
    if span <= HOURLY:
        return HOUR
    # Two moments more are not on the grid: the opening and the end.
    return Millis(DAY * -(-span // (DAY * (MOST_POINTS - 2))))


def _payments(past: History) -> Iterator[Payment]:
    """Return what was put in and taken out, at its moments."""
    yield Payment(past.opening.at, past.opening.value, past.opening.at)
    for each in past.earlier:
        yield Payment(each.at, each.value, each.valued_at, each)
    for flow in past.flows:
        if flow.value is not None:
            value = flow.value if flow.direction == "in" else NOTHING.minus(flow.value)
            yield Payment(flow.at, value, flow.valued_at or flow.at)


def _last(snapshots: Sequence[Snapshot], at: Millis) -> Snapshot | None:
    after = bisect_right(snapshots, at, key=_at)
    return snapshots[after - 1] if after else None


def _total(parts: Iterable[Snapshot | Payment]) -> Value:
    result = NOTHING
    for part in parts:
        result = result.plus(part.value)
    return result


def _at(part: Snapshot | Payment) -> Millis:
    return part.at
