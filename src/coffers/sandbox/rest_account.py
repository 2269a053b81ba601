"""The venue's private answers on the spot account: balances and orders."""

from decimal import Decimal

from coffers.sandbox import refusals, trading
from coffers.sandbox.accounts import Account, Balance, Order
from coffers.sandbox.assets import ASSETS
from coffers.sandbox.call import Call
from coffers.sandbox.exchange import Exchange
from coffers.sandbox.listing import plain

_DEFAULT_ORDERS = 500
_RATE = plain(trading.FEE)
_ZERO = plain(Decimal(0))


def account(_exchange: Exchange, call: Call, holder: Account) -> object:
    """Answer `GET /api/v3/account`; assets that are not held are told as zero unless omitted."""
    omits_zero = call.params.get("omitZeroBalances") == "true"
    held = {code: holder.spot.get(code, Balance()) for code in ASSETS}
    return {
        "makerCommission": 10,
        "takerCommission": 10,
        "buyerCommission": 0,
        "sellerCommission": 0,
        "commissionRates": {"maker": _RATE, "taker": _RATE, "buyer": _ZERO, "seller": _ZERO},
        "canTrade": True,
        "canWithdraw": True,
        "canDeposit": True,
        "brokered": False,
        "requireSelfTradePrevention": False,
        "preventSor": False,
        "updateTime": holder.updated_at,
        "accountType": "SPOT",
        "balances": [
            {"asset": code, "free": plain(balance.free), "locked": plain(balance.locked)}
            for code, balance in held.items()
            if not omits_zero or balance.free or balance.locked
        ],
        "permissions": ["SPOT"],
        "uid": holder.uid,
    }


def place_order(exchange: Exchange, call: Call, holder: Account) -> object:
    """Answer `POST /api/v3/order` with a FULL response."""
    order = trading.place(exchange, holder, call)
    fill = {
        "price": plain(order.price),
        "qty": plain(order.quantity),
        "commission": plain(order.fee),
        "commissionAsset": order.fee_asset,
        "tradeId": order.id,
    }
    return {**_order(order), "transactTime": order.at, "fills": [fill]}


def one_order(_exchange: Exchange, call: Call, holder: Account) -> object:
    """Answer `GET /api/v3/order`.

    Raises:
        Refused: when the account has no such order.
    """
    symbol, number = call.text("symbol"), call.params.get("orderId")
    client_id = call.params.get("origClientOrderId")
    for order in holder.orders:
        if order.symbol == symbol and (str(order.id) == number or order.client_id == client_id):
            return _told(order)
    raise refusals.unknown_order()


def all_orders(exchange: Exchange, call: Call, holder: Account) -> object:
    """Answer `GET /api/v3/allOrders`."""
    return [_told(order) for order in _asked_for(exchange, call, holder)]


def _asked_for(exchange: Exchange, call: Call, holder: Account) -> list[Order]:
    symbol = exchange.pair(call.venue, call.text("symbol")).symbol
    start, end = call.integer("startTime", 0), call.integer("endTime", exchange.now())
    found = [o for o in holder.orders if o.symbol == symbol and start <= o.at <= end]
    return found[-call.integer("limit", _DEFAULT_ORDERS) :]


def _told(order: Order) -> dict[str, object]:
    return {**_order(order), "time": order.at, "updateTime": order.at, "isWorking": True}


def _order(order: Order) -> dict[str, object]:
    return {
        "symbol": order.symbol,
        "orderId": order.id,
        "orderListId": -1,
        "clientOrderId": order.client_id,
        "price": _ZERO,
        "origQty": plain(order.quantity),
        "executedQty": plain(order.quantity),
        "origQuoteOrderQty": _ZERO,
        "cummulativeQuoteQty": plain(order.quote_quantity),
        "status": "FILLED",
        "timeInForce": "GTC",
        "type": "MARKET",
        "side": order.side,
        "workingTime": order.at,
        "selfTradePreventionMode": "EXPIRE_MAKER",
    }
