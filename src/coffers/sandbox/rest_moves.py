"""The venue's answers on money that moves within an account: transfers and small amounts."""

from decimal import Decimal

from coffers.sandbox import refusals
from coffers.sandbox.accounts import Account, Balance
from coffers.sandbox.assets import ASSETS
from coffers.sandbox.call import Call
from coffers.sandbox.exchange import Exchange
from coffers.sandbox.listing import plain

SMALL_USD = Decimal(5)
CHARGE = Decimal("0.02")
COIN = "BNB"

_WALLETS = {"MAIN_FUNDING": ("spot", "funding"), "FUNDING_MAIN": ("funding", "spot")}


def transfer(exchange: Exchange, call: Call, holder: Account) -> object:
    """Answer `POST /sapi/v1/asset/transfer`, between the spot and the funding wallet.

    Raises:
        Refused: for other wallets, unknown assets and more than there is.
    """
    way, asset, amount = _WALLETS.get(call.text("type")), call.text("asset"), call.amount("amount")
    if way is None or asset not in ASSETS or amount is None or amount <= 0:
        raise refusals.malformed("type" if way is None else "asset")
    wallets = {"spot": holder.spot, "funding": holder.funding}
    source, target = (wallets[name] for name in way)
    held, there = source.get(asset, Balance()), target.get(asset, Balance())
    if held.free < amount:
        raise refusals.Refused(400, -9000, "user have no avaliable amount")
    source[asset] = Balance(held.free - amount, held.locked)
    target[asset] = Balance(there.free + amount, there.locked)
    holder.updated_at = exchange.now()
    return {"tranId": exchange.now()}


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
