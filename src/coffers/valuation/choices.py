"""What a user decided about assets, laid over what was read and over prices.

Nothing that is stored is changed by it: without the decision all is as it was. Positions keep the
venue's code, so that another asset can be read from the same row at any time.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from coffers import money
from coffers.clock import Millis
from coffers.markets.assets import symbol_of
from coffers.valuation.model import (
    UNLISTED,
    VOUCHED,
    Flow,
    HeldBack,
    Position,
    Price,
    PriceBook,
)
from coffers.valuation.value import holdings_of

ACCEPTED_WITHIN = Decimal("1.5")
"""How many times an accepted price may rise or fall and still be the one that was accepted."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """A held-back price that was accepted by hand, in USD.

    `until` is the moment at which it would be believed by itself: a later leap is another one.
    """

    usd: Decimal
    until: Millis

    def covers(self, held: HeldBack) -> bool:
        """Return whether it is this price that is held back."""
        return held.until <= self.until and is_near(self.usd, held.price.usd)


@dataclass(frozen=True, slots=True)
class Choices:
    """The decisions of one user.

    `mapped` tells the asset behind (account id, venue's code). What is `ignored` counts for
    nothing. A `distrusted` symbol is no name of the asset, so what venues pay for that symbol is no
    price of it. `priced_as` is the key under which other sources price the asset: it stands in
    where no venue tells a price. An unlisted token for which there is one counts like any other.

    What is said of a symbol is said of what one venue alone means by it too (`X@venue`), unless
    something is said of that: `said` are the assets of which something is. But a price that the
    venue itself tells is one of that asset, whatever its symbol is no name of.
    """

    mapped: Mapping[tuple[int, str], str] = field(default_factory=dict)
    ignored: frozenset[str] = frozenset()
    distrusted: frozenset[str] = frozenset()
    priced_as: Mapping[str, str] = field(default_factory=dict)
    accepted: Mapping[str, Accepted] = field(default_factory=dict)
    said: frozenset[str] = frozenset()

    def ignores(self, asset: str) -> bool:
        """Return whether an asset counts for nothing."""
        return self._said_of(asset) in self.ignored

    def asset_of(self, account_id: int, held: Position | Flow) -> str:
        """Return the asset that a position or a flow of an account is of.

        What an unlisted token calls itself proves nothing, so only its contract names it.
        """
        if isinstance(held, Position) and held.wallet in _NAMELESS:
            return held.asset
        return self.mapped.get((account_id, held.venue_code), held.asset)

    def meanings(self, account_id: int) -> dict[str, str]:
        """Return the assets that the user says an account's codes mean, held or not, by code."""
        return {code: asset for (owner, code), asset in self.mapped.items() if owner == account_id}

    def names(self, account_id: int, assets: Collection[str]) -> set[str]:
        """Return what flows of assets may be called in an account, by us or by the venue."""
        meanings = self.meanings(account_id)
        return {*assets, *(code for code, asset in meanings.items() if asset in assets)}

    def counted(self, account_id: int, positions: Iterable[Position]) -> tuple[Position, ...]:
        """Return an account's positions under the user's names, without what is ignored."""
        if not (self.mapped or self.ignored or self.priced_as):
            return tuple(positions)
        named = [self._vouched(each) for each in self._named(account_id, positions)]
        return tuple(each for each in named if not self.ignores(each.asset))

    def left_out(self, account_id: int, positions: Iterable[Position]) -> tuple[str, ...]:
        """Return the ignored assets that an account owns or owes."""
        if not self.ignored:
            return ()
        held = holdings_of(self._named(account_id, positions))
        return tuple(sorted(filter(self.ignores, held)))

    def counts(self, account_id: int, flow: Flow) -> bool:
        """Return whether a flow of an account counts for anything."""
        return not self.ignored or not self.ignores(self.asset_of(account_id, flow))

    def book(self, book: PriceBook) -> PriceBook:
        """Return the prices of a book as they count for the user."""
        if not (self.distrusted or self.priced_as or self.accepted):
            return book
        prices, held_back = dict(book.prices), dict(book.held_back)
        for asset in self.distrusted:
            prices.pop(asset, None)
            held_back.pop(asset, None)
        for asset, key in self._keys(book):
            if asset not in held_back and not is_of_venues(prices.get(asset)):
                # Without a price under its key it has none: that of the symbol is another asset's.
                prices.pop(asset, None)
                if key in book.prices:
                    prices[asset] = book.prices[key]
                elif key in book.held_back:
                    held_back[asset] = book.held_back[key]
        for asset, accepted in self.accepted.items():
            held = held_back.get(asset)
            if held is not None and accepted.covers(held):
                prices[asset] = held_back.pop(asset).price
        return replace(book, prices=prices, held_back=held_back)

    def _said_of(self, asset: str) -> str:
        """Return the asset of which something is said that counts for an asset."""
        return asset if asset in self.said else symbol_of(asset)

    def _keys(self, book: PriceBook) -> Iterator[tuple[str, str]]:
        """Return the key under which each asset is priced, those of one venue too."""
        for asset, key in self.priced_as.items():
            yield asset, key
            for other in book.keys_of(asset):
                if other != asset and self._said_of(other) == asset:
                    yield other, key

    def _vouched(self, held: Position) -> Position:
        if held.wallet in _NAMELESS and held.asset in self.priced_as:
            return replace(held, wallet=VOUCHED)
        return held

    def _named(self, account_id: int, positions: Iterable[Position]) -> list[Position]:
        if not self.mapped:
            return list(positions)
        return [replace(each, asset=self.asset_of(account_id, each)) for each in positions]


NO_CHOICES = Choices()

_NAMELESS = frozenset({UNLISTED, "spam"})
"""Parts of tokens that may call themselves what they like."""


def is_near(one: Decimal, other: Decimal) -> bool:
    """Return whether two prices are so close that one who accepts the one means the other."""
    return max(one, other) <= money.multiply(min(one, other), ACCEPTED_WITHIN)


def is_of_venues(price: Price | None) -> bool:
    """Return whether pairs of venues led to a price; what is no pair shows a tilde."""
    return price is not None and not (len(price.route) == 1 and "~" in price.route[0])
