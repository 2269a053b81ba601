"""Orders that were filled in the past: written down, and not acted out."""

from decimal import Decimal

from coffers.sandbox.accounts import Account, Order
from coffers.sandbox.pairs import SMALLEST, Pair

FEE = Decimal("0.001")


def past_fill(
    account: Account, pair: Pair, side: str, price: Decimal, quantity: Decimal, at: int
) -> Order:
    """Return an order that was filled, numbered after those that the account has."""
    number = len(account.orders) + 1
    cost = (price * quantity).quantize(SMALLEST)
    received, asset = (quantity, pair.base) if side == "BUY" else (cost, pair.quote)
    return Order(
        id=account.uid * 1_000 + number,
        client_id=f"sandbox-{account.uid}-{number}",
        symbol=pair.symbol,
        side=side,
        price=price,
        quantity=quantity,
        quote_quantity=cost,
        fee=(received * FEE).quantize(SMALLEST),
        fee_asset=asset.code,
        at=at,
    )
