"""The venue's answers on money that moves within an account: transfers and small amounts."""

from decimal import Decimal

from coffers.sandbox import refusals
from coffers.sandbox.accounts import Account, Balance, Move, Wallet
from coffers.sandbox.assets import ASSETS
from coffers.sandbox.call import Call
from coffers.sandbox.exchange import Exchange
from coffers.sandbox.listing import plain

SMALL_USD = Decimal(5)
CHARGE = Decimal("0.02")
COIN = "BNB"

_NAMES = {"MAIN": Wallet.SPOT, "FUNDING": Wallet.FUNDING, "UMFUTURE": Wallet.FUTURES}
_WAYS = {
    f"{one}_{other}": (_NAMES[one], _NAMES[other])
    for one in _NAMES
    for other in _NAMES
    if one != other
}
_MOST_ROWS = 100
_USUAL_ROWS = 10


def transfer(exchange: Exchange, call: Call, holder: Account) -> object:
    """Answer `POST /sapi/v1/asset/transfer`, between the spot, funding and futures wallets.

    Raises:
        Refused: for other wallets, unknown assets and more than there is.
    """
    name, asset, amount = call.text("type"), call.text("asset"), call.amount("amount")
    if name not in _WAYS or asset not in ASSETS or amount is None or amount <= 0:
        raise refusals.malformed("asset" if name in _WAYS else "type")
    source, target = (holder.wallet(wallet) for wallet in _WAYS[name])
    held, there = source.get(asset, Balance()), target.get(asset, Balance())
    if held.free < amount:
        raise refusals.Refused(400, -9000, "user have no avaliable amount")
    source[asset] = Balance(held.free - amount, held.locked)
    target[asset] = Balance(there.free + amount, there.locked)
    holder.updated_at = now = exchange.now()
    number = max(now, holder.moves[-1].id + 1 if holder.moves else 0)
    holder.moves.append(Move(number, name, asset, amount, now))
    return {"tranId": number}


def transfers(exchange: Exchange, call: Call, holder: Account) -> object:
    """Answer `GET /sapi/v1/asset/transfer`: those of one way, the newest first.

    Raises:
        Refused: for ways that there are not.
    """
    if call.text("type") not in _WAYS:
        raise refusals.malformed("type")
    start, end = call.integer("startTime", 0), call.integer("endTime", exchange.now())
    found = [
        {
            "asset": moved.asset,
            "amount": plain(moved.amount),
            "type": moved.way,
            "status": "CONFIRMED",
            "tranId": moved.id,
            "timestamp": moved.at,
        }
        for moved in reversed(holder.moves)
        if moved.way == call.text("type") and start <= moved.at <= end
    ]
    size = min(call.integer("size", _USUAL_ROWS), _MOST_ROWS)
    first = (max(call.integer("current", 1), 1) - 1) * size
    return {"total": len(found), "rows": found[first : first + size]}


def small(_exchange: Exchange, _call: Call, holder: Account) -> object:
    """Answer `POST /sapi/v1/asset/dust-btc`: what may be converted."""
    found = [code for code in holder.spot if _worth(holder, code) is not None]
    return {
        "details": [
            {"asset": code, "assetFullName": code, "amountFree": plain(holder.spot[code].free)}
            for code in found
        ],
        "dribbletPercentage": str(CHARGE),
    }


def convert(exchange: Exchange, call: Call, holder: Account) -> object:
    """Answer `POST /sapi/v1/asset/dust`: small amounts become BNB.

    Raises:
        Refused: for an asset that is held in no small amount.
    """
    if not holder.may_trade(exchange.now()):
        raise refusals.key_refused()
    rows = [_converted(exchange, holder, code) for code in call.texts("asset")]
    charges = sum((Decimal(str(row["serviceChargeAmount"])) for row in rows), Decimal(0))
    received = sum((Decimal(str(row["transferedAmount"])) for row in rows), Decimal(0))
    holder.put(COIN, free=received)
    holder.updated_at = exchange.now()
    return {
        "totalServiceCharge": plain(charges),
        "totalTransfered": plain(received),
        "transferResult": rows,
    }


def _converted(exchange: Exchange, holder: Account, code: str) -> dict[str, object]:
    worth = _worth(holder, code)
    if worth is None:
        raise refusals.Refused(400, 32110, f"{code} is not a small amount")
    amount = holder.spot[code].free
    holder.put(code, free=-amount)
    return {
        "amount": plain(amount),
        "fromAsset": code,
        "operateTime": exchange.now(),
        "serviceChargeAmount": plain(worth * CHARGE),
        "tranId": exchange.now(),
        "transferedAmount": plain(worth - worth * CHARGE),
    }


def _worth(holder: Account, code: str) -> Decimal | None:
    """Return what is free of an asset in BNB, None where that is nothing, or not little."""
    free = holder.spot.get(code, Balance()).free
    if code == COIN or free <= 0 or ASSETS[code].is_fiat:
        return None
    worth = free * ASSETS[code].anchor
    return worth / ASSETS[COIN].anchor if worth < SMALL_USD else None
