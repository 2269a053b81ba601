"""Figures of more accounts than are kept in memory."""

import pytest

import stored
from coffers.portfolio.listing import Listing
from coffers.store.engine import Store
from factories import NOW


async def test_a_change_among_more_accounts_than_are_kept_loses_none_of_them(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coffers.portfolio.listing.KEPT_INPUTS", 2)
    ann = await stored.user(sqlite_store)
    accounts = [await stored.account(sqlite_store, ann, f"Account {n}") for n in range(4)]
    listing = Listing(sqlite_store)
    assert len(await listing.views(ann.id, accounts, None, "USD")) == 4
    async with sqlite_store.transaction() as tx:
        await tx.accounts.rename(ann.id, accounts[3].id, "Another", NOW)
    accounts[3] = await stored.seen(sqlite_store, accounts[3])
    views = await listing.views(ann.id, accounts, None, "USD")
    assert [view.account.name for view in views][2:] == ["Account 2", "Another"]
    await listing.views(ann.id, accounts[:1], None, "USD")
