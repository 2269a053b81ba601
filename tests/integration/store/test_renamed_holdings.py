"""What accounts hold is called by another key once its venue is found to mean another asset."""

import asyncio
from dataclasses import replace
from decimal import Decimal

import stored
from coffers.clock import ManualClock, Millis
from coffers.markets.catalogue import load_catalogue
from coffers.portfolio.overrides import Overrides, OverrideWanted
from coffers.store.claims import OPERATION
from coffers.store.engine import Store
from coffers.store.flows import FlowFilter
from coffers.store.records import Account
from coffers.store.unpriced import Unpriced
from factories import NOW, position

NEIRO, BTC = position("NEIRO", "5"), position("BTC", "1")
SAVED = replace(NEIRO, wallet="earn")
SPAM = replace(NEIRO, wallet="spam")
AT_GATE = "NEIRO@gate"
MARKETS = ("gate", "gate_futures")
LACK = Unpriced(NOW, NOW, is_left_out=True, amount=Decimal(5), price=None)


async def holding(store: Store, name: str, market_code: str = "gate") -> Account:
    """Return an account that holds NEIRO, was sent some and paid for it, and lacks its price."""
    known = await stored.account(store, await stored.user(store, name), market_code=market_code)
    own = known.user_id, known.id
    flows = [
        stored.flow("came", NOW, asset="NEIRO", fee_asset="NEIRO"),
        stored.flow("bitcoin", NOW, fee_asset="NEIRO"),
    ]
    async with store.transaction() as tx:
        held = [NEIRO, SAVED, SPAM, BTC]
        await tx.holdings.replace(*own, ["spot", "earn", "spam"], held)
        await tx.history.add_flows(*own, flows)
        await tx.unpriced.replace(*own, {"NEIRO": LACK, "ALGO": LACK})
    return known


async def names(store: Store, known: Account) -> dict[str, object]:
    own = known.user_id, known.id
    async with store.reading() as tx:
        page = await tx.history.flow_page(*own, FlowFilter(direction="in", since=NOW), 100)
        flows = [each.flow for each in page]
        return {
            "held": [(each.wallet, each.asset) for each in await tx.holdings.of_account(*own)],
            "flows": {each.external_id: (each.asset, each.fee_asset) for each in flows},
            "unpriced": set(await tx.unpriced.of(*own)),
        }


async def renamed(store: Store, old: str, new: str) -> None:
    async with store.transaction() as tx:
        await tx.holdings.rename([(MARKETS, old, new)])


async def test_all_that_tells_of_an_asset_is_called_by_its_new_key(store: Store) -> None:
    known = await holding(store, "ann")
    await renamed(store, "NEIRO", AT_GATE)

    assert await names(store, known) == {
        "held": [("earn", AT_GATE), ("spam", "NEIRO"), ("spot", "BTC"), ("spot", AT_GATE)],
        "flows": {"came": (AT_GATE, AT_GATE), "bitcoin": ("BTC", AT_GATE)},
        "unpriced": {AT_GATE, "ALGO"},
    }


async def test_it_is_called_as_before_once_that_is_over(store: Store) -> None:
    known = await holding(store, "ann")
    before = await names(store, known)
    await renamed(store, "NEIRO", AT_GATE)
    await renamed(store, AT_GATE, "NEIRO")

    assert await names(store, known) == before


async def test_a_lack_of_another_time_does_not_stand_in_the_way(store: Store) -> None:
    known = await holding(store, "ann")
    async with store.transaction() as tx:
        older = replace(LACK, amount=Decimal(1))
        await tx.unpriced.replace(known.user_id, known.id, {"NEIRO": LACK, AT_GATE: older})
    await renamed(store, "NEIRO", AT_GATE)

    async with store.reading() as tx:
        assert await tx.unpriced.of(known.user_id, known.id) == {AT_GATE: LACK}


async def test_accounts_elsewhere_and_those_without_it_stay_as_they_are(store: Store) -> None:
    elsewhere = await holding(store, "bob", "kraken")
    futures = await holding(store, "cid", "gate_futures")
    without = await stored.account(store, await stored.user(store, "dan"), market_code="gate")
    known, owner = await names(store, elsewhere), await versions(store, elsewhere)
    others = await versions(store, without)
    before = await versions(store, futures)
    await renamed(store, "NEIRO", AT_GATE)

    assert await names(store, elsewhere) == known
    assert await versions(store, elsewhere) == owner
    assert await versions(store, without) == others
    assert await versions(store, futures) == tuple(version + 1 for version in before)


async def test_a_reading_that_is_under_way_is_not_stored(store: Store) -> None:
    known = await holding(store, "ann")
    async with store.transaction() as tx:
        until = Millis(NOW + 60_000)
        assert await tx.accounts.claim(known.user_id, known.id, "it", now=NOW, until=until)
    await renamed(store, "NEIRO", AT_GATE)

    async with store.transaction() as tx:
        assert not await tx.accounts.holds(known.user_id, known.id, "it", NOW)


async def test_an_operation_that_is_under_way_goes_on(store: Store) -> None:
    known = await holding(store, "ann")
    holder, until = f"{OPERATION}1 1 x", Millis(NOW + 60_000)
    async with store.transaction() as tx:
        assert await tx.accounts.claim(known.user_id, known.id, holder, now=NOW, until=until)
    await renamed(store, "NEIRO", AT_GATE)

    async with store.transaction() as tx:
        assert await tx.accounts.holds(known.user_id, known.id, holder, NOW)


async def test_readings_and_many_new_keys_at_once_wait_for_each_other_in_turn(
    store: Store,
) -> None:
    first = await holding(store, "ann")
    async with store.reading() as tx:
        owner = await tx.users.get(first.user_id)
    assert owner is not None
    second = await stored.account(store, owner, "Other", market_code="gate")
    async with store.transaction() as tx:
        await tx.holdings.replace(owner.id, second.id, ["spot"], [position("PUP", "1")])
    reading_holds, rename_waits = asyncio.Event(), asyncio.Event()

    async def reading() -> None:
        async with store.transaction() as tx:
            await tx.accounts.take_over(owner.id, second.id)
            reading_holds.set()
            await asyncio.wait_for(rename_waits.wait(), 5)
            await asyncio.sleep(0.1)
            await tx.transfers.lock(owner.id)

    async def rename() -> None:
        await reading_holds.wait()
        rename_waits.set()
        async with store.transaction() as tx:
            changes = [(MARKETS, "NEIRO", AT_GATE), (MARKETS, "PUP", "PUP@gate")]
            await tx.holdings.rename(changes)

    await asyncio.gather(reading(), rename())
    async with store.reading() as tx:
        assert {"PUP@gate", AT_GATE} <= await tx.prices.assets_held()


async def versions(store: Store, known: Account) -> tuple[int, int]:
    async with store.reading() as tx:
        user = await tx.users.get(known.user_id)
    assert user is not None
    return (await stored.seen(store, known)).version, user.version


async def test_flows_of_who_sold_it_all_are_called_as_before_too_once_it_is_one_again(
    store: Store,
) -> None:
    known = await holding(store, "ann")
    await renamed(store, "NEIRO", AT_GATE)
    async with store.transaction() as tx:
        await tx.holdings.replace(known.user_id, known.id, ["spot", "earn", "spam"], [BTC])
    await renamed(store, AT_GATE, "NEIRO")

    assert (await names(store, known))["flows"] == {
        "came": ("NEIRO", "NEIRO"),
        "bitcoin": ("BTC", "NEIRO"),
    }


async def test_what_users_say_meanwhile_waits_its_turn(store: Store) -> None:
    owner = await stored.user(store)
    held = [await stored.account(store, owner, f"{n}", market_code="gate") for n in range(40)]
    for place, known in enumerate([*held, *held[::3], *held[::2]]):
        # Rows then lie in another order than their ids.
        async with store.transaction() as tx:
            if place < len(held):
                await tx.holdings.replace(owner.id, known.id, ["spot"], [NEIRO])
            else:
                await tx.accounts.rename(owner.id, known.id, f"other {known.name}", NOW)
    overrides = Overrides(store, load_catalogue(), ManualClock(NOW))

    async def say() -> None:
        for turn in range(20):
            await overrides.set(owner.id, "XYZ", OverrideWanted(name=f"{turn}"))

    async def rename() -> None:
        for _ in range(5):
            await renamed(store, "NEIRO", AT_GATE)
            await renamed(store, AT_GATE, "NEIRO")

    await asyncio.gather(say(), say(), rename())
