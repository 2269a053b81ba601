"""What the venue tells of a pair's past: the day's statistics and candles."""

from dataclasses import dataclass
from decimal import Context, Decimal
from functools import lru_cache

from coffers.sandbox.noise import ONE, wander
from coffers.sandbox.pairs import SMALLEST, Pair
from coffers.sandbox.prices import DAY, HOUR, MINUTE, SECOND, Book, Prices

INTERVALS: dict[str, int] = {
    "1s": SECOND,
    "1m": MINUTE,
    "3m": 3 * MINUTE,
    "5m": 5 * MINUTE,
    "15m": 15 * MINUTE,
    "30m": 30 * MINUTE,
    "1h": HOUR,
    "2h": 2 * HOUR,
    "4h": 4 * HOUR,
    "6h": 6 * HOUR,
    "8h": 8 * HOUR,
    "12h": 12 * HOUR,
    "1d": DAY,
    "3d": 3 * DAY,
    "1w": 7 * DAY,
}
_MONDAY = 4 * DAY
# Between these moments the day's highest and lowest prices are looked for, of each pair.
_GRID = 4 * HOUR
_CANDLE_SAMPLES = 4
_MEAN_TRADE_USD = 430
# Room for the volume of the cheapest coin at any price that a script may set.
_WIDE = Context(prec=80)


@dataclass(frozen=True, slots=True)
class Traded:
    """What happened on a pair between two moments: prices on the tick, volumes in both assets."""

    opened: int
    closed: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    quote_volume: Decimal
    trades: int


@dataclass(frozen=True, slots=True)
class Day:
    """The last 24 hours of a pair, with its book."""

    pair: Pair
    book: Book
    traded: Traded

    @property
    def average(self) -> Decimal:
        """The volume-weighted price of the day; the last price where nothing was traded."""
        if not self.traded.volume:
            return self.book.last
        return self.traded.quote_volume / self.traded.volume


class Tickers:
    """Statistics over a world's prices; equal questions at equal moments have equal answers."""

    def __init__(self, prices: Prices, seed: int) -> None:
        self._prices = prices
        self._seed = seed
        self._range_on_grid = lru_cache(maxsize=2_048)(self._scan_grid)

    def day(self, pair: Pair, at: int) -> Day:
        """Return what happened on a pair in the 24 hours before a moment."""
        book = self._prices.book(pair, at)
        start = self._prices.last(pair, at - DAY)
        high, low = self._range_on_grid(pair, at // _GRID, self._prices.version)
        return Day(
            pair,
            book,
            self._traded(
                pair,
                (at - DAY, at),
                (start, max(high, start, book.last), min(low, start, book.last), book.last),
            ),
        )

    def candles(self, pair: Pair, interval: str, opens: int, now: int, limit: int) -> list[Traded]:
        """Return up to `limit` candles from the first that opens at `opens` or later."""
        length = INTERVALS[interval]
        shift = _MONDAY if interval == "1w" else 0
        first = -(-(opens - shift) // length) * length + shift
        starts = range(first, now + 1, length)[:limit]
        return [self._candle(pair, start, length, now) for start in starts]

    def _candle(self, pair: Pair, start: int, length: int, now: int) -> Traded:
        end = min(start + length - 1, now)
        step = max(1, (end - start) // _CANDLE_SAMPLES)
        seen = [self._prices.last(pair, at) for at in (*range(start, end, step), end)]
        prices = (seen[0], max(seen), min(seen), seen[-1])
        traded = self._traded(pair, (start, end), prices)
        return Traded(
            start,
            start + length - 1,
            *prices,
            volume=traded.volume,
            quote_volume=traded.quote_volume,
            trades=traded.trades,
        )

    def _scan_grid(self, pair: Pair, slot: int, _version: int) -> tuple[Decimal, Decimal]:
        moments = range((slot - DAY // _GRID + 1) * _GRID, (slot + 1) * _GRID, _GRID)
        return self._prices.extremes(pair, moments)

    def _traded(
        self, pair: Pair, span: tuple[int, int], prices: tuple[Decimal, Decimal, Decimal, Decimal]
    ) -> Traded:
        start, end = span
        usd = 0 if pair.is_halted else self._turnover(pair, start, end)
        base_usd = self._prices.usd(pair.base, pair.venue, end)
        volume = Decimal(usd * ONE // base_usd // 10_000).scaleb(-8)
        quote_volume = (volume * sum(prices) / 4).quantize(SMALLEST, context=_WIDE)
        return Traded(*span, *prices, volume, quote_volume, usd // ONE // _MEAN_TRADE_USD)

    def _turnover(self, pair: Pair, start: int, end: int) -> int:
        """Return what was turned over between two moments, in trillionths of a dollar."""
        mood = wander(self._seed, f"{pair.venue}:{pair.symbol}:volume", DAY, end) * 4 // 10
        return pair.daily_usd * (ONE + mood) * (end - start) // DAY
