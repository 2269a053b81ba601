"""What a venue lists: its pairs with their rules, its currencies with their networks, its rates.

What a venue does not tell is None, never zero.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from coffers.clock import Millis
from coffers.markets.catalogue import Market

Kind = Literal["spot", "linear_futures", "inverse_futures"]
"""What is traded in a pair, in the words of the published API."""


@dataclass(frozen=True, slots=True)
class VenuePair:
    """A pair that is traded at a venue, and what the venue demands of orders in it.

    `symbol` is the exchange library's name of it ("BTC/USDT:USDT"), `venue_code` the venue's own
    ("BTCUSDT"). `base`, `quote` and `settle` are the library's names of the assets, `base_code` and
    `quote_code` the venue's own; `settle` is None of spot. Prices and costs are in units of quote,
    amounts in units of base; of an inverse contract, and of one whose size is not told, amounts are
    numbers of contracts.

    `price_step` is None where steps depend on the price: then `price_digits` is how many
    significant digits a price may have. `taker` is the share that an order at market price costs
    (0.001 is 0.1 %). `on_margin` says whether it is also traded on margin, `cross` and `isolated`
    which kinds of margin there are.
    """

    symbol: str
    kind: Kind
    base: str
    quote: str
    settle: str | None
    base_code: str
    quote_code: str
    venue_code: str
    min_price: Decimal | None = None
    max_price: Decimal | None = None
    price_step: Decimal | None = None
    price_digits: int | None = None
    min_amount: Decimal | None = None
    max_amount: Decimal | None = None
    amount_step: Decimal | None = None
    min_market_amount: Decimal | None = None
    max_market_amount: Decimal | None = None
    min_cost: Decimal | None = None
    max_cost: Decimal | None = None
    taker: Decimal | None = None
    min_leverage: Decimal | None = None
    max_leverage: Decimal | None = None
    on_margin: bool | None = None
    cross: bool | None = None
    isolated: bool | None = None

    @property
    def name(self) -> str:
        """The published API's name: `USDT_BTC`, of a contract `USDT_BTCUSDT`."""
        if self.settle is None:
            return f"{self.quote}_{self.base}"
        return f"{self.settle}_{self.venue_code}"

    def step_at(self, price: Decimal | None) -> Decimal | None:
        """Return the smallest step of a price, near this one; None where it is not known."""
        if self.price_step is not None or self.price_digits is None or not price:
            return self.price_step
        return Decimal(1).scaleb(price.adjusted() + 1 - self.price_digits)


@dataclass(frozen=True, slots=True)
class Network:
    """A network that a currency is deposited and withdrawn by.

    `code` is the venue's own, `library_code` the exchange library's. Fee and bounds are in units of
    the currency. `tag_label` is what the second part of an address is called, None where that is
    not told.
    """

    code: str
    library_code: str
    name: str | None = None
    is_default: bool | None = None
    deposits: bool | None = None
    withdrawals: bool | None = None
    fee: Decimal | None = None
    min_withdrawal: Decimal | None = None
    max_withdrawal: Decimal | None = None
    withdrawal_step: Decimal | None = None
    deposit_note: str | None = None
    withdrawal_note: str | None = None
    note: str | None = None
    address_form: str | None = None
    tag_form: str | None = None


@dataclass(frozen=True, slots=True)
class VenueCurrency:
    """A currency of a venue.

    `code` is the exchange library's name, `venue_code` the venue's own.
    """

    code: str
    venue_code: str
    name: str | None
    deposits: bool | None
    withdrawals: bool | None
    networks: tuple[Network, ...]


@dataclass(frozen=True, slots=True)
class Rate:
    """What a pair is traded at, in units of quote per unit of base; `at` is when it was asked."""

    last: Decimal | None
    bid: Decimal | None
    ask: Decimal | None
    at: Millis


@dataclass(frozen=True, slots=True)
class DepositAddress:
    """Where an account takes deposits; `tag` is empty where none is needed."""

    address: str
    tag: str


SETTLED_IN = {
    "bitget_usdt_futures": "USDT",
    "bybit_usdt_perpetual": "USDT",
    "gate_io_btc_perpetual": "BTC",
    "gate_io_usdt_perpetual": "USDT",
}
"""The markets that are one part of their venue's contracts, and what those are settled in."""


def is_shown(market: Market, pair: VenuePair) -> bool:
    """Return whether a pair of a market's venue is traded in accounts of that market."""
    types = market.market_types
    if pair.kind == "spot":
        return "spot" in types or ("margin" in types and pair.on_margin is not False)
    if "futures" not in types:
        return False
    settled_in = SETTLED_IN.get(market.code)
    return settled_in is None or pair.settle == settled_in
