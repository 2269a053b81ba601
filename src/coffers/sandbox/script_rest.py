"""Scripting over HTTP: what tests and the demo make the simulated world do, under /_sandbox."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TypeVar

import msgspec

from coffers.sandbox import script, script_trades
from coffers.sandbox.accounts import (
    Account,
    BadScript,
    Balance,
    Direction,
    KeyRights,
    Transfer,
    Wallet,
    known,
)
from coffers.sandbox.asgi import Answer, Scope
from coffers.sandbox.assets import ASSETS
from coffers.sandbox.exchange import Exchange
from coffers.sandbox.faults import Fault, FaultKind
from coffers.sandbox.pairs import PAIRS, VENUES, Pair

PREFIX = "/_sandbox"
_Asked = TypeVar("_Asked")
_DONE: dict[str, object] = {"done": True}


def handle(exchange: Exchange, scope: Scope, body: bytes) -> Answer:
    """Answer a scripting request; one that makes no sense gets 400 and the reason."""
    order = _ORDERS.get((scope["method"], scope["path"].removeprefix(PREFIX)))
    if order is None:
        return _answer(404, script.Nonsense(error=f"GET {PREFIX} lists what can be scripted"))
    try:
        return _answer(200, order.act(exchange, body))
    except (BadScript, msgspec.DecodeError) as wrong:
        return _answer(400, script.Nonsense(error=str(wrong)))


def _answer(status: int, told: object) -> Answer:
    return Answer(status, msgspec.json.encode(told))


@dataclass(frozen=True, slots=True)
class _Order:
    act: Callable[[Exchange, bytes], object]
    summary: str


def _read(body: bytes, shape: type[_Asked]) -> _Asked:
    return msgspec.json.decode(body, type=shape)


def _overview(_exchange: Exchange, _body: bytes) -> object:
    return {
        "venues": VENUES,
        "endpoints": {
            f"{method} {PREFIX}{path}": order.summary for (method, path), order in _ORDERS.items()
        },
    }


def _reset(exchange: Exchange, _body: bytes) -> object:
    exchange.reset()
    return _DONE


def _keys(exchange: Exchange, _body: bytes) -> object:
    return [
        {
            "venue": account.venue,
            "key": account.key,
            "secret": account.secret,
            "rights": account.rights,
            "is_revoked": account.is_revoked,
            "spot": account.spot,
            "funding": account.funding,
            "futures": account.futures,
        }
        for account in exchange.ledger
    ]


def _create_key(exchange: Exchange, body: bytes) -> object:
    asked = _read(body, script.NewKey)
    if asked.venue not in VENUES:
        raise BadScript(f"the venues are {' and '.join(VENUES)}, not {asked.venue!r}")
    rights = KeyRights(asked.read, asked.trade, asked.withdraw, asked.ips, asked.expires_at)
    account = Account(asked.venue, asked.key, asked.secret, rights, created_at=exchange.now())
    for asset, free in asked.balances.items():
        exchange.ledger.hold(account, asset, Balance(free), Wallet.SPOT)
    exchange.ledger.add(account)
    return _DONE


def _create_crowd(exchange: Exchange, body: bytes) -> object:
    asked = _read(body, script.Crowd)
    like = exchange.ledger.get(asked.venue, asked.like)
    return [
        {"key": account.key, "secret": account.secret}
        for account in exchange.ledger.add_like(like, asked.count)
    ]


def _revoke(exchange: Exchange, body: bytes) -> object:
    asked = _read(body, script.KeyState)
    exchange.ledger.get(asked.venue, asked.key).is_revoked = asked.is_revoked
    return _DONE


def _hold(exchange: Exchange, body: bytes) -> object:
    asked = _read(body, script.Holding)
    account = exchange.ledger.get(asked.venue, asked.key)
    balance = Balance(asked.free, asked.locked)
    exchange.ledger.hold(account, asked.asset, balance, asked.wallet)
    return _DONE


def _pair(venue: str, symbol: str) -> Pair:
    pair = PAIRS.get(venue, {}).get(symbol)
    if pair is None:
        raise BadScript(f"{venue} does not list {symbol!r}")
    return pair


def _set_price(exchange: Exchange, body: bytes) -> object:
    asked = _read(body, script.Held)
    if not asked.price.is_finite() or asked.price <= 0:
        raise BadScript(f"{asked.price} is no price")
    exchange.prices.set(_pair(asked.venue, asked.symbol), asked.price, exchange.now())
    return _DONE


def _release_prices(exchange: Exchange, _body: bytes) -> object:
    exchange.prices.release()
    return _DONE


def _mover(direction: Direction) -> Callable[[Exchange, bytes], object]:
    def move(exchange: Exchange, body: bytes) -> object:
        asked = _read(body, script.Move)
        account = exchange.ledger.get(asked.venue, asked.key)
        known(asked.asset)
        transfer = Transfer(
            id=exchange.ledger.next_id(account),
            direction=direction,
            asset=asked.asset,
            amount=asked.amount,
            fee=asked.fee,
            network=ASSETS[asked.asset].network,
            at=exchange.now() if asked.at is None else asked.at,
            is_pending=asked.is_pending,
        )
        return script.Moved(id=exchange.ledger.move(account, transfer).id)

    return move


def _complete(exchange: Exchange, body: bytes) -> object:
    asked = _read(body, script.Completed)
    exchange.ledger.complete(exchange.ledger.get(asked.venue, asked.key), asked.id)
    return _DONE


def _inject(exchange: Exchange, body: bytes) -> object:
    asked = _read(body, script.NewFault)
    if asked.kind is FaultKind.OTHER_ACCOUNT:
        exchange.ledger.get(asked.venue or "", asked.as_key)
    exchange.faults.inject(Fault(**msgspec.structs.asdict(asked)))
    return _DONE


def _clear_faults(exchange: Exchange, _body: bytes) -> object:
    exchange.faults.clear()
    return _DONE


def _clock(exchange: Exchange, _body: bytes) -> object:
    return script.Moment(now=exchange.now())


def _move_clock(exchange: Exchange, body: bytes) -> object:
    match _read(body, script.ClockMove):
        case script.ClockMove(offset=int() as offset, freeze_at=None, advance=None):
            exchange.clock.shift(offset)
        case script.ClockMove(offset=None, freeze_at=int() as at, advance=None):
            exchange.clock.freeze(at)
        case script.ClockMove(offset=None, freeze_at=None, advance=int() as span):
            exchange.clock.advance(span)
        case _:
            raise BadScript("a clock takes one of offset, freeze_at and advance")
    return script.Moment(now=exchange.now())


def _set_budget(exchange: Exchange, body: bytes) -> object:
    asked = _read(body, script.Budget)
    exchange.limits.per_minute = asked.per_minute
    if asked.wallet_per_minute is not None:
        exchange.limits.wallet_per_minute = asked.wallet_per_minute
    return _DONE


def _requests(exchange: Exchange, _body: bytes) -> object:
    journal = exchange.journal
    return script.Requests(
        counts=dict(journal.counts),
        most_at_once=dict(journal.most_at_once),
        log=[script.Request(**asdict(entry)) for entry in journal.entries],
    )


def _clear_requests(exchange: Exchange, _body: bytes) -> object:
    exchange.journal.clear()
    return _DONE


_ORDERS: dict[tuple[str, str], _Order] = {
    ("GET", ""): _Order(_overview, "this list"),
    ("POST", "/reset"): _Order(_reset, "begin anew"),
    ("GET", "/keys"): _Order(_keys, "all accounts with their made-up keys and secrets"),
    ("POST", "/keys"): _Order(_create_key, "create or replace a key and its account"),
    ("POST", "/keys/crowd"): _Order(_create_crowd, "create many keys with accounts alike"),
    ("POST", "/keys/revoke"): _Order(_revoke, "refuse a key, or let it in again"),
    ("POST", "/balances"): _Order(_hold, "set what a wallet holds of an asset"),
    ("POST", "/prices"): _Order(_set_price, "hold a pair at a price"),
    ("DELETE", "/prices"): _Order(_release_prices, "let all pairs wander again"),
    ("POST", "/deposits"): _Order(_mover(Direction.DEPOSIT), "make a deposit"),
    ("POST", "/withdrawals"): _Order(_mover(Direction.WITHDRAWAL), "make a withdrawal"),
    ("POST", "/transfers/complete"): _Order(_complete, "finish a pending transfer"),
    ("POST", "/fills"): _Order(script_trades.fill, "write down a filled order"),
    ("POST", "/waiting"): _Order(script_trades.wait, "add an open order, or end all"),
    ("POST", "/faults"): _Order(_inject, "let requests fail"),
    ("DELETE", "/faults"): _Order(_clear_faults, "forget all faults"),
    ("GET", "/clock"): _Order(_clock, "the venues' present moment"),
    ("POST", "/clock"): _Order(_move_clock, "shift, freeze or advance the clock"),
    ("POST", "/limit"): _Order(_set_budget, "set the request weight per minute"),
    ("GET", "/requests"): _Order(_requests, "what was asked, how often, how many at once"),
    ("DELETE", "/requests"): _Order(_clear_requests, "forget what was asked"),
}
