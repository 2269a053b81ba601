"""The venue's private answers on trades and open orders, in pages as the real venue gives them."""

from coffers.sandbox import refusals
from coffers.sandbox.accounts import Account, OpenOrder, Order
from coffers.sandbox.call import Call
from coffers.sandbox.exchange import Exchange
from coffers.sandbox.listing import plain
from coffers.sandbox.prices import DAY

_DEFAULT, _MOST = 500, 1_000


def trades(exchange: Exchange, call: Call, holder: Account) -> object:
    """Answer `GET /api/v3/myTrades`: each order is one trade.

    From a number on they are told in its order; without one, the newest of a span of a day.

    Raises:
        Refused: for an unknown symbol, or a span of more than a day.
    """
    symbol = exchange.pair(call.venue, call.text("symbol")).symbol
    own = sorted((o for o in holder.orders if o.symbol == symbol), key=lambda order: order.id)
    limit = min(call.integer("limit", _DEFAULT), _MOST)
    if "fromId" in call.params:
        first = call.integer("fromId")
        return [_trade(order) for order in own if order.id >= first][:limit]
    start, end = call.integer("startTime", 0), call.integer("endTime", exchange.now())
    if "startTime" in call.params and "endTime" in call.params and end - start > DAY:
        raise refusals.Refused(400, -1127, "More than 24 hours between startTime and endTime.")
    found = [order for order in own if start <= order.at <= end]
    return [_trade(order) for order in found[-limit:]]


def open_orders(_exchange: Exchange, call: Call, holder: Account) -> object:
    """Answer `GET /api/v3/openOrders`, of all symbols where none is named."""
    wanted = call.params.get("symbol")
    return [_open(order) for order in holder.open_orders if wanted in {None, order.symbol}]


def _trade(order: Order) -> dict[str, object]:
    return {
        "symbol": order.symbol,
        "id": order.id,
        "orderId": order.id,
        "orderListId": -1,
        "price": plain(order.price),
        "qty": plain(order.quantity),
        "quoteQty": plain(order.quote_quantity),
        "commission": plain(order.fee),
        "commissionAsset": order.fee_asset,
        "time": order.at,
        "isBuyer": order.side == "BUY",
        "isMaker": False,
        "isBestMatch": True,
    }


def _open(order: OpenOrder) -> dict[str, object]:
    return {
        "symbol": order.symbol,
        "orderId": order.id,
        "orderListId": -1,
        "clientOrderId": f"sandbox-open-{order.id}",
        "price": plain(order.price),
        "origQty": plain(order.quantity),
        "executedQty": "0.00000000",
        "origQuoteOrderQty": "0.00000000",
        "cummulativeQuoteQty": "0.00000000",
        "status": "NEW",
        "timeInForce": "GTC",
        "type": "LIMIT",
        "side": order.side,
        "stopPrice": "0.00000000",
        "icebergQty": "0.00000000",
        "time": order.at,
        "updateTime": order.at,
        "isWorking": True,
        "workingTime": order.at,
        "selfTradePreventionMode": "EXPIRE_MAKER",
    }
