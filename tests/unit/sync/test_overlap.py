"""When two accounts hold the same money: never guessed, and never where one is not counted."""

from dataclasses import replace
from typing import Any

import pytest

from coffers.connectors.reading import Reading
from coffers.markets.catalogue import Catalogue, Market, load_catalogue
from coffers.sync.overlap import same_money
from factories import NOW, account

CATALOGUE: Catalogue = load_catalogue()
MINE = Reading(NOW, frozenset({"spot"}), (), identity="mine", shared_wallet="unified account")
THERE = account(market_code="bybit", venue_identity="mine")


def market(code: str) -> Market:
    found = CATALOGUE.get(code)
    assert found is not None
    return found


def test_a_shared_wallet_of_the_same_owner_is_found_under_another_code() -> None:
    assert same_money([THERE], CATALOGUE, market("bybit_spot"), MINE) == THERE


def test_the_same_account_by_another_key_is_found_without_any_shared_wallet() -> None:
    reading = replace(MINE, shared_wallet=None)
    for code in ("bybit", "bybit_usdt_perpetual"):
        assert same_money([THERE], CATALOGUE, market(code), reading) == THERE
    assert same_money([THERE], CATALOGUE, market("bybit_spot"), reading) is None


@pytest.mark.parametrize(
    "change",
    [
        {"venue_identity": "theirs"},
        {"venue_identity": None},
        {"include_in_summary": False},
        {"mode": "paper"},
        {"market_code": "binance"},
        {"market_code": "no_such_market"},
    ],
)
def test_nothing_is_found_where_it_is_another_s_or_not_counted(change: dict[str, Any]) -> None:
    other = replace(THERE, **change)
    assert same_money([other], CATALOGUE, market("bybit_spot"), MINE) is None


def test_where_the_exchange_names_nobody_there_is_nothing_to_compare() -> None:
    reading = replace(MINE, identity=None)
    unnamed = replace(THERE, venue_identity=None)
    assert same_money([unnamed], CATALOGUE, market("bybit_spot"), reading) is None


def test_two_perpetual_wallets_of_one_customer_are_two() -> None:
    reading = replace(MINE, shared_wallet=None)
    usdt = account(market_code="gate_io_usdt_perpetual", venue_identity="mine")
    assert same_money([usdt], CATALOGUE, market("gate_io_btc_perpetual"), reading) is None
    assert same_money([usdt], CATALOGUE, market("gate_io_usdt_perpetual"), reading) == usdt
