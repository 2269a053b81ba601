import asyncio
from dataclasses import replace

import pytest

import stored
from coffers.clock import Millis
from coffers.keyrights import UNKNOWN_RIGHTS, KeyRights
from coffers.store.engine import Store
from coffers.store.errors import AlreadyConnected
from coffers.store.records import Account, AccountStatus, AutoBalance, Mode, SyncState, User
from coffers.vault.sealed import Sealed
from factories import NOW, position

LATER = Millis(NOW + 1_000)


async def _page(store: Store, owner: User, mode: Mode = "real", **wanted: object) -> list[str]:
    async with store.reading() as tx:
        found = await tx.accounts.page(
            owner.id,
            mode,
            **{"offset": 0, "limit": 100, **wanted},  # type: ignore[arg-type]
        )
    return [account.name for account in found]


async def _with_status(store: Store, known: Account, sync: SyncState, **changes: object) -> Account:
    status = replace(AccountStatus(sync, "ok", is_locked=False, lock_reason=None), **changes)  # type: ignore[arg-type]
    async with store.transaction() as tx:
        await tx.accounts.record_status(known.user_id, known.id, status, LATER)
    return await stored.seen(store, known)


async def test_a_new_account_is_due_now_and_starts_at_its_defaults(store: Store) -> None:
    ann = await stored.user(store)
    added = await stored.account(store, ann, "Main", customer_id="c1", subaccount_name="sub")
    assert added.id == 1
    assert added.sync == SyncState(next_sync_at=NOW)
    assert added.auto_balance == AutoBalance()
    assert added.rights == UNKNOWN_RIGHTS
    assert (added.key_state, added.is_locked, added.lock_reason) == ("ok", False, None)
    assert (added.version, added.created_at, added.updated_at) == (1, NOW, NOW)
    assert (added.customer_id, added.subaccount_name, added.address) == ("c1", "sub", None)
    assert await stored.seen(store, added) == added


async def test_a_page_takes_what_is_known_as_it_is_unless_it_has_changed(store: Store) -> None:
    ann, bob = await stored.user(store), await stored.user(store, "bob")
    known = [await stored.account(store, ann, f"A{number}") for number in range(5)]
    others = await stored.account(store, bob, "B")
    async with store.transaction() as tx:
        await tx.accounts.rename(ann.id, known[1].id, "Renamed", LATER)
        await tx.accounts.remove(ann.id, known[2].id)
    added = await stored.account(store, ann, "New")
    async with store.reading() as tx:
        anew = await tx.accounts.page(ann.id, "real", offset=0, limit=100)
        found = await tx.accounts.page(ann.id, "real", offset=0, limit=100, known=[*known, others])
        behind = await tx.accounts.page(ann.id, "real", offset=2, limit=2, known=known)
        far = await tx.accounts.page(ann.id, "real", offset=2**40, limit=100, known=known)
        mine = await tx.accounts.page(
            ann.id, "real", offset=0, limit=100, api_key=f"{added.id}", known=known
        )
    assert [each.name for each in found] == ["A0", "Renamed", "A3", "A4", "New"]
    assert found == anew
    assert [each for each in found if any(each is one for one in known)] == [known[0], *known[3:]]
    assert behind == anew[2:4]
    assert far == []
    assert [each.name for each in mine] == ["New"]


async def test_adding_and_removing_an_account_changes_the_version_of_its_owner(
    store: Store,
) -> None:
    ann = await stored.user(store)
    added = await stored.account(store, ann)
    assert (await stored.fresh(store, ann)).version == 2
    async with store.transaction() as tx:
        assert await tx.accounts.remove(ann.id, added.id)
        assert not await tx.accounts.remove(ann.id, added.id)
    assert (await stored.fresh(store, ann)).version == 3


async def test_the_same_connection_again_is_refused_and_names_the_account(store: Store) -> None:
    ann = await stored.user(store)
    await stored.account(store, ann, "Other", identity="key-0")
    first = await stored.account(store, ann, "Main", identity="key-1")
    with pytest.raises(AlreadyConnected, match="connected already, as account") as refused:
        await stored.account(store, ann, "Again", identity="key-1")
    assert refused.value.account_id == first.id
    assert (await stored.fresh(store, ann)).version == 3


async def test_the_same_key_may_serve_another_mode_market_or_user(store: Store) -> None:
    ann, bob = await stored.user(store, "ann"), await stored.user(store, "bob")
    await stored.account(store, ann, identity="key-1")
    paper = await stored.account(store, ann, identity="key-1", mode="paper")
    await stored.account(store, ann, identity="key-1", market_code="kraken")
    await stored.account(store, bob, identity="key-1")
    async with store.reading() as tx:
        assert len(await tx.accounts.of_user(ann.id)) == 3
    with pytest.raises(AlreadyConnected) as refused:
        await stored.account(store, ann, identity="key-1", mode="paper")
    assert refused.value.account_id == paper.id


async def test_accounts_without_an_identity_are_never_the_same(store: Store) -> None:
    ann = await stored.user(store)
    for _ in range(2):
        await stored.account(store, ann, "Manual", identity=None)
    assert await _page(store, ann) == ["Manual", "Manual"]


async def test_one_key_connected_twice_at_once_makes_one_account(store: Store) -> None:
    ann = await stored.user(store)
    tries = await asyncio.gather(
        *(stored.account(store, ann, f"Try {n}", identity="key-1") for n in range(4)),
        return_exceptions=True,
    )
    (won,) = [one for one in tries if isinstance(one, Account)]
    refused = [one for one in tries if isinstance(one, AlreadyConnected)]
    assert [one.account_id for one in refused] == [won.id] * 3
    assert await _page(store, ann) == [won.name]


async def test_pages_are_in_order_of_id_and_end_with_an_empty_one(store: Store) -> None:
    ann = await stored.user(store)
    for name in ("e", "d", "c", "b", "a"):
        await stored.account(store, ann, name)
    assert await _page(store, ann, limit=2) == ["e", "d"]
    assert await _page(store, ann, offset=2, limit=2) == ["c", "b"]
    assert await _page(store, ann, offset=4, limit=2) == ["a"]
    assert await _page(store, ann, offset=6, limit=2) == []


async def test_a_list_holds_the_accounts_of_one_mode_and_one_user(store: Store) -> None:
    ann, bob = await stored.user(store, "ann"), await stored.user(store, "bob")
    await stored.account(store, ann, "real")
    await stored.account(store, ann, "paper", mode="paper")
    await stored.account(store, bob, "bob's")
    assert await _page(store, ann) == ["real"]
    assert await _page(store, ann, "paper") == ["paper"]
    async with store.reading() as tx:
        assert await tx.accounts.count(ann.id, "real") == 1
        assert [one.name for one in await tx.accounts.of_user(ann.id)] == ["real", "paper"]


async def test_a_list_is_narrowed_by_exchange_key_or_by_id(store: Store) -> None:
    ann, bob = await stored.user(store, "ann"), await stored.user(store, "bob")
    first = await stored.account(store, ann, "first", api_key="KEY")
    await stored.account(store, ann, "second", api_key="KEY", market_code="kraken")
    third = await stored.account(store, ann, "third", api_key=str(first.id))
    others = await stored.account(store, bob, "bob's", api_key="BOB")
    assert await _page(store, ann, api_key="KEY") == ["first", "second"]
    assert await _page(store, ann, api_key=str(third.id)) == ["third"]
    assert await _page(store, ann, api_key=str(first.id)) == ["first", "third"]
    for nobody in ("key", f"0{first.id}", str(others.id), "BOB", "", "1e0", "%"):
        assert await _page(store, ann, api_key=nobody) == []
    async with store.reading() as tx:
        assert await tx.accounts.count(ann.id, "real", "KEY") == 2


async def test_another_users_account_is_as_if_it_were_not_there(store: Store) -> None:
    ann, bob = await stored.user(store, "ann"), await stored.user(store, "bob")
    known = await stored.account(store, ann)
    async with store.transaction() as tx:
        assert await tx.accounts.get(bob.id, known.id) is None
        assert not await tx.accounts.rename(bob.id, known.id, "Stolen", NOW)
        assert not await tx.accounts.remove(bob.id, known.id)
        await tx.accounts.due_at(bob.id, known.id, Millis(5))
        await tx.accounts.record_rights(bob.id, known.id, KeyRights(read=True), True, NOW)
        await tx.accounts.record_venue_identity(bob.id, known.id, "a hash")
        await tx.accounts.record_status(
            bob.id,
            known.id,
            AccountStatus(
                SyncState(next_sync_at=Millis(5)),
                "expired",
                is_locked=True,
                lock_reason="invalid_api_key",
            ),
            NOW,
        )
    assert await stored.seen(store, known) == known
    assert (await stored.fresh(store, bob)).version == 1


async def test_the_markets_in_use_are_named_once_each(store: Store) -> None:
    ann, bob = await stored.user(store, "ann"), await stored.user(store, "bob")
    await stored.account(store, ann, market_code="kraken")
    await stored.account(store, ann, market_code="binance")
    await stored.account(store, bob, market_code="kraken")
    async with store.reading() as tx:
        assert await tx.accounts.venues_in_use() == ["binance", "kraken"]


async def test_a_status_is_kept_whole(store: Store) -> None:
    known = await stored.account(store, await stored.user(store))
    sync = SyncState(
        next_sync_at=Millis(NOW + 7),
        read_at=NOW,
        missing_wallets=("funding", "earn"),
        flows_known=False,
        flows_until=Millis(NOW - 1),
        failures=3,
        failure_kind="key_refused",
        failure_code="-2015",
        failure_message="Binance refused the key",
        refusals=2,
        suspect="abc",
    )
    after = await _with_status(
        store, known, sync, key_state="expired", is_locked=True, lock_reason="invalid_api_key"
    )
    assert after == replace(
        known,
        sync=sync,
        key_state="expired",
        is_locked=True,
        lock_reason="invalid_api_key",
        version=2,
        updated_at=LATER,
    )


async def test_a_failure_that_no_list_shows_changes_no_version(store: Store) -> None:
    ann = await stored.user(store)
    known = await stored.account(store, ann)
    sync = replace(known.sync, next_sync_at=LATER, failures=1, failure_kind="venue_down")
    after = await _with_status(
        store, known, replace(sync, flows_until=NOW, suspect="x", refusals=1)
    )
    assert after.sync.failures == 1
    assert (after.version, after.updated_at) == (1, NOW)
    assert (await stored.fresh(store, ann)).version == 2


@pytest.mark.parametrize(
    "shown",
    [
        {"read_at": NOW},
        {"missing_wallets": ("funding",)},
        {"flows_known": False},
    ],
)
async def test_what_a_list_shows_of_a_reading_changes_both_versions(
    store: Store, shown: dict[str, object]
) -> None:
    ann = await stored.user(store)
    known = await stored.account(store, ann)
    after = await _with_status(store, known, replace(known.sync, **shown))  # type: ignore[arg-type]
    assert (after.version, after.updated_at) == (2, LATER)
    assert (await stored.fresh(store, ann)).version == 3


@pytest.mark.parametrize(
    "shown",
    [{"key_state": "expire_soon"}, {"is_locked": True}, {"lock_reason": "invalid_api_key"}],
)
async def test_what_a_list_shows_of_a_key_changes_both_versions(
    store: Store, shown: dict[str, object]
) -> None:
    ann = await stored.user(store)
    known = await stored.account(store, ann)
    after = await _with_status(store, known, known.sync, **shown)
    assert (after.version, after.updated_at) == (2, LATER)
    assert (await stored.fresh(store, ann)).version == 3


async def test_rights_change_the_version_only_when_they_are_other_ones(store: Store) -> None:
    known = await stored.account(store, await stored.user(store))
    rights = KeyRights(True, False, None, True, Millis(NOW + 9))
    for hedge_mode in (None, None):
        async with store.transaction() as tx:
            await tx.accounts.record_rights(known.user_id, known.id, rights, hedge_mode, LATER)
    after = await stored.seen(store, known)
    assert (after.rights, after.hedge_mode, after.version) == (rights, False, 2)


async def test_a_position_mode_that_is_not_told_stays_as_it_was(store: Store) -> None:
    known = await stored.account(store, await stored.user(store))
    for hedge_mode in (True, None):
        async with store.transaction() as tx:
            await tx.accounts.record_rights(
                known.user_id, known.id, known.rights, hedge_mode, LATER
            )
    after = await stored.seen(store, known)
    assert (after.hedge_mode, after.version) == (True, 2)


async def test_what_names_an_account_at_its_venue_is_kept_and_changes_no_version(
    store: Store,
) -> None:
    ann = await stored.user(store)
    known, other = await stored.account(store, ann), await stored.account(store, ann, "Other")
    assert known.venue_identity is None
    before = await stored.fresh(store, ann)
    async with store.transaction() as tx:
        await tx.accounts.record_venue_identity(known.user_id, known.id, "a hash")
    assert await stored.seen(store, known) == replace(known, venue_identity="a hash")
    assert await stored.seen(store, other) == other
    assert await stored.fresh(store, ann) == before


async def test_a_renamed_account_is_a_new_version_unless_the_name_is_the_same(
    store: Store,
) -> None:
    known = await stored.account(store, await stored.user(store), "Main")
    for _ in range(2):
        async with store.transaction() as tx:
            assert await tx.accounts.rename(known.user_id, known.id, "Savings", LATER)
    after = await stored.seen(store, known)
    assert (after.name, after.version, after.updated_at) == ("Savings", 2, LATER)


async def test_all_that_is_known_of_an_account_goes_with_it(store: Store) -> None:
    ann = await stored.user(store)
    gone, kept = await stored.account(store, ann, "Gone"), await stored.account(store, ann, "Kept")
    async with store.transaction() as tx:
        for known in (gone, kept):
            await tx.secrets.put(ann.id, known.id, Sealed("k1", b"secret"))
            await tx.holdings.replace(ann.id, known.id, ["spot"], [position("BTC", "1")])
            await tx.history.add_snapshot(ann.id, known.id, stored.snapshot(NOW, "1"))
            await tx.history.add_flows(ann.id, known.id, [stored.flow("f1", NOW)])
        await tx.accounts.remove(ann.id, gone.id)
    async with store.reading() as tx:
        assert await tx.secrets.get(ann.id, gone.id) is None
        assert await tx.holdings.of_account(ann.id, gone.id) == []
        assert await tx.history.opening(ann.id, gone.id) is None
        assert await tx.history.unvalued_flows(ann.id, gone.id, NOW, 9) == []
        assert await tx.history.opening(ann.id, kept.id) is not None
        assert await tx.secrets.get(ann.id, kept.id) is not None


async def test_the_id_of_a_removed_account_is_not_given_out_again(store: Store) -> None:
    ann = await stored.user(store)
    first = await stored.account(store, ann)
    async with store.transaction() as tx:
        await tx.accounts.remove(ann.id, first.id)
    assert (await stored.account(store, ann)).id == first.id + 1
