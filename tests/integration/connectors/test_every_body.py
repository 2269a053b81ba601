"""Every example body of a balance, a ticker or a history over HTTP through ccxt, digit for digit.

`bodies.json` is a smoke test: what ccxt made of each body by itself. `static_samples.json` is
recorded from the venues, with values that were worked out by hand: an oracle.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from coffers.clock import Millis, SystemClock
from coffers.connectors.exchange.amounts import amounts_of
from coffers.connectors.exchange.connector import ExchangeConnector
from coffers.connectors.exchange.flow_rows import flows_of
from coffers.connectors.exchange.venues import Venues
from coffers.connectors.reading import ReadRequest
from integration.connectors.replay import (
    CLASSIC_MODES,
    Recorded,
    fake_credentials,
    hurried,
    loaded,
    recorded,
    replaying,
    with_markets,
)
from integration.connectors.test_junk_everywhere import market

CLOCK = SystemClock()
CASES = loaded("bodies.json")["cases"]
BALANCES = loaded("balances.json")["exchanges"]
SAMPLES = loaded("static_samples.json")
NOT_AMOUNTS = {"info", "timestamp", "datetime", "free", "used", "total", "debt"}

LISTED = ("BTC/USDT", "ETH/USDT", "LTC/USDT", "BTC/USD", "ADA/USDT")

WAYS = {"fetch_deposits": "in", "fetch_withdrawals": "out", "fetch_ledger": None}

# What ccxt works out itself, and in floats: nothing of it is used.
WORKED_OUT = {"average", "vwap", "change", "percentage", "previousClose", "info", "datetime"}


async def told(case: dict[str, Any], *args: Any) -> tuple[Any, Any]:
    """Return what a call gives over HTTP, and the session that it was made in."""
    venue = case["venue"]
    async with replaying(recorded(case["body"])) as replay:
        replay.by_path.update(CLASSIC_MODES)
        venues = Venues(replay.url, 60, CLOCK, is_paced=False)
        shared = with_markets(venues, venue, CLOCK, *LISTED)
        if venue == "kraken":
            shared.prototype.markets["BTC/USDT"]["id"] = "XBTUSDT"
        hurried(venues, venue)
        async with venues.session(venue, fake_credentials(1, venue)) as session:
            answer = await session.ask(case["method"], *args)
        await venues.close()
    return answer, session


def is_usable(case: dict[str, Any]) -> bool:
    """Tell the bodies that are read here from those that are read elsewhere, or cannot be."""
    return not {"replayed_in", "unusable"} & case.keys()


def named(case: dict[str, Any]) -> str:
    return f"{case['venue']}-{case['method']}-{case['label']}".replace(" ", "_")


def of(*methods: str) -> Any:
    cases = [case for case in CASES if case["method"] in methods and is_usable(case)]
    return pytest.mark.parametrize("case", cases, ids=named)


@of("fetch_balance")
async def test_a_balance_arrives_digit_for_digit(case: dict[str, Any]) -> None:
    answer, _ = await told(case, case["params"])
    expected = {code: part for code, part in case["parsed"].items() if code not in NOT_AMOUNTS}
    assert {code for code in answer if code not in NOT_AMOUNTS} == set(expected)
    for code, part in expected.items():
        amounts = amounts_of(answer[code])
        owned = amounts.free + amounts.in_orders
        total = part["total"] or Decimal(part["free"]) + Decimal(part["used"] or "0")
        assert owned in {Decimal(total), Decimal(total) + amounts.borrowed}


@of("fetch_deposits", "fetch_withdrawals", "fetch_ledger")
async def test_a_history_becomes_the_flows_that_are_done(case: dict[str, Any]) -> None:
    rows, session = await told(case, None, None, None, case["params"])
    flows = flows_of(session, rows, WAYS[case["method"]], Millis(0))
    done = list(_done(case["parsed"], is_ledger=case["method"] == "fetch_ledger"))
    assert [(flow.amount, flow.at) for flow in flows.flows] == done
    assert all(flow.external_id and flow.fee >= 0 for flow in flows.flows)
    if WAYS[case["method"]]:
        assert {flow.direction for flow in flows.flows} <= {WAYS[case["method"]]}


def _done(parsed: list[dict[str, Any]], *, is_ledger: bool) -> Iterator[tuple[Decimal, int]]:
    for row in parsed:
        if row["status"] in {"ok", None} and (not is_ledger or row["type"] == "transaction"):
            yield abs(Decimal(row["amount"])), row["timestamp"]


@of("fetch_ticker")
async def test_a_ticker_arrives_digit_for_digit(case: dict[str, Any]) -> None:
    answer, _ = await told(case, "BTC/USDT")
    _assert_same(answer, case["parsed"])


@of("fetch_tickers")
async def test_tickers_arrive_digit_for_digit(case: dict[str, Any]) -> None:
    answer, _ = await told(case)
    assert len(answer) == len(case["parsed"])
    for ticker, expected in zip(answer.values(), case["parsed"].values(), strict=True):
        _assert_same(ticker, expected)


def _assert_same(ticker: dict[str, Any], expected: dict[str, Any]) -> None:
    for name in expected.keys() - WORKED_OUT - {"symbol"}:
        assert ticker[name] == expected[name], name


@pytest.mark.parametrize("venue", ["binanceus", "kraken"])
async def test_the_oracles_ticker_agrees(venue: str) -> None:
    sample = SAMPLES[venue]["fetchTicker"]
    case = {"venue": venue, "method": "fetch_ticker", "body": sample["httpResponse"]}
    answer, _ = await told(case, *sample["input"])
    _assert_agrees(answer, sample["parsed"])


async def test_the_oracles_positions_agree() -> None:
    sample = SAMPLES["kraken"]["fetchPositions"]
    case = {"venue": "kraken", "method": "fetch_positions", "body": sample["httpResponse"]}
    (position,), _ = await told(case)
    _assert_agrees(position, sample["parsed"])


def test_every_sample_of_the_oracle_is_used() -> None:
    used = {("binanceus", "fetchTicker"), ("kraken", "fetchTicker"), ("kraken", "fetchPositions")}
    used |= {("kraken", "fetchDeposits"), ("kraken", "fetchWithdrawals")}
    assert used == {
        (venue, call)
        for venue, samples in SAMPLES.items()
        for call in (samples if isinstance(samples, dict) else {})
        if call != "commit"
    }


@pytest.mark.parametrize("method", ["fetchDeposits", "fetchWithdrawals"])
async def test_the_oracles_flows_agree(method: str) -> None:
    sample = SAMPLES["kraken"][method]
    expected = sample["parsed"]
    name = {"fetchDeposits": "fetch_deposits", "fetchWithdrawals": "fetch_withdrawals"}[method]
    case = {"venue": "kraken", "method": name, "body": sample["httpResponse"]}
    rows, session = await told(case)
    (row,), (flow,) = rows, flows_of(session, rows, WAYS[name], Millis(0)).flows
    _assert_agrees(row, expected)
    assert (flow.external_id, flow.amount, flow.fee, flow.fee_asset, flow.at, flow.asset) == (
        expected["id"],
        expected["amount"],
        expected["fee"]["cost"],
        expected["fee"]["currency"],
        expected["timestamp"],
        expected["currency"],
    )


def _assert_agrees(answer: dict[str, Any], expected: dict[str, Any]) -> None:
    """Compare with the oracle, whose numbers are JSON's."""
    for name, value in expected.items():
        if isinstance(value, dict):
            _assert_agrees(answer[name], value)
        elif isinstance(value, int | float) and not isinstance(answer[name], int):
            assert Decimal(answer[name]) == Decimal(str(value)), name
        else:
            assert answer[name] == value, name


SEVERAL = {
    "alpaca": {
        "/v2/positions": recorded(
            [{"symbol": "BTCUSD", "qty": "0.000207296", "qty_available": "0.0002"}]
        )
    },
    "coinbaseinternational": {
        "/public/auth": recorded({"result": {"access_token": "fake", "expires_in": 899}}),
        "/get_account_summaries": recorded(
            {
                "result": {
                    "summaries": [
                        {
                            "currency": "BTC",
                            "equity": "302.61869214",
                            "available_funds": "301.38059622",
                        }
                    ]
                }
            }
        ),
    },
    "aster": {
        "/api/v3/account": recorded(
            {"balances": [{"asset": "BTC", "free": "4723846.89208129", "locked": "0.00000000"}]}
        )
    },
    "paradex": {
        "/system/config": recorded(
            {
                "l1_chain_id": "1",
                "starknet_chain_id": "PRIVATE_SN_PARACLEAR_MAINNET",
                "paraclear_account_hash": "0x41cb0280ebadaa75f996d8d92c6f265f6d040bb3ba442e",
                "paraclear_account_proxy_hash": "0x3530cc4759d78042f1b543bf797f5f3d647cde",
            }
        ),
        "/auth": recorded({"jwt_token": "fake"}),
        "/balance": recorded({"results": [{"token": "USDC", "size": "99980.2382266290601"}]}),
    },
    "zebpay": {
        "/account/balance": recorded(
            {
                "statusCode": 200,
                "statusDescription": "Success",
                "data": [{"free": 200, "used": 100, "total": 300, "currency": "INR"}],
            }
        )
    },
}
"""The several answers that one reading takes at some venues, beside an example body."""

HELD = {
    "alpaca": {"USD": ("5.92", "0"), "BTC": ("0.0002", "0.000007296")},
    "coinbaseinternational": {"BTC": ("301.38059622", "1.23809592")},
    "aster": {"BTC": ("4723846.89208129", "0")},
    "paradex": {"USDC": ("99980.2382266290601", "0")},
    "zebpay": {"INR": ("200", "100")},
}


@pytest.mark.parametrize("venue", sorted(SEVERAL))
async def test_a_reading_that_takes_several_answers_gets_them_all(venue: str) -> None:
    examples = [c["body"] for c in CASES if (c["venue"], c["method"]) == (venue, "fetch_balance")]
    async with replaying(recorded(examples[0]) if examples else Recorded("{}")) as replay:
        replay.by_path.update(SEVERAL[venue])
        venues = Venues(replay.url, 60, CLOCK, is_paced=False)
        with_markets(venues, venue, CLOCK)
        hurried(venues, venue)
        connector = ExchangeConnector(venues, CLOCK)
        reading = await connector.read(market(venue), fake_credentials(1, venue), ReadRequest(None))
        await venues.close()
    assert {p.venue_code: (p.free, p.in_orders) for p in reading.positions} == {
        code: (Decimal(free), Decimal(used)) for code, (free, used) in HELD[venue].items()
    }
    assert not [path for path in replay.paths if "approve" in path.lower()]
