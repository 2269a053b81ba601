"""The one look-out of all streams: who joins while it reads, faults, and what is shared."""

import asyncio
import time
from collections.abc import AsyncIterator, Collection
from contextlib import ExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

import stored
from coffers.clock import ManualClock
from coffers.portfolio.pulse import Beat
from coffers.serving.feeds import Feed, Pass, Reader
from coffers.serving.streams import Streams
from coffers.store.engine import Store, Transaction
from coffers.store.errors import StoreUnavailable
from coffers.store.events import EventFilter, NewEvent
from coffers.store.records import Token, User
from coffers.store.users import Tokens
from factories import NOW


class Pulses:
    """Beats as a test gives them."""

    def __init__(self) -> None:
        self.beats: asyncio.Queue[Beat | Exception] = asyncio.Queue()
        self.asked: list[set[int]] = []

    def hurry(self) -> None:
        return

    async def next(self, user_ids: Collection[int]) -> Beat:
        self.asked.append(set(user_ids))
        beat = await self.beats.get()
        if isinstance(beat, Exception):
            raise beat
        return beat


class Readings:
    """A store that counts its readings, and does something amid the next one."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.count = 0
        self.amid: Any = None

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Transaction]:
        self.count += 1
        async with self._store.reading() as tx:
            if self.amid is not None:
                amid, self.amid = self.amid, None
                amid()
            yield tx


async def priced(reader: Reader, epoch: int) -> bytes:
    return b"prices %d %s\n" % (epoch, reader.mode.encode())


class House:
    """A user with some events, and the streams of a process."""

    def __init__(self, store: Store, user: User, token: Token) -> None:
        self.store, self.user, self.token = Readings(store), user, token
        self.pulses = Pulses()
        clock = ManualClock(NOW)
        self.streams = Streams(self.store, self.pulses, clock, 10)  # type: ignore[arg-type]

    def feed(self, mode: Any = "real") -> Feed:
        wanted = EventFilter(mode)
        by = Pass("token", self.token.id)
        return Feed(Reader(self.user.id, by, mode, "USD", wanted), priced)

    def beat(self, head: int, epoch: int = 0) -> None:
        self.pulses.beats.put_nowait(Beat({self.user.id: head}, epoch))


@pytest.fixture
async def house(store: Store) -> House:
    user = await stored.user(store)
    token = await stored.token(store, user)
    async with store.transaction() as tx:
        await tx.events.add(user.id, [NewEvent("deposit", NOW, {}, 7, "real")] * 9)
    return House(store, user, token)


async def numbers(feed: Feed, seconds: float = 5) -> list[int]:
    piece = await feed.next(seconds)
    assert piece is not None
    lines = piece.decode().splitlines()
    return [int(line.removeprefix("id: ")) for line in lines if line.startswith("id: ")]


@pytest.mark.parametrize("position", [3, 6, 7, 8, 9])
async def test_who_joins_while_events_are_read_misses_none(house: House, position: int) -> None:
    ahead, other = house.feed(), house.feed()
    with house.streams.joined(ahead, 7):
        joined = house.streams.joined(other, position)

        def join() -> None:
            # First comes the look at the tokens; this is amid the reading of events.
            house.store.amid = joined.__enter__

        house.store.amid = join
        house.beat(9)
        assert await numbers(ahead) == [8, 9]
        rest = list(range(position + 1, 10))
        assert await numbers(other, 5 if rest else 0.1) == rest
        joined.__exit__(None, None, None)


async def test_all_streams_of_a_user_share_what_is_read(house: House) -> None:
    feeds = [house.feed() for _ in range(5)]
    with ExitStack() as joined:
        for feed in feeds:
            joined.enter_context(house.streams.joined(feed, 6))
        house.beat(9)
        for feed in feeds:
            assert await numbers(feed) == [7, 8, 9]
        # One look at the tokens, one reading of events.
        assert house.store.count == 2
        house.beat(9)
        for feed in feeds:
            assert await feed.next(0.02) == b""
        assert house.store.count == 2


async def test_thousands_of_tokens_are_looked_at_in_no_time(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It must not take the square of their number: nothing else runs meanwhile."""

    async def all_but_one(_self: Tokens, _of: object, tokens: Collection[int], _now: int) -> Any:
        return set(tokens) - {1}

    monkeypatch.setattr(Tokens, "in_force", all_but_one)
    feeds = [house.feed() for _ in range(8_000)]
    with ExitStack() as joined:
        for number, feed in enumerate(feeds, 1):
            feed.reader = replace(feed.reader, by=Pass("token", number))
            joined.enter_context(house.streams.joined(feed, 9))
        began = time.monotonic()
        house.beat(9)
        await feeds[0].ended.wait()
        joined.close()
    assert time.monotonic() - began < 2
    assert [feed.ending for feed in feeds] == ["token", *[None] * 7_999]


async def test_prices_are_made_once_for_those_who_get_the_same(house: House) -> None:
    real, paper, late = house.feed(), house.feed("paper"), house.feed()
    with house.streams.joined(real, 9), house.streams.joined(paper, 9):
        house.beat(9, epoch=4)
        assert await real.next(5) == b"prices 4 real\n"
        assert await paper.next(5) == b"prices 4 paper\n"
        with house.streams.joined(late, 9):
            house.beat(9, epoch=4)
            assert await late.next(5) == b"prices 4 real\n"
            assert await real.next(0.05) == b""


async def test_prices_that_fail_for_one_reader_reach_the_others(house: House) -> None:
    async def broken(_reader: Reader, _epoch: int) -> bytes:
        raise ValueError("theirs alone")

    feeds = [house.feed() for _ in range(20)]
    for number, feed in enumerate(feeds):
        feed.reader = replace(feed.reader, display_currency=f"C{number}")
    feeds[7].prices = broken
    with ExitStack() as joined:
        for feed in feeds:
            joined.enter_context(house.streams.joined(feed, 9))
        house.beat(9, epoch=4)
        told = await asyncio.gather(*(feed.next(1) for feed in feeds))
    assert [bool(each) for each in told] == [number != 7 for number in range(20)]


async def test_a_database_that_is_away_for_a_while_costs_no_event(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coffers.serving.streams._AFTER_FAULT", 0.01)
    feed = house.feed()
    with house.streams.joined(feed, 7):
        house.pulses.beats.put_nowait(StoreUnavailable("away"))
        house.beat(9)
        assert await numbers(feed) == [8, 9]
        assert feed.ending is None


async def test_a_fault_of_ours_ends_the_streams_and_later_ones_are_fed(house: House) -> None:
    feed = house.feed()
    with house.streams.joined(feed, 7):
        house.pulses.beats.put_nowait(RuntimeError("ours"))
        assert await feed.next(5) is None
        assert feed.ending == "fault"
    later = house.feed()
    with house.streams.joined(later, 7):
        house.beat(9)
        assert await numbers(later) == [8, 9]


async def test_nobody_looks_while_there_is_no_stream(house: House) -> None:
    with house.streams.joined(house.feed(), 9):
        await asyncio.sleep(0.01)
        assert house.pulses.asked == [{house.user.id}]
    await asyncio.sleep(0.01)
    house.beat(9)
    await asyncio.sleep(0.01)
    assert house.pulses.beats.qsize() == 1
