from dataclasses import replace
from decimal import Decimal

import pytest

import stored
from coffers.store.engine import Store
from coffers.valuation.contract import Contract
from factories import position

BTC = position("BTC", "0.000828538740745393", in_orders="1", borrowed="2", interest="0.1")
USDT = position("USDT", "10")
FUNDS = position("USDT", "5", wallet="funding")
MARGINED = position("USDC", "5", unrealised="-0.12345678901234567890123")
LONG = Contract(
    wallet="contracts",
    symbol="BTC/USDT:USDT",
    venue_code="BTCUSDT",
    side="long",
    size=Decimal("0.00200000000000000001"),
    unit="BTC",
    settled_in="USDT",
    leverage=Decimal("12.5"),
    entry_price=Decimal("22500.1"),
    mark_price=Decimal(24000),
    unrealised=Decimal("-2.9998"),
    margin_mode="isolated",
)
UNTOLD = Contract("contracts", "NEWUSDT", "NEWUSDT", "short", Decimal(1))


async def test_positions_come_back_with_every_digit(store: Store) -> None:
    known = await stored.account(store, await stored.user(store))
    held = [USDT, FUNDS, BTC, MARGINED]
    async with store.transaction() as tx:
        await tx.holdings.replace(known.user_id, known.id, ["spot", "funding"], held)
    async with store.reading() as tx:
        assert await tx.holdings.of_account(known.user_id, known.id) == [FUNDS, BTC, MARGINED, USDT]


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


async def test_contracts_come_back_with_every_digit_in_the_venues_order(store: Store) -> None:
    known = await stored.account(store, await stored.user(store))
    other_side = replace(LONG, side="short", margin_mode="cross")
    held = [UNTOLD, LONG, other_side]
    async with store.transaction() as tx:
        await tx.holdings.replace_contracts(known.user_id, known.id, ["contracts"], held)
    async with store.reading() as tx:
        assert await tx.holdings.contracts_of(known.user_id, known.id) == held
        assert await tx.holdings.of_account(known.user_id, known.id) == []


async def test_a_list_of_contracts_that_was_not_read_keeps_what_is_known(store: Store) -> None:
    known = await stored.account(store, await stored.user(store))
    inverse = replace(LONG, wallet="inverse_contracts")
    lists = ["contracts", "inverse_contracts"]
    async with store.transaction() as tx:
        await tx.holdings.replace_contracts(known.user_id, known.id, lists, [LONG, inverse])
        await tx.holdings.replace_contracts(known.user_id, known.id, ["contracts"], [])
        assert await tx.holdings.contracts_of(known.user_id, known.id) == [inverse]
        with pytest.raises(ValueError, match="inverse_contracts"):
            await tx.holdings.replace_contracts(known.user_id, known.id, ["contracts"], [inverse])


async def test_contracts_go_with_their_account_and_are_only_its_own(store: Store) -> None:
    ann = await stored.user(store, "ann")
    first, second = [await stored.account(store, ann, name) for name in ("a", "b")]
    async with store.transaction() as tx:
        await tx.holdings.replace_contracts(ann.id, first.id, ["contracts"], [LONG])
        assert await tx.holdings.contracts_of(ann.id, second.id) == []
        assert await tx.accounts.remove(ann.id, first.id)
        assert await tx.holdings.contracts_of(ann.id, first.id) == []
