"""Which pairs each venue trades, with their tick and lot sizes and what they turn over."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from coffers.sandbox.assets import ASSETS, COINS, Asset

SMALLEST = Decimal("0.00000001")
_LARGEST_TICK = -2
_SMALLEST_RATIO = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class Pair:
    """A spot pair of a venue.

    `tick` and `step` are the units of its price and quantity, `daily_usd` about what it turns over
    in a day in USD, `half_spread` half the distance of bid and ask in millionths of the price.
    A halted pair is listed and keeps its last price, but has no book.
    """

    venue: str
    base: Asset
    quote: Asset
    tick: Decimal
    step: Decimal
    daily_usd: int
    half_spread: int
    is_halted: bool = False

    @property
    def symbol(self) -> str:
        """The venue's own name of it: `BTCUSDT`."""
        return self.base.code + self.quote.code


VENUES: tuple[str, ...] = ("binance", "binanceus")

# Quote -> share, in millionths, of a coin's daily volume that trades against it.
_SHARES: dict[str, dict[str, int]] = {
    "binance": {
        "USDT": 1_000_000,
        "USDC": 210_000,
        "FDUSD": 160_000,
        "BTC": 21_000,
        "ETH": 4_000,
        "BNB": 1_900,
        "EUR": 14_000,
        "TRY": 19_000,
        "BRL": 4_000,
        "TUSD": 300,
        "DAI": 20,
    },
    "binanceus": {"USDT": 4_800, "USD": 1_700, "USDC": 400, "BTC": 90},
}

# Quote -> how many of the coins, in the order of their table, trade against it.
_REACH: dict[str, dict[str, int]] = {
    "binance": {
        "USDT": 50,
        "USDC": 22,
        "FDUSD": 10,
        "BTC": 34,
        "ETH": 12,
        "BNB": 48,
        "EUR": 9,
        "TRY": 12,
        "BRL": 5,
        "TUSD": 2,
        "DAI": 1,
    },
    "binanceus": {"USDT": 36, "USD": 24, "USDC": 4, "BTC": 10},
}

_MONEY_PAIRS: dict[str, tuple[tuple[str, str], ...]] = {
    "binance": (
        ("USDC", "USDT"),
        ("FDUSD", "USDT"),
        ("TUSD", "USDT"),
        ("FDUSD", "USDC"),
        ("EUR", "USDT"),
        ("EUR", "USDC"),
        ("USDT", "TRY"),
        ("USDT", "BRL"),
        ("USDT", "DAI"),
    ),
    "binanceus": (("USDT", "USD"), ("USDC", "USD"), ("USDC", "USDT"), ("DAI", "USD")),
}

_MONEY_SHARE = {"binance": 1_000_000, "binanceus": 6_000}
_HALTED = {("binance", "AVAXETH"), ("binanceus", "ATOMUSD")}


def _tick(base: Asset, quote: Asset) -> Decimal:
    places = (base.anchor / quote.anchor).adjusted() - 4
    return Decimal(1).scaleb(max(-8, min(_LARGEST_TICK, places)))


def _step(base: Asset) -> Decimal:
    return Decimal(1).scaleb(-max(0, min(8, base.anchor.adjusted() + 1)))


def _half_spread(daily_usd: int) -> int:
    """Return half a spread in millionths: the thinner a pair, the wider its book."""
    steps = ((100_000_000, 20), (5_000_000, 60), (200_000, 200), (10_000, 600))
    return next((width for floor, width in steps if daily_usd >= floor), 2_500)


def _pair(venue: str, base: Asset, quote: Asset, share: int) -> Pair:
    daily = min(base.daily_usd, quote.daily_usd) if base.is_pegged else base.daily_usd
    daily_usd = daily * share // 1_000_000
    symbol = base.code + quote.code
    return Pair(
        venue=venue,
        base=base,
        quote=quote,
        tick=_tick(base, quote),
        step=_step(base),
        daily_usd=daily_usd,
        half_spread=_half_spread(daily_usd),
        is_halted=(venue, symbol) in _HALTED,
    )


def _coin_pairs(venue: str) -> Iterable[Pair]:
    for code, reach in _REACH[venue].items():
        quote = ASSETS[code]
        for base in COINS[:reach]:
            # A coin is not quoted in itself, nor a large one in a small one, nor where the venue's
            # eight decimals would leave it no digits.
            if base.anchor / quote.anchor > _SMALLEST_RATIO and not _is_upside_down(base, quote):
                yield _pair(venue, base, quote, _SHARES[venue][code])


def _is_upside_down(base: Asset, quote: Asset) -> bool:
    return quote in COINS and COINS.index(base) <= COINS.index(quote)


def _money_pairs(venue: str) -> Iterable[Pair]:
    for base, quote in _MONEY_PAIRS[venue]:
        yield _pair(venue, ASSETS[base], ASSETS[quote], _MONEY_SHARE[venue])


def pairs_of(venue: str) -> dict[str, Pair]:
    """Return the pairs of a venue by their symbol."""
    return {pair.symbol: pair for pair in (*_coin_pairs(venue), *_money_pairs(venue))}


PAIRS: dict[str, dict[str, Pair]] = {venue: pairs_of(venue) for venue in VENUES}
