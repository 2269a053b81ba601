import pytest

import stored
from coffers.store.engine import Store
from factories import position

BTC = position("BTC", "0.000828538740745393", in_orders="1", borrowed="2", interest="0.1")
USDT = position("USDT", "10")
FUNDS = position("USDT", "5", wallet="funding")


async def test_positions_come_back_with_every_digit(store: Store) -> None:
    known = await stored.account(store, await stored.user(store))
    async with store.transaction() as tx:
        await tx.holdings.replace(known.user_id, known.id, ["spot", "funding"], [USDT, FUNDS, BTC])
    async with store.reading() as tx:
        assert await tx.holdings.of_account(known.user_id, known.id) == [FUNDS, BTC, USDT]


async def test_a_partial_reading_keeps_what_is_known_of_other_wallets(store: Store) -> None:
    known = await stored.account(store, await stored.user(store))
    async with store.transaction() as tx:
        await tx.holdings.replace(known.user_id, known.id, ["spot", "funding"], [USDT, FUNDS, BTC])
        await tx.holdings.replace(known.user_id, known.id, ["spot"], [BTC])
        assert await tx.holdings.of_account(known.user_id, known.id) == [FUNDS, BTC]


async def test_a_wallet_that_was_read_empty_holds_nothing(store: Store) -> None:
    known = await stored.account(store, await stored.user(store))
    async with store.transaction() as tx:
        await tx.holdings.replace(known.user_id, known.id, ["spot", "funding"], [USDT, FUNDS])
        await tx.holdings.replace(known.user_id, known.id, ["spot"], [])
        await tx.holdings.replace(known.user_id, known.id, [], [])
        assert await tx.holdings.of_account(known.user_id, known.id) == [FUNDS]


async def test_a_position_of_a_wallet_that_was_not_read_is_refused(store: Store) -> None:
    known = await stored.account(store, await stored.user(store))
    with pytest.raises(ValueError, match="funding"):
        async with store.transaction() as tx:
            await tx.holdings.replace(known.user_id, known.id, ["spot"], [USDT, FUNDS])
    async with store.reading() as tx:
        assert await tx.holdings.of_account(known.user_id, known.id) == []


async def test_two_codes_of_one_asset_are_two_positions(store: Store) -> None:
    known = await stored.account(store, await stored.user(store))
    staked = position("ETH", "2")
    staked = type(staked)("spot", "ETH", "ETH2.S", staked.free)
    async with store.transaction() as tx:
        await tx.holdings.replace(known.user_id, known.id, ["spot"], [staked, position("ETH", "1")])
        assert len(await tx.holdings.of_account(known.user_id, known.id)) == 2


async def test_several_accounts_are_read_at_once_and_only_the_users_own(store: Store) -> None:
    ann, bob = await stored.user(store, "ann"), await stored.user(store, "bob")
    first, second = [await stored.account(store, ann, name) for name in ("a", "b")]
    bobs = await stored.account(store, bob)
    async with store.transaction() as tx:
        await tx.holdings.replace(ann.id, first.id, ["spot"], [BTC, USDT])
        await tx.holdings.replace(bob.id, bobs.id, ["spot"], [BTC])
    async with store.reading() as tx:
        found = await tx.holdings.of_accounts(ann.id, [first.id, second.id, bobs.id])
        assert found == {first.id: (BTC, USDT)}
        assert await tx.holdings.of_accounts(ann.id, []) == {}
