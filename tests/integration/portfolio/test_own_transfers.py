"""A transfer between two accounts: a flow for each, and nothing for the summary."""

from decimal import Decimal
from typing import Any

import stored
from coffers.clock import DAY, HOUR, ManualClock, Millis
from coffers.portfolio.accounts import AccountKeeping
from coffers.portfolio.charts import Charts
from coffers.portfolio.listing import Listing
from coffers.portfolio.summary import Summaries, Summary
from coffers.portfolio.users import Users
from coffers.store.engine import Store
from coffers.store.records import Account, AssetMapping, AssetOverride, User
from coffers.sync.transfers import pair_transfers
from coffers.valuation.model import Value
from factories import NOW
from served import add_account, add_book, read_account

BEGAN = Millis(NOW - 2 * DAY)
"""When accounts of `add_account` have their opening snapshot, of 18,000 USD and 0.4 BTC."""

SENT, CAME = Millis(NOW - 26 * HOUR), Millis(NOW - 20 * HOUR)


def worth(usd: str) -> Value:
    return Value(Decimal(usd) / 50000, Decimal(usd))


def out(**changes: Any) -> Any:
    fee = {"fee": Decimal("0.001"), "amount": Decimal("0.2"), "txid": "0xaa"}
    made = {"value": worth("9000"), "direction": "out", "fee_asset": "BTC", **fee, **changes}
    return stored.flow("w", SENT, **made)


def into(**changes: Any) -> Any:
    made = {"value": worth("9900"), "amount": Decimal("0.199"), "txid": "0xaa", **changes}
    return stored.flow("d", CAME, **made)


async def summary(store: Store, user: User) -> Summary:
    clock = ManualClock(NOW)
    keeping, users = AccountKeeping(store, clock), Users(store, clock)
    async with store.reading() as tx:
        book = await tx.prices.newest()
    return await Summaries(keeping, users, Listing(store, clock)).of(user.id, "real", book, "USD")


async def moved(store: Store, user: User, to: str = "binance") -> tuple[Account, Account]:
    """Add two accounts with 18,000 USD each at their opening, and 0.2 BTC that moved."""
    one = await add_account(store, user, "One", held={"BTC": "0.159"})
    two = await add_account(store, user, "Two", held={"BTC": "0.559"}, market_code=to)
    async with store.transaction() as tx:
        await tx.history.add_flows(user.id, one.id, [out()])
        await tx.history.add_flows(user.id, two.id, [into()])
        for account in (one, two):
            await tx.history.add_snapshot(
                user.id, account.id, stored.snapshot(NOW - 21 * HOUR, "7950", "0.159")
            )
        await pair_transfers(tx, two, [into()])
    return one, two


async def test_the_summary_is_the_sum_but_for_what_the_way_cost(sqlite_store: Store) -> None:
    user = await stored.user(sqlite_store)
    await add_book(sqlite_store)
    one, two = await moved(sqlite_store, user)
    shown = await summary(sqlite_store, user)
    accounts = [await stored.seen(sqlite_store, account) for account in (one, two)]
    book = await _book(sqlite_store)
    alone = await Listing(sqlite_store, ManualClock(NOW)).views(user.id, accounts, book, "USD")
    usd = [view.figures.usd for view in alone]
    assert [figures.total for figures in usd] == [
        Decimal(7950) - 18000 + 9000,
        Decimal(27950) - 18000 - 9900,
    ]
    # Of the summary's money 900 USD were gained on the way, which no account saw.
    assert shown.figures.usd.total == 7950 + 27950 - 2 * 18000
    assert shown.figures.usd.total == sum(figures.total or 0 for figures in usd) + 900
    assert shown.figures.usd.amount == sum(figures.amount or 0 for figures in usd)


async def test_while_it_is_under_way_it_is_missing_but_no_loss(sqlite_store: Store) -> None:
    user = await stored.user(sqlite_store)
    await add_book(sqlite_store)
    one = await add_account(sqlite_store, user, "One", held={"BTC": "0.16"})
    await add_account(sqlite_store, user, "Two", held={"BTC": "0.36"})
    async with sqlite_store.transaction() as tx:
        sent = [out(value=worth("10000"))]
        await tx.history.add_flows(user.id, one.id, sent)
        await pair_transfers(tx, one, sent)
    shown = await summary(sqlite_store, user)
    assert shown.figures.usd.amount == 26000
    assert shown.figures.usd.total == 0


async def test_money_to_an_account_outside_of_the_summary_has_left_it(
    sqlite_store: Store,
) -> None:
    user = await stored.user(sqlite_store)
    await add_book(sqlite_store)
    one, two = await moved(sqlite_store, user)
    async with sqlite_store.transaction() as tx:
        await tx.accounts.remove(user.id, two.id)
        assert await tx.transfers.of_user(user.id) == frozenset()
    shown = await summary(sqlite_store, user)
    assert shown.figures.usd.total == 7950 - 18000 + 9000
    await read_account(sqlite_store, one, {"BTC": "0.159"})


async def test_old_transfers_from_before_the_openings_are_nothing_to_the_summary(
    sqlite_store: Store,
) -> None:
    user = await stored.user(sqlite_store)
    await add_book(sqlite_store)
    one = await add_account(sqlite_store, user, "One")
    two = await add_account(sqlite_store, user, "Two")
    before = await summary(sqlite_store, user)
    old = Millis(BEGAN - DAY)
    async with sqlite_store.transaction() as tx:
        sent = stored.flow("w", old, direction="out", txid="0xaa")
        await tx.history.add_flows(user.id, one.id, [sent])
        await tx.history.add_flows(user.id, two.id, [stored.flow("d", old, txid="0xaa")])
        await pair_transfers(tx, one, [sent])
        assert len(await tx.transfers.of_user(user.id)) == 1
    assert (await summary(sqlite_store, user)).figures == before.figures


async def test_a_chart_of_both_takes_out_and_puts_in_the_same(store: Store) -> None:
    user = await stored.user(store)
    one, two = await moved(store, user)
    charts = Charts(store, ManualClock(NOW))
    together = await charts.draw(user.id, [one.id, two.id], BEGAN, None)
    deposited = [point.deposited.usd for point in together if point.deposited.usd]
    assert deposited == [36000, -9000, 9000]
    alone = await charts.draw(user.id, [two.id], BEGAN, None)
    assert [point.deposited.usd for point in alone if point.deposited.usd] == [18000, 9900]


async def test_a_half_that_is_of_an_ignored_asset_leaves_the_other_one_as_it_is(
    store: Store,
) -> None:
    user = await stored.user(store)
    one, two = await moved(store, user, to="kraken")
    async with store.transaction() as tx:
        await tx.choices.map(user.id, AssetMapping("binance", "XXBT", "SPAM"), NOW)
        await tx.choices.override(user.id, AssetOverride("SPAM", is_ignored=True), NOW)
    points = await Charts(store, ManualClock(NOW)).draw(user.id, [one.id, two.id], BEGAN, None)
    assert [point.deposited.usd for point in points if point.deposited.usd] == [36000, 9900]


async def _book(store: Store) -> Any:
    async with store.reading() as tx:
        return await tx.prices.newest()
