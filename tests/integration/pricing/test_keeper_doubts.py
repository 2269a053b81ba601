"""What the price keeper makes of assets without a venue, and of prices that leap."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from coffers.clock import HOUR, MINUTE, SECOND, ManualClock, Millis
from coffers.errors import CoffersError
from coffers.markets.quote import Quote
from coffers.portfolio.accepting import Accepting
from coffers.pricing.fallbacks import Fallbacks
from coffers.pricing.keeper import PriceKeeper
from coffers.pricing.sources.source import SourceFailure, SourcePrice
from coffers.store.engine import Store
from coffers.store.records import AssetOverride
from coffers.valuation.model import HeldBack, PriceBook
from factories import NOW
from served import add_account
from unit.pricing.quoting import BITCOIN, FLOOR, quote

VENUES = ("binance", "kraken")


class Market:
    """Two venues and a source, at the time of the clock."""

    def __init__(self, clock: ManualClock) -> None:
        self.name, self.lasts, self.passes_on = "coingecko", HOUR, None
        self.quoting = {
            "kraken": [BITCOIN, quote("ALGO/USD", "0.2")],
            "binance": [quote("BTC/USD", "100000", venue="binance")],
        }
        self.telling: dict[str, str] = {}
        self.asked: list[str] = []
        self.is_down = False
        self._clock = clock

    async def quotes(self, venue: str) -> Sequence[Quote]:
        return [replace(each, at=self._clock.now()) for each in self.quoting[venue]]

    async def prices(
        self, assets: Sequence[str], told: Collection[str] = ()
    ) -> Mapping[str, SourcePrice]:
        self.asked = list(assets)
        if self.is_down:
            raise SourceFailure("coingecko is down")
        now = self._clock.now()
        return {
            asset: SourcePrice(Decimal(self.telling[asset]), now)
            for asset in assets
            if asset in self.telling
        }


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def market(clock: ManualClock) -> Market:
    return Market(clock)


@pytest.fixture
def keeper(sqlite_store: Store, market: Market, clock: ManualClock) -> PriceKeeper:
    return made_keeper(sqlite_store, market, clock)


def made_keeper(store: Store, market: Market, clock: ManualClock) -> PriceKeeper:
    return PriceKeeper(store, market, clock, FLOOR, Fallbacks([market], clock))


async def hold(store: Store, **held: str) -> None:
    async with store.transaction() as tx:
        user = await tx.users.add("ann", NOW)
    await add_account(store, user, held=held)


async def refreshed(keeper: PriceKeeper, venues: Sequence[str] = VENUES) -> PriceBook:
    book = await keeper.refresh(venues)
    assert book is not None
    return book


async def test_what_is_held_and_has_no_venue_is_asked_of_the_sources(
    store: Store, market: Market, clock: ManualClock
) -> None:
    await hold(store, ALGO="5", KDA="7", ODD="1")
    market.telling = {"KDA": "0.5", "XRP": "3"}
    book = await refreshed(made_keeper(store, market, clock))

    told = book.prices["KDA"]
    assert (told.usd, told.btc) == (Decimal("0.5"), Decimal("0.000005"))
    assert (told.route, told.sources) == (("KDA~USD",), ("coingecko",))
    assert {"KDA", "ODD"} <= set(market.asked)
    assert not {"ALGO", "BTC", "XRP"} & set(market.asked)
    async with store.reading() as tx:
        assert await tx.prices.newest() == book


async def test_states_money_is_asked_for_only_where_no_venue_has_a_pair(
    keeper: PriceKeeper, sqlite_store: Store, market: Market
) -> None:
    market.quoting["kraken"].append(quote("EUR/USD", "1.16"))
    market.telling = {"EUR": "9", "PLN": "0.27"}
    book = await refreshed(keeper)

    assert "PLN" in market.asked
    assert "EUR" not in market.asked
    assert book.rate("EUR") == Decimal("1.16")
    async with sqlite_store.reading() as tx:
        assert await tx.prices.rate_history("PLN", Millis(0)) == [(NOW, Decimal("0.27"))]


async def test_what_a_source_tells_is_no_price_of_what_a_small_market_pays_far_less_for(
    keeper: PriceKeeper, sqlite_store: Store, market: Market, clock: ManualClock
) -> None:
    await hold(sqlite_store, KDA="7")
    small = quote("KDA/USD", "0.001", venue="binance", volume="50")
    market.quoting["binance"].append(small)
    market.telling = {"KDA": "0.5"}
    for _ in range(3):
        book = await refreshed(keeper)
        assert "KDA@binance" not in book.prices
        async with sqlite_store.reading() as tx:
            assert await tx.prices.positions_held() == {"KDA@binance"}
        clock.advance(10 * MINUTE)


async def test_a_doubt_by_what_a_source_tells_ends_once_the_small_market_agrees(
    keeper: PriceKeeper, sqlite_store: Store, market: Market, clock: ManualClock
) -> None:
    await hold(sqlite_store, KDA="7")
    market.telling = {"KDA": "0.5"}
    await refreshed(keeper)
    market.quoting["binance"].append(quote("KDA/USD", "0.001", venue="binance", volume="50"))
    for _ in range(5):
        clock.advance(MINUTE)
        book = await refreshed(keeper)
        async with sqlite_store.reading() as tx:
            assert await tx.prices.positions_held() == {"KDA@binance"}
    market.quoting["binance"][-1] = quote("KDA/USD", "0.5", venue="binance", volume="50")
    clock.advance(MINUTE)
    book = await refreshed(keeper)
    assert book.prices["KDA"].usd == Decimal("0.5")
    async with sqlite_store.reading() as tx:
        assert await tx.prices.positions_held() == {"KDA"}


async def test_a_failing_source_leaves_what_it_told_until_that_is_too_old(
    keeper: PriceKeeper, sqlite_store: Store, market: Market, clock: ManualClock
) -> None:
    await hold(sqlite_store, KDA="7")
    market.telling = {"KDA": "0.5"}
    await refreshed(keeper)
    market.is_down = True
    clock.advance(HOUR)
    assert (await refreshed(keeper)).prices["KDA"].at == NOW
    clock.advance(1)
    assert "KDA" not in (await refreshed(keeper)).prices


async def test_a_new_process_goes_on_with_what_the_one_before_was_told(
    keeper: PriceKeeper, sqlite_store: Store, market: Market, clock: ManualClock
) -> None:
    await hold(sqlite_store, KDA="7")
    market.telling = {"KDA": "0.5"}
    await refreshed(keeper)
    market.is_down = True
    clock.advance(MINUTE)
    again = await refreshed(made_keeper(sqlite_store, market, clock))
    assert (again.prices["KDA"].usd, again.prices["KDA"].at) == (Decimal("0.5"), NOW)


async def test_without_a_venue_in_use_the_sources_price_what_is_held(
    keeper: PriceKeeper, sqlite_store: Store, market: Market
) -> None:
    await hold(sqlite_store, KDA="7")
    market.telling = {"KDA": "0.5", "BTC": "100000"}
    book = await refreshed(keeper, ())
    assert book.prices.keys() == {"BTC", "KDA", "USD"}


async def test_when_all_venues_fail_the_sources_do_not_stand_in_for_them(
    keeper: PriceKeeper, sqlite_store: Store, market: Market
) -> None:
    await hold(sqlite_store, BTC="1")
    market.telling = {"BTC": "100000"}
    market.quoting = {"kraken": [], "binance": []}
    assert await keeper.refresh(VENUES) is None
    assert market.asked == []


async def test_a_price_that_leaps_is_held_back_and_the_old_one_does_not_stand_for_it(
    store: Store, market: Market, clock: ManualClock
) -> None:
    keeper = made_keeper(store, market, clock)
    before = (await refreshed(keeper)).prices["ALGO"]
    clock.advance(30 * SECOND)
    market.quoting["kraken"][1] = quote("ALGO/USD", "20")
    book = await refreshed(keeper)

    assert "ALGO" not in book.prices
    held = book.held_back["ALGO"]
    assert held == HeldBack(held.price, before, Millis(NOW + 10 * MINUTE))
    assert held.price.usd == Decimal(20)
    async with store.reading() as tx:
        assert await tx.prices.newest() == book


async def leapt(keeper: PriceKeeper, market: Market, clock: ManualClock) -> None:
    await refreshed(keeper)
    market.quoting["kraken"][1] = quote("ALGO/USD", "20")
    clock.advance(30 * SECOND)
    assert "ALGO" in (await refreshed(keeper)).held_back


async def test_it_is_believed_once_it_persisted(
    keeper: PriceKeeper, market: Market, clock: ManualClock
) -> None:
    await leapt(keeper, market, clock)
    clock.set(NOW + 10 * MINUTE - 1)
    assert "ALGO" not in (await refreshed(keeper)).prices
    clock.advance(1)
    assert (await refreshed(keeper)).prices["ALGO"].usd == Decimal(20)


async def test_it_is_believed_once_a_second_venue_says_the_same(
    keeper: PriceKeeper, market: Market, clock: ManualClock
) -> None:
    await leapt(keeper, market, clock)
    market.quoting["binance"].append(quote("ALGO/USD", "21", venue="binance"))
    book = await refreshed(keeper)
    assert book.prices["ALGO"].usd == Decimal("20.5")
    assert not book.held_back


async def test_it_is_believed_once_a_source_says_the_same_to_one_who_holds_it(
    keeper: PriceKeeper, sqlite_store: Store, market: Market, clock: ManualClock
) -> None:
    await hold(sqlite_store, ALGO="5")
    await leapt(keeper, market, clock)
    assert "ALGO" in market.asked
    market.telling = {"ALGO": "20.5"}
    believed = (await refreshed(keeper)).prices["ALGO"]
    assert (believed.usd, believed.sources) == (Decimal(20), ("kraken", "coingecko"))


async def test_a_second_opinion_that_contradicts_leaves_it_held_back(
    keeper: PriceKeeper, sqlite_store: Store, market: Market, clock: ManualClock
) -> None:
    await hold(sqlite_store, ALGO="5")
    market.telling = {"ALGO": "0.2"}
    await leapt(keeper, market, clock)
    assert "ALGO" in (await refreshed(keeper)).held_back


async def test_a_price_that_comes_back_ends_the_doubt(
    keeper: PriceKeeper, market: Market, clock: ManualClock
) -> None:
    await leapt(keeper, market, clock)
    market.quoting["kraken"][1] = quote("ALGO/USD", "0.21")
    book = await refreshed(keeper)
    assert (book.prices["ALGO"].usd, book.held_back) == (Decimal("0.21"), {})


async def test_it_is_believed_once_the_operator_accepts_it_in_another_process(
    store: Store, market: Market, clock: ManualClock
) -> None:
    keeper = made_keeper(store, market, clock)
    await leapt(keeper, market, clock)
    name, held = await Accepting(store, clock).accept_for_all("algo")
    assert (name, held.price.usd) == ("ALGO", Decimal(20))
    clock.advance(30 * SECOND)
    market.quoting["kraken"][1] = quote("ALGO/USD", "22")
    book = await refreshed(keeper)
    assert (book.prices["ALGO"].usd, book.held_back) == (Decimal(22), {})
    market.quoting["kraken"][1] = quote("ALGO/USD", "2000")
    assert (await refreshed(keeper)).held_back["ALGO"].believed.usd == Decimal(22)


async def test_what_was_accepted_long_ago_excuses_no_later_leap(
    keeper: PriceKeeper, sqlite_store: Store, market: Market, clock: ManualClock
) -> None:
    await leapt(keeper, market, clock)
    await Accepting(sqlite_store, clock).accept_for_all("ALGO")
    for usd in ("20", "0.2"):
        market.quoting["kraken"][1] = quote("ALGO/USD", usd)
        for _ in range(12):
            clock.advance(MINUTE)
            book = await refreshed(keeper)
        assert "ALGO" in book.prices
    market.quoting["kraken"][1] = quote("ALGO/USD", "20")
    assert "ALGO" in (await refreshed(keeper)).held_back


async def test_one_users_word_does_not_make_a_price_believed_for_others(
    keeper: PriceKeeper, sqlite_store: Store, market: Market, clock: ManualClock
) -> None:
    await hold(sqlite_store, ALGO="5")
    await leapt(keeper, market, clock)
    await Accepting(sqlite_store, clock).accept(1, "ALGO", "20")
    clock.advance(30 * SECOND)
    assert "ALGO" in (await refreshed(keeper)).held_back


async def test_what_is_not_held_back_cannot_be_accepted(
    keeper: PriceKeeper, sqlite_store: Store, clock: ManualClock
) -> None:
    for _ in range(2):
        with pytest.raises(CoffersError, match="has no price that is held back"):
            await Accepting(sqlite_store, clock).accept_for_all("ALGO")
        await refreshed(keeper)


async def test_a_key_that_a_user_gave_is_asked_of_the_sources(
    keeper: PriceKeeper, sqlite_store: Store, market: Market, clock: ManualClock
) -> None:
    await hold(sqlite_store, ODD="5")
    async with sqlite_store.transaction() as tx:
        said = AssetOverride("ODD", priced_as="coingecko:odd-2")
        await tx.choices.override(1, said, NOW)
    market.telling = {"coingecko:odd-2": "3"}
    told = (await refreshed(keeper)).prices["coingecko:odd-2"]
    assert (told.usd, told.route) == (Decimal(3), ("coingecko:odd-2~USD",))


async def test_a_new_process_goes_on_doubting(
    keeper: PriceKeeper, sqlite_store: Store, market: Market, clock: ManualClock
) -> None:
    await leapt(keeper, market, clock)
    book = await refreshed(made_keeper(sqlite_store, market, clock))
    assert book.held_back["ALGO"].until == NOW + 10 * MINUTE


async def test_what_comes_first_after_an_outage_is_doubted_as_ever(
    keeper: PriceKeeper, sqlite_store: Store, market: Market, clock: ManualClock
) -> None:
    await refreshed(keeper)
    for process in (keeper, made_keeper(sqlite_store, market, clock)):
        clock.advance(HOUR)
        market.quoting["kraken"][1] = quote("ALGO/USD", "20")
        book = await refreshed(process)
        assert book.held_back["ALGO"].until == clock.now() + 10 * MINUTE


async def test_one_that_takes_over_again_knows_what_others_believed_meanwhile(
    keeper: PriceKeeper, sqlite_store: Store, market: Market, clock: ManualClock
) -> None:
    await refreshed(keeper)
    clock.advance(HOUR)
    await refreshed(made_keeper(sqlite_store, market, clock))
    clock.advance(30 * SECOND)
    market.quoting["kraken"][1] = quote("ALGO/USD", "20")
    assert "ALGO" in (await refreshed(keeper)).held_back


async def test_the_factor_is_the_operators_choice(
    sqlite_store: Store, market: Market, clock: ManualClock
) -> None:
    given: dict[str, Any] = {"spike": Decimal(1000)}
    keeper = PriceKeeper(sqlite_store, market, clock, FLOOR, **given)
    await refreshed(keeper)
    market.quoting["kraken"][1] = quote("ALGO/USD", "20")
    assert (await refreshed(keeper)).prices["ALGO"].usd == Decimal(20)
