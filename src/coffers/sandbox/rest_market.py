"""The venue's public answers: time, pairs, tickers and candles."""

from collections.abc import Callable
from decimal import Decimal

import msgspec

from coffers.sandbox import refusals
from coffers.sandbox.call import Call
from coffers.sandbox.exchange import Exchange
from coffers.sandbox.listing import exchange_info, plain
from coffers.sandbox.pairs import PAIRS, Pair
from coffers.sandbox.prices import SECOND
from coffers.sandbox.tickers import INTERVALS, Day, Traded

LEVEL_STEPS = 900_000
MOST_LEVELS = 20

_FIRST_TRADE = 100_000
_MOST_CANDLES = 1_000
_DEFAULT_CANDLES = 500


def ping(_exchange: Exchange, _call: Call) -> object:
    """Answer `GET /api/v3/ping`."""
    return {}


def time(exchange: Exchange, _call: Call) -> object:
    """Answer `GET /api/v3/time`."""
    return {"serverTime": exchange.now()}


def info(exchange: Exchange, call: Call) -> object:
    """Answer `GET /api/v3/exchangeInfo`."""
    return exchange_info(call.venue, exchange.now(), exchange.limits.per_minute)


def ticker_day(exchange: Exchange, call: Call) -> object:
    """Answer `GET /api/v3/ticker/24hr`."""
    return _per_pair(exchange, call, lambda pair, at: _day(exchange.tickers.day(pair, at)))


def ticker_book(exchange: Exchange, call: Call) -> object:
    """Answer `GET /api/v3/ticker/bookTicker`."""
    return _per_pair(exchange, call, lambda pair, at: _book(exchange.tickers.day(pair, at)))


def depth(exchange: Exchange, call: Call) -> object:
    """Answer `GET /api/v3/depth`: levels a spread apart, each with what the best one has.

    Raises:
        Refused: for an unknown pair.
    """
    pair = exchange.pair(call.venue, call.text("symbol"))
    book = exchange.prices.book(pair, exchange.now())
    size = plain(pair.step * LEVEL_STEPS)
    levels = range(min(call.integer("limit", 100), MOST_LEVELS))
    apart = pair.tick * 2
    return {
        "lastUpdateId": exchange.now(),
        "bids": [[plain(book.bid - apart * n), size] for n in levels if book.bid is not None],
        "asks": [[plain(book.ask + apart * n), size] for n in levels if book.ask is not None],
    }


def ticker_price(exchange: Exchange, call: Call) -> object:
    """Answer `GET /api/v3/ticker/price`."""
    return _per_pair(
        exchange,
        call,
        lambda pair, at: {"symbol": pair.symbol, "price": plain(exchange.prices.last(pair, at))},
    )


def candles(exchange: Exchange, call: Call) -> object:
    """Answer `GET /api/v3/klines`.

    Raises:
        Refused: for an unknown pair or interval.
    """
    pair, interval = exchange.pair(call.venue, call.text("symbol")), call.text("interval")
    if interval not in INTERVALS:
        raise refusals.unknown_interval()
    now = exchange.now()
    limit = min(call.integer("limit", _DEFAULT_CANDLES), _MOST_CANDLES)
    end = min(call.integer("endTime", now), now)
    start = call.integer("startTime", end - limit * INTERVALS[interval] + 1)
    return [
        _candle(traded)
        for traded in exchange.tickers.candles(pair, interval, start, now, limit)
        if traded.opened <= end
    ]


def _per_pair(exchange: Exchange, call: Call, tell: Callable[[Pair, int], object]) -> object:
    """Answer for the pair or pairs asked for; for all, with a body made once a second."""
    at = exchange.now()
    if "symbol" in call.params:
        return tell(exchange.pair(call.venue, call.params["symbol"]), at)
    if "symbols" in call.params:
        return [tell(exchange.pair(call.venue, symbol), at) for symbol in _symbols(call)]
    stamp = (at // SECOND, exchange.prices.version)
    made, body = exchange.bodies.get((call.venue, call.path), (None, b""))
    if made != stamp:
        body = msgspec.json.encode([tell(pair, at) for pair in PAIRS[call.venue].values()])
        exchange.bodies[call.venue, call.path] = (stamp, body)
    return msgspec.Raw(body)


def _symbols(call: Call) -> list[str]:
    try:
        return msgspec.json.decode(call.params["symbols"], type=list[str])
    except msgspec.DecodeError:
        raise refusals.malformed("symbols") from None


def _quoted(price: Decimal | None) -> str:
    return plain(Decimal(0) if price is None else price)


def _book(day: Day) -> dict[str, object]:
    depth = plain(day.pair.step * 900)
    shown = depth if day.book.bid is not None else plain(Decimal(0))
    return {
        "symbol": day.pair.symbol,
        "bidPrice": _quoted(day.book.bid),
        "bidQty": shown,
        "askPrice": _quoted(day.book.ask),
        "askQty": shown,
    }


def _day(day: Day) -> dict[str, object]:
    traded = day.traded
    change = traded.close - traded.open
    return {
        "priceChange": plain(change),
        "priceChangePercent": f"{change / traded.open * 100:.3f}",
        "weightedAvgPrice": plain(day.average),
        "prevClosePrice": plain(traded.open),
        "lastPrice": plain(traded.close),
        "lastQty": plain(day.pair.step * 30),
        **_book(day),
        "openPrice": plain(traded.open),
        "highPrice": plain(traded.high),
        "lowPrice": plain(traded.low),
        "volume": plain(traded.volume),
        "quoteVolume": plain(traded.quote_volume),
        "openTime": traded.opened,
        "closeTime": traded.closed,
        "firstId": _FIRST_TRADE if traded.trades else -1,
        "lastId": _FIRST_TRADE + traded.trades - 1 if traded.trades else -1,
        "count": traded.trades,
    }


def _candle(traded: Traded) -> list[object]:
    return [
        traded.opened,
        plain(traded.open),
        plain(traded.high),
        plain(traded.low),
        plain(traded.close),
        plain(traded.volume),
        traded.closed,
        plain(traded.quote_volume),
        traded.trades,
        plain(traded.volume / 2),
        plain(traded.quote_volume / 2),
        "0",
    ]
