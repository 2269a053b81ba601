"""An open derivative position: shown, never valued, as its profit is in a wallet's position."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal


@dataclass(frozen=True, slots=True)
class Contract:
    """An open position in a future, a perpetual or an option, as its venue tells it.

    `wallet` is the part of the reading that told it ("contracts"); `symbol` the exchange library's
    name ("BTC/USDT:USDT"), `venue_code` the venue's own ("BTCUSDT").

    `size` is positive, in units of `unit`: the underlying asset, or the quoted currency where
    contracts are worth a fixed amount of it (inverse ones, "USD"). Where the venue bundles units
    ("1000SHIB"), size and prices are per single unit. An unknown unit leaves the number of
    contracts. Prices are in the quoted currency; `unrealised` is in units of `settled_in`. What the
    venue does not tell is None.
    """

    wallet: str
    symbol: str
    venue_code: str
    side: Literal["long", "short"]
    size: Decimal
    unit: str | None = None
    settled_in: str | None = None
    leverage: Decimal | None = None
    entry_price: Decimal | None = None
    mark_price: Decimal | None = None
    unrealised: Decimal | None = None
    margin_mode: Literal["cross", "isolated"] | None = None
