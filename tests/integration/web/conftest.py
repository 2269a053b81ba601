"""A bank for tests of pages that need a worker."""

from collections.abc import AsyncIterator

import pytest

from bank import LOOKS, Bank
from coffers.connectors.reading import Reading
from coffers.store.engine import Store
from factories import NOW, position
from fakes import FakeConnector
from office import working
from pages import opened
from served import add_book


@pytest.fixture
async def bank(sqlite_store: Store) -> AsyncIterator[Bank]:
    async with opened(sqlite_store) as pages:
        await pages.begin()
        await add_book(sqlite_store)
        held = (position("BTC", "0.5"), position("ODD", "7"))
        venue = FakeConnector(Reading(NOW, frozenset({"spot"}), held), LOOKS)
        async with working(pages.api.services, venue):
            yield Bank(pages, venue)
