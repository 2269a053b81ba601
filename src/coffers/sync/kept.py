"""Accounts that nobody outside is asked about: they hold what their owner said.

A change takes the account over, so that a reading that is under way writes nothing, and two changes
at once come one after the other. What a change puts in or takes out is a flow at the prices of that
moment, and no profit.
"""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from coffers import money
from coffers.clock import Clock, Millis
from coffers.connectors.reading import Reading
from coffers.errors import NotFound
from coffers.store.engine import Transaction
from coffers.store.newest import NewestBook
from coffers.store.records import Account, AccountStatus
from coffers.sync.events import of_balances, of_flows
from coffers.sync.snapshots import is_fresh, note_worth
from coffers.sync.transfers import pair_transfers
from coffers.sync.unpriced import Lack, needing_prices
from coffers.valuation.model import Flow, Position, Price, PriceBook, Value
from coffers.valuation.value import holdings_of

KEPT_WALLET = "spot"
"""The one part that such an account has."""

Amounts = Mapping[str, Decimal]
"""What is held, in units of each asset; nothing that is held is zero."""


@dataclass(frozen=True, slots=True)
class Kept:
    """An account that a transaction has taken over, as it is at the moment `at`.

    `at` is later than all that is known of the account, and so maybe than now. `book` is the newest
    price book as it counts for the owner, however old; `is_fresh` says that it is of now.
    """

    account: Account
    amounts: Amounts
    book: PriceBook | None
    at: Millis
    is_fresh: bool

    @property
    def fresh_book(self) -> PriceBook | None:
        """The price book of this moment, None where there is none that is fresh."""
        return self.book if self.is_fresh else None

    @property
    def prices(self) -> Mapping[str, Price]:
        """The prices of this moment, none where there are none that are fresh."""
        book = self.fresh_book
        return {} if book is None else book.prices


def kept_reading(positions: Iterable[Position], now: Millis) -> Reading:
    """Return what a reading of such an account brings: what is known, and all of it."""
    held = tuple(positions)
    return Reading(now, frozenset(position.wallet for position in held), held)


async def taken_over(
    tx: Transaction, newest: NewestBook, clock: Clock, owned: tuple[int, int], market_code: str
) -> Kept:
    """Take over an account, named by (user id, account id), to the end of a transaction.

    Raises:
        NotFound: when the user has no account of this id and market.
    """
    is_there = await tx.accounts.take_over(*owned)
    account = await tx.accounts.get(*owned) if is_there else None
    if account is None:
        raise NotFound(f"there is no account {owned[1]}")
    if account.market_code != market_code:
        raise NotFound(f"account {owned[1]} is of {account.market_code}, and not of {market_code}")
    now = clock.now()
    at = Millis(max(now, (account.sync.read_at or account.created_at) + 1))
    held = holdings_of(await tx.holdings.of_account(*owned))
    book = await newest.read(tx)
    own = None if book is None else (await tx.choices.of(account.user_id)).book(book)
    has_fresh = book is not None and is_fresh(book, now)
    return Kept(account, held, own, at, has_fresh)


async def put_amounts(tx: Transaction, kept: Kept, amounts: Amounts) -> None:
    """Let an account hold this from now on, with a snapshot of what it is worth then.

    Without it a chart would show the money that was put in beside what there was before, as a loss,
    until the next reading. The first snapshot is what the account opens with.
    """
    account = kept.account
    own = account.user_id, account.id
    held = positions_of(amounts)
    await tx.holdings.replace(*own, {KEPT_WALLET}, held)
    await note_worth(tx, account, held, kept.fresh_book, kept.at)
    await tx.assets.meet(amounts, kept.at)
    await tx.accounts.record_status(
        *own,
        AccountStatus(
            replace(account.sync, read_at=kept.at, next_sync_at=kept.at),
            account.key_state,
            is_locked=account.is_locked,
            lock_reason=account.lock_reason,
        ),
        kept.at,
    )
    changed = {asset for asset, _ in _changes(kept.amounts, amounts)}
    await tx.events.add(account.user_id, of_balances(account, changed, kept.at))


async def put_flows(tx: Transaction, kept: Kept, amounts: Amounts) -> None:
    """Let an account hold this from now on; what is more or less than before came in or left."""
    await put_amounts(tx, kept, amounts)
    flows = [_flow(asset, change, kept) for asset, change in _changes(kept.amounts, amounts)]
    account = kept.account
    await tx.history.add_flows(account.user_id, account.id, flows)
    lack = await Lack.of(tx, account, kept.at)
    if lack:
        choices = await tx.choices.of(account.user_id)
        held = needing_prices(choices.counted(account.id, positions_of(amounts)))
        await lack.set_apart(flows, held, choices)
        await lack.keep()
    await tx.events.add(account.user_id, of_flows(account, flows, kept.at))
    await pair_transfers(tx, account, flows)


def positions_of(amounts: Amounts) -> list[Position]:
    """Return amounts as the positions of an account."""
    return [Position(KEPT_WALLET, asset, asset, amount) for asset, amount in amounts.items()]


def _changes(before: Amounts, after: Amounts) -> list[tuple[str, Decimal]]:
    changes = (
        (asset, money.subtract(after.get(asset, money.ZERO), before.get(asset, money.ZERO)))
        for asset in sorted({*before, *after})
    )
    return [(asset, change) for asset, change in changes if change]


def _flow(asset: str, change: Decimal, kept: Kept) -> Flow:
    # Not `abs`, which rounds.
    amount = change.copy_abs()
    return Flow(
        external_id=uuid.uuid4().hex,
        direction="in" if change > 0 else "out",
        asset=asset,
        venue_code=asset,
        amount=amount,
        fee=money.ZERO,
        fee_asset=asset,
        at=kept.at,
        value=_worth(amount, kept.prices.get(asset)),
    )


def _worth(amount: Decimal, price: Price | None) -> Value | None:
    if price is None:
        return None
    return Value(money.multiply(amount, price.btc), money.multiply(amount, price.usd))
