"""Currencies with their networks, and deposit addresses, out of what ccxt gives."""

from decimal import Decimal
from typing import Any

import pytest

from coffers.connectors.exchange.networks import (
    currencies_of,
    deposit_address,
    max_leverage,
    read_currencies,
)
from coffers.connectors.reading import ConnectorFailure, FailureKind
from coffers.markets.pairs import DepositAddress, Network, VenueCurrency
from unit.connectors.exchange.fakes import FakeExchange, session

TRON: dict[str, Any] = {
    "id": "TRX",
    "network": "TRC20",
    "deposit": True,
    "withdraw": False,
    "fee": "0",
    "precision": "0.000001",
    "limits": {"withdraw": {"min": "10", "max": None}},
    "info": {"name": "Tron (TRC20)", "isDefault": True, "depositDesc": "", "memoRegex": "^x$"},
}


def test_a_currency_is_told_with_its_networks() -> None:
    told = {"USDT": {"id": "usdt", "name": "Tether", "networks": {"TRC20": TRON}}}
    assert currencies_of(told) == [
        VenueCurrency(
            "USDT",
            "usdt",
            "Tether",
            deposits=True,
            withdrawals=False,
            networks=(
                Network(
                    "TRX",
                    "TRC20",
                    name="Tron (TRC20)",
                    is_default=True,
                    deposits=True,
                    withdrawals=False,
                    fee=Decimal(0),
                    min_withdrawal=Decimal(10),
                    withdrawal_step=Decimal("0.000001"),
                    deposit_note="",
                    tag_form="^x$",
                ),
            ),
        )
    ]


@pytest.mark.parametrize(
    ("own", "of_networks", "can_be_deposited"),
    [
        (None, [True, None], True),
        (None, [False, False], False),
        (None, [False, None], None),
        (None, [None], None),
        (False, [True], False),
    ],
)
def test_whether_a_currency_can_be_deposited_is_known_or_none(
    own: bool | None, of_networks: list[bool | None], can_be_deposited: bool | None
) -> None:
    networks = {str(n): {"deposit": told} for n, told in enumerate(of_networks)}
    (found,) = currencies_of({"X": {"deposit": own, "networks": networks}})
    assert found.deposits is can_be_deposited


def test_currencies_of_which_only_the_name_is_known_are_left_out() -> None:
    assert currencies_of({"BTC": {"id": "BTC"}, "ETH": None}) == []  # type: ignore[dict-item]
    assert currencies_of(None) == []


async def test_networks_are_asked_for_though_readings_do_without() -> None:
    exchange = FakeExchange(fetch_currencies=[{"USDT": {"networks": {"TRC20": TRON}}}])
    exchange.has, exchange.options = {"fetchCurrencies": True}, {"fetchCurrencies": False}
    assert len(await read_currencies(session(exchange))) == 1
    assert exchange.options["fetchCurrencies"] is True


async def test_options_that_are_a_table_stay_one() -> None:
    exchange = FakeExchange(fetch_currencies=[{}])
    exchange.has, exchange.options = {"fetchCurrencies": True}, {"fetchCurrencies": {"a": 1}}
    with pytest.raises(ConnectorFailure) as failed:
        await read_currencies(session(exchange))
    assert failed.value.code == "no_networks"
    assert exchange.options["fetchCurrencies"] == {"a": 1}


async def test_a_venue_that_tells_no_networks_says_so() -> None:
    with pytest.raises(ConnectorFailure) as failed:
        await read_currencies(session(FakeExchange()))
    assert failed.value.kind is FailureKind.UNSUPPORTED


async def test_an_address_is_asked_for_by_network() -> None:
    exchange = FakeExchange(fetch_deposit_address=[{"address": "r1", "tag": 77}])
    exchange.has = {"fetchDepositAddress": True}
    told = await deposit_address(session(exchange), "XRP", "XRP")
    assert told == DepositAddress("r1", "77")
    assert exchange.asked == [("fetch_deposit_address", ("XRP", {"network": "XRP"}))]


async def test_an_address_is_found_among_those_of_all_networks() -> None:
    by_network = {"TRC20": {"address": "T1", "tag": None}}
    exchange = FakeExchange(fetch_deposit_addresses_by_network=[by_network, by_network])
    exchange.has = {"fetchDepositAddressesByNetwork": True}
    assert await deposit_address(session(exchange), "USDT", "TRC20") == DepositAddress("T1", "")
    with pytest.raises(ConnectorFailure) as failed:
        await deposit_address(session(exchange), "USDT", "ERC20")
    assert failed.value.code == "no_address"


async def test_a_venue_that_tells_no_addresses_says_so() -> None:
    with pytest.raises(ConnectorFailure) as failed:
        await deposit_address(session(FakeExchange()), "XRP", "XRP")
    assert failed.value.kind is FailureKind.UNSUPPORTED


async def test_the_most_leverage_is_that_of_the_smallest_positions() -> None:
    tiers = [{"maxLeverage": "20"}, {"maxLeverage": 125}, {"maxLeverage": None}]
    exchange = FakeExchange(fetch_market_leverage_tiers=[tiers, []])
    exchange.has = {"fetchMarketLeverageTiers": "emulated"}
    assert await max_leverage(session(exchange), "BTC/USDT:USDT") == Decimal(125)
    assert await max_leverage(session(exchange), "BTC/USDT:USDT") is None
    assert await max_leverage(session(FakeExchange()), "BTC/USDT:USDT") is None
