"""The script that makes the catalogue: its rules, on made-up venues, and its files are current."""

import importlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import msgspec
import pytest

from coffers.markets.catalogue import CatalogueFile

ROOT = Path(__file__).parents[3]
SCRIPT = ROOT / "scripts/make_catalogue.py"
TRADES = ("fetchBalance", "createOrder", "cancelOrder", "createLimitOrder")
Make = Callable[..., Any]
PRICES = ("fetchTicker", "fetchTickers", "fetchOHLCV")


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(SCRIPT.parent))
    return importlib.import_module("make_catalogue")


@pytest.fixture
def sources(script: ModuleType) -> ModuleType:
    return importlib.import_module(script.Venue.__module__)


@pytest.fixture
def venue(sources: ModuleType) -> Make:
    def make(*has: str, id_: str = "acme", **changes: Any) -> Any:
        told = {"requiredCredentials": {"apiKey": True, "secret": True, "uid": False}}
        told |= {"features": {}, "name": "Acme"} | changes
        return sources.venue_of(SimpleNamespace(id=id_, has=dict.fromkeys(has, True), **told))

    return make


@pytest.fixture
def known(sources: ModuleType) -> Make:
    def make(code: str, ccxt_id: str | None, *types: str, **changes: Any) -> Any:
        values = {"account_exchange_name": None, "pretty_display_type": None, "status": "current"}
        values |= {"required_fields": None, "optional_fields": (), "market_name": "Acme"} | changes
        return sources.Known(market_code=code, ccxt_id=ccxt_id, market_types=types, **values)

    return make


@pytest.fixture
def made(script: ModuleType) -> Make:
    def make(known: list[Any], *venues: Any) -> dict[str, Any]:
        found = script.markets(known, {venue.id: venue for venue in venues})
        return {market.code: market for market in found}

    return make


def test_a_venue_without_a_known_code_is_listed_under_the_librarys_id(
    made: Make, venue: Make
) -> None:
    market = made([], venue("spot", "swap", *TRADES))["acme"]

    assert (market.venue, market.market_types) == ("acme", ("spot",))
    assert (market.exchange_name, market.pretty_display_type) == ("Acme Spot", "Acme")
    assert market.required_fields == ("secret", "api_key")


def test_a_venue_without_spot_is_listed_with_what_it_has(made: Make, venue: Make) -> None:
    assert made([], venue("swap"))["acme"].exchange_name == "Acme Futures"
    assert made([], venue("option"))["acme"].market_types == ("options",)


def test_a_name_that_tells_the_type_is_left_alone(made: Make, venue: Make) -> None:
    futures = made([], venue("future", name="Acme Futures"))["acme"]
    spot = made([], venue("spot", name="AcmeSpot"))["acme"]

    assert (futures.exchange_name, spot.exchange_name) == ("Acme Futures", "AcmeSpot Spot")


def test_a_venue_whose_main_type_is_known_gets_no_second_market(
    made: Make, venue: Make, known: Make
) -> None:
    assert list(made([known("ac_me", "acme", "spot")], venue("spot", "swap"))) == ["ac_me"]


def test_a_known_code_for_futures_leaves_room_for_a_spot_market(
    made: Make, venue: Make, known: Make
) -> None:
    markets = made([known("acme_usdt", "acme", "futures")], venue("spot", "swap"))

    assert {code: each.market_types for code, each in markets.items()} == {
        "acme": ("spot",),
        "acme_usdt": ("futures",),
    }


def test_an_id_that_is_another_markets_code_gets_its_type_added(
    made: Make, venue: Make, known: Make
) -> None:
    markets = made([known("acme", "acme", "futures")], venue("spot", "swap"))

    assert (markets["acme"].market_types, markets["acme_spot"].market_types) == (
        ("futures",),
        ("spot",),
    )


def test_a_clash_that_cannot_be_solved_stops_the_script(
    made: Make, venue: Make, known: Make
) -> None:
    clash = [known("acme", "acme", "futures"), known("acme_spot", None, "spot")]

    with pytest.raises(SystemExit, match="acme needs a code"):
        made(clash, venue("spot"))


def test_a_known_market_whose_venue_the_library_lost_stays_listed(made: Make, known: Make) -> None:
    market = made([known("acme", "acme", "spot")])["acme"]

    assert market.venue is None
    assert not market.trading_supported
    assert not market.stats_supported


def test_a_known_market_whose_venue_the_library_took_up_again_finds_it(
    made: Make, venue: Make, known: Make
) -> None:
    assert made([known("acme", None, "spot")], venue("spot"))["acme"].venue == "acme"


def test_a_known_market_takes_the_venues_fields_where_its_own_are_unknown(
    made: Make, venue: Make, known: Make
) -> None:
    asked = {"apiKey": True, "secret": True, "password": True, "uid": True}
    place = venue("spot", requiredCredentials=asked)

    unknown = made([known("ac_me", "acme", "spot")], place)["ac_me"]
    told = made([known("ac_me", "acme", "spot", required_fields=("api_key",))], place)["ac_me"]

    assert unknown.required_fields == ("secret", "api_key", "passphrase", "customer_id")
    assert told.required_fields == ("api_key",)


def test_a_credential_without_a_name_of_ours_stops_the_script(venue: Make) -> None:
    with pytest.raises(SystemExit, match="acme asks for credentials.*retinaScan"):
        venue("spot", requiredCredentials={"retinaScan": True})


def test_a_venue_that_trades_nothing_gets_no_flag_on_trading(made: Make, venue: Make) -> None:
    market = made([], venue("spot", "fetchBalance", "createMarketOrder", *PRICES))["acme"]

    assert market.stats_supported
    assert not market.trading_supported
    assert not market.market_buy_supported
    assert not market.bots_allowed
    assert not market.fast_convert_available


def test_a_venue_without_market_orders_has_bots_that_do_not_trail(made: Make, venue: Make) -> None:
    market = made([], venue("spot", *TRADES, *PRICES))["acme"]

    assert market.bots_allowed
    assert market.multi_bots_allowed
    assert market.grid_bots_allowed
    assert not market.bots_ttp_allowed
    assert not market.bots_tsl_allowed
    assert not market.fast_convert_available


def test_buying_and_selling_at_market_are_told_apart(made: Make, venue: Make) -> None:
    market = made([], venue("spot", *TRADES, *PRICES, "createMarketBuyOrderWithCost"))["acme"]

    assert market.market_buy_supported
    assert not market.market_sell_supported
    assert not market.fast_convert_available


def test_one_price_at_a_time_allows_no_bots_over_many_pairs(made: Make, venue: Make) -> None:
    has = ("spot", *TRADES, "createMarketOrder", "fetchTicker", "fetchOHLCV")
    market = made([], venue(*has))["acme"]

    assert market.bots_allowed
    assert not market.multi_bots_allowed
    assert not market.fast_convert_available


def test_the_features_of_a_type_count_before_those_of_the_venue(
    made: Make, venue: Make, known: Make
) -> None:
    features = {
        "spot": {"createOrder": {"triggerPrice": False, "stopLossPrice": False}},
        "swap": {"linear": {"createOrder": {"triggerPrice": True}}, "inverse": None},
    }
    place = venue("spot", "swap", *TRADES, "createStopOrder", features=features)
    markets = made([known("acme_usdt", "acme", "futures")], place)

    assert not markets["acme"].conditional_buy_supported
    assert markets["acme_usdt"].conditional_buy_supported


def test_the_venues_abilities_count_where_its_features_are_silent(made: Make, venue: Make) -> None:
    assert made([], venue("spot", *TRADES, "createStopOrder"))["acme"].conditional_buy_supported
    assert not made([], venue("spot", *TRADES))["acme"].conditional_buy_supported


def test_hedging_is_for_futures_only(made: Make, venue: Make, known: Make) -> None:
    place = venue("spot", "swap", "setPositionMode")
    markets = made([known("acme_usdt", "acme", "futures")], place)

    assert markets["acme_usdt"].hedge_mode_available
    assert not markets["acme"].hedge_mode_available


def test_a_second_name_of_a_venue_is_left_out(
    sources: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    def exchange(id_: str, *, alias: bool) -> Any:
        told = {"has": {"spot": True}, "requiredCredentials": {}, "features": None}
        return lambda: SimpleNamespace(id=id_, name=id_, alias=alias, **told)

    library = SimpleNamespace(
        __version__="1",
        exchanges=["acme", "acme2"],
        acme=exchange("acme", alias=False),
        acme2=exchange("acme2", alias=True),
    )
    monkeypatch.setitem(sys.modules, "ccxt", library)

    version, venues = sources.library()

    assert (version, list(venues)) == ("1", ["acme"])


def test_the_page_of_markets_lists_the_shipped_catalogue(script: ModuleType) -> None:
    shipped = msgspec.json.decode(script.CATALOGUE.read_bytes(), type=CatalogueFile)

    assert script.PAGE.read_text(encoding="utf-8") == script.page_text(shipped)


def test_a_stale_file_is_told_then_written_then_current(
    script: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(script, "ROOT", tmp_path)
    monkeypatch.setattr(script, "CATALOGUE", tmp_path / "data/catalogue.json")
    monkeypatch.setattr(script, "PAGE", tmp_path / "markets.md")
    monkeypatch.setattr(script, "library", lambda: ("1", {}))

    codes = []
    for arguments in (["--check"], [], ["--check"]):
        monkeypatch.setattr(sys, "argv", ["make_catalogue.py", *arguments])
        codes.append(script.main())

    assert codes == [1, 0, 0]
    assert capsys.readouterr().out.count("is not current") == 2


def test_the_shipped_files_are_what_the_installed_library_gives() -> None:
    check = [sys.executable, str(SCRIPT), "--check"]
    done = subprocess.run(check, check=False, capture_output=True)  # noqa: S603 - ours

    assert (done.returncode, done.stdout) == (0, b"")
