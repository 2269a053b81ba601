"""Operations as they are begun."""

import asyncio

import pytest

import stored
from coffers.clock import ManualClock
from coffers.errors import NotFound
from coffers.markets.catalogue import load_catalogue
from coffers.portfolio.ledger import SELL_TO_USD, Ledger, Wanted
from coffers.store.engine import Store
from factories import NOW


async def test_nothing_is_begun_for_an_account_that_is_just_being_removed(store: Store) -> None:
    ann = await stored.user(store)
    account = await stored.account(store, ann)
    ledger = Ledger(store, load_catalogue(), ManualClock(NOW), is_trading_on=True)
    async with store.transaction() as tx:
        await tx.accounts.remove(ann.id, account.id)
        beginning = asyncio.create_task(ledger.begin(ann.id, Wanted(account.id, SELL_TO_USD)))
        # For as long as it takes to come to where it waits.
        await asyncio.sleep(0.2)
    with pytest.raises(NotFound):
        await beginning
