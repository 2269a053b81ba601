"""What a venue quotes for one pair at one moment: the raw material of prices."""

from dataclasses import dataclass
from decimal import Decimal

from coffers.clock import Millis


@dataclass(frozen=True, slots=True)
class Quote:
    """A spot pair's ticker: units of `quote` per unit of `base`.

    `base` and `quote` are our names of the assets. `volume` is the day's volume in units of
    `quote`. What the venue does not tell is None. `at` is when it was asked for, or the venue's
    own time of the ticker where it gives one.
    """

    venue: str
    base: str
    quote: str
    bid: Decimal | None
    ask: Decimal | None
    last: Decimal | None
    volume: Decimal | None
    at: Millis
