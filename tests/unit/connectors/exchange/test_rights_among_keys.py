"""Venues that tell of all keys of an account: the asking one is found among them."""

from typing import Any

import pytest

from coffers.clock import DAY
from coffers.connectors.exchange.failures import Venue
from coffers.connectors.exchange.rights import read_rights
from coffers.keyrights import UNKNOWN_RIGHTS, KeyRights
from factories import NOW
from unit.connectors.exchange.fakes import ccxt_error, session
from unit.connectors.exchange.rights_bodies import KEY, body, exchange_of, rights_of, told


@pytest.mark.parametrize(
    ("scope", "rights"),
    [
        ("account:read", (True, False, False)),
        ("account:read_write trade:read_write wallet:read", (True, True, False)),
        ("account:read block_trade:read_write wallet:none", (True, True, False)),
        ("account:read wallet:read_write", (True, False, True)),
        ("trade:read", (False, False, False)),
        ("account:read custody:read_write", (True, None, None)),
        ("", (None, None, None)),
        (None, (None, None, None)),
    ],
)
async def test_deribit_scopes(scope: Any, rights: Any) -> None:
    found = await told("deribit", "result", "1", max_scope=scope)
    assert (found.read, found.trade, found.withdraw) == rights


async def test_deribit_another_keys_scope_is_not_its_own() -> None:
    assert await told("deribit", "result", "1", client_id="fakeThird") == UNKNOWN_RIGHTS
    assert await rights_of("deribit", {"result": []}) == UNKNOWN_RIGHTS


async def test_deribit_addresses_that_are_not_told() -> None:
    rights = await told("deribit", "result", "1", ip_whitelist=None)
    assert rights.address_restricted is None


async def gate_keys(*perms: Any, key: Any = KEY[:12] + "*****") -> KeyRights:
    entry = {**body("gate", 1)[1], "perms": list(perms), "key": key}
    return await rights_of("gate", body("gate"), [body("gate", 1)[0], entry])


async def test_gate_trades() -> None:
    rights = await gate_keys({"name": "futures", "read_only": False})
    assert (rights.read, rights.trade, rights.withdraw) == (True, True, None)


async def test_gate_withdraws_where_that_is_named() -> None:
    perms = [{"name": name, "read_only": False} for name in ("wallet", "withdraw")]
    rights = await gate_keys(*perms)
    assert (rights.read, rights.trade, rights.withdraw) == (True, False, True)


@pytest.mark.parametrize(
    "odd", [{"name": "moonshots", "read_only": False}, {"name": "futures"}, "futures", None]
)
async def test_gate_a_name_of_another_shape_may_mean_anything(odd: Any) -> None:
    rights = await gate_keys({"name": "spot", "read_only": True}, odd)
    assert (rights.read, rights.trade, rights.withdraw) == (True, None, None)


@pytest.mark.parametrize("key", ["ffffffffffff*****", "0000*****", "*****", "", {"mode": 1}])
async def test_gate_a_key_that_cannot_be_told_from_others_has_unknown_rights(key: Any) -> None:
    rights = await gate_keys({"name": "spot", "read_only": False}, key=key)
    assert rights == KeyRights(address_restricted=True)


@pytest.mark.parametrize("answer", [[], {}, None, {"key": KEY}])
async def test_gate_keys_that_are_not_listed(answer: Any) -> None:
    rights = await rights_of("gate", body("gate"), answer)
    assert rights == KeyRights(address_restricted=True)


async def test_gate_one_key_that_is_not_in_a_list_is_read_too() -> None:
    rights = await rights_of("gate", body("gate"), body("gate", 1)[1])
    assert rights == await rights_of("gate")


async def test_gate_a_key_that_may_not_list_keys_still_tells_its_addresses() -> None:
    refused = ccxt_error("PermissionDenied", "AuthenticationError", "BaseError")
    rights = await rights_of("gate", body("gate"), refused)
    assert rights == KeyRights(address_restricted=True)


async def test_gate_an_outage_of_the_list_is_a_failure() -> None:
    down = ccxt_error("ExchangeNotAvailable", "NetworkError", "BaseError")
    with pytest.raises(Exception, match="not available|not be reached"):
        await rights_of("gate", body("gate"), down)


async def htx_key(**changes: Any) -> KeyRights:
    answer = body("htx", 1)
    answer["data"][0].update(changes)
    return await rights_of("htx", body("htx"), answer)


async def test_htx_it_is_asked_for_the_own_user_and_key() -> None:
    exchange = exchange_of("htx")
    await read_rights(session(exchange, Venue("htx", "HTX", ("htx",))))
    assert exchange.asked[-1][1] == ({"uid": 63628520, "accessKey": KEY},)


@pytest.mark.parametrize(
    ("permission", "rights"),
    [
        ("trade,readOnly", (True, True, False)),
        ("readOnly,trade,withdraw", (True, True, True)),
        ("readOnly,lend", (True, None, None)),
        ("", (None, None, None)),
    ],
)
async def test_htx_permissions(permission: Any, rights: Any) -> None:
    found = await htx_key(permission=permission)
    assert (found.read, found.trade, found.withdraw) == rights


async def test_htx_days_that_are_left_are_whole_ones() -> None:
    midnight = NOW - NOW % DAY
    assert (await htx_key(validDays=7)).expires_at == midnight + 8 * DAY
    assert (await htx_key(validDays=0)).expires_at == midnight + DAY


@pytest.mark.parametrize("days", [-1, None, "7", True, 10**12])
async def test_htx_days_of_another_shape_are_no_expiry(days: Any) -> None:
    assert (await htx_key(validDays=days)).expires_at is None


async def test_htx_refuses_the_key_of_a_sub_account() -> None:
    refusal = {"code": 2002, "message": "invalid field value in uid"}
    assert await rights_of("htx", body("htx"), refusal) == UNKNOWN_RIGHTS


async def test_htx_another_keys_rights_are_not_its_own() -> None:
    assert await htx_key(accessKey="fake-other") == UNKNOWN_RIGHTS


@pytest.mark.parametrize("uid", [{"code": 200}, {"code": 200, "data": "me"}])
async def test_htx_without_the_user_there_is_nothing_to_ask_for(uid: Any) -> None:
    with pytest.raises(Exception, match="does not tell what the key may do"):
        await rights_of("htx", uid)
