"""Rows of PostgreSQL that are asked for together by all who want one at a time."""

import asyncio
import math
import os
import socket
import time
from collections.abc import AsyncIterator, Collection

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

import stored
from coffers.store import fast_postgres as module
from coffers.store import libpq
from coffers.store.engine import Store
from coffers.store.errors import StoreUnavailable
from coffers.store.fast_postgres import PostgresRows
from coffers.store.libpq import Line, Raw

DOUBLED = "SELECT t, 2 * t::int, pg_backend_pid() FROM unnest($1::text[]) t WHERE t <> '13'"
COUNTED = "SELECT t, (SELECT count(*) FROM users) FROM unnest($1::text[]) t"
NAPPING = "SELECT t, pg_sleep(t::float8) FROM unnest($1::text[]) t"


class Watched(PostgresRows):
    """Rows that tell what was asked, and wait with each answer until it may go on.

    Nobody stands still for one: all that is asked goes through the event loop.
    """

    def __init__(self, url: str, statement: str = DOUBLED) -> None:
        super().__init__(make_url(url), statement, 0, is_pooled=False)
        self.asked: list[set[str]] = []
        self.begun, self.read = asyncio.Semaphore(0), asyncio.Semaphore(0)
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self._moves_on_until = math.inf

    async def _rows(self, texts: Collection[str]) -> list[Raw]:
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


class Alone(PostgresRows):
    """Rows that tell what was asked through the event loop."""

    def __init__(self, url: str, statement: str = DOUBLED) -> None:
        super().__init__(make_url(url), statement, 0, is_pooled=False)
        self.waited_for: list[set[str]] = []

    async def _rows(self, texts: Collection[str]) -> list[Raw]:
        self.waited_for.append(set(texts))
        return await super()._rows(texts)


@pytest.fixture
async def alone(postgres_url: str) -> AsyncIterator[Alone]:
    found = Alone(postgres_url)
    await found.find("0")
    found.waited_for.clear()
    yield found
    await found.close()


def cut(line: Line) -> None:
    """End a connection on this side, unknown to its user."""
    with socket.socket(fileno=os.dup(line._socket)) as end:
        end.shutdown(socket.SHUT_RDWR)


async def begun(rows: Watched, *texts: str) -> list[asyncio.Task[Raw | None]]:
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
    assert [row and rows.values(row)[1] for row in found] == [2, 4, None, 4, 6]
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
    assert [row and counting.values(row)[1] for row in await asyncio.gather(first, second)] == [
        0,
        1,
    ]
    await store.close()


async def test_one_that_is_given_up_leaves_the_others_theirs(rows: Watched) -> None:
    for given_up in range(3):
        tasks = await begun(rows, "1", "2", "3")
        tasks[given_up].cancel()
        rows.may_answer.set()
        found = await asyncio.gather(*tasks, return_exceptions=True)
        told = [rows.values(row)[1] for row in found if isinstance(row, tuple)]
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
    assert rows._line is not None
    cut(rows._line)
    found = await asyncio.gather(*(rows.find(str(number)) for number in range(5)))
    assert [row and rows.values(row)[1] for row in found] == [0, 2, 4, 6, 8]
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
    assert {type(each) for each in found} <= {StoreUnavailable, tuple}
    with pytest.raises(StoreUnavailable):
        await rows.find("4")
    assert rows._line is None


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
    async with asyncio.timeout(10):
        with pytest.raises(StoreUnavailable):
            await rows.find("3")


async def test_one_who_comes_alone_has_the_answer_at_once(
    alone: Alone, monkeypatch: pytest.MonkeyPatch
) -> None:
    # However long this machine takes: what is asked for is that nothing else is done meanwhile.
    monkeypatch.setattr(libpq, "STANDS_STILL", 5_000)
    for number in range(3):
        found = alone.find(str(number))
        with pytest.raises(StopIteration) as ended:
            found.send(None)
        assert alone.values(ended.value.value)[:2] == (str(number), 2 * number)
        await asyncio.sleep(0)
    assert not alone.waited_for


async def test_of_those_who_come_together_one_stands_still(
    alone: Alone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(libpq, "STANDS_STILL", 5_000)
    monkeypatch.setattr(module, "IN_COMPANY_FOR", 60.0)
    found = await asyncio.gather(*(alone.find(str(number)) for number in range(1, 5)))
    assert [row and alone.values(row)[1] for row in found] == [2, 4, 6, 8]
    assert alone.waited_for == [{"2"}, {"3", "4"}]
    # More of them are expected from now on.
    await alone.find("5")
    assert alone.waited_for[2:] == [{"5"}]


async def test_a_server_that_is_slow_twice_is_stood_still_for_no_more(postgres_url: str) -> None:
    rows = Alone(postgres_url, "SELECT t, pg_sleep(t::float8)::text FROM unnest($1::text[]) t")
    await rows.find("0")
    for _ in range(2):
        begun = time.monotonic()
        assert rows.values(await _found(rows, "0.3")) == ("0.3", "")
        assert 0.3 <= time.monotonic() - begun < 0.6, "asked twice"
    rows.waited_for.clear()
    await rows.find("0")
    assert rows.waited_for == [{"0"}]
    await rows.close()


async def test_a_connection_that_ended_meanwhile_costs_one_who_is_alone_nothing(
    alone: Alone,
) -> None:
    for is_noticed in (True, False):
        alone._moves_on_until = 0
        assert alone._line is not None
        before, ended = alone.values(await _found(alone, "1")), alone._line
        cut(ended)
        if is_noticed:
            await asyncio.sleep(0.1)
            assert ended.is_lost
        after = alone.values(await _found(alone, "1"))
        assert before[:2] == after[:2] == ("1", 2)
        assert before[2] != after[2]


async def test_types_are_those_of_now_where_the_statement_has_no_name(postgres_url: str) -> None:
    store = Store(postgres_url)
    found = []
    rows = PostgresRows(
        make_url(postgres_url), "SELECT t, b FROM unnest($1::text[]) t, changing", 0, is_pooled=True
    )
    for change in (
        "CREATE TABLE changing AS SELECT 5 AS b",
        "ALTER TABLE changing ALTER b TYPE text",
    ):
        async with store.connection() as connection:
            await connection.execute(text(change))
        found.append(rows.values(await _found(rows, "1")))
    assert found == [("1", 5), ("1", "5")]
    await rows.close()
    await store.close()


async def test_any_text_is_asked_for_as_it_is(postgres_url: str) -> None:
    rows = PostgresRows(
        make_url(postgres_url), "SELECT t, 1 FROM unnest($1::text[]) t", 0, is_pooled=False
    )
    odd = [
        "",
        " ",
        "NULL",
        "null",
        '"',
        "\\",
        '\\"',
        "{",
        "}",
        ",",
        "{a,b}",
        "'",
        "$1",
        "é€😀",
        "a\tb\n",
    ]
    for each in odd:
        assert rows.values(await _found(rows, each)) == (each, 1)
    assert await rows.find("a\0b") is None
    many = [*odd, *(f"{number:0500}" for number in range(4_000))]
    found = await asyncio.gather(*(rows.find(text) for text in many))
    assert [row and rows.values(row)[0] for row in found] == many
    await rows.close()


async def test_one_who_waits_alone_is_told_when_it_is_closed(postgres_url: str) -> None:
    rows = Alone(postgres_url, NAPPING)
    await rows.find("0")
    waiting = asyncio.create_task(rows.find("60"))
    await asyncio.sleep(0.1)
    await rows.close()
    async with asyncio.timeout(5):
        with pytest.raises(StoreUnavailable):
            await waiting


async def test_a_url_means_the_same_to_both_drivers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PGHOST", raising=False)

    def told(rest: str) -> dict[str, str]:
        return libpq._options(make_url(f"postgresql+asyncpg://{rest}"))

    assert told("ann:p%40ss@db.example:5433/coffers?ssl=verify-full&command_timeout=9") == {
        "host": "db.example",
        "port": "5433",
        "user": "ann",
        "password": "p@ss",
        "dbname": "coffers",
        "sslmode": "verify-full",
        "client_encoding": "utf8",
    }
    secured = told("ann@db.example/coffers?sslmode=verify-ca&sslrootcert=/etc/my%20ca.pem")
    assert (secured["sslmode"], secured["sslrootcert"]) == ("verify-ca", "/etc/my ca.pem")
    several = told("ann@/coffers?host=a:5433&host=b:5434")
    assert (several["host"], several["port"]) == ("a,b", "5433,5434")
    assert told("ann@/coffers?host=/run/x")["host"] == "/run/x"
    assert told("ann@/coffers")["host"].startswith("/run/postgresql,")
    monkeypatch.setenv("PGHOST", "elsewhere")
    assert "host" not in told("ann@/coffers")


async def test_values_are_read_as_the_other_driver_reads_them(postgres_url: str) -> None:
    statement = """
        SELECT t, true, false, -5, -9000000000, 9000000000, '\\x00ff'::bytea, NULL::bigint, ''
        FROM unnest($1::text[]) t
    """
    rows = PostgresRows(make_url(postgres_url), statement, 0, is_pooled=False)
    found = rows.values(await _found(rows, "a"))
    assert found == ("a", True, False, -5, -9000000000, 9000000000, b"\0\xff", None, "")
    await rows.close()


async def _found(rows: PostgresRows, text: str) -> Raw:
    row = await rows.find(text)
    assert row is not None
    return row
