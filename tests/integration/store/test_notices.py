"""Notices between processes, heard from a real PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from coffers import metrics
from coffers.clock import Millis
from coffers.store import listener as listening
from coffers.store.engine import Store, Transaction
from coffers.store.errands import Errand
from coffers.store.events import NewEvent
from coffers.store.notices import MOST_HEARD, Notice, Notices, Topic
from coffers.store.records import NewAccount
from coffers.store.venue_tasks import PAIRS, Task
from coffers.vault.sealed import Sealed
from factories import NOW
from postgres import Postgres

LONG = 30.0
TASK = Task("binance", PAIRS)
NEW = NewAccount(1, "binance", "Main", api_key="fake-key")


@asynccontextmanager
async def heard_at(url: str) -> AsyncIterator[Store]:
    store = Store(url)
    try:
        await store.listen(url, tuple(Topic))
        yield store
    finally:
        await store.close()


@pytest.fixture
async def hearing(postgres_url: str) -> AsyncIterator[Store]:
    """A store that hears all notices, beside others on the same database."""
    async with heard_at(postgres_url) as store:
        assert store.notices.is_up
        yield store


@pytest.fixture
async def other(postgres_url: str) -> AsyncIterator[Store]:
    """What another process has."""
    store = Store(postgres_url)
    async with store.transaction() as tx:
        await tx.users.add("ann", NOW)
    yield store
    await store.close()


async def add_account(tx: Transaction) -> None:
    await tx.accounts.add(NEW, identity="one", credential_id="1:one", now=NOW)


async def rekey(tx: Transaction) -> None:
    account = await tx.accounts.get(1, 1)
    assert account is not None
    await tx.accounts.rekey(account, identity="two", credential_id="1:two", now=NOW)


async def add_errand(tx: Transaction) -> None:
    errand = Errand(1, await tx.errands.new_id(), "refresh", Sealed("key", b"sealed"))
    await tx.errands.add(errand, NOW, Millis(NOW + 1000))


async def finish_errand(tx: Transaction) -> None:
    await tx.errands.take("holder", NOW, Millis(NOW + 1000))
    assert await tx.errands.finish(1, 1, "holder", "{}")


async def add_events(tx: Transaction) -> None:
    await tx.events.add(1, [NewEvent("deposit", NOW, {"amount": "1"}, 7, "real")] * 2)


async def save_book(tx: Transaction) -> None:
    await tx.prices.save_book({}, NOW)


async def ask_venue(tx: Transaction) -> None:
    await tx.venue_tasks.ask(TASK, NOW, is_due=True)


async def answer_venue(tx: Transaction) -> None:
    assert await tx.venue_tasks.take(TASK, "holder", NOW, Millis(NOW + 1000))
    assert await tx.venue_tasks.done(TASK, "holder", NOW, None)


async def fail_venue(tx: Transaction) -> None:
    await tx.venue_tasks.ask(TASK, NOW, is_due=True)
    assert await tx.venue_tasks.take(TASK, "other", NOW, Millis(NOW + 1000))
    assert await tx.venue_tasks.failed(TASK, "other", NOW, None, "unreachable", "It is away.")


CHANGES: list[tuple[Callable[[Transaction], Awaitable[None]], list[Notice]]] = [
    (add_account, [Notice(Topic.DUE, "1:1")]),
    (rekey, [Notice(Topic.DUE, "1:1")]),
    (add_errand, [Notice(Topic.ERRANDS, "1:1")]),
    (finish_errand, [Notice(Topic.OUTCOMES, "1:1")]),
    (add_events, [Notice(Topic.EVENTS, "1")]),
    (save_book, [Notice(Topic.PRICES, "1")]),
    (ask_venue, [Notice(Topic.ASKED, "binance:pairs")]),
    (answer_venue, [Notice(Topic.FOUND, "binance:pairs")]),
    (fail_venue, [Notice(Topic.ASKED, "binance:pairs"), Notice(Topic.FOUND, "binance:pairs")]),
]


async def test_each_change_is_told_by_ids_once_it_is_kept(hearing: Store, other: Store) -> None:
    ear = hearing.notices.ear(lambda _: True)
    for change, notices in CHANGES:
        async with other.transaction() as tx:
            await change(tx)
        heard: set[Notice] = set()
        while not heard.issuperset(notices):
            told = await ear.wait(LONG, LONG)
            assert told is not None, change.__name__
            heard |= told
        assert heard == set(notices)


async def test_what_is_undone_is_told_to_nobody(hearing: Store, other: Store) -> None:
    ear = hearing.notices.ear(lambda _: True)

    async def fail() -> None:
        async with other.transaction() as tx:
            await add_errand(tx)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    async with other.transaction() as tx:
        await save_book(tx)
    assert await ear.wait(LONG, LONG) == {Notice(Topic.PRICES, "1")}


async def test_a_change_writes_the_same_where_nobody_can_be_told(sqlite_store: Store) -> None:
    async with sqlite_store.transaction() as tx:
        await tx.users.add("ann", NOW)
    await sqlite_store.listen(sqlite_store.url, tuple(Topic))
    assert not sqlite_store.notices.is_up
    for change, _ in CHANGES:
        async with sqlite_store.transaction() as tx:
            await change(tx)


async def test_a_lost_connection_is_made_again_and_all_are_told_to_look(
    hearing: Store, other: Store, postgres: Postgres
) -> None:
    ear = hearing.notices.ear(lambda _: False)
    database = other.url.split("@/")[1].split("?")[0]
    for is_up in (False, True):
        if not is_up:
            postgres.sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "  # noqa: S608 - our own name
                f"WHERE query LIKE 'NOTIFY coffers_proof%' AND datname = '{database}'"
            )
        while hearing.notices.is_up is not is_up:
            assert await ear.wait(LONG, LONG) is None
        assert metrics.notices_down._value.get() == (not is_up)
    wanted = hearing.notices.ear(lambda notice: notice.topic is Topic.PRICES)
    async with other.transaction() as tx:
        await save_book(tx)
    assert await wanted.wait(LONG, LONG) == {Notice(Topic.PRICES, "1")}


async def test_a_server_that_is_not_there_is_no_reason_to_wait(tmp_path: object) -> None:
    async with heard_at(f"postgresql+asyncpg://coffers@/coffers?host={tmp_path}") as store:
        assert not store.notices.is_up
        assert metrics.notices_down._value.get() == 1


async def test_a_connection_that_hears_nothing_counts_as_none(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def begin(_self: object) -> None:
        return

    monkeypatch.setattr(listening._Proof, "begin", begin)
    monkeypatch.setattr(listening, "HEARD_WITHIN", 0.05)
    async with heard_at(postgres_url) as store:
        assert not store.notices.is_up


async def test_a_connection_that_falls_silent_is_given_up(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "PROVEN_EVERY", 0.05)
    async with heard_at(postgres_url) as store:
        ear = store.notices.ear(lambda _: False)
        monkeypatch.setattr(listening, "HEARD_WITHIN", 0.0)
        while store.notices.is_up:
            assert await ear.wait(LONG, LONG) is None
        monkeypatch.undo()
        while not store.notices.is_up:
            assert await ear.wait(LONG, LONG) is None


async def test_an_ear_hears_what_it_wants_and_what_came_before_it_waits() -> None:
    notices = Notices()
    ear = notices.ear(lambda notice: notice.about == "1")
    notices.tell(Notice(Topic.EVENTS, "1"))
    notices.tell(Notice(Topic.EVENTS, "2"))
    assert await ear.wait(LONG, LONG) == {Notice(Topic.EVENTS, "1")}
    waiting = asyncio.create_task(ear.wait(LONG, LONG))
    await asyncio.sleep(0)
    notices.tell(Notice(Topic.EVENTS, "2"))
    ear.ring()
    assert await waiting is None


async def test_an_ear_that_nobody_asks_holds_no_more_than_it_may() -> None:
    notices = Notices()
    ear = notices.ear(lambda _: True)
    for number in range(MOST_HEARD + 1):
        notices.tell(Notice(Topic.EVENTS, str(number)))
    assert len(ear._heard) == MOST_HEARD
    assert await ear.wait(LONG, LONG) is None


async def test_how_long_is_waited_depends_on_whether_notices_arrive() -> None:
    notices = Notices()
    ear = notices.ear(lambda _: True)
    assert await ear.wait(0.001, LONG) is None
    notices.turn(is_up=True)
    assert await ear.wait(LONG, LONG) is None
    assert await ear.wait(LONG, 0.001) is None


async def test_an_ear_that_nobody_holds_is_forgotten() -> None:
    notices = Notices()
    ear = notices.ear(lambda _: True)
    assert len(notices._ears) == 1
    del ear
    assert len(notices._ears) == 0
