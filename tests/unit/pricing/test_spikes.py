"""Leaps of a price that one source alone says are not believed at once."""

from decimal import Decimal

from coffers.clock import MINUTE, SECOND, Millis
from coffers.pricing.spikes import Believed, SpikeWatch, believed_in, suspects
from coffers.valuation.model import HeldBack, Price, PriceBook
from factories import NOW

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


def test_what_was_believed_is_forgotten_after_ten_minutes() -> None:
    watch = SpikeWatch(FIVE)
    watch.believe({"X": said("100")}, NOW)
    watch.believe({}, Millis(NOW + 10 * MINUTE))
    assert watch.suspects({"X": said("900")}, LATER) == {}


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
