"""What valuation works on: positions, prices, snapshots and flows."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import Literal

import msgspec

from coffers import money
from coffers.clock import Millis
from coffers.markets.assets import at_venue, symbol_at, symbol_of
from coffers.valuation.worths import Worths

UNCOUNTED = frozenset({"pending", "spam"})
"""Parts of an account that are listed apart and count for nothing: what may never be confirmed, and
what somebody sent unasked."""

UNLISTED = "unlisted"
"""The part of tokens that nobody vouches for, and that pretend to be no other. They count where two
sources agree on their price; else they are listed apart, and their account misses nothing."""

VOUCHED = "vouched"
"""What a user's word makes of `UNLISTED` and of spam: it counts like any other asset."""

AGREEING = 2
"""Sources that must agree on the price of an unlisted token."""


@dataclass(frozen=True, slots=True)
class Position:
    """What an account holds of one asset in one of its wallets.

    `asset` is our name of it ("BTC"), `venue_code` the venue's own ("XXBT"); `wallet` the part of
    the account that it lies in ("spot", "funding"). Amounts are in units of the asset. `unrealised`
    is the profit (negative: the loss) of open contracts that are settled in the asset.
    """

    wallet: str
    asset: str
    venue_code: str
    free: Decimal
    in_orders: Decimal = money.ZERO
    borrowed: Decimal = money.ZERO
    interest: Decimal = money.ZERO
    unrealised: Decimal = money.ZERO

    @property
    def owned(self) -> Decimal:
        """Free + in orders + unrealised profit - borrowed - interest: what counts for the value.

        In a derivatives wallet that is the equity.
        """
        debts = money.add(self.borrowed, self.interest)
        has = money.add(money.add(self.free, self.in_orders), self.unrealised)
        return money.subtract(has, debts)


@dataclass(frozen=True, slots=True)
class Price:
    """What one unit of an asset is worth, and how that is known.

    `route` names the pairs that led there ("ALGO/USDT", "USDT/USD"); what is no pair of a venue
    shows a tilde: `USDT~USD` is assumed, `ALGO~USD` told by a source that is no venue. `sources`
    are the venues, and other sources, whose prices agree; `at` the oldest quote on the way.
    """

    btc: Decimal
    usd: Decimal
    route: tuple[str, ...]
    sources: tuple[str, ...]
    at: Millis

    @property
    def is_agreed(self) -> bool:
        """Whether sources that know nothing of each other agree on it."""
        return len(set(self.sources)) >= AGREEING


@lru_cache(maxsize=16_384)
def one_text(asset: str) -> str:
    """Return the copy of an asset's name that others have: the same object is found at once.

    Bounded, as the interpreter's own table is not: anybody may hold what is called anything.
    """
    return asset


class LazyPrices(Mapping[str, Price]):
    """Prices of which a list needs the numbers alone: the rest is loaded once somebody asks.

    `worths` tells the numbers; `load` all of the same prices.
    """

    __slots__ = ("_load", "_whole", "worths")

    def __init__(self, worths: Worths, load: Callable[[], Mapping[str, Price]]) -> None:
        self.worths = worths
        self._load = load
        self._whole: Mapping[str, Price] | None = None

    def __getitem__(self, asset: str) -> Price:
        return self._all()[asset]

    def __iter__(self) -> Iterator[str]:
        return iter(self.worths.both)

    def __len__(self) -> int:
        return len(self.worths.both)

    def _all(self) -> Mapping[str, Price]:
        if self._whole is None:
            self._whole = self._load()
        return self._whole


def worths_of(prices: Mapping[str, Price], assets: Iterable[str]) -> Worths:
    """Return the numbers of prices, at least those of the assets that have one."""
    if isinstance(prices, LazyPrices):
        return prices.worths
    known = {asset: prices[asset] for asset in assets if asset in prices}
    return Worths.of(
        known, [price.btc for price in known.values()], [price.usd for price in known.values()]
    )


@dataclass(frozen=True, slots=True)
class HeldBack:
    """A price that is not believed yet, since it leapt and one source alone says it.

    `believed` is the last price that was; `until` the moment from which the new one is believed
    if it persists.
    """

    price: Price
    believed: Price
    until: Millis


Apart = Mapping[str, Mapping[str, Millis | None]]
"""By venue the symbols that it means another asset by, and since when its price agrees all the same
with that of the other venues; None where it does not."""

FarOff = Mapping[str, Mapping[str, Millis]]
"""By venue the symbols whose price there is far off from that of the other venues, since when.

What is apart too is in doubt: it may be the others' asset all the same, and has no price.
"""


class Meanings(msgspec.Struct, frozen=True, array_like=True):
    """What venues mean by symbols, where that is not what the other venues mean, or in doubt.

    `venues` are those that told prices, and when they did last.
    """

    apart: Apart = {}
    far_off: FarOff = {}
    venues: Mapping[str, Millis] = {}


NO_MEANINGS = Meanings()


@dataclass(frozen=True, slots=True)
class PriceBook:
    """All prices of one moment. `epoch` counts the books up; an asset without a price is absent.

    So is an asset whose price is held back: `held_back` tells of those, and they are in no total.
    `meanings` tells which symbols mean another asset at a venue than elsewhere.
    """

    epoch: int
    at: Millis
    prices: Mapping[str, Price]
    held_back: Mapping[str, HeldBack] = field(default_factory=dict)
    meanings: Meanings = NO_MEANINGS

    def rate(self, currency: str) -> Decimal | None:
        """Return USD per unit of a display currency, or None where it is not known."""
        if currency == "USD":
            return Decimal(1)
        price = self.prices.get(currency)
        return price.usd if price else None

    @property
    def apart(self) -> Apart:
        """The symbols that mean another asset at a venue than elsewhere, by venue."""
        return self.meanings.apart

    def doubts(self, asset: str) -> bool:
        """Return whether it is not sure that one venue alone means an asset by its symbol."""
        symbol, _, venue = asset.rpartition("@")
        return bool(symbol) and all(
            symbol in told.get(venue, ()) for told in (self.apart, self.meanings.far_off)
        )

    def named(self, venue: str | None, symbol: str) -> str:
        """Return the asset that a venue means by a symbol, or by what another book made of it."""
        if venue is None:
            return symbol
        symbol = symbol_at(symbol, venue)
        return at_venue(symbol, venue) if symbol in self.apart.get(venue, ()) else symbol

    def keys_of(self, asset: str) -> set[str]:
        """Return the keys of all assets that have the symbol of this one."""
        symbol = symbol_of(asset)
        venues = (venue for venue, symbols in self.apart.items() if symbol in symbols)
        return {asset, symbol, *(at_venue(symbol, venue) for venue in venues)}

    def key_then(self, asset: str) -> str:
        """Return by which key this book prices an asset, which may have had another one then."""
        symbol, _, venue = asset.rpartition("@")
        is_apart = not symbol or symbol in self.apart.get(venue, ())
        return asset if is_apart or asset in self.prices else symbol


class Value(msgspec.Struct, frozen=True):
    """A worth in BTC and in USD, each found independently of the other."""

    btc: Decimal
    usd: Decimal

    def minus(self, other: "Value") -> "Value":
        """Return the exact difference."""
        return Value(money.subtract(self.btc, other.btc), money.subtract(self.usd, other.usd))

    def plus(self, other: "Value") -> "Value":
        """Return the exact sum."""
        return Value(money.add(self.btc, other.btc), money.add(self.usd, other.usd))


NOTHING = Value(money.ZERO, money.ZERO)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An account's value at one moment, as found then."""

    at: Millis
    value: Value


@dataclass(frozen=True, slots=True)
class Flow:
    """A deposit into or a withdrawal from an account.

    `external_id` is the venue's own id, unique within the account and direction. `amount` is what
    arrived or left, positive, in units of the asset; `fee` what was paid on top, in units of
    `fee_asset`. `value` is the amount's worth at the moment `at`, None while it is not known;
    `valued_at` says where it is that of another moment. `txid` names the transaction on its chain,
    None where the venue does not tell it.
    """

    external_id: str
    direction: Literal["in", "out"]
    asset: str
    venue_code: str
    amount: Decimal
    fee: Decimal
    fee_asset: str
    at: Millis
    value: Value | None = None
    txid: str | None = None
    valued_at: Millis | None = None
