"""The last tries to read an account: a bounded text, the newest first."""

from sqlalchemy import func, select

from coffers.store.engine import Store
from coffers.store.records import Account, NewAccount
from coffers.store.sync_logs import LONGEST_WHY, MOST_LINES, SHOWN, SyncTry, bounded
from coffers.store.tables import sync_logs
from factories import NOW


async def account_in(store: Store) -> Account:
    async with store.transaction() as tx:
        user = await tx.users.add("ann", NOW)
        new = NewAccount(user.id, "binance", "Main", api_key="k")
        return await tx.accounts.add(new, identity=None, credential_id="c", now=NOW)


async def tries(store: Store, account: Account) -> list[SyncTry]:
    async with store.reading() as tx:
        return await tx.sync_logs.of_account(account.user_id, account.id)


async def add(store: Store, account: Account, tried: SyncTry) -> None:
    async with store.transaction() as tx:
        await tx.sync_logs.add(account.user_id, account.id, tried)


async def test_the_newest_are_told_first_and_no_more_than_ten(store: Store) -> None:
    account = await account_in(store)
    assert await tries(store, account) == []
    for number in range(MOST_LINES + 5):
        await add(store, account, SyncTry(NOW + number, number, "complete"))
    told = await tries(store, account)
    newest = MOST_LINES + 4
    assert [each.at - NOW for each in told] == list(range(newest, newest - SHOWN, -1))
    assert (told[0].took, told[0].outcome, told[0].why) == (newest, "complete", "")


async def test_long_failures_are_kept_and_the_text_stays_bounded(store: Store) -> None:
    account = await account_in(store)
    why = 'It said "no" \\ to \n all ' + "ü" * 500
    for number in range(40):
        await add(
            store, account, SyncTry(NOW + number, 0, "failed", "unexpected_answer", bounded(why))
        )
    told = await tries(store, account)
    assert len(told) == SHOWN
    assert told[0].why.startswith('It said "no" \\ to \n all ü')
    assert told[0].why.endswith("…")
    async with store.connection(is_reading=True) as connection:
        length = await connection.scalar(select(func.length(sync_logs.c.entries)))
    assert length <= MOST_LINES * (LONGEST_WHY + 60)


async def test_they_go_with_their_account(store: Store) -> None:
    account = await account_in(store)
    await add(store, account, SyncTry(NOW, 0, "complete"))
    async with store.transaction() as tx:
        await tx.accounts.remove(account.user_id, account.id)
    assert await tries(store, account) == []
