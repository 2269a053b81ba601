"""Tokens on no list: they count where two sources agree, and never as profit by beginning to."""

from dataclasses import replace
from decimal import Decimal

from coffers.clock import HOUR
from coffers.portfolio.balances import Balances
from coffers.store.records import AssetMapping, AssetOverride
from coffers.valuation.model import Price
from factories import NOW, position
from integration.sync.test_syncer import House, house, prices, reading

__all__ = ["house"]

TOKEN = "ethereum:0x" + "b1" * 20
PARTS = frozenset({"spot", "unlisted", "spam"})
BOTH = ("coingecko", "defillama")


async def tell(house: House, usd: str | None, *sources: str) -> None:
    """Make a price book an hour later in which sources tell the token's price."""
    house.clock.advance(HOUR)
    now = house.clock.now()
    told: dict[str, Price] = {}
    if usd is not None:
        worth = Decimal(usd)
        told[TOKEN] = Price(worth / 60000, worth, (f"{TOKEN}~USD",), sources, now)
    async with house.store.transaction() as tx:
        await tx.prices.save_book(prices(now) | told, now)


async def hold(house: House, amount: str | None, part: str = "unlisted") -> None:
    """Read a bitcoin, and so much of the token."""
    token = [] if amount is None else [position(TOKEN, amount, wallet=part)]
    await house.read(reading(position("BTC", "1"), *token, wallets=PARTS))


async def shown(house: House) -> tuple[Decimal | None, Decimal | None]:
    """Return what the account is worth, and its profit, in USD."""
    figures = (await house.view()).figures.usd
    return figures.amount, figures.total


async def flows(house: House) -> list[tuple[str, Decimal, Decimal | None]]:
    async with house.store.reading() as tx:
        own = house.account.user_id, [house.account.id]
        past = (await tx.history.windows(*own, NOW, house.clock.now()))[house.account.id]
    return [(each.direction, each.amount, each.value and each.value.usd) for each in past.flows]


async def test_without_two_sources_a_token_counts_for_nothing_and_misses_nothing(
    house: House,
) -> None:
    await hold(house, "5")
    assert await shown(house) == (60000, 0)
    assert (await house.view()).quality.is_complete
    await tell(house, "7", "defillama")
    await hold(house, "5")
    assert await shown(house) == (60000, 0)
    assert (await house.view()).quality.unpriced == ()
    assert await flows(house) == []


async def test_with_two_sources_it_counts_and_that_is_no_profit(house: House) -> None:
    await hold(house, "5")
    await tell(house, "7", *BOTH)
    await hold(house, "5")
    assert await shown(house) == (60035, 0)
    assert await flows(house) == [("in", 5, 35)]
    await tell(house, "9", *BOTH)
    await hold(house, "5")
    assert await shown(house) == (60045, 10)


async def test_one_source_told_twice_is_no_second_one(house: House) -> None:
    await hold(house, "5")
    await tell(house, "7", "coingecko", "coingecko")
    await hold(house, "5")
    assert await shown(house) == (60000, 0)


async def test_what_comes_and_goes_is_a_flow(house: House) -> None:
    await tell(house, "7", *BOTH)
    await hold(house, "5")
    assert await shown(house) == (60035, 0)
    await tell(house, "7", *BOTH)
    await hold(house, "8")
    await tell(house, "8", *BOTH)
    await hold(house, None)
    assert await flows(house) == [("in", 3, 21), ("out", 8, 56)]
    assert await shown(house) == (60000, 0)


async def test_a_token_that_ceases_to_count_leaves_with_its_worth(house: House) -> None:
    await tell(house, "7", *BOTH)
    await hold(house, "5")
    await tell(house, "3", "coingecko")
    await hold(house, "5")
    assert await shown(house) == (60000, 0)
    await tell(house, "8", *BOTH)
    await hold(house, "5")
    assert await shown(house) == (60040, 0)
    assert await flows(house) == [("out", 5, 35), ("in", 5, 40)]


async def test_a_token_that_pretends_counts_for_nothing_whoever_prices_it(house: House) -> None:
    await tell(house, "7", *BOTH)
    await hold(house, "5", "spam")
    assert await shown(house) == (60000, 0)


async def test_a_user_vouches_for_a_token_by_saying_what_it_is(house: House) -> None:
    await hold(house, "5", "spam")
    said = AssetOverride(TOKEN, priced_as=TOKEN)
    async with house.store.transaction() as tx:
        await tx.choices.override(house.account.user_id, said, NOW)
    await tell(house, "7", "defillama")
    await hold(house, "5", "spam")
    assert await shown(house) == (60035, 0)
    await tell(house, None)
    assert (await house.view()).quality.unpriced == (TOKEN,)


async def test_a_mapped_symbol_is_not_believed_of_an_unlisted_token(house: House) -> None:
    async with house.store.transaction() as tx:
        mapping = AssetMapping("binance", "BTC", "ETH")
        await tx.choices.map(house.account.user_id, mapping, NOW)
    false = replace(position(TOKEN, "100", wallet="unlisted"), venue_code="BTC")
    await house.read(reading(position("USDT", "1"), false, wallets=PARTS))
    assert (await shown(house))[0] == 1


async def test_pies_and_tables_hold_what_counts(house: House) -> None:
    await tell(house, "7", "defillama")
    await hold(house, "5")
    own = house.account.user_id, [house.account.id]
    async with house.store.reading() as tx:
        alone = await tx.prices.newest()
    await tell(house, "7", *BOTH)
    async with house.store.reading() as tx:
        agreed = await tx.prices.newest()
    balances = Balances(house.store)
    assert [each.asset for each in await balances.of(*own, alone)] == ["BTC"]
    assert [each.asset for each in await balances.of(*own, agreed)] == ["BTC", TOKEN]


async def test_sources_are_asked_for_unlisted_tokens_and_not_for_spam(house: House) -> None:
    await hold(house, "5")
    async with house.store.reading() as tx:
        assert TOKEN in await tx.prices.assets_held()
    await hold(house, "5", "spam")
    async with house.store.reading() as tx:
        assert TOKEN not in await tx.prices.assets_held()
