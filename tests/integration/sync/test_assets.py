"""The table of assets as the worker keeps it."""

from decimal import Decimal

import stored
from coffers.clock import HOUR, ManualClock, Millis
from coffers.markets.catalogue import load_catalogue
from coffers.portfolio.overrides import Overrides, OverrideWanted
from coffers.store.engine import Store
from coffers.store.records import AssetMapping
from coffers.sync.assets import note_assets, shipped_assets
from coffers.valuation.model import Position
from factories import NOW, price
from served import add_book


async def test_what_ships_what_is_priced_and_what_is_held_is_kept(store: Store) -> None:
    book = await add_book(store, NEVERHEARD="3")
    await note_assets(store, book, NOW)
    async with store.reading() as tx:
        found = await tx.assets.of({*book.prices, *(each.code for each in shipped_assets())})
        assert await tx.assets.seen() == book.prices.keys()
    assert found.keys() >= book.prices.keys()
    assert found["NEVERHEARD"].name is None
    assert found["NEVERHEARD"].first_seen_at == NOW
    assert (found["EUR"].name, found["EUR"].kind) == ("Euro", "fiat")
    assert (found["USDT"].kind, found["USDT"].coingecko_id) == ("stablecoin", "tether")
    assert found["EUR"].first_seen_at is None


async def test_nothing_is_written_where_all_is_known(sqlite_store: Store) -> None:
    book = await add_book(sqlite_store)
    await note_assets(sqlite_store, book, NOW)
    async with sqlite_store.reading() as tx:
        before = await tx.assets.of(["BTC", "EUR"])
    async with sqlite_store.transaction():
        # A second writer would wait for this one.
        await note_assets(sqlite_store, book, Millis(NOW + HOUR))
    async with sqlite_store.reading() as tx:
        assert await tx.assets.of(["BTC", "EUR"]) == before


async def test_a_key_for_prices_is_no_asset(sqlite_store: Store) -> None:
    async with sqlite_store.transaction() as tx:
        book = await tx.prices.save_book({"coingecko:abc": price("1", "2")}, NOW)
    await note_assets(sqlite_store, book, NOW)
    async with sqlite_store.reading() as tx:
        assert await tx.assets.of({"coingecko:abc"}) == {}


async def test_what_users_merely_say_is_not_kept(store: Store) -> None:
    account = await stored.account(store, await stored.user(store))
    held = [Position("spot", "HELD", "HELD", Decimal(1))]
    overrides = Overrides(store, load_catalogue(), ManualClock(NOW))
    async with store.transaction() as tx:
        await tx.holdings.replace(account.user_id, account.id, {"spot"}, held)
    await overrides.set(account.user_id, "SAID", OverrideWanted(contract=f"ethereum:0x{1:040x}"))
    await overrides.map(account.user_id, AssetMapping("binance", "abc", "MEANT"))
    await note_assets(store, await add_book(store), NOW)
    async with store.reading() as tx:
        assert await tx.assets.seen() == {"BTC", "ETH", "USDT", "HELD"}
