"""ccxt's trade structure -> our trade."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal

from coffers import money
from coffers.clock import Millis
from coffers.connectors.exchange.amounts import amount_of, positive_of
from coffers.connectors.exchange.session import VenueSession
from coffers.errors import InvalidAmount
from coffers.logs import seldom
from coffers.valuation.trade import Trade

_log = seldom("coffers.connectors")


def trade_of(session: VenueSession, row: Mapping[str, Any]) -> Trade | None:
    """Return the trade of a row, None where it makes no sense.

    One senseless row of years ago must not end a walk.
    """
    try:
        return _trade(session, row)
    except (InvalidAmount, TypeError, ValueError, KeyError) as fault:
        _log.warning("trade not understood", venue=session.venue.id, reason=type(fault).__name__)
        return None


def _trade(session: VenueSession, row: Mapping[str, Any]) -> Trade:
    symbol, number, at = row.get("symbol"), row.get("id"), row.get("timestamp")
    market = session.exchange.markets.get(symbol)
    if market is None or not number or at is None:
        raise ValueError("a trade without a market, an id or a time")
    price, amount = positive_of(row.get("price")), positive_of(row.get("amount"))
    if price is None or amount is None:
        raise ValueError("a trade without a price or an amount")
    is_contract = bool(market.get("contract"))
    is_inverse = is_contract and bool(market.get("inverse"))
    fee, fee_asset = _fee(session, row)
    return Trade(
        symbol=str(symbol),
        trade_id=str(number),
        order_id=None if row.get("order") is None else str(row["order"]),
        kind="contract" if is_contract else "spot",
        base=session.asset(market["base"]),
        quote=session.asset(market["quote"]),
        side=_side(row),
        price=price,
        amount=amount,
        cost=_cost(row, price, amount, is_contract=is_contract),
        cost_asset=session.asset(market["base"] if is_inverse else market["quote"]),
        fee=fee,
        fee_asset=fee_asset,
        at=Millis(int(at)),
    )


def _cost(row: Mapping[str, Any], price: Decimal, amount: Decimal, *, is_contract: bool) -> Decimal:
    told = positive_of(row.get("cost"))
    if told is not None:
        return told
    if is_contract:
        raise ValueError("a contract's trade without its notional")
    return money.multiply(price, amount)


def _side(row: Mapping[str, Any]) -> Literal["buy", "sell"]:
    match row.get("side"):
        case "buy":
            return "buy"
        case "sell":
            return "sell"
        case _:
            raise ValueError("a trade without a side")


def _fee(session: VenueSession, row: Mapping[str, Any]) -> tuple[Decimal | None, str | None]:
    """Return the fee, None where none is told, or where several are that cannot be one."""
    fee = row.get("fee")
    if not isinstance(fee, Mapping) or fee.get("currency") is None:
        return None, None
    amount = amount_of(fee.get("cost"))
    return (None, None) if amount is None else (amount, session.asset(str(fee["currency"])))
