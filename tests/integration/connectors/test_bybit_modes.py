"""Bybit accounts before unified account 2.0: what else they have, and what they owe."""

from collections.abc import Mapping

import pytest

from coffers.clock import SystemClock
from coffers.connectors.reading import ConnectorFailure, Reading
from integration.connectors.replay import (
    Recorded,
    reading_of,
    recorded,
    replaying,
)

CLOCK = SystemClock()
DEBTS = "/v5/spot-cross-margin-trade/account"
OWED = {
    "free": "200.00005568",
    "interest": "0.0008391",
    "loan": "200",
    "locked": "0",
    "tokenId": "USDT",
    "total": "200.00005568",
}


def done(result: object) -> Recorded:
    return recorded({"retCode": 0, "retMsg": "OK", "result": result})


def wallet(kind: str, **amounts: str) -> Recorded:
    return done({"list": [{"accountType": kind, "coin": [{"coin": "USDT", **amounts}]}]})


ANSWERS = {
    "/query-account-coins-balance": done({"memberId": "533285", "balance": []}),
    "/position/list": done({"list": []}),
    # Of what is not told for a wallet there is an empty text, as in the exchange's examples.
    "accountType=SPOT": wallet("SPOT", equity="", walletBalance="250", free="250", locked="0"),
    "accountType=CONTRACT": wallet(
        "CONTRACT", equity="7.5", walletBalance="7", unrealisedPnl="0.5", totalPositionIM="1"
    ),
    "accountType=UNIFIED": wallet("UNIFIED", equity="40", walletBalance="40", unrealisedPnl="0"),
    DEBTS: done({"loanAccountList": [OWED], "status": 1}),
}

WALLETS = ("accountType=SPOT", "accountType=CONTRACT", "accountType=UNIFIED")


async def read(code: str, uta: int, status: int, answers: Mapping[str, Recorded]) -> Reading:
    mode = {
        "/user/query-api": done({"unified": 0, "uta": uta, "userID": 1, "readOnly": 1}),
        "/account/info": done({"unifiedMarginStatus": status}),
    }
    async with replaying(Recorded("{}")) as replay:
        replay.by_path |= {**mode, **ANSWERS, **answers}
        return await reading_of(replay, "bybit", code)


def owned(reading: Reading) -> dict[tuple[str, str], str]:
    return {(each.wallet, each.asset): str(each.owned) for each in reading.positions}


async def test_what_a_classic_account_borrowed_for_spot_is_subtracted() -> None:
    reading = await read("bybit_spot", 0, 1, {})
    assert reading.is_complete
    assert owned(reading) == {("spot", "USDT"): "250", ("margin_debts", "USDT"): "-200.0008391"}


@pytest.mark.parametrize(
    "fault", [Recorded("{}"), recorded({"retCode": 10001, "retMsg": "no"}), done({}), done([])]
)
async def test_debts_that_are_not_told_are_missing(fault: Recorded) -> None:
    reading = await read("bybit_spot", 0, 1, {DEBTS: fault})
    assert set(reading.missing) == {"margin_debts"}


@pytest.mark.parametrize("code", [176008, 176009])
async def test_who_never_began_to_borrow_owes_nothing(code: int) -> None:
    never = recorded({"retCode": code, "retMsg": "You haven't enabled Cross Margin Trading yet."})
    reading = await read("bybit_spot", 0, 1, {DEBTS: never})
    assert reading.is_complete
    assert owned(reading) == {("spot", "USDT"): "250"}


async def test_a_debt_without_its_amount_is_not_taken_for_none() -> None:
    untold = done({"loanAccountList": [{**OWED, "loan": ""}]})
    reading = await read("bybit_spot", 0, 1, {DEBTS: untold})
    assert set(reading.missing) == {"margin_debts"}


async def test_a_classic_accounts_futures_are_read_once() -> None:
    reading = await read("bybit", 0, 1, {})
    assert reading.is_complete
    assert owned(reading) == {("unified", "USDT"): "7.5"}


@pytest.mark.parametrize(("code", "name"), [("bybit", "unified"), ("bybit_spot", "spot")])
async def test_unified_account_1_has_a_wallet_for_inverse_futures(code: str, name: str) -> None:
    reading = await read(code, 1, 4, {})
    assert reading.is_complete
    assert owned(reading) == {(name, "USDT"): "40", ("inverse", "USDT"): "7.5"}


@pytest.mark.parametrize(("code", "name"), [("bybit", "unified"), ("bybit_spot", "spot")])
async def test_unified_account_2_is_one_wallet(code: str, name: str) -> None:
    reading = await read(code, 1, 6, {})
    assert reading.is_complete
    assert owned(reading) == {(name, "USDT"): "40"}


@pytest.mark.parametrize(("code", "uta"), [("bybit_spot", 0), ("bybit", 0), ("bybit", 1)])
async def test_an_answer_without_any_account_is_not_an_empty_one(code: str, uta: int) -> None:
    with pytest.raises(ConnectorFailure, match="shape of a balance"):
        await read(code, uta, 6 if uta else 1, dict.fromkeys(WALLETS, done({"list": []})))


@pytest.mark.parametrize("code", ["bybit", "bybit_spot"])
async def test_an_inverse_wallet_without_an_account_is_missing(code: str) -> None:
    reading = await read(code, 1, 4, {"accountType=CONTRACT": done({"list": []})})
    assert set(reading.missing) == {"inverse"}
    empty = done({"list": [{"accountType": "CONTRACT", "coin": []}]})
    reading = await read(code, 1, 4, {"accountType=CONTRACT": empty})
    assert reading.is_complete


@pytest.mark.parametrize("uta", [0, 1])
async def test_an_account_without_any_coin_is_empty(uta: int) -> None:
    nothing = done({"list": [{"accountType": "UNIFIED", "coin": []}]})
    reading = await read("bybit", uta, 6 if uta else 1, dict.fromkeys(WALLETS, nothing))
    assert reading.is_complete
    assert reading.positions == ()
