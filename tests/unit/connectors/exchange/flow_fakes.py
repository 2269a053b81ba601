"""Histories of deposits and withdrawals for tests, told by a stand-in for ccxt."""

from decimal import Decimal
from typing import Any

from coffers.clock import DAY, Millis
from coffers.connectors.exchange.balances import Holdings
from coffers.connectors.exchange.failures import Venue
from coffers.connectors.exchange.fiat import FiatOrders
from coffers.connectors.exchange.flows import FoundFlows, read_flows
from coffers.connectors.exchange.session import VenueSession
from coffers.connectors.reading import ReadRequest
from coffers.valuation.model import Position
from factories import NOW
from unit.connectors.exchange.fakes import FakeExchange

SINCE = Millis(NOW - 10 * DAY)
SPOT = Holdings(frozenset({"spot"}), (), {})
SOMEWHERE = Venue("somewhere", "Somewhere", ("somewhere",))


def row(**changes: Any) -> dict[str, Any]:
    return {
        "id": "d1",
        "txid": "0xaa",
        "type": "deposit",
        "currency": "BTC",
        "amount": "0.5",
        "status": "ok",
        "timestamp": NOW - DAY,
        "address": "there",
        "fee": None,
        "info": {"walletType": 0},
        **changes,
    }


def binance(deposits: Any = (), withdrawals: Any = ()) -> FakeExchange:
    def answers(rows: Any) -> Any:
        return rows if callable(rows) else lambda *_: list(rows)

    exchange = FakeExchange(
        fetch_deposits=answers(deposits),
        fetch_withdrawals=answers(withdrawals),
        request=lambda *_: {"data": []},
    )
    exchange.apiKey = "fake-key"
    exchange.parse_transactions = list
    exchange.has = {"fetchDeposits": True, "fetchWithdrawals": True}
    return exchange


async def told(
    where: VenueSession,
    request: ReadRequest,
    until: Millis,
    holdings: Holdings,
    fiat: FiatOrders | None = None,
) -> FoundFlows:
    return await read_flows(where, request, until, holdings, fiat or FiatOrders())


def holding(asset: str, *wallets: str) -> Holdings:
    position = Position("spot", asset, asset, Decimal(1), Decimal(0), Decimal(0))
    return Holdings(frozenset(wallets or ("spot",)), (position,), {})


def since(moment: Millis | None = SINCE, *known: tuple[str, str]) -> ReadRequest:
    return ReadRequest(moment, frozenset(known))
