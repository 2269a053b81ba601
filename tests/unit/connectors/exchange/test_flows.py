from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from coffers.clock import DAY, Millis
from coffers.connectors.exchange.failures import Venue
from coffers.connectors.exchange.flows import MOST_PAGES, read_flows
from coffers.connectors.reading import ConnectorFailure, FailureKind, ReadRequest
from factories import NOW
from unit.connectors.exchange.fakes import BINANCE, FakeExchange, ccxt_error, session

SINCE = Millis(NOW - 10 * DAY)
SPOT = {"spot"}
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
        fetch_deposits=answers(deposits), fetch_withdrawals=answers(withdrawals)
    )
    exchange.has = {"fetchDeposits": True, "fetchWithdrawals": True}
    return exchange


def since(moment: Millis | None = SINCE, *known: tuple[str, str]) -> ReadRequest:
    return ReadRequest(moment, frozenset(known))


async def test_deposits_and_withdrawals_are_flows_with_the_fee_apart() -> None:
    fee = {"currency": "BTC", "cost": "0.001"}
    out = row(id="w1", type="withdrawal", amount="0.2", fee=fee, timestamp=NOW - 2 * DAY)
    flows = await read_flows(session(binance([row()], [out])), since(), NOW, SPOT)
    assert flows.is_whole
    assert [(f.direction, f.external_id, f.amount, f.fee, f.fee_asset) for f in flows.flows] == [
        ("out", "w1", Decimal("0.2"), Decimal("0.001"), "BTC"),
        ("in", "d1", Decimal("0.5"), Decimal(0), "BTC"),
    ]


@pytest.mark.parametrize("status", ["pending", "failed", "canceled", "weird"])
async def test_only_what_is_done_counts(status: str) -> None:
    flows = await read_flows(session(binance([row(status=status)])), since(), NOW, SPOT)
    assert flows.flows == ()
    assert flows.is_whole


async def test_a_history_without_a_status_holds_what_is_done() -> None:
    flows = await read_flows(session(binance([row(status=None)])), since(), NOW, SPOT)
    assert len(flows.flows) == 1


async def test_flows_that_are_stored_already_are_left_out() -> None:
    both = binance([row(), row(id="d2")])
    flows = await read_flows(session(both), since(SINCE, ("in", "d1"), ("out", "d2")), NOW, SPOT)
    assert [flow.external_id for flow in flows.flows] == ["d2"]


async def test_nothing_is_asked_when_no_flows_are_wanted() -> None:
    exchange = binance()
    flows = await read_flows(session(exchange), since(None), NOW, SPOT)
    assert (flows.flows, flows.is_whole, exchange.asked) == ((), True, [])


async def test_a_long_time_is_asked_in_windows_of_ninety_days() -> None:
    exchange = binance()
    await read_flows(session(exchange), since(Millis(NOW - 200 * DAY)), NOW, SPOT)
    spans = [(args[1], args[3]["endTime"]) for name, args in exchange.asked if "dep" in name]
    assert spans == [
        (NOW - 200 * DAY, NOW - 110 * DAY),
        (NOW - 110 * DAY, NOW - 20 * DAY),
        (NOW - 20 * DAY, NOW),
    ]


async def test_a_full_page_is_halved_until_nothing_can_be_missing() -> None:
    def newest_thousand(_code: Any, start: int, limit: int, params: dict[str, int]) -> list[Any]:
        rows = [row(id=f"d{n}", timestamp=SINCE + n * 60_000) for n in range(2500)]
        inside = [r for r in rows if start <= r["timestamp"] <= params["endTime"]]
        return inside[-limit:]

    flows = await read_flows(session(binance(newest_thousand)), since(), NOW, SPOT)
    assert flows.is_whole
    assert len(flows.flows) == 2500


async def test_a_history_without_end_is_given_up_and_said_so() -> None:
    def always_full(*_args: Any) -> list[Any]:
        return [row(id=f"d{n}") for n in range(1000)]

    exchange = binance(always_full)
    flows = await read_flows(session(exchange), since(), NOW, SPOT)
    assert not flows.is_whole
    assert len([name for name, _ in exchange.asked if name == "fetch_deposits"]) == MOST_PAGES


async def test_a_full_page_that_cannot_be_halved_is_said_so() -> None:
    full = [row(id=f"d{n}") for n in range(50)]
    flows = await read_flows(session(binance(full), SOMEWHERE), since(), NOW, SPOT)
    assert not flows.is_whole
    assert len(flows.flows) == 50


async def test_a_venue_without_a_rule_is_asked_once_without_an_end() -> None:
    exchange = binance()
    await read_flows(session(exchange, SOMEWHERE), since(Millis(NOW - 200 * DAY)), NOW, SPOT)
    assert [args for _, args in exchange.asked] == 2 * [(None, NOW - 200 * DAY, 50, {})]


async def test_without_an_id_the_transaction_gives_one_that_never_changes() -> None:
    rows = [row(id=None), row(id=None, amount="0.6"), row(id=None, address="elsewhere")]
    first = await read_flows(session(binance(rows)), since(), NOW, SPOT)
    again = await read_flows(session(binance(reversed(rows))), since(), NOW, SPOT)
    ids = {flow.external_id for flow in first.flows}
    assert len(ids) == 3
    assert ids == {flow.external_id for flow in again.flows}


async def test_the_same_row_on_two_pages_is_one_flow() -> None:
    flows = await read_flows(session(binance([row(), row()])), since(), NOW, SPOT)
    assert len(flows.flows) == 1


async def test_transfers_of_the_funding_wallet_do_not_touch_spot() -> None:
    flows = await read_flows(session(binance([row(info={"walletType": 1})])), since(), NOW, SPOT)
    assert flows.flows == ()


async def test_what_is_older_than_asked_is_left_out() -> None:
    flows = await read_flows(session(binance([row(timestamp=SINCE - 1)])), since(), NOW, SPOT)
    assert flows.flows == ()


async def test_a_fee_with_its_currency_behind_it_is_understood() -> None:
    odd = row(type="withdrawal", fee={"currency": "ETH", "cost": "0.01000000eth"})
    flows = await read_flows(session(binance((), [odd])), since(), NOW, SPOT)
    assert (flows.flows[0].fee, flows.flows[0].fee_asset) == (Decimal("0.01"), "ETH")


async def test_a_venue_with_one_history_for_both_tells_the_directions_apart() -> None:
    rows = [row(), row(id="w1", type="withdrawal", amount="-0.2")]
    exchange = FakeExchange(fetch_deposits_withdrawals=[rows])
    exchange.has = {"fetchDepositsWithdrawals": True}
    flows = await read_flows(session(exchange, SOMEWHERE), since(), NOW, SPOT)
    assert flows.is_whole
    assert {(f.direction, f.amount) for f in flows.flows} == {
        ("in", Decimal("0.5")),
        ("out", Decimal("0.2")),
    }


async def test_a_venue_without_histories_leaves_the_flows_unknown() -> None:
    flows = await read_flows(session(FakeExchange(), SOMEWHERE), since(), NOW, SPOT)
    assert (flows.flows, flows.is_whole) == ((), False)


async def test_one_history_alone_is_not_the_whole() -> None:
    exchange = binance([row()])
    exchange.has = {"fetchDeposits": True}
    flows = await read_flows(session(exchange, SOMEWHERE), since(), NOW, SPOT)
    assert (len(flows.flows), flows.is_whole) == (1, False)


@pytest.mark.parametrize(
    "mro",
    [
        ("PermissionDenied", "AuthenticationError", "BaseError"),
        ("NotSupported", "ExchangeError", "BaseError"),
        ("BadRequest", "ExchangeError", "BaseError"),
    ],
)
async def test_a_key_that_may_not_see_the_history_leaves_the_flows_unknown(
    mro: tuple[str, ...],
) -> None:
    exchange = binance([row()], lambda *_: ccxt_error(*mro))
    flows = await read_flows(session(exchange), since(), NOW, SPOT)
    assert (len(flows.flows), flows.is_whole) == (1, False)


@pytest.mark.parametrize(
    ("mro", "kind"),
    [
        (("DDoSProtection", "NetworkError", "BaseError"), FailureKind.RATE_LIMITED),
        (("RequestTimeout", "NetworkError", "BaseError"), FailureKind.UNREACHABLE),
    ],
)
async def test_a_venue_that_cannot_be_asked_fails_the_reading(
    mro: tuple[str, ...], kind: FailureKind
) -> None:
    with pytest.raises(ConnectorFailure) as caught:
        await read_flows(session(binance(lambda *_: ccxt_error(*mro))), since(), NOW, SPOT)
    assert caught.value.kind is kind


@pytest.mark.parametrize(
    "broken",
    [row(amount=None), row(amount="0"), row(currency=None), row(timestamp=None), row(amount="NaN")],
)
async def test_a_row_without_its_amount_leaves_the_flows_unknown(broken: Any) -> None:
    flows = await read_flows(session(binance([broken])), since(), NOW, SPOT)
    assert flows.flows == ()
    assert not flows.is_whole


async def test_an_object_instead_of_a_list_leaves_the_flows_unknown() -> None:
    exchange = binance(lambda *_: {"info": {}})
    flows = await read_flows(session(exchange), since(), NOW, SPOT)
    assert not flows.is_whole


async def test_the_venue_is_named_by_family() -> None:
    us = replace(BINANCE, id="binanceus", family=("binanceus", "binance"))
    exchange = binance()
    await read_flows(session(exchange, us), since(), NOW, SPOT)
    assert exchange.asked[0][1][3] == {"endTime": NOW}


async def test_without_the_spot_wallet_the_venues_history_is_not_the_accounts() -> None:
    exchange = binance([row()])
    flows = await read_flows(session(exchange), since(), NOW, {"margin"})
    assert (flows.flows, flows.is_whole, exchange.asked) == ((), False, [])
