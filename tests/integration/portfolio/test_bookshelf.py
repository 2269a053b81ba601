"""The newest price book is loaded once, and again when there is a newer one."""

import asyncio

import pytest

from coffers.portfolio.bookshelf import BookShelf
from coffers.store.engine import Store
from coffers.store.prices import Prices
from served import add_book


async def test_before_the_first_book_there_is_none(store: Store) -> None:
    shelf = BookShelf(store)
    assert await shelf.at(0) is None
    assert await shelf.newest() is None


async def test_a_newer_book_takes_the_place_of_the_old_one(store: Store) -> None:
    shelf = BookShelf(store)
    for worth in ("50000", "60000"):
        book = await add_book(store, BTC=worth)
        assert await shelf.at(book.epoch) == book
        assert await shelf.newest() is await shelf.at(book.epoch)


async def test_callers_that_wait_for_the_same_book_share_one_load(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = await add_book(sqlite_store)
    loads = 0
    newest = Prices.newest

    async def counting(prices: Prices) -> object:
        nonlocal loads
        loads += 1
        return await newest(prices)

    monkeypatch.setattr(Prices, "newest", counting)
    shelf = BookShelf(sqlite_store)
    found = await asyncio.gather(*(shelf.at(book.epoch) for _ in range(5)))
    assert found == [book] * 5
    assert loads == 1


async def test_a_caller_behind_the_times_gets_the_newer_book(sqlite_store: Store) -> None:
    old = await add_book(sqlite_store)
    new = await add_book(sqlite_store, BTC="60000")
    shelf = BookShelf(sqlite_store)
    newer = await shelf.at(new.epoch)
    assert newer == new
    assert await shelf.at(old.epoch) is newer  # not read again
