"""Which readings become snapshots of an account's worth, the first of which is its opening."""

from collections.abc import Iterable, Sequence

from coffers.clock import MINUTE, Millis
from coffers.connectors.reading import Reading
from coffers.markets.catalogue import Market
from coffers.store.engine import Transaction
from coffers.store.records import Account
from coffers.sync.known import Known, is_new
from coffers.sync.unlisted import note_unlisted
from coffers.valuation.model import Position, PriceBook, Snapshot, Value
from coffers.valuation.value import agreed, holdings_of, together, unlisted_of, value_of

FRESH = Millis(10 * MINUTE)
"""A price book older than this says nothing of an account's worth now."""


async def take_snapshot(tx: Transaction, known: Known, reading: Reading, now: Millis) -> bool:
    """Keep the account's worth at this reading; return whether it has an opening snapshot.

    The first snapshot is the opening deposit: it must be of the whole account, at prices that
    its venue took part in, or what is priced later would count as profit. For a venue that
    quotes no prices that would be never, so an hour is long enough to wait for them.
    """
    book = known.book
    if book is None or now - book.at > FRESH:
        return known.is_open
    is_priced = _covers(book, known.market) or not is_new(known.account, reading)
    if not known.is_open and not (reading.is_complete and is_priced):
        return False
    account = known.account
    kept = [held for held in known.positions if held.wallet not in reading.wallets]
    choices = await tx.choices.of(account.user_id)
    held = choices.counted(account.id, [*kept, *reading.positions])
    prices = choices.book(book)
    value = _worth(held, prices)
    if value is None:
        return known.is_open
    await tx.history.add_snapshot(account.user_id, account.id, Snapshot(reading.at, value))
    await note_unlisted(tx, known, reading, held, prices.prices)
    return True


async def note_worth(
    tx: Transaction, account: Account, held: Iterable[Position], book: PriceBook | None, at: Millis
) -> None:
    """Take a snapshot of an account that needs no reading, where there are prices."""
    value = None
    if book is not None and at - book.at <= FRESH:
        choices = await tx.choices.of(account.user_id)
        value = _worth(choices.counted(account.id, held), choices.book(book))
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
