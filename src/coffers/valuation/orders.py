"""Orders that are to be placed: what planners make and what workers carry out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

Side = Literal["buy", "sell"]


@dataclass(frozen=True, slots=True)
class PlannedOrder:
    """A market order that is to be placed.

    `amount` is in units of `base`; both codes are as the venue writes them.
    """

    base: str
    quote: str
    side: Side
    amount: Decimal

    @property
    def spent(self) -> str:
        """What is paid with."""
        return self.quote if self.side == "buy" else self.base

    @property
    def received(self) -> str:
        """What comes in."""
        return self.base if self.side == "buy" else self.quote


@dataclass(frozen=True, slots=True)
class Terms:
    """What the orders of a plan are bound to, by the venue's codes.

    `counted_on` is what they may spend beside what they bring, in units; `assets` what the plan
    took the codes for.
    """

    counted_on: Mapping[str, Decimal]
    assets: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Round:
    """Orders that are to be placed one after the other; all codes are the venue's.

    `left` tells why others stay; without `terms` all that there is may be spent.
    """

    orders: Sequence[PlannedOrder]
    left: Mapping[str, str] = field(default_factory=dict)
    terms: Terms | None = None


@dataclass(frozen=True, slots=True)
class PairLimits:
    """What a venue demands of orders in a pair, None where it tells nothing.

    Amounts are in units of base, costs in units of quote. `amount_step` is the smallest step of the
    amount, `fee` the taker's share (0.001 is 0.1 %).
    """

    base: str
    quote: str
    amount_step: Decimal | None
    min_amount: Decimal | None
    max_amount: Decimal | None
    min_cost: Decimal | None
    max_cost: Decimal | None
    fee: Decimal | None
