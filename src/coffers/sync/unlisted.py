"""Unlisted tokens that begin to count, or cease to: what they add to a total is put in.

No chain is asked about their way in and out, and whether they count depends on who tells their
price. So what a snapshot counts of them more than the one before came in, and what it counts less
went out, at the price of the moment. Only the change of a price that is agreed on is profit.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from coffers import money
from coffers.clock import Millis
from coffers.connectors.reading import Reading
from coffers.store.engine import Transaction
from coffers.store.unlisted import Counted
from coffers.sync.known import Known
from coffers.sync.transfers import pair_transfers
from coffers.valuation.model import UNLISTED, VOUCHED, Flow, Position, Price, Value


async def note_unlisted(
    tx: Transaction,
    known: Known,
    reading: Reading,
    held: Iterable[Position],
    prices: Mapping[str, Price],
) -> None:
    """Keep what the snapshot of a reading counts of unlisted tokens, and the flows to that.

    `held` is what the account holds, under its user's names. Before the opening snapshot there is
    no flow: what is there then is in the opening deposit.
    """
    own = known.account.user_id, known.account.id
    before = await tx.unlisted.of(*own)
    now = counted_of(held, prices)
    if now == before:
        return
    await tx.unlisted.replace(*own, now)
    if known.is_open:
        flows = list(_flows(before, now, known, reading))
        await pair_transfers(tx, known.account, await tx.history.added_flows(*own, flows))


def counted_of(held: Iterable[Position], prices: Mapping[str, Price]) -> dict[str, Counted]:
    """Return what counts of tokens that are on no list, by asset."""
    found: dict[str, Counted] = {}
    for each in held:
        price = prices.get(each.asset)
        if price is None or not _counts(each, price):
            continue
        before = found.get(each.asset)
        amount = each.owned if before is None else money.add(before.amount, each.owned)
        found[each.asset] = Counted(amount, Value(price.btc, price.usd))
    return {asset: each for asset, each in found.items() if each.amount}


def _counts(held: Position, price: Price) -> bool:
    return held.wallet == VOUCHED or (held.wallet == UNLISTED and price.is_agreed)


def _flows(
    before: Mapping[str, Counted], now: Mapping[str, Counted], known: Known, reading: Reading
) -> Iterable[Flow]:
    previous = known.account.sync.read_at
    at = reading.at if previous is None else Millis(min(previous + 1, reading.at))
    for asset in sorted({*before, *now}):
        old, new = before.get(asset), now.get(asset)
        change = money.subtract(_amount(new), _amount(old))
        counted = new or old
        if change and counted is not None:
            yield flow_of(asset, change, counted.price, at, reading.at)


def _amount(counted: Counted | None) -> Decimal:
    return money.ZERO if counted is None else counted.amount


def flow_of(asset: str, change: Decimal, price: Value, at: Millis, read_at: Millis) -> Flow:
    """Return a change of what is counted of an asset as what came in, or went out.

    `read_at` is the reading that found it, of which there is one of each asset.
    """
    # Not `abs`, which rounds.
    amount = change.copy_abs()
    return Flow(
        external_id=f"{asset}:{read_at}",
        direction="in" if change > 0 else "out",
        asset=asset,
        # By its contract: what it calls itself may be the name of another one.
        venue_code=asset,
        amount=amount,
        fee=money.ZERO,
        fee_asset=asset,
        at=at,
        value=Value(money.multiply(amount, price.btc), money.multiply(amount, price.usd)),
    )
