"""A user's own trade, as it is kept and counted."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from coffers.clock import Millis
from coffers.valuation.model import Value

Kind = Literal["spot", "contract"]


@dataclass(frozen=True, slots=True)
class Trade:
    """One fill of an order.

    `trade_id` is the venue's own id, unique within account and symbol. `price` is in units of
    `quote`, `amount` in those in which the venue counts the market: of `base`, or contracts.
    `cost` is what changed hands, of a contract its notional, in units of `cost_asset`. `fee` is
    None where it is not told. `value` is the cost's worth at the moment `at`, None while unknown.
    """

    symbol: str
    trade_id: str
    order_id: str | None
    kind: Kind
    base: str
    quote: str
    side: Literal["buy", "sell"]
    price: Decimal
    amount: Decimal
    cost: Decimal
    cost_asset: str
    fee: Decimal | None
    fee_asset: str | None
    at: Millis
    value: Value | None = None
