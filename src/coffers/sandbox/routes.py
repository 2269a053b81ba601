"""Which path of the venue is answered by what, at what weight, and who may ask."""

from collections.abc import Callable
from dataclasses import dataclass

from coffers.sandbox import (
    refusals,
    rest_account,
    rest_market,
    rest_moves,
    rest_trades,
    rest_wallet,
    signing,
)
from coffers.sandbox.accounts import Account
from coffers.sandbox.call import Call
from coffers.sandbox.exchange import Exchange


@dataclass(frozen=True, slots=True)
class Open:
    """A path that anyone may ask."""

    answer: Callable[[Exchange, Call], object]
    weight: Callable[[Call], int]


@dataclass(frozen=True, slots=True)
class Signed:
    """A path that needs a key and its signature."""

    answer: Callable[[Exchange, Call, Account], object]
    weight: Callable[[Call], int]
    needs_reading: bool = True


def _flat(weight: int) -> Callable[[Call], int]:
    return lambda _call: weight


def _one_or_all(one: int, everything: int) -> Callable[[Call], int]:
    return lambda call: one if "symbol" in call.params else everything


ROUTES: dict[tuple[str, str], Open | Signed] = {
    ("GET", "/api/v3/ping"): Open(rest_market.ping, _flat(1)),
    ("GET", "/api/v3/time"): Open(rest_market.time, _flat(1)),
    ("GET", "/api/v3/exchangeInfo"): Open(rest_market.info, _flat(20)),
    ("GET", "/api/v3/ticker/24hr"): Open(rest_market.ticker_day, _one_or_all(2, 80)),
    ("GET", "/api/v3/ticker/bookTicker"): Open(rest_market.ticker_book, _one_or_all(2, 4)),
    ("GET", "/api/v3/ticker/price"): Open(rest_market.ticker_price, _one_or_all(2, 4)),
    ("GET", "/api/v3/depth"): Open(rest_market.depth, _flat(5)),
    ("GET", "/api/v3/klines"): Open(rest_market.candles, _flat(2)),
    ("GET", "/api/v3/account"): Signed(rest_account.account, _flat(20)),
    ("POST", "/api/v3/order"): Signed(rest_account.place_order, _flat(1), needs_reading=False),
    ("GET", "/api/v3/order"): Signed(rest_account.one_order, _flat(4)),
    ("GET", "/api/v3/openOrders"): Signed(rest_trades.open_orders, _one_or_all(6, 80)),
    ("GET", "/api/v3/allOrders"): Signed(rest_account.all_orders, _flat(20)),
    ("GET", "/api/v3/myTrades"): Signed(rest_trades.trades, _flat(20)),
    ("GET", "/sapi/v1/capital/config/getall"): Signed(rest_wallet.coins, _flat(10)),
    ("GET", "/sapi/v1/capital/deposit/address"): Signed(rest_wallet.deposit_address, _flat(10)),
    ("GET", "/sapi/v1/capital/deposit/hisrec"): Signed(rest_wallet.deposits, _flat(1)),
    ("GET", "/sapi/v1/capital/withdraw/history"): Signed(rest_wallet.withdrawals, _flat(1)),
    ("GET", "/sapi/v1/fiat/orders"): Signed(rest_wallet.fiat_orders, _flat(1)),
    ("POST", "/sapi/v1/asset/get-funding-asset"): Signed(rest_wallet.funding, _flat(1)),
    ("POST", "/sapi/v1/asset/transfer"): Signed(rest_moves.transfer, _flat(1), needs_reading=False),
    ("GET", "/sapi/v1/asset/transfer"): Signed(rest_moves.transfers, _flat(1)),
    ("POST", "/sapi/v1/asset/dust-btc"): Signed(rest_moves.small, _flat(1)),
    ("POST", "/sapi/v1/asset/dust"): Signed(rest_moves.convert, _flat(1), needs_reading=False),
    ("GET", "/sapi/v1/simple-earn/locked/position"): Signed(rest_wallet.locked_earn, _flat(150)),
    ("GET", "/sapi/v1/account/apiRestrictions"): Signed(
        rest_wallet.rights, _flat(1), needs_reading=False
    ),
}


def answer(exchange: Exchange, call: Call, route: Open | Signed, as_key: str | None) -> object:
    """Return the body of a route's answer, for the account of another key where one is named.

    Raises:
        Refused: when the venue refuses the request.
    """
    match route:
        case Open():
            return route.answer(exchange, call)
        case Signed():
            account = signing.authenticate(exchange.ledger, call, exchange.now())
            if route.needs_reading and not account.rights.read:
                raise refusals.key_refused()
            if as_key is not None:
                account = exchange.ledger.get(call.venue, as_key)
            return route.answer(exchange, call, account)
