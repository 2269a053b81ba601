"""The prices over the wire: worth, route, sources and age, and what is not known."""

from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal

import pytest

from coffers.clock import MINUTE, SECOND, Millis
from coffers.store.engine import Store
from coffers.valuation.model import HeldBack, Price
from factories import NOW
from served import LIST, Served, add_account, serving

PRICES = "/public/api/v1/prices"
BITCOIN = Price(Decimal(1), Decimal(100_000), ("BTC/USD",), ("kraken",), NOW)
ALGO = Price(
    Decimal("0.0000021"), Decimal("0.21"), ("ALGO/USDT", "USDT/USD"), ("binance", "okx"),
    Millis(NOW - 1500),
)  # fmt: skip
LEAPT = replace(ALGO, usd=Decimal(21), btc=Decimal("0.00021"), sources=("okx",))


@pytest.fixture
async def api(store: Store) -> AsyncIterator[Served]:
    async with store.transaction() as tx:
        held = {"FOO": HeldBack(LEAPT, ALGO, Millis(NOW + 5 * MINUTE))}
        await tx.prices.save_book({"BTC": BITCOIN, "ALGO": ALGO}, NOW, held)
    async with serving(store) as served:
        yield served


async def test_a_price_is_told_with_how_it_is_known(api: Served) -> None:
    caller = await api.caller()
    api.clock.advance(SECOND)
    answer = await api.get(caller, f"{PRICES}/ALGO")
    assert answer.status_code == 200
    assert answer.json() == {
        "asset": "ALGO",
        "usd": "0.21",
        "btc": "0.0000021",
        "at": "2025-10-09T08:53:18.500Z",
        "age_seconds": 2.5,
        "route": ["ALGO/USDT", "USDT/USD"],
        "sources": ["binance", "okx"],
        "epoch": 1,
        "held_back": None,
    }
    assert answer.headers["cache-control"] == "private, no-cache"


async def test_small_letters_are_understood(api: Served) -> None:
    assert (await api.get(await api.caller(), f"{PRICES}/btc")).json()["asset"] == "BTC"


async def test_what_has_no_price_is_unpriced_and_not_zero(api: Served) -> None:
    answer = await api.get(await api.caller(), f"{PRICES}/ODD")
    assert (answer.status_code, answer.json()["error"]) == (404, "not_found")
    assert "unpriced, which is not zero" in answer.json()["error_description"]


async def test_a_price_that_is_held_back_is_told_as_such(api: Served) -> None:
    told = (await api.get(await api.caller(), f"{PRICES}/FOO")).json()
    assert (told["usd"], told["btc"], told["sources"]) == (None, None, ["okx"])
    assert told["held_back"] == {
        "usd": "21.0",
        "btc": "0.00021",
        "believed_usd": "0.21",
        "believed_btc": "0.0000021",
        "until": "2025-10-09T08:58:20.000Z",
    }


async def test_a_holding_whose_price_is_held_back_counts_as_unpriced(api: Served) -> None:
    caller = await api.caller()
    await add_account(api.services.store, caller.user, held={"BTC": "1", "FOO": "1000"})
    listed = await api.get(caller, LIST)
    assert listed.json()[0]["usd_amount"] == "100000.0"
    assert "unpriced=1" in listed.headers["x-accounts-incomplete-why"]


async def test_each_comes_in_the_order_asked_for_and_unpriced_ones_are_null(api: Served) -> None:
    answer = await api.get(await api.caller(), f"{PRICES}?assets=ODD,BTC,%20ALGO,BTC")
    told = answer.json()
    assert [each["asset"] for each in told] == ["ODD", "BTC", "ALGO", "BTC"]
    assert told[0] == {
        "asset": "ODD",
        "usd": None,
        "btc": None,
        "at": None,
        "age_seconds": None,
        "route": [],
        "sources": [],
        "epoch": 1,
        "held_back": None,
    }


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("", "is missing"),
        ("?assets=,", "is missing"),
        ("?assets=" + ",".join(f"A{n}" for n in range(101)), "is too long (maximum is 100 assets)"),
    ],
)
async def test_a_question_that_cannot_be_meant_is_told(
    api: Served, query: str, reason: str
) -> None:
    answer = await api.get(await api.caller(), PRICES + query)
    assert (answer.status_code, answer.json()["error"]) == (400, "record_invalid")
    assert answer.json()["error_attributes"] == {"assets": [reason]}


@pytest.mark.parametrize("target", [f"{PRICES}/BTC", f"{PRICES}?assets=BTC"])
async def test_prices_are_for_those_who_may_read_accounts(api: Served, target: str) -> None:
    refused = await api.get(await api.caller(permissions=()), target)
    assert (refused.status_code, refused.json()["error"]) == (403, "access_denied")
    unsigned = await api.http.get(target)
    assert (unsigned.status_code, unsigned.json()["error"]) == (401, "api_key_invalid_or_expired")


async def test_before_the_first_book_nothing_is_priced(sqlite_store: Store) -> None:
    async with serving(sqlite_store) as api:
        caller = await api.caller()
        assert (await api.get(caller, f"{PRICES}/BTC")).status_code == 404
        assert (await api.get(caller, f"{PRICES}?assets=BTC")).json()[0]["epoch"] == 0
