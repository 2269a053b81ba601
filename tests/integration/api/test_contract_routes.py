"""Open derivative positions over the wire: whole, exact, and only for whose account it is."""

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from coffers.api.contract_schema import ACCOUNT_CONTRACTS, CONTRACT
from coffers.clock import MINUTE, Millis
from coffers.store.engine import Store
from coffers.store.records import Account
from coffers.valuation.contract import Contract
from factories import NOW
from served import LIST, Served, add_account, read_account, serving

LONG = Contract(
    wallet="contracts",
    symbol="BTC/USDT:USDT",
    venue_code="BTCUSDT",
    side="long",
    size=Decimal("0.00200000000000000001"),
    unit="BTC",
    settled_in="USDT",
    leverage=Decimal("12.50"),
    entry_price=Decimal("22500.1"),
    mark_price=Decimal(24000),
    unrealised=Decimal("-2.9998"),
    margin_mode="isolated",
)
UNTOLD = Contract("contracts", "NEWUSDT", "NEWUSDT", "short", Decimal(1))


@pytest.fixture
async def api(store: Store) -> AsyncIterator[Served]:
    async with serving(store) as served:
        yield served


def path_of(account_id: int) -> str:
    return f"/public/api/v1/accounts/{account_id}/contracts"


async def hold(store: Store, account: Account, *contracts: Contract) -> None:
    async with store.transaction() as tx:
        await tx.holdings.replace_contracts(
            account.user_id, account.id, {"contracts"}, list(contracts)
        )


def _assert_documented(answer: dict[str, Any]) -> None:
    assert list(answer) == ACCOUNT_CONTRACTS["required"]
    for contract in answer["contracts"]:
        assert list(contract) == CONTRACT["required"]


async def test_an_open_position_is_told_with_every_digit(api: Served) -> None:
    caller = await api.caller()
    account = await add_account(api.services.store, caller.user)
    await hold(api.services.store, account, LONG)
    answer = await api.get(caller, path_of(account.id))
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json() == {
        "account_id": account.id,
        "read_at": "2025-10-09T08:52:20.000Z",
        "missing_wallets": [],
        "hedge_mode_enabled": False,
        "contracts": [
            {
                "wallet": "contracts",
                "symbol": "BTC/USDT:USDT",
                "venue_code": "BTCUSDT",
                "side": "long",
                "size": "0.00200000000000000001",
                "unit": "BTC",
                "settled_in": "USDT",
                "leverage": "12.5",
                "entry_price": "22500.1",
                "mark_price": "24000.0",
                "unrealised": "-2.9998",
                "margin_mode": "isolated",
            }
        ],
    }
    _assert_documented(answer.json())


async def test_what_the_exchange_does_not_tell_is_null(api: Served) -> None:
    caller = await api.caller()
    account = await add_account(api.services.store, caller.user)
    await hold(api.services.store, account, UNTOLD)
    answer = (await api.get(caller, path_of(account.id))).json()
    (told,) = answer["contracts"]
    assert {name for name, value in told.items() if value is None} == {
        *("unit", "settled_in", "leverage", "entry_price", "mark_price", "unrealised"),
        "margin_mode",
    }
    _assert_documented(answer)


async def test_an_account_that_may_hold_both_sides_says_so(api: Served) -> None:
    caller = await api.caller()
    account = await add_account(api.services.store, caller.user)
    async with api.services.store.transaction() as tx:
        await tx.accounts.record_rights(
            account.user_id, account.id, account.rights, True, Millis(NOW + MINUTE)
        )
    told = (await api.get(caller, path_of(account.id))).json()
    assert (told["hedge_mode_enabled"], told["contracts"]) == (True, [])


async def test_before_the_first_reading_it_is_not_known_what_is_open(api: Served) -> None:
    caller = await api.caller()
    account = await add_account(api.services.store, caller.user)
    await read_account(api.services.store, account, {}, read_at=None)
    told = (await api.get(caller, path_of(account.id))).json()
    assert (told["read_at"], told["contracts"]) == (None, None)


async def test_a_list_that_could_not_be_read_is_named_and_the_known_is_kept(api: Served) -> None:
    caller = await api.caller()
    account = await add_account(api.services.store, caller.user)
    await hold(api.services.store, account, LONG)
    await read_account(api.services.store, account, {}, missing_wallets=("contracts",))
    told = (await api.get(caller, path_of(account.id))).json()
    assert told["missing_wallets"] == ["contracts"]
    assert [each["symbol"] for each in told["contracts"]] == ["BTC/USDT:USDT"]


async def test_somebody_elses_and_nobodys_account_is_not_found(api: Served) -> None:
    caller, bob = await api.caller(), await api.caller("bob")
    theirs = await add_account(api.services.store, bob.user)
    for account_id in (theirs.id, 0, 999, 2**31, 9_999_999_999):
        answer = await api.get(caller, path_of(account_id))
        assert (answer.status_code, answer.json()["error"]) == (404, "not_found")


async def test_contracts_are_for_those_who_may_read_accounts(api: Served) -> None:
    caller = await api.caller()
    account = await add_account(api.services.store, caller.user)
    weak = await api.caller(permissions=("accounts_write",))
    refused = await api.get(weak, path_of(account.id))
    assert (refused.status_code, refused.json()["error"]) == (403, "access_denied")
    unsigned = await api.http.get(path_of(account.id))
    assert (unsigned.status_code, unsigned.json()["error"]) == (401, "api_key_invalid_or_expired")


async def test_the_list_of_accounts_has_no_more_keys_for_it(api: Served) -> None:
    caller = await api.caller()
    account = await add_account(api.services.store, caller.user)
    await hold(api.services.store, account, LONG)
    assert "contracts" not in (await api.get(caller, LIST)).json()[0]
