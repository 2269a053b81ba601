"""Sources that are no venues: what they tell is kept, and fills what no venue prices."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import cast

import pytest
from structlog.testing import capture_logs

from coffers import metrics, money
from coffers.clock import DAY, HOUR, MINUTE, SECOND, ManualClock, Millis
from coffers.pricing.fallbacks import Fallbacks, Opinion, completed
from coffers.pricing.sources.asked import WebSource
from coffers.pricing.sources.coingecko_tokens import CoinGeckoTokens
from coffers.pricing.sources.source import SourceFailure, SourcePrice
from coffers.pricing.sources.web import Web
from coffers.pricing.spikes import Believed, suspects
from coffers.valuation.model import Price, PriceBook
from factories import NOW


class FakeSource:
    """A source that tells what it is told to; keeps what it was asked."""

    def __init__(self, name: str, **usd: str) -> None:
        self.name = name
        self.lasts = HOUR
        self.passes_on: str | None = None
        self.telling = {asset: SourcePrice(Decimal(worth), NOW) for asset, worth in usd.items()}
        self.asked: list[list[str]] = []
        self.is_down = False

    async def prices(
        self, assets: Sequence[str], told: Collection[str] = ()
    ) -> Mapping[str, SourcePrice]:
        self.asked.append(list(assets))
        if self.is_down:
            raise SourceFailure(f"{self.name} is down")
        return {asset: self.telling[asset] for asset in assets if asset in self.telling}


def venue_price(usd: str, btc: str = "0.00001", source: str = "kraken") -> Price:
    return Price(Decimal(btc), Decimal(usd), ("X/USD",), (source,), NOW)


def opinion(usd: str, *sources: str, age: int = 0) -> Opinion:
    return Opinion(Decimal(usd), sources or ("coingecko",), Millis(NOW - age))


BITCOIN = venue_price("100000", "1")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


async def test_what_a_source_tells_is_an_opinion(clock: ManualClock) -> None:
    fallbacks = Fallbacks([FakeSource("coingecko", ALGO="0.2")], clock)
    assert await fallbacks.opinions({"ALGO", "ODD"}) == {"ALGO": opinion("0.2")}


async def test_a_failure_takes_no_price_away_before_it_is_too_old(clock: ManualClock) -> None:
    source = FakeSource("coingecko", ALGO="0.2")
    fallbacks = Fallbacks([source], clock)
    await fallbacks.opinions({"ALGO"})
    source.is_down = True
    clock.advance(HOUR)
    assert await fallbacks.opinions({"ALGO"}) == {"ALGO": opinion("0.2")}
    clock.advance(1)
    assert await fallbacks.opinions({"ALGO"}) == {}


async def test_a_failure_is_counted_each_time_and_logged_once(clock: ManualClock) -> None:
    source = FakeSource("defillama", ALGO="0.2")
    source.is_down = True
    fallbacks = Fallbacks([source], clock)
    before = metrics.price_failures.labels("defillama")._value.get()
    with capture_logs() as logs:
        for _ in range(3):
            await fallbacks.opinions({"ALGO"})
        source.is_down = False
        await fallbacks.opinions({"ALGO"})
    assert metrics.price_failures.labels("defillama")._value.get() - before == 3
    assert [entry["event"] for entry in logs] == ["source_without_prices", "source_tells_again"]


async def test_one_source_that_fails_leaves_the_others(clock: ManualClock) -> None:
    broken = FakeSource("coingecko")
    broken.is_down = True
    fallbacks = Fallbacks([broken, FakeSource("defillama", ALGO="0.2")], clock)
    assert await fallbacks.opinions({"ALGO"}) == {"ALGO": opinion("0.2", "defillama")}


async def test_two_sources_that_agree_are_both_named(clock: ManualClock) -> None:
    sources = [FakeSource("coingecko", ALGO="0.20"), FakeSource("defillama", ALGO="0.21")]
    assert await Fallbacks(sources, clock).opinions({"ALGO"}) == {
        "ALGO": opinion("0.205", "coingecko", "defillama")
    }


@pytest.mark.parametrize("first", ["coingecko", "defillama"])
async def test_a_word_that_is_passed_on_is_no_second_one(clock: ManualClock, first: str) -> None:
    gecko, llama = FakeSource("coingecko", ALGO="0.20"), FakeSource("defillama")
    llama.telling["ALGO"] = SourcePrice(Decimal("0.21"), NOW, of="coingecko")
    sources = sorted((gecko, llama), key=lambda source: source.name != first)
    (told,) = (await Fallbacks(sources, clock).opinions({"ALGO"})).values()
    assert told == opinion("0.20" if first == "coingecko" else "0.21", first)
    price = completed({"BTC": BITCOIN}, {"ALGO": told}, NOW)["ALGO"]
    assert not price.is_agreed
    before = {"ALGO": Believed(replace(price, usd=price.usd / 500), NOW)}
    assert suspects({"ALGO": price}, before, Decimal(5), NOW).keys() == {"ALGO"}


async def test_a_word_that_is_passed_on_counts_where_nobody_else_tells(clock: ManualClock) -> None:
    llama = FakeSource("defillama")
    llama.telling["ALGO"] = SourcePrice(Decimal("0.21"), NOW, of="coingecko")
    sources = [FakeSource("coingecko"), llama]
    assert await Fallbacks(sources, clock).opinions({"ALGO"}) == {
        "ALGO": opinion("0.21", "defillama")
    }


async def test_of_two_that_contradict_each_other_the_first_counts(clock: ManualClock) -> None:
    sources = [FakeSource("defillama", ALGO="3"), FakeSource("coingecko", ALGO="0.2")]
    assert await Fallbacks(sources, clock).opinions({"ALGO"}) == {"ALGO": opinion("3", "defillama")}


async def test_what_was_never_told_or_longest_ago_is_asked_for_first(clock: ManualClock) -> None:
    source = FakeSource("coingecko", A="1", B="2")
    source.telling["B"] = SourcePrice(Decimal(2), Millis(NOW - MINUTE))
    fallbacks = Fallbacks([source], clock)
    await fallbacks.opinions({"A", "B", "C"})
    await fallbacks.opinions({"A", "B", "C"})
    assert source.asked[1] == ["C", "B", "A"]


class FakeWeb:
    """CoinGecko, which answers some tokens by their contracts; keeps what it was asked."""

    def __init__(self, clock: ManualClock, *listed: str) -> None:
        self.listed = set(listed)
        self.asked: list[str] = []
        self._clock = clock

    async def get(self, source: str, host: str, target: str) -> object:
        contract = target.partition("contract_addresses=")[2].partition("&")[0]
        self.asked.append(contract)
        told = {"usd": "1.0", "last_updated_at": self._clock.now() // SECOND}
        return {contract: told} if contract in self.listed else {}


async def test_hundreds_of_tokens_that_nobody_prices_take_no_price_away(clock: ManualClock) -> None:
    real, new = "0x" + "aa" * 20, "0x" + "bb" * 20
    web = FakeWeb(clock, real, new)
    fallbacks = Fallbacks([WebSource(CoinGeckoTokens(), cast("Web", web), clock)], clock)
    assert await fallbacks.opinions({f"ethereum:{real}"})
    held = {f"base:0x{number:040x}" for number in range(200)} | {f"ethereum:{real}"}
    for _ in range(2 * 75):
        clock.advance(30 * SECOND)
        told = await fallbacks.opinions(held)
        assert clock.now() - told[f"ethereum:{real}"].at <= MINUTE
    held.add(f"ethereum:{new}")
    for _ in range(2 * 130):
        clock.advance(30 * SECOND)
        told = await fallbacks.opinions(held)
    assert f"ethereum:{new}" in told
    assert len(set(web.asked)) == 202


async def test_a_price_that_is_too_old_when_it_comes_is_asked_for_less_and_less(
    clock: ManualClock,
) -> None:
    old = "0x" + "aa" * 20
    web = FakeWeb(ManualClock(Millis(NOW - DAY)), old)
    source = WebSource(CoinGeckoTokens(), cast("Web", web), clock)
    for _ in range(2 * 10):
        assert await source.prices([f"ethereum:{old}"]) == {}
        clock.advance(30 * SECOND)
    assert len(web.asked) == 4


async def test_what_is_told_of_nobody_knows_when_counts_no_more(clock: ManualClock) -> None:
    source = FakeSource("coingecko", ALGO="0.2")
    fallbacks = Fallbacks([source], clock)
    await fallbacks.opinions({"ALGO"})
    source.is_down = True
    clock.advance(-DAY)
    assert await fallbacks.opinions({"ALGO"}) == {}


async def test_what_was_asked_for_in_vain_by_a_clock_ahead_is_asked_for_again(
    clock: ManualClock,
) -> None:
    old = "0x" + "aa" * 20
    web = FakeWeb(ManualClock(Millis(NOW - 9 * DAY)), old)
    source = WebSource(CoinGeckoTokens(), cast("Web", web), clock)
    for asked in (1, 2):
        assert await source.prices([f"ethereum:{old}"]) == {}
        assert len(web.asked) == asked
        clock.advance(-DAY)


async def test_a_new_process_knows_what_the_one_before_was_told(clock: ManualClock) -> None:
    source = FakeSource("coingecko")
    source.is_down = True
    fallbacks = Fallbacks([source], clock)
    told = Price(Decimal("0.000002"), Decimal("0.2"), ("ALGO~USD",), ("coingecko",), NOW)
    assumed = Price(Decimal("0.00001"), Decimal(1), ("USDT~USD",), ("assumed",), NOW)
    prices = {"ALGO": told, "USDT": assumed, "X": venue_price("7")}
    fallbacks.recall(PriceBook(3, NOW, prices))
    assert await fallbacks.opinions({"ALGO", "USDT", "X"}) == {"ALGO": opinion("0.2")}


@pytest.mark.parametrize("before", [("defillama",), ("coingecko", "defillama")])
async def test_a_book_does_not_tell_whose_word_a_lone_one_was(
    clock: ManualClock, before: tuple[str, ...]
) -> None:
    gecko, llama = FakeSource("coingecko", ALGO="0.2"), FakeSource("defillama")
    llama.passes_on, llama.is_down = "coingecko", True
    fallbacks = Fallbacks([gecko, llama], clock)
    told = Price(Decimal("0.000002"), Decimal("0.2"), ("ALGO~USD",), before, NOW)
    fallbacks.recall(PriceBook(3, NOW, {"ALGO": told}))
    opinions = await fallbacks.opinions({"ALGO"})
    assert opinions["ALGO"].sources == (("coingecko",) if len(before) == 1 else before)


def test_a_told_price_shows_that_no_pair_of_a_venue_gave_it() -> None:
    prices = completed({"BTC": BITCOIN}, {"ALGO": opinion("0.2", age=MINUTE)}, NOW)
    assert prices["ALGO"] == Price(
        Decimal("0.000002"), Decimal("0.2"), ("ALGO~USD",), ("coingecko",), Millis(NOW - MINUTE)
    )


def test_its_worth_in_bitcoin_is_a_quotient_of_fifty_digits() -> None:
    prices = completed({"BTC": venue_price("110000", "1")}, {"ALGO": opinion("0.21")}, NOW)
    assert prices["ALGO"].btc == money.divide(Decimal("0.21"), Decimal(110_000))
    assert len(prices["ALGO"].btc.as_tuple().digits) == 50


def test_it_is_as_old_as_the_older_of_the_two() -> None:
    old = Price(Decimal(1), Decimal(100_000), ("BTC/USD",), ("kraken",), Millis(NOW - HOUR))
    assert completed({"BTC": old}, {"ALGO": opinion("0.2")}, NOW)["ALGO"].at == NOW - HOUR


def test_a_venues_price_stays_and_one_that_agrees_is_named_with_it() -> None:
    found = {"BTC": BITCOIN, "ALGO": venue_price("0.2")}
    prices = completed(found, {"ALGO": opinion("0.21")}, NOW)
    assert prices["ALGO"].usd == Decimal("0.2")
    assert prices["ALGO"].sources == ("kraken", "coingecko")


def test_an_opinion_that_contradicts_a_venue_changes_nothing() -> None:
    found = {"BTC": BITCOIN, "ALGO": venue_price("0.2")}
    assert completed(found, {"ALGO": opinion("9")}, NOW) == found


def test_an_old_opinion_backs_no_venue() -> None:
    found = {"BTC": BITCOIN, "ALGO": venue_price("0.2")}
    assert completed(found, {"ALGO": opinion("0.2", age=11 * MINUTE)}, NOW) == found


def test_without_venues_bitcoin_and_the_dollar_come_from_the_sources() -> None:
    prices = completed({}, {"BTC": opinion("100000"), "ALGO": opinion("0.2")}, NOW)
    assert prices["BTC"].btc == 1
    assert (prices["USD"].usd, prices["USD"].btc) == (Decimal(1), Decimal("0.00001"))
    assert prices["USD"].route == prices["BTC"].route == ("BTC~USD",)
    assert prices["ALGO"].btc == Decimal("0.000002")


def test_without_a_price_of_bitcoin_there_are_no_prices() -> None:
    assert completed({}, {"ALGO": opinion("0.2")}, NOW) == {}
