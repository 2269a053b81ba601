"""Which markets can be connected, as clients ask."""

import pytest

from coffers.store.engine import Store
from served import HOST, LIST, add_account, serving

TYPES = f"{LIST}/types_to_connect"


async def test_the_market_list_needs_no_token_and_has_the_fields_of_forms(
    sqlite_store: Store,
) -> None:
    async with serving(sqlite_store) as api:
        answer = await api.http.get(f"{LIST}/market_list")
    assert answer.status_code == 200
    markets = {market["market_code"]: market for market in answer.json()}
    assert markets["okex"]["form_fields"] == {
        "required": [
            {"field": "secret", "localized_name": "API Secret:"},
            {"field": "api_key", "localized_name": "API Key:"},
            {"field": "passphrase", "localized_name": "Passphrase:"},
        ],
        "optional": [],
    }
    binance = markets["binance"]
    assert binance["market_name"] == "Binance"
    assert binance["market_icon"] == f"http://{HOST}/img/exchanges/binance.svg"
    assert binance["available_connection_flows"] == ["form"]
    assert "binance_tr" not in markets


async def test_a_banned_address_gets_no_market_list(sqlite_store: Store) -> None:
    async with serving(sqlite_store, ban_after=1) as api:
        await api.http.get(LIST, headers={"Apikey": "guess"})
        assert (await api.http.get(f"{LIST}/market_list")).status_code == 418


async def test_types_tell_which_markets_a_key_opens_and_which_are_connected(store: Store) -> None:
    async with serving(store) as api:
        caller = await api.caller(permissions=())
        await add_account(store, caller.user, "M", market_code="binance_margin", api_key="k1")
        await add_account(store, (await api.caller("bob")).user, "B", api_key="k1")
        target = f"{TYPES}?type=binance&name=x&api_key=k1&secret=fake"
        answer = await api.get(caller, target)
        paper = await api.get(caller, target, {"Forced-Mode": "paper"})
    assert answer.status_code == 200
    assert answer.json()[0] == {
        "type": "binance", "connected": False, "available": True, "unified": False,
    }  # fmt: skip
    connected = {row["type"] for row in answer.json() if row["connected"]}
    assert connected == {"binance_margin"}
    assert not any(row["connected"] for row in paper.json())


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("", "is missing"),
        ("?type=", "does not have a valid value"),
        ("?type=nowhere", "does not have a valid value"),
    ],
)
async def test_a_type_that_cannot_be(sqlite_store: Store, query: str, said: str) -> None:
    async with serving(sqlite_store) as api:
        answer = await api.get(await api.caller(), f"{TYPES}{query}")
    assert (answer.status_code, answer.json()) == (
        400,
        {
            "error": "record_invalid",
            "error_description": "Invalid parameters",
            "error_attributes": {"type": [said]},
        },
    )


async def test_types_need_a_signature(sqlite_store: Store) -> None:
    async with serving(sqlite_store) as api:
        assert (await api.http.get(f"{TYPES}?type=binance")).status_code == 401
