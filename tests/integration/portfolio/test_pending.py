"""What was checked and waits for a yes: sealed, one user's, and forgotten when its time is up."""

import asyncio

import pytest
from sqlalchemy import func, select

from coffers.clock import ManualClock, Millis
from coffers.errors import NotFound
from coffers.portfolio import errand_desk
from coffers.portfolio.errand_desk import ErrandDesk
from coffers.portfolio.errand_forms import CheckAsked, ReconnectAsked
from coffers.portfolio.pending import LASTS, Pending
from coffers.store.engine import Store
from coffers.store.tables import errands as table
from coffers.vault.keyring import KeyRing, new_key
from coffers.vault.vault import Vault
from factories import NOW

ASKED = CheckAsked(reconnect=ReconnectAsked(7, {"secret": "fake-secret"}))


def vault_of(ring: KeyRing) -> Vault:
    return Vault(lambda: ring)


async def user_of(store: Store, name: str) -> int:
    async with store.transaction() as tx:
        return (await tx.users.add(name, NOW)).id


async def test_it_is_opened_by_its_owner_alone_until_its_time_is_up(store: Store) -> None:
    ann, bob = await user_of(store, "ann"), await user_of(store, "bob")
    clock = ManualClock(NOW)
    pending = Pending(store, vault_of(KeyRing([new_key()])), clock)
    number = await pending.begin(ann, ASKED)
    assert (await pending.get(ann, number)).account_id == 7
    assert await pending.opened(ann, number) == ASKED
    for ask in (pending.get, pending.opened):
        with pytest.raises(NotFound):
            await ask(bob, number)
        with pytest.raises(NotFound):
            await ask(ann, 2**40)
    clock.advance(LASTS)
    with pytest.raises(NotFound):
        await pending.opened(ann, number)


async def test_under_another_master_key_it_is_gone(store: Store) -> None:
    ann, clock = await user_of(store, "ann"), ManualClock(NOW)
    number = await Pending(store, vault_of(KeyRing([new_key()])), clock).begin(ann, ASKED)
    with pytest.raises(NotFound):
        await Pending(store, vault_of(KeyRing([new_key()])), clock).opened(ann, number)


async def test_a_worker_forgets_what_nobody_said_yes_to(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(errand_desk, "FORGET_EVERY", 0.05)
    ann, clock = await user_of(store, "ann"), ManualClock(NOW)
    vault = vault_of(KeyRing([new_key()]))
    pending = Pending(store, vault, clock)
    await pending.begin(ann, ASKED)
    clock.advance(LASTS)
    kept = await pending.begin(ann, ASKED)  # forgets the one before
    assert await _count(store) == 2
    clock.advance(Millis(LASTS + 1))
    desk = ErrandDesk(store, vault, clock, {})
    running = asyncio.create_task(desk.run())
    for _ in range(500):
        if not await _count(store):
            break
        await asyncio.sleep(0.02)
    assert await _count(store) == 0
    desk.stop()
    await running
    with pytest.raises(NotFound):
        await pending.get(ann, kept)


async def test_forgetting_a_check_that_waits_leaves_nothing_of_it(store: Store) -> None:
    ann, clock = await user_of(store, "ann"), ManualClock(NOW)
    pending = Pending(store, vault_of(KeyRing([new_key()])), clock)
    number = await pending.begin(ann, ASKED)
    assert (await pending.get(ann, number)).told is None
    await pending.drop(ann, number)
    await pending.drop(ann, number)
    assert await _count(store) == 0


async def _count(store: Store) -> int:
    async with store.connection(is_reading=True) as connection:
        return await connection.scalar(select(func.count()).select_from(table)) or 0
