"""Two assets of one symbol: which venue means which is told by what they pay."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import pytest

from coffers.clock import DAY, HOUR, MINUTE, Millis
from coffers.markets.quote import Quote
from coffers.pricing.apart import PATIENCE, SAME_AGAIN, changes, told_apart
from coffers.pricing.graph import prices_of
from coffers.pricing.spikes import Believed
from coffers.valuation.model import Apart, Meanings, Price
from factories import NOW
from unit.pricing.quoting import BITCOIN, FLOOR, quote, ticker

KRAKEN = quote("NEIRO/USD", "3.4", volume="1e7")
BINANCE = quote("NEIRO/USDT", "3.4", venue="binance", volume="1e7")
GATE = quote("NEIRO/USDT", "0.02", venue="gate", volume="50000")
AGREEING = quote("NEIRO/USDT", "3.2", venue="gate", volume="1e7")
TETHER = quote("USDT/USD", "1")
OTHERS = [BITCOIN, TETHER, KRAKEN, BINANCE]


@dataclass(frozen=True)
class Told:
    """The prices and meanings of a moment."""

    prices: dict[str, Price]
    meanings: Meanings

    @property
    def apart(self) -> Apart:
        return self.meanings.apart


FIRST = Told({}, Meanings())


def told(quotes: Iterable[Quote], before: Told = FIRST, *, after: int = 0) -> Told:
    """Return what quotes of a moment tell, which is so long after the first."""
    now = Millis(NOW + after)
    later = [replace(each, at=now) for each in quotes]
    believed = {asset: Believed(price, NOW) for asset, price in before.prices.items()}
    return Told(*told_apart(later, before.meanings, believed, floor_usd=FLOOR, now=now))


def symbols(found: Told) -> dict[str, set[str]]:
    return {venue: set(symbols) for venue, symbols in found.apart.items()}


def is_in_doubt(found: Told) -> bool:
    """Return whether what Gate means is set apart without a price."""
    is_apart = symbols(found) == {"gate": {"NEIRO"}}
    assert not is_apart or found.meanings.far_off["gate"].keys() == {"NEIRO"}
    return is_apart and "NEIRO" in found.prices and "NEIRO@gate" not in found.prices


def usd(found: Told, asset: str) -> Decimal:
    return found.prices[asset].usd


def test_what_a_venue_pays_a_hundredth_for_is_an_asset_of_its_own() -> None:
    found = told([*OTHERS, GATE])

    assert symbols(found) == {"gate": {"NEIRO"}}
    assert usd(found, "NEIRO") == Decimal("3.4")
    assert found.prices["NEIRO"].sources == ("binance", "kraken")
    assert usd(found, "NEIRO@gate") == Decimal("0.02")
    assert found.prices["NEIRO@gate"].sources == ("gate",)
    assert found.prices["NEIRO@gate"].route == ("NEIRO@gate/USDT", "USDT/USD")


def test_of_two_venues_the_deeper_one_keeps_the_symbol() -> None:
    found = told([BITCOIN, TETHER, KRAKEN, GATE])

    assert symbols(found) == {"gate": {"NEIRO"}}
    assert usd(found, "NEIRO") == Decimal("3.4")


def test_prices_that_differ_by_less_are_of_one_asset() -> None:
    near = quote("NEIRO/USDT", "1.14", venue="gate")
    found = told([*OTHERS, near])

    assert found.apart == {}
    assert found.prices == prices_of([*OTHERS, near], floor_usd=FLOOR, now=NOW)


def test_three_times_is_the_border() -> None:
    assert told([*OTHERS, quote("NEIRO/USDT", "10.2", venue="gate")]).apart == {}
    assert told([*OTHERS, quote("NEIRO/USDT", "10.201", venue="gate")]).apart != {}


def test_a_market_too_small_for_a_price_still_shows_that_it_is_of_another_asset() -> None:
    found = told([*OTHERS, quote("NEIRO/USDT", "0.02", venue="gate", volume="5")])

    assert symbols(found) == {"gate": {"NEIRO"}}
    assert "NEIRO@gate" not in found.prices


def test_a_market_without_volume_shows_nothing_but_a_doubt() -> None:
    for volume in (None, "0"):
        quotes = [*OTHERS, quote("NEIRO/USDT", "0.02", venue="gate", volume=volume)]
        found = told(quotes, told(quotes), after=HOUR)
        assert is_in_doubt(found)


def test_an_old_last_trade_shows_nothing_but_a_doubt() -> None:
    for volume in (None, "0"):
        dead = ticker("NEIRO/USDT", last="0.02", venue="gate", volume=volume)
        for others in (OTHERS, [*OTHERS, quote("BTC/USDT", "100000", venue="gate")]):
            assert is_in_doubt(told([*others, dead], told([*others, dead]), after=HOUR))


def test_a_wide_market_shows_it_where_nobody_there_pays_as_much() -> None:
    live = quote("BTC/USDT", "100000", venue="gate")
    for last in ("0.019", "0.025", None):
        wide = ticker("NEIRO/USDT", bid="0.02", ask="0.03", last=last, venue="gate", volume="50000")
        found = told([*OTHERS, live, wide])
        assert symbols(found) == {"gate": {"NEIRO"}}
        assert found.meanings.far_off == {}
        assert usd(found, "NEIRO") == Decimal("3.4")
        assert ("NEIRO@gate" in found.prices) == (last == "0.025")


def test_a_side_alone_shows_it_too() -> None:
    sold = ticker("NEIRO/USDT", ask="0.03", venue="gate", volume="50000")
    bought = ticker("NEIRO/USDT", bid="11", venue="gate", volume="50000")
    for side in (sold, bought):
        assert symbols(told([*OTHERS, side])) == {"gate": {"NEIRO"}}
    for side in (
        ticker("NEIRO/USDT", ask="11", venue="gate", volume="50000"),
        ticker("NEIRO/USDT", bid="0.03", venue="gate", volume="50000"),
    ):
        assert told([*OTHERS, side]).apart == {}


def test_a_broken_ticker_shows_nothing() -> None:
    found = told([*OTHERS, ticker("NEIRO/USDT", bid="0.02", ask="3.4", venue="gate")])

    assert found.apart == {}


def test_the_pair_of_most_volume_speaks_for_a_venue() -> None:
    small = quote("NEIRO/BTC", "0.0000002", venue="gate", volume="0.5")
    large = quote("NEIRO/USDT", "3.4", venue="gate", volume="1e7")
    assert told([*OTHERS, large, small]).apart == {}

    small = quote("NEIRO/BTC", "0.000034", venue="gate", volume="0.5")
    assert symbols(told([*OTHERS, GATE, small])) == {"gate": {"NEIRO"}}


@pytest.mark.parametrize("others", [OTHERS, [BITCOIN, TETHER]], ids=["several", "alone"])
def test_a_halted_pair_of_a_venue_speaks_against_no_other_pair_of_it(others: list[Quote]) -> None:
    halted = quote("NEIRO/USDT", "34", venue="gate", volume="1e6")
    traded = [
        quote("BTC/USDT", "100000", venue="gate", volume="1e8"),
        quote("NEIRO/BTC", "0.000034", venue="gate", volume="5"),
    ]
    known: dict[str, Believed] = {}
    meanings = Meanings()
    for after in range(0, HOUR, MINUTE):
        now = Millis(NOW + after)
        quotes = [replace(each, at=now) for each in (*others, *traded)]
        quotes.append(replace(halted, at=Millis(NOW - 2 * HOUR)))
        prices, meanings = told_apart(quotes, meanings, known, floor_usd=FLOOR, now=now)
        known = {asset: Believed(price, now) for asset, price in prices.items()}
        assert (meanings.apart, meanings.far_off) == ({}, {})
        assert prices["NEIRO"].usd == Decimal("3.4")


def test_a_currency_that_is_worth_something_else_at_a_venue_sets_no_asset_apart() -> None:
    rial = quote("USDT/IRT", "100000", volume="1e13")
    there = [
        quote(f"{base}/IRT", price, venue="gate", volume="1e12")
        for base, price in (("BTC", "1e9"), ("NEIRO", "34000"), ("USDT", "10000"))
    ]
    assert told([*OTHERS, rial, *there]).apart == {}


def test_a_venue_that_trades_other_assets_alone_has_no_other_currency() -> None:
    others = [*OTHERS, quote("ABC/USD", "1", volume="1e8"), quote("XYZ/USD", "7", volume="1e8")]
    there = [GATE, *(quote(f"{base}/USDT", "0.01", venue="gate") for base in ("ABC", "XYZ"))]
    there = [replace(each, volume=Decimal(50_000)) for each in there]
    assert symbols(told([*others, *there])) == {"gate": {"NEIRO", "ABC", "XYZ"}}


def test_one_asset_among_many_in_a_currency_is_set_apart() -> None:
    same = [
        quote(f"{base}/USDT", price, venue="gate")
        for base, price in (("BTC", "100000"), ("ALGO", "0.2"))
    ]
    assert symbols(told([*OTHERS, *same, GATE])) == {"gate": {"NEIRO"}}


def test_pairs_that_are_traded_in_it_lead_on_over_the_asset_that_the_venue_means() -> None:
    found = told([*OTHERS, GATE, quote("PUP/NEIRO", "2", venue="gate", volume="1e7")])

    assert usd(found, "PUP") == Decimal("0.04")
    assert found.prices["PUP"].route == ("PUP/NEIRO@gate", "NEIRO@gate/USDT", "USDT/USD")


def lasting(quotes: Sequence[Quote], begun: Told, until: int) -> Told:
    """Return what quotes tell that stay the same, book after book, from a minute on."""
    found = begun
    for after in range(MINUTE, until, MINUTE):
        found = told(quotes, found, after=after)
        assert found.apart == {}
    return told(quotes, found, after=until)


def test_a_crash_at_one_venue_is_waited_for() -> None:
    before = told([*OTHERS, AGREEING])
    found = lasting([*OTHERS, GATE], before, PATIENCE)

    assert found.meanings.far_off == {"gate": {"NEIRO": NOW + MINUTE}}
    assert usd(found, "NEIRO") == Decimal("3.4")
    over = told([*OTHERS, GATE], found, after=PATIENCE + MINUTE)
    assert symbols(over) == {"gate": {"NEIRO"}}
    assert over.meanings.far_off == {}


@pytest.mark.parametrize(
    "before",
    [
        quote("BTC/USDT", "100000", venue="gate"),
        quote("NEIRO/USDT", "2.4", venue="gate", volume="1e5"),
        quote("NEIRO/USDT", "3.4", venue="gate", volume="500"),
    ],
    ids=["not listed", "not in agreement", "too small for a voice"],
)
def test_what_did_not_agree_before_has_no_price_until_it_is_sure(before: Quote) -> None:
    found = told([*OTHERS, before])
    for after in range(MINUTE, PATIENCE + MINUTE, MINUTE):
        found = told([*OTHERS, GATE], found, after=after)
        assert is_in_doubt(found)
        assert found.meanings.far_off == {"gate": {"NEIRO": NOW + MINUTE}}

    found = told([*OTHERS, GATE], found, after=PATIENCE + MINUTE)
    assert usd(found, "NEIRO@gate") == Decimal("0.02")
    assert found.meanings.far_off == {}


def test_a_doubt_ends_as_soon_as_prices_agree() -> None:
    listed = [*OTHERS, quote("BTC/USDT", "100000", venue="gate")]
    found = told([*listed, GATE], told(listed), after=MINUTE)
    assert is_in_doubt(found)
    nearer = quote("NEIRO/USDT", "2.4", venue="gate", volume="1e7")
    assert is_in_doubt(told([*listed, nearer], found, after=2 * MINUTE))
    assert is_in_doubt(told(listed, found, after=2 * MINUTE))

    found = told([*OTHERS, AGREEING], found, after=2 * MINUTE)
    assert found.apart == {}
    assert found.meanings.far_off == {}
    assert found.prices["NEIRO"].sources == ("binance", "gate", "kraken")


def test_a_doubt_ends_where_the_others_tell_no_price_any_more() -> None:
    listed = [*OTHERS, quote("BTC/USDT", "100000", venue="gate")]
    for there in (GATE, ticker("NEIRO/USDT", last="0.02", venue="gate", volume="50000")):
        found = told([*listed, there], told(listed), after=MINUTE)
        alone = [BITCOIN, TETHER, listed[-1], there]
        assert symbols(found) == {"gate": {"NEIRO"}}
        assert "NEIRO@gate" not in told(alone, found, after=PATIENCE).prices

        over = told(alone, found, after=MINUTE + PATIENCE)
        assert usd(over, "NEIRO@gate") == Decimal("0.02")
        assert "NEIRO" not in over.prices


def test_nothing_is_priced_by_what_is_in_doubt() -> None:
    listed = [*OTHERS, quote("BTC/USDT", "100000", venue="gate")]
    in_it = quote("PUP/NEIRO", "2", venue="gate", volume="1e7")
    found = told([*listed, GATE, in_it], told(listed), after=MINUTE)

    assert is_in_doubt(found)
    assert "PUP" not in found.prices


def test_a_crash_that_is_over_begins_the_wait_anew() -> None:
    crashed = told([*OTHERS, GATE], told([*OTHERS, AGREEING]), after=MINUTE)
    better = told([*OTHERS, AGREEING], crashed, after=2 * MINUTE)
    again = told([*OTHERS, GATE], better, after=PATIENCE + MINUTE)

    assert better.meanings.far_off == {}
    assert again.apart == {}


def test_who_only_has_a_last_trade_left_as_all_others_move_on_keeps_no_old_price() -> None:
    halted = ticker("NEIRO/USDT", last="3.4", venue="gate", volume="1e6")
    fallen = [
        BITCOIN,
        TETHER,
        quote("BTC/USDT", "100000", venue="gate"),
        quote("NEIRO/USD", "0.04", volume="1e7"),
        quote("NEIRO/USDT", "0.04", venue="binance", volume="1e7"),
    ]
    before = told([*OTHERS, quote("BTC/USDT", "100000", venue="gate"), halted])
    found = lasting([*fallen, halted], before, 50 * MINUTE)

    assert found.apart == {}
    assert usd(found, "NEIRO") == Decimal("0.04")


def test_bid_and_ask_that_stand_still_show_no_more_than_a_last_trade() -> None:
    halted = quote("NEIRO/USDT", "3.4", venue="gate", volume="1e6")
    live = quote("BTC/USDT", "100000", venue="gate")
    fallen = [BITCOIN, TETHER, live]
    fallen += [replace(each, bid=each.bid / 100, ask=each.ask / 100) for each in (KRAKEN, BINANCE)]
    found = told([*OTHERS, live, halted])
    for after in range(0, 3 * HOUR, MINUTE):
        now = Millis(NOW + after)
        quotes = [replace(each, at=now) for each in fallen]
        still = replace(halted, at=Millis(NOW - 2 * HOUR))
        believed = {asset: Believed(price, now) for asset, price in found.prices.items()}
        before = found.meanings
        found = Told(*told_apart([*quotes, still], before, believed, floor_usd=FLOOR, now=now))
        assert found.apart == {}
        assert usd(found, "NEIRO") == Decimal("0.034")


def test_an_outage_makes_no_new_venue_of_one() -> None:
    found = told(OTHERS, told([*OTHERS, AGREEING]), after=HOUR)
    for odd in (GATE, ticker("NEIRO/USDT", last="0.02", venue="gate", volume="50000")):
        assert is_in_doubt(told([*OTHERS, odd], found, after=2 * HOUR))
        assert symbols(told([*OTHERS, odd], found, after=DAY)) == {"gate": {"NEIRO"}}


def test_a_last_trade_alone_is_a_doubt_and_no_price_at_a_venue_with_bids() -> None:
    halted = ticker("NEIRO/USDT", last="0.02", venue="gate", volume="50000")
    live = quote("BTC/USDT", "100000", venue="gate")
    found = told([*OTHERS, live, halted])
    for after in (HOUR, DAY, 3 * DAY):
        assert is_in_doubt(found)
        found = told([*OTHERS, live, halted], found, after=after)
    without = ticker("BTC/USDT", last="100000", venue="gate")
    assert symbols(told([*OTHERS, without, halted])) == {"gate": {"NEIRO"}}


def test_a_venue_that_the_others_join_with_another_price_is_set_apart_at_once() -> None:
    alone = told([BITCOIN, TETHER, GATE])
    joined = told([*OTHERS, GATE], alone, after=MINUTE)

    assert alone.prices["NEIRO"].sources == ("gate",)
    assert symbols(joined) == {"gate": {"NEIRO"}}


def test_a_venue_that_was_not_asked_before_is_set_apart_at_once() -> None:
    assert symbols(told([*OTHERS, GATE], told(OTHERS), after=MINUTE)) == {"gate": {"NEIRO"}}


def test_what_is_paid_in_another_asset_of_a_symbol_is_judged_by_that_asset() -> None:
    others = [*OTHERS, quote("ABC/USD", "1", volume="1e8")]
    there = [
        quote("ABC/USDT", "0.01", venue="gate", volume="1e6"),
        quote("BTC/ABC", "1e7", venue="gate", volume="5e7"),
        quote("NEIRO/ABC", "340", venue="gate", volume="1e8"),
    ]
    assert symbols(told([*others, *there])) == {"gate": {"ABC"}}


def test_what_is_apart_stays_so_though_the_others_are_gone() -> None:
    found = told([BITCOIN, TETHER, GATE], told([*OTHERS, GATE]), after=MINUTE)

    assert symbols(found) == {"gate": {"NEIRO"}}
    assert "NEIRO" not in found.prices
    assert usd(found, "NEIRO@gate") == Decimal("0.02")


def test_what_is_apart_stays_so_though_its_venue_says_nothing() -> None:
    found = told(OTHERS, told([*OTHERS, GATE]), after=MINUTE)

    assert symbols(found) == {"gate": {"NEIRO"}}
    assert "NEIRO@gate" not in found.prices


def test_prices_that_agree_for_a_day_are_of_one_asset_again() -> None:
    found = told([*OTHERS, GATE])
    for after in range(MINUTE, MINUTE + SAME_AGAIN, HOUR):
        found = told([*OTHERS, AGREEING], found, after=after)
        assert symbols(found) == {"gate": {"NEIRO"}}
        assert found.apart["gate"]["NEIRO"] == NOW + MINUTE
    found = told([*OTHERS, AGREEING], found, after=MINUTE + SAME_AGAIN)

    assert found.apart == {}
    assert found.prices["NEIRO"].sources == ("binance", "gate", "kraken")
    assert "NEIRO@gate" not in found.prices


def test_a_break_in_the_agreement_begins_the_day_anew() -> None:
    breaks: Sequence[list[Quote]] = ([*OTHERS, GATE], OTHERS, [BITCOIN, TETHER, AGREEING])
    for broken in breaks:
        found = told([*OTHERS, AGREEING], told([*OTHERS, GATE]), after=MINUTE)
        found = told(broken, found, after=HOUR)
        assert found.apart["gate"]["NEIRO"] is None
        found = told([*OTHERS, AGREEING], found, after=DAY + MINUTE)
        assert symbols(found) == {"gate": {"NEIRO"}}


def test_a_small_market_that_agrees_for_a_day_is_of_one_asset_again_too() -> None:
    small = quote("NEIRO/USDT", "3.2", venue="gate", volume="500")
    found = told([*OTHERS, small], told([*OTHERS, GATE]), after=MINUTE)
    found = told([*OTHERS, small], found, after=MINUTE + SAME_AGAIN)

    assert found.apart == {}


def test_what_began_by_a_clock_ahead_is_waited_for_from_now_on() -> None:
    crashed = told([*OTHERS, GATE], told([*OTHERS, AGREEING]), after=12 * HOUR)
    found = told([*OTHERS, GATE], crashed, after=MINUTE)
    assert found.meanings.far_off == {"gate": {"NEIRO": NOW + MINUTE}}

    agreed = told([*OTHERS, AGREEING], told([*OTHERS, GATE]), after=3 * DAY)
    found = told([*OTHERS, AGREEING], agreed, after=MINUTE)
    assert found.apart == {"gate": {"NEIRO": NOW + MINUTE}}


def test_changes_tell_what_is_called_otherwise_from_now_on() -> None:
    before: Apart = {"gate": {"A": None, "B": None}, "mexc": {"C": NOW}}
    after: Apart = {"gate": {"B": NOW, "D": None}, "htx": {"E": None}}

    assert list(changes(before, after)) == [
        ("gate", "D", "D@gate"),
        ("gate", "A@gate", "A"),
        ("htx", "E", "E@htx"),
        ("mexc", "C@mexc", "C"),
    ]
    assert list(changes(after, after)) == []


def test_what_is_priced_elsewhere_alone_tells_a_small_market_of_another_asset_too() -> None:
    small = quote("NEIRO/USDT", "0.02", venue="gate", volume="500")
    quotes = [replace(each, at=NOW) for each in (BITCOIN, TETHER, small)]
    for price, expected in (("3.4", {"gate": {"NEIRO"}}), ("0.021", {})):
        prices, meanings = told_apart(
            quotes, Meanings(), {}, floor_usd=FLOOR, now=NOW, told={"NEIRO": Decimal(price)}
        )
        assert {venue: set(told) for venue, told in meanings.apart.items()} == expected
        assert {"NEIRO", "NEIRO@gate"}.isdisjoint(prices)
