"""Work that begins since a notice says so: nothing here looks by itself within the test's time."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import event

from coffers.clock import SystemClock
from coffers.portfolio import errand_desk, errands, market_data, pulse
from coffers.portfolio.errand_desk import ErrandDesk
from coffers.portfolio.errands import Errands
from coffers.portfolio.pulse import StorePulse
from coffers.store.engine import Store
from coffers.store.events import NewEvent
from coffers.store.notices import Topic
from coffers.sync import venue_markets
from coffers.sync.loops import Loops
from coffers.vault.keyring import KeyRing, new_key
from coffers.vault.vault import Vault
from factories import NOW
from market_office import at_work
from served import LIST

NEVER = 600.0
WITHIN = 30.0
_QUIET = (
    (errand_desk, "LOOK_FOR_WORK_TOLD", NEVER),
    (errands, "LOOKS_TOLD", (NEVER,)),
    (errands, "TAKEN_WITHIN", NEVER),
    (market_data, "LOOKS_TOLD", (NEVER,)),
    (venue_markets, "LOOK_EVERY_TOLD", NEVER),
    (pulse, "LOOK_ANYWAY", NEVER),
)


@pytest.fixture
async def hearing(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Store]:
    for module, name, value in _QUIET:
        monkeypatch.setattr(module, name, value)
    store = Store(postgres_url)
    await store.listen(postgres_url, tuple(Topic))
    assert store.notices.is_up
    async with store.transaction() as tx:
        for name in ("ada", "ben"):
            await tx.users.add(name, NOW)
    yield store
    await store.close()


async def happened(store: Store, user_id: int) -> None:
    async with store.transaction() as tx:
        await tx.events.add(user_id, [NewEvent("deposit", NOW, {}, 7, "real")])


async def test_errands_and_their_outcomes_are_told(hearing: Store) -> None:
    ring = KeyRing((new_key(),))
    vault = Vault(lambda: ring)

    async def echo(user_id: int, body: bytes) -> object:
        return user_id

    desk = ErrandDesk(hearing, vault, SystemClock(), {"echo": echo})
    running = asyncio.create_task(desk.run())
    asking = Errands(hearing, vault, SystemClock())
    async with asyncio.timeout(WITHIN):
        for _ in range(3):
            told = await asyncio.gather(*(asking.ask(user, "echo", None) for user in (1, 2)))
            assert told == [b"1", b"2"]
        desk.stop()
        await running


async def test_what_is_asked_of_venues_is_told(hearing: Store) -> None:
    async with at_work(hearing) as office, asyncio.timeout(WITHIN):
        answer = await office.get(f"{LIST}/currency_rates?market_code=binance&pair=USDT_BTC")
        assert answer.status_code == 200


async def test_a_pulse_beats_for_the_users_to_whom_something_happened(hearing: Store) -> None:
    beating, users = StorePulse(hearing), {1}
    async with asyncio.timeout(WITHIN):
        beats = asyncio.create_task(beating.next(users))
        await asyncio.sleep(0)
        await happened(hearing, 2)
        await happened(hearing, 1)
        beat = await beats
        assert (beat.heads, beat.epoch) == ({1: 1}, 0)
        async with hearing.transaction() as tx:
            await tx.prices.save_book({}, NOW)
        beat = await beating.next(users)
        assert (beat.heads, beat.epoch) == ({}, 1)
        # Who joins is looked at without waiting for anything to happen.
        users.add(2)
        beating.hurry()
        beat = await beating.next(users)
        assert beat.heads == {1: 1, 2: 1}


async def test_a_loop_goes_round_when_it_is_told_and_ends_when_it_is_stopped(
    hearing: Store,
) -> None:
    loops, rounds = Loops(), asyncio.Queue[int]()

    async def look() -> None:
        rounds.put_nowait(1)

    ear = hearing.notices.ear(lambda notice: notice.topic is Topic.PRICES)
    looking = asyncio.create_task(loops.told(ear, look, quick=NEVER, slow=NEVER))
    async with asyncio.timeout(WITHIN):
        await rounds.get()
        async with hearing.transaction() as tx:
            await tx.prices.save_book({}, NOW)
        await rounds.get()
        loops.stop()
        await looking


async def test_an_idle_desk_looks_seldom_while_it_hears(postgres_url: str) -> None:
    store, statements = Store(postgres_url), list[str]()
    await store.listen(postgres_url, tuple(Topic))
    engine = store.database.engine.sync_engine  # type: ignore[attr-defined]

    def count(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("SELECT errands."):
            statements.append(statement)

    event.listen(engine, "before_cursor_execute", count)
    desk = ErrandDesk(store, Vault(lambda: KeyRing((new_key(),))), SystemClock(), {})
    running = asyncio.create_task(desk.run())
    await asyncio.sleep(errand_desk.LOOK_FOR_WORK_TOLD)
    desk.stop()
    await running
    await store.close()
    assert 1 <= len(statements) <= 3


async def test_a_pulse_tells_of_more_users_than_one_question_names(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulse, "ASKED_AT_ONCE", 2)
    async with store.transaction() as tx:
        users = [(await tx.users.add(f"user {n}", NOW)).id for n in range(5)]
        for number, user_id in enumerate(users):
            await tx.events.add(user_id, [NewEvent("deposit", NOW, {})] * number)
    beat = await StorePulse(store).next(users)
    assert beat.heads == {user_id: number for number, user_id in enumerate(users)}
