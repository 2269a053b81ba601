"""What accounts were worth and hold, page by page, in the forms that programs read."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from coffers.clock import Millis, iso
from coffers.money import plain
from coffers.portfolio.account_forms import Plain
from coffers.portfolio.charts import Point
from coffers.portfolio.cursors import cursor_at
from coffers.portfolio.explaining import not_counted_as, priced
from coffers.portfolio.worked import Worked
from coffers.store.engine import Store
from coffers.valuation.model import Position, Snapshot, Value

MOST_SNAPSHOTS = 1_000
MOST_POSITIONS = 500

SnapshotPlace = tuple[int, int]
"""Where a snapshot stands from the newest on: its moment, its account."""

PositionPlace = tuple[int, str, str, str]
"""Where a position stands: its account, wallet, asset as it was read, and the venue's code."""


@dataclass(frozen=True, slots=True)
class SnapshotsWanted:
    """Which snapshots are asked for: those of a span, after a place."""

    since: Millis | None
    until: Millis
    limit: int
    after: SnapshotPlace | None = None


async def snapshots(
    store: Store, user_id: int, ids: Sequence[int], wanted: SnapshotsWanted
) -> Plain:
    """Return a page of the snapshots of accounts, from the newest on; of one moment, by account."""
    found: list[tuple[int, Snapshot]] = []
    async with store.reading() as tx:
        for account_id in ids:
            page = await tx.history.snapshot_page(
                user_id,
                account_id,
                wanted.limit + 1,
                since=wanted.since,
                until=_latest(account_id, wanted),
            )
            found += [(account_id, snapshot) for snapshot in page]
    found.sort(key=lambda each: (-each[1].at, each[0]))
    shown = found[: wanted.limit]
    has_more = len(found) > wanted.limit
    return {
        "snapshots": [_snapshot(*each) for each in shown],
        "next_cursor": cursor_at((shown[-1][1].at, shown[-1][0])) if has_more else None,
    }


def history(points: Iterable[Point]) -> Plain:
    """Return the points of a chart; a value that is carried forward over a gap says so."""
    return {
        "points": [
            {
                "at": iso(point.at),
                "btc_value": plain(point.value.btc),
                "usd_value": plain(point.value.usd),
                **_deposited(point.deposited),
                "seen_at": None if point.seen_at is None else iso(point.seen_at),
                "carried": point.carried > 0,
                "accounts_carried": point.carried,
            }
            for point in points
        ]
    }


def _deposited(value: Value | None) -> Plain:
    btc, usd = (None, None) if value is None else (plain(value.btc), plain(value.usd))
    return {"btc_deposited": btc, "usd_deposited": usd}


async def positions(
    store: Store,
    user_id: int,
    worked: Sequence[Worked],
    *,
    now: Millis,
    limit: int,
    after: PositionPlace | None = None,
) -> Plain:
    """Return a page of what accounts hold, wallet by wallet, with prices and whether it counts."""
    async with store.reading() as tx:
        held = await tx.holdings.of_accounts(user_id, [each.view.account.id for each in worked])
    by_id = {each.view.account.id: each for each in worked}
    places = {
        (account_id, position.wallet, position.asset, position.venue_code): position
        for account_id, found in held.items()
        for position in found
    }
    later = sorted(place for place in places if after is None or place > after)
    shown = later[:limit]
    return {
        "positions": [plain_position(by_id[place[0]], places[place], now=now) for place in shown],
        "next_cursor": cursor_at(shown[-1]) if len(later) > limit else None,
    }


def plain_position(worked: Worked, position: Position, *, now: Millis) -> Plain:
    """Return a position under the user's name of its asset, and why it does not count."""
    account_id, choices = worked.view.account.id, worked.inputs.choices
    asset = choices.asset_of(account_id, position)
    counted = choices.counted(account_id, [position])
    why = not_counted_as(counted[0], worked.book) if counted else "ignored"
    return {
        "account_id": account_id,
        "wallet": position.wallet,
        "asset": asset,
        "venue_code": position.venue_code,
        "free": plain(position.free),
        "in_orders": plain(position.in_orders),
        "borrowed": plain(position.borrowed),
        "interest": plain(position.interest),
        "unrealised": plain(position.unrealised),
        "owned": plain(position.owned),
        "is_counted": why is None,
        "not_counted_as": why,
        **priced(worked, asset, position.owned, now),
    }


def _latest(account_id: int, wanted: SnapshotsWanted) -> Millis:
    if wanted.after is None:
        return wanted.until
    at, last = wanted.after
    # Of the moment that the page before ended with, the later accounts are still to come.
    return Millis(min(wanted.until, at if account_id > last else at - 1))


def _snapshot(account_id: int, snapshot: Snapshot) -> Plain:
    return {
        "account_id": account_id,
        "at": iso(snapshot.at),
        "btc_value": plain(snapshot.value.btc),
        "usd_value": plain(snapshot.value.usd),
    }
