"""The venue's private answers on the wallet: assets, transfers, rights of the key, funding."""

from datetime import UTC, datetime

from coffers.sandbox import refusals
from coffers.sandbox.accounts import ZERO, Account, Direction, Transfer
from coffers.sandbox.assets import ASSETS, Asset
from coffers.sandbox.call import Call
from coffers.sandbox.exchange import Exchange
from coffers.sandbox.listing import plain
from coffers.sandbox.networks import network_called, networks_of
from coffers.sandbox.prices import DAY

_LONGEST_SPAN = 90 * DAY
_MOST_TRANSFERS = 1_000
_CREDITED, _DEPOSIT_PENDING = 1, 0
_COMPLETED, _PROCESSING = 6, 4


def coins(_exchange: Exchange, _call: Call, holder: Account) -> object:
    """Answer `GET /sapi/v1/capital/config/getall`."""
    return [_coin(asset, holder) for asset in ASSETS.values()]


def deposit_address(_exchange: Exchange, call: Call, holder: Account) -> object:
    """Answer `GET /sapi/v1/capital/deposit/address`.

    Raises:
        Refused: for a coin or network that there is not, and one whose deposits are closed.
    """
    coin = call.text("coin")
    network = network_called(coin, call.params.get("network"))
    if network is None:
        raise refusals.unknown_network()
    if not network.takes_deposits:
        raise refusals.deposits_closed()
    address, tag = network.address(holder)
    return {"coin": coin, "address": address, "tag": tag, "url": ""}


def deposits(exchange: Exchange, call: Call, holder: Account) -> object:
    """Answer `GET /sapi/v1/capital/deposit/hisrec`: coins only, the newest first.

    Raises:
        Refused: for a window of more than 90 days.
    """
    return [_deposit(found) for found in _page(exchange, call, holder, Direction.DEPOSIT)]


def withdrawals(exchange: Exchange, call: Call, holder: Account) -> object:
    """Answer `GET /sapi/v1/capital/withdraw/history`: coins only, the newest first.

    Raises:
        Refused: for a window of more than 90 days.
    """
    return [_withdrawal(found) for found in _page(exchange, call, holder, Direction.WITHDRAWAL)]


def fiat_orders(exchange: Exchange, call: Call, holder: Account) -> object:
    """Answer `GET /sapi/v1/fiat/orders`: fiat deposits (type 0) or withdrawals (type 1)."""
    kind = Direction.WITHDRAWAL if call.integer("transactionType") else Direction.DEPOSIT
    start, end = call.integer("beginTime", 0), call.integer("endTime", exchange.now())
    found = [
        _fiat_order(transfer)
        for transfer in reversed(holder.transfers)
        if ASSETS[transfer.asset].is_fiat
        and transfer.direction is kind
        and start <= transfer.at <= end
    ]
    return {
        "code": "000000",
        "message": "success",
        "data": found,
        "total": len(found),
        "success": True,
    }


def rights(exchange: Exchange, _call: Call, holder: Account) -> object:
    """Answer `GET /sapi/v1/account/apiRestrictions`."""
    granted = holder.rights
    told: dict[str, object] = {
        "ipRestrict": bool(granted.ips),
        "createTime": holder.created_at,
        "enableReading": granted.read,
        "enableWithdrawals": granted.withdraw,
        "enableInternalTransfer": False,
        "enableMargin": False,
        "enableFutures": False,
        "permitsUniversalTransfer": False,
        "enableVanillaOptions": False,
        "enableFixApiTrade": False,
        "enableFixReadOnly": False,
        "enableSpotAndMarginTrading": holder.may_trade(exchange.now()),
        "enablePortfolioMarginTrading": False,
    }
    if granted.expires_at is not None:
        told["tradingAuthorityExpirationTime"] = granted.expires_at
    return told


def funding(_exchange: Exchange, _call: Call, holder: Account) -> object:
    """Answer `POST /sapi/v1/asset/get-funding-asset`."""
    return [
        {
            "asset": asset,
            "free": plain(balance.free),
            "locked": plain(balance.locked),
            "freeze": "0",
            "withdrawing": "0",
            "btcValuation": "0",
        }
        for asset, balance in holder.funding.items()
    ]


def locked_earn(_exchange: Exchange, _call: Call, _holder: Account) -> object:
    """Answer `GET /sapi/v1/simple-earn/locked/position`: nobody here has any."""
    return {"rows": [], "total": 0}


def _page(exchange: Exchange, call: Call, holder: Account, direction: Direction) -> list[Transfer]:
    start, end = _span(call, exchange.now())
    found = [
        transfer
        for transfer in sorted(holder.transfers, key=lambda moved: moved.at, reverse=True)
        if transfer.direction is direction
        and start <= transfer.at <= end
        and not ASSETS[transfer.asset].is_fiat
        and call.params.get("coin", transfer.asset) == transfer.asset
        and call.integer("status", _status(transfer)) == _status(transfer)
    ]
    offset = call.integer("offset", 0)
    limit = min(call.integer("limit", _MOST_TRANSFERS), _MOST_TRANSFERS)
    return found[offset : offset + limit]


def _span(call: Call, now: int) -> tuple[int, int]:
    end = call.integer("endTime", now)
    start = call.integer("startTime", end - _LONGEST_SPAN)
    if end - start > _LONGEST_SPAN:
        raise refusals.span_too_long()
    return start, end


def _status(transfer: Transfer) -> int:
    if transfer.direction is Direction.DEPOSIT:
        return _DEPOSIT_PENDING if transfer.is_pending else _CREDITED
    return _PROCESSING if transfer.is_pending else _COMPLETED


def _deposit(transfer: Transfer) -> dict[str, object]:
    return {
        "id": transfer.id,
        "amount": plain(transfer.amount),
        "coin": transfer.asset,
        "network": transfer.network,
        "status": _status(transfer),
        "address": f"sandbox-{transfer.network.lower()}-address",
        "addressTag": "",
        "txId": f"0x{transfer.id}",
        "insertTime": transfer.at,
        "transferType": 0,
        "confirmTimes": "0/1" if transfer.is_pending else "1/1",
        "unlockConfirm": 12,
        "walletType": 0,
    }


def _withdrawal(transfer: Transfer) -> dict[str, object]:
    told: dict[str, object] = {
        "id": transfer.id,
        "amount": plain(transfer.amount),
        "transactionFee": plain(transfer.fee),
        "coin": transfer.asset,
        "status": _status(transfer),
        "address": f"sandbox-{transfer.network.lower()}-address",
        "addressTag": "",
        "txId": "" if transfer.is_pending else f"0x{transfer.id}",
        "applyTime": _text(transfer.at),
        "network": transfer.network,
        "transferType": 0,
        "info": "",
        "confirmNo": 0 if transfer.is_pending else 12,
        "walletType": 0,
        "txKey": "",
    }
    if not transfer.is_pending:
        told["completeTime"] = _text(transfer.at)
    return told


def _text(at: int) -> str:
    return f"{datetime.fromtimestamp(at // 1000, UTC):%Y-%m-%d %H:%M:%S}"


def _fiat_order(transfer: Transfer) -> dict[str, object]:
    return {
        "orderNo": transfer.id,
        "fiatCurrency": transfer.asset,
        "indicatedAmount": plain(transfer.amount + transfer.fee),
        "amount": plain(transfer.amount),
        "totalFee": plain(transfer.fee),
        "method": "BankAccount",
        "status": "Processing" if transfer.is_pending else "Successful",
        "createTime": transfer.at,
        "updateTime": transfer.at,
    }


def _coin(asset: Asset, holder: Account) -> dict[str, object]:
    held = holder.spot.get(asset.code)
    return {
        "coin": asset.code,
        "depositAllEnable": any(network.takes_deposits for network in networks_of(asset)),
        "withdrawAllEnable": not asset.is_fiat,
        "name": asset.name,
        "free": plain(held.free if held else ZERO),
        "locked": plain(held.locked if held else ZERO),
        "freeze": "0",
        "withdrawing": "0",
        "ipoing": "0",
        "ipoable": "0",
        "storage": "0",
        "isLegalMoney": asset.is_fiat,
        "trading": not asset.is_fiat,
        "networkList": [network.listed() for network in networks_of(asset)],
    }
