"""Rows of PostgreSQL that are asked for together by all who want one at a time."""

import asyncio
from collections.abc import AsyncIterator, Collection

import asyncpg  # type: ignore[import-untyped]
import pytest
from sqlalchemy.engine import make_url

import stored
from coffers.store import fast_postgres as module
from coffers.store.engine import Store
from coffers.store.errors import StoreUnavailable
from coffers.store.fast_postgres import PostgresRows, Row

DOUBLED = "SELECT t, 2 * t::int, pg_backend_pid() FROM unnest($1::text[]) t WHERE t <> '13'"
COUNTED = "SELECT t, (SELECT count(*) FROM users) FROM unnest($1::text[]) t"
NAPPING = "SELECT t, pg_sleep(t::float8) FROM unnest($1::text[]) t"


class Watched(PostgresRows):
    """Rows that tell what was asked, and wait with each answer until it may go on."""

    def __init__(self, url: str, statement: str = DOUBLED) -> None:
        super().__init__(make_url(url), statement, 0, is_pooled=False)
        self.asked: list[set[str]] = []
        self.begun, self.read = asyncio.Semaphore(0), asyncio.Semaphore(0)
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def _rows(self, texts: Collection[str]) -> list[Row]:
        self.asked.append(set(texts))
        self.begun.release()
        rows = await super()._rows(texts)
        self.read.release()
        await self.may_answer.wait()
        return rows


@pytest.fixture
async def rows(postgres_url: str) -> AsyncIterator[Watched]:
    found = Watched(postgres_url)
    yield found
    await found.close()


@pytest.fixture
async def counting(postgres_url: str) -> AsyncIterator[Watched]:
    found = Watched(postgres_url, COUNTED)
    yield found
    await found.close()


async def begun(rows: Watched, *texts: str) -> list[asyncio.Task[Row | None]]:
    """Return tasks that each wait for a row; the answer to the first question is held back."""
    rows.may_answer.clear()
    tasks = [asyncio.create_task(rows.find(text)) for text in texts]
    await rows.begun.acquire()
    return tasks


async def test_all_who_come_while_the_server_is_asked_are_asked_for_together(
    rows: Watched,
) -> None:
    tasks = await begun(rows, "1", "2", "13", "2", "3")
    rows.may_answer.set()
    found = await asyncio.gather(*tasks)
    assert [row and row[1] for row in found] == [2, 4, None, 4, 6]
    assert rows.asked == [{"1"}, {"2", "13", "3"}]
    assert await rows.find("5") is not None
    assert rows.asked[2:] == [{"5"}]


async def test_nobody_gets_what_was_read_before_they_came(
    counting: Watched, postgres_url: str
) -> None:
    (first,) = await begun(counting, "users")
    # Until it has been read, and no longer: the answer is held back.
    await counting.read.acquire()
    store = Store(postgres_url)
    await stored.user(store)
    second = asyncio.create_task(counting.find("users"))
    await asyncio.sleep(0)
    counting.may_answer.set()
    assert [row and row[1] for row in await asyncio.gather(first, second)] == [0, 1]
    await store.close()


async def test_one_that_is_given_up_leaves_the_others_theirs(rows: Watched) -> None:
    for given_up in range(3):
        tasks = await begun(rows, "1", "2", "3")
        tasks[given_up].cancel()
        rows.may_answer.set()
        found = await asyncio.gather(*tasks, return_exceptions=True)
        told = [row[1] for row in found if not isinstance(row, BaseException | None)]
        assert told == [2 * number for number in (1, 2, 3) if number != given_up + 1]


async def test_a_server_that_does_not_answer_in_time_is_given_up_by_all(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = Watched(postgres_url, NAPPING)
    assert await rows.find("0") is not None
    monkeypatch.setattr(module, "ANSWERED_BY", 0.2)
    naps = await asyncio.gather(
        *(rows.find(text) for text in ("60", "61", "62")), return_exceptions=True
    )
    assert [type(nap) for nap in naps] == [StoreUnavailable] * 3
    assert len({id(nap) for nap in naps}) == len(naps)
    assert await rows.find("0") is not None
    await rows.close()


async def test_a_question_that_the_server_refuses_is_told_to_all(rows: Watched) -> None:
    found = await asyncio.gather(
        *(rows.find(text) for text in ("1", "no number", "2")), return_exceptions=True
    )
    assert [type(each) for each in found[1:]] == [StoreUnavailable] * 2
    assert await rows.find("3") is not None


async def test_a_connection_that_is_lost_is_replaced_for_all(rows: Watched) -> None:
    (first,) = await asyncio.gather(rows.find("1"))
    rows._held.connection._transport.abort()  # type: ignore[union-attr]
    found = await asyncio.gather(*(rows.find(str(number)) for number in range(5)))
    assert [row and row[1] for row in found] == [0, 2, 4, 6, 8]
    assert {row and row[2] for row in found} != {first and first[2]}


async def test_whoever_waits_when_it_is_closed_is_told(postgres_url: str) -> None:
    rows = Watched(postgres_url, NAPPING)
    waiting = [asyncio.create_task(rows.find(text)) for text in ("0", "60", "61")]
    await rows.begun.acquire()
    await rows.begun.acquire()
    late = asyncio.create_task(rows.find("62"))
    await asyncio.sleep(0)
    await rows.close()
    found = await asyncio.gather(*waiting, late, return_exceptions=True)
    assert found[0] is not None
    assert [type(each) for each in found[1:]] == [StoreUnavailable] * 3


@pytest.mark.parametrize("turns", range(6))
async def test_whenever_it_is_closed_nobody_waits_for_ever_and_nothing_stays_open(
    rows: Watched, postgres_url: str, turns: int
) -> None:
    waiting = [asyncio.create_task(rows.find(text)) for text in ("1", "2", "3")]
    for _ in range(turns):
        await asyncio.sleep(0)
    await rows.close()
    async with asyncio.timeout(10):
        found = await asyncio.gather(*waiting, return_exceptions=True)
    assert {type(each) for each in found} <= {StoreUnavailable, asyncpg.Record}
    with pytest.raises(StoreUnavailable):
        await rows.find("4")
    assert rows._held is None


async def test_one_that_is_closed_before_it_began_to_ask_for_others_tells_them(
    rows: Watched,
) -> None:
    tasks = await begun(rows, "1", "2")
    await rows.read.acquire()
    rows.may_answer.set()
    while rows._asking is None:  # noqa: ASYNC110 - until the very turn in which it is made
        await asyncio.sleep(0)
    await rows.close()
    async with asyncio.timeout(10):
        found = await asyncio.gather(*tasks, return_exceptions=True)
    assert found[0] is not None
    assert isinstance(found[1], StoreUnavailable)
