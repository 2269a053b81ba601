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
    credentials: dict[str, str], payload: dict[str, Any] | None = None, **headers: str
) -> tuple[dict[str, Any], Any]:
    """Ask for the accounts as the client does: in a thread of its own, since it blocks."""
    client = Py3CW(**credentials)
    try:
        answer: tuple[dict[str, Any], Any] = await asyncio.to_thread(
            client.request, entity="accounts", payload=payload, additional_headers=headers
        )
    finally:
        client.session.close()
    return answer


async def with_accounts(api: Served) -> dict[str, str]:
    caller = await api.caller()
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


async def test_it_signs_with_a_private_key_of_the_users_own(api: Served) -> None:
    private = rsa.generate_private_key(65537, 2048)
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    caller = await api.caller(rsa_public_key=public.decode())
    await add_account(api.services.store, caller.user, "Mine")
    credentials = {"key": caller.api_key, "selfsigned": pem}
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
