"""Operations as they are begun."""

import asyncio

import pytest

import stored
from coffers.clock import ManualClock
from coffers.errors import NotFound
from coffers.markets.catalogue import load_catalogue
from coffers.portfolio.idempotency import KeyReused
from coffers.portfolio.ledger import SELL_TO_USD, TRANSFER, Ledger, Wanted
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


@pytest.mark.parametrize("ends", [("spot", "contract"), ("contract", "spot")])
async def test_a_transfer_is_the_same_that_an_older_release_wrote_down(
    store: Store, ends: tuple[str, str]
) -> None:
    ann = await stored.user(store)
    account = await stored.account(store, ann)
    ledger = Ledger(store, load_catalogue(), ManualClock(NOW), is_trading_on=True)

    def wanted(amount: str, ends: tuple[str, ...]) -> Wanted:
        asked = {"currency": "USDT", "amount": amount, "source": ends[0], "target": ends[1]}
        return Wanted(account.id, TRANSFER, "key", {**asked, "to_account_id": 2})

    before = tuple(end.replace("spot", "trade") for end in ends)
    async with store.transaction() as tx:
        told = wanted("5", before).told
        first, _ = await tx.operations.begin(ann.id, account.id, TRANSFER, "key", told, NOW)
    assert await ledger.begin(ann.id, wanted("5", ends)) == first
    for other in (wanted("6", ends), wanted("5", ends[::-1])):
        with pytest.raises(KeyReused):
            await ledger.begin(ann.id, other)
