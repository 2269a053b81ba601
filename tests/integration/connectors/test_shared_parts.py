"""What the readings of one venue share, and what they never do."""

import asyncio
import copy
import gc
import logging
import weakref
from collections.abc import AsyncIterator
from typing import Any

import ccxt.async_support as ccxt
import pytest

import sharing
from coffers.clock import DAY, ManualClock
from coffers.connectors.exchange import rules
from coffers.connectors.exchange.shared import MARKETS_AGE, MARKETS_RETRY
from coffers.connectors.exchange.venues import RENAMED, Venues
from coffers.connectors.reading import ConnectorFailure, FailureKind
from coffers.tls import believed
from factories import NOW
from integration.connectors.replay import (
    Recorded,
    Replay,
    fake_credentials,
    hurried,
    loaded,
    recorded,
    replaying,
    with_markets,
)

PAIR = {
    "symbol": "BTCUSDT",
    "status": "TRADING",
    "baseAsset": "BTC",
    "quoteAsset": "USDT",
    "permissions": [],
    "permissionSets": [["SPOT"]],
    "filters": [],
    "isSpotTradingAllowed": True,
}
EXCHANGE_INFO = recorded({"symbols": [PAIR]})
DOWN = Recorded("<html>", status=503, content_type="text/html")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
async def replay() -> AsyncIterator[Replay]:
    async with replaying(DOWN) as server:
        server.by_path["/api/v3/exchangeInfo"] = EXCHANGE_INFO
        server.by_path["/api/v3/time"] = recorded({"serverTime": NOW})
        yield server


@pytest.fixture
async def venues(replay: Replay, clock: ManualClock) -> AsyncIterator[Venues]:
    made = Venues(replay.url, 5, clock)
    hurried(made, "binance")
    yield made
    await made.close()


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is looked through as in a worker."""
    monkeypatch.setattr("coffers.memory.settle", sharing.SETTLE)
    monkeypatch.setattr("coffers.connectors.exchange.shared.settle", sharing.SETTLE)
    monkeypatch.setattr("coffers.connectors.exchange.venues.resettle", sharing.RESETTLE)


async def opened(venues: Venues, venue: str = "binance") -> None:
    async with venues.session(venue):
        pass


def asked(replay: Replay, end: str) -> int:
    return len([path for path in replay.paths if path.endswith(end)])


async def test_two_accounts_share_markets_throttler_and_connections(venues: Venues) -> None:
    async with (
        venues.session("binance", fake_credentials(1)) as one,
        venues.session("binance", fake_credentials(2)) as two,
    ):
        assert one.exchange is not two.exchange
        for part in ("markets", "currencies", "throttler", "session", "ssl_context"):
            shared = getattr(one.exchange, part)
            assert shared is not None
            assert shared is getattr(two.exchange, part) is getattr(one.prototype, part)


async def test_a_credential_is_on_its_own_instance_alone(venues: Venues) -> None:
    async with (
        venues.session("binance", fake_credentials(1)) as one,
        venues.session("binance", fake_credentials(2)) as two,
        venues.session("binance") as public,
    ):
        assert one.exchange.apiKey == fake_credentials(1).api_key
        assert two.exchange.apiKey == fake_credentials(2).api_key
        assert not public.exchange.apiKey
        assert not one.prototype.apiKey
        assert not one.prototype.secret


async def test_what_a_reading_changes_on_its_instance_is_gone_with_it(venues: Venues) -> None:
    async with venues.session("binance") as session:
        pristine = copy.deepcopy(session.exchange.options)
        session.exchange.options["defaultType"] = "swap"
        session.exchange.options["networks"]["ERC20"] = "elsewhere"
        session.exchange.requiredCredentials["secret"] = False
    async with venues.session("binance") as session:
        assert session.exchange.options == pristine
        assert session.exchange.requiredCredentials["secret"] is True


@pytest.mark.parametrize(
    "entries",
    [
        {"BTC": ("0.00000000", "0.00000000", None), "ETH": ("1.50", "0.25", None)},
        {"BTC": ("0", "0.0", None), "ETH": (None, "0", "0"), "USDT": ("0", None, None)},
        {"BTC": (None, None, None), "ETH": ("0.000", "0", None), "USDT": ("0", "0", "1")},
    ],
)
async def test_a_balance_is_what_ccxt_makes_of_it(
    venues: Venues, entries: dict[str, tuple[str | None, ...]]
) -> None:
    def told() -> dict[str, Any]:
        parts = "free", "used", "total"
        return {
            "info": {"free": "0", "used": "0", "total": None},
            "timestamp": None,
            "datetime": None,
            **{code: dict(zip(parts, entry, strict=True)) for code, entry in entries.items()},
        }

    async with venues.session("binance") as session:
        exchange = session.exchange
        own = ccxt.binance.safe_balance(exchange, told())
        assert exchange.safe_balance(told()) == own


async def test_venues_share_the_table_of_authorities(venues: Venues, clock: ManualClock) -> None:
    for name in ("binance", "kraken"):
        shared = with_markets(venues, name, clock)
        assert shared.prototype.ssl_context is believed()


async def test_a_cookie_goes_out_with_no_request(replay: Replay, clock: ManualClock) -> None:
    # By a name: cookies of bare addresses are kept by nobody.
    venues = Venues(replay.url.replace("127.0.0.1", "localhost"), 5, clock)
    hurried(venues, "binance")
    balances = recorded({"balances": []}, headers={"Set-Cookie": "session=of-one; Path=/"})
    replay.by_path["/api/v3/account"] = balances
    for number in (1, 2):
        async with venues.session("binance", fake_credentials(number)) as session:
            await session.ask("fetch_balance")
            await session.ask("fetch_balance")
    assert asked(replay, "/api/v3/account") == 4
    assert not any("Cookie" in request.headers for request in replay.requests)
    await venues.close()


@pytest.mark.usefixtures("looks")
async def test_a_market_table_is_left_out_of_later_collections(venues: Venues) -> None:
    gc.unfreeze()
    await opened(venues)
    gc.collect()
    looked_through = {id(each) for each in gc.get_objects()}
    assert gc.get_freeze_count()
    async with venues.session("binance") as session:
        assert id(session.prototype.markets["BTC/USDT"]) not in looked_through


@pytest.mark.usefixtures("looks")
async def test_what_was_let_go_of_is_gone(venues: Venues) -> None:
    await opened(venues)
    prototype = venues._of("binance").prototype
    gone = weakref.ref(prototype), weakref.ref(type(prototype))
    del prototype
    await venues.let_go("binance")
    assert [each() for each in gone] == [None, None]


async def test_the_shared_session_outlives_the_instances(venues: Venues) -> None:
    async with venues.session("binance") as one:
        session = one.exchange.session
    assert not session.closed
    await venues.close()
    assert session.closed


async def test_twenty_that_come_at_once_load_the_markets_once(
    venues: Venues, replay: Replay
) -> None:
    await asyncio.gather(*(opened(venues) for _ in range(20)))
    assert asked(replay, "exchangeInfo") == 1


async def test_binance_is_asked_nothing_signed_and_no_futures(
    venues: Venues, replay: Replay
) -> None:
    await opened(venues)
    assert set(replay.paths) == {
        "/binance/api.binance.com/api/v3/exchangeInfo",
        "/binance/api.binance.com/api/v3/time",
    }


async def test_one_waiter_that_gives_up_does_not_spoil_the_load(venues: Venues) -> None:
    impatient = asyncio.create_task(opened(venues))
    patient = asyncio.create_task(opened(venues))
    await asyncio.sleep(0)
    impatient.cancel()
    await patient
    with pytest.raises(asyncio.CancelledError):
        await impatient


async def test_markets_are_loaded_anew_after_a_day(
    venues: Venues, replay: Replay, clock: ManualClock
) -> None:
    await opened(venues)
    clock.advance(MARKETS_AGE - 1)
    await opened(venues)
    assert asked(replay, "exchangeInfo") == 1
    clock.advance(1)
    await opened(venues)
    assert asked(replay, "exchangeInfo") == 2


@pytest.mark.parametrize("is_down", [False, True])
async def test_markets_of_a_clock_that_was_ahead_are_loaded_anew(
    venues: Venues, replay: Replay, clock: ManualClock, is_down: bool
) -> None:
    await opened(venues)
    clock.advance(9 * DAY)
    if is_down:
        replay.by_path["/api/v3/exchangeInfo"] = DOWN
    await opened(venues)
    replay.by_path["/api/v3/exchangeInfo"] = EXCHANGE_INFO
    clock.advance(-9 * DAY)
    await opened(venues)
    assert asked(replay, "exchangeInfo") == 3


async def test_old_markets_serve_on_when_a_refresh_fails(
    venues: Venues, replay: Replay, clock: ManualClock
) -> None:
    await opened(venues)
    clock.advance(DAY)
    replay.by_path["/api/v3/exchangeInfo"] = DOWN
    async with venues.session("binance") as session:
        assert "BTC/USDT" in session.exchange.markets
    await opened(venues)
    assert asked(replay, "exchangeInfo") == 2
    replay.by_path["/api/v3/exchangeInfo"] = EXCHANGE_INFO
    clock.advance(MARKETS_RETRY)
    await opened(venues)
    assert asked(replay, "exchangeInfo") == 3


async def test_without_markets_there_is_a_failure_and_the_next_one_tries_again(
    venues: Venues, replay: Replay
) -> None:
    replay.by_path["/api/v3/exchangeInfo"] = DOWN
    with pytest.raises(ConnectorFailure) as caught:
        await opened(venues)
    assert caught.value.kind is FailureKind.VENUE_DOWN
    replay.by_path["/api/v3/exchangeInfo"] = EXCHANGE_INFO
    await opened(venues)


async def test_an_empty_list_of_markets_is_no_answer(venues: Venues, replay: Replay) -> None:
    replay.by_path["/api/v3/exchangeInfo"] = recorded({"symbols": []})
    with pytest.raises(ConnectorFailure, match="list of markets is empty"):
        await opened(venues)


async def test_a_refusal_without_a_key_locks_nobody(venues: Venues, replay: Replay) -> None:
    refused = recorded({"code": -2015, "msg": "Invalid API-key."}, status=401)
    replay.by_path["/api/v3/exchangeInfo"] = refused
    with pytest.raises(ConnectorFailure) as caught:
        await opened(venues)
    assert caught.value.kind is FailureKind.UNEXPECTED_ANSWER


@pytest.mark.parametrize("name", ["nowhere", "", "__doc__", "Exchange"])
async def test_a_name_that_the_library_does_not_know_is_unsupported(
    venues: Venues, name: str
) -> None:
    with pytest.raises(ConnectorFailure) as caught:
        await opened(venues, name)
    assert caught.value.kind is FailureKind.UNSUPPORTED


async def test_a_fault_of_our_own_within_a_session_is_a_failure_too(venues: Venues) -> None:
    with pytest.raises(ConnectorFailure) as caught:
        async with venues.session("binance"):
            raise KeyError("data")
    assert caught.value.kind is FailureKind.UNEXPECTED_ANSWER


async def test_a_cancellation_within_a_session_passes(venues: Venues) -> None:
    with pytest.raises(asyncio.CancelledError):
        async with venues.session("binance"):
            raise asyncio.CancelledError


@pytest.mark.parametrize("old", sorted(RENAMED))
async def test_a_venues_old_name_finds_it(venues: Venues, old: str) -> None:
    assert venues._of(old).venue.id == RENAMED[old]


def pair(base: str, quote: str) -> dict[str, object]:
    places = {"priceDecimals": 4, "lotDecimals": 8, "minAmount": 1}
    return {"name": f"{base}_{quote}", "firstCurrency": base, "secondCurrency": quote, **places}


@pytest.mark.parametrize(
    ("pairs", "names"),
    [
        ([pair("RON", "EUR"), pair("BTC", "EUR")], {"RONIN/EUR", "BTC/EUR"}),
        ([pair("BTC", "RON"), pair("EUR", "RON")], {"BTC/RON", "EUR/RON"}),
    ],
)
async def test_what_is_called_like_romanias_money_is_a_coin_where_nothing_is_quoted_in_it(
    replay: Replay, clock: ManualClock, pairs: list[dict[str, object]], names: set[str]
) -> None:
    replay.by_path["/api/tradingPairs"] = recorded({"data": pairs})
    venues = Venues(replay.url, 5, clock)
    for _ in range(2):
        async with venues.session("coinmate") as session:
            assert session.exchange.markets.keys() == names
            is_coin = "RONIN/EUR" in names
            assert session.code("RON") == ("RONIN" if is_coin else "RON")
            assert session.venue_code("RONIN" if is_coin else "RON") == "RON"
        clock.advance(MARKETS_AGE)
    assert asked(replay, "tradingPairs") == (2 if is_coin else 3)
    await venues.close()


async def test_a_relative_is_read_by_its_familys_rules(venues: Venues) -> None:
    assert venues._of("binanceus").venue.family == ("binanceus", "binance")
    assert venues._of("myokx").venue.family == ("myokx", "okx")


@pytest.mark.parametrize("name", ["kucoin", "kucoinfutures", "grvt", "lighter", "binance"])
async def test_bare_numbers_stay_as_they_were_written(venues: Venues, name: str) -> None:
    parsed = venues._of(name).prototype.parse_json('{"a": 0.12345678901234567890123}')
    assert parsed == {"a": "0.12345678901234567890123"}
    assert venues._of(name).prototype.parse_number("0.1") == "0.1"


async def test_every_venue_of_the_library_can_be_made(venues: Venues, clock: ManualClock) -> None:
    for name in ccxt.exchanges:
        assert venues._of(name).venue.family[0] == name
        assert venues._of(name).prototype.enableRateLimit


async def test_a_simulated_venue_needs_no_pace(clock: ManualClock) -> None:
    venues = Venues("http://127.0.0.1:9", 5, clock, is_paced=False)
    assert not venues._of("binance").prototype.enableRateLimit
    await venues.close()


async def test_the_names_that_ccxt_puts_in_place_are_those_that_were_recorded(
    venues: Venues,
) -> None:
    applied: dict[str, Any] = {
        name: venues._of(name).prototype.commonCurrencies for name in ccxt.exchanges
    }
    recorded_ones: dict[str, Any] = loaded("currency_aliases.json")["aliases"]
    recorded_ones["bitfinex"] |= {"USTF0": "USDTF0", "EUTF0": "EURTF0"}
    assert applied == recorded_ones


def test_every_rule_is_about_a_venue_of_the_library() -> None:
    tables = (
        rules.refusals(),
        rules.flow_rules(),
        rules.symbol_rules(),
        rules.wallets(),
        rules.uncovered(),
        rules.shapes(),
    )
    named = {name for table in tables for name in table} - {rules.EVERY_VENUE}
    assert named <= set(ccxt.exchanges)


def test_every_refusal_has_a_kind_that_exists() -> None:
    kinds = {refusal.kind for listed in rules.refusals().values() for refusal in listed}
    assert kinds <= set(FailureKind)


async def test_ccxt_logs_no_requests(venues: Venues, replay: Replay) -> None:
    with_markets(venues, "binance", ManualClock(NOW))
    assert logging.getLogger("ccxt.base.exchange").getEffectiveLevel() >= logging.WARNING
