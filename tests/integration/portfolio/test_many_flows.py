"""An account with very many flows shows what it shows with all in memory, and keeps few."""

import gc
import tracemalloc
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest

import stored
from coffers.clock import DAY, HOUR, ManualClock, Millis
from coffers.money import plain, total
from coffers.portfolio.charts import Charts
from coffers.portfolio.explaining import explained
from coffers.portfolio.listing import Listing
from coffers.store import pasts
from coffers.store.engine import Store
from coffers.store.records import Account, AssetOverride, User
from coffers.valuation.model import Flow, Value
from coffers.valuation.transfers import Transfer
from factories import NOW
from served import add_account, add_book

OPENED = NOW - 400 * DAY
MANY = 2 * pasts.BATCH_SIZE + 50


def worth(number: int) -> Value:
    return Value(Decimal(number) / 7, Decimal(number * 1000) / 3)


def flows(several: int, step: int, **changes: Any) -> list[Flow]:
    made = {"txid": None, **changes}
    return [
        stored.flow(
            f"{number}",
            OPENED + 1 + number * step,
            worth(number) if number % 50 else None,
            **{**made, "direction": changes.get("direction") or ("in" if number % 3 else "out")},
        )
        for number in range(several)
    ]


async def add_past(store: Store, user: User, name: str, made: Sequence[Flow]) -> Account:
    known = await add_account(store, user, name)
    async with store.transaction() as tx:
        for at in range(OPENED, NOW, 20 * HOUR):
            await tx.history.add_snapshot(user.id, known.id, stored.snapshot(at, str(at % 997)))
        await tx.history.add_flows(user.id, known.id, made)
    return await stored.seen(store, known)


async def told(store: Store, user: User, accounts: Sequence[Account], currency: str) -> list[Any]:
    clock = ManualClock(NOW)
    listing, charts = Listing(store, clock), Charts(store, clock)
    async with store.reading() as tx:
        book = await tx.prices.newest()
    display = await listing.display(currency, book)
    alone = await listing.worked(user.id, accounts, book, currency)
    together = await listing.worked_together(user.id, accounts, book, currency)
    ids = [account.id for account in accounts]
    shown: list[Any] = [each.view for each in (*alone, *together)]
    shown += [explained(each, (), display, NOW)["figures"] for each in (*alone, *together)]
    for since in (OPENED, NOW - 50 * DAY):
        points = await charts.draw(user.id, ids, Millis(since), None, display.amount)
        for point in points:
            paid = [payment.told(display.amount) for payment in point.payments]
            known = [each for each in paid if each is not None]
            shown.append((point.at, point.value, point.deposited))
            shown.append(None if None in paid else plain(total(known)))
    return shown


@pytest.mark.parametrize("currency", ["USD", "BTC", "EUR"])
async def test_figures_and_charts_of_many_flows_are_those_of_all_flows(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch, currency: str
) -> None:
    store = sqlite_store
    user = await stored.user(store)
    async with store.transaction() as tx:
        for days in range(500):
            rate = {"EUR": Decimal(100 + days % 13) / 100}
            await tx.prices.save_rates(rate, Millis(NOW - days * DAY - HOUR))
    await add_book(store, EUR="1.07")
    step = (NOW - OPENED) // 310
    sent = flows(150, 2 * step, direction="out")
    came = flows(300, step, direction="in")
    one = await add_past(store, user, "One", sent)
    two = await add_past(store, user, "Two", came)
    few = await add_past(store, user, "Few", flows(20, 15 * step, direction="in"))
    async with store.transaction() as tx:
        pairs = [Transfer(one.id, f"{n}", two.id, f"{2 * n + 1}") for n in range(0, 150, 3)]
        pairs.append(Transfer(one.id, "1", few.id, "0"))
        await tx.transfers.add(user.id, pairs)
    accounts = [one, two, few]
    short = await told(store, user, accounts, currency)
    monkeypatch.setattr(pasts, "FEW", 10**9)
    assert short == await told(store, user, accounts, currency)


async def test_another_currency_is_read_anew(sqlite_store: Store) -> None:
    user = await stored.user(sqlite_store)
    async with sqlite_store.transaction() as tx:
        for days in range(500):
            at = Millis(NOW - days * DAY - HOUR)
            await tx.prices.save_rates({"EUR": Decimal(2), "GBP": Decimal(4)}, at)
    book = await add_book(sqlite_store, EUR="2", GBP="4")
    known = await add_past(sqlite_store, user, "One", flows(150, DAY, direction="in"))
    listing = Listing(sqlite_store, ManualClock(NOW))
    totals = {}
    for currency in ("USD", "EUR", "GBP", "EUR", "USD"):
        (view,) = await listing.views(user.id, [known], book, currency)
        totals.setdefault(currency, set()).add(view.figures.display.total)
    ((usd,), (euro,), (pound,)) = totals.values()
    assert (usd, usd) == (euro * 2, pound * 4)


async def test_what_is_kept_of_flows_does_not_grow_with_their_number(store: Store) -> None:
    user = await stored.user(store)
    book = await add_book(store)
    step = (NOW - 50 * DAY - OPENED) // MANY
    accounts = [await add_past(store, user, f"{number}", flows(MANY, step)) for number in range(2)]
    listing = Listing(store, ManualClock(NOW))
    await listing.views(user.id, [await add_account(store, user, "Other")], book, "USD")
    gc.collect()
    tracemalloc.start()
    try:
        views = await listing.views(user.id, accounts, book, "USD")
        gc.collect()
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # Each by itself would take a kilobyte.
    assert kept < 2_000_000
    async with store.reading() as tx:
        found = await tx.history.windows(user.id, [each.id for each in accounts], NOW, NOW)
    for past, view in zip(found.values(), views, strict=True):
        assert sum(each.count for each in past.earlier) + len(past.flows) == MANY
        inflow = sum(
            (each.value.usd if each.direction == "in" else -each.value.usd)
            for each in flows(MANY, step)
            if each.value is not None
        )
        assert past.inflow(NOW, lambda _at, _btc, usd: usd) is None
        assert abs(past.earlier[0].value.usd - inflow) < Decimal("1e-15")
        assert view.figures.usd.total is not None


async def test_what_is_said_of_an_asset_between_two_reads_leaves_the_sums_right(
    sqlite_store: Store,
) -> None:
    user = await stored.user(sqlite_store)
    book = await add_book(sqlite_store)
    spam = {"asset": "SPAM", "txid": None}
    sent = stored.flow("spam", OPENED + 5, Value(Decimal(7), Decimal(70)), direction="out", **spam)
    came = stored.flow("spam", OPENED + 6, Value(Decimal(2), Decimal(20)), **spam)
    few = await add_past(sqlite_store, user, "Few", [sent])
    many = await add_past(sqlite_store, user, "Many", [came, *flows(150, DAY)])
    async with sqlite_store.transaction() as tx:
        await tx.transfers.add(user.id, [Transfer(few.id, "spam", many.id, "spam")])
    listing = Listing(sqlite_store, ManualClock(NOW))
    await listing.joined(user.id, [few, many], book, "USD")
    async with sqlite_store.transaction() as tx:
        await tx.choices.override(user.id, AssetOverride("SPAM", is_ignored=True), NOW)
    _, found = await listing.joined(user.id, [few, many], book, "USD")
    now = await stored.seen(sqlite_store, many)
    (alone,) = await listing.views(user.id, [now], book, "USD")
    assert found.figures == alone.figures


async def test_a_chart_of_long_ago_keeps_few_of_the_flows_since(sqlite_store: Store) -> None:
    user = await stored.user(sqlite_store)
    known = await add_past(sqlite_store, user, "One", flows(300, DAY))
    moments = [Millis(OPENED + days * DAY) for days in (1, 10, 20)]
    async with sqlite_store.reading() as tx:
        past = (await tx.history.at_moments(user.id, [known.id], moments))[known.id]
    assert not past.flows
    assert sum(each.count for each in past.earlier) == 300
