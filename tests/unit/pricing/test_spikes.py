"""Leaps of a price that one source alone says are not believed at once."""

from decimal import Decimal

from coffers.clock import DAY, HOUR, MINUTE, SECOND, Millis
from coffers.pricing.spikes import Believed, SpikeWatch, believed_in, suspects
from coffers.valuation.model import HeldBack, Price, PriceBook
from factories import NOW
from unit.pricing.quoting import priced, quote

FIVE = Decimal(5)
LATER = Millis(NOW + 30 * SECOND)


def said(usd: str, *sources: str, btc: str = "0.001") -> Price:
    return Price(Decimal(btc), Decimal(usd), ("X/USD",), sources or ("kraken",), NOW)


def doubted(before: Price, after: Price, now: Millis = LATER) -> bool:
    return "X" in suspects({"X": after}, {"X": Believed(before, NOW)}, FIVE, now)


def test_a_price_more_than_five_times_as_high_or_low_is_doubted() -> None:
    assert not doubted(said("100"), said("500"))
    assert doubted(said("100"), said("500.01"))
    assert not doubted(said("100"), said("20"))
    assert doubted(said("100"), said("19.99"))


def test_a_leap_in_bitcoin_alone_is_doubted_too() -> None:
    assert doubted(said("100", btc="0.001"), said("100", btc="0.0001"))


def test_two_sources_that_agree_are_believed() -> None:
    assert not doubted(said("100"), said("900", "binance", "kraken"))


def quoted(bitcoin: str, tether: str) -> dict[str, Price]:
    """Return prices that Kraken alone tells, and of what two venues pay the same for in them."""
    there = [
        quote(pair, price, venue=venue)
        for venue in ("binance", "gate")
        for pair, price in (("X/USDT", "2"), ("Y/BTC", "0.00001"), ("BTC/USDT", "100000"))
    ]
    return priced(
        [quote("Z/USD", "7"), quote("BTC/USD", bitcoin), quote("USDT/USD", tether), *there]
    )


def held_back_after(before: dict[str, Price], after: dict[str, Price]) -> set[str]:
    believed = {asset: Believed(price, NOW) for asset, price in before.items()}
    return set(suspects(after, believed, FIVE, LATER))


def test_two_venues_that_count_in_what_one_alone_says_are_no_two_sources() -> None:
    before, after = quoted("100000", "1"), quoted("100000", "0.001")
    assert after["X"].usd == Decimal("0.002")
    assert after["X"].sources == ("binance", "gate")
    assert held_back_after(before, after) == {"USDT", "X"}

    believed = {asset: Believed(price, NOW) for asset, price in before.items()}
    assert suspects(after, believed, FIVE, LATER, {"X"}).keys() == {"USDT"}


def test_a_leap_of_bitcoin_that_one_alone_says_makes_no_worth_in_bitcoin() -> None:
    before, after = (
        priced([quote("BTC/USD", price), quote("Z/USD", "7"), quote("Z/USD", "7", venue="gate")])
        for price in ("100000", "1")
    )
    assert (after["Z"].usd, after["Z"].btc, len(after["Z"].sources)) == (7, 7, 2)
    assert held_back_after(before, after) == {"BTC", "USD", "Z"}


def test_a_leap_that_persists_for_ten_minutes_is_believed() -> None:
    assert doubted(said("100"), said("900"), Millis(NOW + 10 * MINUTE - 1))
    assert not doubted(said("100"), said("900"), Millis(NOW + 10 * MINUTE))


def test_an_asset_that_nothing_is_known_of_is_believed() -> None:
    assert suspects({"X": said("900")}, {}, FIVE, NOW) == {}


def test_what_is_held_back_tells_the_price_before_and_until_when() -> None:
    before, after = said("100"), said("900")
    assert suspects({"X": after}, {"X": Believed(before, NOW)}, FIVE, LATER) == {
        "X": HeldBack(after, before, Millis(NOW + 10 * MINUTE))
    }


def test_a_price_that_comes_back_is_believed_and_ends_the_doubt() -> None:
    watch = SpikeWatch(FIVE)
    watch.believe({"X": said("100")}, NOW)
    assert watch.suspects({"X": said("900")}, LATER)
    assert watch.suspects({"X": said("110")}, LATER) == {}


def test_an_asset_that_vanished_for_a_while_is_compared_with_its_last_price() -> None:
    watch = SpikeWatch(FIVE)
    watch.believe({"X": said("100")}, NOW)
    watch.believe({"Y": said("1")}, LATER)
    assert watch.suspects({"X": said("900")}, Millis(LATER + MINUTE)).keys() == {"X"}


def test_what_comes_after_hours_without_a_price_is_waited_for_from_then_on() -> None:
    watch = SpikeWatch(FIVE)
    watch.believe({"X": said("100")}, NOW)
    for after in range(MINUTE, 3 * HOUR, MINUTE):
        watch.believe({}, Millis(NOW + after))
    back = Millis(NOW + 3 * HOUR)
    held = watch.suspects({"X": said("900")}, back)
    assert held["X"].until == back - MINUTE + 10 * MINUTE
    watch.believe({}, back, held)
    assert watch.suspects({"X": said("900")}, Millis(back + 9 * MINUTE - 1))
    assert not watch.suspects({"X": said("900")}, Millis(back + 9 * MINUTE))


def test_what_is_held_back_book_after_book_is_believed_ten_minutes_after_it_leapt() -> None:
    watch = SpikeWatch(FIVE)
    watch.believe({"X": said("100")}, NOW)
    for after in range(MINUTE, 10 * MINUTE, MINUTE):
        watch.believe({}, Millis(NOW + after), {"X"})
    assert not watch.suspects({"X": said("900")}, Millis(NOW + 10 * MINUTE))


def test_a_price_of_a_day_ago_is_compared_with_nothing() -> None:
    watch = SpikeWatch(FIVE)
    watch.believe({"X": said("100")}, NOW)
    watch.believe({}, Millis(NOW + DAY))
    assert watch.suspects({"X": said("900")}, Millis(NOW + DAY)) == {}


def test_what_leaps_while_nobody_looked_is_waited_for_from_then_on() -> None:
    watch, book = SpikeWatch(FIVE), PriceBook(1, NOW, {"X": said("100")})
    watch.recall(book)
    back = Millis(NOW + HOUR)
    assert watch.suspects({"X": said("900")}, back) == {}
    watch.wake(back)
    assert watch.suspects({"X": said("900")}, back)["X"].until == back + 10 * MINUTE

    watch.recall(book)
    soon = Millis(NOW + 9 * MINUTE)
    watch.wake(soon)
    assert watch.suspects({"X": said("900")}, soon)["X"].until == NOW + 10 * MINUTE


def test_what_a_clock_ahead_believed_is_remembered_for_ten_minutes_from_now_on() -> None:
    watch = SpikeWatch(FIVE)
    watch.believe({"X": said("100")}, Millis(NOW + 90 * MINUTE))
    assert watch.suspects({"X": said("900")}, NOW)
    watch.believe({}, NOW)
    assert watch.suspects({"X": said("900")}, Millis(NOW + 10 * MINUTE - 1))
    assert not watch.suspects({"X": said("900")}, Millis(NOW + 10 * MINUTE))


def test_a_book_tells_the_next_process_what_was_believed() -> None:
    held = HeldBack(said("900"), said("100"), Millis(NOW + 4 * MINUTE))
    book = PriceBook(1, NOW, {"Y": said("1")}, {"X": held})
    assert believed_in(book) == {
        "Y": Believed(said("1"), NOW),
        "X": Believed(said("100"), Millis(NOW - 6 * MINUTE)),
    }
