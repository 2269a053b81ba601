"""Bodies that the exchange library makes something of only with the right call around them."""

from decimal import Decimal
from typing import Any

from coffers.clock import Millis, SystemClock
from coffers.connectors.exchange.amounts import amounts_of
from coffers.connectors.exchange.connector import ExchangeConnector
from coffers.connectors.exchange.flow_rows import flows_of
from coffers.connectors.exchange.session import VenueSession
from coffers.connectors.exchange.venues import Venues
from coffers.connectors.reading import ReadRequest
from coffers.markets.catalogue import load_catalogue
from integration.connectors.replay import (
    CLASSIC_MODES,
    Recorded,
    Replay,
    fake_credentials,
    hurried,
    recorded,
    replaying,
    with_contracts,
)

CLOCK = SystemClock()
NOT_AMOUNTS = {"info", "timestamp", "datetime", "free", "used", "total", "debt"}
WAYS = {"fetch_deposits": "in", "fetch_withdrawals": "out", "fetch_ledger": None}

Told = list[list[str | None]]


async def told_of(case: dict[str, Any]) -> Told:
    """Return in texts what a case's call gives: amounts, flows, prices or positions."""
    async with replaying(recorded(case["body"])) as replay:
        _prepare(replay, case)
        venues = Venues(replay.url, 60, CLOCK, is_paced=False)
        shared = with_contracts(venues, case["venue"], CLOCK, case.get("markets", []))
        for code, number in case.get("currencies", {}).items():
            named = {**shared.prototype.currencies[code], "id": number}
            shared.prototype.currencies_by_id[number] = named
        hurried(venues, case["venue"])
        try:
            if "market" in case:
                return await _reading(venues, case)
            async with venues.session(case["venue"], fake_credentials(1, case["venue"])) as session:
                answer = await session.ask(case["method"], *case.get("args", []))
                return list(_texts(session, case["method"], answer))
        finally:
            await venues.close()


async def _reading(venues: Venues, case: dict[str, Any]) -> Told:
    market = load_catalogue().get(case["market"])
    assert market is not None
    connector = ExchangeConnector(venues, CLOCK)
    credentials = fake_credentials(1, case["venue"])
    found = await connector.read(market, credentials, ReadRequest(None))
    return [
        [p.wallet, p.asset, plain(p.free), plain(p.in_orders), plain(p.borrowed)]
        for p in found.positions
    ]


def _prepare(replay: Replay, case: dict[str, Any]) -> None:
    """Let the body be the answer of its own call, and the others be those around it."""
    headers = case.get("headers", {})
    told = {
        end: recorded(body, headers=headers.get(end, {}))
        for end, body in case.get("also", {}).items()
    }
    replay.by_path = {**CLASSIC_MODES, **told}
    if case.get("on"):
        replay.by_path[case["on"]] = recorded(_wrapped(case))
        replay.otherwise = Recorded("{}")
    else:
        replay.otherwise = recorded(_wrapped(case))


def _wrapped(case: dict[str, Any]) -> object:
    """Return the body in its envelope, or out of one, where the example shows it otherwise."""
    body = case["body"][case["out_of"]] if "out_of" in case else case["body"]
    body = {case["in"]: body} if "in" in case else body
    return {**case["envelope"], **body} if "envelope" in case else body


def _texts(session: VenueSession, method: str, answer: Any) -> Told:
    match method:
        case "fetch_balance":
            return _balance(answer)
        case "fetch_ticker":
            return [_ticker(answer)]
        case "fetch_tickers":
            return [_ticker(ticker) for ticker in answer.values()]
        case "fetch_positions":
            return [_position(row) for row in answer]
    flows = flows_of(session, answer, WAYS[method], Millis(0)).flows
    return [
        [
            flow.direction,
            flow.external_id,
            flow.asset,
            plain(flow.amount),
            plain(flow.fee),
            str(flow.at),
        ]
        for flow in flows
    ]


def _balance(answer: Any) -> Told:
    found = {code: amounts_of(answer[code]) for code in answer if code not in NOT_AMOUNTS}
    return [
        [code, plain(amounts.free), plain(amounts.in_orders), plain(amounts.borrowed)]
        for code, amounts in found.items()
    ]


def _ticker(ticker: Any) -> list[str | None]:
    return [ticker[name] for name in ("symbol", "bid", "ask", "last", "baseVolume", "quoteVolume")]


def _position(row: Any) -> list[str | None]:
    names = ("side", "contracts", "entryPrice", "markPrice", "unrealizedPnl", "leverage")
    told = [row.get(name) for name in names]
    return [row["symbol"], *(None if value is None else str(value) for value in told)]


def plain(amount: Decimal) -> str:
    """Return an amount without zeros behind."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
