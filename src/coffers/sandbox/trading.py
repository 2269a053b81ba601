"""Market orders: they fill at once at the top of the book, for a fee of a thousandth."""

from decimal import ROUND_DOWN, Decimal

from coffers.sandbox import fills, refusals
from coffers.sandbox.accounts import Account, Balance, Order
from coffers.sandbox.call import Call
from coffers.sandbox.exchange import Exchange
from coffers.sandbox.pairs import SMALLEST, Pair

FEE = fills.FEE
MIN_NOTIONAL_USD = Decimal(5)
MOST_STEPS = 9_000_000_000
_INSUFFICIENT = "Account has insufficient balance for requested action."


def place(exchange: Exchange, account: Account, call: Call) -> Order:
    """Fill a market order and return it.

    Raises:
        Refused: as the venue would: unknown or halted pair, filters, balance, right to trade.
    """
    if not account.may_trade(exchange.now()):
        raise refusals.key_refused()
    pair = exchange.pair(account.venue, call.text("symbol"))
    side = _side(call)
    if call.text("type") != "MARKET":
        raise refusals.Refused(400, -1116, "Invalid orderType.")
    price = _taken_price(exchange, pair, side)
    quantity = _quantity(call, pair, price)
    order = _filled(exchange, account, pair, (side, price, quantity), call)
    _settle(account, pair, order)
    return order


def _side(call: Call) -> str:
    side = call.text("side")
    if side not in ("BUY", "SELL"):
        raise refusals.Refused(400, -1117, "Invalid side.")
    return side


def _taken_price(exchange: Exchange, pair: Pair, side: str) -> Decimal:
    book = exchange.prices.book(pair, exchange.now())
    price = book.ask if side == "BUY" else book.bid
    if price is None:
        raise refusals.market_closed()
    return price


def _quantity(call: Call, pair: Pair, price: Decimal) -> Decimal:
    quantity, spend = call.amount("quantity"), call.amount("quoteOrderQty")
    if spend is not None and quantity is None:
        quantity = (spend / price / pair.step).to_integral_value(ROUND_DOWN) * pair.step
    if quantity is None:
        raise refusals.missing("quantity")
    if not 0 < quantity <= largest_lot(pair) or quantity % pair.step:
        raise refusals.filter_failure("LOT_SIZE")
    if quantity * price < min_notional(pair):
        raise refusals.filter_failure("NOTIONAL")
    return quantity


def largest_lot(pair: Pair) -> Decimal:
    """Return the largest quantity of an order."""
    return MOST_STEPS * pair.step


def min_notional(pair: Pair) -> Decimal:
    """Return the smallest value of an order in the quote asset: about five dollars."""
    least = MIN_NOTIONAL_USD / pair.quote.anchor
    return Decimal(1).scaleb(least.adjusted()) * (least.scaleb(-least.adjusted()) // 1)


def _filled(
    exchange: Exchange,
    account: Account,
    pair: Pair,
    terms: tuple[str, Decimal, Decimal],
    call: Call,
) -> Order:
    side, price, quantity = terms
    cost = (quantity * price).quantize(SMALLEST)
    received, asset = (quantity, pair.base) if side == "BUY" else (cost, pair.quote)
    number = len(account.orders) + 1
    return Order(
        id=account.uid * 1_000 + number,
        client_id=call.params.get("newClientOrderId") or f"sandbox-{account.uid}-{number}",
        symbol=pair.symbol,
        side=side,
        price=price,
        quantity=quantity,
        quote_quantity=cost,
        fee=(received * FEE).quantize(SMALLEST, ROUND_DOWN),
        fee_asset=asset.code,
        at=exchange.now(),
    )


def _settle(account: Account, pair: Pair, order: Order) -> None:
    base, quote = pair.base.code, pair.quote.code
    paid, cost = (quote, order.quote_quantity) if order.side == "BUY" else (base, order.quantity)
    got, gain = (base, order.quantity) if order.side == "BUY" else (quote, order.quote_quantity)
    if account.spot.get(paid, Balance()).free < cost:
        raise refusals.order_refused(_INSUFFICIENT)
    account.put(paid, free=-cost)
    account.put(got, free=gain - order.fee)
    account.orders.append(order)
    account.updated_at = order.at
