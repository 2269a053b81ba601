"""When tokens were used last, as the gate notes it and the database keeps it."""

from coffers.access.uses import Uses
from coffers.clock import DAY, MINUTE, Millis
from coffers.store.engine import Store
from coffers.store.records import Token
from factories import NOW
from served import serving
from stored import token, user

LATER = Millis(NOW + MINUTE)


async def _seen(store: Store, of: Token) -> tuple[Millis | None, str | None]:
    async with store.reading() as tx:
        found = await tx.tokens.by_api_key(of.api_key)
    assert found is not None
    return found.used_at, found.used_from


async def test_the_last_use_is_kept_with_its_address(store: Store) -> None:
    ann = await user(store)
    used, idle = await token(store, ann, "key-1"), await token(store, ann, "key-2")
    uses = Uses()
    uses.note(used, "192.0.2.1", NOW)
    uses.note(used, "192.0.2.2", LATER)
    await uses.write(store)
    await uses.write(store)
    assert await _seen(store, used) == (LATER, "192.0.2.2")
    assert await _seen(store, idle) == (None, None)


async def test_of_several_processes_the_latest_use_counts(store: Store) -> None:
    used = await token(store, await user(store), "key-1")
    one, other = Uses(), Uses()
    one.note(used, "192.0.2.1", LATER)
    other.note(used, "192.0.2.2", NOW)
    await one.write(store)
    await other.write(store)
    assert await _seen(store, used) == (LATER, "192.0.2.1")


async def test_a_use_of_a_clock_that_was_ahead_hides_none_of_now(store: Store) -> None:
    used = await token(store, await user(store), "key-1")
    for at, address in ((Millis(NOW + DAY), "192.0.2.1"), (NOW, "192.0.2.2")):
        uses = Uses()
        uses.note(used, address, at)
        await uses.write(store)
    assert await _seen(store, used) == (NOW, "192.0.2.2")


async def test_what_is_noted_is_written_at_the_end(store: Store) -> None:
    used = await token(store, await user(store), "key-1")
    uses = Uses()
    async with uses.kept(store):
        uses.note(used, "192.0.2.1", NOW)
    assert await _seen(store, used) == (NOW, "192.0.2.1")


async def test_while_the_database_is_away_uses_wait(store: Store, tmp_path: object) -> None:
    used = await token(store, await user(store), "key-1")
    uses = Uses()
    uses.note(used, "192.0.2.1", NOW)
    away = Store(f"sqlite:///{tmp_path}/none/there.db")
    await uses.write(away)
    await away.close()
    await uses.write(store)
    assert await _seen(store, used) == (NOW, "192.0.2.1")


async def test_a_call_that_is_admitted_is_a_use_and_a_refused_one_is_none(
    sqlite_store: Store,
) -> None:
    async with serving(sqlite_store) as api:
        caller = await api.caller()
        uses = api.services.gate.uses
        refused = await api.http.get("/public/api/ver1/accounts", headers={"Apikey": "none"})
        assert refused.status_code == 401
        await uses.write(sqlite_store)
        async with sqlite_store.reading() as tx:
            (listed,) = await tx.tokens.of_user(caller.user.id)
        assert listed.used_at is None
        assert (await api.get(caller)).status_code == 200
        await uses.write(sqlite_store)
        async with sqlite_store.reading() as tx:
            (listed,) = await tx.tokens.of_user(caller.user.id)
        assert (listed.used_at, listed.used_from) == (api.clock.now(), "127.0.0.1")
