"""Bitget's classic and unified accounts: which one a key is of, whose, and what it may do."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import pytest

from coffers.clock import SystemClock
from coffers.connectors.exchange.connector import ExchangeConnector
from coffers.connectors.exchange.venues import Venues
from coffers.connectors.reading import ConnectorFailure, FailureKind, Reading, ReadRequest
from coffers.keyrights import KeyRights
from coffers.markets.catalogue import Market, load_catalogue
from integration.connectors.replay import (
    Recorded,
    fake_credentials,
    hurried,
    recorded,
    replaying,
    with_markets,
)

CLOCK = SystemClock()
SETTINGS, SPOT_INFO = "/api/v3/account/settings", "/api/v2/spot/account/info"
FUNDING = "/api/v2/account/funding-assets"
OWNER = {"userId": "4711", "ips": "192.0.2.7"}


def done(data: object) -> Recorded:
    return recorded({"code": "00000", "msg": "success", "data": data})


def refused(code: str, message: str) -> Recorded:
    return recorded({"code": code, "msg": message, "data": None}, status=400)


NOT_UNIFIED = refused("40084", "You are in Classic Account mode")
NOT_CLASSIC = refused("40085", "You are in Unified Account mode")
LACKING = refused("40014", "Incorrect permissions, need uta mgt. read permissions")

CLASSIC = {
    SETTINGS: NOT_UNIFIED,
    "/api/v2/spot/account/assets": done([{"coin": "BTC", "available": "3", "frozen": "1"}]),
    FUNDING: done([{"coin": "USDT", "available": "326", "frozen": "", "usdtValue": "326"}]),
    "/api/v2/mix/account/accounts": done(
        [{"marginCoin": "USDT", "available": "7", "accountEquity": "8", "unrealizedPL": "1"}]
    ),
    "/api/v2/mix/position/all-position": done([]),
    SPOT_INFO: done({**OWNER, "authorities": ["stor", "wtor"]}),
}
UNIFIED = {
    SETTINGS: done({"uid": "4711", "accountMode": "unified", "assetMode": "multi_assets"}),
    "/api/v3/account/assets": done(
        {"assets": [{"coin": "USDT", "equity": "50", "available": "30", "debt": "50"}]}
    ),
    "/api/v3/account/funding-assets": done([{"coin": "BGB", "available": "1", "frozen": "2"}]),
    "/api/v3/position/current-position": done({"list": []}),
    "/api/v3/account/info": done({**OWNER, "permType": "read-only", "permissions": ["uta_mgt"]}),
}


Answers = Mapping[str, Recorded]


@asynccontextmanager
async def bitget(answers: Answers) -> AsyncIterator[ExchangeConnector]:
    async with replaying(NOT_UNIFIED if SPOT_INFO in answers else NOT_CLASSIC) as replay:
        replay.by_path |= answers
        venues = Venues(replay.url, 60, CLOCK, is_paced=False)
        with_markets(venues, "bitget", CLOCK)
        hurried(venues, "bitget")
        connector = ExchangeConnector(venues, CLOCK)
        try:
            yield connector
        finally:
            await connector.close()


def market(code: str) -> Market:
    found = load_catalogue().get(code)
    assert found is not None
    return found


async def read(answers: Answers, code: str = "bitget") -> Reading:
    async with bitget(answers) as connector:
        return await connector.read(market(code), fake_credentials(), ReadRequest(None))


async def rights(answers: Answers) -> KeyRights:
    async with bitget(answers) as connector:
        return await connector.rights(market("bitget"), fake_credentials())


async def failure(answers: Answers, code: str = "bitget") -> ConnectorFailure:
    with pytest.raises(ConnectorFailure) as caught:
        await read(answers, code)
    return caught.value


def held(reading: Reading) -> dict[tuple[str, str], str]:
    return {(each.wallet, each.asset): f"{each.owned.normalize():f}" for each in reading.positions}


async def test_a_classic_accounts_funding_wallet_is_read() -> None:
    reading = await read(CLASSIC)
    assert reading.is_complete
    assert reading.wallets == {"spot", "funding"}
    assert held(reading) == {("spot", "BTC"): "4", ("funding", "USDT"): "326"}


async def test_a_funding_wallet_that_is_not_told_is_missing_in_either_mode() -> None:
    for answers, path in ((CLASSIC, FUNDING), (UNIFIED, "/api/v3/account/funding-assets")):
        reading = await read({**answers, path: Recorded("{}")})
        assert set(reading.missing) == {"funding"}
        assert reading.wallets == {"spot"}


async def test_a_unified_account_is_worth_its_equity_and_has_its_funding_wallet() -> None:
    reading = await read(UNIFIED)
    assert reading.is_complete
    assert held(reading) == {("spot", "USDT"): "50", ("funding", "BGB"): "3"}


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (recorded({"code": "429", "msg": "Too Many Requests"}, status=429), "rate_limited"),
        (Recorded("<html>", status=503), "venue_down"),
        (Recorded("{}"), "unexpected_answer"),
        (Recorded("<html>maintenance</html>", content_type="text/html"), "unexpected_answer"),
        (refused("40015", "System is abnormal, please try again later"), "venue_down"),
        (LACKING, "permission_denied"),
    ],
)
async def test_a_mode_that_is_not_told_is_no_classic_account(fault: Recorded, kind: str) -> None:
    for answers in (UNIFIED, CLASSIC):
        told = await failure({**answers, SETTINGS: fault})
        assert (told.kind, "40085" in str(told)) == (FailureKind(kind), False)


@pytest.mark.parametrize("mode", ["upgrading", "switching"])
async def test_an_account_that_changes_its_mode_just_now_is_read_later(mode: str) -> None:
    told = await failure({**UNIFIED, SETTINGS: done({"uid": "4711", "accountMode": mode})})
    assert told.kind is FailureKind.VENUE_DOWN


async def test_two_codes_of_a_unified_account_say_that_they_share_it_and_whose_it_is() -> None:
    one, other = await read(UNIFIED), await read(UNIFIED, "bitget_usdt_futures")
    assert one.shared_wallet == other.shared_wallet == "unified account"
    assert one.identity == other.identity is not None


async def test_an_account_stays_the_same_one_when_it_becomes_unified() -> None:
    classic = await read(CLASSIC)
    assert classic.shared_wallet is None
    assert classic.identity == (await read(UNIFIED)).identity is not None


@pytest.mark.parametrize(
    ("kind", "permissions", "expected"),
    [
        ("read-only", ["uta_mgt", "uta_trade", "withdraw"], (True, False, False)),
        ("read_only", ["uta_mgt"], (True, False, False)),
        ("read-and-write", ["uta_mgt"], (True, False, False)),
        ("read-and-write", ["uta_mgt", "uta_trade"], (True, True, False)),
        ("read_and_write", ["uta_mgt", "withdraw"], (True, False, True)),
        ("read-and-write", ["uta_mgt", "copy_futures_order"], (True, True, False)),
        ("read-and-write", ["uta_mgt", "moonshots"], (True, None, None)),
        ("other", ["uta_mgt", "withdraw"], (True, None, None)),
        ("read-and-write", [], (None, None, None)),
    ],
)
async def test_what_a_unified_accounts_key_may_do(
    kind: str, permissions: list[str], expected: tuple[bool | None, ...]
) -> None:
    info = {**OWNER, "permType": kind, "permissions": permissions}
    found = await rights({**UNIFIED, "/api/v3/account/info": done(info)})
    assert (found.read, found.trade, found.withdraw) == expected
    assert found.address_restricted is True


async def test_futures_with_several_currencies_as_margin_are_refused() -> None:
    told = {"marginCoin": "USDT", "available": "7", "accountEquity": "8", "unrealizedPL": "1"}
    several = {**told, "assetMode": "union", "assetList": [{"coin": "BTC", "balance": "1.2"}]}
    path = "/api/v2/mix/account/accounts"
    lost = await failure({**CLASSIC, path: done([several])}, "bitget_usdt_futures")
    assert lost.code == "account_mode"
    single = {**CLASSIC, path: done([{**told, "assetMode": "single", "assetList": []}])}
    assert held(await read(single, "bitget_usdt_futures")) == {("futures", "USDT"): "8"}
