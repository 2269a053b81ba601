from typing import Any

import msgspec
import pytest

from coffers.sandbox.answering import faulty
from coffers.sandbox.call import Call
from coffers.sandbox.demo import DemoKey
from coffers.sandbox.exchange import Exchange
from coffers.sandbox.faults import Fault, FaultKind, Faults

CALL = Call("binance", "GET", "/api/v3/account", key="some-key-1", address="198.51.100.4")


@pytest.mark.parametrize(
    ("aim", "meets"),
    [
        ({}, True),
        ({"venue": "binance"}, True),
        ({"venue": "binanceus"}, False),
        ({"path": "/api/v3/acc"}, True),
        ({"path": "/sapi"}, False),
        ({"method": "GET"}, True),
        ({"method": "POST"}, False),
        ({"key": "some-key-1"}, True),
        ({"key": "some-key-2"}, False),
    ],
)
def test_a_fault_meets_what_it_is_aimed_at(aim: dict[str, Any], meets: bool) -> None:
    assert Fault(FaultKind.HTML, **aim).meets(CALL) is meets


def test_a_counted_fault_ends_by_itself() -> None:
    faults = Faults()
    faults.inject(Fault(FaultKind.HTML, count=2))
    met = [faults.take(CALL) is not None for _ in range(3)]
    assert met == [True, True, False]


def test_an_uncounted_fault_lasts_until_it_is_cleared() -> None:
    faults = Faults()
    faults.inject(Fault(FaultKind.HTML))
    assert all(faults.take(CALL) for _ in range(50))
    faults.clear()
    assert faults.take(CALL) is None


def test_faults_come_in_the_order_of_their_making() -> None:
    faults = Faults()
    faults.inject(Fault(FaultKind.HTML, path="/sapi", count=1))
    faults.inject(Fault(FaultKind.DROPPED, count=1))
    faults.inject(Fault(FaultKind.EMPTY_BODY, count=1))
    met = [faults.take(CALL), faults.take(CALL), faults.take(CALL)]
    assert [fault and fault.kind for fault in met] == [
        FaultKind.DROPPED,
        FaultKind.EMPTY_BODY,
        None,
    ]


@pytest.mark.parametrize(
    ("fault", "status", "body"),
    [
        (Fault(FaultKind.STATUS, status=502, body="bad gateway"), 502, b"bad gateway"),
        (Fault(FaultKind.EMPTY_OBJECT), 200, b"{}"),
        (Fault(FaultKind.EMPTY_BODY), 200, b""),
    ],
)
def test_a_fault_puts_its_own_answer_in_place(
    exchange: Exchange, fault: Fault, status: int, body: bytes
) -> None:
    answer = faulty(exchange, CALL, fault)
    assert (answer.status, answer.body) == (status, body)


def test_a_page_for_people_has_status_200(exchange: Exchange) -> None:
    answer = faulty(exchange, CALL, Fault(FaultKind.HTML))
    assert answer.status == 200
    assert answer.content_type.startswith("text/html")
    assert answer.body.startswith(b"<!DOCTYPE html>")


@pytest.mark.parametrize(
    ("kind", "status", "code", "text"),
    [
        (FaultKind.RATE_LIMITED, 429, -1003, "Too much request weight used"),
        (FaultKind.BANNED, 418, -1003, "IP banned until"),
        (FaultKind.KEY_REVOKED, 401, -2015, "Invalid API-key, IP, or permissions for action."),
        (FaultKind.ADDRESS_REFUSED, 401, -2015, "for action, request ip: 198.51.100.4"),
    ],
)
def test_a_refusal_speaks_the_venues_words(
    exchange: Exchange, kind: FaultKind, status: int, code: int, text: str
) -> None:
    answer = faulty(exchange, CALL, Fault(kind, retry_after=17))
    body = msgspec.json.decode(answer.body)
    assert (answer.status, body["code"]) == (status, code)
    assert text in body["msg"]
    assert answer.headers.get("retry-after") == ("17" if code == -1003 else None)


def test_a_truncated_answer_is_half_of_the_real_one(exchange: Exchange) -> None:
    call = Call("binance", "GET", "/api/v3/time")
    answer = faulty(exchange, call, Fault(FaultKind.TRUNCATED))
    assert answer.body == b'{"serverTime":'


def test_a_fault_can_answer_for_somebody_else(
    exchange: Exchange, signed: Any, saver: DemoKey, trader: DemoKey
) -> None:
    fault = Fault(FaultKind.OTHER_ACCOUNT, as_key=trader.key)
    answer = faulty(exchange, signed(saver, "GET", "/api/v3/account"), fault)
    assert msgspec.json.decode(answer.body)["uid"] == exchange.ledger.get("binance", trader.key).uid
