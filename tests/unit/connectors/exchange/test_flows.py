from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from coffers.clock import DAY
from coffers.connectors.exchange.balances import Holdings
from coffers.connectors.exchange.failures import Venue
from coffers.connectors.reading import ConnectorFailure, FailureKind
from factories import NOW
from unit.connectors.exchange.fakes import BINANCE, FakeExchange, ccxt_error, session
from unit.connectors.exchange.flow_fakes import (
    SINCE,
    SOMEWHERE,
    SPOT,
    binance,
    holding,
    row,
    since,
    told,
)


async def test_deposits_and_withdrawals_are_flows_with_the_fee_apart() -> None:
    fee = {"currency": "BTC", "cost": "0.001"}
    out = row(id="w1", type="withdrawal", amount="0.2", fee=fee, timestamp=NOW - 2 * DAY)
    flows = await told(session(binance([row()], [out])), since(), NOW, SPOT)
    assert flows.is_whole
    assert [(f.direction, f.external_id, f.amount, f.fee, f.fee_asset) for f in flows.flows] == [
        ("out", "w1", Decimal("0.2"), Decimal("0.001"), "BTC"),
        ("in", "d1", Decimal("0.5"), Decimal(0), "BTC"),
    ]


@pytest.mark.parametrize("status", ["pending", "failed", "canceled", "rejected", "Declined"])
async def test_only_what_is_done_counts(status: str) -> None:
    flows = await told(session(binance([row(status=status)])), since(), NOW, SPOT)
    assert flows.flows == ()
    assert flows.is_whole


async def test_a_word_that_nobody_knows_may_mean_that_it_is_done() -> None:
    flows = await told(session(binance([row(status="WITHHELD")])), since(), NOW, SPOT)
    assert (flows.flows, flows.is_whole) == ((), False)


@pytest.mark.parametrize(
    ("venue", "raw"),
    [
        ("binance", {"status": 7}),
        ("okx", {"state": "14"}),
        ("gate", {"status": "BLOCKED"}),
        ("gemini", {"type": "Reward", "status": "Complete"}),
    ],
)
async def test_a_state_of_a_venues_own_in_which_nothing_has_come_in_is_known(
    venue: str, raw: dict[str, Any]
) -> None:
    exchange = binance([row(status="odd", info=raw), row(id="d2")])
    flows = await told(session(exchange, Venue(venue, venue, (venue,))), since(), NOW, SPOT)
    assert ([flow.external_id for flow in flows.flows], flows.is_read) == (["d2"], True)
    assert flows.unclear_since is None


async def test_a_deposit_that_may_be_traded_counts_and_a_withdrawal_on_its_way_does_not() -> None:
    sent = row(id="w1", status="pending", info={"state": "1"})
    exchange = binance([row(status="pending", info={"state": "1"})], [sent])
    okx = Venue("okx", "OKX", ("okx",))
    flows = await told(session(exchange, okx), since(), NOW, SPOT)
    assert [flow.external_id for flow in flows.flows] == ["d1"]


async def test_a_history_without_a_status_holds_what_is_done() -> None:
    flows = await told(session(binance([row(status=None)])), since(), NOW, SPOT)
    assert len(flows.flows) == 1


async def test_flows_that_are_stored_already_are_left_out() -> None:
    both = binance([row(), row(id="d2")])
    flows = await told(session(both), since(SINCE, ("in", "d1"), ("out", "d2")), NOW, SPOT)
    assert [flow.external_id for flow in flows.flows] == ["d2"]


async def test_nothing_is_asked_when_no_flows_are_wanted() -> None:
    exchange = binance()
    flows = await told(session(exchange), since(None), NOW, SPOT)
    assert (flows.flows, flows.is_whole, exchange.asked) == ((), True, [])


async def test_without_an_id_the_transaction_gives_one_that_never_changes() -> None:
    rows = [row(id=None), row(id=None, amount="0.6"), row(id=None, address="elsewhere")]
    first = await told(session(binance(rows)), since(), NOW, SPOT)
    again = await told(session(binance(reversed(rows))), since(), NOW, SPOT)
    ids = {flow.external_id for flow in first.flows}
    assert len(ids) == 3
    assert ids == {flow.external_id for flow in again.flows}


async def test_a_deposit_into_a_wallet_that_was_not_read_is_none_of_the_accounts() -> None:
    into_funding = row(info={"walletType": 1})
    flows = await told(session(binance([into_funding])), since(), NOW, SPOT)
    assert flows.flows == ()
    both = Holdings(frozenset({"spot", "funding"}), (), {})
    flows = await told(session(binance([into_funding])), since(), NOW, both)
    assert len(flows.flows) == 1


async def test_the_history_tells_the_way_where_a_row_does_not() -> None:
    rows = [row(type=None)], [row(id="w1", type=None)]
    flows = await told(session(binance(*rows), SOMEWHERE), since(), NOW, SPOT)
    assert {(flow.external_id, flow.direction) for flow in flows.flows} == {
        ("d1", "in"),
        ("w1", "out"),
    }


async def test_a_row_of_a_history_of_both_that_tells_no_way_leaves_the_flows_unknown() -> None:
    exchange = FakeExchange(fetch_deposits_withdrawals=[[row(), row(id="x", type="reward")]])
    exchange.has = {"fetchDepositsWithdrawals": True}
    flows = await told(session(exchange, SOMEWHERE), since(), NOW, SPOT)
    assert (len(flows.flows), flows.is_whole) == (1, False)


async def test_money_that_the_venue_tells_elsewhere_leaves_the_flows_unknown() -> None:
    okx = Venue("okx", "OKX", ("okx",))
    assert not (await told(session(binance(), okx), since(), NOW, holding("EUR"))).is_whole
    assert (await told(session(binance(), okx), since(), NOW, holding("BTC"))).is_whole


async def test_of_a_ledger_only_what_came_in_and_went_out_counts() -> None:
    ledger = [
        row(id="f1", type="transaction", direction="in"),
        row(id="f2", type="transaction", direction="out"),
        row(id="t1", type="trade", direction="in"),
        row(id="x1", type="fee", direction="out"),
    ]
    exchange = FakeExchange(fetch_ledger=[ledger])
    flows = await told(session(exchange, Venue("bitso", "Bitso", ("bitso",))), since(), NOW, SPOT)
    assert [(flow.external_id, flow.direction) for flow in flows.flows] == [
        ("f1", "in"),
        ("f2", "out"),
    ]
    assert flows.is_whole


async def test_a_venue_whose_calls_tell_something_else_is_not_asked() -> None:
    exchange = binance([row()])
    where = Venue("coincheck", "Coincheck", ("coincheck",))
    flows = await told(session(exchange, where), since(), NOW, SPOT)
    assert (flows.flows, flows.is_whole, exchange.asked) == ((), False, [])


async def test_where_deposits_go_straight_into_the_futures_wallet_that_must_be_read() -> None:
    deribit = Venue("dydx", "dYdX", ("dydx",))
    futures = Holdings(frozenset({"futures"}), (), {})
    assert (await told(session(binance([row()]), deribit), since(), NOW, futures)).is_whole
    assert not (await told(session(binance([row()]), deribit), since(), NOW, SPOT)).is_whole


async def test_what_is_older_than_asked_is_left_out() -> None:
    flows = await told(session(binance([row(timestamp=SINCE - 1)])), since(), NOW, SPOT)
    assert flows.flows == ()


async def test_a_fee_with_its_currency_behind_it_is_understood() -> None:
    odd = row(type="withdrawal", fee={"currency": "ETH", "cost": "0.01000000eth"})
    flows = await told(session(binance((), [odd])), since(), NOW, SPOT)
    assert (flows.flows[0].fee, flows.flows[0].fee_asset) == (Decimal("0.01"), "ETH")


async def test_what_ccxt_renames_keeps_the_name_that_the_venue_gave_it() -> None:
    # ccxt takes the network's name out of the coin's.
    fee = {"currency": "FI", "cost": "0.1"}
    odd = row(currency="FI", fee=fee, info={"coin": "ETHFI", "network": "ETH"})
    bingx = Venue("bingx", "BingX", ("bingx",))
    exchange = binance([odd])
    exchange.safe_currency_code = str
    flows = await told(session(exchange, bingx), since(), NOW, SPOT)
    (flow,) = flows.flows
    assert (flow.asset, flow.venue_code, flow.fee_asset) == ("ETHFI", "ETHFI", "ETHFI")


async def test_a_venue_with_one_history_for_both_tells_the_directions_apart() -> None:
    rows = [row(), row(id="w1", type="withdrawal", amount="-0.2")]
    exchange = FakeExchange(fetch_deposits_withdrawals=[rows])
    exchange.has = {"fetchDepositsWithdrawals": True}
    flows = await told(session(exchange, SOMEWHERE), since(), NOW, SPOT)
    assert flows.is_whole
    assert {(f.direction, f.amount) for f in flows.flows} == {
        ("in", Decimal("0.5")),
        ("out", Decimal("0.2")),
    }


async def test_a_venue_without_histories_leaves_the_flows_unknown() -> None:
    flows = await told(session(FakeExchange(), SOMEWHERE), since(), NOW, SPOT)
    assert (flows.flows, flows.is_whole) == ((), False)


async def test_one_history_alone_is_not_the_whole() -> None:
    exchange = binance([row()])
    exchange.has = {"fetchDeposits": True}
    flows = await told(session(exchange, SOMEWHERE), since(), NOW, SPOT)
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
    flows = await told(session(exchange), since(), NOW, SPOT)
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
        await told(session(binance(lambda *_: ccxt_error(*mro))), since(), NOW, SPOT)
    assert caught.value.kind is kind


@pytest.mark.parametrize(
    "broken",
    [row(amount=None), row(amount="0"), row(currency=None), row(timestamp=None), row(amount="NaN")],
)
async def test_a_row_without_its_amount_leaves_the_flows_unknown(broken: Any) -> None:
    flows = await told(session(binance([broken, row(id="d2")])), since(), NOW, SPOT)
    assert [flow.external_id for flow in flows.flows] == ["d2"]
    assert (flows.is_whole, flows.is_read) == (False, True)


async def test_an_object_instead_of_a_list_leaves_the_flows_unknown() -> None:
    exchange = binance(lambda *_: {"info": {"code": 503}})
    flows = await told(session(exchange), since(), NOW, SPOT)
    assert not flows.is_whole


async def test_the_venue_is_named_by_family() -> None:
    us = replace(BINANCE, id="binanceus", family=("binanceus", "binance"))
    exchange = binance()
    await told(session(exchange, us), since(), NOW, SPOT)
    assert exchange.asked[0][1][3] == {"endTime": NOW}


async def test_without_the_spot_wallet_the_venues_history_is_not_the_accounts() -> None:
    exchange = binance([row()])
    margin = Holdings(frozenset({"margin"}), (), {})
    flows = await told(session(exchange), since(), NOW, margin)
    assert (flows.flows, flows.is_whole, exchange.asked) == ((), False, [])
