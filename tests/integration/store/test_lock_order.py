"""Transactions of one user that meet on PostgreSQL: they wait for each other, none crosswise."""

import asyncio
from collections.abc import AsyncIterator, Awaitable

import pytest
from sqlalchemy import text

import stored
from coffers.clock import DAY, ManualClock, Millis
from coffers.markets.catalogue import PAPER, load_catalogue
from coffers.portfolio.overrides import Overrides, OverrideWanted
from coffers.portfolio.paper import NewPaper, PaperAccounts
from coffers.store.engine import Store
from coffers.store.records import Account, AssetMapping, User
from coffers.store.rollups import HOURLY
from coffers.sync.transfers import pair_transfers
from coffers.valuation.transfers import Transfer
from factories import NOW

SENT = stored.flow("w1", NOW, direction="out", txid="0xaa")

_WAITING = text(
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


@pytest.fixture
async def pg(postgres_url: str) -> AsyncIterator[Store]:
    opened = Store(postgres_url)
    yield opened
    await opened.close()


@pytest.fixture
async def ann(pg: Store) -> User:
    return await stored.user(pg, "ann")


async def one_waits(store: Store) -> None:
    """Return as soon as some transaction waits for another one's lock."""
    waiting = 0
    async with asyncio.timeout(10):
        while not waiting:
            await asyncio.sleep(0.005)
            async with store.connection(is_reading=True) as connection:
                waiting = await connection.scalar(_WAITING)


async def met_by(store: Store, others: Awaitable[object]) -> asyncio.Task[object]:
    """Begin what is to meet the transaction of the caller, and return once it waits for it."""
    meeting = asyncio.ensure_future(others)
    await one_waits(store)
    assert isinstance(meeting, asyncio.Task)
    return meeting


async def both_ends_of_a_transfer(store: Store, owner: User) -> tuple[Account, Account]:
    one = await stored.account(store, owner, "one", mode="paper", market_code=PAPER)
    papers = PaperAccounts(store, ManualClock(NOW))
    two = (await papers.create(owner.id, NewPaper("two", {"USDT": "1"}))).account
    came = stored.flow("d1", Millis(NOW + 1000), txid="0xaa")
    async with store.transaction() as tx:
        await tx.history.add_flows(owner.id, one.id, [SENT])
        await tx.history.add_flows(owner.id, two.id, [came])
    return one, two


@pytest.mark.parametrize("what", ["override", "mapping"])
async def test_what_a_user_says_of_an_asset_meets_a_reading_that_finds_it(
    pg: Store, ann: User, what: str
) -> None:
    account = await stored.account(pg, ann)
    overrides = Overrides(pg, load_catalogue(), ManualClock(NOW))
    said = (
        overrides.set(ann.id, "XYZ", OverrideWanted(name="Mine"))
        if what == "override"
        else overrides.map(ann.id, AssetMapping("binance", "abc", "XYZ"))
    )
    async with pg.transaction() as tx:
        await tx.accounts.held(ann.id, account.id)
        saying = await met_by(pg, said)
        await tx.assets.meet(["XYZ"], NOW)
    await saying


async def test_readings_do_not_wait_for_others_that_hold_the_same(pg: Store) -> None:
    async with pg.transaction() as tx:
        await tx.assets.meet(["BTC", "USDT"], NOW)
    async with pg.transaction() as tx:
        await tx.assets.meet(["BTC", "USDT", "ABC"], NOW)
        async with asyncio.timeout(5), pg.transaction() as other:
            await other.assets.meet(["USDT", "BTC", "XYZ"], NOW)


async def test_a_search_for_transfers_meets_the_removal_of_an_account_that_is_part_of_one(
    pg: Store, ann: User
) -> None:
    one, two = await both_ends_of_a_transfer(pg, ann)

    async def remove() -> None:
        async with pg.transaction() as tx:
            assert await tx.accounts.remove(ann.id, two.id)

    async with pg.transaction() as tx:
        await tx.accounts.held(ann.id, one.id)
        await tx.transfers.lock(ann.id)
        removal = await met_by(pg, remove())
        await pair_transfers(tx, one, [SENT])
        assert await tx.transfers.of_user(ann.id) == {Transfer(one.id, "w1", two.id, "d1")}
    await removal
    async with pg.reading() as tx:
        assert await tx.transfers.of_user(ann.id) == frozenset()


async def test_a_search_for_transfers_meets_the_reading_of_an_account_that_is_part_of_one(
    pg: Store, ann: User
) -> None:
    one, two = await both_ends_of_a_transfer(pg, ann)

    async def read() -> None:
        async with pg.transaction() as tx:
            await tx.accounts.held(ann.id, one.id)
            await pair_transfers(tx, one, [SENT])

    async with pg.transaction() as tx:
        await tx.accounts.held(ann.id, two.id)
        undone = await tx.history.remove_flows(ann.id, two.id, [("in", "d1")])
        assert [flow.external_id for flow in undone] == ["d1"]
        async with asyncio.timeout(5):
            await read()
        assert await tx.transfers.of_user(ann.id) == {Transfer(one.id, "w1", two.id, "d1")}
        await pair_transfers(tx, two, [], undone)
    async with pg.reading() as tx:
        assert await tx.transfers.of_user(ann.id) == frozenset()


async def test_a_search_for_transfers_meets_the_reset_of_an_account_that_is_part_of_one(
    pg: Store, ann: User
) -> None:
    one, two = await both_ends_of_a_transfer(pg, ann)
    async with pg.transaction() as tx:
        await tx.transfers.add(ann.id, [Transfer(one.id, "other", two.id, "d1")])
    async with pg.transaction() as tx:
        await tx.accounts.held(ann.id, one.id)
        await tx.transfers.lock(ann.id)
        resetting = await met_by(pg, PaperAccounts(pg, ManualClock(NOW)).reset(ann.id, two.id))
        await tx.transfers.remove(ann.id, await tx.transfers.of_user(ann.id))
    await resetting


async def test_a_roll_up_meets_the_reset_of_an_account(pg: Store, ann: User) -> None:
    papers = PaperAccounts(pg, ManualClock(NOW))
    account = (await papers.create(ann.id, NewPaper("one", {"USDT": "1"}))).account
    async with pg.transaction() as tx:
        old = stored.snapshot(Millis(NOW - 9 * DAY), "1")
        await tx.history.add_snapshot(ann.id, account.id, old)
    async with pg.transaction() as tx:
        await tx.rollups.roll_up(HOURLY, NOW)
        resetting = await met_by(pg, papers.reset(ann.id, account.id))
    await resetting


async def test_what_a_user_says_of_many_assets_at_once_while_accounts_change(
    pg: Store, ann: User
) -> None:
    known = [await stored.account(pg, ann, f"{number}") for number in range(40)]
    overrides = Overrides(pg, load_catalogue(), ManualClock(NOW))

    async def say(asset: str) -> None:
        for number in range(12):
            await overrides.set(ann.id, asset, OverrideWanted(name=f"{number}"))

    async def rename() -> None:
        # Each change puts a row to another place, and in that order they are found.
        for account in [*known[::3], *known[::2]]:
            async with pg.transaction() as tx:
                await tx.accounts.rename(ann.id, account.id, f"other {account.name}", NOW)

    await asyncio.gather(rename(), *(say(f"A{number}") for number in range(6)))
