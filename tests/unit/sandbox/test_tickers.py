from decimal import Decimal

import pytest

from coffers.sandbox.exchange import Exchange
from coffers.sandbox.pairs import PAIRS
from coffers.sandbox.prices import DAY, HOUR, MINUTE
from coffers.sandbox.tickers import INTERVALS

NOW = 1_760_000_000_123
BTC = PAIRS["binance"]["BTCUSDT"]


def test_a_day_opens_where_the_price_was_a_day_ago(exchange: Exchange) -> None:
    traded = exchange.tickers.day(BTC, NOW).traded
    assert traded.open == exchange.prices.last(BTC, NOW - DAY)
    assert traded.close == exchange.prices.last(BTC, NOW)
    assert traded.low <= min(traded.open, traded.close)
    assert traded.high >= max(traded.open, traded.close)


def test_a_days_volume_is_about_what_the_pair_turns_over(exchange: Exchange) -> None:
    day = exchange.tickers.day(BTC, NOW)
    assert Decimal("0.5") < day.traded.quote_volume / BTC.daily_usd < Decimal("1.6")
    assert day.traded.low <= day.average <= day.traded.high


def test_a_halted_pair_has_no_volume(exchange: Exchange) -> None:
    day = exchange.tickers.day(PAIRS["binance"]["AVAXETH"], NOW)
    assert day.traded.volume == 0
    assert day.average == day.book.last


def test_a_price_that_was_set_shows_in_the_days_range_at_once(exchange: Exchange) -> None:
    exchange.tickers.day(BTC, NOW)
    exchange.prices.set(BTC, Decimal(900_000), NOW)
    assert exchange.tickers.day(BTC, NOW).traded.high == Decimal(900_000)


def test_an_absurd_price_can_be_set(exchange: Exchange) -> None:
    shib = PAIRS["binance"]["SHIBUSDT"]
    exchange.prices.set(shib, Decimal(10**15), NOW)
    assert exchange.tickers.day(shib, NOW).traded.high == 10**15


@pytest.mark.parametrize("interval", INTERVALS)
def test_candles_of_every_length_follow_one_another(exchange: Exchange, interval: str) -> None:
    length = INTERVALS[interval]
    candles = exchange.tickers.candles(BTC, interval, NOW - 5 * length, NOW, 4)
    assert len(candles) == 4
    assert [c.opened - candles[0].opened for c in candles] == [n * length for n in range(4)]
    assert all(c.closed == c.opened + length - 1 for c in candles)
    assert all(c.low <= min(c.open, c.close) <= max(c.open, c.close) <= c.high for c in candles)


def test_weeks_begin_on_monday(exchange: Exchange) -> None:
    (week,) = exchange.tickers.candles(BTC, "1w", NOW - 7 * DAY, NOW, 1)
    assert (week.opened // DAY + 3) % 7 == 0


def test_a_past_candle_never_changes(exchange: Exchange) -> None:
    start = NOW - 3 * HOUR
    then = exchange.tickers.candles(BTC, "1h", start, NOW, 1)
    assert exchange.tickers.candles(BTC, "1h", start, NOW + 30 * DAY, 1) == then


def test_the_running_candle_ends_at_the_present_price(exchange: Exchange) -> None:
    candle = exchange.tickers.candles(BTC, "1h", NOW - HOUR, NOW, 5)[-1]
    assert candle.opened <= NOW <= candle.closed
    assert candle.close == exchange.prices.last(BTC, NOW)


def test_a_candle_of_a_minute_has_its_share_of_the_days_volume(exchange: Exchange) -> None:
    (candle,) = exchange.tickers.candles(BTC, "1m", NOW - 2 * MINUTE, NOW, 1)
    share = candle.quote_volume * 1440 / BTC.daily_usd
    assert Decimal("0.5") < share < Decimal("1.6")
