"""How a price changed in a day, in each currency on its own."""

from decimal import Decimal

from coffers.clock import DAY, Millis
from coffers.portfolio.daychange import DayChange, day_change
from coffers.valuation.figures import DisplayCurrency
from coffers.valuation.model import PriceBook
from factories import NOW, price

EARLIER = Millis(NOW - DAY)
NOW_BOOK = PriceBook(2, NOW, {"ETH": price("0.05", "2500"), "NEW": price("1", "1")})
BEFORE = PriceBook(1, EARLIER, {"ETH": price("0.04", "2000"), "OLD": price("1", "1")})
USD = DisplayCurrency("USD", lambda _: Decimal(1))


def test_a_price_rises_in_each_currency_on_its_own() -> None:
    rates = {NOW: Decimal("0.8"), EARLIER: Decimal(1)}
    change = day_change("ETH", NOW_BOOK, BEFORE, DisplayCurrency("EUR", rates.get))
    assert change == DayChange(btc=Decimal(25), usd=Decimal(25), display=Decimal(0))


def test_what_had_or_has_no_price_has_no_change() -> None:
    for asset in ("NEW", "OLD", "NONE"):
        assert day_change(asset, NOW_BOOK, BEFORE, USD) == DayChange()


def test_without_one_of_the_books_there_is_no_change() -> None:
    assert day_change("ETH", NOW_BOOK, None, USD) == DayChange()
    assert day_change("ETH", None, BEFORE, USD) == DayChange()


def test_without_a_rate_then_only_the_display_currency_is_unknown() -> None:
    change = day_change("ETH", NOW_BOOK, BEFORE, DisplayCurrency("EUR", lambda _: None))
    assert (change.usd, change.display) == (25, None)


def test_a_price_of_zero_has_no_change_in_percent() -> None:
    free = PriceBook(1, EARLIER, {"ETH": price("0", "0")})
    assert day_change("ETH", NOW_BOOK, free, USD) == DayChange()
