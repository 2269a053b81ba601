"""An account that is read while its new key is checked keeps what that reading brought."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from coffers.clock import HOUR
from coffers.connectors.reading import Reading
from coffers.keyrights import KeyRights
from coffers.markets.catalogue import load_catalogue
from coffers.portfolio.accounts import AccountKeeping
from coffers.portfolio.reconnecting import Reconnecting
from coffers.store.records import SyncState
from factories import position
from integration.sync.test_events import DOWN, REFUSED, Room, room

__all__ = ["room"]

Reconnect = Callable[[Awaitable[None]], Awaitable[None]]


@pytest.fixture
def reconnect(room: Room, monkeypatch: pytest.MonkeyPatch) -> Reconnect:
    """Give the account another secret; something happens while the venue is asked about that."""
    usual: Callable[..., Any] = room.connector.read

    async def reconnected(meanwhile: Awaitable[None]) -> None:
        async def read(*asked: Any) -> Reading:
            monkeypatch.setattr(room.connector, "read", usual)
            await meanwhile
            room.connector.answer = Reading(room.clock.now(), frozenset({"spot"}), ())
            answer: Reading = await usual(*asked)
            return answer

        monkeypatch.setattr(room.connector, "read", read)
        work = Reconnecting(room.store, room.vault, load_catalogue(), room.connecting, room.clock)
        await work.reconnect(room.user.id, room.account.id, {"secret": "fake-other"})

    return reconnected


async def sync_of(room: Room) -> SyncState:
    async with room.store.reading() as tx:
        account = await tx.accounts.get(room.user.id, room.account.id)
    assert account is not None
    return account.sync


async def test_a_first_reading_meanwhile_stays_the_first(room: Room, reconnect: Reconnect) -> None:
    read_at = room.clock.now()
    await reconnect(room.read(position("BTC", "1")))
    assert (await sync_of(room)).read_at == read_at
    await room.read(position("BTC", "1"))
    assert [kind for kind, _ in await room.told()].count("first_reading") == 1


async def test_what_was_read_meanwhile_stays_known(room: Room, reconnect: Reconnect) -> None:
    told_at = room.clock.now()
    await room.read(position("BTC", "1"))
    room.clock.advance(HOUR)
    read_at = room.clock.now()
    untold = {"missing": {"funding": "no answer"}, "flows_known": False}
    await reconnect(room.read(position("BTC", "1"), **untold))
    sync = await sync_of(room)
    assert (sync.read_at, sync.missing_wallets) == (read_at, ("funding",))
    assert (sync.flows_known, sync.flows_until) == (False, told_at)


async def test_what_went_wrong_meanwhile_with_the_key_before_is_forgotten(
    room: Room, reconnect: Reconnect
) -> None:
    read_at = room.clock.now()
    await room.read(position("BTC", "1"))
    await reconnect(room.fail(REFUSED))
    now = room.clock.now()
    assert await sync_of(room) == SyncState(next_sync_at=now, read_at=read_at, flows_until=read_at)


async def test_a_lock_that_came_meanwhile_is_told_to_be_over(
    room: Room, reconnect: Reconnect
) -> None:
    await room.read(position("BTC", "1"))
    await room.fail(REFUSED)
    await room.told()
    await reconnect(room.fail(REFUSED))
    kinds = [kind for kind, _ in await room.told()]
    assert kinds == ["account_locked", "account_reconnected", "account_unlocked"]


async def test_failures_that_were_told_are_told_to_be_over(
    room: Room, reconnect: Reconnect
) -> None:
    await room.read(position("BTC", "1"))
    for _ in range(2):
        await room.fail(DOWN)
    await room.told()
    await reconnect(room.fail(DOWN))
    (failing, _), (reconnected, _), (recovered, told) = await room.told()
    assert (failing, reconnected) == ("readings_failing", "account_reconnected")
    assert (recovered, told) == ("readings_recovered", {"failures": 3})
    await room.read(position("BTC", "1"))
    assert await room.told() == []


async def test_another_name_meanwhile_stays(room: Room, reconnect: Reconnect) -> None:
    keeping = AccountKeeping(room.store, room.clock)
    await room.told()

    async def renamed() -> None:
        await keeping.rename(room.user.id, room.account.id, "Other")

    await reconnect(renamed())
    _, (kind, told) = await room.told()
    assert (kind, told["name"]) == ("account_reconnected", "Other")


async def test_other_rights_of_the_new_key_are_told(room: Room, reconnect: Reconnect) -> None:
    rights = KeyRights(read=True, trade=True)
    await room.read(position("BTC", "1"), rights=rights)
    await room.told()
    await reconnect(room.read(position("BTC", "1")))
    (_, _), (kind, told) = await room.told()
    assert (kind, told["trade"]) == ("key_rights_changed", False)
