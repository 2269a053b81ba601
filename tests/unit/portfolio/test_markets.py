"""Which markets can be connected here, and which of them one key opens."""

import pytest

from coffers.errors import InvalidRecord
from coffers.markets.catalogue import load_catalogue
from coffers.portfolio.connecting import STORED_FIELDS
from coffers.portfolio.markets import connectable, types_to_connect
from factories import account

CATALOGUE = load_catalogue()


def test_only_markets_with_a_venue_and_known_fields_can_be_connected() -> None:
    found = connectable(CATALOGUE)
    assert "binance" in {market.code for market in found}
    assert all(market.venue for market in found)
    assert all(STORED_FIELDS.issuperset(market.required_fields) for market in found)
    assert len(found) < len(list(CATALOGUE))


def test_a_key_of_binance_opens_its_other_markets_the_asked_one_first() -> None:
    found = types_to_connect(CATALOGUE, "binance_margin", [], None)
    codes = [each.code for each in found]
    assert codes[0] == "binance_margin"
    assert {"binance", "binance_futures", "binance_futures_coin"} < set(codes)
    assert "binance_us" not in codes
    assert not any(each.is_connected or each.is_unified for each in found)
    assert all(each.is_available for each in found)


@pytest.mark.parametrize(
    ("key", "connected"), [("k1", True), ("k2", False), (None, True), ("", True)]
)
def test_what_is_connected_is_told_of_the_key_or_of_any(key: str | None, connected: bool) -> None:
    mine = [account(market_code="binance", api_key="k1")]
    found = types_to_connect(CATALOGUE, "binance", mine, key)
    assert found[0].is_connected is connected
    assert not any(each.is_connected for each in found[1:])


def test_markets_that_may_share_one_balance_say_so() -> None:
    assert all(each.is_unified for each in types_to_connect(CATALOGUE, "bybit", [], None))


def test_a_market_without_a_venue_is_alone_and_not_available() -> None:
    (found,) = types_to_connect(CATALOGUE, "binance_tr", [], None)
    assert not found.is_available


def test_a_market_that_there_is_not_is_named() -> None:
    with pytest.raises(InvalidRecord) as raised:
        types_to_connect(CATALOGUE, "nowhere", [], None)
    assert raised.value.attributes == {"type": ["does not have a valid value"]}
