"""What an API process asks of a worker: both ends on one database."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import msgspec
import pytest

from coffers.clock import ManualClock, Millis, SystemClock
from coffers.connectors.reading import ConnectorFailure, FailureKind
from coffers.errors import CoffersError, InvalidRecord, NotFound
from coffers.portfolio import errand_desk, errands
from coffers.portfolio.errand_desk import ErrandDesk, Handler
from coffers.portfolio.errand_outcomes import LASTS, TookTooLong
from coffers.portfolio.errands import (
    KEPT,
    MOST_OPEN,
    Errands,
    NoErrand,
    NoWorker,
    TooManyOpen,
)
from coffers.store.engine import Store
from coffers.store.errors import AlreadyConnected
from coffers.store.tables import errands as table
from coffers.vault.keyring import KeyRing, new_key
from coffers.vault.vault import Vault
from factories import NOW

Ask = Callable[[str, object], Awaitable[bytes]]


class Asked(msgspec.Struct):
    """What a test asks."""

    secret: str


@pytest.fixture
def vault() -> Vault:
    ring = KeyRing((new_key(),))
    return Vault(lambda: ring)


@pytest.fixture
async def user_id(store: Store) -> int:
    async with store.transaction() as tx:
        return (await tx.users.add("ada", SystemClock().now())).id


@pytest.fixture
def ask(store: Store, vault: Vault, user_id: int) -> Ask:
    asking = Errands(store, vault, SystemClock())

    async def _ask(kind: str, asked: object) -> bytes:
        return await asking.ask(user_id, kind, asked)

    return _ask


@asynccontextmanager
async def at_work(store: Store, vault: Vault, **handlers: Handler) -> AsyncIterator[None]:
    desk = ErrandDesk(store, vault, SystemClock(), handlers)
    running = asyncio.create_task(desk.run())
    try:
        yield
    finally:
        desk.stop()
        await running


async def _echo(user_id: int, body: bytes) -> object:
    return {"user": user_id, "asked": msgspec.json.decode(body)}


def _raising(error: Exception) -> Handler:
    async def handler(user_id: int, body: bytes) -> object:
        raise error

    return handler


async def test_what_was_asked_is_done_and_told(
    store: Store, vault: Vault, ask: Ask, user_id: int
) -> None:
    async with at_work(store, vault, echo=_echo):
        told = await ask("echo", Asked("fake"))
    assert msgspec.json.decode(told) == {"user": user_id, "asked": {"secret": "fake"}}


async def test_what_is_asked_lies_sealed_and_is_gone_afterwards(
    store: Store, vault: Vault, ask: Ask
) -> None:
    seen: list[bytes] = []

    async def look(user_id: int, body: bytes) -> object:
        async with store.connection(is_reading=True) as connection:
            seen.extend(row.blob for row in await connection.execute(table.select()))
        return None

    async with at_work(store, vault, look=look):
        await ask("look", Asked("very-fake-secret"))
    assert len(seen) == 1
    assert b"very-fake-secret" not in seen[0]
    async with store.connection(is_reading=True) as connection:
        rows = list(await connection.execute(table.select()))
    assert [row.blob for row in rows] == [b""]


@pytest.mark.parametrize(
    "error",
    [
        InvalidRecord({"api_key": ["is invalid"]}),
        AlreadyConnected(7),
        NotFound("there is no account 9"),
        ConnectorFailure(FailureKind.VENUE_DOWN, "Kraken is down", code="503"),
        CoffersError("the master key is not at hand"),
    ],
)
async def test_what_goes_wrong_there_is_raised_here(
    store: Store, vault: Vault, ask: Ask, error: CoffersError
) -> None:
    async with at_work(store, vault, fail=_raising(error)):
        with pytest.raises(type(error)) as told:
            await ask("fail", Asked("fake"))
    assert str(told.value) == str(error)
    assert getattr(told.value, "attributes", None) == getattr(error, "attributes", None)
    assert getattr(told.value, "kind", None) == getattr(error, "kind", None)


async def test_a_fault_of_ours_is_told_without_its_details(
    store: Store, vault: Vault, ask: Ask
) -> None:
    async with at_work(store, vault, fail=_raising(ValueError("very-fake-secret"))):
        with pytest.raises(CoffersError) as told:
            await ask("fail", Asked("fake"))
    assert "very-fake-secret" not in str(told.value)


async def test_without_a_worker_it_is_said_soon_and_nothing_stays_behind(
    store: Store, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(errands, "TAKEN_WITHIN", 0.1)
    with pytest.raises(NoWorker):
        await ask("echo", Asked("fake"))
    async with store.connection(is_reading=True) as connection:
        assert not list(await connection.execute(table.select()))


async def test_work_without_end_is_not_waited_for_for_ever(
    store: Store, vault: Vault, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    never = asyncio.Event()

    async def hang(user_id: int, body: bytes) -> object:
        await never.wait()
        return None

    monkeypatch.setattr(errands, "LASTS", 300)
    monkeypatch.setattr(errand_desk, "LASTS", 300)
    async with at_work(store, vault, hang=hang):
        with pytest.raises(CoffersError, match="did not answer in time"):
            await ask("hang", Asked("fake"))


async def test_many_are_done_at_once_and_each_gets_its_own_answer(
    store: Store, vault: Vault, ask: Ask
) -> None:
    together = asyncio.Barrier(4)

    async def meet(user_id: int, body: bytes) -> object:
        await together.wait()
        return msgspec.json.decode(body)

    async with at_work(store, vault, meet=meet):
        told = await asyncio.gather(*(ask("meet", Asked(str(number))) for number in range(4)))
    assert [msgspec.json.decode(each)["secret"] for each in told] == ["0", "1", "2", "3"]


async def test_what_a_dead_worker_had_taken_is_taken_again(
    store: Store, vault: Vault, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    never = asyncio.Event()
    began = asyncio.Event()

    async def die(user_id: int, body: bytes) -> object:
        began.set()
        await never.wait()
        return None

    asking = asyncio.create_task(ask("echo", Asked("fake")))
    dying = asyncio.create_task(ErrandDesk(store, vault, SystemClock(), {"echo": die}).run())
    await began.wait()
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    # As if the time of its hold had passed.
    async with store.connection() as connection:
        await connection.execute(table.update().values(taken_until=0))
    async with at_work(store, vault, echo=_echo):
        assert msgspec.json.decode(await asking)["asked"] == {"secret": "fake"}


async def test_a_reading_that_a_killed_worker_left_is_soon_done_by_another(
    store: Store, vault: Vault, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(errand_desk, "SIGN_OF_LIFE", 0.05)
    monkeypatch.setattr(errand_desk, "HELD", 1000)
    began = asyncio.Event()

    async def endless(user_id: int, body: bytes) -> object:
        began.set()
        return await asyncio.Event().wait()

    desk = ErrandDesk(store, vault, SystemClock(), {"refresh": endless})
    killed = asyncio.create_task(desk.run())
    asking = asyncio.create_task(ask("refresh", Asked("x")))
    await began.wait()
    async with at_work(store, vault, refresh=_echo):
        await asyncio.sleep(1.5)
        assert not asking.done()  # the first one is at work, and says so
        killed.cancel()
        told = await asyncio.wait_for(asking, 10)
    assert msgspec.json.decode(told)["asked"] == {"secret": "x"}


async def test_two_workers_never_take_the_same_errand(store: Store, vault: Vault, ask: Ask) -> None:
    done: list[str] = []

    async def note(user_id: int, body: bytes) -> object:
        done.append(msgspec.json.decode(body)["secret"])
        return None

    async with at_work(store, vault, note=note), at_work(store, vault, note=note):
        await asyncio.gather(*(ask("note", Asked(str(number))) for number in range(MOST_OPEN)))
    assert sorted(done, key=int) == [str(number) for number in range(MOST_OPEN)]


async def test_a_user_begins_only_so_much_before_some_of_it_is_done(
    store: Store, vault: Vault, user_id: int
) -> None:
    async def done(_user_id: int, _asked: bytes) -> str:
        return "done"

    asking = Errands(store, vault, SystemClock())
    numbers = [await asking.begin(user_id, "slow", Asked("x")) for _ in range(MOST_OPEN)]
    with pytest.raises(TooManyOpen, match="not done yet"):
        await asking.begin(user_id, "slow", Asked("x"))
    with pytest.raises(TooManyOpen, match="not done yet"):
        await asking.ask(user_id, "slow", Asked("x"))
    await asking.begin(await _another(store), "slow", Asked("x"))
    async with at_work(store, vault, slow=done):
        for number in numbers:
            await asking._outcome(user_id, number)
    await asking.begin(user_id, "slow", Asked("x"))


async def test_what_a_user_asks_for_at_the_same_time_is_counted_too(
    store: Store, vault: Vault, user_id: int
) -> None:
    asking = Errands(store, vault, SystemClock())
    begun = (asking.begin(user_id, "slow", Asked("x")) for _ in range(2 * MOST_OPEN))
    found = await asyncio.gather(*begun, return_exceptions=True)
    assert sum(isinstance(each, TooManyOpen) for each in found) == MOST_OPEN
    assert sum(isinstance(each, int) for each in found) == MOST_OPEN


async def test_a_user_whose_exchange_hangs_leaves_places_to_others(
    store: Store, vault: Vault, ask: Ask, user_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(errand_desk, "MAX_CONCURRENT", 4)
    hung, let_go = 0, asyncio.Event()

    async def hang(_user_id: int, _body: bytes) -> object:
        nonlocal hung
        hung += 1
        await let_go.wait()
        return None

    asking = Errands(store, vault, SystemClock())
    bob = await _another(store)
    hanging = [asyncio.create_task(asking.ask(bob, "hang", Asked("x"))) for _ in range(4)]
    async with at_work(store, vault, hang=hang, echo=_echo):
        told = await asyncio.wait_for(ask("echo", Asked("fake")), 4)
        assert msgspec.json.decode(told)["user"] == user_id
        await asyncio.sleep(0.3)
        assert hung == 2
        let_go.set()  # and what waited for a place gets it
        await asyncio.wait_for(asyncio.gather(*hanging), 4)
    assert hung == 4


async def test_several_users_whose_exchanges_hang_leave_a_place(
    store: Store, vault: Vault, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_go = asyncio.Event()

    async def hang(_user_id: int, _body: bytes) -> object:
        await let_go.wait()
        return None

    monkeypatch.setattr(errand_desk, "MAX_CONCURRENT", 8)
    asking = Errands(store, vault, SystemClock())
    for user in [await _another(store, name) for name in ("bob", "cyd", "dan")]:
        for _ in range(MOST_OPEN):
            await asking.begin(user, "hang", Asked("x"))
    async with at_work(store, vault, hang=hang, echo=_echo):
        await asyncio.wait_for(ask("echo", Asked("fake")), 4)
        let_go.set()


async def test_a_worker_forgets_the_key_that_another_one_left_as_it_died_and_later_all_of_it(
    store: Store, vault: Vault, user_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(errand_desk, "FORGET_EVERY", 0.05)
    clock = ManualClock(NOW)
    asking = Errands(store, vault, clock)
    number = await asking.begin(user_id, "connect", Asked("fake"))
    async with store.transaction() as tx:
        assert await tx.errands.take("dead", clock.now(), Millis(NOW + LASTS)) is not None
    desk = ErrandDesk(store, vault, clock, {})
    running = asyncio.create_task(desk.run())
    await asyncio.sleep(0.3)
    assert all(await _blobs(store))  # until its time is up, it may be taken over
    clock.advance(Millis(LASTS + 1))
    await _until(store, [b""])
    with pytest.raises(TookTooLong):
        await asking.look(user_id, number)
    clock.advance(KEPT)
    await _until(store, [])
    with pytest.raises(NoErrand):
        await asking.look(user_id, number)
    desk.stop()
    await running


async def test_a_worker_whose_places_are_all_taken_forgets_too(
    store: Store, vault: Vault, user_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(errand_desk, "FORGET_EVERY", 0.05)
    monkeypatch.setattr(errand_desk, "MAX_CONCURRENT", 1)
    clock, began, let_go = ManualClock(NOW), asyncio.Event(), asyncio.Event()

    async def hang(_user_id: int, _body: bytes) -> object:
        began.set()
        return await let_go.wait()

    asking = Errands(store, vault, clock)
    await asking.begin(user_id, "hang", Asked("fake"))
    desk = ErrandDesk(store, vault, clock, {"hang": hang})
    running = asyncio.create_task(desk.run())
    await began.wait()
    await asking.begin(user_id, "hang", Asked("fake"))
    clock.advance(Millis(LASTS + 1))
    await _until(store, [b"", b""])
    let_go.set()
    desk.stop()
    await running


async def _another(store: Store, name: str = "bob") -> int:
    async with store.transaction() as tx:
        return (await tx.users.add(name, SystemClock().now())).id


async def _blobs(store: Store) -> list[bytes]:
    async with store.connection(is_reading=True) as connection:
        return [row.blob for row in await connection.execute(table.select())]


async def _until(store: Store, blobs: list[bytes]) -> None:
    async with asyncio.timeout(10):
        while await _blobs(store) != blobs:  # noqa: ASYNC110 - a table tells nobody of its changes
            await asyncio.sleep(0.02)
