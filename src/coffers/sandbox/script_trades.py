"""Scripting of trades and open orders: they are written down, and change no balance."""

from decimal import Decimal

import msgspec

from coffers.sandbox import script
from coffers.sandbox.accounts import BadScript, OpenOrder
from coffers.sandbox.exchange import Exchange
from coffers.sandbox.fills import past_fill
from coffers.sandbox.pairs import PAIRS, Pair

_DONE: dict[str, object] = {"done": True}


def fill(exchange: Exchange, body: bytes) -> object:
    """Write down an order that was filled at a moment.

    Raises:
        BadScript: for an unknown key or symbol, or an amount that is not positive.
    """
    asked = msgspec.json.decode(body, type=script.PastFill)
    account = exchange.ledger.get(asked.venue, asked.key)
    pair = _checked(asked.venue, asked.symbol, asked.price, asked.quantity)
    account.orders.append(
        past_fill(account, pair, asked.side, asked.price, asked.quantity, asked.at)
    )
    return _DONE


def wait(exchange: Exchange, body: bytes) -> object:
    """Put a limit order beside those that are open, or take all away.

    Raises:
        BadScript: as `fill`.
    """
    asked = msgspec.json.decode(body, type=script.Waiting)
    account = exchange.ledger.get(asked.venue, asked.key)
    if asked.is_over:
        account.open_orders.clear()
        return _DONE
    pair = _checked(asked.venue, asked.symbol, asked.price, asked.quantity)
    number = account.uid * 1_000_000 + len(account.open_orders) + 1
    account.open_orders.append(
        OpenOrder(number, pair.symbol, asked.side, asked.price, asked.quantity, exchange.now())
    )
    return _DONE


def _checked(venue: str, symbol: str, *amounts: Decimal) -> Pair:
    pair = PAIRS.get(venue, {}).get(symbol)
    if pair is None:
        raise BadScript(f"{venue} does not list {symbol!r}")
    if any(not amount.is_finite() or amount <= 0 for amount in amounts):
        raise BadScript("a price and a quantity are positive")
    return pair
