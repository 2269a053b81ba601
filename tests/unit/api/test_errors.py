"""Each kind of fault has one wire error, and nothing from inside goes out."""

import json

import pytest

from coffers.access import refusals
from coffers.api.errors import (
    AddressTooLong,
    BodyTooLong,
    MethodNotAllowed,
    framework_error,
    invalid_request,
    wire_error,
)
from coffers.clock import Millis
from coffers.connectors.reading import ConnectorFailure, FailureKind
from coffers.errors import CoffersError, InvalidRecord, NotFound
from coffers.portfolio.errands import NoWorker, TooManyOpen
from coffers.portfolio.market_data import NotKnownYet
from coffers.serving.streams import StreamsFull
from coffers.store.errors import AlreadyConnected, StoreUnavailable
from coffers.vault.keyring import WrongMasterKey


@pytest.mark.parametrize(
    ("fault", "status", "error"),
    [
        (refusals.key_refused("unknown_key"), 401, "api_key_invalid_or_expired"),
        (refusals.permission_refused("accounts_read"), 403, "access_denied"),
        (InvalidRecord({"page": ["is invalid"]}), 400, "record_invalid"),
        (NotFound("no account 7"), 404, "not_found"),
        (MethodNotAllowed(["GET"]), 405, "method_not_allowed"),
        (BodyTooLong(), 413, "payload_too_large"),
        (AddressTooLong(), 414, "uri_too_long"),
        (StoreUnavailable("the disk is full"), 503, "service_unavailable"),
        (WrongMasterKey("key 123 is not at hand"), 500, "unknown_error"),
        (KeyError("secret"), 500, "unknown_error"),
    ],
)
def test_every_kind_has_its_status_and_its_text(fault: Exception, status: int, error: str) -> None:
    found = wire_error(fault, "r1")
    assert (found.status, found.error) == (status, error)
    assert json.loads(found.body())["error"] == error


@pytest.mark.parametrize(
    "fault",
    [KeyError("secret"), StoreUnavailable("/var/lib/secret is full"), NotFound("secret account")],
)
def test_nothing_from_inside_goes_out(fault: Exception) -> None:
    assert b"secret" not in wire_error(fault, "r1").body()


def test_an_unforeseen_error_names_the_request() -> None:
    assert b"r-42" in wire_error(RuntimeError("boom"), "r-42").body()


def test_absent_parts_are_left_out_of_the_body() -> None:
    assert json.loads(wire_error(NotFound(""), "r1").body()) == {
        "error": "not_found",
        "error_description": "Not Found",
    }


def test_a_refusal_says_when_to_come_again() -> None:
    found = wire_error(refusals.too_many(Millis(1500)), "r1")
    assert (found.status, found.headers) == (429, (("Retry-After", "2"),))


def test_whoever_asks_for_too_much_is_told_to_wait() -> None:
    found = wire_error(TooManyOpen(), "r1")
    assert (found.status, found.error) == (429, "rate_limit_exceeded")
    assert found.headers == (("Retry-After", "5"),)
    assert "not done yet" in (found.description or "")


@pytest.mark.parametrize(
    ("fault", "seconds"),
    [
        (StoreUnavailable("x"), "5"),
        (NoWorker(), "5"),
        (NotKnownYet("x"), "5"),
        (ConnectorFailure(FailureKind.VENUE_DOWN, "x"), "5"),
        (StreamsFull(), "30"),
    ],
)
def test_what_is_not_to_be_had_now_says_when_to_come_again(
    fault: CoffersError, seconds: str
) -> None:
    found = wire_error(fault, "r1")
    assert (found.status, found.headers) == (503, (("Retry-After", seconds),))


def test_already_connected_says_to_which_account() -> None:
    body = json.loads(wire_error(AlreadyConnected(7), "r1").body())
    assert body["error_attributes"] == {
        "api_key": ["This account is already connected!"],
        "account_id": ["7"],
    }


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("missing", "is missing"),
        ("enum", "does not have a valid value"),
        ("int_parsing", "is invalid"),
    ],
)
def test_the_frameworks_faults_are_told_in_the_wires_words(kind: str, reason: str) -> None:
    fault = invalid_request([{"loc": ("query", "page"), "type": kind}])
    assert fault.attributes == {"page": [reason]}


def test_a_fault_without_a_place_is_the_bodys() -> None:
    assert invalid_request([{"loc": (), "type": "x"}]).attributes == {"body": ["is invalid"]}


@pytest.mark.parametrize(
    ("methods", "allowed"),
    [({"GET"}, "GET, HEAD"), ({"POST"}, "POST"), ({"PUT", "GET"}, "GET, HEAD, PUT")],
)
def test_where_get_is_allowed_head_is_too(methods: set[str], allowed: str) -> None:
    assert MethodNotAllowed(methods).allowed == allowed


def test_another_status_of_the_framework_is_an_unforeseen_error() -> None:
    fault = framework_error(418)
    assert isinstance(fault, CoffersError)
    assert wire_error(fault, "r1").status == 500
