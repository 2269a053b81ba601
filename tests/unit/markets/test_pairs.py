"""Which pairs accounts of a market trade."""

from dataclasses import replace

import pytest

from coffers.markets.catalogue import load_catalogue
from coffers.markets.pairs import SETTLED_IN, VenuePair, is_shown

SPOT = VenuePair("BTC/USDT", "spot", "BTC", "USDT", None, "BTC", "USDT", "BTCUSDT")
LINEAR = replace(SPOT, symbol="BTC/USDT:USDT", kind="linear_futures", settle="USDT")
INVERSE = replace(SPOT, symbol="BTC/USD:BTC", kind="inverse_futures", quote="USD", settle="BTC")


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("binance", {"BTC/USDT"}),
        ("bybit_spot", {"BTC/USDT"}),
        ("bybit", {"BTC/USDT:USDT", "BTC/USD:BTC"}),
        ("bybit_usdt_perpetual", {"BTC/USDT:USDT"}),
        ("gate_io_btc_perpetual", {"BTC/USD:BTC"}),
        ("bitget_usdt_futures", {"BTC/USDT:USDT"}),
    ],
)
def test_a_market_shows_the_pairs_of_its_own_kind(code: str, shown: set[str]) -> None:
    market = load_catalogue().get(code)
    assert market is not None
    assert {pair.symbol for pair in (SPOT, LINEAR, INVERSE) if is_shown(market, pair)} == shown


@pytest.mark.parametrize(("on_margin", "is_there"), [(True, True), (None, True), (False, False)])
def test_a_margin_market_shows_what_is_traded_on_margin(
    on_margin: bool | None, is_there: bool
) -> None:
    market = load_catalogue().get("binance_margin")
    assert market is not None
    assert is_shown(market, replace(SPOT, on_margin=on_margin)) is is_there


def test_the_markets_that_are_part_of_a_venue_are_in_the_catalogue() -> None:
    assert all(load_catalogue().get(code) for code in SETTLED_IN)
