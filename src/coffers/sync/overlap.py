"""Two accounts of a user that hold the same money, found by what a reading says of its owner."""

from collections.abc import Iterable
from dataclasses import replace

from coffers.connectors.reading import Reading
from coffers.logs import logger
from coffers.markets.catalogue import Catalogue, Market
from coffers.store.engine import Store
from coffers.store.records import Account
from coffers.sync.known import Known

_log = logger("coffers.sync")


def same_money(
    accounts: Iterable[Account], catalogue: Catalogue, market: Market, reading: Reading
) -> Account | None:
    """Return the first account that has what a reading of a market brought, and is counted.

    Where the venue does not name the account there is nothing to compare.
    """
    if reading.identity is None:
        return None
    for account in accounts:
        if _is_same(account, catalogue.get(account.market_code), market, reading):
            return account
    return None


async def marked(store: Store, catalogue: Catalogue, known: Known, reading: Reading) -> Reading:
    """Return a reading that says so where an older account counts the same money by now.

    An account can come to share its wallet long after it was connected: the exchange offers its
    customers to merge their wallets.
    """
    account = known.account
    if reading.shared_wallet is None or not account.include_in_summary:
        return reading
    async with store.reading() as tx:
        others = await tx.accounts.of_user(account.user_id)
    older = [each for each in others if each.id < account.id]
    other = same_money(older, catalogue, known.market, reading)
    if other is None:
        return reading
    _log.warning("counted twice", account=account.id, also=other.id, market=known.market.code)
    name = f"{reading.shared_wallet} (counted in account {other.id} too)"
    reason = f"Account {other.id} reads the same {reading.shared_wallet}: remove one of the two."
    return replace(reading, missing={**reading.missing, name: reason})


def _is_same(account: Account, theirs: Market | None, market: Market, reading: Reading) -> bool:
    if theirs is None or theirs.venue != market.venue or account.mode != "real":
        return False
    if account.venue_identity != reading.identity or not account.include_in_summary:
        return False
    same_kind = (theirs.market_types, theirs.wallet) == (market.market_types, market.wallet)
    return same_kind or reading.shared_wallet is not None
