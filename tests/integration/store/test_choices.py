"""What users say of assets, kept on both databases."""

from decimal import Decimal

import stored
from coffers.clock import MINUTE, Millis
from coffers.store.choices import OPERATOR
from coffers.store.engine import Store
from coffers.store.records import Asset, AssetMapping, AssetOverride
from coffers.valuation.choices import NO_CHOICES, Accepted, Choices
from factories import NOW, position, price

SAID = AssetOverride("ABC", "Another", "ABC2", "coingecko:abc-2", by_symbol=False)
UNTIL = Millis(NOW + MINUTE)


async def test_all_that_a_user_says_comes_back_in_one_piece(store: Store) -> None:
    ann, bob = await stored.user(store), await stored.user(store, "bob")
    first, _ = await stored.account(store, ann), await stored.account(store, bob)
    second = await stored.account(store, ann, "Second")
    await stored.account(store, ann, "Elsewhere", market_code="kraken")
    worth = price("0.12345678901234567890123", "40.5")
    async with store.transaction() as tx:
        await tx.choices.override(ann.id, SAID, NOW)
        await tx.choices.override(ann.id, AssetOverride("SPAM", is_ignored=True), NOW)
        await tx.choices.map(ann.id, AssetMapping("binance", "XABC", "ABC"), NOW)
        await tx.choices.accept(ann.id, "FOO", worth, UNTIL, NOW)
        await tx.choices.accept(OPERATOR, "BAR", worth, UNTIL, NOW)
    async with store.reading() as tx:
        assert await tx.choices.of(ann.id) == Choices(
            mapped={(first.id, "XABC"): "ABC", (second.id, "XABC"): "ABC"},
            ignored=frozenset({"SPAM"}),
            distrusted=frozenset({"ABC"}),
            priced_as={"ABC": "coingecko:abc-2"},
            accepted={"FOO": Accepted(Decimal("40.5"), UNTIL)},
            said=frozenset({"ABC", "SPAM"}),
        )
        assert await tx.choices.of(bob.id) is NO_CHOICES
        assert (await tx.choices.overrides(ann.id))["ABC"] == SAID
        assert await tx.choices.said(ann.id) == 3
        assert (await tx.prices.accepted_since(NOW)).keys() == {"BAR"}
        assert (await tx.prices.accepted_since(NOW))["BAR"].btc == worth.btc
        assert await tx.prices.accepted_since(Millis(NOW + 1)) == {}


async def test_every_change_makes_all_of_the_users_accounts_anew_and_nobody_elses(
    store: Store,
) -> None:
    ann, bob = await stored.user(store), await stored.user(store, "bob")
    mine, others = await stored.account(store, ann), await stored.account(store, bob)
    ann, bob = await stored.fresh(store, ann), await stored.fresh(store, bob)
    async with store.transaction() as tx:
        await tx.choices.override(ann.id, SAID, NOW)
        await tx.choices.map(ann.id, AssetMapping("binance", "A", "B"), NOW)
        await tx.choices.accept(ann.id, "FOO", price("1", "2"), UNTIL, NOW)
        assert await tx.choices.remove_override(ann.id, "ABC")
        assert await tx.choices.unmap(ann.id, "binance", "A")
        assert not await tx.choices.remove_override(ann.id, "ABC")
        assert not await tx.choices.unmap(ann.id, "binance", "A")
    assert (await stored.fresh(store, ann)).version == ann.version + 5
    assert (await stored.seen(store, mine)).version == mine.version + 5
    assert await stored.fresh(store, bob) == bob
    assert await stored.seen(store, others) == others


async def test_what_is_said_anew_stands_in_the_place_of_what_was_said(store: Store) -> None:
    ann = await stored.user(store)
    anew = AssetOverride("ABC", "Third")
    async with store.transaction() as tx:
        await tx.choices.override(ann.id, SAID, NOW)
        await tx.choices.override(ann.id, anew, NOW)
        for asset in ("B", "C"):
            await tx.choices.map(ann.id, AssetMapping("binance", "A", asset), NOW)
        await tx.choices.accept(ann.id, "OLD", price("1", "2"), NOW, NOW)
        await tx.choices.accept(ann.id, "FOO", price("1", "3"), UNTIL, Millis(NOW + 1))
    async with store.reading() as tx:
        assert await tx.choices.overrides(ann.id) == {"ABC": anew}
        assert await tx.choices.mappings(ann.id) == [AssetMapping("binance", "A", "C")]
        assert (await tx.choices.of(ann.id)).accepted.keys() == {"FOO"}


async def test_a_users_own_assets_are_held_moved_or_said(store: Store) -> None:
    ann, bob = await stored.user(store), await stored.user(store, "bob")
    for user, code in ((ann, "HELD"), (bob, "OTHERS")):
        account = await stored.account(store, user)
        async with store.transaction() as tx:
            own = user.id, account.id
            await tx.holdings.replace(*own, {"spot"}, [position(code, "1")])
            await tx.history.add_flows(
                *own, [stored.flow(f"{code}{at}", at, asset=f"MOVED{at % 2}") for at in range(4)]
            )
    async with store.transaction() as tx:
        await tx.choices.override(ann.id, AssetOverride("SAID", priced_as="coingecko:it"), NOW)
        await tx.choices.override(ann.id, AssetOverride("NAMED", name="It"), NOW)
        await tx.choices.map(ann.id, AssetMapping("binance", "A", "MEANT"), NOW)
    async with store.reading() as tx:
        assert await tx.assets.of_user(ann.id) == {
            "HELD", "MOVED0", "MOVED1", "SAID", "coingecko:it", "NAMED", "MEANT",
        }  # fmt: skip
        assert await tx.assets.of_user(0) == set()


async def test_an_asset_is_met_once_and_keeps_what_was_told_of_it(store: Store) -> None:
    async with store.transaction() as tx:
        await tx.assets.tell([Asset("ABC", "Alphabet", "crypto", "abc")])
        await tx.assets.meet(["ABC", "bsc:0xabc"], NOW)
        await tx.assets.meet(["ABC"], Millis(NOW + 1))
        await tx.assets.tell([Asset("ABC", "Alphabet 2")])
        await tx.assets.meet([], NOW)
        await tx.assets.tell([])
    async with store.reading() as tx:
        found = await tx.assets.of(["ABC", "bsc:0xabc", "XYZ"])
        assert await tx.assets.seen() == {"ABC", "bsc:0xabc"}
    assert found == {
        "ABC": Asset("ABC", "Alphabet 2", "crypto", "abc", first_seen_at=NOW),
        "bsc:0xabc": Asset("bsc:0xabc", None, "token", None, "bsc", "0xabc", NOW),
    }
