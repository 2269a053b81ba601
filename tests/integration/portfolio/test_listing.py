"""Figures of more accounts than are kept in memory, and of some that change meanwhile."""

import gc
from decimal import Decimal

import pytest

import stored
from coffers.clock import MINUTE, ManualClock, Millis
from coffers.portfolio.inputs import Inputs
from coffers.portfolio.listing import Listing
from coffers.portfolio.view import AccountView
from coffers.store.engine import Store
from coffers.store.records import Account, User
from coffers.valuation.model import PriceBook, Value
from factories import NOW
from served import add_account, add_book, read_account

BEFORE = Millis(NOW - 2 * MINUTE)


async def start(store: Store) -> tuple[User, Account, PriceBook]:
    """Add an account that was read once, and holds what it held at its opening."""
    user = await stored.user(store)
    book = await add_book(store, BEFORE, BTC="45000")
    account = await add_account(store, user, held={"BTC": "0.4"})
    await read_account(store, account, {"BTC": "0.4"}, read_at=BEFORE)
    return user, await stored.seen(store, account), book


async def read_again(store: Store, account: Account) -> None:
    """Store a later reading, with a deposit that came since."""
    async with store.transaction() as tx:
        amount = Decimal("0.1")
        flow = stored.flow(
            "d", Millis(NOW - MINUTE), amount=amount, value=Value(amount, Decimal(4500))
        )
        await tx.history.add_flows(account.user_id, account.id, [flow])
    await read_account(store, account, {"BTC": "0.5"})


def told(view: AccountView) -> tuple[Decimal | None, Decimal | None]:
    return view.figures.btc.amount, view.figures.btc.total


async def test_a_deposit_that_came_since_the_accounts_were_listed_is_no_profit(
    store: Store,
) -> None:
    user, account, book = await start(store)
    await read_again(store, account)
    listing = Listing(store, ManualClock(NOW))
    (view,) = await listing.views(user.id, [account], book, "USD")
    assert told(view) == (Decimal("0.5"), 0)
    assert view.account == await stored.seen(store, account)
    # What it is made of is kept as what it is.
    (view,) = await listing.views(user.id, [view.account], book, "USD")
    assert told(view) == (Decimal("0.5"), 0)


async def test_an_account_whose_figures_are_kept_is_shown_as_it_was_listed(store: Store) -> None:
    user, account, book = await start(store)
    listing = Listing(store, ManualClock(NOW))
    await listing.views(user.id, [account], book, "USD")
    await read_again(store, account)
    (view,) = await listing.views(user.id, [account], book, "USD")
    assert (told(view), view.account) == ((Decimal("0.4"), 0), account)


async def test_an_account_that_was_removed_since_is_shown_as_unknown(store: Store) -> None:
    user, account, book = await start(store)
    async with store.transaction() as tx:
        await tx.accounts.remove(user.id, account.id)
    listing = Listing(store, ManualClock(NOW))
    (view,) = await listing.views(user.id, [account], book, "USD")
    assert told(view) == (None, None)
    (joined,) = await listing.joined(user.id, [account], book, "USD")
    assert told(joined) == (None, None)


async def test_a_change_among_more_accounts_than_are_kept_loses_none_of_them(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coffers.portfolio.inputs.KEPT_INPUTS", 2)
    ann = await stored.user(sqlite_store)
    accounts = [await stored.account(sqlite_store, ann, f"Account {n}") for n in range(4)]
    listing = Listing(sqlite_store, ManualClock(NOW))
    assert len(await listing.views(ann.id, accounts, None, "USD")) == 4
    async with sqlite_store.transaction() as tx:
        await tx.accounts.rename(ann.id, accounts[3].id, "Another", NOW)
    accounts[3] = await stored.seen(sqlite_store, accounts[3])
    views = await listing.views(ann.id, accounts, None, "USD")
    assert [view.account.name for view in views][2:] == ["Account 2", "Another"]
    await listing.views(ann.id, accounts[:1], None, "USD")


async def test_what_an_account_was_before_a_change_is_not_kept(store: Store) -> None:
    user, account, book = await start(store)
    listing = Listing(store, ManualClock(NOW))
    gc.collect()
    before = _inputs_alive()
    for _ in range(5):
        async with store.transaction() as tx:
            await tx.accounts.rename(user.id, account.id, f"After {account.version}", NOW)
        account = await stored.seen(store, account)
        await listing.views(user.id, [account], book, "USD")
    gc.collect()
    assert _inputs_alive() == before + 1


def _inputs_alive() -> int:
    return sum(isinstance(each, Inputs) for each in gc.get_objects())
