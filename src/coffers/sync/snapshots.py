"""Which readings become snapshots of an account's worth, the first of which is its opening."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from coffers.clock import MINUTE, Millis, is_ahead
from coffers.connectors.reading import Reading
from coffers.markets.catalogue import Market
from coffers.store.engine import Transaction
from coffers.store.records import Account
from coffers.sync.known import Known, is_new
from coffers.sync.unlisted import note_unlisted
from coffers.sync.unpriced import Lack, needing_prices
from coffers.valuation.model import Flow, Position, PriceBook, Snapshot, Value
from coffers.valuation.value import agreed, holdings_of, together, unlisted_of, value_of

FRESH = Millis(10 * MINUTE)
"""A price book older than this says nothing of an account's worth now."""


def is_fresh(book: PriceBook, now: Millis) -> bool:
    """Tell whether a price book says what something is worth now."""
    return now - book.at <= FRESH and not is_ahead(book.at, now)


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of a reading for the account's past.

    `is_open` says whether it has an opening snapshot, `lacks_prices` whether something held has no
    price, `is_past_new` whether its flows are others because of that.
    """

    is_open: bool
    lacks_prices: bool
    is_past_new: bool


async def take_snapshot(
    tx: Transaction, known: Known, reading: Reading, came: Iterable[Flow], now: Millis
) -> Taken:
    """Keep the account's worth at this reading, of which the flows `came` are new.

    None is kept while the price of something held may be back soon: what it is worth would be lost
    and then gained. The first snapshot is the opening deposit: it must be of the whole account, at
    prices that its venue took part in, or what is priced later would count as profit. For a venue
    that quotes no prices that would be never, so an hour is long enough to wait for them. A single
    asset without a price is not waited for: it comes in when it has one.
    """
    lack = await Lack.of(tx, known.account, reading.at)
    is_open = await _kept(tx, known, reading, came, now, lack)
    return Taken(is_open, await lack.keep(), lack.is_changed)


async def _kept(
    tx: Transaction,
    known: Known,
    reading: Reading,
    came: Iterable[Flow],
    now: Millis,
    lack: Lack,
) -> bool:
    account, book = known.account, known.book
    kept = [held for held in known.positions if held.wallet not in reading.wallets]
    positions = [*kept, *reading.positions]
    if book is None or not is_fresh(book, now):
        if lack:
            choices = await tx.choices.of(account.user_id)
            counted = choices.counted(account.id, positions)
            await lack.set_apart(came, needing_prices(counted), choices)
        return known.is_open
    is_priced = _covers(book, known.market) or not is_new(account, reading)
    if not known.is_open and not (reading.is_complete and is_priced):
        return False
    choices = await tx.choices.of(account.user_id)
    held = choices.counted(account.id, positions)
    prices = choices.book(book)
    needing = needing_prices(held)
    if known.is_open:
        await lack.begin(needing, known.positions, prices, choices)
        await lack.set_apart(came, needing, choices)
        await lack.put_in_sold(needing, prices, choices)
    value = None if lack.delays(needing, prices.prices) else _worth(held, prices)
    if value is None:
        return known.is_open
    await tx.history.add_snapshot(account.user_id, account.id, Snapshot(reading.at, value))
    await note_unlisted(tx, known, reading, held, prices.prices)
    if known.is_open:
        await lack.settle(needing, prices)
        await lack.leave_out(needing, choices)
    else:
        await lack.open_without(needing, prices.prices)
    return True


async def note_worth(
    tx: Transaction, account: Account, held: Iterable[Position], book: PriceBook | None, at: Millis
) -> None:
    """Take a snapshot of an account that needs no reading, where there are prices of all of it.

    `book` is None where none is of now.
    Where the prices that it lacks are others than those that it lacked before, the next reading
    says what follows.
    """
    if book is None:
        return
    choices = await tx.choices.of(account.user_id)
    counted, prices = choices.counted(account.id, held), choices.book(book)
    lack = await Lack.of(tx, account, at)
    if not lack.is_settled(needing_prices(counted), prices.prices):
        return
    value = _worth(counted, prices)
    if value is not None:
        await tx.history.add_snapshot(account.user_id, account.id, Snapshot(at, value))


def _worth(held: Sequence[Position], book: PriceBook) -> Value | None:
    """Return what holdings are worth as far as that is to be remembered, at a user's prices.

    An asset whose price is in doubt is in no total now: that is no worth to remember.
    """
    holdings = holdings_of(held)
    if holdings.keys() & book.held_back.keys():
        return None
    unlisted = agreed(unlisted_of(held), book.prices)
    return value_of(together(holdings, unlisted), book.prices).value


def _covers(book: PriceBook, market: Market) -> bool:
    """Return whether a market's venue took part in a book; without a venue any book will do."""
    return market.venue is None or any(
        market.venue in price.sources for price in book.prices.values()
    )
