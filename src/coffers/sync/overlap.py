"""Two accounts of a user that hold the same money, as a reading says of its owner or its parts."""

from collections.abc import Iterable
from dataclasses import replace

from coffers.connectors.reading import Reading
from coffers.logs import seldom
from coffers.markets.catalogue import Catalogue, Market
from coffers.store.engine import Store
from coffers.store.records import Account
from coffers.sync.known import Known

_log = seldom("coffers.sync")


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
    """Return a reading that says so where another account counts the same money by now.

    An account can come to share its wallet long after it was connected: the exchange offers its
    customers to merge their wallets. Of two such accounts the younger one says so. What has several
    names says so in both accounts: it may be that only one of them knows the name of the other.
    """
    account, shared = known.account, reading.shared_wallet
    if not account.include_in_summary or (shared is None and not reading.counted):
        return reading
    async with store.reading() as tx:
        others = await tx.accounts.of_user(account.user_id)
    if shared is not None:
        older = [each for each in others if each.id < account.id]
        if other := same_money(older, catalogue, known.market, reading):
            reason = f"Account {other.id} reads the same {shared}: remove one of the two."
            return _counted_twice(reading, known, other, shared, reason)
    if other := _same_names(others, account, reading):
        reason = f"Account {other.id} counts some of the same: name all of it in one account."
        return _counted_twice(reading, known, other, known.market.name, reason)
    return reading


def _counted_twice(
    reading: Reading, known: Known, other: Account, what: str, reason: str
) -> Reading:
    own, code = known.account.id, known.market.code
    _log.warning("counted twice", account=own, also=other.id, market=code)
    name = f"{what} (counted in account {other.id} too)"
    return replace(reading, missing={**reading.missing, name: reason})


def _same_names(accounts: Iterable[Account], own: Account, reading: Reading) -> Account | None:
    """Return the first other account whose address lists what a reading counted."""
    for account in accounts:
        is_other = account.id != own.id and account.market_code == own.market_code
        is_counted = account.mode == "real" and account.include_in_summary
        if is_other and is_counted and reading.counted & set((account.address or "").split(",")):
            return account
    return None


def _is_same(account: Account, theirs: Market | None, market: Market, reading: Reading) -> bool:
    if theirs is None or theirs.venue != market.venue or account.mode != "real":
        return False
    if account.venue_identity != reading.identity or not account.include_in_summary:
        return False
    same_kind = (theirs.market_types, theirs.wallet) == (market.market_types, market.wallet)
    return same_kind or reading.shared_wallet is not None
