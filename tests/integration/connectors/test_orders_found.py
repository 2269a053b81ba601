"""What is made of what exchanges tell of an order, or do not tell."""

import re
from decimal import Decimal

import pytest
from ccxt.base.errors import NotSupported

from coffers.clock import HOUR, MINUTE, Millis, SystemClock
from coffers.connectors.exchange import order_looks
from coffers.connectors.exchange.order_looks import id_at
from coffers.connectors.exchange.rules import order_rule, order_rules
from coffers.connectors.exchange.venues import family_of
from coffers.connectors.reading import ConnectorFailure
from coffers.valuation.orders import PlannedOrder
from integration.connectors.stubs import CATALOGUE, stubbed

D = Decimal
NOW = SystemClock().now()
ID = "0123456789abcdef0123456789abcdef"
BUY = PlannedOrder("ETH", "USDT", "buy", D("0.1234"))
SELL = PlannedOrder("ETH", "USDT", "sell", D("0.1234"))
BYBIT = {
    "symbol": "ETHUSDT",
    "orderType": "Market",
    "orderLinkId": ID,
    "orderId": "77",
    "orderStatus": "Filled",
    "side": "Sell",
    "qty": "0.1234",
    "cumExecQty": "0.1234",
    "cumExecValue": "308.5",
    "avgPrice": "2500",
    "cumExecFee": "0.3",
    "price": "",
    "createdTime": "1672217748287",
    "updatedTime": "1672217748287",
    "timeInForce": "IOC",
}

HTX_MISSING = {"status": "error", "err-code": "base-record-invalid", "err-msg": "x", "data": None}
KUCOIN_CLASSIC = {"code": "200000", "data": {"selfAccountMode": "CLASSIC"}}
KUCOIN_MISSING = (400, {"code": "400100", "msg": "order not exist."})
EMPTY = {
    "huobi": {"status": "ok", "data": []},
    "kucoin": {"code": "200000", "data": {"items": []}},
    "bybit_spot": {},
}

TRADED = {
    market.code: order_rule(family_of(market.venue))
    for market in CATALOGUE
    if market.venue is not None and "spot" in market.market_types and market.trading_supported
}


def bybit(*rows: object) -> dict[str, object]:
    return {"retCode": 0, "result": {"list": list(rows), "category": "spot", "nextPageCursor": ""}}


def gate_order() -> dict[str, str]:
    return {
        "id": "77",
        "text": id_at(TRADED["gate_io"], ID),
        "status": "closed",
        "type": "market",
        "currency_pair": "ETHUSDT",
        "side": "sell",
        "amount": "0.1234",
        "left": "0",
        "filled_total": "308.5",
        "create_time_ms": "1672217748287",
        "fee": "0.3",
        "fee_currency": "USDT",
        "avg_deal_price": "2500",
        "finish_as": "filled",
    }


async def unsupported(*_: object) -> None:
    raise NotSupported("not this kind of account")


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order_looks, "LOOKS", (0, 0))


def test_every_rule_is_of_an_exchange_that_trades() -> None:
    families = {name for each in CATALOGUE if each.venue for name in family_of(each.venue)}
    assert order_rules().keys() <= families


@pytest.mark.parametrize("code", [code for code, rule in TRADED.items() if rule.found_by])
async def test_where_a_no_is_believed_the_question_names_our_id(code: str) -> None:
    async with stubbed(code) as (desk, line):
        with pytest.raises(ConnectorFailure):
            await desk.find(SELL, ID, NOW)
        sent = line.sent[0]
        assert re.search(rf"\b(t-)?{id_at(TRADED[code], ID)}\b", sent.text)
        assert not re.search(r"None|null", sent.text)


@pytest.mark.parametrize("code", [code for code, rule in TRADED.items() if not rule.found_by])
async def test_elsewhere_no_order_is_asked_for_by_an_id_that_is_none(code: str) -> None:
    async with stubbed(code) as (desk, line):
        try:
            found = await desk.find(SELL, ID, NOW)
        except ConnectorFailure:
            pass
        else:
            assert found is not None
            assert found.fate == "unknown"
        assert not any(re.search(r"\bNone\b", sent.text) for sent in line.sent)


async def test_an_order_that_is_asked_for_without_our_id_may_be_there_all_the_same() -> None:
    missing = (404, {"error": {"name": "order_not_found", "message": "x"}})
    answers = {"v1/order?": missing, "v1/orders/open": [], "v1/orders/closed": []}
    async with stubbed("upbit", answers) as (desk, _):
        found = await desk.find(SELL, ID, NOW)
        assert found is not None
        assert found.fate == "unknown"


async def test_an_order_that_is_asked_for_by_our_id_and_missing_was_never_placed() -> None:
    missing = (400, {"code": -2013, "msg": "Order does not exist."})
    async with stubbed("binance", {"api/v3/order?": missing}) as (desk, _):
        assert await desk.find(SELL, ID, NOW) is None


@pytest.mark.parametrize(
    ("code", "answers", "name"),
    [
        ("bybit_spot", {"v5/order/": bybit()}, "orderLinkId"),
        ("kraken", {"Orders": {"error": [], "result": {"open": {}, "closed": {}}}}, "cl_ord_id"),
    ],
)
async def test_lists_that_were_asked_for_our_id_alone_are_believed(
    code: str, answers: dict[str, object], name: str
) -> None:
    async with stubbed(code, answers) as (desk, line):
        assert await desk.find(SELL, ID, NOW) is None
        assert len(line.sent) > 1
        assert all(f"{name}={ID}" in sent.text for sent in line.sent)


async def test_a_list_that_is_not_told_leaves_it_open_what_became_of_an_order() -> None:
    answers = {
        "OpenOrders": {"error": [], "result": {"open": {}}},
        "ClosedOrders": {"error": ["EGeneral:Unknown method"], "result": {}},
    }
    async with stubbed("kraken", answers) as (desk, _):
        with pytest.raises(ConnectorFailure):
            await desk.find(SELL, ID, NOW)


async def test_a_list_that_cannot_be_asked_for_is_no_list_that_was_told() -> None:
    async with stubbed("kraken", {"OpenOrders": {"error": [], "result": {"open": {}}}}) as (
        desk,
        _,
    ):
        desk.session.exchange.fetch_closed_orders = unsupported
        found = await desk.find(SELL, ID, NOW)
        assert found is not None
        assert found.fate == "unknown"


async def test_an_answer_that_says_nothing_of_an_order_is_no_word_of_it() -> None:
    answers = {"api/v3/order?": (400, {"code": -1, "msg": "?"}), "openOrders": [], "allOrders": []}
    async with stubbed("binance", answers) as (desk, _):
        with pytest.raises(ConnectorFailure):
            await desk.find(SELL, ID, NOW)


@pytest.mark.parametrize(
    ("code", "answers", "hours"),
    [
        ("huobi", {"getClientOrder": HTX_MISSING}, 8),
        ("kucoin", {"account/mode": KUCOIN_CLASSIC, "client-order/": KUCOIN_MISSING}, 72),
        ("bybit_spot", {"v5/order/": bybit()}, 168),
    ],
)
async def test_a_no_counts_for_as_long_as_orders_at_their_end_are_told(
    code: str, answers: dict[str, object], hours: int
) -> None:
    lists = {**answers, "": EMPTY[code]}
    async with stubbed(code, lists) as (desk, _):
        now = desk.session.now()
        sent = Millis(now - hours * HOUR)
        assert await desk.find(SELL, ID, Millis(sent + MINUTE)) is None
        for moment in (sent, None):
            found = await desk.find(SELL, ID, moment)
            assert found is not None
            assert found.fate == "unknown"


@pytest.mark.parametrize(
    "missing",
    [
        (404, {"label": "ORDER_NOT_FOUND", "message": "Order not found"}),
        (400, {"label": "CLIENT_ID_NOT_FOUND", "message": "Order with client ID not found"}),
    ],
)
@pytest.mark.parametrize("is_listed", [True, False])
async def test_gate_tells_an_order_at_its_end_among_the_closed_ones_alone(
    missing: object, is_listed: bool
) -> None:
    rows = [gate_order()] if is_listed else []
    answers = {"spot/orders/t-": missing, "spot/open_orders": [], "spot/orders?": rows}
    async with stubbed("gate_io", answers) as (desk, _):
        found = await desk.find(SELL, ID, desk.session.now())
        assert found is not None
        assert found.fate == ("filled" if is_listed else "unknown")


async def test_gate_knows_an_order_by_the_form_of_our_id_that_it_was_given() -> None:
    async with stubbed("gate_io", {"spot/orders/t-": gate_order()}) as (desk, _):
        found = await desk.find(SELL, ID, NOW)
        assert found is not None
        assert (found.fate, found.filled, found.venue_id) == ("filled", D("0.1234"), "77")


async def test_bybit_tells_an_order_of_an_unified_account_after_it_was_placed() -> None:
    answers = {
        "order/create": {"retCode": 0, "result": {"orderId": "77", "orderLinkId": ID}},
        "order/realtime": bybit(BYBIT),
    }
    async with stubbed("bybit_spot", answers) as (desk, _):
        placed = await desk.place(SELL, ID)
        assert (placed.fate, placed.filled, placed.cost) == ("filled", D("0.1234"), D("308.5"))


async def test_an_order_that_was_cancelled_half_way_is_found() -> None:
    row = {**BYBIT, "orderStatus": "PartiallyFilledCanceled", "cumExecQty": "0.1"}
    answers = {"order/realtime": bybit(), "order/history": bybit(row)}
    async with stubbed("bybit_spot", answers) as (desk, line):
        found = await desk.find(SELL, ID, NOW)
        assert found is not None
        assert (found.fate, found.filled) == ("partly", D("0.1"))
        assert not any("orderStatus=Filled" in sent.url for sent in line.sent)


async def test_an_order_that_is_told_no_more_by_its_id_is_found_among_the_closed_ones() -> None:
    def row(state: str, left: str) -> list[object]:
        told = [9876, None, 1, "ETHUSDT", 1672217748287, 1672217748287, left, "-0.1234"]
        rest = [None] * 3
        return [*told, "EXCHANGE MARKET", *rest, 0, state, None, None, 2500, 2500, *[None] * 14]

    placed = [1, "on-req", None, None, [row("ACTIVE", "-0.1234")], None, "SUCCESS", "Submitting"]
    answers = {
        "w/order/submit": placed,
        "r/orders/ETHUSDT/hist": [row("EXECUTED @ 2500.0(-0.1234)", "0")],
        "r/orders/": [],
    }
    async with stubbed("bitfinex", answers) as (desk, line):
        done = await desk.place(SELL, ID)
        assert (done.fate, done.filled, done.venue_id) == ("filled", D("0.1234"), "9876")
        assert re.search(r'"cid":\d+[,}]', line.sent[0].body)


async def test_an_order_that_is_listed_nowhere_keeps_its_id() -> None:
    answers = {
        "order/create": {"retCode": 0, "result": {"orderId": "77", "orderLinkId": ID}},
        "order/": bybit(),
    }
    async with stubbed("bybit_spot", answers) as (desk, _):
        placed = await desk.place(SELL, ID)
        assert (placed.fate, placed.venue_id) == ("unknown", "77")


async def test_a_purchase_of_which_the_cost_was_told_is_filled_whatever_came() -> None:
    order = {
        "order_id": "77",
        "product_id": "ETHUSDT",
        "side": "BUY",
        "status": "FILLED",
        "filled_size": "0.12339",
        "average_filled_price": "2500.3",
        "order_type": "MARKET",
        "filled_value": "308.512",
        "total_fees": "1.2",
        "created_time": "2024-01-01T00:00:00Z",
    }
    answers = {
        "product_book": {"pricebook": {"asks": [{"price": "2500.17", "size": "9"}], "bids": []}},
        "orders/historical/77": {"order": order},
        "brokerage/orders": {"success": True, "success_response": {"order_id": "77"}},
    }
    async with stubbed("coinbase_advanced", answers) as (desk, _):
        placed = await desk.place(BUY, ID)
        assert (placed.fate, placed.filled) == ("filled", D("0.12339"))


async def test_a_fee_of_nothing_is_a_fee_that_was_told() -> None:
    fill = {"price": "2500", "qty": "0.1234", "commission": "0.00000000", "commissionAsset": "USDT"}
    answer = {
        "symbol": "ETHUSDT",
        "orderId": 77,
        "clientOrderId": ID,
        "transactTime": 1672217748287,
        "price": "0",
        "origQty": "0.1234",
        "executedQty": "0.1234",
        "cummulativeQuoteQty": "308.5",
        "status": "FILLED",
        "timeInForce": "GTC",
        "type": "MARKET",
        "side": "SELL",
    }
    async with stubbed("binance", {"api/v3/order": {**answer, "fills": [fill]}}) as (desk, _):
        placed = await desk.place(SELL, ID)
        assert (placed.fate, placed.fee, placed.fee_asset) == ("filled", D(0), "USDT")
    async with stubbed("binance", {"api/v3/order": answer}) as (desk, _):
        placed = await desk.place(SELL, ID)
        assert (placed.fate, placed.fee, placed.fee_asset) == ("filled", None, None)
