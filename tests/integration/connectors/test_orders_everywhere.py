"""What is sent of an order at every exchange that can trade, and what is made of its answers."""

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from coffers.connectors.exchange.order_looks import id_at
from coffers.connectors.exchange.rules import OrderRule, order_rule
from coffers.connectors.exchange.trading import VenueDesk
from coffers.connectors.exchange.venues import family_of
from coffers.connectors.reading import ConnectorFailure
from coffers.connectors.trading import NotDone
from coffers.valuation.orders import PlannedOrder
from integration.connectors.stubs import ASK, BID, CATALOGUE, Line, stubbed

D = Decimal
ID = "0123456789abcdef0123456789abcdef"
BUY = PlannedOrder("ETH", "USDT", "buy", D("0.1234"))
SELL = PlannedOrder("ETH", "USDT", "sell", D("0.1234"))

TRADED = {
    market.code: order_rule(family_of(market.venue))
    for market in CATALOGUE
    if market.venue is not None and "spot" in market.market_types and market.trading_supported
}
UNREACHED = {"coinbaseinternational"}
"""Exchanges that are asked for something before an order that is not made up here."""

REFUSED = {
    *("btcbox", "cex", "coinone", "coinspot", "delta", "derive", "gemini", "p2b", "zaif", "zebpay"),
}
"""Exchanges at which the library places no market orders of this kind, or wrong ones."""

NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?![\w.])")
AMOUNTS = {D("0.1234"), D(12340000)}
"""The amount of the orders, and what Phemex makes of it."""

COST = D("0.1234") * D(ASK)


def numbers(line: Line) -> set[Decimal]:
    return {D(number) for sent in line.sent for number in NUMBER.findall(sent.text)}


def is_cost(number: Decimal) -> bool:
    # Bithumb's prices have four digits.
    return D("0.995") < number / COST < D("1.0005")


async def placed_at(desk: VenueDesk, order: PlannedOrder) -> str:
    async def book(*_: Any) -> Any:
        return {"asks": [[ASK, "100"]], "bids": [[BID, "100"]]}

    desk.session.exchange.fetch_order_book = book
    try:
        return (await desk.place(order, ID)).fate
    except (ConnectorFailure, NotDone):
        return "lost"


@pytest.mark.parametrize("code", TRADED)
async def test_a_purchase_sends_an_amount_to_buy_or_what_that_costs(code: str) -> None:
    async with stubbed(code) as (desk, line):
        fate = await placed_at(desk, BUY)
        if TRADED[code].buys is None:
            assert (fate, line.sent) == ("refused", [])
            return
        sent = numbers(line)
        has_amount, has_cost = bool(sent & AMOUNTS), any(is_cost(number) for number in sent)
        assert (has_amount, has_cost) == (TRADED[code].buys == "base", TRADED[code].buys != "base")


@pytest.mark.parametrize("code", sorted(TRADED.keys() - UNREACHED))
async def test_a_sale_sends_its_amount(code: str) -> None:
    async with stubbed(code) as (desk, line):
        fate = await placed_at(desk, SELL)
        if code in REFUSED:
            assert (fate, line.sent) == ("refused", [])
            return
        sent = numbers(line)
        assert sent & AMOUNTS
        assert not any(is_cost(number) for number in sent)


def test_the_docs_name_where_what_is_not_done() -> None:
    told = (Path(__file__).parents[3] / "docs" / "api.md").read_text()
    names = {market.code: market.name for market in CATALOGUE}
    unbought = [code for code, rule in TRADED.items() if not rule.buys and code not in REFUSED]
    for codes, before in ((unbought, "is bought at "), (REFUSED, "placed at all at ")):
        *others, last = sorted((names[code] for code in codes), key=str.casefold)
        assert f"{before}{', '.join(others)} and {last}" in told


async def test_a_purchase_in_an_account_that_pays_by_amount_is_refused() -> None:
    mode = {"retCode": 0, "result": {"unified": 0, "uta": 0, "userID": 1}}
    info = {"retCode": 0, "result": {"unifiedMarginStatus": 1}}
    async with stubbed("bybit_spot", {"user/query-api": mode, "account/info": info}) as (
        desk,
        line,
    ):
        assert await placed_at(desk, BUY) == "refused"
        assert not any("order/create" in sent.url for sent in line.sent)


async def test_an_unified_account_at_bitget_is_sent_no_purchase_in_its_own_way() -> None:
    told = {"code": "00000", "data": {"accountMode": "unified"}}
    async with stubbed("bitget", {"v3/account/settings": told}) as (desk, line):
        await placed_at(desk, BUY)
        assert [sent.url for sent in line.sent if "order" in sent.url] == [
            "https://api.bitget.com/api/v2/spot/trade/place-order"
        ]


async def test_what_the_book_does_not_tell_is_not_bought() -> None:
    async with stubbed("gate_io") as (desk, line):
        with pytest.raises(NotDone):
            await desk.place(BUY, ID)
        assert not any("orders" in sent.url for sent in line.sent)


@pytest.mark.parametrize("code", TRADED)
async def test_every_order_book_can_be_asked_for(code: str) -> None:
    async with stubbed(code) as (desk, line):
        with pytest.raises(ConnectorFailure):
            await desk.worth(SELL)
        assert len(line.sent) == (0 if code == "derive" else 1)


@pytest.mark.parametrize(
    ("rule", "form"),
    [
        (OrderRule(), ID),
        (OrderRule(id_form="uuid"), "01234567-89ab-cdef-0123-456789abcdef"),
        (OrderRule(id_form="number", id_bits=45), 0x0567_89AB_CDEF),
        (OrderRule(id_form="gate"), "t-2fapl4n1azs5kkwzrxa98bn3"),
    ],
)
def test_an_id_of_ours_has_the_form_that_a_venue_takes(rule: OrderRule, form: str | int) -> None:
    assert id_at(rule, ID) == form


@pytest.mark.parametrize("code", ["gate_io", "gateeu"])
async def test_gate_takes_an_id_of_28_characters_at_most(code: str) -> None:
    async with stubbed(code) as (desk, line):
        await placed_at(desk, SELL)
        [sent] = line.sent
        [own] = re.findall(r'"text":"([^"]+)"', sent.body)
        assert re.fullmatch(r"t-[0-9a-z]{1,26}", own)


@pytest.mark.parametrize(
    ("code", "name"),
    [
        *(("coinbase_advanced", "client_order_id"), ("crypto_com", "client_oid")),
        *(("toobit", "newClientOrderId"), ("bitvavo", "clientOrderId")),
    ],
)
async def test_an_order_carries_our_id_where_the_library_does_not_know_it(
    code: str, name: str
) -> None:
    async with stubbed(code) as (desk, line):
        await placed_at(desk, SELL)
        [sent] = line.sent
        own = str(id_at(TRADED[code], ID))
        assert re.search(rf'{name}(=|":"){own}', sent.text)


async def test_what_the_library_refuses_was_not_placed_and_the_reason_is_told() -> None:
    async with stubbed("cex") as (desk, line):
        placed = await desk.place(SELL, ID)
        assert placed.fate == "refused"
        assert placed.why is not None
        assert "API trading is now allowed from main account" in placed.why
        assert line.sent == []


async def test_a_list_without_bids_and_asks_has_the_last_price_for_both() -> None:
    product = {
        "product_id": "ETHUSDT",
        "price": "2500.1",
        "base_currency_id": "ETH",
        "quote_currency_id": "USDT",
    }
    async with stubbed("coinbase_advanced", {"products": {"products": [product]}}) as (desk, _):
        [pair] = await desk.quoted()
        assert (pair.bid, pair.ask) == (D("2500.1"), D("2500.1"))


async def test_a_market_order_may_be_no_larger_than_the_exchange_takes_without_a_price() -> None:
    async with stubbed("binance", {"ticker": []}) as (desk, _):
        limits = desk.session.exchange.markets["ETH/USDT"]["limits"]
        limits["amount"] = {"min": "1.00", "max": "9222449300.00"}
        limits["market"] = {"min": "0.00", "max": "19000000.5"}
        [pair] = await desk.quoted()
        assert (pair.limits.min_amount, pair.limits.max_amount) == (D(1), D("19000000.5"))


async def test_an_order_whose_answer_never_came_may_have_been_placed() -> None:
    async with stubbed("binance") as (desk, line):
        with pytest.raises(ConnectorFailure):
            await desk.place(SELL, ID)
        assert len(line.sent) == 1
