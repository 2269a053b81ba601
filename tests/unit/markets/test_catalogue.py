"""The catalogue that ships: complete, free of clashes, and the same as what clients know."""

import json
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from coffers.markets.catalogue import MANUAL, PAPER, Market, load_catalogue

ROOT = Path(__file__).parents[3]
KNOWN = json.loads((ROOT / "scripts/data/known_markets.json").read_bytes())["markets"]
EXAMPLE = json.loads((ROOT / "tests/data/compat/list_accounts_example.json").read_bytes())[0]
VENUES = 104
"""How many venues the exchange library has, second names of the same left out."""

MARKETS = list(load_catalogue())
FLAGS = [field.name for field in fields(Market) if field.type is bool]
NOT_TRADING = set(FLAGS) - {"stats_supported", "available_include_in_summary", "deposit_enabled"}


def market(code: str) -> Market:
    found = load_catalogue().get(code)
    assert found is not None
    return found


@pytest.mark.parametrize("known", KNOWN, ids=lambda known: known["market_code"])
def test_every_code_that_clients_know_is_there_with_the_fields_that_they_send(
    known: dict[str, Any],
) -> None:
    ours = market(known["market_code"])

    assert known["required_fields"] in (None, list(ours.required_fields))
    assert known["optional_fields"] == list(ours.optional_fields)
    assert known["pretty_display_type"] in (None, ours.pretty_display_type)
    assert known["market_types"] in (None, list(ours.market_types))


def test_binance_us_has_every_value_of_the_published_example() -> None:
    ours = market("binance_us")

    assert {flag: getattr(ours, flag) for flag in FLAGS} == {flag: EXAMPLE[flag] for flag in FLAGS}
    assert list(ours.market_types) == EXAMPLE["supported_market_types"]
    assert ours.pretty_display_type == EXAMPLE["pretty_display_type"]
    assert ours.exchange_name == EXAMPLE["exchange_name"]
    assert ours.name == "Binance US"


def test_every_venue_of_the_exchange_library_has_a_market() -> None:
    venues = {each.venue for each in MARKETS if each.venue is not None}

    assert len(venues) == VENUES
    assert {"binance", "okx", "htx", "gate", "bybiteu", "hyperliquid", "krakenfutures"} <= venues


def test_the_codes_are_unique_sorted_and_safe_in_an_address() -> None:
    codes = [each.code for each in MARKETS]

    assert codes == sorted(set(codes))
    assert all(code.replace("_", "").isalnum() and code.isascii() for code in codes)
    assert all(code == code.lower() for code in codes)


def test_display_types_are_unique_and_names_are_not_empty() -> None:
    assert len({each.pretty_display_type for each in MARKETS}) == len(MARKETS)
    assert all(each.name and each.exchange_name for each in MARKETS)


@pytest.mark.parametrize(
    ("code", "venue", "types"),
    [
        ("huobi", "htx", ("spot",)),
        ("okex", "okx", ("spot",)),
        ("gate_io", "gate", ("spot",)),
        ("bybit", "bybit", ("futures",)),
        ("bybit_spot", "bybit", ("spot",)),
        ("bitget", "bitget", ("spot",)),
        ("binance_margin", "binance", ("margin",)),
        ("krakenfutures", "krakenfutures", ("futures",)),
    ],
)
def test_a_code_leads_to_its_venue_and_type(code: str, venue: str, types: tuple[str, ...]) -> None:
    assert (market(code).venue, market(code).market_types) == (venue, types)


def test_deribit_has_one_wallet_and_so_one_market() -> None:
    assert [each.code for each in MARKETS if each.venue == "deribit"] == ["deribit"]


@pytest.mark.parametrize("code", ["bitmex", "binance_tr", "deribit_testnet"])
def test_a_market_that_the_library_cannot_reach_stays_listed_and_allows_nothing(code: str) -> None:
    ours = market(code)

    assert not ours.connectable
    assert not any(getattr(ours, flag) for flag in FLAGS)


@pytest.mark.parametrize("code", ["ethereumwallet", "trx", "bsc", "paper_trading"])
def test_wallets_and_paper_accounts_can_be_valued_but_not_traded(code: str) -> None:
    ours = market(code)

    assert not ours.connectable
    assert ours.stats_supported
    assert ours.available_include_in_summary
    assert not any(getattr(ours, flag) for flag in NOT_TRADING)


@pytest.mark.parametrize("code", ["hyperliquid", "dydx", "nado", "pacifica", "lighter"])
def test_a_venue_that_can_be_read_by_address_asks_for_no_private_key_and_cannot_trade(
    code: str,
) -> None:
    ours = market(code)

    assert ours.required_fields == ("address",)
    assert not any(getattr(ours, flag) for flag in NOT_TRADING)


@pytest.mark.parametrize("ours", MARKETS, ids=lambda ours: ours.code)
def test_no_flag_promises_what_another_denies(ours: Market) -> None:
    if not ours.trading_supported:
        assert not any(getattr(ours, flag) for flag in NOT_TRADING - {"hedge_mode_available"})
    if not ours.bots_allowed:
        bots = ("bots_ttp_allowed", "bots_tsl_allowed", "gordon_bots_available")
        assert not any(getattr(ours, flag) for flag in (*bots, "multi_bots_allowed"))
        assert not ours.grid_bots_allowed
    assert not (ours.hedge_mode_available and "futures" not in ours.market_types)
    assert not (ours.fast_convert_available and not ours.market_sell_supported)
    assert ours.stats_supported == ours.available_include_in_summary


@pytest.mark.parametrize("ours", MARKETS, ids=lambda ours: ours.code)
def test_what_can_be_connected_says_how_and_what_it_holds(ours: Market) -> None:
    assert bool(ours.connection_flows) == ours.connectable
    if ours.connectable:
        assert ours.required_fields
        assert ours.market_types
    assert set(ours.market_types) <= {"spot", "margin", "futures", "options"}


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("okx", "okex"),
        ("htx", "huobi"),
        ("gate", "gate_io"),
        ("coinbase", "coinbase_advanced"),
        ("Binance US", "binance_us"),
        ("BinanceUs", "binance_us"),
        ("binance-us", "binance_us"),
        ("bybt", "bybit"),
        ("binance", "binance"),
    ],
)
def test_a_misspelt_code_is_answered_with_the_one_that_was_meant(written: str, meant: str) -> None:
    assert load_catalogue().suggest(written) == meant


@pytest.mark.parametrize("written", ["", "zzzzqq", "my bank", "../../etc/passwd"])
def test_nothing_is_suggested_where_nothing_comes_near(written: str) -> None:
    assert load_catalogue().suggest(written) is None


def test_an_unknown_code_is_no_market() -> None:
    assert load_catalogue().get("nowhere") is None


def test_reading_the_catalogue_imports_no_exchange_library() -> None:
    program = (
        "import sys; from coffers.markets.catalogue import load_catalogue;"
        "from coffers.markets.icons import icon; load_catalogue(); icon('binance');"
        "sys.exit('ccxt' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0  # noqa: S603


def test_the_catalogue_is_read_once() -> None:
    assert load_catalogue() is load_catalogue()


def test_only_what_is_kept_here_is_asked_of_nobody() -> None:
    kept = {market.code for market in load_catalogue() if market.is_kept}
    assert kept == {MANUAL, PAPER}
    for market in map(load_catalogue().get, kept):
        assert market is not None
        assert not market.connectable
        assert market.required_fields == ()
        assert (market.trading_supported, market.stats_supported) == (False, True)
