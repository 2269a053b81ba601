from dataclasses import astuple
from decimal import Decimal
from typing import Any

import pytest

from coffers.connectors.exchange.amounts import Amounts
from coffers.connectors.exchange.rules import Rows
from coffers.connectors.exchange.wallet_rows import (
    code_of,
    fitting,
    is_void,
    row_amounts,
    rows_at,
)
from coffers.connectors.reading import ConnectorFailure
from coffers.money import add, parse, subtract
from unit.connectors.exchange.fakes import BINANCE

MARGIN = Rows("asset", free=["free"], held=["locked", "frozen"], borrowed="debt", interest="due")
FUTURES = Rows(
    "asset",
    free=["available", "usable"],
    held=["margin"],
    wallet="wallet",
    equity="equity",
    unrealised="upl",
    borrowed="debt",
    interest="due",
)
UNTOLD_PROFIT = Rows("asset", free=["available"], wallet="wallet", equity="equity")


def told(amounts: Amounts) -> tuple[str, ...]:
    return tuple(f"{amount.normalize():f}" for amount in astuple(amounts))


@pytest.mark.parametrize(
    ("row", "amounts"),
    [
        ({"free": "1.5", "locked": "0.5", "frozen": "1"}, ("1.5", "1.5", "0", "0", "0")),
        ({"free": "1", "debt": "3", "due": "0.1"}, ("1", "0", "3", "0.1", "0")),
        ({"locked": "2"}, ("0", "2", "0", "0", "0")),
    ],
)
def test_a_margin_wallet_parts_debts_from_interest(
    row: dict[str, Any], amounts: tuple[str, ...]
) -> None:
    assert told(row_amounts(row, MARGIN)) == amounts


@pytest.mark.parametrize(
    ("row", "amounts"),
    [
        # A part of the wallet is free, the rest is margin.
        ({"equity": "11", "upl": "1", "available": "4"}, ("4", "6", "0", "0", "1")),
        # Unrealised profit makes more usable than the wallet holds.
        ({"equity": "13", "upl": "3", "available": "12"}, ("10", "0", "0", "0", "3")),
        # A loss makes less than nothing usable.
        ({"equity": "2", "upl": "-8", "available": "-1"}, ("0", "10", "0", "0", "-8")),
        # The second name of what is free; and none, but the margin.
        ({"equity": "10", "upl": "0", "available": "", "usable": "7"}, ("7", "3", "0", "0", "0")),
        ({"equity": "10", "upl": "0", "margin": "4"}, ("6", "4", "0", "0", "0")),
        # Debts are part of the equity.
        (
            {"equity": "7", "debt": "3", "due": "0.5", "available": "1"},
            ("1", "9.5", "3", "0.5", "0"),
        ),
        # A wallet below zero is a debt; so is what a told debt does not explain.
        ({"equity": "-5", "upl": "0"}, ("0", "0", "5", "0", "0")),
        ({"equity": "-5", "upl": "1", "debt": "4"}, ("0", "0", "6", "0", "1")),
        # Without an equity it is the wallet and the profit.
        ({"wallet": "10", "upl": "-2.5", "available": "3"}, ("3", "7", "0", "0", "-2.5")),
        ({"wallet": "10", "available": "3"}, ("3", "7", "0", "0", "0")),
    ],
)
def test_a_margined_wallet_comes_to_its_equity(
    row: dict[str, Any], amounts: tuple[str, ...]
) -> None:
    found = row_amounts(row, FUTURES)
    assert told(found) == amounts
    has = add(add(found.free, found.in_orders), found.unrealised)
    owned = subtract(has, add(found.borrowed, found.interest))
    told_equity = row.get("equity") or add(parse(row["wallet"]), parse(row.get("upl", "0")))
    assert owned == parse(told_equity)


def test_what_equity_has_beyond_the_wallet_is_unrealised() -> None:
    row = {"equity": "302.62729214", "wallet": "302.60065765", "available": "301"}
    assert told(row_amounts(row, UNTOLD_PROFIT))[-1] == "0.02663449"


@pytest.mark.parametrize(
    ("rule", "row"),
    [
        (MARGIN, {}),
        (MARGIN, {"free": "-1"}),
        (MARGIN, {"free": "1", "locked": "-1"}),
        (MARGIN, {"free": "1", "debt": "-1"}),
        (FUTURES, {"available": "1"}),
        (FUTURES, {"equity": "1", "due": "-1"}),
    ],
)
def test_amounts_that_make_no_sense_are_refused(rule: Rows, row: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="amount"):
        row_amounts(row, rule)


ONE: dict[str, Any] = {"asset": "BTC"}


@pytest.mark.parametrize(
    ("answer", "path", "rows"),
    [
        ([ONE], "", [ONE]),
        (ONE, "", [ONE]),
        ([], "", []),
        ({"data": [ONE]}, "data", [ONE]),
        ({"data": ONE}, "data", [ONE]),
        ({"data": [{"details": [ONE]}, {"details": []}]}, "data.*.details", [ONE]),
        ({"assets": []}, "assets.*.baseAsset", []),
        ({}, "data", None),
        (None, "", None),
        ([[]], "", None),
        (["BTC"], "", None),
        ({"data": None}, "data", None),
        ({"data": {"details": []}}, "data.*.details", None),
        ({"data": [{}]}, "data.*.details", None),
        ({"held": {"xbt": "1"}}, "held.@", [{"@": "xbt", "": "1"}]),
        ({"held": {"XBT": ONE}}, "held.@", [{"@": "XBT", **ONE}]),
        ({"held": {}}, "held.@", []),
        ({"held": [ONE]}, "held.@", None),
    ],
)
def test_entries_are_found_where_they_must_be(
    answer: object, path: str, rows: list[object] | None
) -> None:
    assert rows_at(answer, path) == rows


def test_the_first_rule_that_fits_counts_and_none_is_an_outage() -> None:
    classic = Rows("asset", paths=("assets.*.base", "assets.*.quote"))
    unified = Rows("coin", paths=("coins",))
    both = [classic, unified]
    found = fitting(BINANCE, both, {"assets": [{"base": ONE, "quote": {"asset": "USDT"}}]})
    assert found == [(classic, [ONE, {"asset": "USDT"}])]
    assert fitting(BINANCE, both, {"coins": []}) == [(unified, [])]
    with pytest.raises(ConnectorFailure, match="shape of a balance"):
        fitting(BINANCE, both, {"assets": [{"base": ONE}]})


def test_further_entries_of_an_answer_must_be_there_too() -> None:
    profit = Rows(paths=("flex",), asset="USD", equity="pnl", unrealised="pnl")
    held = Rows("@", paths=("flex.held.@",), wallet="quantity", also=[profit])
    answer = {"flex": {"held": {"XBT": {"quantity": "1"}}, "pnl": "-2.5"}}
    (_, (bitcoin,)), (_, (dollar,)) = fitting(BINANCE, [held], answer)
    assert (code_of(bitcoin, held), code_of(dollar, profit)) == ("XBT", "USD")
    assert row_amounts(bitcoin, held) == Amounts(Decimal(1), Decimal(0), Decimal(0))
    assert row_amounts(dollar, profit).unrealised == Decimal("-2.5")
    with pytest.raises(ConnectorFailure, match="shape of a balance"):
        fitting(BINANCE, [held], {"flex": {"pnl": "0"}})


@pytest.mark.parametrize("row", [{}, {"asset": None}, {"asset": ""}, {"asset": 7}])
def test_an_entry_without_the_name_of_an_asset_has_none(row: dict[str, Any]) -> None:
    assert code_of(row, Rows("asset")) is None


def test_a_field_may_lie_deeper_in_an_entry() -> None:
    rule = Rows("code", free=["aux.free"], equity="aux.value", unrealised="aux.profit")
    row = {"code": "xrp", "aux": {"free": "9", "value": "11.5", "profit": "0.5"}}
    amounts = row_amounts(row, rule)
    assert (amounts.free, amounts.in_orders, amounts.unrealised) == (9, 2, Decimal("0.5"))


def test_an_entry_that_the_venue_marks_void_is_none() -> None:
    rule = Rows("asset", skip={"updateTime": ["0"]})
    assert is_void({"updateTime": 0}, rule)
    assert not is_void({"updateTime": 1625474304765}, rule)
    assert not is_void({}, rule)
