from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from coffers.sandbox.call import Call
from coffers.sandbox.demo import DemoKey
from coffers.sandbox.exchange import Exchange
from coffers.sandbox.signing import sign

ACCOUNT = "/api/v3/account"
Ask = Callable[[Call], tuple[int, Any]]
Signed = Callable[..., Call]


def refused(ask: Ask, call: Call) -> tuple[int, int]:
    status, body = ask(call)
    return status, body["code"]


def test_the_documented_example_has_the_documented_signature() -> None:
    secret = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"
    text = (
        "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1"
        "&recvWindow=5000&timestamp=1499827319559"
    )
    expected = "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"
    assert sign(secret, text) == expected


def test_a_well_signed_request_is_answered(ask: Ask, signed: Signed, saver: DemoKey) -> None:
    assert ask(signed(saver, "GET", ACCOUNT))[0] == 200


def test_query_and_body_together_are_what_is_signed(
    ask: Ask, exchange: Exchange, saver: DemoKey
) -> None:
    query, body = f"timestamp={exchange.now()}", "recvWindow=9000"
    body += f"&signature={sign(saver.secret, query + body)}"
    call = Call("binance", "POST", "/sapi/v1/asset/get-funding-asset", query, body, saver.key)
    assert ask(call)[0] == 200


def test_another_secret_does_not_sign(ask: Ask, signed: Signed, saver: DemoKey) -> None:
    call = signed(replace(saver, secret="another"), "GET", ACCOUNT)
    assert ask(call) == (
        400,
        {"code": -1022, "msg": "Signature for this request is not valid."},
    )


def test_a_changed_parameter_breaks_the_signature(ask: Ask, signed: Signed, saver: DemoKey) -> None:
    call = signed(saver, "GET", ACCOUNT, recvWindow=5000)
    assert refused(ask, replace_query(call, call.query.replace("5000", "6000"))) == (400, -1022)


def test_a_request_without_a_signature_is_told_so(
    ask: Ask, exchange: Exchange, saver: DemoKey
) -> None:
    call = Call("binance", "GET", ACCOUNT, f"timestamp={exchange.now()}", key=saver.key)
    assert ask(call)[1] == {
        "code": -1102,
        "msg": "Mandatory parameter 'signature' was not sent, was empty/null, or malformed.",
    }


@pytest.mark.parametrize("key", ["", "short", "no spaces allowed", "x" * 129])
def test_a_malformed_key_is_told_so(ask: Ask, key: str) -> None:
    assert ask(Call("binance", "GET", ACCOUNT, key=key)) == (
        401,
        {"code": -2014, "msg": "API-key format invalid."},
    )


def test_an_unknown_key_is_refused(ask: Ask, signed: Signed, american: DemoKey) -> None:
    call = signed(replace(american, venue="binance"), "GET", ACCOUNT)
    assert ask(call) == (
        401,
        {"code": -2015, "msg": "Invalid API-key, IP, or permissions for action."},
    )


def test_a_revoked_key_is_refused(
    ask: Ask, signed: Signed, exchange: Exchange, saver: DemoKey
) -> None:
    exchange.ledger.get("binance", saver.key).is_revoked = True
    assert refused(ask, signed(saver, "GET", ACCOUNT)) == (401, -2015)


def test_a_key_with_an_address_list_is_refused_from_elsewhere(
    ask: Ask, signed: Signed, exchange: Exchange, saver: DemoKey
) -> None:
    account = exchange.ledger.get("binance", saver.key)
    account.rights = replace(account.rights, ips=("203.0.113.7",))
    body = ask(signed(saver, "GET", ACCOUNT))[1]
    assert body["code"] == -2015
    assert body["msg"].endswith("permissions for action, request ip: 127.0.0.1")


def test_a_key_with_an_address_list_works_from_there(
    ask: Ask, signed: Signed, exchange: Exchange, saver: DemoKey
) -> None:
    account = exchange.ledger.get("binance", saver.key)
    account.rights = replace(account.rights, ips=("127.0.0.1",))
    assert ask(signed(saver, "GET", ACCOUNT))[0] == 200


def test_a_key_that_may_not_read_is_refused_but_may_ask_what_it_may(
    ask: Ask, signed: Signed, exchange: Exchange, saver: DemoKey
) -> None:
    account = exchange.ledger.get("binance", saver.key)
    account.rights = replace(account.rights, read=False)
    assert refused(ask, signed(saver, "GET", ACCOUNT)) == (401, -2015)
    told = ask(signed(saver, "GET", "/sapi/v1/account/apiRestrictions"))[1]
    assert told["enableReading"] is False


@pytest.mark.parametrize(
    ("behind", "window", "code"),
    [
        (5_000, None, None),
        (5_001, None, -1021),
        (9_000, 10_000, None),
        (-999, None, None),
        (-1_000, None, -1021),
        (0, 60_001, -1131),
    ],
)
def test_a_request_must_arrive_within_its_window(
    ask: Ask,
    signed: Signed,
    exchange: Exchange,
    saver: DemoKey,
    behind: int,
    window: int | None,
    code: int | None,
) -> None:
    params = {"timestamp": exchange.now() - behind}
    params |= {"recvWindow": window} if window else {}
    body = ask(signed(saver, "GET", ACCOUNT, **params))[1]
    assert body.get("code") == code


def test_a_timestamp_that_is_no_number_is_told_so(ask: Ask, signed: Signed, saver: DemoKey) -> None:
    assert refused(ask, signed(saver, "GET", ACCOUNT, timestamp="soon")) == (400, -1100)


def replace_query(call: Call, query: str) -> Call:
    return Call(call.venue, call.method, call.path, query, call.body, call.key, call.address)
