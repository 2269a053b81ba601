"""Between our names of assets and the codes that a venue trades them under, for one account."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from coffers import money
from coffers.valuation.model import Position, PriceBook
from coffers.valuation.order_sizes import Step
from coffers.valuation.orders import PairLimits, PlannedOrder, Side
from coffers.valuation.rebalancing import Held


@dataclass(frozen=True, slots=True)
class Tradable:
    """The pairs that an account can trade, in the venue's codes, and our names of those codes.

    `untaken` tells of a side why the venue is given no orders of it.
    """

    pairs: Sequence[PairLimits]
    assets: Mapping[str, str]
    venue: str | None = None
    untaken: Mapping[Side, str] = field(default_factory=dict)

    def named(self, book: PriceBook) -> "Tradable":
        """Return the same with the names that go with the prices of a book."""
        assets = {code: book.named(self.venue, asset) for code, asset in self.assets.items()}
        return replace(self, assets=assets)


class Codes:
    """The one code of each asset that is traded: where there are several, that which is held most.

    What a user says that a code means (`said`) comes before the venue's meaning of it, also while
    none of it is held: what is bought under the code counts as that asset from then on.
    """

    def __init__(
        self, tradable: Tradable, positions: Sequence[Position], said: Mapping[str, str]
    ) -> None:
        self._positions = positions
        held = {each.venue_code: each.asset for each in positions}
        names = {**tradable.assets, **held, **said}
        free = {each.venue_code: each.free for each in positions}
        self._codes: dict[str, str] = {}
        for pair in tradable.pairs:
            for code in (pair.base, pair.quote):
                known = self._codes.setdefault(names[code], code)
                if free.get(code, money.ZERO) > free.get(known, money.ZERO):
                    self._codes[names[code]] = code
        self.assets = {code: asset for asset, code in self._codes.items()}
        self.pairs = [
            replace(pair, base=self.assets[pair.base], quote=self.assets[pair.quote])
            for pair in tradable.pairs
            if pair.base in self.assets and pair.quote in self.assets
        ]

    def held(self) -> dict[str, Held]:
        """Return what is owned of each asset under any code, and free under the one that is traded.

        What lies under another code, such as savings that only look like the coin, is not for sale.
        """
        found: dict[str, Held] = {}
        nothing = Held(money.ZERO, money.ZERO)
        for position in self._positions:
            known = found.get(position.asset, nothing)
            is_traded = self._codes.get(position.asset) == position.venue_code
            found[position.asset] = Held(
                money.add(known.owned, position.owned),
                money.add(known.free, position.free) if is_traded else known.free,
            )
        return found

    def code_of(self, asset: str) -> str | None:
        """Return the code under which an asset is traded, None where it is not."""
        return self._codes.get(asset)

    def order(self, step: Step) -> PlannedOrder:
        """Return a planned step as the venue takes it."""
        return PlannedOrder(self._codes[step.base], self._codes[step.quote], step.side, step.amount)
