"""py3cw, a client that people use, against a real server; only its address is changed."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from py3cw.request import Py3CW

from coffers.store.engine import Store
from served import Served, add_account, add_book, listening, serving

Ask = Callable[..., Any]


@pytest.fixture
async def api(store: Store, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Served]:
    async with serving(store) as served, listening(served.app) as base:
        monkeypatch.setattr("py3cw.request.API_URL", base)
        yield served


async def ask(
    credentials: dict[str, str],
    payload: dict[str, Any] | None = None,
    action: str = "",
    action_id: int | str | None = None,
    entity: str = "accounts",
    **headers: str,
) -> tuple[dict[str, Any], Any]:
    """Ask as the client does: in a thread of its own, since it blocks."""
    client = Py3CW(**credentials)
    try:
        answer: tuple[dict[str, Any], Any] = await asyncio.to_thread(
            client.request,
            entity=entity,
            action=action,
            action_id=None if action_id is None else str(action_id),
            payload=payload,
            additional_headers=headers,
        )
    finally:
        client.session.close()
    return answer


async def with_accounts(api: Served) -> dict[str, str]:
    caller = await api.caller(permissions=("accounts_read", "accounts_write"))
    for name in ("One", "Two", "Three"):
        await add_account(api.services.store, caller.user, name, api_key=f"key of {name}+/é")
    await add_account(api.services.store, caller.user, "Paper", mode="paper")
    await add_book(api.services.store)
    return {"key": caller.api_key, "secret": caller.secret}


async def test_it_lists_the_accounts(api: Served) -> None:
    error, accounts = await ask(await with_accounts(api))
    assert error == {}
    assert [account["name"] for account in accounts] == ["One", "Two", "Three"]
    assert accounts[0]["usd_amount"] == "25000.0"
    assert len(accounts[0]) == 61


async def test_it_pages_and_filters(api: Served) -> None:
    credentials = await with_accounts(api)
    _, page = await ask(credentials, {"page": 2, "per_page": 2})
    assert [account["name"] for account in page] == ["Three"]
    _, found = await ask(credentials, {"api_key": "key of Two+/é"})
    assert [account["name"] for account in found] == ["Two"]
    _, beyond = await ask(credentials, {"page": 9})
    assert beyond == []


async def test_it_chooses_the_mode_by_a_header(api: Served) -> None:
    _, accounts = await ask(await with_accounts(api), **{"Forced-Mode": "paper"})
    assert [account["name"] for account in accounts] == ["Paper"]


async def with_own_key(api: Served, *permissions: str) -> dict[str, str]:
    private = rsa.generate_private_key(65537, 2048)
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    caller = await api.caller(permissions=permissions, rsa_public_key=public.decode())
    return {"key": caller.api_key, "selfsigned": pem}


async def test_it_signs_with_a_private_key_of_the_users_own(api: Served) -> None:
    credentials = await with_own_key(api, "accounts_read")
    await add_account(api.services.store, (await api.caller()).user, "Mine")
    error, accounts = await ask(credentials, {"per_page": 5, "api_key": "key-of-Mine"})
    assert error == {}
    assert [account["name"] for account in accounts] == ["Mine"]


@pytest.mark.parametrize(
    ("change", "said"),
    [({"secret": "wrong"}, "signature_invalid"), ({"key": "wrong"}, "api_key_invalid_or_expired")],
)
async def test_what_is_refused_comes_as_its_own_error_object(
    api: Served, change: dict[str, str], said: str
) -> None:
    error, accounts = await ask({**await with_accounts(api), **change})
    assert accounts == {}
    assert error["error"] is True
    assert error["status_code"] == 401
    assert said in error["msg"]


async def test_a_page_that_cannot_be_names_the_parameter(api: Served) -> None:
    error, _ = await ask(await with_accounts(api), {"per_page": 101})
    assert error["status_code"] == 400
    assert "record_invalid" in error["msg"]
    assert "per_page" in error["msg"]


async def test_it_shows_one_account_and_all_of_them_as_one(api: Served) -> None:
    credentials = await with_accounts(api)
    _, accounts = await ask(credentials)
    error, shown = await ask(credentials, action="account_info", action_id=accounts[1]["id"])
    assert error == {}
    assert (shown["name"], shown["auto_balance_portfolio"]) == ("Two", None)
    error, summary = await ask(credentials, action="account_info", action_id="summary")
    assert error == {}
    assert summary["usd_amount"] == "75000.0"


@pytest.mark.parametrize("kind", ["hmac", "rsa"])
async def test_it_renames_an_account_by_a_json_body(api: Served, kind: str) -> None:
    credentials = await with_accounts(api)
    _, accounts = await ask(credentials)
    if kind == "rsa":
        credentials = await with_own_key(api, "accounts_read", "accounts_write")
    names = {"name": "New näme & more"}
    error, renamed = await ask(credentials, names, "rename", accounts[0]["id"])
    assert error == {}
    assert (renamed["id"], renamed["name"]) == (accounts[0]["id"], "New näme & more")
    error, nothing = await ask(credentials, {"name": "x"}, "rename", accounts[0]["id"])
    assert nothing == {}
    assert error["status_code"] == 400
    assert "is too short (minimum is 2 characters)" in error["msg"]


async def test_it_removes_an_account(api: Served) -> None:
    credentials = await with_accounts(api)
    _, accounts = await ask(credentials)
    assert await ask(credentials, action="remove", action_id=accounts[0]["id"]) == ({}, True)
    error, _ = await ask(credentials, action="remove", action_id=accounts[0]["id"])
    assert error["status_code"] == 404
    assert "not_found" in error["msg"]


@pytest.mark.parametrize("whose", ["1", "summary"])
async def test_it_draws_pies_tables_and_charts(api: Served, whose: str) -> None:
    credentials = await with_accounts(api)
    error, pie = await ask(credentials, action="pie_chart_data", action_id=whose)
    assert error == {}
    assert (pie[0]["code"], pie[0]["percentage"]) == ("BTC", 100.0)
    error, table = await ask(credentials, action="account_table_data", action_id=whose)
    assert error == {}
    assert (table[0]["currency_code"], table[0]["current_price_usd"]) == ("BTC", 50000.0)
    span = {"date_from": "2025-10-08T00:00:00.000Z"}
    error, chart = await ask(credentials, span, "balance_chart_data", whose)
    assert error == {}
    assert chart[-1]["usd"] == (18000 if whose == "1" else 54000)


async def test_it_knows_the_markets(api: Served) -> None:
    error, markets = await ask(await with_accounts(api), action="market_list")
    assert error == {}
    assert "kraken" in {market["market_code"] for market in markets}


async def test_it_changes_the_mode_and_asks_for_it_and_for_permissions(api: Served) -> None:
    credentials = await with_accounts(api)
    changed = await ask(credentials, {"mode": "paper"}, "change_mode", entity="users")
    assert changed == ({}, True)
    assert await ask(credentials, action="current_mode", entity="users") == ({}, {"mode": "paper"})
    _, accounts = await ask(credentials)
    assert [account["name"] for account in accounts] == ["Paper"]
    error, permissions = await ask(credentials, action="permissions_info", entity="users")
    assert error == {}
    assert permissions["ACCOUNTS_WRITE"] is True


async def test_a_permission_that_is_lacking_is_named(api: Served) -> None:
    caller = await api.caller()
    credentials = {"key": caller.api_key, "secret": caller.secret}
    error, _ = await ask(credentials, {"mode": "paper"}, "change_mode", entity="users")
    assert error["status_code"] == 403
    assert "ACCOUNTS_WRITE" in error["msg"]


async def test_it_is_told_what_an_account_to_be_connected_lacks(api: Served) -> None:
    credentials = await with_accounts(api)
    payload = {"type": "binance", "name": "New", "api_key": "fake-key"}
    error, _ = await ask(credentials, payload, action="new")
    assert error["error"] is True
    assert "Invalid parameters" in error["msg"]
